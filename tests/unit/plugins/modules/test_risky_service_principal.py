"""The module through AnsibleModule. What it shares with the others is in test_every_module.py."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.modules import risky_service_principal
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    WORKLOADS,
    FakeTenant,
    app_name,
    user_id,
)

MODULE = risky_service_principal
NEEDED = {"state": "dismissed"}
pytestmark = pytest.mark.parametrize("tenant", [WORKLOADS], indirect=True, ids=["service_principals"])


@pytest.mark.parametrize("state", ["dismissed", "compromised"])
@pytest.mark.parametrize("option", ["service_principals", "service_principal", "service_principal_ids"])
def test_check_run_and_run_again(run: t.Any, tenant: FakeTenant, state: str, option: str) -> None:
    tenant.add(1)
    planned = run(state=state, check=True, diff=True, **{option: [user_id(1)]})
    assert planned.result["changed"] and tenant.writes == 0
    done = run(state=state, diff=True, **{option: user_id(1).upper()})
    assert done.result["changed"] and tenant.writes == 1
    assert done.result["diff"] == planned.result["diff"]
    assert done.result["service_principals"] == planned.result["service_principals"]
    again = run(state=state, diff=True, **{option: [user_id(1)]})
    assert not again.result["changed"] and tenant.writes == 1
    assert again.result["diff"] == {"before": {}, "after": {}}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"state": "safe", "service_principals": []}, "value of state must be one of"),
        ({"users": []}, "users"),
        ({"service_principals": [], "return_service_principals": "none"}, "return_service_principals"),
    ],
)
def test_what_service_principals_do_not_have(
    run: t.Any, tenant: FakeTenant, args: dict[str, t.Any], words: str
) -> None:
    ended = run(**args)
    assert ended.failed and words in ended.result["msg"]
    assert tenant.log == []


@pytest.mark.parametrize(
    ("args", "kind", "words"),
    [
        ({}, "request", "exactly one of service_principals and filters"),
        ({"service_principals": [], "filters": {}, "max_changes": 1}, "request", "both"),
        ({"filters": {}}, "request", "max_changes is required: the number of service principals"),
        (
            {"service_principals": ["nightly-export"]},
            "users",
            "service_principals: 'nightly-export' is not an object ID",
        ),
        ({"service_principals": [], "exclude_users": ["x"]}, "users", "exclude_service_principals: 'x'"),
    ],
)
def test_messages_speak_of_service_principals(
    run: t.Any, tenant: FakeTenant, args: dict[str, t.Any], kind: str, words: str
) -> None:
    ended = run(**args)
    assert ended.failed and ended.result["error"]["kind"] == kind
    assert words in ended.result["msg"]
    assert tenant.log == []


@pytest.mark.parametrize("exclude", ["exclude_service_principals", "exclude_users"])
@pytest.mark.parametrize("restrict", ["return_service_principals", "return_users"])
def test_the_words_of_users_hold_as_well(run: t.Any, tenant: FakeTenant, exclude: str, restrict: str) -> None:
    for number in (1, 2, 3):
        tenant.add(number)
    ended = run(filters={}, max_changes=2, **{exclude: [user_id(2)], restrict: "exceptions"})
    assert [entry["display_name"] for entry in ended.result["service_principals"]] == [app_name(2)]
    assert ended.result["summary"] == {"changed": 2, "unchanged": 0, "skipped": 1, "failed": 0}
    assert tenant.bodies == [[user_id(1), user_id(3)]]


def test_exceptions_keep_the_whole_answer_small(run: t.Any, tenant: FakeTenant) -> None:
    ids = [tenant.add(number) for number in range(600)]
    ended = run(service_principals=ids, return_service_principals="exceptions", wait=True)
    assert ended.result["summary"]["changed"] == 600 and ended.result["verified"] is True
    assert len(ended.output) < 10_000


def test_a_failure_holds_the_whole_result(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1)
    tenant.add(2, "somethingNew")
    ended = run(service_principals=[user_id(1), user_id(2)])
    assert ended.failed and ended.result["changed"] is True
    assert [entry["outcome"] for entry in ended.result["service_principals"]] == ["changed", "failed"]
    assert "1 of 2 service principals failed" in ended.result["msg"]


def test_the_beta_api(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1)
    run(service_principals=[user_id(1)], api_version="beta")
    base = "/beta/identityProtection/riskyServicePrincipals"
    assert [path for dummy, path, dummy2 in tenant.log] == [f"{base}/{user_id(1)}", f"{base}/dismiss"]
