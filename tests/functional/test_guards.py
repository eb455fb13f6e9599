"""Guards of risky_user, from the options to the requests: groups, role holders, and changed passwords."""

from __future__ import annotations

import pytest

from ..entra_emulator.tenant import Tenant
from .people import ID, ids
from .running import Ended, Run


def directory(ended: Ended) -> list[str]:
    return [request for request in ended.graph if "identityProtection" not in request]


@pytest.mark.parametrize("check", [True, False])
def test_protects_nested_members_and_holders_of_any_role(people: Tenant, run: Run, check: bool) -> None:
    inner = people.add_group([ID["adele"]])
    outer = people.add_group([inner.id])
    with_role = people.add_group([ID["megan"]], role_assignable=True)
    people.assign_role(with_role.id, scope="/administrativeUnits/77aa0000-0000-4000-8000-000000000001", eligible=True)
    guards = {"exclude_groups": [outer.id], "exclude_role_holders": True}
    ended = run("risky_user", state="compromised", users=ids("adele", "alex", "megan"), **guards, check=check)
    assert ended.outcomes == ["skipped excluded", "changed", "skipped privileged"]
    assert outer.id in ended.entries[0]["message"] and with_role.id in ended.entries[2]["message"]
    assert ended.written == ([] if check else ids("alex"))


def test_dismisses_only_whose_password_was_changed_after_the_risk(tenant: Tenant, run: Run) -> None:
    risk = "2026-11-01T10:00:00Z"
    times = ["2026-11-01T10:00:01Z", risk, "2026-10-01T00:00:00Z", None]
    users = [
        tenant.add_user(f"{n}@x.example", risk_last_updated=risk, password_changed=at).id for n, at in enumerate(times)
    ]
    # Whoever is not written to does not use up the limit.
    ended = run("risky_user", state="dismissed", filters={}, max_changes=1, limit=1, if_password_changed=True)
    assert ended.outcomes == ["changed", *["skipped password_unchanged"] * 3]
    assert ended.written == users[:1] and not ended.failed


def test_costs_the_same_few_requests_for_130_users(tenant: Tenant, run: Run) -> None:
    users = tenant.add_users(130)
    groups = [tenant.add_group([users[number]]).id for number in (0, 1)]
    tenant.assign_role(users[2])
    guards = {"exclude_groups": groups, "exclude_role_holders": True}
    ended = run("risky_user", state="dismissed", users=users, max_changes=127, **guards)
    assert not ended.failed and ended.result["summary"] == {"changed": 127, "unchanged": 0, "skipped": 3, "failed": 0}
    writes = [request for request in ended.graph if request.startswith("POST")]
    reads = [request for request in ended.graph if request.startswith("GET") and "identityProtection" in request]
    assert len(reads) <= 3 and len(writes) <= 3
    few = run("risky_user", state="compromised", users=users[:4], **guards, check=True)
    assert len(directory(ended)) == len(directory(few)) <= 6


def test_service_principals_have_no_guards(workloads: Tenant, run: Run) -> None:
    ended = run("risky_service_principal", state="dismissed", service_principals=[], exclude_role_holders=True)
    assert ended.kind == "request" and "exclude_role_holders" in ended.msg
