"""What is measured beside the cases: start-up, one rejected user among many, and several processes at one limit."""

from __future__ import annotations

import concurrent.futures
import json
import math
import re
import statistics
import typing as t

from .runner import Bench, Measured
from .service import Tenant
from .targets import Target

MOST_STARTUP = 1.35
MOST_WRITES = 3 + 2 * math.log2(60)
# A whole playbook with one call, and one with so many that the rest of Ansible can be told from the calls.
_FEW, _MANY = 1, 11
_USERS = 130
_PROCESSES = 3


def startup(bench: Bench, rounds: int, say: t.Callable[[str], None]) -> list[Target]:
    """What a call costs before it gets to work, against a module that does nothing: medians of interleaved runs.

    :raises RuntimeError: a playbook failed.
    """
    seconds: dict[tuple[str, int], list[float]] = {}
    with Tenant(bench.control_url, 1, limited=False) as tenant:
        bench.play("risky_user", {"bench_users": tenant.users}, tenant)
        token = {"bench_access_token": tenant.access_token}
        ways: dict[str, tuple[str, dict[str, t.Any]]] = {
            "nothing": ("startup_nothing", {}),
            "`risky_user` without users (no request)": ("startup_risky_user", {"bench_users": [], **token}),
            "`risky_user`, `access_token` (1 request)": ("startup_risky_user", {"bench_users": tenant.users, **token}),
            "`risky_user`, `secret` (2 for login, 1 request)": ("startup_risky_user", {"bench_users": tenant.users}),
        }
        for number in range(rounds):
            for label, (playbook, variables) in ways.items():
                for calls in (_FEW, _MANY):
                    # Watching the memory would be felt here.
                    measured = bench.play(playbook, {**variables, "bench_calls": calls}, tenant, watch_memory=False)
                    if measured.code != 0:
                        raise RuntimeError(f"{label}:\n{measured.output[-3000:]}")
                    seconds.setdefault((label, calls), []).append(measured.seconds)
            say(f"start-up: round {number + 1} of {rounds}")
    whole = {label: statistics.median(seconds[label, _FEW]) for label in ways}
    more = {label: (statistics.median(seconds[label, _MANY]) - whole[label]) / (_MANY - _FEW) for label in ways}
    base, base_more = whole.pop("nothing"), more.pop("nothing")
    return [
        Target(
            f"start-up, {label}",
            f"at most {MOST_STARTUP} x the wall time of a module that does nothing",
            f"{way / base:.2f} x ({way:.2f} s and {base:.2f} s); one more call: "
            f"{more[label] / base_more:.2f} x ({more[label] * 1000:.0f} ms and {base_more * 1000:.0f} ms)",
            way / base <= MOST_STARTUP,
            counted=False,
        )
        for label, way in whole.items()
    ]


def rejection(bench: Bench) -> Target:
    """Dismiss many users of whom the service rejects one, with the limit off.

    :raises RuntimeError: the playbook shows no failure.
    """
    with Tenant(bench.control_url, _USERS, limited=False) as tenant:
        # Somewhere inside the second chunk.
        culprit = tenant.users[_USERS * 3 // 5]
        tenant.change(reject_ids=[culprit])
        measured = bench.play("risky_user", {"bench_users": tenant.users}, tenant)
        counts, written = tenant.take_traffic()
        changed = sum(state == "dismissed" for state in tenant.states().values())
    match = re.search(r"^fatal: \[localhost\]: FAILED! => (\{.*\})$", measured.output, re.MULTILINE)
    if measured.code == 0 or match is None:
        raise RuntimeError(f"the task with a rejected user did not fail:\n{measured.output[-3000:]}")
    rejected = [user["id"] for user in json.loads(match[1])["users"] if user["reason"] == "rejected"]
    alone = rejected == [culprit] and culprit not in written
    return Target(
        f"{_USERS} ids of which the service rejects one",
        f"{_USERS - 1} written, one `rejected`, at most {MOST_WRITES:.1f} writes",
        f"{changed} written, {len(rejected)} `rejected`, {counts['writes']} writes",
        alone and changed == _USERS - 1 and counts["writes"] <= MOST_WRITES,
    )


def together(bench: Bench, users_each: int) -> Target:
    """Several processes start at once, with users of their own and the one limit of the tenant."""
    total = users_each * _PROCESSES
    with Tenant(bench.control_url, total, limited=True) as tenant:

        def play(start: int) -> Measured:
            users = tenant.users[start : start + users_each]
            return bench.play("risky_user", {"bench_users": users}, tenant, watch_memory=False)

        with concurrent.futures.ThreadPoolExecutor(_PROCESSES) as pool:
            runs = list(pool.map(play, range(0, total, users_each)))
        dummy, written = tenant.take_traffic()
        changed = sum(state == "dismissed" for state in tenant.states().values())
    finished = all(run.code == 0 for run in runs)
    twice = sum(times > 1 for times in written.values())
    return Target(
        f"{_PROCESSES} processes at once, {users_each} users each, limit on",
        "all finish, nothing written twice",
        f"{'all finished' if finished else 'NOT all finished'}, {changed:,} users changed, {twice} written twice; "
        + ", ".join(f"{seconds:.0f} s" for seconds in sorted(run.seconds for run in runs)),
        finished and changed == len(written) == total and not twice,
    )
