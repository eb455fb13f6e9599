"""What Graph says of links, paths, late members, and the directory; and what a write does to detections."""

from __future__ import annotations

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISK_DETECTIONS, RISKY_USERS, UNKNOWN_ID, Client


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


def test_detections_follow_their_user(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    before = tenant.add_detection("adele.vance@contoso.example", risk_event_type="leakedCredentials")
    graph.act("confirmCompromised", user.id)
    kept, added = graph.get(RISK_DETECTIONS).json()["value"]
    assert kept["id"] == before["id"] and kept["riskState"] == "atRisk"
    # Without a sign-in there is no place.
    assert kept["ipAddress"] is kept["location"] is kept["requestId"] is kept["correlationId"] is None
    assert (kept["activity"], kept["detectionTimingType"]) == ("user", "offline")
    assert added["riskEventType"] == added["riskDetail"] == "adminConfirmedUserCompromised"
    assert (added["riskState"], added["riskLevel"]) == ("confirmedCompromised", "high")
    assert (added["userId"], added["requestId"]) == (user.id, None)
    assert added["detectedDateTime"] > kept["detectedDateTime"]
    tenant.switches.effect_delay = 900
    graph.act("dismiss", user.id)
    assert {item["riskState"] for item in tenant.detections} == {"atRisk", "confirmedCompromised"}
    tenant.switches.effect_delay = 0
    graph.act("dismiss", user.id)
    assert {item["riskState"] for item in tenant.detections} == {"dismissed"}
