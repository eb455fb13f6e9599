"""What only a job of AWX shows: injected credentials, typed answers, artifacts, events and their limit, canceling."""

from __future__ import annotations

import collections
import time
from pathlib import Path

import pytest

from tests.entra_emulator.apps import App
from tests.entra_emulator.tenant import Tenant

from .conftest import found_secrets
from .credentials import AzureResourceManager, CredentialType
from .jobs import DISMISS_RISK, Controller

ADELE = "adele.vance@contoso.example"
ALEX = "alex.wilber@contoso.example"
BREAK_GLASS = "emergency.access@contoso.example"
OLD = "2026-01-01T00:00:00Z"


def written(tenant: Tenant) -> list[str]:
    found: list[str] = tenant.journal.summary()["written"]
    return found


def test_looks_and_acts(
    awx: Controller, tenant: Tenant, app: App, credential: AzureResourceManager, credential_type: CredentialType
) -> None:
    """With the built-in credential; and with a certificate as it is pasted into the form, without its last line end."""
    user = tenant.add_user(ADELE, risk_level="high")
    survey = {"entra_risk_users": f"{ADELE}\r\n"}

    look = awx.launch(DISMISS_RISK, credential, survey=survey, options="--check --diff")

    assert (look.status, look.changed) == ("successful", 1)
    (difference,) = look.select("runner_on_file_diff")
    before, after = {ADELE: "atRisk (high)"}, {ADELE: "dismissed (none)"}
    assert difference["diff"] == {"before": before, "after": after}
    assert f'-    "{ADELE}": "atRisk (high)"' in look.output
    assert written(tenant) == []

    certificate = {"tenant_id": tenant.id, "client_id": app.client_id, "certificate": app.certificate.pem().rstrip()}
    act = awx.launch(DISMISS_RISK, credential_type.credential(**certificate), survey=survey)

    assert (act.status, act.changed) == ("successful", 1)
    assert act.select("runner_on_file_diff") == []
    assert written(tenant) == [user.id]


def test_answers_have_the_types_of_awx(awx: Controller, tenant: Tenant, credential: AzureResourceManager) -> None:
    """Text with the line breaks of a browser, lists of choices, numbers, and texts that are never templates."""
    for name in (ADELE, ALEX, BREAK_GLASS):
        tenant.add_user(name, risk_last_updated=OLD)
    survey = {
        "entra_risk_exclude_users": f"\r\n{BREAK_GLASS}\r\n{ALEX}\r\n",
        "entra_risk_levels": ["low", "medium"],
        "entra_risk_age": "30d",
        "entra_risk_max_changes": 1,
        "entra_risk_wait": "true",
        "entra_risk_ticket": "{{ 7 * 6 }}",
    }

    job = awx.launch("identityops.entra_risk.dismiss_stale_risk", credential, survey=survey)

    assert (job.status, job.changed) == ("successful", 1)
    assert job.result["verified"] is True
    assert written(tenant) == [tenant.user(ADELE).id]
    assert job.artifacts["entra_risk_result"]["ticket"] == "{{ 7 * 6 }}"


def test_plan_approve_act(
    awx: Controller, tenant: Tenant, credential: AzureResourceManager, credential_type: CredentialType
) -> None:
    """The access token of a second credential stands above the rest; and what changes while the approval is pending is
    left alone.
    """
    users = {name: tenant.add_user(name).id for name in (ADELE, ALEX, BREAK_GLASS)}
    survey = {
        "entra_risk_filters": "risk_level: [medium]",
        "entra_risk_exclude_users": BREAK_GLASS,
        "entra_risk_users": "",
    }
    token = credential_type.credential(access_token=tenant.mint_token(), cloud="AzureUSGovernment")

    plan = awx.launch("identityops.entra_risk.plan_dismissal", credential, token, survey=survey)

    assert (plan.status, plan.changed) == ("successful", 0)
    assert plan.artifacts["entra_risk_plan"]["users"] == [users[ADELE], users[ALEX]]
    assert tenant.journal.select(listener="login") == []
    assert written(tenant) == []

    tenant.change_user(users[ALEX], risk_level="high")
    act = awx.launch("identityops.entra_risk.act_on_plan", credential, survey={**survey, **plan.artifacts})

    assert act.status == "failed"
    assert written(tenant) == [users[ADELE]]
    handed_on = act.artifacts["entra_risk_result"]
    assert [(user["id"], user["reason"]) for user in handed_on["exceptions"]] == [(users[ALEX], "modified_since")]
    assert handed_on["summary"] == {"changed": 1, "unchanged": 0, "skipped": 0, "failed": 1}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes of a job the way of Linux")
def test_after_canceling_the_next_run_does_the_rest(
    awx: Controller, tenant: Tenant, credential: AzureResourceManager
) -> None:
    # Three writes, one a second.
    ids = tenant.add_users(180)
    survey = {"entra_risk_users": "\n".join(ids)}
    tenant.switches.rate_limit = 1

    job = awx.launch(DISMISS_RISK, credential, survey=survey, cancel=lambda: len(written(tenant)) >= 60)

    assert job.status == "canceled"
    # The guide says so: nothing is handed on.
    assert job.select("playbook_on_stats") == []
    # Once the service has dealt with what was under way.
    while any(entry["status"] is None for entry in tenant.journal.entries):
        time.sleep(0.05)
    before = written(tenant)
    assert {user.id for user in tenant.users if user.risk_state == "dismissed"} == set(before)
    assert 0 < len(before) < len(ids)

    again = awx.launch(DISMISS_RISK, credential, survey=survey)

    assert (again.status, again.changed) == ("successful", 1)
    summary = again.result["summary"]
    assert (summary["changed"], summary["unchanged"]) == (len(ids) - len(before), len(before))
    assert collections.Counter(written(tenant)) == dict.fromkeys(ids, 1)


@pytest.mark.leaks
def test_the_search_for_secrets_has_teeth(
    awx: Controller, tenant: Tenant, credential: AzureResourceManager, credential_type: CredentialType
) -> None:
    """Each secret goes out by a way of its own: the result of a task, the output, the artifacts."""
    certificate = tenant.add_app(certificate=True).certificate.pem()
    custom = credential_type.credential(certificate=certificate, access_token="CanaryAccessToken1Bx6eQ")

    job = awx.launch(LEAKS, custom, credential)

    assert job.status == "successful"
    assert found_secrets(job, awx.secrets) == {credential.secret, certificate, "CanaryAccessToken1Bx6eQ"}


LEAKS = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.command:
        cmd: cat {{ lookup('ansible.builtin.env', 'AZURE_X509_CERTIFICATE_PATH') }}
    - ansible.builtin.debug:
        msg: "{{ lookup('ansible.builtin.env', 'AZURE_SECRET') | urlencode }}"
    - ansible.builtin.set_stats:
        data:
          leaked: "{{ ('x' ~ entra_risk_access_token) | b64encode }}"
"""
