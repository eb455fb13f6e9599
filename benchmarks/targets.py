"""What the collection has to reach, and whether it does."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from .cases import Case
from .refusal import Refusal
from .runner import Result, Run
from .startup import Startup
from .together import Together

MANY = 6000
MOST_REQUESTS = 112
MOST_LOGINS = 2
MOST_THROTTLED = 3
MOST_SECONDS_A_REQUEST = 1.10
MOST_WRITES = 3 + 2 * math.log2(60)
MOST_STARTUP = 1.35
MOST_MEMORY = 150


@dataclasses.dataclass(frozen=True)
class Target:
    """One line of the table.

    :param counted: it does not depend on the machine, so that a miss is a bug wherever it is seen.
    """

    case: str
    wanted: str
    measured: str
    reached: bool
    counted: bool = True


@dataclasses.dataclass(frozen=True)
class Measurements:
    """All that was measured in one run of the benchmark."""

    machine: t.Mapping[str, str]
    results: t.Sequence[Result]
    refusal: Refusal
    together: Together
    startup: t.Sequence[Startup]

    def find(self, case: Case) -> Result | None:
        """The result of a case, if it was measured."""
        return next((result for result in self.results if result.case == case), None)


def targets(measurements: Measurements) -> list[Target]:
    """All targets whose cases were measured."""
    return [*_of_cases(measurements), *_others(measurements)]


def _of_cases(measurements: Measurements) -> t.Iterator[Target]:
    if found := measurements.find(Case("module_filters", MANY, True)):
        yield from _many(found.first)
    if found := measurements.find(Case("module", 60, False)):
        graph = found.first.graph
        yield Target("60 users by id, limit off", "2 Graph requests", f"{graph}", graph == 2)
    if found := measurements.find(Case("module", 1, False)):
        graph = found.second.graph
        yield Target("1 user already in the state", "1 Graph request", f"{graph}", graph == 1)
    for method, name in (("module", "by id"), ("module_filters", "by filters")):
        if found := measurements.find(Case(method, MANY, True)):
            second = found.second
            yield Target(
                f"second run of {MANY:,}, {name}",
                "no write, `changed: false`",
                f"{second.writes} writes, `changed: {str(second.said_changed).lower()}`",
                not second.writes and second.said_changed is False,
            )
    memory = [
        run.module_memory
        for result in measurements.results
        for run in (result.first, result.second)
        if result.case.method in ("module", "module_filters") and result.case.users == MANY and run.module_memory
    ]
    if memory:
        yield Target(
            f"memory at {MANY:,} users, process of the module",
            f"under {MOST_MEMORY} MB",
            f"{max(memory):.0f} MB",
            max(memory) < MOST_MEMORY,
            counted=False,
        )


def _many(run: Run) -> t.Iterator[Target]:
    case = f"{MANY:,} active users by filters, limit on"
    yield Target(
        case,
        f"at most {MOST_REQUESTS} Graph requests (those answered 429 aside), {MOST_LOGINS} for login",
        f"{run.useful} Graph requests, {run.login} for login",
        run.useful <= MOST_REQUESTS and run.login <= MOST_LOGINS,
    )
    yield Target(
        case,
        f"at most {MOST_THROTTLED} answers 429",
        f"{run.throttled}",
        run.throttled <= MOST_THROTTLED,
        counted=False,
    )
    each = run.seconds / run.useful
    yield Target(
        case,
        f"wall time at most {MOST_SECONDS_A_REQUEST:.2f} s a request",
        f"{each:.3f} s ({run.seconds:.1f} s)",
        each <= MOST_SECONDS_A_REQUEST,
        counted=False,
    )


def _others(measurements: Measurements) -> t.Iterator[Target]:
    refusal = measurements.refusal
    yield Target(
        f"{refusal.users} ids of which the service refuses one",
        f"{refusal.users - 1} written, one `rejected`, at most {MOST_WRITES:.1f} writes",
        f"{refusal.users_changed} written, {refusal.rejected} `rejected`, {refusal.writes} writes",
        refusal.users_changed == refusal.users - 1
        and refusal.rejected == 1
        and refusal.failed
        and not refusal.culprit_written
        and refusal.writes <= MOST_WRITES,
    )
    together = measurements.together
    yield Target(
        f"{len(together.seconds)} processes at once, {together.users_each} users each, limit on",
        "all finish, nothing written twice",
        f"{'all finished' if together.finished else 'NOT all finished'}, {together.users_changed:,} users changed, "
        f"{together.users_written_twice} written twice; "
        f"{', '.join(f'{seconds:.0f} s' for seconds in sorted(together.seconds))}",
        together.right,
    )
    if measurements.startup:
        nothing, *ours = measurements.startup
        for way in ours:
            ratio = way.playbook / nothing.playbook
            yield Target(
                f"start-up, {way.label}",
                f"at most {MOST_STARTUP} x the wall time of a module that does nothing",
                f"{ratio:.2f} x ({way.playbook:.2f} s and {nothing.playbook:.2f} s); one more call: "
                f"{way.call / nothing.call:.2f} x ({way.call * 1000:.0f} ms and {nothing.call * 1000:.0f} ms)",
                ratio <= MOST_STARTUP,
                counted=False,
            )
