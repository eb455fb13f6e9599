"""Every state that can be asked for, of users in every state that they can be in."""

from __future__ import annotations

import re
import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import BEFORE, ID, NAME, ids, states
from .running import Ended, Run

# The words of Graph's actions, and what they make of a risk.
STATES: t.Mapping[str, tuple[str, str, str]] = {
    "dismissed": ("dismiss", "dismissed", "none"),
    "safe": ("confirmSafe", "confirmedSafe", "none"),
    "compromised": ("confirmCompromised", "confirmedCompromised", "high"),
}
# Who is asked for, each in every spelling, and what the states that end a risk, and a confirmation, make of them.
ASKED = (
    ("megan", NAME["megan"], "changed", "unchanged"),
    ("adele", ID["adele"].upper(), "changed", "changed"),
    ("dismissed", ID["dismissed"], "unchanged", "changed"),
    ("remediated", NAME["remediated"], "unchanged", "changed"),
    ("safe", ID["safe"], "unchanged", "changed"),
    ("none", ID["none"], "unchanged", "changed"),
    ("unlisted", "Unlisted@contoso.example", "unchanged not_listed", "changed"),
)
AGAIN = ["ADELE.vance@Contoso.example", ID["adele"]]


@pytest.mark.parametrize("state", STATES)
def test_check_run_and_run_again(people: Tenant, run: Run, state: str) -> None:
    action, risk_state, risk_level = STATES[state]
    expected = {name: outcomes[state == "compromised"] for name, dummy, *outcomes in ASKED}
    changing = [name for name, outcome in expected.items() if outcome == "changed"]
    untouched = states(people)

    def go(**how: bool) -> Ended:
        users = [spelling for dummy, spelling, *dummy2 in ASKED]
        return run("risky_user", state=state, users=users + AGAIN, diff=True, **how)

    looked = go(check=True)
    assert states(people) == untouched
    done = go()
    assert (looked.changed, done.changed) == (True, True)
    assert looked.entries == [{**entry, "written": False} for entry in done.entries]
    assert looked.result["diff"] == done.result["diff"]
    assert [entry["written"] for entry in done.entries] == [entry["outcome"] == "changed" for entry in done.entries]
    assert looked.result["summary"] == done.result["summary"]
    assert done.result["state"] == state
    assert [entry["id"] for entry in done.entries] == ids(*expected)
    assert done.outcomes == list(expected.values())
    for name, entry in zip(expected, done.entries):
        kept = {key: BEFORE[name][key] for key in ("risk_state", "risk_level")}
        assert entry["user_principal_name"] == NAME[name]
        assert entry["before"] == BEFORE[name]
        assert entry["after"] == ({"risk_state": risk_state, "risk_level": risk_level} if name in changing else kept)
    shown = {name: f"{BEFORE[name]['risk_state']} ({BEFORE[name]['risk_level']})" for name in changing}
    assert done.result["diff"] == {
        "before": {NAME[name]: "not listed" if name == "unlisted" else text for name, text in shown.items()},
        "after": {NAME[name]: f"{risk_state} ({risk_level})" for name in changing},
    }
    # One write, the last request, in the order of the task.
    assert done.graph == [*looked.graph, f"POST /v1.0/identityProtection/riskyUsers/{action}"]
    assert done.journal[-1]["body"] == {"userIds": ids(*changing)}
    assert done.result["requests"]["sent"] == len(done.graph)
    assert len(done.result["requests"]["write_request_ids"]) == 1
    assert looked.result["requests"]["write_request_ids"] == []
    assert states(people) == {**untouched, **dict.fromkeys(changing, risk_state)}
    again = go()
    assert (again.changed, again.written) == (False, [])
    assert {entry["outcome"] for entry in again.entries} == {"unchanged"}
    assert [entry["after"] for entry in again.entries] == [entry["after"] for entry in done.entries]
    assert again.result["diff"] == {"before": {}, "after": {}}


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_does_what_can_be_done_and_explains_the_rest(people: Tenant, run: Run, state: str, check: bool) -> None:
    people.switches.reject_ids = [ID["alex"]]
    asked = ["unknown", "newstate", "deleted", "alex", "safe", "adele", "megan"]
    users = [NAME["unknown"], NAME["newstate"], *ids(*asked[2:])]
    ended = run("risky_user", state=state, users=users, exclude_users=["MEGAN.bowen@contoso.example"], check=check)
    assert ended.failed and ended.changed
    assert ended.result["error"] == dict.fromkeys(ended.result["error"], None) | {"kind": "users"}
    unknown = ["failed unknown_user", "failed unknown_state"]
    alex, safe = "changed" if check else "failed rejected", "changed" if state == "compromised" else "unchanged"
    assert ended.outcomes == [*unknown, "skipped deleted", alex, safe, "changed", "skipped excluded"]
    assert [entry["id"] for entry in ended.entries] == [None, *ids(*asked[1:])]
    for name, entry in zip(asked, ended.entries):
        assert entry.get("message") or entry["outcome"] != "failed"
        if entry["outcome"] in ("failed", "skipped"):
            assert entry["before"] == BEFORE[name]
            assert entry["after"]["risk_state"] == BEFORE[name]["risk_state"]
    failed = [NAME[name] for name in ("unknown", "newstate", *(() if check else ("alex",)))]
    assert f"{len(failed)} of 7 users failed" in ended.msg
    assert sorted(name for name in NAME.values() if name in ended.msg) == sorted(failed)
    assert "unknown_user" in ended.msg
    deleted = [warning for warning in ended.warnings if "deleted" in warning]
    assert len(deleted) == 1 and "Deleted, so skipped: 1 of 7 users (reason deleted)." in deleted[0]
    messages = {name: str(entry.get("message")) for name, entry in zip(asked, ended.entries)}
    assert "cannot be changed" in messages["deleted"] and "'quarantined'" in messages["newstate"]
    written = [] if check else ids("safe", "adele") if state == "compromised" else ids("adele")
    assert sorted(ended.written) == sorted(written)


def test_returns_exceptions_only_when_asked(people: Tenant, run: Run) -> None:
    users = ids("newstate", "deleted", "dismissed", "megan")
    options = {"exclude_users": [ID["megan"].upper()], "return_users": "exceptions"}
    ended = run("risky_user", state="dismissed", users=users, **options)
    assert ended.failed and not ended.changed
    assert [entry["id"] for entry in ended.entries] == ids("newstate", "deleted", "megan")
    assert ended.outcomes == ["failed unknown_state", "skipped deleted", "skipped excluded"]
    assert ended.result["summary"] == {"changed": 0, "unchanged": 1, "skipped": 2, "failed": 1}


@pytest.mark.parametrize(("version", "base"), [("v1.0", "v1.0/identityProtection"), ("beta", "beta")])
def test_one_user_is_read_with_one_request(people: Tenant, run: Run, version: str, base: str) -> None:
    ended = run("risky_user", state="dismissed", user=ID["adele"], api_version=version)
    assert ended.graph == [f"GET /{base}/riskyUsers/{ID['adele']}", f"POST /{base}/riskyUsers/dismiss"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", ended.result["evaluated_at"])
    assert "diff" not in ended.result and ended.result["requests"]["waited_seconds"] == 0


def test_many_users_who_are_not_listed_are_one_warning(people: Tenant, run: Run) -> None:
    ended = run("risky_user", state="safe", users=[ID["unknown"], ID["unlisted"], ID["safe"]])
    assert not ended.failed
    assert ended.outcomes == ["unchanged not_listed", "unchanged not_listed", "unchanged"]
    assert len(ended.warnings) == 1 and "2 of 3 users" in ended.warnings[0]
