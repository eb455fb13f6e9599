"""How the risk of somebody changed: pages, and a past that is made up."""

from __future__ import annotations

import typing as t

from tests.entra_emulator.tenant import Tenant

from .client import UNKNOWN_ID, Client
from .kinds import USERS, Kind

PAST: t.Sequence[dict[str, t.Any]] = [
    {
        "id": "first",
        "risk_state": "atRisk",
        "risk_level": "low",
        "risk_last_updated": "2026-01-02T03:04:05Z",
        "risk_event_types": ["unlikelyTravel", "passwordSpray"],
    },
    {
        "id": "second",
        "risk_state": "confirmedCompromised",
        "risk_last_updated": "2026-01-03T00:00:00.1234567Z",
        "initiated_by": UNKNOWN_ID,
    },
]


def test_history_tells_every_change(kind: Kind, tenant: Tenant, graph: Client) -> None:
    added = kind.add(tenant, "adele.vance@contoso.example")
    graph.act("confirmCompromised", added.id, prefix=kind.path)
    answer = graph.get(f"{kind.path}/{added.id}/history")
    items = answer.json()["value"]
    single = graph.get(f"{kind.path}/{added.id}/history/{items[1]['id']}").json()
    assert [item["riskState"] for item in items] == ["atRisk", "confirmedCompromised"]
    assert [item.get("userId") for item in items] == ([added.id] * 2 if kind is USERS else [None, None])
    assert items[0]["initiatedBy"] is None
    assert items[1]["initiatedBy"]
    assert items[0]["activity"]["riskEventTypes"] == ["unfamiliarFeatures" if kind is USERS else "suspiciousSignins"]
    assert single.items() >= items[1].items()
    assert "@odata.nextLink" not in answer.json()


def test_a_past_can_be_made_up(kind: Kind, tenant: Tenant, graph: Client) -> None:
    added = kind.add(tenant, "adele.vance@contoso.example", risk_state="dismissed", history=PAST)
    first, second = graph.get(f"{kind.path}/{added.id}/history").json()["value"]
    assert (first["id"], first["riskState"], first["riskLevel"]) == ("first", "atRisk", "low")
    assert first["riskLastUpdatedDateTime"] == "2026-01-02T03:04:05.0000000Z"
    assert first["activity"] == {"detail": "none", "riskEventTypes": ["unlikelyTravel", "passwordSpray"]}
    assert (second["riskState"], second["riskLevel"], second["initiatedBy"]) == (
        "confirmedCompromised",
        "high",
        UNKNOWN_ID,
    )
    assert second["riskLastUpdatedDateTime"] == "2026-01-03T00:00:00.1234567Z"
    assert added.risk_state == "dismissed"
    assert [item["id"] for item in added.history] == ["first", "second"]


def with_long_past(kind: Kind, tenant: Tenant) -> str:
    """The path of a history of 7 items, with the ids 0 to 6."""
    items = [{"id": str(number)} for number in range(7)]
    return f"{kind.path}/{kind.add(tenant, 'adele.vance@contoso.example', history=items).id}/history"


def test_history_has_pages(kind: Kind, tenant: Tenant, graph: Client) -> None:
    path = with_long_past(kind, tenant)
    by_request = graph.everybody(path, top=3)
    tenant.switches.page_size = 2
    by_switch = graph.everybody(path)
    assert [len(page) for page in by_request] == [3, 3, 1]
    assert [len(page) for page in by_switch] == [2, 2, 2, 1]
    for pages in (by_request, by_switch):
        assert [item["id"] for page in pages for item in page] == list("0123456")
