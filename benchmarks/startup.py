"""What a call of the module costs before it gets to work, against a module that does nothing."""

from __future__ import annotations

import dataclasses
import statistics
import typing as t

from .runner import Bench
from .service import Tenant

# A whole playbook with one call, and one with so many that the rest of Ansible can be told from the calls.
_FEW = 1
_MANY = 11


@dataclasses.dataclass(frozen=True)
class Startup:
    """Medians of interleaved runs, in seconds. `playbook`: with one call; `call`: what one more call adds."""

    label: str
    playbook: float
    call: float


def measure(bench: Bench, rounds: int, say: t.Callable[[str], None]) -> list[Startup]:
    """The module that does nothing first, then ours in several ways.

    :raises RuntimeError: a playbook failed.
    """
    with Tenant(bench.facts, 1, limited=False) as tenant:
        bench.play("risky_user", {"bench_users": tenant.users}, tenant)
        token = {"bench_access_token": tenant.access_token}
        ways: dict[str, tuple[str, dict[str, t.Any]]] = {
            "a module that does nothing": ("startup_nothing", {}),
            "`risky_user` without users (no request)": ("startup_risky_user", {"bench_users": [], **token}),
            "`risky_user`, `access_token` (1 request)": (
                "startup_risky_user",
                {"bench_users": tenant.users, **token},
            ),
            "`risky_user`, `secret` (2 for login, 1 request)": ("startup_risky_user", {"bench_users": tenant.users}),
        }
        seconds: dict[tuple[str, int], list[float]] = {}
        for number in range(rounds):
            for label, (playbook, variables) in ways.items():
                for calls in (_FEW, _MANY):
                    # The watching of the memory would be felt here.
                    measured = bench.play(playbook, {**variables, "bench_calls": calls}, tenant, watch_memory=False)
                    if measured.code != 0:
                        raise RuntimeError(f"{label}:\n{measured.output[-3000:]}")
                    seconds.setdefault((label, calls), []).append(measured.seconds)
            say(f"start-up: round {number + 1} of {rounds}")
    median = {key: statistics.median(several) for key, several in seconds.items()}
    return [
        Startup(label, median[label, _FEW], (median[label, _MANY] - median[label, _FEW]) / (_MANY - _FEW))
        for label in ways
    ]
