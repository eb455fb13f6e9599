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
    page = graph.get()
    single = graph.get(f"{RISKY_USERS}/{user.id.upper()}")
    assert page.json()["value"] == [
        {
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
    ]
    assert page.json()["@odata.context"] == f"{graph.origin}/v1.0/$metadata#identityProtection/riskyUsers"
    context = single.json().pop("@odata.context")
    assert context.endswith("#identityProtection/riskyUsers/$entity")
    assert {**page.json()["value"][0], "@odata.context": context} == single.json()


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
     ("/v1.0/identityProtection", "Resource not found for the segment ''."),
     ("/v2.0/identityProtection/riskyUsers", "Invalid version: v2.0"), ("/", "Invalid version: ")],
)  # fmt: skip
def test_unknown_paths(path: str, message: str, graph: Client) -> None:
    answer = graph.get(path)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_late_members_show_only_to_those_who_ask(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example", risk_state="confirmedSafe")
    path = f"{RISKY_USERS}/{user.id}"
    assert graph.get(path).json()["riskDetail"] == "unknownFutureValue"
    answer = graph.get(path, headers={"Prefer": "include-unknown-enum-members"})
    assert answer.json()["riskDetail"] == "adminConfirmedAccountSafe"
    assert answer.headers["Preference-Applied"] == "include-unknown-enum-members"


def test_the_directory_is_asked_by_id_or_name(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("old@contoso.example", directory_upn="new.name@contoso.example")
    dollar = tenant.add_user("$o'neil@contoso.example")
    tenant.add_user("gone@contoso.example", deleted=True)
    for key in (user.id, "new.name@contoso.example", "New.Name%40contoso.example"):
        found = graph.get(f"/v1.0/users/{key}", select="id,userPrincipalName").json()
        assert (found["id"], found["userPrincipalName"]) == (user.id, "new.name@contoso.example")
    for key in ("/old@contoso.example", "/gone@contoso.example", f"/{UNKNOWN_ID}", "('nobody@contoso.example')"):
        answer = graph.get(f"/v1.0/users{key}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    names = {"@odata.context", "id", "displayName", "mail", "userPrincipalName"}
    assert set(graph.get(f"/v1.0/users/{user.id}").json()) == names
    # A name with a leading dollar needs brackets.
    assert graph.get("/v1.0/users('%24o''neil@contoso.example')").json()["id"] == dollar.id


def test_the_directory_takes_a_filter(tenant: Tenant, graph: Client) -> None:
    users = [tenant.add_user(f"{name}@contoso.example") for name in ("a", "b", "c")]
    answer = graph.get("/v1.0/users", filter="userPrincipalName in ('A@contoso.example','c@contoso.example')")
    many = ",".join(f"'{number}'" for number in range(16))
    too_many = graph.get("/v1.0/users", filter=f"id in ({many})")
    assert [user["id"] for user in answer.json()["value"]] == [users[0].id, users[2].id]
    assert too_many.status_code == 400
    assert "Too many child clauses" in too_many.json()["error"]["message"]
    assert graph.get("/v1.0/users", filter="nothing eq 'x'").json()["error"]["code"] == "Request_UnsupportedQuery"
    assert graph.get("/v1.0/users", top=2).status_code == 400


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


@pytest.mark.parametrize("types", [["servicePrincipal"], ["user"], ["user", "servicePrincipal"], ["directoryObject"]])
def test_objects_are_found_by_type(types: list[str], tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    gone = tenant.add_user("gone@contoso.example", deleted=True)
    workload = tenant.add_service_principal("Payroll Sync")
    ids = [user.id, workload.id, gone.id, UNKNOWN_ID]
    answer = graph.send("POST", f"{GET_BY_IDS}?$select=id", json={"ids": ids, "types": types})
    names = [name for name in ("user", "servicePrincipal") if name in types or types == ["directoryObject"]]
    found = {"user": user.id, "servicePrincipal": workload.id}
    expected = [{"@odata.type": f"#microsoft.graph.{name}", "id": found[name]} for name in names]
    assert answer.json()["value"] == expected
