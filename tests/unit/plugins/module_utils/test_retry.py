"""The one loop that tries again."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import NetworkError
from ansible_collections.identityops.entra_risk.plugins.module_utils._retry import Retry
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.simulated_time import SimulatedTime


def attempts(time: SimulatedTime, retry: Retry, *, retry_after: float = 0.0, **options: t.Any) -> int:
    """How often something is tried that always fails."""
    error = NetworkError("It failed.")
    error.retry_after = retry_after
    tried = 0
    with pytest.raises(NetworkError) as caught:
        for attempt in retry:
            tried += 1
            assert tried < 1000
            attempt.failed(error, **options)
    assert caught.value is error
    return tried


def test_ends_after_so_many_tries() -> None:
    time = SimulatedTime()
    assert attempts(time, Retry(time.clock, 1000, tries=5)) == 5
    assert attempts(time, Retry(time.clock, 1000), tries=3) == 3


@pytest.mark.parametrize(("options", "latest"), [({"seconds": 100}, 100), ({"seconds": 100, "end": 40}, 40)])
def test_no_attempt_begins_after_the_end(options: dict[str, t.Any], latest: float) -> None:
    time = SimulatedTime()
    assert attempts(time, Retry(time.clock, **options)) > 3
    assert latest - 31 <= time.now <= latest


def test_the_time_runs_from_the_first_failure() -> None:
    time = SimulatedTime()
    retry = Retry(time.clock, 10)
    time.now += 1000
    assert attempts(time, retry) > 2


def test_waits_as_long_as_the_service_asks_for() -> None:
    time = SimulatedTime()
    assert attempts(time, Retry(time.clock, 100), retry_after=60, wait=1) == 2
    assert time.naps == [60]


def test_sleeps_as_it_is_told_to() -> None:
    time = SimulatedTime()
    slept: list[float] = []
    attempts(time, Retry(time.clock, 100, tries=3, pause=slept.append), wait=2.0)
    assert slept == [2.0, 2.0]
    assert time.naps == []
