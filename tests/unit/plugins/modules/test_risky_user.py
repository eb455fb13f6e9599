"""The module through AnsibleModule, with a tenant in memory in the place of the HTTP transport."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml

from ansible_collections.identityops.entra_risk.plugins.module_utils import _module as _ansible
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import MissingLibraryError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph import client as _graph
from ansible_collections.identityops.entra_risk.plugins.module_utils._login import tokens as _auth
from ansible_collections.identityops.entra_risk.plugins.modules import risky_user
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    TOKEN,
    FakeTenant,
    upn,
    user_id,
)

MODULE = risky_user
NEEDED = {"state": "dismissed"}
KEYS = {"changed", "state", "users", "summary", "verified", "evaluated_at", "requests", "msg"}


@pytest.mark.parametrize("state", ["dismissed", "compromised", "safe"])
@pytest.mark.parametrize("option", ["users", "user", "user_ids"])
def test_check_run_and_run_again(run: t.Any, tenant: FakeTenant, state: str, option: str) -> None:
    tenant.add(1)
    planned = run(state=state, check=True, diff=True, **{option: [upn(1)]})
    assert planned.result["changed"] and tenant.writes == 0
    done = run(state=state, diff=True, **{option: upn(1)})
    assert done.result["changed"] and tenant.writes == 1
    assert done.result["diff"] == planned.result["diff"]
    assert done.result["users"] == planned.result["users"]
    again = run(state=state, diff=True, **{option: [user_id(1)]})
    assert not again.result["changed"] and tenant.writes == 1
    assert again.result["diff"] == {"before": {}, "after": {}}


def test_no_diff_unasked(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1)
    assert "diff" not in run(users=[upn(1)]).result


def test_warnings_reach_the_user(run: t.Any, tenant: FakeTenant) -> None:
    ended = run(users=[user_id(1)])
    assert not ended.failed
    assert any("1 of 1 user" in warning for warning in ended.warnings)


def test_a_failure_holds_the_whole_result(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1)
    tenant.add(2, "somethingNew")
    ended = run(users=[upn(1), upn(2)], diff=True)
    assert ended.failed
    assert ended.result["changed"] is True
    assert ended.result["error"]["kind"] == "users"
    assert [user["outcome"] for user in ended.result["users"]] == ["changed", "failed"]
    assert ended.result["diff"]["after"] == {upn(1): "dismissed (none)"}
    assert upn(2) in ended.result["msg"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, f'{{"error": {{"code": "InvalidAuthenticationToken", "message": "bad token {TOKEN}"}}}}', "login"),
        (
            403,
            '{"error": {"code": "Forbidden", "message": "Your tenant is not licensed for this feature."}}',
            "license",
        ),
        (403, '{"error": {"code": "Forbidden", "message": "required scopes are missing"}}', "permission"),
        (404, f"<html>{TOKEN}</html>", "service"),
        (302, "", "service"),
        (405, f'{{"error": "{TOKEN}"}}', "request"),
        (429, "", "throttled"),
    ],
)
def test_errors_to_branch_on(run: t.Any, tenant: FakeTenant, status: int, body: str, kind: str) -> None:
    tenant.every = {"": (status, body)}
    ended = run(users=[user_id(1)], retry_timeout=5)
    assert ended.failed
    assert ended.result["error"]["kind"] == kind
    assert ended.result["error"]["status"] == status
    assert ended.result["error"]["request_id"]
    assert ended.result["error"]["client_request_id"]
    assert ended.result["users"] == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"state": "gone", "users": []}, "value of state must be one of"),
        ({"users": [], "return_users": "none"}, "value of return_users must be one of"),
        ({"filters": {"risk_state": ["atrisk"]}, "max_changes": 1}, "atrisk"),
        ({"filters": {"riskState": ["atRisk"]}, "max_changes": 1}, "riskState"),
        ({"users": [], "max_changes": "many"}, "max_changes"),
        ({"users": [], "usres": []}, "usres"),
    ],
)
def test_arguments_that_the_specification_refuses(
    run: t.Any, tenant: FakeTenant, args: dict[str, t.Any], words: str
) -> None:
    ended = run(**args)
    assert ended.failed and words in ended.result["msg"]
    assert tenant.log == []


@pytest.mark.parametrize(
    ("args", "kind", "words"),
    [
        ({}, "request", "neither"),
        ({"users": None}, "request", "neither"),
        ({"users": [], "filters": {}, "max_changes": 1}, "request", "both"),
        ({"filters": {}}, "request", "max_changes"),
        ({"filters": {}, "max_changes": None}, "request", "max_changes"),
        ({"filters": {"risk_level": []}, "max_changes": 1}, "request", "empty list"),
        ({"users": ["x"]}, "users", "'x'"),
        ({"users": [], "max_changes": -1}, "request", "max_changes"),
        ({"users": [user_id(1)], "api_version": "v2"}, "credentials", "api_version"),
    ],
)
def test_arguments_that_the_contract_refuses(
    run: t.Any, tenant: FakeTenant, args: dict[str, t.Any], kind: str, words: str
) -> None:
    ended = run(**args)
    assert ended.failed
    assert ended.result["error"]["kind"] == kind
    assert words in ended.result["msg"]
    assert tenant.log == []


@pytest.mark.parametrize(
    "nulls",
    [
        {"wait": None, "wait_timeout": None, "return_users": None},
        {"exclude_users": None, "filters": None, "max_changes": None, "if_unmodified_since": None},
        {"api_version": None, "timeout": None, "retry_timeout": None, "validate_certs": None, "tenant": None},
        {"api_version": "", "timeout": "", "retry_timeout": "", "validate_certs": "", "secret": "", "tenant_id": ""},
        {"exclude_users": [], "if_unmodified_since": ""},
    ],
)
def test_what_is_null_or_empty_counts_as_not_given(run: t.Any, tenant: FakeTenant, nulls: dict[str, t.Any]) -> None:
    tenant.add(1)
    ended = run(users=[upn(1)], **nulls)
    assert not ended.failed, ended.result["msg"]
    assert ended.result["summary"]["changed"] == 1
    assert len(ended.result["users"]) == 1


def test_an_empty_dictionary_is_a_filter(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1)
    assert run(filters={}, max_changes=1).result["summary"]["changed"] == 1


def test_the_beta_api(run: t.Any, tenant: FakeTenant) -> None:
    run(users=[user_id(1)], api_version="beta")
    assert tenant.log[0][1] == f"/beta/riskyUsers/{user_id(1)}"


def test_an_error_of_ours_is_told_without_secrets(
    run: t.Any, tenant: FakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*dummy: t.Any, **dummy2: t.Any) -> None:
        raise ZeroDivisionError(f"with Authorization: Bearer {TOKEN} in the text")

    monkeypatch.setattr(_graph.GraphClient, "get", explode)
    ended = run(users=[user_id(1)])
    assert ended.failed
    assert "ZeroDivisionError" in ended.result["msg"] and "bug" in ended.result["msg"]


@pytest.mark.parametrize("library", ["requests", "msal>=1.35"])
def test_a_missing_library(run: t.Any, tenant: FakeTenant, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    trace = "Traceback: ImportError: no such library"
    if library == "requests":
        monkeypatch.setattr(_ansible, "REQUESTS_IMPORT_ERROR", trace)
        ended = run(users=[user_id(1)])
    else:

        def refuse() -> None:
            raise MissingLibraryError(library, trace)

        monkeypatch.setattr(_auth, "_msal", refuse)
        ended = run(
            users=[user_id(1)],
            access_token=None,
            tenant="contoso.example",
            client_id=user_id(9),
            secret="canary-secret-1",
        )
    assert ended.failed
    assert ended.result["error"]["kind"] == "credentials"
    assert library in ended.result["msg"] and "python" in ended.result["msg"].lower()
    assert ended.result["users"] == []
    assert tenant.log == []


def test_secrets_are_made_known_to_ansible(run: t.Any, tenant: FakeTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """ansible-core 2.22 asks for it; a secret from the environment is in no argument that it could mask."""
    known: list[str] = []
    monkeypatch.setattr(_ansible, "register_secret", known.append)
    tenant.add(1, userPrincipalName=f"{TOKEN}@contoso.example")
    ended = run(users=[user_id(1)])
    assert TOKEN in known
    assert ended.result["users"][0]["user_principal_name"].endswith("@contoso.example")


def test_exceptions_keep_the_whole_answer_small(run: t.Any, tenant: FakeTenant) -> None:
    ids = [tenant.add(number) for number in range(600)]
    ended = run(users=ids, return_users="exceptions")
    assert ended.result["summary"]["changed"] == 600
    assert ended.result["users"] == []
    assert len(ended.output) < 10_000


def test_the_documentation_names_what_comes_back(run: t.Any, tenant: FakeTenant) -> None:
    documented = yaml.safe_load(risky_user.RETURN)
    tenant.add(1)
    tenant.add(2, "somethingNew")
    result = run(users=[upn(1), upn(2)], diff=True).result
    # Ansible documents what every module returns.
    common = {"changed", "diff", "msg"}
    assert set(documented) - common == (KEYS | {"error"}) - common
    for key in ("requests", "error"):
        assert result[key].keys() == documented[key]["contains"].keys()
    for user in result["users"]:
        assert user.keys() <= documented["users"]["contains"].keys()
        for side in ("before", "after"):
            assert user[side].keys() == documented["users"]["contains"][side]["contains"].keys()


def test_the_examples_are_arguments_that_the_module_takes(run: t.Any, tenant: FakeTenant) -> None:
    tenant.filters = lambda dummy: "honoured"
    for example in yaml.safe_load(risky_user.EXAMPLES):
        args = example["identityops.entra_risk.risky_user"]
        if "{{" in json.dumps(args):
            continue
        ended = run(check=True, **args)
        # The tenant is empty, so that names may be unknown; nothing else may be wrong.
        assert not ended.failed or ended.result["error"]["kind"] == "users", ended.result["msg"]
