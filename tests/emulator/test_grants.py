"""Groups and directory roles, as far as the guards ask for them."""

from __future__ import annotations

import pytest

from tests.entra_emulator.grants import ACTIVE, ELIGIBLE, RoleList
from tests.entra_emulator.tenant import Tenant

from .client import Client

ROLES = "/v1.0/roleManagement/directory"


def test_lists_all_members_of_a_group_page_by_page(tenant: Tenant, graph: Client) -> None:
    people = tenant.add_users(5)
    inner = tenant.add_group(people[2:])
    outer = tenant.add_group([*people[:2], inner.id])
    # Groups may hold each other.
    inner.members.append(outer.id)
    pages = graph.everybody(f"/v1.0/groups/{outer.id}/transitiveMembers", select="id", top=2)
    found = [item for page in pages for item in page]
    assert len(pages) == 4
    assert {item["id"] for item in found} == {*people, inner.id, outer.id}
    assert {item["@odata.type"] for item in found} == {"#microsoft.graph.user", "#microsoft.graph.group"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1.0/groups/11111111-1111-4111-8111-111111111111/transitiveMembers", 404, "Request_ResourceNotFound"),
        pytest.param(
            "/v1.0/groups/everybody/transitiveMembers",
            400,
            "Request_BadRequest",
            marks=pytest.mark.breaks_contract,
        ),
        (f"{ROLES}/roleEligibilityScheduleInstances", 400, "AadPremiumLicenseRequired"),
    ],
)
def test_refuses_as_graph_does(tenant: Tenant, graph: Client, path: str, status: int, code: str) -> None:
    tenant.switches.pim_licensed = False
    answer = graph.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("hidden", "status"), [("", 200), ("empty", 200), ("forbid", 403)])
def test_hides_members_from_those_without_the_permission(
    tenant: Tenant, graph: Client, hidden: str, status: int
) -> None:
    group = tenant.add_group(tenant.add_users(1), hidden=hidden)
    answer = graph.get(f"/v1.0/groups/{group.id}/transitiveMembers")
    assert answer.status_code == status
    assert len(answer.json().get("value", ())) == (not hidden)


@pytest.mark.parametrize("which", [ACTIVE, ELIGIBLE])
def test_lists_who_has_roles(tenant: Tenant, graph: Client, which: RoleList) -> None:
    user, group = tenant.add_users(1)[0], tenant.add_group(role_assignable=True).id
    for principal in (user, group):
        tenant.assign_role(principal, scope="/administrativeUnits/1", eligible=which is ELIGIBLE)
    found = graph.get(f"{ROLES}/{which.name}", expand="principal").json()["value"][-2:]
    assert [item["principal"]["@odata.type"].rpartition(".")[2] for item in found] == ["user", "group"]
    assert [item["principalId"] for item in found] == [user, group]
    # Short, since these lists take no $top.
    only = graph.get(f"{ROLES}/{which.name}", filter=f"principalId eq '{user}'", select="id")
    assert len(only.json()["value"]) == 1
