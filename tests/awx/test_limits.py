"""AWX shows an empty result in the place of one that is longer than its limit. Ours stay below it."""

from __future__ import annotations

import typing as t

from tests.entra_emulator.tenant import Tenant

from .credentials import AzureResourceManager
from .jobs import DISMISS_RISK, MAX_EVENT_RES, Controller

# Longer than most: 44 characters with the number and the domain of the tenant.
LONG_NAME = "firstname.long.surname"

EXCEPTIONS = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - identityops.entra_risk.risky_user:
        state: dismissed
        users: "{{ entra_risk_users.split() }}"
        return_users: exceptions
"""


def _names(tenant: Tenant, ids: t.Iterable[str]) -> str:
    records = (tenant.user(user_id).risk or {} for user_id in ids)
    return "\n".join(record["userPrincipalName"] for record in records)


def test_a_result_over_2000_users(awx: Controller, tenant: Tenant, credential: AzureResourceManager) -> None:
    names = _names(tenant, tenant.add_users(2000, prefix=LONG_NAME))

    job = awx.launch(DISMISS_RISK, credential, survey={"entra_risk_users": names})

    assert job.status == "successful"
    # In the place of a result that is too long there would be an empty one.
    assert job.result != {}
    assert job.result["summary"]["changed"] == len(job.result["users"]) == 2000
    assert 400_000 < len(str(job.result)) < MAX_EVENT_RES


def test_a_result_of_exceptions_over_6000_users(
    awx: Controller, tenant: Tenant, credential: AzureResourceManager
) -> None:
    names = _names(tenant, tenant.add_users(6000, prefix=LONG_NAME))

    job = awx.launch(EXCEPTIONS, credential, survey={"entra_risk_users": names})

    assert job.status == "successful"
    assert job.result["summary"]["changed"] == 6000
    assert job.result["users"] == []
    assert len(str(job.result)) < 20_000
