"""What counts as a change in a large tenant, and from when on is asked."""

from __future__ import annotations

import tracemalloc
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.changes import LOOKBACK, Watched, Window
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import Record

SECOND = _timestamps.TICKS_PER_SECOND
NOW = 1_000_000 * SECOND


def record(number: int, changed: int, state: str = "atRisk") -> Record:
    """A user whose risk changed so many seconds before NOW."""
    updated = _timestamps.render(NOW - changed * SECOND)
    return Record(f"{number:08x}-0000-4000-8000-000000000000", None, state, "low", updated, False, False)


def watched(*changed: int, page_size: int = 10, settled: int = 0) -> Watched:
    """A tenant that was read whole, and then once more `settled` seconds before NOW."""
    found = Watched(NOW - 100_000 * SECOND, None, NOW, page_size)
    see(found, map(record, range(len(changed)), changed))
    for began in (200, settled):
        found.complete(Window(0, whole=began == 200), NOW - began * SECOND)
    return found


def see(found: Watched, records: t.Iterable[Record]) -> list[str]:
    """The ids of those that are reported."""
    ids = []
    for change in found.changes(records):
        found.remember(change)
        ids.append(change.record.id)
    return ids


@pytest.mark.parametrize(
    ("changed", "asked", "whole"),
    [
        pytest.param([], 100_000, True, id="nobody is known, so all that changed since the beginning"),
        pytest.param([500], 500 + 24 * 3600, True, id="a day before the newest"),
        pytest.param([-9000, 500], 24 * 3600, True, id="a time to come is not the newest"),
        pytest.param([*range(100, 9000, 700)], 5000, True, id="more than a page: what fits on one, if that is an hour"),
        pytest.param([*range(100, 117, 2)], 114, False, id="more than a page in an hour: as much as fits on one"),
        pytest.param([*range(9)], 10, False, id="the last seconds before the last reading are read again"),
        pytest.param([100] * 9, 99, False, id="more than a page in one second: what comes after it"),
        pytest.param([5] * 9, 10, False, id="more than a page in this second: that second again"),
    ],
)
def test_asks_for_one_page_that_misses_nothing(changed: list[int], asked: int, whole: bool) -> None:
    assert watched(*changed).window() == Window(NOW - asked * SECOND, whole)


def test_reads_more_than_a_page_whole_every_five_minutes() -> None:
    found = watched(*range(100, 120))
    assert not found.window().whole
    found.complete(found.window(), NOW + 100 * SECOND)
    assert found.window() == Window(NOW - 100 * SECOND - LOOKBACK, whole=True)
    found.complete(found.window(), NOW + 3600 * SECOND)
    found.complete(found.window(), NOW + 3900 * SECOND)
    assert not found.window().whole, "an hour after the last change, nobody shows up late any more"


def test_keeps_less_than_500_bytes_a_user_however_often_it_changes() -> None:
    found = Watched(0, None, NOW, 500)
    tracemalloc.start()
    try:
        assert len(see(found, (record(number, number) for number in range(10_000)))) == 10_000
        first, dummy = tracemalloc.get_traced_memory()
        for turn in range(1, 3):
            see(found, (record(number, -turn) for number in range(2000)))
        again, dummy = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert first < 5_000_000
    assert again - first < 100_000
