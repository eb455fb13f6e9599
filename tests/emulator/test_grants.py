"""Groups, directory roles and licenses, and what a person shows of password and sessions."""

from __future__ import annotations

import pytest

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

from .client import UNKNOWN_ID, Client

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
            "/v1.0/groups/everybody/transitiveMembers", 400, "Request_BadRequest", marks=pytest.mark.breaks_contract
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


@pytest.mark.parametrize("name", ["roleAssignments", "roleEligibilityScheduleInstances"])
def test_lists_who_has_roles(tenant: Tenant, graph: Client, name: str) -> None:
    user, group = tenant.add_user("a@contoso.example").id, tenant.add_group(role_assignable=True).id
    for principal in ("A@contoso.example", group, UNKNOWN_ID):
        tenant.assign_role(principal, scope="/administrativeUnits/1", eligible="Eligibility" in name)
    found = graph.get(f"{ROLES}/{name}", expand="principal").json()["value"][-3:]
    assert [item["principalId"] for item in found] == [user, group, UNKNOWN_ID]
    assert [item.get("principal", {}).get("@odata.type") for item in found] == [
        "#microsoft.graph.user", "#microsoft.graph.group", None,
    ]  # fmt: skip
    assert found[1]["principal"]["isAssignableToRole"] is True
    # Short, since these lists take no $top.
    only = graph.get(f"{ROLES}/{name}", filter=f"principalId eq '{user}'", select="id")
    assert len(only.json()["value"]) == 1


def test_shows_only_the_id_of_what_the_token_may_not_read(emulator: Emulator, tenant: Tenant) -> None:
    user = tenant.add_user("a@contoso.example").id
    group = tenant.add_group(["a@contoso.example", UNKNOWN_ID]).id
    client = Client(emulator.graph_url, emulator.ca_path, tenant.mint_token(roles=["GroupMember.Read.All"]))
    found = client.get(f"/v1.0/groups/{group}/transitiveMembers", select="id,userPrincipalName").json()["value"]
    client.close()
    assert found == [
        {"@odata.type": "#microsoft.graph.user", "id": user, "userPrincipalName": None},
        {"@odata.type": "#microsoft.graph.device", "id": UNKNOWN_ID},
    ]


def test_some_properties_of_a_person_come_only_when_selected(tenant: Tenant, graph: Client) -> None:
    shown = {"lastPasswordChangeDateTime": "2026-11-03T07:41:09Z", "onPremisesSyncEnabled": True, "userType": "Guest"}
    user = tenant.add_user("a@contoso.example", password_changed="2026-11-03T07:41:09Z", synced=True, user_type="Guest")
    assert not shown.keys() & graph.get(f"/v1.0/users/{user.id}").json().keys()
    (found,) = graph.get("/v1.0/users", filter=f"id in ('{user.id}')", select=",".join(shown)).json()["value"]
    assert found == shown


@pytest.mark.parametrize(("switch", "left"), [("licensed", "AAD_WRKLDID_P2"), ("workload_licensed", "AAD_PREMIUM_P2")])
def test_licenses_follow_the_switches(switch: str, left: str, tenant: Tenant, graph: Client) -> None:
    tenant.switches.update({switch: False})
    (sku,) = graph.get("/v1.0/subscribedSkus").json()["value"]
    assert [plan["servicePlanName"] for plan in sku["servicePlans"]] == [left]
