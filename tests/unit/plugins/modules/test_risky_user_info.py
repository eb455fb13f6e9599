"""The module through AnsibleModule. What it shares with the others is in test_every_module.py."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.modules import risky_user_info
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    FakeTenant,
    upn,
    user_id,
)

MODULE = risky_user_info


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("diff", [False, True])
def test_every_active_user(run: t.Any, tenant: FakeTenant, check: bool, diff: bool) -> None:
    tenant.add(1)
    tenant.add(2, "confirmedCompromised")
    tenant.add(3, "dismissed")
    ended = run(check=check, diff=diff)
    assert not ended.failed and ended.result["changed"] is False
    assert [user["user_principal_name"] for user in ended.result["users"]] == [upn(1), upn(2)]
    assert ended.result["count"] == 2
    assert ended.result["not_listed"] == []
    assert "diff" not in ended.result
    assert tenant.writes == 0


def test_users_history_and_who_is_not_listed(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1, "dismissed")
    tenant.histories[user_id(1)] = [{"riskState": "atRisk"}]
    ended = run(user=[upn(1), "Ghost@contoso.example"], include_history=True)
    assert [user["history"] for user in ended.result["users"]] == [[{"risk_state": "atRisk"}]]
    assert ended.result["not_listed"] == ["Ghost@contoso.example"]


def test_warnings_reach_the_user(run: t.Any, tenant: FakeTenant) -> None:
    tenant.page_size, tenant.last_page_breaks = 1, True
    tenant.add(1)
    tenant.add(2)
    ended = run()
    assert ended.result["truncated"] is True
    assert any("broke off" in warning for warning in ended.warnings)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"users": [], "filters": {}}, "users or filters, not both"),
        ({"limit": 0}, "limit is 0"),
        ({"filters": {"updated_after": "x"}}, "updated_after"),
    ],
)
def test_what_makes_no_sense(run: t.Any, tenant: FakeTenant, args: dict[str, t.Any], words: str) -> None:
    ended = run(**args)
    assert ended.failed and ended.result["error"]["kind"] == "request"
    assert words in ended.result["msg"]
    assert tenant.log == []


def test_null_options_mean_every_active_user(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add(1)
    assert run(users=None, filters=None, limit=None, include_history=None).result["count"] == 1
