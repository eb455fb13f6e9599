"""One user among many whom the service refuses."""

from __future__ import annotations

import dataclasses
import json
import re

from .runner import Bench
from .service import Tenant

USERS = 130


@dataclasses.dataclass(frozen=True)
class Refusal:
    """What came of it; `rejected` is what the module says, the rest what the service says."""

    users: int
    writes: int
    users_changed: int
    rejected: int
    failed: bool
    culprit_written: bool


def measure(bench: Bench) -> Refusal:
    """Dismiss everybody, with the limit off.

    :raises RuntimeError: the playbook shows no failure.
    """
    with Tenant(bench.facts, USERS, limited=False) as tenant:
        # Somewhere inside the second chunk.
        culprit = tenant.users[USERS * 3 // 5]
        tenant.change(reject_ids=[culprit])
        measured = bench.play("risky_user", {"bench_users": tenant.users}, tenant)
        traffic = tenant.take_traffic()
        states = tenant.states()
    match = re.search(r"^fatal: \[localhost\]: FAILED! => (\{.*\})$", measured.output, re.MULTILINE)
    if match is None:
        raise RuntimeError(f"the task with a refused user did not fail:\n{measured.output[-3000:]}")
    result = json.loads(match[1])
    rejected = [user["id"] for user in result["users"] if user["reason"] == "rejected"]
    return Refusal(
        users=USERS,
        writes=traffic.writes,
        users_changed=sum(state == "dismissed" for state in states.values()),
        rejected=len(rejected) if rejected == [culprit] else -1,
        failed=measured.code != 0,
        culprit_written=culprit in traffic.written,
    )
