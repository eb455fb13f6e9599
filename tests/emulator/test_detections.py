"""Risk detections: the list and its order, one detection, and what writes to their users do to them."""

from __future__ import annotations

import typing as t

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISK_DETECTIONS, Client

ADELE = "adele.vance@contoso.example"


def days(*numbers: int) -> list[str]:
    """Days of a month, at noon."""
    return [f"2026-01-{number:02d}T12:00:00.0000000Z" for number in numbers]


def listed(graph: Client, **query: t.Any) -> list[str]:
    """When the detections of the list were detected, in its order, over all pages."""
    return [item["detectedDateTime"] for page in graph.everybody(RISK_DETECTIONS, **query) for item in page]


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    ("method", "suffix", "status"),
    [("POST", "", 405), ("POST", "/dismiss", 405), ("PATCH", "/x", 405), ("GET", "/$count", 404),
     ("GET", "/{ID}/history", 400)],
)  # fmt: skip
def test_detections_are_only_read(method: str, suffix: str, status: int, tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    added = tenant.add_detection(ADELE)
    assert graph.send(method, RISK_DETECTIONS + suffix.replace("{ID}", added["id"])).status_code == status
    assert tenant.detections == [added]


def test_a_detection_without_sign_in_has_no_place(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    tenant.add_detection(ADELE, risk_event_type="leakedCredentials")
    (item,) = graph.get(RISK_DETECTIONS).json()["value"]
    assert item["ipAddress"] is item["location"] is item["requestId"] is item["correlationId"] is None
    assert (item["activity"], item["detectionTimingType"]) == ("user", "offline")


@pytest.mark.parametrize("top", [1, 2, 500])
@pytest.mark.parametrize(
    ("query", "expected"),
    [({}, days(3, 1, 2)), ({"orderby": "detectedDateTime desc"}, days(3, 2, 1)),
     ({"orderby": "detectedDateTime asc"}, days(1, 2, 3)), ({"orderby": "detectedDateTime"}, days(1, 2, 3)),
     ({"orderby": "detectedDateTime desc", "filter": "riskLevel eq 'low'"}, days(2, 1))],
)  # fmt: skip
def test_the_order_of_the_list(
    query: dict[str, str], expected: list[str], top: int, tenant: Tenant, graph: Client
) -> None:
    tenant.add_user(ADELE)
    for moment in days(3, 1, 2):
        tenant.add_detection(ADELE, detected=moment, risk_level="medium" if moment == days(3)[0] else "low")
    assert listed(graph, top=top, **query) == expected


def test_detections_follow_their_user(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user(ADELE)
    before = tenant.add_detection(ADELE)
    graph.act("confirmCompromised", user.id)
    kept, added = graph.get(RISK_DETECTIONS).json()["value"]
    assert kept["id"] == before["id"] and kept["riskState"] == "atRisk"
    assert (added["riskEventType"], added["riskState"], added["riskLevel"], added["riskDetail"]) == (
        "adminConfirmedUserCompromised",
        "confirmedCompromised",
        "high",
        "adminConfirmedUserCompromised",
    )
    assert (added["userId"], added["userPrincipalName"], added["requestId"]) == (user.id, ADELE, None)
    assert added["detectedDateTime"] > kept["detectedDateTime"]
    tenant.switches.effect_delay = 900
    graph.act("dismiss", user.id)
    assert {item["riskState"] for item in tenant.detections} == {"atRisk", "confirmedCompromised"}
    tenant.switches.effect_delay = 0
    graph.act("dismiss", user.id)
    assert {item["riskState"] for item in tenant.detections} == {"dismissed"}
