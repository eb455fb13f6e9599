"""What people do with a job template: answer its survey, look first, run, run again."""

from __future__ import annotations

import pytest

from tests.entra_emulator.tenant import Tenant

from .conftest import found_secrets
from .credentials import AzureResourceManager, CredentialType
from .jobs import DISMISS_RISK, Controller

ADELE = "adele.vance@contoso.example"
ALEX = "alex.wilber@contoso.example"
LEE = "lee.gu@contoso.example"
PEOPLE = (ADELE, ALEX, LEE)
# Every question of a survey for the playbook, left empty.
EMPTY = {
    "entra_risk_users": "",
    "entra_risk_filters": "",
    "entra_risk_exclude_users": "",
    "entra_risk_max_changes": "",
    "entra_risk_if_unmodified_since": "",
    "entra_risk_wait": "",
    "entra_risk_auth_source": "",
    "entra_risk_access_token": "",
}


def states(tenant: Tenant) -> dict[str, str]:
    """The risk states, by the name before the @."""
    users = [user.risk for user in tenant.users if user.risk is not None]
    return {user["userPrincipalName"].partition("@")[0]: user["riskState"] for user in users}


@pytest.mark.parametrize(
    "answer",
    [
        "\n".join(PEOPLE),
        "\r\n".join(["", *PEOPLE, "", ""]),
        ", ".join(PEOPLE),
        ";".join(PEOPLE),
        f"  {ADELE} ,\n{ALEX}\t{LEE},",
        list(PEOPLE),
    ],
    ids=["lines", "lines of a browser", "commas", "semicolons", "a mixture", "several of a choice"],
)
def test_a_list_of_users_as_one_text(
    answer: str | list[str], awx: Controller, tenant: Tenant, credential: AzureResourceManager
) -> None:
    for name in (*PEOPLE, "nestor.wilke@contoso.example"):
        tenant.add_user(name)

    job = awx.launch(DISMISS_RISK, credential, survey={**EMPTY, "entra_risk_users": answer})

    assert job.status == "successful"
    assert [user["user_principal_name"] for user in job.result["users"]] == list(PEOPLE)
    assert states(tenant) == {
        "adele.vance": "dismissed",
        "alex.wilber": "dismissed",
        "lee.gu": "dismissed",
        "nestor.wilke": "atRisk",
    }


def test_numbers_times_and_brakes_as_text(awx: Controller, tenant: Tenant, credential: AzureResourceManager) -> None:
    for name in PEOPLE:
        tenant.add_user(name, risk_last_updated="2026-01-01T00:00:00Z")
    survey = {
        **EMPTY,
        "entra_risk_filters": "risk_level: [medium]\nupdated_before: 30d\n",
        "entra_risk_max_changes": "2",
        "entra_risk_exclude_users": f"{ADELE}\n",
        "entra_risk_if_unmodified_since": "2026-01-02T00:00:00Z",
        "entra_risk_wait": "true",
    }

    job = awx.launch(DISMISS_RISK, credential, survey=survey)

    assert job.status == "successful"
    assert job.result["verified"] is True
    assert states(tenant) == {"adele.vance": "atRisk", "alex.wilber": "dismissed", "lee.gu": "dismissed"}


def test_nothing_answered(awx: Controller, tenant: Tenant, credential: AzureResourceManager) -> None:
    job = awx.launch(DISMISS_RISK, credential, survey=EMPTY)

    assert job.status == "failed"
    assert "users" in job.result["msg"]
    assert tenant.journal.entries == []


def test_an_answer_is_never_a_template(awx: Controller, tenant: Tenant, credential: AzureResourceManager) -> None:
    answer = "{{7*6}}@contoso.example"

    job = awx.launch(DISMISS_RISK, credential, survey={**EMPTY, "entra_risk_users": answer})

    # The name as it was typed is asked for, and nobody has it.
    assert job.status == "failed"
    assert [user["user_principal_name"] for user in job.result["users"]] == [answer]
    assert [user["reason"] for user in job.result["users"]] == ["unknown_user"]


def test_look_run_and_run_again(awx: Controller, tenant: Tenant, credential: AzureResourceManager) -> None:
    tenant.add_user(ADELE, risk_level="high")
    tenant.add_user(LEE, risk_state="dismissed")
    survey = {**EMPTY, "entra_risk_users": f"{ADELE}\n{LEE}"}

    for dummy in range(2):
        look = awx.launch(DISMISS_RISK, credential, survey=survey, check=True, diff=True)
        assert (look.status, look.changed) == ("successful", 1)
        (difference,) = look.select("runner_on_file_diff")
        assert difference["event_data"]["diff"] == {
            "before": {ADELE: "atRisk (high)"},
            "after": {ADELE: "dismissed (none)"},
        }
        assert f'-    "{ADELE}": "atRisk (high)"' in look.output
        assert tenant.journal.summary()["written"] == []

    run = awx.launch(DISMISS_RISK, credential, survey=survey)
    assert (run.status, run.changed) == ("successful", 1)
    assert run.select("runner_on_file_diff") == []
    assert states(tenant) == {"adele.vance": "dismissed", "lee.gu": "dismissed"}

    again = awx.launch(DISMISS_RISK, credential, survey=survey)
    assert (again.status, again.changed) == ("successful", 0)
    assert len(tenant.journal.summary()["written"]) == 1


@pytest.mark.leaks
def test_the_search_for_secrets_has_teeth(
    awx: Controller,
    tenant: Tenant,
    credential: AzureResourceManager,
    credential_type: CredentialType,
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
