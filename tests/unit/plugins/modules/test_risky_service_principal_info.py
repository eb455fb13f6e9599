"""The module through AnsibleModule. What it shares with the others is in test_every_module.py."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.modules import risky_service_principal_info
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    WORKLOADS,
    FakeTenant,
    app_name,
    user_id,
)

MODULE = risky_service_principal_info
pytestmark = pytest.mark.parametrize("tenant", [WORKLOADS], indirect=True, ids=["service_principals"])


@pytest.mark.parametrize("check", [False, True])
def test_every_active_one(run: t.Any, tenant: FakeTenant, check: bool) -> None:
    tenant.add(1)
    tenant.add(2, "dismissed")
    tenant.histories[user_id(1)] = [{"riskState": "atRisk"}]
    ended = run(check=check, include_history=True)
    assert not ended.failed and ended.result["changed"] is False
    (entry,) = ended.result["service_principals"]
    assert entry["display_name"] == app_name(1)
    assert entry["history"] == [{"risk_state": "atRisk"}]
    assert tenant.writes == 0


def test_who_is_not_listed_needs_no_directory(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add_unlisted(1)
    ended = run(service_principals=[user_id(1).upper()])
    assert ended.result["not_listed"] == [user_id(1).upper()]
    assert tenant.look_ups == 0


@pytest.mark.parametrize(
    ("args", "kind", "words"),
    [
        ({"service_principals": [], "filters": {}}, "request", "service_principals or filters, not both"),
        ({"limit": 0}, "request", "limit is 0"),
        ({"service_principals": ["nightly-export"]}, "users", "'nightly-export' is not an object ID"),
    ],
)
def test_what_makes_no_sense(run: t.Any, tenant: FakeTenant, args: dict[str, t.Any], kind: str, words: str) -> None:
    ended = run(**args)
    assert ended.failed and ended.result["error"]["kind"] == kind
    assert words in ended.result["msg"]
    assert tenant.log == []


def test_the_beta_api(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1, accountEnabled=False)
    assert run(api_version="beta").result["service_principals"][0]["account_enabled"] is False
    assert tenant.log[0][1] == "/beta/identityProtection/riskyServicePrincipals"
