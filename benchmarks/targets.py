"""What the collection has to reach, and whether the measured cases do."""

from __future__ import annotations

import dataclasses
import typing as t

from .cases import Case
from .runner import Result

MANY = 6000
MOST_REQUESTS = 112
MOST_LOGINS = 2
MOST_THROTTLED = 3
MOST_SECONDS_A_REQUEST = 1.10
MOST_MEMORY = 150


@dataclasses.dataclass(frozen=True)
class Target:
    """One line of the table.

    :param counted: it does not depend on the machine, so that a miss is a bug wherever it is seen.
    """

    case: str
    wanted: str
    measured: str
    met: bool
    counted: bool = True


def targets(results: t.Sequence[Result]) -> t.Iterator[Target]:
    found = {result.case: result for result in results}
    if result := found.get(Case("module_filters", MANY, True)):
        first, case = result.first, f"{MANY:,} active users by filters, limit on"
        requests = first.graph - first.throttled
        each = first.seconds / requests
        yield Target(
            case,
            f"at most {MOST_REQUESTS} Graph requests (those answered 429 aside), {MOST_LOGINS} for login",
            f"{requests} Graph requests, {first.login} for login",
            requests <= MOST_REQUESTS and first.login <= MOST_LOGINS,
        )
        within = first.throttled <= MOST_THROTTLED
        yield Target(case, f"at most {MOST_THROTTLED} responses 429", f"{first.throttled}", within, counted=False)
        yield Target(
            case,
            f"wall time at most {MOST_SECONDS_A_REQUEST:.2f} s a request",
            f"{each:.3f} s ({first.seconds:.1f} s)",
            each <= MOST_SECONDS_A_REQUEST,
            counted=False,
        )
    if result := found.get(Case("module", 60, False)):
        graph = result.first.graph
        yield Target("60 users by id, limit off", "2 Graph requests", f"{graph}", graph == 2)
    if result := found.get(Case("module", 1, False)):
        graph = result.second.graph
        yield Target("1 user already in the state", "1 Graph request", f"{graph}", graph == 1)
    for method, name in (("module", "by id"), ("module_filters", "by filters")):
        if result := found.get(Case(method, MANY, True)):
            writes, changed = result.second.writes, result.second.said_changed
            measured = f"{writes} writes, `changed: {str(changed).lower()}`"
            met = not writes and changed is False
            yield Target(f"second run of {MANY:,}, {name}", "no write, `changed: false`", measured, met)
    runs = [
        run
        for result in results
        if result.case.method in ("module", "module_filters") and result.case.users == MANY
        for run in (result.first, result.second)
    ]
    if memory := max((run.module_memory for run in runs), default=0):
        case = f"memory at {MANY:,} users, process of the module"
        yield Target(case, f"under {MOST_MEMORY} MB", f"{memory:.0f} MB", memory < MOST_MEMORY, counted=False)
