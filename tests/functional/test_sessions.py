"""Ending sign-in sessions: whose, since when, in how many requests, and what becomes of those whom Graph refuses."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import ID, NAME, ids
from .running import Ended, Options, Run

LONG_AGO = "2025-01-12T07:30:00Z"
PERMISSION = "User.RevokeSessions.All"


def valid_from(tenant: Tenant, key: str) -> str:
    return str((tenant.user(key).directory or {})["signInSessionsValidFromDateTime"])


def writes(ended: Ended) -> list[str]:
    return [request.rpartition("/")[2] for request in ended.graph if request.startswith("POST")]


def test_check_run_and_run_again(people: Tenant, run: Run) -> None:
    people.change_user(ID["megan"], sessions_valid_from="2026-01-30T22:41:07Z")

    def go(since: str = "2026-01-30T22:41:07Z", **how: t.Any) -> Ended:
        users = [NAME["adele"].upper(), ID["alex"].upper(), ID["adele"], NAME["megan"], NAME["safe"]]
        return run("user_sessions", users=users, exclude_users=[NAME["safe"]], revoked_since=since, diff=True, **how)

    looked, done = go(check=True), go()
    for ended in (looked, done):
        assert ended.outcomes == ["changed", "changed", "unchanged", "skipped excluded"] and ended.changed
        assert [entry["id"] for entry in ended.entries] == ids("adele", "alex", "megan", "safe")
        assert [entry["user_principal_name"] for entry in ended.entries][:2] == [NAME["adele"], NAME["alex"]]
        assert ended.result["summary"] == {"changed": 2, "unchanged": 1, "skipped": 1, "failed": 0}
        before = [LONG_AGO, LONG_AGO, "2026-01-30T22:41:07Z", LONG_AGO]
        assert [entry["before"]["sessions_valid_from"] for entry in ended.entries] == before
        assert ended.result["diff"]["before"] == {NAME["adele"]: LONG_AGO, NAME["alex"]: LONG_AGO}
        assert ended.result["diff"]["after"].keys() == ended.result["diff"]["before"].keys()
    assert looked.msg == "Would end the sessions of 2 users (1 unchanged, 1 skipped)."
    assert done.msg == "Ended the sessions of 2 users (1 unchanged, 1 skipped)."
    assert looked.graph == ["GET /v1.0/users", "GET /v1.0/users"]
    assert done.graph[2:] == [f"POST /v1.0/users/{key}/revokeSignInSessions" for key in ids("adele", "alex")]
    assert done.written == ids("adele", "alex") and len(done.result["requests"]["write_request_ids"]) == 2
    assert [entry["written"] for entry in done.entries] == [True, True, False, False]
    for entry in done.entries:
        assert entry["after"]["sessions_valid_from"] == valid_from(people, entry["id"])
    for since in ("2026-01-30T22:41:07Z", done.result["evaluated_at"]):
        again = go(since, check=True)
        assert again.outcomes[:2] == ["unchanged", "unchanged"]
    assert run("user_sessions", user=ID["adele"], revoked_since="30m").outcomes == ["unchanged"]
    assert run("user_sessions", user=ID["adele"]).outcomes == ["changed"]


@pytest.mark.parametrize("unreadable", [None, "soon"])
def test_ends_sessions_whose_time_is_unknown(people: Tenant, run: Run, unreadable: str | None) -> None:
    people.change_user(ID["adele"], sessions_valid_from=unreadable)
    ended = run("user_sessions", user=ID["adele"], revoked_since="8w")
    assert ended.outcomes == ["changed"] and ended.entries[0]["before"] == {"sessions_valid_from": unreadable}
    assert "cannot be read: 1 user" in str(ended.warnings)
    assert run("user_sessions", user=ID["alex"], revoked_since="8w").warnings == []


# What stops a task before its first write: the options, the kind, the words of the message.
STOPS: t.Sequence[tuple[Options, str, str]] = (
    ({"revoked_since": "2100-01-01T00:00:00Z"}, "request", "still to come"),
    ({"revoked_since": "yesterday"}, "request", "neither a time"),
    ({"revoked_since": "2026-01-30T22:41:07"}, "request", "neither a time"),
    ({"revoked_since": " "}, "request", "revoked_since: it is given, but null or blank"),
    ({"revoked_since": None}, "request", "revoked_since: it is given, but null or blank"),
    ({"exclude_users": None}, "request", "exclude_users: it is given, but null or blank"),
    ({"exclude_users": ["nobody@contoso.example"]}, "request", "nobody@contoso.example"),
    ({"exclude_groups": [" "]}, "request", "exclude_groups: it is given, but null or blank"),
    ({"exclude_groups": ["Break glass"]}, "request", "not an object ID"),
    ({"exclude_role_holders": None}, "request", "exclude_role_holders: it is given, but null or blank"),
    ({"max_changes": ""}, "request", "max_changes: it is given, but null or blank"),
    ({"max_changes": 0}, "limit", "max_changes is 0"),
    ({"max_changes": -1}, "request", "max_changes is -1"),
    ({"users": None}, "request", "users"),
    ({"users": ["adele, alex"]}, "request", "adele, alex"),
    ({"state": "ended"}, "request", "value of state must be one of"),
)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("options", "kind", "words"), STOPS, ids=[str(case[0]) for case in STOPS])
def test_stops_before_the_first_write(
    people: Tenant, run: Run, options: Options, kind: str, words: str, check: bool
) -> None:
    ended = run("user_sessions", **{"users": ids("adele"), **options}, check=check)
    assert (ended.kind, ended.changed, ended.written) == (kind, False, [])
    assert words in ended.msg and valid_from(people, ID["adele"]) == LONG_AGO


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_counts_by_the_clock_of_the_service(people: Tenant, run: Run, skew: int) -> None:
    people.switches.date_skew = skew
    first = run("user_sessions", users=ids("adele", "alex"), revoked_since="1h")
    assert first.outcomes == ["changed", "changed"]
    for since in ("1h", first.result["evaluated_at"]):
        assert run("user_sessions", users=ids("adele"), revoked_since=since).changed is False


def test_asks_nothing_for_nobody(tenant: Tenant, run: Run) -> None:
    ended = run("user_sessions", users=[])
    assert (ended.changed, ended.graph, ended.msg) == (False, [], "Nothing to change.")


def test_fails_without_the_permission_to_tell_users_apart(people: Tenant, run: Run) -> None:
    ended = run("user_sessions", users=ids("adele"), access_token=people.mint_token(roles=[PERMISSION]))
    assert (ended.kind, ended.written, ended.entries) == ("permission", [], []) and "User.Read.All" in ended.msg


@pytest.mark.parametrize(("count", "tried"), [(1, 1), (20, 20), (130, 20)])
def test_fails_without_the_permission_to_write(tenant: Tenant, run: Run, count: int, tried: int) -> None:
    token = tenant.mint_token(roles=["User.Read.All"])
    ended = run("user_sessions", users=tenant.add_users(count), access_token=token)
    assert (ended.kind, ended.result["error"]["status"], ended.changed) == ("permission", 403, False)
    assert PERMISSION in ended.msg and f"({tried})" in ended.msg
    assert ended.outcomes == ["failed rejected"] * tried + ["failed"] * (count - tried)
    assert len(writes(ended)) == (1 if count > 20 else count)


@pytest.mark.parametrize("count", [5, 45])
def test_does_what_can_be_done_and_explains_the_rest(tenant: Tenant, run: Run, count: int) -> None:
    users = tenant.add_users(count)
    tenant.switches.reject_ids = users[1:3]
    tenant.add_fault(path=f"{users[3]}/revoke", status=404, **({"body": {}} if count > 20 else {}))
    # From a token of a person nobody can tell whether the permission is there.
    token = tenant.mint_token(scp=f"User.Read.All {PERMISSION}")
    ended = run("user_sessions", users=[*users, ID["unknown"]], return_users="exceptions", access_token=token)
    assert (ended.kind, ended.changed) == ("users", True)
    assert ended.outcomes == ["failed rejected"] * 3 + ["failed unknown_user"]
    assert ended.result["summary"] == {"changed": count - 3, "unchanged": 0, "skipped": 0, "failed": 4}
    refused, dummy, gone, unknown = (entry["message"] for entry in ended.entries)
    assert all(word in refused for word in (PERMISSION, "administrator", "guest", "Insufficient privileges"))
    assert "404" in gone and "no such user" in unknown
    assert sorted(ended.written) == sorted([users[0], *users[4:]])


@pytest.mark.parametrize("count", [1, 21])
@pytest.mark.parametrize(
    ("user_type", "token", "kind"),
    [
        ("Member", {"roles": ["User.Read.All", PERMISSION]}, "users"),
        # The signed-in user may lack a role, whatever the token says.
        ("Member", {"scp": f"User.Read.All {PERMISSION}"}, "permission"),
        ("Guest", {"scp": f"User.Read.All {PERMISSION}"}, "users"),
    ],
)
def test_does_not_take_refused_users_for_a_missing_permission(
    tenant: Tenant, run: Run, count: int, user_type: str, token: Options, kind: str
) -> None:
    refused = tenant.add_users(count, user_type=user_type)
    tenant.switches.reject_ids = refused
    ended = run("user_sessions", users=refused, access_token=tenant.mint_token(**token))
    assert ended.kind == kind and ended.outcomes[:20] == ["failed rejected"] * min(count, 20)
    assert (len(ended.outcomes) == ended.outcomes.count("failed rejected")) is (kind == "users" or count == 1)


def test_130_users_take_nine_reads_and_seven_writes(tenant: Tenant, run: Run) -> None:
    users = tenant.add_users(130)
    names = [tenant.user(key).directory["userPrincipalName"] for key in users]  # type: ignore[index]
    ended = run("user_sessions", users=[*names[:75], *users[75:]], exclude_users=[names[-1]], api_version="beta")
    assert ended.result["summary"] == {"changed": 129, "unchanged": 0, "skipped": 1, "failed": 0}
    assert ended.graph == ["GET /beta/users"] * 9 + ["POST /beta/$batch"] * 7
    assert sorted(ended.written) == sorted(users[:-1])
    requests = ended.result["requests"]
    assert (requests["sent"], requests["waited_seconds"], len(requests["write_request_ids"])) == (16, 0, 7)


# What is wrong with one part of two batches at first: the faults of that part, and how often it is sent in all.
PARTS: t.Mapping[str, tuple[list[Options], int]] = {
    "too many requests": ([{"status": 429, "headers": {"Retry-After": "7"}}], 2),
    "too many requests for long": ([{"status": 429, "times": 9}], 10),
    "too many and away": ([{"status": 429, "times": 1}, {"status": 503, "times": 1}], 3),
    "missing": ([{"drop": "before"}], 2),
    "lost": ([{"drop": "after"}], 1),
    "an error that carried it out": ([{"status": 500, "effect": True}], 1),
    "an error": ([{"status": 500}], 2),
}


@pytest.mark.parametrize(("faults", "sent"), PARTS.values(), ids=PARTS)
def test_sends_only_that_part_again(tenant: Tenant, run: Run, faults: list[Options], sent: int) -> None:
    users = tenant.add_users(40)
    for fault in faults:
        tenant.add_fault(**{"path": f"{users[7]}/revoke", "times": 1, **fault})
    ended = run("user_sessions", users=users)
    assert set(ended.outcomes) == {"changed"} and all(entry["written"] for entry in ended.entries)
    urls = [part["url"] for entry in ended.journal if "batch" in entry["path"] for part in entry["body"]["requests"]]
    assert sum(users[7] in url for url in urls) == sent and len(urls) == 39 + sent
    assert ended.written.count(users[7]) == 1
    throttled = sum(fault.get("times", 1) for fault in faults if fault.get("status") == 429)
    assert ended.result["requests"]["throttled"] == throttled
    if "headers" in faults[0]:
        assert ended.result["requests"]["waited_seconds"] >= 7


def test_gives_up_a_part_at_the_deadline(tenant: Tenant, run: Run) -> None:
    users = tenant.add_users(41)
    tenant.add_fault(path=f"{users[7]}/revoke", status=429)
    ended = run("user_sessions", users=users, retry_timeout=60)
    assert (ended.kind, ended.result["summary"]["changed"], len(ended.written)) == ("throttled", 19, 19)
    assert users[7] not in ended.written and ended.outcomes[7] == "failed"
    assert "The directory has a limit" in ended.msg


@pytest.mark.parametrize("count", [3, 41])
def test_one_user_without_a_clear_answer_stops_nobody_else(tenant: Tenant, run: Run, count: int) -> None:
    users = tenant.add_users(count)
    tenant.add_fault(path=f"{users[0]}/revoke", status=500)
    ended = run("user_sessions", users=users)
    assert (ended.kind, ended.written) == ("users", users[1:])
    assert ended.outcomes == ["failed pending", *["changed"] * (count - 1)]


# What is wrong with a whole request, one of singles or one batch, and how often it is sent.
REQUESTS: t.Mapping[str, tuple[Options, int]] = {
    "lost": ({"drop": "after"}, 1),
    "not arrived": ({"drop": "before"}, 2),
    "no JSON": ({"effect": True, "status": 200, "body": "<html>"}, 1),
    "an error of a gateway": ({"gateway": True, "status": 502}, 2),
    "too many requests": ({"status": 429}, 2),
}


@pytest.mark.parametrize("count", [2, 21])
@pytest.mark.parametrize(("fault", "sent"), REQUESTS.values(), ids=REQUESTS)
def test_reads_back_what_was_lost(tenant: Tenant, run: Run, count: int, fault: Options, sent: int) -> None:
    users = tenant.add_users(count)
    tenant.add_fault(method="POST", times=1, **fault)
    ended = run("user_sessions", users=users)
    assert set(ended.outcomes) == {"changed"} and ended.written == users
    assert len(writes(ended)) == 1 + sent
    assert ended.result["requests"]["retried"] == sent - 1


@pytest.mark.parametrize(("before", "now"), [(LONG_AGO, "2025-06-01T00:00:00Z"), *[("2100-01-01T00:00:00Z",) * 2]])
def test_only_a_time_that_moved_since_the_write_proves_it(people: Tenant, run: Run, before: str, now: str) -> None:
    people.change_user(ID["adele"], sessions_valid_from=before)
    change = {ID["adele"]: {"sessions_valid_from": now}}
    people.add_fault(method="POST", times=1, drop="before", change=change)
    ended = run("user_sessions", user=ID["adele"])
    assert ended.outcomes == ["changed"] and len(writes(ended)) == 2 and ended.written == ids("adele")


def test_an_answer_that_holds_no_parts_is_an_unknown_end(tenant: Tenant, run: Run) -> None:
    users = tenant.add_users(21)
    parts = [{"id": "1", "status": 200}, {"id": "1", "status": 200}, {"id": "2", "status": "200"}, 3]
    for body in ({"responses": parts}, {}):
        tenant.add_fault(method="POST", path="batch", times=1, status=200, body=body)
    ended = run("user_sessions", users=users)
    assert set(ended.outcomes) == {"changed"} and ended.written == users
    assert len(writes(ended)) == 4


@pytest.mark.parametrize("count", [1, 21])
@pytest.mark.parametrize("may_look", [True, False])
def test_says_what_is_not_known(tenant: Tenant, run: Run, count: int, may_look: bool) -> None:
    users = tenant.add_users(count)
    tenant.add_fault(method="POST", drop="before")
    if not may_look:
        tenant.add_fault(method="GET", nth=1 + -(-count // 15), status=403)
    ended = run("user_sessions", users=users, **({"retry_timeout": 4} if may_look else {}))
    assert (ended.kind, ended.changed) == ("network", False)
    tried = min(count, 20)
    assert ended.outcomes == ["failed pending"] * tried + ["failed"] * (count - tried)
    assert ended.entries[0]["after"] == {"sessions_valid_from": None}


def test_what_concerns_everybody_stops_the_task_after_the_batch(tenant: Tenant, run: Run) -> None:
    users = tenant.add_users(41)
    tenant.add_fault(path=f"{users[0]}/revoke", status=403, message="Your tenant is not licensed for this feature.")
    ended = run("user_sessions", users=users)
    assert (ended.kind, ended.written) == ("license", users[1:20])
    assert ended.result["summary"] == {"changed": 19, "unchanged": 0, "skipped": 0, "failed": 22}


@pytest.mark.parametrize("count", [3, 45])
def test_logs_in_anew_for_parts_that_are_refused(tenant: Tenant, run: Run, count: int) -> None:
    users, app = tenant.add_users(count), tenant.add_app(roles=["User.Read.All", PERMISSION])
    tenant.add_fault(path=f"{users[1]}/revoke", times=1, status=401)
    login = {"access_token": None, "tenant": tenant.id, "client_id": app.client_id, "secret": app.secret}
    assert run("user_sessions", users=users, **login).written.count(users[1]) == 1
    tenant.add_fault(path=f"{users[1]}/revoke", status=401)
    for connection in ({}, login):
        ended = run("user_sessions", users=users, **connection)
        assert ended.kind == "login" and ended.changed
        assert ended.outcomes[:3] == ["changed", "failed", "failed" if count == 3 else "changed"]
        assert ended.result["summary"]["changed"] == len(ended.written) < count
