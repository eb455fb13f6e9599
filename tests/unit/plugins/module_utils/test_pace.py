from __future__ import annotations

import dataclasses
import math
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _retry
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.throttle import Pacer
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.simulated_time import (
    START,
    SimulatedTime,
)

TOO_MANY = False
ANSWERED = True


class OneASecond:
    """The service's limit as its documentation has it: refused requests count too."""

    def __init__(self, window: float = 1.0) -> None:
        self.window = window
        self.last = -math.inf

    def ask(self, now: float) -> bool:
        free = now - self.last >= self.window
        self.last = now
        return free


class FixedSecond:
    """A limit that starts afresh with each full second, where refused requests do not count."""

    def __init__(self) -> None:
        self.used = -1

    def ask(self, now: float) -> bool:
        free = math.floor(now) != self.used
        if free:
            self.used = math.floor(now)
        return free


@dataclasses.dataclass
class Process:
    """One task with some requests to send, repeated until each is answered. `latency` is what an answer takes."""

    seed: int
    wanted: int
    latency: float = 0.05
    refusals: int = 0
    answers: int = 0
    finished: float = 0.0

    def run(self, limit: t.Any) -> t.Generator[float, None, None]:
        """Yields the time at which it sends next."""
        time = SimulatedTime(self.seed)
        self.time = time
        pacer = Pacer(time.clock)
        while self.answers < self.wanted:
            wait = pacer.delay()
            if wait:
                time.sleep(wait)
            pacer.sent()
            yield time.now
            answer = limit.ask(time.now)
            time.now += self.latency
            if answer is ANSWERED:
                pacer.answered()
                self.answers += 1
            else:
                self.refusals += 1
                time.sleep(pacer.refused())
        self.finished = time.now


def simulate(limit: t.Any, *processes: Process) -> None:
    """Run processes beside each other, always the one whose request leaves first."""
    running = {steps: next(steps) for steps in [process.run(limit) for process in processes]}
    while running:
        steps = min(running, key=running.__getitem__)
        running[steps] = next(steps, math.inf)
        assert running[steps] < 10_000 or running[steps] == math.inf, "the processes never finish"
        if running[steps] == math.inf:
            del running[steps]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("latency", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("limit", [OneASecond, FixedSecond])
def test_one_process_is_hardly_ever_refused_and_loses_little_time(
    seed: int, latency: float, limit: t.Callable[[], t.Any]
) -> None:
    process = Process(seed, 112, latency)
    simulate(limit(), process)
    assert process.answers == 112
    assert process.refusals <= 3
    assert process.finished <= 1.10 * 112


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("limit", [OneASecond, FixedSecond])
def test_three_processes_all_finish_and_none_is_starved(seed: int, limit: t.Callable[[], t.Any]) -> None:
    processes = [Process(100 * seed + number, 60, 0.05 + 0.02 * number) for number in range(3)]
    simulate(limit(), *processes)
    assert [process.answers for process in processes] == [60, 60, 60]
    ends = sorted(process.finished for process in processes)
    # 180 requests need 180 seconds at best. Where a refused request counts as well, processes that know nothing of
    # each other can hardly get more than half of that.
    assert ends[-1] <= 2.5 * 180
    assert ends[-1] <= 3 * ends[0]
    # More answers than refusals for each of them: nobody keeps the service busy with useless requests.
    assert max(process.refusals for process in processes) < 60


def test_the_pace_quickens_when_the_limit_goes_away() -> None:
    limit = OneASecond()
    process = Process(1, 4 * Pacer.QUIET_ANSWERS, 0.01)
    steps = process.run(limit)
    for dummy in range(20):
        next(steps)
    limit.window = 0.0
    for dummy in steps:
        pass
    # Some requests at the limit's pace, until it was quiet long enough; the rest cost nothing but their answers.
    assert process.finished <= 1.15 * Pacer.QUIET_ANSWERS


def test_foreign_traffic_stretches_the_distance_up_to_a_bound_and_it_shrinks_again() -> None:
    time = SimulatedTime()
    pacer = Pacer(time.clock)
    waits = [pacer.refused() for dummy in range(20)]
    assert Pacer.STEADY <= waits[0] <= Pacer.STEADY * (1 + Pacer.SCATTER)
    assert min(waits[5:]) > 2 * waits[0]
    assert max(waits) <= Pacer.LONGEST * (1 + Pacer.SCATTER)
    for dummy in range(50):
        pacer.answered()
    pacer.sent()
    assert Pacer.STEADY <= pacer.delay() <= Pacer.STEADY * (1 + Pacer.JITTER)


def test_the_distance_runs_from_one_departure_to_the_next() -> None:
    time = SimulatedTime()
    pacer = Pacer(time.clock)
    for dummy in range(500):
        assert pacer.delay() == 0
        pacer.sent()
        pacer.answered()
    pacer.refused()
    pacer.sent()
    time.now += 0.5
    assert 0.5 < pacer.delay() <= 0.6
    time.now += 10
    assert pacer.delay() == 0


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (60, 30), (1000, 30)])
def test_backoff(attempt: int, ceiling: float) -> None:
    clock = SimulatedTime(attempt).clock
    waits = [_retry.backoff(attempt, clock) for dummy in range(200)]
    assert ceiling / 2 <= min(waits) < max(waits) <= ceiling
    # By chance indeed: processes that failed together must not come back together.
    assert max(waits) - min(waits) > ceiling / 4


NOON = "Sun, 22 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        *[(text, None, float(text)) for text in ("5", "2.128", " 7 ", "86400", "1e3")],
        *[(text, None, None) for text in (None, "0", "0.0", "-5", "nan", "inf", "1e400", "", "soon", "5 seconds")],
        # Against the server's own clock, if it tells; else against ours.
        ("Sun, 22 Nov 2026 12:00:10 GMT", NOON, 10.0),
        ("Sun, 22 Nov 2026 12:00:10 GMT", "Sun, 22 Nov 2026 12:00:04 GMT", 6.0),
        ("Sun, 22 Nov 2026 12:00:10 GMT", None, 10.0),
        ("Sun, 22 Nov 2026 12:00:10 GMT", "garbage", 10.0),
        ("Sun, 22 Nov 2026 11:59:00 GMT", NOON, None),
        (NOON, NOON, None),
    ],
)
def test_retry_after(header: str | None, date: str | None, seconds: float | None) -> None:
    time = SimulatedTime()
    assert time.clock.wall() == START
    assert _retry.retry_after(header, date, time.clock) == seconds


def test_the_real_clock() -> None:
    clock = _retry.Clock()
    before = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - before >= 0.001
    assert clock.wall() > START - 86_400 * 3650
    assert 0 <= clock.random() < 1
