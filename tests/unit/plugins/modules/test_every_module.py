"""What the modules besides `risky_user` have in common with it: nothing of their own, but all of it documented."""

from __future__ import annotations

import json
import types
import typing as t

import pytest
import yaml

from ansible_collections.identityops.entra_risk.plugins.module_utils import _module as _ansible
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph import client as _graph
from ansible_collections.identityops.entra_risk.plugins.modules import (
    risk_detection_info,
    risky_service_principal,
    risky_service_principal_info,
    risky_user_info,
)
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    PEOPLE,
    TOKEN,
    WORKLOADS,
    FakeTenant,
    Kind,
    user_id,
)

# Each module, the kind that it works on, the option that names them, and what else it needs.
MODULES: dict[str, tuple[types.ModuleType, Kind, str, dict[str, t.Any]]] = {
    "risky_user_info": (risky_user_info, PEOPLE, "users", {}),
    "risk_detection_info": (risk_detection_info, PEOPLE, "users", {}),
    "risky_service_principal": (risky_service_principal, WORKLOADS, "service_principals", {"state": "dismissed"}),
    "risky_service_principal_info": (risky_service_principal_info, WORKLOADS, "service_principals", {}),
}
each = pytest.mark.parametrize(("tenant", "name"), [(MODULES[name][1], name) for name in MODULES], indirect=["tenant"])


@pytest.fixture
def run(run_any: t.Callable[..., t.Any], name: str) -> t.Callable[..., t.Any]:
    """The module of a name. `ids` are those to work on."""

    def run(ids: t.Any = None, **args: t.Any) -> t.Any:
        module, dummy, key, needed = MODULES[name]
        return run_any(module, **{**({} if ids is None else {key: ids}), **needed, **args})

    return run


@each
def test_the_documentation_names_what_comes_back(run: t.Any, tenant: FakeTenant, name: str) -> None:
    module, dummy, key, dummy2 = MODULES[name]
    documented = yaml.safe_load(module.RETURN)
    tenant.add(1)
    tenant.add_detection(1)
    result = run([user_id(1)], diff=True).result
    # Ansible documents what every module returns.
    common = {"changed", "diff", "msg", "invocation", "warnings"}
    assert set(documented) - common == (result.keys() | {"error"}) - common
    assert result["requests"].keys() == documented["requests"]["contains"].keys()
    key = "risk_detections" if "risk_detections" in result else key
    contains = documented[key]["contains"]
    optional = {"history", "message", "account_enabled", "risk_type", "mitre_technique_id"}
    assert len(result[key]) == 1
    for entry in result[key]:
        assert contains.keys() - optional <= entry.keys() <= contains.keys()


@each
def test_the_examples_are_arguments_that_the_module_takes(run: t.Any, tenant: FakeTenant, name: str) -> None:
    ran = 0
    for example in yaml.safe_load(MODULES[name][0].EXAMPLES):
        args = example.get(f"identityops.entra_risk.{name}", {})
        if f"identityops.entra_risk.{name}" in example:
            assert "{{" not in json.dumps(args)
            ended = run(check=True, **(args or {}))
            # The tenant is empty, so that somebody may be unknown; nothing else may be wrong.
            assert not ended.failed or ended.result["error"]["kind"] == "users", ended.result["msg"]
            ran += 1
    assert ran > 0


@each
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, f'{{"error": {{"code": "InvalidAuthenticationToken", "message": "bad token {TOKEN}"}}}}', "login"),
        (403, '{"error": {"code": "Forbidden", "message": "Your tenant is not licensed."}}', "license"),
        (403, '{"error": {"code": "Forbidden", "message": "required scopes are missing"}}', "permission"),
        (404, f"<html>{TOKEN}</html>", "service"),
        (302, "", "service"),
        (405, f'{{"error": "{TOKEN}"}}', "request"),
        (429, "", "throttled"),
    ],
)
def test_errors_to_branch_on(run: t.Any, tenant: FakeTenant, name: str, status: int, body: str, kind: str) -> None:
    tenant.every = {"": (status, body)}
    ended = run([user_id(1)], retry_timeout=5)
    assert ended.failed
    assert (ended.result["error"]["kind"], ended.result["error"]["status"]) == (kind, status)
    assert ended.result["error"]["request_id"] and ended.result["error"]["client_request_id"]


@each
@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"filters": {"risk_level": ["High"]}}, "High"),
        ({"filters": {"riskLevel": ["high"]}}, "riskLevel"),
        ({"idz": []}, "idz"),
    ],
)
def test_arguments_that_the_specification_refuses(
    run: t.Any, tenant: FakeTenant, name: str, args: dict[str, t.Any], words: str
) -> None:
    ended = run(**args)
    assert ended.failed and words in ended.result["msg"]
    assert tenant.log == []


@each
@pytest.mark.parametrize(
    ("args", "kind"),
    [
        ({"ids": ["x"]}, "users"),
        ({"filters": {"risk_level": []}}, "request"),
        ({"ids": [user_id(1)], "api_version": "v2"}, "credentials"),
        ({"ids": [user_id(1)], "access_token": "", "secret": "canary-secret-1"}, "credentials"),
    ],
)
def test_arguments_that_the_contract_refuses(
    run: t.Any, tenant: FakeTenant, name: str, args: dict[str, t.Any], kind: str
) -> None:
    more = {"max_changes": 1} if name == "risky_service_principal" and "filters" in args else {}
    ended = run(**args, **more)
    assert ended.failed
    assert ended.result["error"]["kind"] == kind
    assert tenant.log == []


@each
def test_nobody_needs_no_request(run: t.Any, tenant: FakeTenant, name: str) -> None:
    ended = run([])
    assert not ended.failed and not ended.result["changed"]
    assert ended.result["requests"]["sent"] == 0
    assert tenant.log == []


@each
@pytest.mark.parametrize(
    "nulls",
    [
        {"filters": None, "api_version": None, "timeout": None, "retry_timeout": None, "validate_certs": None},
        {"api_version": "", "timeout": "", "retry_timeout": "", "validate_certs": "", "secret": "", "tenant_id": ""},
    ],
)
def test_what_is_null_or_empty_counts_as_not_given(
    run: t.Any, tenant: FakeTenant, name: str, nulls: dict[str, t.Any]
) -> None:
    tenant.add(1)
    ended = run([user_id(1)], **nulls)
    assert not ended.failed, ended.result["msg"]


@each
def test_null_within_filters_counts_as_not_given(run: t.Any, tenant: FakeTenant, name: str) -> None:
    brake = {"max_changes": 0} if name == "risky_service_principal" else {}
    ended = run(filters={"risk_level": None, "risk_state": ["atRisk"]}, **brake)
    assert not ended.failed, ended.result["msg"]


@each
@pytest.mark.parametrize("option", ["user", "user_ids", "service_principal", "service_principal_ids"])
def test_other_names_of_the_option(run: t.Any, tenant: FakeTenant, name: str, option: str) -> None:
    tenant.add(1)
    ended = run(**{option: user_id(1).upper()})
    if option.startswith("user") == (tenant.kind is PEOPLE):
        assert not ended.failed and len(tenant.log) > 0
    else:
        assert ended.failed and option in ended.result["msg"]


@each
def test_an_error_of_ours_is_told_without_secrets(
    run: t.Any, tenant: FakeTenant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*dummy: t.Any, **dummy2: t.Any) -> None:
        raise ZeroDivisionError(f"with Authorization: Bearer {TOKEN} in the text")

    monkeypatch.setattr(_graph.GraphClient, "get", explode)
    ended = run([user_id(1)])
    assert ended.failed
    assert "ZeroDivisionError" in ended.result["msg"] and "bug" in ended.result["msg"]


@each
def test_a_missing_library(run: t.Any, tenant: FakeTenant, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ansible, "REQUESTS_IMPORT_ERROR", "Traceback: ImportError: no such library")
    ended = run([user_id(1)])
    assert ended.failed and "requests" in ended.result["msg"]
    assert ended.result["error"]["kind"] == "credentials"


@each
def test_a_token_in_the_data_of_the_service_is_masked(run: t.Any, tenant: FakeTenant, name: str) -> None:
    tenant.add(1, riskDetail=TOKEN, **{tenant.kind.name_property: f"{TOKEN}@contoso.example"})
    tenant.add_detection(1, additionalInfo=TOKEN)
    assert not run([user_id(1)]).failed


@each
def test_an_empty_list_needs_nothing(run: t.Any, tenant: FakeTenant, name: str) -> None:
    """No request, and so no credentials."""
    ended = run(ids=[], access_token="")
    assert not ended.failed and not ended.result["changed"]
    assert ended.result["requests"]["sent"] == 0
    assert tenant.log == []
