"""Groups and their members. Roles, licenses and what a person shows are read by the tests of the guards."""

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
