"""What a call costs before it gets to work."""

from __future__ import annotations

import statistics
import typing as t

from .runner import Bench
from .service import Tenant
from .targets import Target

MOST_STARTUP = 1.35
# A whole playbook with one call, and one with so many that the rest of Ansible can be told from the calls.
_FEW, _MANY = 1, 11


def measure(bench: Bench, rounds: int, say: t.Callable[[str], None]) -> list[Target]:
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
