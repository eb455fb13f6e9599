"""Reading risky objects of both kinds, against a tenant in memory."""

from __future__ import annotations

import json
import math
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import CredentialsError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.client import GraphClient
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import read_risk as _info
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    KINDS,
    NOTHING_TO_READ,
    PEOPLE,
    WORKLOADS,
    Kind,
    LocalGraph,
    entries,
    upn,
    user_id,
)

KEYS = {"changed", "count", "truncated", "not_listed", "evaluated_at", "requests"}


@pytest.fixture(params=KINDS, ids=[kind.key for kind in KINDS])
def tenant(request: pytest.FixtureRequest) -> LocalGraph:
    return LocalGraph(kind=request.param)


@pytest.fixture
def people() -> LocalGraph:
    return LocalGraph()


def check(report: ModuleResult) -> ModuleResult:
    """What holds for every report."""
    assert report.data.keys() - {kind.key for kind in KINDS} == KEYS
    assert report.data["changed"] is False
    assert report.data["count"] == len(entries(report))
    assert report.data["requests"]["write_request_ids"] == []
    assert json.loads(json.dumps(report.data)) == report.data
    return report


def ids(report: ModuleResult) -> list[str]:
    return [entry["id"] for entry in entries(check(report))]


def kind(report: ModuleResult) -> str | None:
    return report.error.kind if report.error else None


# What comes back


EVERY_PROPERTY: dict[str, dict[str, t.Any]] = {
    "users": {
        "id": user_id(1),
        "user_principal_name": upn(1),
        "user_display_name": "A Person",
        "is_deleted": False,
    },
    "service_principals": {
        "id": user_id(1),
        "app_id": "4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77",
        "display_name": "app1",
        "service_principal_type": "Application",
        "is_enabled": True,
    },
}


@pytest.mark.parametrize("params", [{}, {"users": [user_id(1)]}, {"filters": {}}])
def test_every_property_comes_back(tenant: LocalGraph, params: dict[str, t.Any]) -> None:
    tenant.add(1)
    report = check(tenant.read(**params))
    assert report.error is None and report.warnings == ()
    assert entries(report) == [
        {
            **EVERY_PROPERTY[tenant.kind.key],
            "risk_state": "atRisk",
            "risk_level": "medium",
            "risk_detail": "none",
            "risk_last_updated_date_time": "2026-11-01T10:00:00.1234567Z",
            "is_processing": False,
        }
    ]
    assert report.data["evaluated_at"] == "2026-11-22T12:00:00Z"
    assert report.data["truncated"] is False
    assert report.message == f"Found 1 risky {tenant.kind.nouns[:-1]}."


@pytest.mark.parametrize("params", [{}, {"users": [user_id(1)]}])
def test_what_is_null_odd_or_new_passes_through(tenant: LocalGraph, params: dict[str, t.Any]) -> None:
    odd = {
        "riskLevel": None,
        "riskDetail": "microsoftRevokedSessions",
        "riskLastUpdatedDateTime": "2026-11-01T10:00:00.1200000+00:00",
        "isProcessing": "perhaps",
        tenant.kind.name_property: None,
    }
    tenant.add(1, **odd)
    (entry,) = entries(check(tenant.read(**params)))
    assert {key: entry[key] for key in ("risk_level", "risk_detail", "is_processing")} == {
        "risk_level": None,
        "risk_detail": "microsoftRevokedSessions",
        "is_processing": "perhaps",
    }
    assert entry["risk_last_updated_date_time"] == "2026-11-01T10:00:00.1200000+00:00"


@pytest.mark.parametrize("state", ["quarantined", None])
def test_an_unknown_state_is_shown_as_it_is(tenant: LocalGraph, state: str | None) -> None:
    tenant.add(1, state)
    assert [entry["risk_state"] for entry in entries(check(tenant.read(users=[user_id(1)])))] == [state]
    assert ids(tenant.read()) == []


def test_properties_that_nobody_knows_yet(tenant: LocalGraph) -> None:
    record = {"@odata.type": "#x", "id": user_id(1).upper(), "riskState": "atRisk", "newThing": {"innerThing": [1]}}
    tenant.faults = {1: (200, json.dumps({"value": [record, {"riskState": "atRisk"}, None]}))}
    (entry,) = entries(check(tenant.read()))
    assert entry["new_thing"] == {"inner_thing": [1]}
    assert entry["id"] == user_id(1).upper()
    # What Graph leaves out is null.
    assert entry["risk_level"] is None and "@odata.type" not in entry


@pytest.mark.parametrize("api_version", ["v1.0", "beta"])
def test_what_is_asked_for(tenant: LocalGraph, api_version: str) -> None:
    tenant.add(1)
    (entry,) = entries(check(tenant.read(api_version=api_version)))
    beta = api_version == "beta"
    assert tenant.log[0][1] == (tenant.kind.beta_path if beta else tenant.kind.path)
    # Everything that there is, also what is newer than this collection.
    assert "$select" not in tenant.log[0][2]
    assert ("account_enabled" in entry) is (beta and tenant.kind is WORKLOADS)
    assert tenant.log[0][2]["$top"] == "500"


# Who comes back


@pytest.mark.parametrize("params", [{}, {"filters": {}}, {"filters": {"risk_state": None}}])
def test_without_a_choice_everybody_active_comes_back_by_name(tenant: LocalGraph, params: dict[str, t.Any]) -> None:
    name = tenant.kind.name_property
    tenant.add(1, **{name: "b@contoso.example"})
    tenant.add(2, "confirmedCompromised", **{name: "A@contoso.example"})
    tenant.add(3, "atRisk", **{name: None})
    for number, state in enumerate(("dismissed", "remediated", "confirmedSafe", "none"), 10):
        tenant.add(number, state)
    assert ids(tenant.read(**params)) == [user_id(2), user_id(1), user_id(3)]


def test_named_ones_come_back_in_the_order_of_the_task(tenant: LocalGraph) -> None:
    for number in range(4):
        tenant.add(number, "dismissed")
    asked = [user_id(3), user_id(9).upper(), user_id(1).upper(), user_id(3).upper(), user_id(8)]
    report = tenant.read(users=asked)
    assert ids(report) == [user_id(3), user_id(1)]
    assert report.data["not_listed"] == [user_id(9).upper(), user_id(8)]
    assert report.message == f"Found 2 risky {tenant.kind.nouns}, and 2 without a risk record."


@pytest.mark.parametrize("forbidden", [False, True])
def test_names_without_a_record_are_spelled_as_in_the_task(people: LocalGraph, forbidden: bool) -> None:
    people.add(1)
    people.add_unlisted(2)
    people.directory_forbidden = forbidden
    report = people.read(users=[upn(2).upper(), "Ghost@contoso.example", upn(1).title(), f" {user_id(7)} "])
    assert ids(report) == [user_id(1)]
    assert report.data["not_listed"] == [upn(2).upper(), "Ghost@contoso.example", user_id(7)]
    assert report.error is None


def test_a_renamed_user_is_found_by_both_names_once(people: LocalGraph) -> None:
    key = people.add(1, userPrincipalName="old@contoso.example")
    people.rename(key, "new@contoso.example")
    report = people.read(users=["new@contoso.example", "old@contoso.example", key])
    assert ids(report) == [key]
    assert entries(report)[0]["user_principal_name"] == "old@contoso.example"
    assert report.data["not_listed"] == []


def test_several_users_of_one_name_come_back_all(people: LocalGraph) -> None:
    for number in (1, 2):
        people.add(number, userPrincipalName="shared@contoso.example")
    people.forget(user_id(1), user_id(2))
    report = people.read(users=["Shared@contoso.example", user_id(2)])
    assert sorted(ids(report)) == [user_id(1), user_id(2)]
    assert report.data["not_listed"] == []


def test_deleted_users_are_shown(people: LocalGraph) -> None:
    people.add(1, isDeleted=True)
    assert [user["is_deleted"] for user in entries(people.read(users=[upn(1)]))] == [True]
    assert ids(people.read()) == [user_id(1)]


def test_an_empty_list_needs_no_request(tenant: LocalGraph) -> None:
    tenant.add(1)
    report = check(tenant.read(users=[], include_history=True, limit=1))
    assert report.error is None
    assert (entries(report), report.data["not_listed"], report.data["evaluated_at"]) == ([], [], None)
    assert tenant.log == []


# How many requests


def test_listing_6000_takes_12_requests(tenant: LocalGraph) -> None:
    for number in range(6000):
        tenant.add(number)
    report = check(tenant.read())
    assert report.data["count"] == 6000
    assert report.data["requests"]["sent"] == len(tenant.log) == 12


@pytest.mark.parametrize("asked", [1, 2, 15, 16, 31, 230])
@pytest.mark.parametrize("page_size", [5, 40, 500])
def test_named_ones_cost_at_most_twice_the_better_way(tenant: LocalGraph, asked: int, page_size: int) -> None:
    tenant.switches.page_size = page_size
    everybody = [tenant.add(number) for number in range(230)]
    assert ids(tenant.read(users=everybody[-asked:])) == everybody[-asked:]
    assert tenant.reads <= 2 * min(asked, math.ceil(230 / page_size)) + 1


# Limits


@pytest.mark.parametrize(("limit", "reads"), [(1, 1), (2, 1), (3, 2), (5, 3), (6, 3)])
def test_a_limit_ends_the_reading(tenant: LocalGraph, limit: int, reads: int) -> None:
    tenant.switches.page_size = 2
    for number in range(6):
        tenant.add(number)
    report = check(tenant.read(limit=limit))
    assert report.data["count"] == limit
    assert report.data["truncated"] is (limit < 6)
    assert ("there may be more" in report.message) is (limit < 6)
    assert tenant.reads == reads


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_limit_for_named_ones(tenant: LocalGraph, limit: int) -> None:
    for number in range(2):
        tenant.add(number)
    report = tenant.read(users=[user_id(1), user_id(9), user_id(0)], limit=limit, include_history=True)
    assert ids(report) == [user_id(1), user_id(0)][:limit]
    assert report.data["truncated"] is (limit < 2)
    assert sum(path.endswith("/history") for dummy, path, dummy2 in tenant.log) == min(limit, 2)


# History


def test_the_history_is_newest_first_and_one_request_each(tenant: LocalGraph) -> None:
    times = ["2026-11-01T10:00:00.1234567Z", "2026-11-03T10:00:00Z", None, "2026-11-03T10:00:00.0000001Z"]
    for number in range(3):
        tenant.add(number)
        history: list[t.Any] = [
            {"id": f"{number}-{index}", "riskLastUpdatedDateTime": time, "activity": {"riskEventTypes": ["x"]}}
            for index, time in enumerate(times)
        ]
        shown = [*history, None, "junk"] if number < 2 else []
        tenant.every[f"{user_id(number)}/history"] = (200, json.dumps({"value": shown}))
    report = check(tenant.read(include_history=True))
    assert [item["id"] for item in entries(report)[1]["history"]] == ["1-3", "1-1", "1-0", "1-2"]
    assert [item["risk_last_updated_date_time"] for item in entries(report)[1]["history"]] == [
        "2026-11-03T10:00:00.0000001Z",
        "2026-11-03T10:00:00Z",
        "2026-11-01T10:00:00.1234567Z",
        None,
    ]
    assert entries(report)[0]["history"][0]["activity"] == {"risk_event_types": ["x"]}
    assert entries(report)[2]["history"] == []
    assert tenant.reads == 1 + 3


def test_no_history_unasked(tenant: LocalGraph) -> None:
    tenant.add(1)
    assert "history" not in entries(check(tenant.read()))[0]
    assert tenant.reads == 1


def test_a_record_that_is_gone_in_the_meantime_has_no_history(tenant: LocalGraph) -> None:
    tenant.add(1)
    tenant.every = {"/history": (404, '{"error": {"code": "NotFound"}}')}
    report = check(tenant.read(include_history=True))
    assert report.error is None
    assert entries(report)[0]["history"] == []
    assert report.data["truncated"] is False


def test_a_history_that_breaks_off_is_told(tenant: LocalGraph) -> None:
    tenant.switches.page_size, tenant.switches.break_last_page = 1, True
    tenant.add(1)
    tenant.tenant.put_history(user_id(1), [{"id": "a"}, {"id": "b"}])
    report = check(tenant.read(include_history=True))
    assert entries(report)[0]["history"] == [{"id": "a"}]
    assert report.data["truncated"] is True
    assert len(report.warnings) == 1
    assert f"the history of {tenant.kind.name(1)}" in report.warnings[0] and "1 of" in report.warnings[0]


def test_a_history_that_goes_in_the_middle_is_told(tenant: LocalGraph) -> None:
    tenant.switches.page_size = 1
    tenant.add(1)
    tenant.tenant.put_history(user_id(1), [{"id": "a"}, {"id": "b"}])
    tenant.faults = {3: (404, '{"error": {"code": "NotFound"}}')}
    report = check(tenant.read(include_history=True))
    assert entries(report)[0]["history"] == [{"id": "a"}]
    assert report.data["truncated"] is True
    assert len(report.warnings) == 1


@pytest.mark.parametrize(("status", "expected"), [(403, "permission"), (400, "request"), (404, "service")])
def test_a_history_that_fails_leaves_the_users(tenant: LocalGraph, status: int, expected: str) -> None:
    tenant.add(1)
    tenant.every = {"/history": (status, "<html>" if status == 404 else '{"error": {"code": "No"}}')}
    report = check(tenant.read(include_history=True))
    assert kind(report) == expected
    assert ids(report) == [user_id(1)]
    assert report.data["truncated"] is True


# A service in trouble


def test_a_list_that_breaks_off_is_told(tenant: LocalGraph) -> None:
    tenant.switches.page_size, tenant.switches.break_last_page = 2, True
    for number in range(5):
        tenant.add(number)
    report = check(tenant.read())
    assert report.error is None
    assert report.data["count"] == 4
    assert report.data["truncated"] is True
    assert len(report.warnings) == 1
    assert f"the list of risky {tenant.kind.nouns}" in report.warnings[0]
    assert f"Read so far: 4 {tenant.kind.nouns}." in report.warnings[0]


def test_an_error_in_the_middle_fails_the_task(tenant: LocalGraph) -> None:
    tenant.switches.page_size = 1
    tenant.add(1)
    tenant.add(2)
    tenant.faults = {2: 403}
    report = check(tenant.read())
    assert kind(report) == "permission"
    assert report.data["truncated"] is True
    assert report.data["evaluated_at"] == "2026-11-22T12:00:00Z"
    # What was read until then is there.
    assert report.data["count"] == len(report.data[tenant.kind.resource.labels.key]) == 1
    assert "there may be more" in report.message


@pytest.mark.parametrize(
    ("of", "says", "expected", "words"),
    [
        (PEOPLE, "Your tenant is not licensed for this feature.", "license", "Microsoft Entra ID P2"),
        (PEOPLE, "required scopes are missing in the token.", "permission", "IdentityRiskyUser.Read.All"),
        (WORKLOADS, "not licensed", "license", "Microsoft Entra Workload ID Premium"),
        (WORKLOADS, "required scopes are missing", "permission", "IdentityRiskyServicePrincipal.Read.All"),
    ],
)
@pytest.mark.parametrize("params", [{}, {"users": [user_id(1)]}])
def test_a_refusal_names_what_is_missing(
    of: Kind, says: str, expected: str, words: str, params: dict[str, t.Any]
) -> None:
    tenant = LocalGraph(kind=of)
    tenant.every = {"": (403, f'{{"error": {{"code": "Forbidden", "message": "{says}"}}}}')}
    report = check(tenant.read(**params))
    assert kind(report) == expected
    assert words in report.message
    assert report.data["requests"]["sent"] == 1
    assert report.data["truncated"] is True


@pytest.mark.parametrize(
    ("params", "expected", "words"),
    [
        ({"limit": 0}, "request", "limit is 0"),
        ({"limit": -3}, "request", "limit is -3"),
        ({"users": ["adele"]}, "users", "'adele'"),
        ({"users": [], "filters": {}}, "request", "or filters, not both"),
        ({"filters": {"risk_state": []}}, "request", "empty list"),
        ({"filters": {"updated_before": "soon"}}, "request", "filters.updated_before: 'soon'"),
    ],
)
def test_what_makes_no_sense_fails_before_anything_is_sent(
    tenant: LocalGraph, params: dict[str, t.Any], expected: str, words: str
) -> None:
    report = check(tenant.read(**params))
    assert kind(report) == expected
    assert words in report.message
    assert tenant.log == []


def test_a_connection_that_cannot_be_set_up_gives_a_full_result(tenant: LocalGraph) -> None:
    def connect() -> GraphClient:
        raise CredentialsError("No credential.")

    params = tenant.kind.options(NOTHING_TO_READ)
    report = check(_info.read(params, tenant.kind.resource, connect=connect))
    assert kind(report) == "credentials"
    assert report.message == "No credential."


def test_a_plan_made_with_it_is_acted_on_safely(tenant: LocalGraph) -> None:
    tenant.add(1, riskLastUpdatedDateTime="2026-11-22T12:00:00.9999999Z")
    tenant.add(2)
    plan = check(tenant.read())
    tenant.time.now += 60
    tenant.records[user_id(2)].update(riskLastUpdatedDateTime="2026-11-22T12:00:30Z")
    done = tenant.run(users=ids(plan), if_unmodified_since=plan.data["evaluated_at"])
    assert [(entry["outcome"], entry["reason"]) for entry in entries(done)] == [
        ("changed", None),
        ("failed", "modified_since"),
    ]


@pytest.mark.parametrize("forbidden", [False, True])
def test_names_that_could_not_be_looked_up_are_told(forbidden: bool) -> None:
    tenant = LocalGraph(directory_forbidden=forbidden)
    tenant.add(1)
    report = check(tenant.read(users=[upn(1), "renamed@contoso.example"]))
    assert report.data["not_listed"] == ["renamed@contoso.example"]
    assert len(report.warnings) == forbidden
    for warning in report.warnings:
        assert "renamed@contoso.example" in warning and "User.Read.All" in warning
