"""What is peculiar to service principals, and that each kind is found in its own place only."""

from __future__ import annotations

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import GET_BY_IDS, RISKY_SERVICE_PRINCIPALS, RISKY_USERS, UNKNOWN_ID, Client
from .kinds import Kind

BETA = "/beta/identityProtection/riskyServicePrincipals"


def test_the_list_and_one_record_show_the_same(tenant: Tenant, graph: Client) -> None:
    added = tenant.add_service_principal(
        "Payroll Sync",
        app_id=UNKNOWN_ID,
        risk_level="high",
        risk_last_updated="2026-01-02T03:04:05.678Z",
        service_principal_type="ManagedIdentity",
        enabled=False,
    )
    tenant.add_service_principal("Unlisted", listed=False)
    tenant.add_user("adele.vance@contoso.example")

    page = graph.get(RISKY_SERVICE_PRINCIPALS)
    single = graph.get(f"{RISKY_SERVICE_PRINCIPALS}/{added.id.upper()}")

    record = {
        "id": added.id,
        "appId": UNKNOWN_ID,
        "displayName": "Payroll Sync",
        "isEnabled": False,
        "isProcessing": False,
        "riskDetail": "none",
        "riskLastUpdatedDateTime": "2026-01-02T03:04:05.6780000Z",
        "riskLevel": "high",
        "riskState": "atRisk",
        "servicePrincipalType": "ManagedIdentity",
    }
    context = f"{graph.origin}/v1.0/$metadata#identityProtection/riskyServicePrincipals"
    assert page.json() == {"@odata.context": context, "value": [record]}
    assert single.json() == {"@odata.context": f"{context}/$entity", **record}


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


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    "query", ["$select=accountEnabled", "$select=isDeleted", "$orderby=id", "$select=userPrincipalName"]
)
def test_what_v1_does_not_have(query: str, tenant: Tenant, graph: Client) -> None:
    tenant.add_service_principal("Payroll Sync")

    assert graph.send("GET", f"{RISKY_SERVICE_PRINCIPALS}?{query}").status_code == 400


@pytest.mark.breaks_contract
def test_beta_has_no_short_path(graph: Client) -> None:
    assert graph.get("/beta/riskyServicePrincipals").status_code == 400


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("riskLevel eq 'high'", 1),
        ("riskState in ('atRisk','dismissed')", 2),
        ("riskLastUpdatedDateTime eq 2026-01-02T00:00:00Z", 1),
        ("riskLastUpdatedDateTime gt 2026-01-02T00:00:00Z", 1),
        ("displayName eq 'Payroll Sync'", 1),
        ("displayName eq 'payroll sync'", 0),
        (f"appId eq '{UNKNOWN_ID}'", 1),
        ("isEnabled eq false", 1),
        ("isDeleted eq false", None),
        ("userPrincipalName eq 'x'", None),
    ],
)
def test_filters(text: str, found: int | None, tenant: Tenant, graph: Client) -> None:
    tenant.add_service_principal(
        "Payroll Sync", app_id=UNKNOWN_ID, risk_level="high", risk_last_updated="2026-01-02T00:00:00Z"
    )
    tenant.add_service_principal("Backup", risk_state="dismissed", enabled=False)

    answer = graph.get(RISKY_SERVICE_PRINCIPALS, filter=text)

    assert answer.status_code == (400 if found is None else 200)
    assert found is None or len(answer.json()["value"]) == found


def test_late_members_show_only_to_those_who_ask(tenant: Tenant, graph: Client) -> None:
    added = tenant.add_service_principal("Payroll Sync", risk_state="dismissed")
    path = f"{RISKY_SERVICE_PRINCIPALS}/{added.id}"

    assert graph.get(path).json()["riskDetail"] == "unknownFutureValue"
    answer = graph.get(path, headers={"Prefer": "include-unknown-enum-members"})
    assert answer.json()["riskDetail"] == "adminDismissedAllRiskForServicePrincipal"


def test_pages_hold_everybody_once(kind: Kind, tenant: Tenant, graph: Client) -> None:
    ids = kind.add_many(tenant, 25)

    pages = graph.everybody(kind.path, top=10, select="id,riskState", filter="riskState eq 'atRisk'")

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [each["id"] for page in pages for each in page] == ids
    assert set(pages[0][0]) == {"id", "riskState"}
    assert graph.get(kind.path, count="true", top=1).json()["@odata.count"] == 25
    assert graph.get(f"{kind.path}/$count").text == "25"


def test_a_next_link_belongs_to_its_list(tenant: Tenant, graph: Client) -> None:
    tenant.add_users(2)
    tenant.add_service_principals(2)
    link = graph.get(top=1).json()["@odata.nextLink"][len(graph.origin) :]

    stolen = graph.send("GET", link.replace(RISKY_USERS, RISKY_SERVICE_PRINCIPALS))

    assert (stolen.status_code, stolen.json()["error"]["message"]) == (400, "Skip token is not valid.")


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


@pytest.mark.parametrize(("listed", "in_directory"), [(True, True), (True, False), (False, True)])
def test_listed_and_in_the_directory_are_two_things(
    listed: bool, in_directory: bool, tenant: Tenant, graph: Client
) -> None:
    added = tenant.add_service_principal("Payroll Sync", listed=listed, in_directory=in_directory)

    assert (added.risk is not None, added.directory is not None) == (listed, in_directory)
    assert graph.get(f"{RISKY_SERVICE_PRINCIPALS}/{added.id}").status_code == (200 if listed else 404)
    assert graph.get(f"/v1.0/servicePrincipals/{added.id}").status_code == (200 if in_directory else 404)


def test_one_that_is_nowhere_cannot_be_found(tenant: Tenant) -> None:
    with pytest.raises(LookupError, match="no service principal"):
        tenant.add_service_principal("Payroll Sync", listed=False, in_directory=False)


def test_the_directory_shows_what_is_selected(tenant: Tenant, graph: Client) -> None:
    added = tenant.add_service_principal("Payroll Sync", app_id=UNKNOWN_ID, enabled=False)
    path = f"/v1.0/servicePrincipals/{added.id}"
    whole = {
        "id": added.id,
        "accountEnabled": False,
        "appId": UNKNOWN_ID,
        "displayName": "Payroll Sync",
        "servicePrincipalType": "Application",
    }

    assert graph.get(path).json() == {
        "@odata.context": f"{graph.origin}/v1.0/$metadata#servicePrincipals/$entity",
        **whole,
    }
    assert set(graph.get(path, select="id,displayName").json()) == {"@odata.context", "id", "displayName"}
    found = graph.get("/v1.0/servicePrincipals", filter=f"appId eq '{UNKNOWN_ID}'").json()["value"]
    assert found == [whole]


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


def test_selected_objects_show_what_they_have(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    workload = tenant.add_service_principal("Payroll Sync", app_id=UNKNOWN_ID)

    answer = graph.send(
        "POST", f"{GET_BY_IDS}?$select=id,appId,userPrincipalName", json={"ids": [workload.id, user.id]}
    )

    assert answer.json()["value"] == [
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": workload.id, "appId": UNKNOWN_ID},
        {
            "@odata.type": "#microsoft.graph.user",
            "id": user.id,
            "userPrincipalName": "adele.vance@contoso.example",
        },
    ]


def test_service_principals_can_be_changed_behind_everybodys_back(tenant: Tenant) -> None:
    added = tenant.add_service_principal("Payroll Sync")

    changed = tenant.change_service_principal(added.id, risk_level="high", display_name="Payroll", enabled=False)

    assert changed.risk is not None and changed.directory is not None
    assert (changed.risk_last_updated or "") > (added.risk_last_updated or "")
    assert (changed.risk["displayName"], changed.risk["isEnabled"], changed.risk["accountEnabled"]) == (
        "Payroll",
        False,
        False,
    )
    assert (changed.directory["displayName"], changed.directory["accountEnabled"]) == ("Payroll", False)
    assert not tenant.change_service_principal(added.id, listed=False).listed
    relisted = tenant.change_service_principal(added.id, listed=True).risk
    assert relisted is not None
    assert (relisted["riskState"], relisted["displayName"], relisted["isEnabled"]) == ("atRisk", "Payroll", False)
    assert tenant.change_service_principal(added.id, in_directory=False).directory is None
    with pytest.raises(LookupError):
        tenant.change_service_principal("Payroll", enabled=True)
    with pytest.raises(ValueError, match="upn"):
        tenant.change_service_principal(added.id, upn="x@contoso.example")


def test_nulls_pass(tenant: Tenant, graph: Client) -> None:
    added = tenant.add_service_principal("Payroll Sync")
    tenant.change_service_principal(added.id, app_id=None, display_name=None, risk_last_updated=None, risk_detail=None)

    record = graph.get(f"{RISKY_SERVICE_PRINCIPALS}/{added.id}").json()

    assert record["appId"] is record["displayName"] is record["riskLastUpdatedDateTime"] is record["riskDetail"] is None
