"""A job is cancelled in the middle of a long run: what was written stays written, and the next run does the rest."""

from __future__ import annotations

import collections
import time
from pathlib import Path

import pytest

from tests.entra_emulator.tenant import Tenant

from .credentials import AzureResourceManager
from .jobs import DISMISS_RISK, Controller

# Six writes, one a second.
USERS = 360


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes of a job the way of Linux")
def test_the_next_run_does_the_rest(awx: Controller, tenant: Tenant, credential: AzureResourceManager) -> None:
    ids = tenant.add_users(USERS)
    survey = {"entra_risk_users": "\n".join(ids)}
    tenant.switches.rate_limit = 1

    job = awx.launch(DISMISS_RISK, credential, survey=survey, cancel=lambda: len(_writes(tenant)) >= 2)

    assert job.status == "canceled"
    before = _writes_when_quiet(tenant)
    dismissed = {user.id for user in tenant.users if user.risk_state == "dismissed"}
    assert dismissed == {user_id for write in before for user_id in write}
    assert 0 < len(dismissed) < USERS

    again = awx.launch(DISMISS_RISK, credential, survey=survey)

    assert (again.status, again.changed) == ("successful", 1)
    assert again.result["summary"] == {
        "changed": USERS - len(dismissed),
        "unchanged": len(dismissed),
        "skipped": 0,
        "failed": 0,
    }
    assert {user.risk_state for user in tenant.users} == {"dismissed"}
    written = collections.Counter(tenant.journal.summary()["written"])
    assert written == dict.fromkeys(ids, 1)


def _writes_when_quiet(tenant: Tenant) -> list[list[str]]:
    """The ids of each write that took effect, once the service has dealt with what was under way."""
    while any(entry["status"] is None for entry in tenant.journal.entries):
        time.sleep(0.05)
    return _writes(tenant)


def _writes(tenant: Tenant) -> list[list[str]]:
    """The ids of each write that took effect."""
    return [entry["written"] for entry in tenant.journal.select(listener="graph", method="POST") if entry["written"]]
