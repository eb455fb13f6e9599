"""The list, one record, its history, and the directory; each kind of principal is found in its own place only."""

from __future__ import annotations

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import GET_BY_IDS, RISKY_SERVICE_PRINCIPALS, RISKY_USERS, UNKNOWN_ID, Client
from .kinds import Kind

BETA = "/beta/identityProtection/riskyServicePrincipals"


def test_the_list_and_one_record_show_the_same(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example", risk_last_updated="2026-01-02T03:04:05.678Z")
    tenant.add_user("unlisted@contoso.example", listed=False)
    record = {
        "id": user.id,
        "isDeleted": False,
        "isProcessing": False,
        "riskDetail": "none",
        "riskLastUpdatedDateTime": "2026-01-02T03:04:05.6780000Z",
        "riskLevel": "medium",
        "riskState": "atRisk",
        "userDisplayName": "Adele Vance",
        "userPrincipalName": "adele.vance@contoso.example",
    }
    context = f"{graph.origin}/v1.0/$metadata#identityProtection/riskyUsers"
    assert graph.get().json() == {"@odata.context": context, "value": [record]}
    single = graph.get(f"{RISKY_USERS}/{user.id.upper()}").json()
    assert single == {**record, "@odata.context": f"{context}/$entity"}


def test_next_links_keep_the_origin_and_cannot_be_made_up(tenant: Tenant, graph: Client) -> None:
    tenant.add_users(3)
    link = graph.get(top=1, filter="riskState eq 'atRisk'").json()["@odata.nextLink"]
    path = link[len(graph.origin) :]
    token = path.rpartition("skiptoken=")[2]
    assert link.startswith(f"{graph.origin}{RISKY_USERS}?")
    assert graph.send("GET", path).status_code == 200
    for forged in (path.replace(token, "0" * 48 + "_1"), path.replace("$top=1", "$top=2")):
        answer = graph.send("GET", forged)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    ("path", "message"),
    [("/v1.0/riskyUsers", "Resource not found for the segment 'riskyUsers'."),
     ("/v2.0/identityProtection/riskyUsers", "Invalid version: v2.0")],
)  # fmt: skip
def test_unknown_paths(path: str, message: str, graph: Client) -> None:
    answer = graph.get(path)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_late_members_show_only_to_those_who_ask(tenant: Tenant, graph: Client) -> None:
    path = f"{RISKY_USERS}/{tenant.add_user('adele.vance@contoso.example', risk_state='confirmedSafe').id}"
    assert graph.get(path).json()["riskDetail"] == "unknownFutureValue"
    answer = graph.get(path, headers={"Prefer": "include-unknown-enum-members"})
    assert answer.json()["riskDetail"] == "adminConfirmedAccountSafe"
    assert answer.headers["Preference-Applied"] == "include-unknown-enum-members"


def test_the_directory_is_asked_by_id_name_or_filter(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("old@contoso.example", directory_upn="new.name@contoso.example")
    # A name with a leading dollar needs brackets.
    dollar = tenant.add_user("$o'neil@contoso.example")
    tenant.add_user("gone@contoso.example", deleted=True)
    keys = {f"/{user.id}": user, "/New.Name%40contoso.example": user, "('%24o''neil@contoso.example')": dollar}
    for key, expected in keys.items():
        assert graph.get(f"/v1.0/users{key}").json()["id"] == expected.id
    for key in ("/old@contoso.example", "/gone@contoso.example", f"/{UNKNOWN_ID}", "('nobody@contoso.example')"):
        answer = graph.get(f"/v1.0/users{key}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    names = {"@odata.context", "id", "displayName", "mail", "userPrincipalName"}
    assert set(graph.get(f"/v1.0/users/{user.id}").json()) == names
    named = graph.get("/v1.0/users", filter="userPrincipalName in ('New.Name@contoso.example','x@contoso.example')")
    assert [found["id"] for found in named.json()["value"]] == [user.id]
    many = ",".join(f"'{number}'" for number in range(16))
    too_many = graph.get("/v1.0/users", filter=f"id in ({many})")
    assert too_many.status_code == 400 and "Too many child clauses" in too_many.json()["error"]["message"]
    assert graph.get("/v1.0/users", filter="nothing eq 'x'").json()["error"]["code"] == "Request_UnsupportedQuery"


def test_beta_tells_one_thing_more(tenant: Tenant, graph: Client) -> None:
    added = tenant.add_service_principal("Payroll Sync", enabled=False)
    (listed,) = graph.get(BETA).json()["value"]
    assert listed["accountEnabled"] is listed["isEnabled"] is False
    assert graph.get(f"{BETA}/{added.id}/history").json()["value"][0]["accountEnabled"] is False
    assert len(graph.get(BETA, filter="accountEnabled eq true").json()["value"]) == 0
    assert graph.get(RISKY_SERVICE_PRINCIPALS, filter="accountEnabled eq true").status_code == 400
    assert "accountEnabled" not in graph.get(f"{RISKY_SERVICE_PRINCIPALS}/{added.id}/history").json()["value"][0]


def test_each_kind_has_a_directory_of_its_own(kind: Kind, tenant: Tenant, graph: Client) -> None:
    user, workload = tenant.add_user("adele.vance@contoso.example"), tenant.add_service_principal("Payroll Sync")
    own, other = (user, workload) if kind.label == "users" else (workload, user)
    assert [each["id"] for each in graph.get(kind.directory).json()["value"]] == [own.id]
    for place in (kind.directory, kind.path):
        assert graph.get(f"{place}/{own.id}", select="id").json()["id"] == own.id
        assert graph.get(f"{place}/{other.id}").status_code == 404


@pytest.mark.parametrize("types", [["servicePrincipal"], ["user", "servicePrincipal"], ["directoryObject"]])
def test_objects_are_found_by_type(types: list[str], tenant: Tenant, graph: Client) -> None:
    user, workload = tenant.add_user("adele.vance@contoso.example"), tenant.add_service_principal("Payroll Sync")
    ids = [user.id, workload.id, tenant.add_user("gone@contoso.example", deleted=True).id, UNKNOWN_ID]
    answer = graph.send("POST", f"{GET_BY_IDS}?$select=id", json={"ids": ids, "types": types})
    names = [name for name in ("user", "servicePrincipal") if name in types or types == ["directoryObject"]]
    found = {"user": user.id, "servicePrincipal": workload.id}
    expected = [{"@odata.type": f"#microsoft.graph.{name}", "id": found[name]} for name in names]
    assert answer.json()["value"] == expected
