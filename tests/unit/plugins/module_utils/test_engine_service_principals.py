"""What the engine does differently for service principals. What it does alike is in test_engine.py, for both."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import change as _engine
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    NOTHING,
    WORKLOADS,
    LocalGraph,
    app_name,
    entries,
    user_id,
)

APP_ID = "4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77"


@pytest.fixture
def tenant() -> LocalGraph:
    return LocalGraph(kind=WORKLOADS)


@pytest.mark.parametrize(
    ("state", "action", "after"),
    [
        ("dismissed", "dismiss", {"risk_state": "dismissed", "risk_level": "none"}),
        ("compromised", "confirmCompromised", {"risk_state": "confirmedCompromised", "risk_level": "high"}),
    ],
)
def test_one(tenant: LocalGraph, state: str, action: str, after: dict[str, str]) -> None:
    key = tenant.add(1)
    report = tenant.run(state=state, users=[key.upper()], diff=True)
    assert report.error is None and report.warnings == ()
    (entry,) = report.data["service_principals"]
    assert (entry["id"], entry["display_name"], entry["app_id"]) == (key, app_name(1), APP_ID)
    assert (entry["outcome"], entry["reason"], entry["after"]) == ("changed", None, after)
    assert list(entry)[:3] == ["id", "display_name", "app_id"] and len(entry) == 7
    assert report.data["changed"] is True and report.data["summary"]["changed"] == 1
    assert report.data["requests"]["write_request_ids"] == [tenant.request_id(2)]
    assert report.data["diff"]["before"] == {app_name(1): "atRisk (medium)"}
    path = f"/v1.0/identityProtection/riskyServicePrincipals/{action}"
    assert tenant.log[1] == ("POST", path, {"servicePrincipalIds": [key]})


def test_they_cannot_be_confirmed_as_safe() -> None:
    spec = _engine.task_spec(WORKLOADS.resource)
    assert spec["state"]["choices"] == ["dismissed", "compromised"]


def test_the_options_of_users_have_their_counterparts() -> None:
    spec = _engine.task_spec(WORKLOADS.resource)
    assert spec.keys() == WORKLOADS.options(NOTHING).keys()
    assert spec["exclude_service_principals"]["aliases"] == ["exclude_users"]
    assert spec["return_service_principals"]["aliases"] == ["return_users"]


@pytest.mark.parametrize("option", ["users", "exclude_users"])
@pytest.mark.parametrize("value", ["nightly-export", "nightly@export", "adele.vance@contoso.example", ""])
def test_a_name_is_refused_before_anything_is_sent(tenant: LocalGraph, option: str, value: str) -> None:
    tenant.add(1, displayName=value)
    report = tenant.run(**{"users": [user_id(1)], option: [user_id(1), value]})
    assert report.error is not None and report.error.kind == "users"
    assert report.message.startswith(f"{WORKLOADS.options({option: 0}).popitem()[0]}: {value!r} is not an object ID")
    assert tenant.log == []


@pytest.mark.parametrize("state", ["dismissed", "compromised"])
@pytest.mark.parametrize("selection", [{"users": [*map(user_id, range(3))]}, {"filters": {}, "max_changes": 2}])
def test_those_that_are_excluded_are_skipped(tenant: LocalGraph, state: str, selection: dict[str, t.Any]) -> None:
    for number in range(3):
        tenant.add(number)
    report = tenant.run(state=state, exclude_users=[user_id(1).upper()], **selection)
    assert [entry["outcome"] for entry in entries(report)] == ["changed", "skipped", "changed"]
    assert tenant.written == [user_id(0), user_id(2)]


def test_a_name_does_not_borrow_the_protection_of_an_id(tenant: LocalGraph) -> None:
    """Anybody who owns an application may call it as he likes."""
    tenant.add(1, displayName=user_id(2).upper())
    tenant.add(2)
    report = tenant.run(state="compromised", users=[user_id(1), user_id(2)], exclude_users=[user_id(2)])
    assert [entry["outcome"] for entry in entries(report)] == ["changed", "skipped"]
    assert tenant.written == [user_id(1)]


def test_those_of_one_name_stand_apart(tenant: LocalGraph) -> None:
    ids = [tenant.add(number, displayName="export") for number in (2, 1)]
    report = tenant.run(filters={}, max_changes=2, diff=True)
    assert [entry["id"] for entry in entries(report)] == sorted(ids)
    assert report.data["diff"]["before"] == {
        "export": "atRisk (medium)",
        f"export ({user_id(2)})": "atRisk (medium)",
    }


def test_an_application_id_looks_like_an_object_without_a_record(tenant: LocalGraph) -> None:
    tenant.add(1)
    report = tenant.run(users=[APP_ID])
    assert [(entry["outcome"], entry["reason"]) for entry in entries(report)] == [("unchanged", "not_listed")]
    assert len(report.warnings) == 1 and "application (client) ID" in report.warnings[0]


@pytest.mark.parametrize("count", [1, 3])
def test_who_does_not_exist_is_not_confirmed(tenant: LocalGraph, count: int) -> None:
    report = tenant.run(state="compromised", users=[*map(user_id, range(count))])
    assert [entry["reason"] for entry in entries(report)] == ["unknown_service_principal"] * count
    assert "enterprise application" in report.message
    assert tenant.writes == 0


def test_an_unlisted_one_is_confirmed_under_the_name_of_the_directory(tenant: LocalGraph) -> None:
    key = tenant.add_unlisted(1)
    report = tenant.run(state="compromised", users=[key])
    entry = entries(report)[0]
    assert (entry["display_name"], entry["app_id"], entry["outcome"]) == (app_name(1), None, "changed")
    assert ("GET", f"/v1.0/servicePrincipals/{key}", {"$select": "id,displayName"}) in tenant.log
    assert tenant.written == [key]


@pytest.mark.parametrize(
    ("says", "kind", "words"),
    [
        ("Your tenant is not licensed for this feature.", "license", "Microsoft Entra Workload ID Premium"),
        ("required scopes are missing in the token.", "permission", "IdentityRiskyServicePrincipal"),
    ],
)
@pytest.mark.parametrize("writing", [False, True])
def test_a_refusal_names_what_is_missing(tenant: LocalGraph, says: str, kind: str, words: str, writing: bool) -> None:
    tenant.add(1)
    tenant.faults = {2 if writing else 1: (403, f'{{"error": {{"code": "Forbidden", "message": "{says}"}}}}')}
    report = tenant.run(users=[user_id(1)])
    assert report.error is not None and report.error.kind == kind
    if kind == "permission":
        words += ".ReadWrite.All" if writing else ".Read.All"
    assert words in report.message


def test_the_paths_of_both_versions_are_the_same_but_for_the_version() -> None:
    assert WORKLOADS.resource.paths == {"v1.0": WORKLOADS.path, "beta": WORKLOADS.beta_path}
