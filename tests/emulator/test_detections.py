"""Risk detections: the list and its order, and what writes to their users do to them."""

from __future__ import annotations

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISK_DETECTIONS, Client

ADELE = "adele.vance@contoso.example"


@pytest.mark.breaks_contract
def test_detections_are_only_read(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    added = tenant.add_detection(ADELE)
    requests = (("POST", "", 405), ("POST", "/dismiss", 405), ("PATCH", "/x", 405), ("GET", "/$count", 404),
                ("GET", f"/{added['id']}/history", 400))  # fmt: skip
    for method, suffix, status in requests:
        assert graph.send(method, RISK_DETECTIONS + suffix).status_code == status
    assert tenant.detections == [added]


@pytest.mark.parametrize(
    ("query", "expected"),
    [({}, [3, 1, 2]), ({"orderby": "detectedDateTime desc"}, [3, 2, 1]), ({"orderby": "detectedDateTime"}, [1, 2, 3]),
     ({"orderby": "detectedDateTime desc", "filter": "riskLevel eq 'low'"}, [2, 1])],
)  # fmt: skip
def test_the_order_of_the_list(query: dict[str, str], expected: list[int], tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    for day in (3, 1, 2):
        level = "medium" if day == 3 else "low"
        tenant.add_detection(ADELE, detected=f"2026-01-0{day}T12:00:00.0000000Z", risk_level=level)
    for top in (1, 2, 500):
        listed = [item for page in graph.everybody(RISK_DETECTIONS, top=top, **query) for item in page]
        assert [int(item["detectedDateTime"][8:10]) for item in listed] == expected


def test_detections_follow_their_user(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user(ADELE)
    before = tenant.add_detection(ADELE, risk_event_type="leakedCredentials")
    graph.act("confirmCompromised", user.id)
    kept, added = graph.get(RISK_DETECTIONS).json()["value"]
    assert kept["id"] == before["id"] and kept["riskState"] == "atRisk"
    # Without a sign-in there is no place.
    assert kept["ipAddress"] is kept["location"] is kept["requestId"] is kept["correlationId"] is None
    assert (kept["activity"], kept["detectionTimingType"]) == ("user", "offline")
    assert added["riskEventType"] == added["riskDetail"] == "adminConfirmedUserCompromised"
    assert (added["riskState"], added["riskLevel"]) == ("confirmedCompromised", "high")
    assert (added["userId"], added["userPrincipalName"], added["requestId"]) == (user.id, ADELE, None)
    assert added["detectedDateTime"] > kept["detectedDateTime"]
    tenant.switches.effect_delay = 900
    graph.act("dismiss", user.id)
    assert {item["riskState"] for item in tenant.detections} == {"atRisk", "confirmedCompromised"}
    tenant.switches.effect_delay = 0
    graph.act("dismiss", user.id)
    assert {item["riskState"] for item in tenant.detections} == {"dismissed"}
