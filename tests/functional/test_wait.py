"""The option `wait`: reading back until the new state is shown."""

from __future__ import annotations

import pytest

from ..entra_emulator.tenant import Tenant
from .clock import FastClock
from .people import ID, NAME, ids
from .running import Run


def test_waits_until_the_new_state_is_shown(people: Tenant, run: Run, clock: FastClock) -> None:
    people.switches.effect_delay = 45
    users = ids("adele", "megan", "safe")
    looked = run("risky_user", state="dismissed", users=users, wait=True, check=True)
    assert looked.changed and not looked.result["verified"] and clock.sleeps == []
    waited = run("risky_user", state="dismissed", users=users, wait=True, diff=True)
    assert waited.changed and waited.result["verified"] is True
    seconds = waited.result["requests"]["waited_seconds"]
    assert seconds >= 45 and seconds == pytest.approx(sum(clock.sleeps), abs=0.01)
    assert [entry["after"]["risk_state"] for entry in waited.entries] == ["dismissed", "dismissed", "confirmedSafe"]
    assert list(waited.result["diff"]["after"].values()) == ["dismissed (none)", "dismissed (none)"]
    assert waited.graph[-1].startswith("GET ") and waited.written == ids("adele", "megan")
    again = run("risky_user", state="dismissed", users=users, wait=True)
    assert not again.changed and again.result["requests"]["waited_seconds"] == 0


def test_fails_whoever_is_pending_at_the_deadline(people: Tenant, run: Run, clock: FastClock) -> None:
    people.switches.effect_delay = 600
    ended = run("risky_user", state="safe", users=ids("adele", "none"), wait=True, wait_timeout=300)
    assert ended.kind == "users" and ended.changed
    assert ended.outcomes == ["failed pending", "unchanged"]
    assert "wait_timeout" in ended.entries[0]["message"]
    assert ended.entries[0]["after"] == {"risk_state": "atRisk", "risk_level": "medium"}
    assert ended.written == ids("adele") and len(ended.result["requests"]["write_request_ids"]) == 1
    assert 290 <= sum(clock.sleeps) <= 300


@pytest.mark.parametrize(("state", "user"), [("dismissed", ID["adele"]), ("safe", NAME["alex"])])
def test_a_record_that_is_gone_has_no_risk_left(people: Tenant, run: Run, state: str, user: str) -> None:
    people.switches.vanish_after_dismiss = True
    ended = run("risky_user", state=state, user=user, wait=True, wait_timeout=1)
    assert ended.changed and ended.result["verified"] is True
    assert ended.entries[0]["after"] == {"risk_state": None, "risk_level": None}
    assert ended.result["requests"]["waited_seconds"] == 0
