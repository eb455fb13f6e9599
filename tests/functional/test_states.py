"""Every state that can be asked for, of users in every state that they can be in."""

from __future__ import annotations

import pytest

from ..entra_emulator.tenant import Tenant
from .clock import FastClock
from .running import Run

RISK_STATES = ("none", "confirmedSafe", "remediated", "dismissed", "atRisk", "confirmedCompromised")
# For each state asked for: the states that are written to, and what they become.
STATES = {
    "dismissed": ({"atRisk", "confirmedCompromised"}, "dismissed"),
    "safe": ({"atRisk", "confirmedCompromised"}, "confirmedSafe"),
    "compromised": (set(RISK_STATES) - {"confirmedCompromised"}, "confirmedCompromised"),
}


@pytest.mark.parametrize("risk_state", RISK_STATES)
@pytest.mark.parametrize("state", STATES)
def test_writes_only_where_something_changes(tenant: Tenant, run: Run, state: str, risk_state: str) -> None:
    written, becomes = STATES[state]
    user = tenant.add_user("anna@contoso.example", risk_state=risk_state).id
    planned = run("risky_user", state=state, users=[user], check=True, diff=True)
    done = run("risky_user", state=state, users=[user], diff=True)
    again = run("risky_user", state=state, users=[user], diff=True)
    assert (planned.changed, done.changed, again.changed) == (risk_state in written, risk_state in written, False)
    assert planned.entries == done.entries
    assert planned.result["diff"] == done.result["diff"]
    assert done.written == ([user] if risk_state in written else [])
    risk = tenant.user(user).risk
    assert risk is not None and risk["riskState"] == (becomes if risk_state in written else risk_state)


def test_waits_until_the_state_is_shown(tenant: Tenant, run: Run, clock: FastClock) -> None:
    tenant.switches.effect_delay = 45
    ended = run("risky_user", state="dismissed", users=[tenant.add_user("anna@contoso.example").id], wait=True)
    assert ended.result["verified"] is True
    assert sum(clock.sleeps) >= 45
