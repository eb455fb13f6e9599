"""The engine and everything below it, against a tenant in memory."""

from __future__ import annotations

import json
import math
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import CredentialsError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.client import GraphClient
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.throttle import Pacer
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import change as _engine
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    KINDS,
    LOST,
    LOST_AFTER,
    NOTHING,
    PEOPLE,
    RISKY,
    WORKLOADS,
    LocalGraph,
    entries,
    upn,
    user_id,
)

KEYS = {"changed", "state", "summary", "verified", "evaluated_at", "requests"}


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> LocalGraph:
    """A tenant whose users are at risk, or what else a test is parametrized for."""
    return LocalGraph(kind=getattr(request, "param", PEOPLE))


both_kinds = pytest.mark.parametrize("tenant", KINDS, indirect=True, ids=[kind.key for kind in KINDS])
every_state = pytest.mark.parametrize(
    ("tenant", "state"),
    [
        (PEOPLE, "dismissed"),
        (PEOPLE, "safe"),
        (PEOPLE, "compromised"),
        (WORKLOADS, "dismissed"),
        (WORKLOADS, "compromised"),
    ],
    indirect=["tenant"],
)


def outcomes(report: ModuleResult) -> list[tuple[str, str | None]]:
    return [(entry["outcome"], entry["reason"]) for entry in entries(report)]


def kind(report: ModuleResult) -> str | None:
    return report.error.kind if report.error else None


def active(tenant: LocalGraph, count: int, **more: t.Any) -> list[str]:
    return [tenant.add(number, **more) for number in range(count)]


def check(report: ModuleResult) -> ModuleResult:
    """What holds for every report."""
    assert set(report.data) - {"diff", "users", "service_principals"} == KEYS
    assert set(report.data["summary"]) == {"changed", "unchanged", "skipped", "failed"}
    assert json.loads(json.dumps(report.data)) == report.data
    if report.data["summary"]["failed"]:
        assert report.error is not None
    return report


# One user, each way


@pytest.mark.parametrize(
    ("state", "action", "after"),
    [
        ("dismissed", "dismiss", {"risk_state": "dismissed", "risk_level": "none"}),
        ("compromised", "confirmCompromised", {"risk_state": "confirmedCompromised", "risk_level": "high"}),
        ("safe", "confirmSafe", {"risk_state": "confirmedSafe", "risk_level": "none"}),
    ],
)
def test_one_user(tenant: LocalGraph, state: str, action: str, after: dict[str, str]) -> None:
    key = tenant.add(1)
    report = check(tenant.run(state=state, users=[key.upper()], diff=True))
    assert report.error is None and report.warnings == ()
    assert report.data == {
        "changed": True,
        "state": state,
        "users": [
            {
                "id": key,
                "user_principal_name": upn(1),
                "outcome": "changed",
                "reason": None,
                "before": {
                    "risk_state": "atRisk",
                    "risk_level": "medium",
                    "risk_last_updated": "2026-11-01T10:00:00.1234567Z",
                },
                "after": after,
            }
        ],
        "summary": {"changed": 1, "unchanged": 0, "skipped": 0, "failed": 0},
        "verified": False,
        "evaluated_at": "2026-11-22T12:00:00Z",
        "requests": {
            "sent": 2,
            "retried": 0,
            "throttled": 0,
            "waited_seconds": 0.0,
            "write_request_ids": [tenant.request_id(2)],
        },
        "diff": {
            "before": {upn(1): "atRisk (medium)"},
            "after": {upn(1): f"{after['risk_state']} ({after['risk_level']})"},
        },
    }
    assert tenant.log[1] == ("POST", f"{RISKY}/{action}", {"userIds": [key]})
    again = check(tenant.run(state=state, users=[key]))
    assert (again.data["changed"], outcomes(again)) == (False, [("unchanged", None)])
    assert again.data["requests"]["sent"] == 1


@pytest.mark.parametrize("state", ["dismissed", "compromised", "safe"])
def test_check_mode_says_the_same_and_writes_nothing(tenant: LocalGraph, state: str) -> None:
    tenant.add(1)
    tenant.add(2, "dismissed")
    users = [upn(1), upn(2), user_id(3)]
    tenant.add_unlisted(3)
    planned = check(tenant.run(state=state, users=users, check_mode=True, diff=True, wait=True))
    assert tenant.writes == 0
    done = check(tenant.run(state=state, users=users, diff=True))
    assert tenant.writes == 1
    for key in ("changed", "state", "users", "summary", "verified", "diff"):
        assert planned.data[key] == done.data[key], key
    assert planned.message.startswith("Would ")


@both_kinds
def test_nothing_to_do_with_nobody(tenant: LocalGraph) -> None:
    report = check(tenant.run(users=[], exclude_users=[user_id(1)], wait=True, max_changes=0))
    assert report.error is None
    assert report.data["changed"] is False
    assert report.data["evaluated_at"] is None
    assert tenant.log == []


# How many requests


@both_kinds
def test_60_active_users_are_one_read_and_one_write(tenant: LocalGraph) -> None:
    ids = active(tenant, 60)
    report = check(tenant.run(users=ids))
    assert report.data["summary"]["changed"] == 60
    assert (tenant.reads, tenant.writes, len(tenant.log)) == (1, 1, 2)


def test_60_active_users_by_name_cost_the_same(tenant: LocalGraph) -> None:
    active(tenant, 60)
    check(tenant.run(users=[upn(number) for number in range(60)]))
    assert (tenant.reads, tenant.writes, len(tenant.log)) == (1, 1, 2)


@both_kinds
def test_61_users_are_two_writes(tenant: LocalGraph) -> None:
    check(tenant.run(users=active(tenant, 61)))
    assert [len(body) for body in tenant.bodies] == [60, 1]


@both_kinds
@pytest.mark.parametrize("asked", [1, 2, 7, 15, 16, 31, 100, 230])
@pytest.mark.parametrize("page_size", [5, 40, 500])
def test_reading_costs_at_most_twice_the_better_way(tenant: LocalGraph, asked: int, page_size: int) -> None:
    tenant.switches.page_size = page_size
    ids = active(tenant, 230)
    # The last ones of the list are the dearest to find by reading it.
    report = check(tenant.run(users=ids[-asked:], check_mode=True))
    assert report.data["summary"]["changed"] == asked
    assert tenant.reads <= 2 * min(asked, math.ceil(230 / page_size)) + 1


# Services that ignore or refuse filters

MOODS: dict[str, t.Callable[[str], str]] = {
    "all honoured": lambda dummy: "honour",
    "all ignored": lambda dummy: "ignore",
    "all refused": lambda dummy: "refuse",
    "only states": lambda text: "honour" if set(text.split()[0::4]) == {"riskState"} else "refuse",
    "only states, rest ignored": lambda text: "honour" if set(text.split()[0::4]) == {"riskState"} else "ignore",
    "names refused": lambda text: "refuse" if "userPrincipalName" in text else "honour",
    "ids ignored": lambda text: "ignore" if text.startswith("id ") else "honour",
}


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("page_size", [3, 500])
@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("forbidden", [False, True])
@pytest.mark.parametrize("asked", [1, 4, 40])
def test_filters_of_the_service_change_nothing(
    tenant: LocalGraph, mood: str, page_size: int, by_name: bool, forbidden: bool, asked: int
) -> None:
    tenant.filters = MOODS[mood]
    tenant.switches.page_size = page_size
    tenant.directory_forbidden = forbidden
    states = ["atRisk", "dismissed", "confirmedCompromised", "remediated", "confirmedSafe", "none"]
    for number in range(60):
        tenant.add(number, states[number % 6])
    wanted = range(59, 59 - asked, -1)
    users = [upn(number) if by_name else user_id(number) for number in wanted]
    report = check(tenant.run(users=users))
    assert report.error is None
    for number, user in zip(wanted, entries(report)):
        expected = "changed" if number % 6 in (0, 2) else "unchanged"
        assert (user["id"], user["outcome"], user["reason"]) == (user_id(number), expected, None)
    assert sorted(tenant.written) == sorted(user_id(number) for number in wanted if number % 6 in (0, 2))


@both_kinds
@pytest.mark.parametrize("mood", MOODS)
def test_a_filter_never_widens_the_selection(tenant: LocalGraph, mood: str) -> None:
    tenant.filters = MOODS[mood]
    tenant.switches.page_size = 4
    tenant.add(3, level="low")
    tenant.add(1, level="low")
    tenant.add(2, level="high")
    tenant.add(4, "confirmedCompromised", level="low")
    tenant.add(5, "dismissed", level="low")
    tenant.add(6, level=None)
    tenant.add(7, level="low", riskLastUpdatedDateTime="2026-11-22T11:59:59.9999999Z")
    tenant.add(8, level="low", riskLastUpdatedDateTime=None)
    tenant.add(9, level="low", **{tenant.kind.name_property: None})
    report = check(tenant.run(filters={"risk_level": ["low"], "updated_before": "1d"}, max_changes=3))
    assert [user["id"] for user in entries(report)] == [user_id(1), user_id(3), user_id(9)]
    assert sorted(tenant.written) == [user_id(1), user_id(3), user_id(9)]
    assert report.warnings == ()


def test_empty_filters_mean_users_at_risk(tenant: LocalGraph) -> None:
    tenant.add(1)
    tenant.add(2, "confirmedCompromised")
    report = check(tenant.run(filters={}, max_changes=1))
    assert tenant.written == [user_id(1)]
    assert report.data["summary"] == {"changed": 1, "unchanged": 0, "skipped": 0, "failed": 0}


@both_kinds
def test_filters_may_choose_users_who_are_there_already(tenant: LocalGraph) -> None:
    tenant.add(1, "dismissed")
    report = check(tenant.run(filters={"risk_state": ["dismissed", "atRisk"]}, max_changes=0))
    assert outcomes(report) == [("unchanged", None)]
    assert report.data["changed"] is False


@both_kinds
@pytest.mark.parametrize(("status", "reads"), [(400, 3), (404, 1), (405, 1)])
def test_a_list_that_is_refused_without_any_filter_is_an_error(tenant: LocalGraph, status: int, reads: int) -> None:
    tenant.add(1)
    tenant.every = {tenant.kind.path: status}
    report = check(tenant.run(filters={"risk_level": ["low"]}, max_changes=9))
    assert kind(report) == "request"
    assert tenant.reads == reads
    assert report.data["evaluated_at"] is None


@both_kinds
def test_a_list_that_breaks_off_is_told(tenant: LocalGraph) -> None:
    tenant.switches.page_size = 2
    active(tenant, 4)
    tenant.faults = {2: 400}
    report = check(tenant.run(filters={}, max_changes=9))
    assert report.data["summary"]["changed"] == 2
    assert len(report.warnings) == 1 and "broke off" in report.warnings[0]


# Names


def test_ids_and_names_of_the_same_user_are_one(tenant: LocalGraph) -> None:
    tenant.add(1)
    report = check(tenant.run(users=[upn(1).upper(), user_id(1), upn(1)]))
    assert [user["user_principal_name"] for user in entries(report)] == [upn(1)]
    assert tenant.bodies == [[user_id(1)]]


def test_the_order_is_that_of_the_task(tenant: LocalGraph) -> None:
    active(tenant, 6)
    report = check(tenant.run(users=[upn(5), user_id(2), upn(0), user_id(4)]))
    assert [user["id"] for user in entries(report)] == [user_id(number) for number in (5, 2, 0, 4)]


@pytest.mark.parametrize(
    ("state", "forbidden", "expected"),
    [
        ("dismissed", False, ("unchanged", "not_listed")),
        ("compromised", False, ("changed", None)),
        ("dismissed", True, ("unchanged", "not_listed")),
        ("safe", True, ("unchanged", "not_listed")),
        ("compromised", True, ("failed", "unknown_user")),
    ],
)
def test_a_name_that_is_not_listed(
    tenant: LocalGraph, state: str, forbidden: bool, expected: tuple[str, t.Any]
) -> None:
    tenant.add_unlisted(1)
    tenant.directory_forbidden = forbidden
    report = check(tenant.run(state=state, users=[upn(1)]))
    assert outcomes(report) == [expected]
    user = entries(report)[0]
    assert user["id"] == (None if forbidden else user_id(1))
    if forbidden:
        assert "User.Read.All" in user["message"]
    if state == "compromised" and not forbidden:
        assert tenant.written == [user_id(1)]
        assert user["before"] == {"risk_state": None, "risk_level": None, "risk_last_updated": None}


def test_upper_and_lower_case_of_a_name_do_not_matter_even_if_the_service_minds_them(tenant: LocalGraph) -> None:
    tenant.add(1)
    tenant.directory_forbidden = True
    report = check(tenant.run(users=[upn(1).upper()]))
    assert outcomes(report) == [("changed", None)]
    assert tenant.written == [user_id(1)]


@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
def test_a_name_that_nobody_has(tenant: LocalGraph, state: str) -> None:
    tenant.add(1)
    report = check(tenant.run(state=state, users=["typo@contoso.example", upn(1)]))
    assert outcomes(report) == [("failed", "unknown_user"), ("changed", None)]
    assert kind(report) == "users"
    assert "1 of 2 users failed: typo@contoso.example (unknown_user:" in report.message
    assert tenant.written == [user_id(1)]


def test_a_renamed_user_is_found_under_the_new_name(tenant: LocalGraph) -> None:
    key = tenant.add(1)
    tenant.rename(key, "married@contoso.example")
    report = check(tenant.run(users=["married@contoso.example"]))
    assert entries(report)[0]["before"]["risk_state"] == "atRisk"
    assert entries(report)[0]["user_principal_name"] == "married@contoso.example"
    assert tenant.written == [key]


def test_a_name_that_two_records_have_is_settled_by_the_directory(tenant: LocalGraph) -> None:
    active(tenant, 2, userPrincipalName="shared@contoso.example")
    tenant.forget(user_id(0))
    tenant.rename(user_id(1), "shared@contoso.example")
    report = check(tenant.run(users=["shared@contoso.example", *map(user_id, range(5, 9))], check_mode=True))
    assert entries(report)[0]["id"] == user_id(1)
    assert entries(report)[0]["outcome"] == "changed"


@pytest.mark.parametrize("forbidden", [False, True])
def test_a_name_that_two_records_have_is_not_guessed(tenant: LocalGraph, forbidden: bool) -> None:
    active(tenant, 2, userPrincipalName="shared@contoso.example")
    tenant.forget(user_id(0), user_id(1))
    tenant.directory_forbidden = forbidden
    report = check(tenant.run(users=["shared@contoso.example"], state="compromised"))
    assert outcomes(report) == [("failed", "unknown_user")]
    assert tenant.writes == 0


def test_a_deleted_user_s_name_may_have_gone_to_somebody_else(tenant: LocalGraph) -> None:
    tenant.add(1, userPrincipalName="name@contoso.example", isDeleted=True)
    tenant.add_unlisted(2, "name@contoso.example")
    report = check(tenant.run(users=["name@contoso.example"]))
    assert [user["id"] for user in entries(report)] == [user_id(2)]
    assert outcomes(report) == [("unchanged", "not_listed")]


@pytest.mark.parametrize("forbidden", [False, True])
@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("state", ["dismissed", "compromised"])
def test_a_deleted_user_is_skipped_with_a_warning(
    tenant: LocalGraph, forbidden: bool, by_name: bool, state: str
) -> None:
    tenant.add(1, isDeleted=True)
    tenant.directory_forbidden = forbidden
    report = check(tenant.run(state=state, users=[upn(1) if by_name else user_id(1)]))
    assert outcomes(report) == [("skipped", "deleted")]
    assert report.error is None
    assert len(report.warnings) == 1 and "eleted" in report.warnings[0]
    assert tenant.writes == 0


def test_deleted_users_that_a_filter_finds_are_skipped_quietly(tenant: LocalGraph) -> None:
    tenant.add(1, isDeleted=True)
    report = check(tenant.run(filters={}, max_changes=0))
    assert outcomes(report) == [("skipped", "deleted")]
    assert report.warnings == ()


@both_kinds
def test_unlisted_ids_are_counted_in_one_warning(tenant: LocalGraph) -> None:
    tenant.add(1)
    report = check(tenant.run(users=[user_id(1), user_id(2), user_id(3)]))
    assert outcomes(report) == [("changed", None), *[("unchanged", "not_listed")] * 2]
    assert len(report.warnings) == 1 and "2 of 3" in report.warnings[0]
    assert tenant.look_ups == 0


@both_kinds
def test_an_answer_without_the_asked_id_is_not_taken_for_not_listed(tenant: LocalGraph) -> None:
    tenant.faults = {1: (200, '{"riskState": "atRisk"}')}
    report = check(tenant.run(users=[user_id(1)]))
    assert kind(report) == "service"
    tenant.faults = {2: (200, json.dumps({"id": user_id(2), "riskState": "none"}))}
    assert kind(check(tenant.run(users=[user_id(1)]))) == "service"


# DirectoryStatus before a confirmation


@both_kinds
@pytest.mark.parametrize("by_ids_status", [200, 403, 400])
@pytest.mark.parametrize("count", [1, 3])
def test_who_does_not_exist_is_not_confirmed(tenant: LocalGraph, by_ids_status: int, count: int) -> None:
    if by_ids_status != 200:
        tenant.every = {"getByIds": by_ids_status}
    ids = [tenant.add_unlisted(number) for number in range(count)]
    ghosts = [user_id(number) for number in range(100, 100 + count)]
    report = check(tenant.run(state="compromised", users=ids + ghosts))
    assert outcomes(report) == [("changed", None)] * count + [("failed", tenant.kind.unknown)] * count
    assert tenant.kind.name(0) in entries(report)[0].values()
    assert tenant.written == ids
    assert tenant.look_ups == (1 if by_ids_status == 200 else 1 + 2 * count)


@both_kinds
def test_without_the_permission_to_look_they_are_confirmed_with_a_warning(tenant: LocalGraph) -> None:
    tenant.directory_forbidden = True
    for number in (1, 2, 3):
        tenant.add_unlisted(number)
    report = check(tenant.run(state="compromised", users=[user_id(1), user_id(2), user_id(3)]))
    assert outcomes(report) == [("changed", None)] * 3
    assert len(report.warnings) == 1 and tenant.kind.directory_permission in report.warnings[0]
    assert f"3 {tenant.kind.nouns}" in report.warnings[0]
    assert tenant.look_ups == 2


@both_kinds
def test_a_thousand_and_one_are_looked_up_in_two_requests(tenant: LocalGraph) -> None:
    ids = [tenant.add_unlisted(number) for number in range(1001)]
    report = check(tenant.run(state="compromised", users=ids, check_mode=True))
    assert report.data["summary"]["changed"] == 1001
    assert tenant.look_ups == 2


@both_kinds
@pytest.mark.parametrize("answer", [(404, "<html>Not Found</html>"), (405, "<html>"), (501, "<html>"), (501, "{}")])
def test_a_gateway_that_does_not_know_the_call_is_no_hindrance(tenant: LocalGraph, answer: tuple[int, str]) -> None:
    ids = [tenant.add_unlisted(1), tenant.add_unlisted(2)]
    tenant.every = {"getByIds": answer}
    report = check(tenant.run(state="compromised", users=[*ids, user_id(3)]))
    assert outcomes(report) == [("changed", None), ("changed", None), ("failed", tenant.kind.unknown)]


@both_kinds
def test_a_directory_that_fails_stops_a_confirmation_before_the_first_write(tenant: LocalGraph) -> None:
    tenant.add(1)
    tenant.every = {"getByIds": 500}
    report = check(tenant.run(state="compromised", users=[user_id(1), user_id(2), user_id(3)]))
    assert kind(report) == "service"
    assert tenant.writes == 0


# Users who are never written to


@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
@pytest.mark.parametrize("protected", [user_id(1), user_id(1).upper(), upn(1), upn(1).upper()])
@pytest.mark.parametrize("chosen", ["ids", "names", "filters"])
def test_excluded_users_are_skipped(tenant: LocalGraph, state: str, protected: str, chosen: str) -> None:
    active(tenant, 3)
    selection: dict[str, t.Any] = {
        "ids": {"users": list(map(user_id, range(3)))},
        "names": {"users": list(map(upn, range(3)))},
        "filters": {"filters": {}, "max_changes": 2},
    }[chosen]
    report = check(tenant.run(state=state, exclude_users=[protected], **selection))
    assert outcomes(report) == [("changed", None), ("skipped", "excluded"), ("changed", None)]
    assert report.error is None
    assert sorted(tenant.written) == [user_id(0), user_id(2)]
    assert tenant.look_ups == 0


@pytest.mark.parametrize("later_name", [None, "other@contoso.example"])
@pytest.mark.parametrize("selection", [{"users": [user_id(1), user_id(2)]}, {"filters": {}, "max_changes": 9}])
def test_whoever_was_seen_under_an_excluded_name_is_protected(
    tenant: LocalGraph, selection: dict[str, t.Any], later_name: str | None
) -> None:
    """A record that moves between pages is read twice, and the second copy may have lost the name."""
    active(tenant, 3)
    copies = [*tenant.records.values(), {**tenant.records[user_id(1)], "userPrincipalName": later_name}]
    tenant.every = {tenant.kind.path: (200, json.dumps({"value": copies}))}
    report = check(tenant.run(exclude_users=[upn(1)], **selection))
    assert ("skipped", "excluded") in outcomes(report)
    assert user_id(1) not in tenant.written
    assert user_id(2) in tenant.written


@pytest.mark.parametrize(
    ("newer", "told_as"),
    [
        ({"riskState": "dismissed"}, ("unchanged", None)),
        ({"isDeleted": True}, ("skipped", "deleted")),
        ({"riskState": "atRisk"}, ("failed", "modified_since")),
    ],
)
@pytest.mark.parametrize("newer_first", [True, False])
def test_of_two_copies_of_a_record_the_newer_one_counts(
    tenant: LocalGraph, newer: dict[str, t.Any], told_as: tuple[str, str | None], newer_first: bool
) -> None:
    (key,) = active(tenant, 1)
    copies = [{**tenant.records[key], "riskLastUpdatedDateTime": "2028-01-01T00:00:00Z", **newer}, tenant.records[key]]
    tenant.every = {tenant.kind.path: (200, json.dumps({"value": copies if newer_first else copies[::-1]}))}
    report = tenant.run(
        filters={"risk_state": ["atRisk", "dismissed"]}, max_changes=1, if_unmodified_since="2027-01-01T00:00Z"
    )
    assert outcomes(report) == [told_as]
    assert tenant.written == []


@pytest.mark.parametrize("chosen", ["id", "old name", "new name", "filters"])
@pytest.mark.parametrize("protected", ["old@contoso.example", "new@contoso.example"])
def test_a_renamed_user_stays_protected(tenant: LocalGraph, chosen: str, protected: str) -> None:
    key = tenant.add(1, userPrincipalName="old@contoso.example")
    tenant.rename(key, "new@contoso.example")
    tenant.add(2)
    selection: dict[str, t.Any] = {
        "id": {"users": [key, user_id(2)]},
        "old name": {"users": ["old@contoso.example", user_id(2)]},
        "new name": {"users": ["new@contoso.example", user_id(2)]},
        "filters": {"filters": {}, "max_changes": 9},
    }[chosen]
    report = check(tenant.run(exclude_users=[protected], **selection))
    assert sorted(outcomes(report)) == [("changed", None), ("skipped", "excluded")]
    assert tenant.written == [user_id(2)]


@pytest.mark.parametrize("state", ["dismissed", "compromised"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_protection_that_cannot_be_looked_up_stops_before_the_first_write(
    tenant: LocalGraph, state: str, check_mode: bool
) -> None:
    tenant.directory_forbidden = True
    tenant.add(1)
    report = check(
        tenant.run(state=state, users=[user_id(1)], exclude_users=["bg@contoso.example"], check_mode=check_mode)
    )
    assert kind(report) == "permission"
    assert "User.Read.All" in report.message and "bg@contoso.example" in report.message
    assert tenant.writes == 0
    assert report.data["changed"] is False


def test_a_protection_for_nobody_stops_before_the_first_write(tenant: LocalGraph) -> None:
    tenant.add(1)
    report = check(tenant.run(users=[user_id(1)], exclude_users=["bg@contoso.example", "bg2@contoso.example"]))
    assert kind(report) == "users"
    assert "bg@contoso.example, bg2@contoso.example" in report.message
    assert tenant.writes == 0


@pytest.mark.parametrize("forbidden", [False, True])
@pytest.mark.parametrize("deleted_record", [False, True])
def test_asking_for_the_protected_name_does_not_settle_who_it_is(
    tenant: LocalGraph, forbidden: bool, deleted_record: bool
) -> None:
    """The name is in `users` too, but nobody knows who has it: it may be the renamed user of another entry."""
    tenant.add(1, userPrincipalName="shown@contoso.example")
    if deleted_record:
        tenant.add(2, userPrincipalName="bg@contoso.example", isDeleted=True)
    tenant.directory_forbidden = forbidden
    report = check(
        tenant.run(users=[user_id(1), "bg@contoso.example", user_id(2)], exclude_users=["bg@contoso.example"])
    )
    assert kind(report) == ("permission" if forbidden else "users")
    assert tenant.writes == 0


def test_a_deleted_record_that_a_filter_finds_does_not_settle_a_protection(tenant: LocalGraph) -> None:
    key = tenant.add(1, userPrincipalName="shown@contoso.example")
    tenant.add(2, userPrincipalName="bg@contoso.example", isDeleted=True)
    tenant.rename(key, "bg@contoso.example")
    report = check(tenant.run(filters={}, max_changes=5, exclude_users=["bg@contoso.example"]))
    assert tenant.writes == 0
    assert (
        sorted(outcomes(report)) == [("skipped", "deleted"), ("skipped", "excluded")]
        or sorted(outcomes(report)) == [("skipped", "excluded")] * 2
    )


def test_nothing_to_change_needs_no_look_up(tenant: LocalGraph) -> None:
    tenant.directory_forbidden = True
    tenant.add(1, "dismissed")
    report = check(tenant.run(users=[user_id(1)], exclude_users=["bg@contoso.example"]))
    assert report.error is None
    assert tenant.look_ups == 0


def test_an_unlisted_user_is_protected_by_the_name_that_the_directory_knows(tenant: LocalGraph) -> None:
    tenant.add_unlisted(1, "bg@contoso.example")
    tenant.add_unlisted(2)
    report = check(
        tenant.run(state="compromised", users=[user_id(1), user_id(2)], exclude_users=["bg@contoso.example"])
    )
    assert outcomes(report) == [("skipped", "excluded"), ("changed", None)]
    assert tenant.written == [user_id(2)]


# Brakes


@both_kinds
@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("selection", [{"users": [user_id(0), user_id(1)]}, {"filters": {}}])
def test_the_brake(tenant: LocalGraph, check_mode: bool, selection: dict[str, t.Any]) -> None:
    active(tenant, 2)
    report = check(tenant.run(max_changes=1, check_mode=check_mode, diff=True, **selection))
    assert kind(report) == "limit"
    assert f"2 {tenant.kind.nouns} would change, but max_changes is 1: {tenant.kind.name(0)}, " in report.message
    assert report.data["changed"] is False
    assert report.data["diff"] == {"before": {}, "after": {}}
    assert tenant.writes == 0
    assert check(tenant.run(max_changes=2, check_mode=check_mode, **selection)).error is None


def test_what_changed_since_the_decision_is_left_alone(tenant: LocalGraph) -> None:
    tenant.add(1, riskLastUpdatedDateTime="2026-11-01T10:00:00.0000001Z")
    tenant.add(2)
    tenant.add(3, "dismissed", riskLastUpdatedDateTime="2026-11-20T10:00:00Z")
    tenant.records[user_id(2)]["riskLastUpdatedDateTime"] = "2026-11-01T10:00:00Z"
    report = check(tenant.run(users=[upn(1), upn(2), upn(3)], if_unmodified_since="2026-11-01T11:00:00+01:00"))
    assert outcomes(report) == [("failed", "modified_since"), ("changed", None), ("unchanged", None)]
    assert tenant.written == [user_id(2)]
    assert kind(report) == "users"


@both_kinds
def test_evaluated_at_covers_what_was_read_in_the_same_second(tenant: LocalGraph) -> None:
    tenant.add(1, riskLastUpdatedDateTime="2026-11-22T12:00:00.1234567Z")
    plan = check(tenant.run(users=[user_id(1)], check_mode=True))
    assert plan.data["evaluated_at"] == "2026-11-22T12:00:00.1234567Z"
    tenant.time.now += 3600
    done = check(tenant.run(users=[user_id(1)], if_unmodified_since=plan.data["evaluated_at"]))
    assert outcomes(done) == [("changed", None)]


@both_kinds
def test_evaluated_at_does_not_cover_what_changes_while_later_pages_are_read(tenant: LocalGraph) -> None:
    tenant.switches.page_size = 1
    active(tenant, 3)
    tenant.faults = {2: 429}
    report = check(tenant.run(filters={}, max_changes=9, check_mode=True))
    assert tenant.time.now > 1
    assert report.data["evaluated_at"] == "2026-11-22T12:00:00Z"


@pytest.mark.parametrize("state", ["unknownFutureValue", "somethingNew", None])
def test_a_state_that_nobody_knows_is_not_guessed_at(tenant: LocalGraph, state: str | None) -> None:
    tenant.add(1, state)
    tenant.add(2)
    report = check(tenant.run(users=[upn(1), upn(2)]))
    assert outcomes(report) == [("failed", "unknown_state"), ("changed", None)]
    assert entries(report)[0]["before"]["risk_state"] == state
    assert tenant.written == [user_id(2)]


# Arguments


@pytest.mark.parametrize(
    ("params", "expected", "words"),
    [
        ({"users": ["adele"]}, "users", "users: 'adele'"),
        ({"users": [], "exclude_users": ["root"]}, "users", "exclude_users: 'root'"),
        ({"users": [], "max_changes": -1}, "request", "max_changes"),
        ({"users": [], "wait_timeout": 0}, "request", "wait_timeout"),
        ({"users": [], "if_unmodified_since": "yesterday"}, "request", "if_unmodified_since: 'yesterday'"),
        ({"users": [], "if_unmodified_since": "2026-01-01T00:00:00"}, "request", "offset"),
        ({"filters": {"risk_state": []}, "max_changes": 1}, "request", "empty list"),
        ({"filters": {}}, "request", "max_changes"),
        ({"filters": {}, "users": [], "max_changes": 1}, "request", "both"),
        ({}, "request", "neither"),
    ],
)
def test_arguments_that_make_no_sense_fail_before_anything_is_sent(
    tenant: LocalGraph, params: dict[str, t.Any], expected: str, words: str
) -> None:
    def connect() -> GraphClient:
        raise AssertionError("nothing may be connected")

    full = {**NOTHING, "state": "safe", **params}
    report = check(_engine.run(full, RISKY_USERS, check_mode=False, diff=True, connect=connect))
    assert kind(report) == expected
    assert words in report.message
    assert report.data["requests"]["sent"] == 0


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_time_is_no_time(tenant: LocalGraph, value: str | None) -> None:
    tenant.add(1)
    assert check(tenant.run(users=[upn(1)], if_unmodified_since=value)).data["changed"] is True


def test_a_connection_that_cannot_be_set_up_gives_a_full_result() -> None:
    def connect() -> GraphClient:
        raise CredentialsError("No credential.")

    full = {**NOTHING, "state": "safe", "users": [user_id(1)]}
    report = check(_engine.run(full, RISKY_USERS, check_mode=True, diff=False, connect=connect))
    assert kind(report) == "credentials"


# Waiting


@pytest.mark.parametrize("vanish", [False, True])
@pytest.mark.parametrize("count", [1, 5, 70])
@every_state
def test_wait_until_it_shows(tenant: LocalGraph, vanish: bool, count: int, state: str) -> None:
    tenant.switches.effect_delay, tenant.switches.vanish_after_dismiss = 100, vanish
    ids = active(tenant, count)
    report = check(tenant.run(state=state, users=ids, wait=True))
    assert report.error is None
    assert report.data["verified"] is True
    assert 100 <= tenant.time.now <= 160
    gone = vanish and state != "compromised"
    expected = None if gone else tenant.records[ids[0]]["riskState"]
    assert {user["after"]["risk_state"] for user in entries(report)} == {expected}
    assert tenant.writes == math.ceil(count / 60)
    assert report.data["requests"]["waited_seconds"] == pytest.approx(tenant.time.now, abs=0.001)


def test_who_is_stuck_is_pending(tenant: LocalGraph) -> None:
    ids = active(tenant, 3)
    tenant.switches.stuck_ids = [ids[1]]
    report = check(tenant.run(users=ids, wait=True, wait_timeout=60, diff=True))
    assert outcomes(report) == [("changed", None), ("failed", "pending"), ("changed", None)]
    assert kind(report) == "users"
    assert report.data["changed"] is True
    assert entries(report)[1]["after"] == {"risk_state": "atRisk", "risk_level": "medium"}
    assert tenant.time.now == 60
    assert set(report.data["diff"]["before"]) == set(map(upn, range(3)))


@both_kinds
def test_waiting_outlasts_a_service_that_is_away_for_a_while(tenant: LocalGraph) -> None:
    ids = active(tenant, 2)
    tenant.switches.effect_delay = 20
    tenant.faults = dict(enumerate([LOST, 500, 429, 429, 503, (200, "<html>")], 3))
    report = check(tenant.run(users=ids, wait=True, wait_timeout=600))
    assert report.error is None
    assert report.data["verified"] is True


@both_kinds
@pytest.mark.parametrize("fault", [429, 500, LOST])
def test_nothing_is_verified_when_nothing_could_be_read_back(tenant: LocalGraph, fault: t.Any) -> None:
    ids = active(tenant, 2)
    tenant.faults = dict.fromkeys(range(3, 3000), fault)
    report = check(tenant.run(users=ids, wait=True, wait_timeout=60))
    assert outcomes(report) == [("failed", "pending")] * 2
    assert report.data["changed"] is True
    assert report.data["verified"] is False
    # A last look may begin just before the end, and wait for its turn where requests are paced.
    assert 60 <= tenant.time.now <= 60 + (1 + Pacer.SCATTER) * Pacer.LONGEST


def test_wait_with_nothing_to_write_is_verified_by_the_first_reading(tenant: LocalGraph) -> None:
    tenant.add(1, "dismissed")
    report = check(tenant.run(users=[upn(1)], wait=True))
    assert report.data["verified"] is True
    assert report.data["requests"]["sent"] == 1


def test_a_permission_that_goes_away_while_waiting_is_an_error_and_the_change_stays_told(tenant: LocalGraph) -> None:
    ids = active(tenant, 2)
    tenant.faults = dict.fromkeys(range(3, 30), 403)
    report = check(tenant.run(users=ids, wait=True))
    assert kind(report) == "permission"
    assert report.data["changed"] is True
    assert report.data["verified"] is False
    assert outcomes(report) == [("changed", None)] * 2


# Writes that go wrong


@pytest.mark.parametrize("fault", [LOST, LOST_AFTER, 408, 500, 502, 504, 507, 200, (200, "<html>"), (202, "{}")])
@every_state
@pytest.mark.parametrize("count", [1, 2, 60])
def test_a_write_without_a_clear_answer_is_read_back(tenant: LocalGraph, fault: t.Any, state: str, count: int) -> None:
    ids = active(tenant, count)
    tenant.faults = {2: fault}
    report = check(tenant.run(state=state, users=ids))
    assert report.error is None
    assert outcomes(report) == [("changed", None)] * count
    assert sorted(tenant.written) == ids
    assert report.data["requests"]["retried"] == (0 if fault == LOST_AFTER else 1)


def test_a_service_that_answers_200_to_every_write_ends_in_success_after_reading_back(tenant: LocalGraph) -> None:
    ids = active(tenant, 3)
    tenant.every = {"dismiss": {"status": 200, "body": "", "effect": True}}
    report = check(tenant.run(users=ids))
    assert report.error is None
    assert sorted(tenant.written) == ids


@both_kinds
def test_a_user_whom_graph_works_on_is_not_sent_again(tenant: LocalGraph) -> None:
    ids = active(tenant, 2)
    tenant.switches.effect_delay = 500
    tenant.faults = {2: LOST_AFTER}
    report = check(tenant.run(users=ids))
    assert outcomes(report) == [("changed", None)] * 2
    assert tenant.writes == 1


def test_who_shows_the_state_is_not_sent_again_although_graph_is_still_busy(tenant: LocalGraph) -> None:
    ids = active(tenant, 2)
    tenant.records[ids[0]]["isProcessing"] = True

    def arrive_and_stay_busy() -> None:
        tenant.records[ids[0]].update(riskState="dismissed", isProcessing=True)

    tenant.faults = {2: LOST}
    tenant.time.meanwhile = arrive_and_stay_busy
    report = check(tenant.run(users=ids))
    assert outcomes(report) == [("changed", None)] * 2
    assert tenant.bodies == [ids[1:]]


@pytest.mark.parametrize(
    ("news", "told_as"),
    [
        ({"isDeleted": True}, ("skipped", "deleted")),
        ({"riskState": "somethingNew"}, ("failed", "unknown_state")),
        ({"riskLastUpdatedDateTime": "2030-01-01T00:00:00Z"}, ("failed", "modified_since")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_the_brakes_hold_when_a_write_is_to_be_sent_again(
    tenant: LocalGraph, news: dict[str, t.Any], told_as: tuple[str, str]
) -> None:
    ids = active(tenant, 3)
    tenant.faults = {2: LOST}
    tenant.time.meanwhile = lambda: tenant.records[ids[1]].update(news)
    report = tenant.run(users=ids, if_unmodified_since="2029-01-01T00:00:00Z")
    assert outcomes(report) == [("changed", None), told_as, ("changed", None)]
    assert tenant.bodies == [[ids[0], ids[2]]]


@both_kinds
def test_a_write_that_never_gets_a_clear_answer_is_told_as_such(tenant: LocalGraph) -> None:
    ids = active(tenant, 2)
    tenant.every = {"dismiss": 500}
    report = check(tenant.run(users=ids))
    assert kind(report) == "service"
    assert outcomes(report) == [("failed", "pending")] * 2
    assert all("not known whether" in user["message"] for user in entries(report))
    assert tenant.written == []


def test_nobody_knows_when_the_reading_back_fails_as_well(tenant: LocalGraph) -> None:
    ids = active(tenant, 2)
    tenant.faults = {2: LOST_AFTER, **dict.fromkeys(range(3, 30), 403)}
    report = check(tenant.run(users=ids))
    assert kind(report) == "network"
    assert outcomes(report) == [("failed", "pending")] * 2
    assert all("not known whether" in user["message"] for user in entries(report))
    assert "not known whether anything was written to 2 users" in report.message
    assert "Nothing was written" not in report.message


@both_kinds
@pytest.mark.parametrize(
    ("fault", "expected"), [(401, "login"), (403, "permission"), (429, "throttled"), (405, "request")]
)
@pytest.mark.parametrize("return_users", ["all", "exceptions"])
def test_a_stop_in_the_middle_tells_what_was_done(
    tenant: LocalGraph, fault: int, expected: str, return_users: str
) -> None:
    ids = active(tenant, 150)
    tenant.faults = dict.fromkeys(range(3, 3000), fault)
    report = check(tenant.run(users=ids, return_users=return_users, retry_timeout=30, diff=True))
    assert kind(report) == expected
    assert report.data["changed"] is True
    assert report.data["summary"] == {"changed": 60, "unchanged": 0, "skipped": 0, "failed": 90}
    assert sorted(tenant.written) == ids[:60]
    failed = [user for user in entries(report) if user["outcome"] == "failed"]
    # Who was not reached shares one cause with thousands of others: the exceptions have a few, the count all.
    assert [user["id"] for user in failed] == (ids[60:] if return_users == "all" else ids[60:80])
    assert all("Not written" in user["message"] for user in failed)
    assert len(entries(report)) == (150 if return_users == "all" else 20)
    assert "(90 not written)" in report.message
    assert len(report.data["diff"]["before"]) == 60
    assert f"60 {tenant.kind.nouns}" in report.message
    assert len(report.data["requests"]["write_request_ids"]) == 1


def test_one_bad_id_among_130_costs_few_writes_and_stops_nobody(tenant: LocalGraph) -> None:
    for culprit in (0, 29, 30, 59, 60, 77, 119, 120, 129):
        tenant = LocalGraph()
        ids = active(tenant, 130)
        tenant.switches.reject_ids = [ids[culprit]]
        report = check(tenant.run(users=ids))
        assert kind(report) == "users"
        assert [user["reason"] for user in entries(report) if user["outcome"] == "failed"] == ["rejected"]
        assert entries(report)[culprit]["outcome"] == "failed"
        assert "The request is invalid" in entries(report)[culprit]["message"]
        assert sorted(tenant.written) == sorted(set(ids) - set(tenant.switches.reject_ids))
        assert len(set(tenant.written)) == len(tenant.written)
        assert tenant.writes <= 3 + 2 * math.log2(60), culprit


@both_kinds
@pytest.mark.parametrize("count", [1, 2, 3, 60])
def test_when_all_are_rejected_all_are_told(tenant: LocalGraph, count: int) -> None:
    ids = active(tenant, count)
    tenant.switches.reject_ids = ids
    report = check(tenant.run(users=ids))
    assert outcomes(report) == [("failed", "rejected")] * count
    assert report.data["changed"] is False
    assert f"{count} of" in report.message
    assert len(report.message) < 1500


@both_kinds
def test_when_two_chunks_are_refused_to_the_last_user_the_others_are_tried_in_whole_chunks(tenant: LocalGraph) -> None:
    ids = active(tenant, 300)
    tenant.switches.reject_ids = ids
    report = check(tenant.run(users=ids))
    assert kind(report) == "request"
    assert report.error is not None and report.error.status == 400
    assert f"each of 120 {tenant.kind.nouns} and every chunk of the others" in report.message
    assert [user["reason"] for user in entries(report)] == ["rejected"] * 120 + [None] * 180
    assert report.data["summary"]["failed"] == 300
    assert [len(body) for body in tenant.bodies[-3:]] == [60] * 3


@both_kinds
def test_two_chunks_of_refused_users_keep_nobody_else_back(tenant: LocalGraph) -> None:
    ids = active(tenant, 300)
    tenant.switches.reject_ids = [*ids[:125], ids[250]]
    report = check(tenant.run(users=ids))
    assert kind(report) == "users"
    assert [user["id"] for user in entries(report) if user["reason"] == "rejected"] == sorted(
        set(tenant.switches.reject_ids)
    )
    assert sorted(tenant.written) == sorted(set(ids) - set(tenant.switches.reject_ids))


@both_kinds
def test_one_accepted_user_keeps_the_work_going(tenant: LocalGraph) -> None:
    ids = active(tenant, 200)
    tenant.switches.reject_ids = ids[1:]
    report = check(tenant.run(users=ids))
    assert kind(report) == "users"
    assert tenant.written == ids[:1]


def test_a_bug_in_the_middle_does_not_hide_what_was_done(tenant: LocalGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = active(tenant, 61)
    send = tenant.send

    def crash(method: str, url: str, **rest: t.Any) -> t.Any:
        if tenant.writes == 1 and method == "POST":
            raise KeyError("no such thing")
        return send(method, url, **rest)

    monkeypatch.setattr(tenant, "send", crash)
    report = tenant.run(users=ids)
    assert kind(report) == "internal"
    assert "KeyError" in report.message and "bug" in report.message
    assert report.error is not None and "Traceback" in (report.error.trace or "")
    assert report.data["changed"] is True
    assert "60 users" in report.message
    assert len(report.data["requests"]["write_request_ids"]) == 1


# What comes back


@pytest.mark.parametrize("stop", [{"max_changes": 10}, {"exclude_users": ["nobody@contoso.example"]}])
def test_a_stopped_task_over_thousands_stays_small(tenant: LocalGraph, stop: dict[str, t.Any]) -> None:
    active(tenant, 6000)
    report = tenant.run(filters={}, return_users="exceptions", **{"max_changes": 6000, **stop})
    assert report.error is not None
    assert len(json.dumps(report.data)) < 20_000
    assert report.data["summary"]["failed"] == 6000
    assert "(6000 not written)" in report.message


def test_exceptions_only(tenant: LocalGraph) -> None:
    active(tenant, 3)
    tenant.add(3, "somethingNew")
    report = check(
        tenant.run(users=[upn(number) for number in range(4)], exclude_users=[upn(1)], return_users="exceptions")
    )
    assert outcomes(report) == [("skipped", "excluded"), ("failed", "unknown_state")]
    assert report.data["summary"] == {"changed": 2, "unchanged": 0, "skipped": 1, "failed": 1}


def test_never_more_exceptions_than_awx_takes(tenant: LocalGraph) -> None:
    ids = active(tenant, 1500)
    tenant.switches.stuck_ids = ids
    report = check(tenant.run(users=ids, return_users="exceptions", wait=True, wait_timeout=9))
    assert outcomes(report) == [("failed", "pending")] * 1000
    assert report.data["summary"]["failed"] == 1500
    assert "holds the first 1,000" in report.message
    assert len(json.dumps(report.data)) < 500_000


def test_users_of_one_name_stand_apart_in_the_diff(tenant: LocalGraph) -> None:
    ids = active(tenant, 3, userPrincipalName="shared@contoso.example")
    report = check(tenant.run(users=ids, diff=True))
    assert len(report.data["diff"]["before"]) == len(report.data["diff"]["after"]) == 3


def test_the_diff_shows_only_who_changes(tenant: LocalGraph) -> None:
    tenant.add(1, "dismissed")
    tenant.add(2, level=None)
    tenant.add_unlisted(3)
    report = check(tenant.run(state="compromised", users=[upn(1), upn(2), upn(3)], exclude_users=[upn(1)], diff=True))
    assert report.data["diff"] == {
        "before": {upn(2): "atRisk (None)", upn(3): "not listed"},
        "after": {upn(2): "confirmedCompromised (high)", upn(3): "confirmedCompromised (high)"},
    }


@both_kinds
@pytest.mark.parametrize(("count", "return_users", "most"), [(1000, "all", 500_000), (6000, "exceptions", 20_000)])
def test_the_sizes_that_a_job_event_may_have(tenant: LocalGraph, count: int, return_users: str, most: int) -> None:
    report = check(tenant.run(users=active(tenant, count), return_users=return_users))
    assert report.data["summary"]["changed"] == count
    assert len(report.data["requests"]["write_request_ids"]) == math.ceil(count / 60)
    assert len(json.dumps(report.data)) < most


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"users": [upn(0), upn(1)]}, "Dismissed the risk of 2 users."),
        ({"users": [upn(0), upn(2)]}, "Dismissed the risk of 1 user (1 unchanged)."),
        ({"users": [upn(0), upn(2)], "check_mode": True}, "Would dismiss the risk of 1 user (1 unchanged)."),
        ({"users": [upn(2)]}, "Nothing to change (1 unchanged)."),
        ({"users": [upn(0)], "exclude_users": [upn(0)]}, "Nothing to change (1 skipped)."),
        ({"users": []}, "Nothing to change."),
    ],
)
def test_the_message(tenant: LocalGraph, params: dict[str, t.Any], message: str) -> None:
    active(tenant, 2)
    tenant.add(2, "dismissed")
    assert check(tenant.run(**params)).message == message


def test_the_message_names_the_first_failures_and_counts_the_rest(tenant: LocalGraph) -> None:
    for number in range(5):
        tenant.add(number, "somethingNew")
    report = check(tenant.run(users=[upn(number) for number in range(5)]))
    assert report.message.startswith(f"5 of 5 users failed: {upn(0)} (unknown_state: ")
    assert upn(2) in report.message and upn(3) not in report.message
    assert "And 2 more" in report.message
