"""An option that a task gives under two of its names: AnsibleModule would drop one of the values."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.modules import risky_service_principal, risky_user
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    PEOPLE,
    WORKLOADS,
    FakeTenant,
    user_id,
)


@pytest.mark.parametrize("tenant", [WORKLOADS], indirect=True)
@pytest.mark.parametrize("other", [[], [user_id(2)]])
def test_no_exclusion_is_dropped(run_any: t.Any, tenant: FakeTenant, other: list[str]) -> None:
    protected = tenant.add(1)
    ended = run_any(
        risky_service_principal,
        state="dismissed",
        filters={},
        max_changes=9,
        exclude_service_principals=[protected],
        exclude_users=other,
    )
    assert ended.failed and ended.result["error"]["kind"] == "request"
    assert "exclude_service_principals and exclude_users" in ended.result["msg"]
    assert tenant.log == []


@pytest.mark.parametrize(
    ("tenant", "module", "names"),
    [
        (PEOPLE, risky_user, ("users", "user")),
        (PEOPLE, risky_user, ("user", "user_ids")),
        (WORKLOADS, risky_service_principal, ("service_principals", "service_principal")),
    ],
    indirect=["tenant"],
)
def test_nobody_who_is_named_is_left_out(
    run_any: t.Any, tenant: FakeTenant, module: types.ModuleType, names: tuple[str, str]
) -> None:
    first, second = tenant.add(1), tenant.add(2)
    ended = run_any(module, state="dismissed", **{names[0]: [first], names[1]: [second]})
    assert ended.failed and ended.result["error"]["kind"] == "request"
    assert " and ".join(names) in ended.result["msg"]
    assert tenant.log == []


def test_an_alias_that_is_null_does_not_count(run_any: t.Any, tenant: FakeTenant) -> None:
    assert run_any(risky_user, state="dismissed", users=[tenant.add(1)], user=None).result["changed"]


def test_a_ready_token_makes_two_names_of_the_tenant_meaningless(run_any: t.Any, tenant: FakeTenant) -> None:
    ended = run_any(risky_user, state="dismissed", users=[tenant.add(1)], tenant="one", tenant_id="two")
    assert ended.result["changed"]
