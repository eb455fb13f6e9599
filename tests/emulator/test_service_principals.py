"""What is peculiar to service principals, and that each kind is found in its own place only."""

from __future__ import annotations

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import GET_BY_IDS, RISKY_SERVICE_PRINCIPALS, UNKNOWN_ID, Client
from .kinds import Kind

BETA = "/beta/identityProtection/riskyServicePrincipals"


def test_beta_tells_one_thing_more(tenant: Tenant, graph: Client) -> None:
    added = tenant.add_service_principal("Payroll Sync", enabled=False)
    (listed,) = graph.get(BETA).json()["value"]
    assert listed["accountEnabled"] is listed["isEnabled"] is False
    assert (
        graph.get(f"{BETA}/{added.id}", select="id,accountEnabled").json().items() >= {"accountEnabled": False}.items()
    )
    assert graph.get(f"{BETA}/{added.id}/history").json()["value"][0]["accountEnabled"] is False
    assert len(graph.get(BETA, filter="accountEnabled eq true").json()["value"]) == 0
    assert graph.get(RISKY_SERVICE_PRINCIPALS, filter="accountEnabled eq true").status_code == 400
    assert "accountEnabled" not in graph.get(f"{RISKY_SERVICE_PRINCIPALS}/{added.id}/history").json()["value"][0]


def test_each_kind_has_a_directory_of_its_own(kind: Kind, tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    workload = tenant.add_service_principal("Payroll Sync")
    own, other = (user, workload) if kind.label == "users" else (workload, user)
    assert graph.get(f"{kind.directory}/{own.id}", select="id").json()["id"] == own.id
    assert graph.get(f"{kind.directory}/{other.id}").status_code == 404
    assert [each["id"] for each in graph.get(kind.directory).json()["value"]] == [own.id]
    assert graph.get(f"{kind.path}/{own.id}").status_code == 200
    assert graph.get(f"{kind.path}/{other.id}").status_code == 404
    assert graph.get(f"{kind.path}/{UNKNOWN_ID}").json()["error"]["code"] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("types", "found"),
    [
        (["servicePrincipal"], ["servicePrincipal"]),
        (["user"], ["user"]),
        (["user", "servicePrincipal"], ["user", "servicePrincipal"]),
        (["directoryObject"], ["user", "servicePrincipal"]),
        (["user", "directoryObject"], ["user", "servicePrincipal"]),
    ],
)
def test_objects_are_found_by_type(types: list[str], found: list[str], tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    workload = tenant.add_service_principal("Payroll Sync")
    answer = graph.send(
        "POST",
        f"{GET_BY_IDS}?$select=id,appId,userPrincipalName" if len(types) == 2 else GET_BY_IDS,
        json={"ids": [user.id, workload.id, UNKNOWN_ID], "types": types},
    )
    assert [each["@odata.type"] for each in answer.json()["value"]] == [f"#microsoft.graph.{name}" for name in found]
