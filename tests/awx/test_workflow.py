"""A workflow of two jobs with an approval between them: the second acts on what the first has handed on."""

from __future__ import annotations

import pytest

from tests.entra_emulator.tenant import Tenant

from .credentials import AzureResourceManager
from .jobs import Controller

PLAN = "identityops.entra_risk.plan_dismissal"
ACT = "identityops.entra_risk.act_on_plan"
BREAK_GLASS = "emergency.access@contoso.example"
SURVEY = {"entra_risk_filters": "risk_level: [medium]", "entra_risk_exclude_users": BREAK_GLASS, "entra_risk_users": ""}


@pytest.fixture
def users(tenant: Tenant) -> dict[str, str]:
    """Object IDs by name."""
    names = ("adele.vance", "alex.wilber", "emergency.access")
    return {name: tenant.add_user(f"{name}@contoso.example").id for name in names}


def test_plan_and_act(awx: Controller, tenant: Tenant, credential: AzureResourceManager, users: dict[str, str]) -> None:
    plan = awx.launch(PLAN, credential, survey=SURVEY)

    assert (plan.status, plan.changed) == ("successful", 0)
    assert plan.artifacts["entra_risk_plan"] == {
        "state": "dismissed",
        "users": [users["adele.vance"], users["alex.wilber"]],
        "count": 2,
        "exclude_users": [BREAK_GLASS],
        "evaluated_at": plan.result["evaluated_at"],
    }
    assert tenant.journal.summary()["written"] == []

    act = awx.launch(ACT, credential, survey=plan.artifacts)

    assert (act.status, act.changed) == ("successful", 1)
    assert sorted(tenant.journal.summary()["written"]) == sorted(plan.artifacts["entra_risk_plan"]["users"])
    assert act.artifacts["entra_risk_result"]["summary"] == {"changed": 2, "unchanged": 0, "skipped": 0, "failed": 0}
    assert tenant.user(BREAK_GLASS).risk_state == "atRisk"


def test_what_changed_while_the_approval_was_pending_is_left_alone(
    awx: Controller, tenant: Tenant, credential: AzureResourceManager, users: dict[str, str]
) -> None:
    plan = awx.launch(PLAN, credential, survey=SURVEY)
    tenant.change_user(users["alex.wilber"], risk_level="high")

    act = awx.launch(ACT, credential, survey=plan.artifacts)

    assert act.status == "failed"
    assert [(user["id"], user["reason"]) for user in act.result["users"]] == [(users["alex.wilber"], "modified_since")]
    assert tenant.journal.summary()["written"] == [users["adele.vance"]]
    handed_on = act.artifacts["entra_risk_result"]
    assert [user["reason"] for user in handed_on["exceptions"]] == ["modified_since"]
    assert handed_on["summary"] == {"changed": 1, "unchanged": 0, "skipped": 0, "failed": 1}
