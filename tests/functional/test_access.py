"""The module that tells what works in a tenant. What it finds is in tests/unit, in test_access.py."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ..entra_emulator.resources import ALL_ROLES
from ..entra_emulator.tenant import Tenant
from .running import Options, Run, load

MODULE = "access_info"
SURVEYS = Path(__file__).resolve().parents[2] / "docs" / "examples" / "aap_configuration" / "surveys.yml"
APIS = (
    "riskyUsers riskDetections riskyServicePrincipals servicePrincipalRiskDetections users servicePrincipals groups "
    "roleAssignments roleEligibilityScheduleInstances"
)


@pytest.mark.parametrize("options", [{}, {"check": True, "diff": True}, {"api_version": "beta"}], ids=str)
def test_tells_who_the_token_is_for_and_that_all_works(people: Tenant, run: Run, options: Options) -> None:
    ended = run(MODULE, **options)
    assert (ended.failed, ended.changed, ended.result["ok"]) == (False, False, True)
    identity = ended.result["identity"]
    assert (identity["tenant_id"], identity["kind"]) == (people.id, "application")
    assert identity["permissions"] == [*ALL_ROLES]
    assert identity["expires_at"].endswith("Z") and "diff" not in ended.result
    assert {check["allowed"] for check in ended.result["checks"]} == {True}
    assert all(sent.startswith(f"GET /{options.get('api_version', 'v1.0')}/") for sent in ended.graph)
    assert " ".join(sent.rpartition("/")[2] for sent in ended.graph) == APIS


LOGINS: t.Mapping[str, tuple[Options, str]] = {
    "no credentials": ({"access_token": None}, "credentials"),
    "wrong secret": ({"access_token": None, "secret": "wrong"}, "login"),
    "login away": ({"access_token": None, "secret": "wrong", "authority_host": "https://localhost:1"}, "network"),
    "unknown CA": ({"access_token": None, "secret": "wrong", "ca_path": None}, "tls"),
}


@pytest.mark.parametrize(("options", "kind"), LOGINS.values(), ids=LOGINS)
def test_fails_only_where_the_login_does(tenant: Tenant, run: Run, options: Options, kind: str) -> None:
    if "secret" in options:
        options = {"tenant": tenant.id, "client_id": tenant.add_app().client_id, **options}
    ended = run(MODULE, **options)
    assert (ended.kind, ended.result["ok"], ended.result["checks"]) == (kind, False, [])
    assert ended.result["identity"] == {
        **dict.fromkeys(("tenant_id", "client_id", "object_id", "permissions", "directory_roles", "expires_at")),
        "kind": "unknown",
    }


def test_an_expired_token_fails_and_shows_when_it_ended(tenant: Tenant, run: Run) -> None:
    ended = run(MODULE, access_token=tenant.mint_token(expires_in=-60))
    assert (ended.kind, ended.result["ok"], ended.result["checks"]) == ("login", False, [])
    assert ended.result["identity"]["expires_at"] is not None


def test_the_documentation_and_the_survey_know_the_checks(tenant: Tenant, run: Run) -> None:
    names = {check["name"] for check in run(MODULE).result["checks"]}
    (returned,) = yaml.safe_load(load(MODULE).RETURN)["checks"]["contains"]["name"]["description"]
    assert set(re.findall(r"C\((\w+)\)", returned)) == names
    (question,) = yaml.safe_load(SURVEYS.read_text(encoding="utf-8"))["entra_risk_surveys"]["check_access"]["spec"]
    assert {*question["choices"], "read_risky_users", "write_risky_users"} == names
