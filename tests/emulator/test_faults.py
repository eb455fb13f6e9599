"""Everything that can break between a client and the service."""

from __future__ import annotations

import typing as t

import pytest
import requests

from tests.entra_emulator.faults import Fault
from tests.entra_emulator.tenant import Tenant
from tests.entra_emulator.web import Request

from .client import RISKY_USERS, Client

ELSEWHERE = "https://127.0.0.1:1/elsewhere"
# Columns: the fault, and what the answer has: status, text, and how its headers begin. None is a header that it lacks.
ANSWERS: t.Sequence[tuple[dict[str, t.Any], int, str | None, dict[str, str | None]]] = [
    ({"status": 429}, 429, None, {"request-id": "", "Retry-After": None}),
    ({"status": 503, "headers": {"Retry-After": "soon"}}, 503, None, {"request-id": "", "Retry-After": "soon"}),
    ({"status": 500, "body": {"error": "x"}}, 500, '{"error": "x"}', {"Content-Type": "application/json"}),
    ({"status": 502, "body": "<html>Bad</html>"}, 502, "<html>Bad</html>", {"Content-Type": "text/html"}),
    ({"body": ""}, 200, "", {"Content-Type": "application/json"}),
    ({"redirect": ELSEWHERE}, 307, "", {"Location": ELSEWHERE}),
    ({"raw": "HTTP/1.1 418 x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"}, 418, "hi", {"request-id": None}),
    ({"gateway": True, "status": 404, "body": "x", "headers": {"Date": None}}, 404, "x",
     {"request-id": None, "Date": None}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "text", "headers"), ANSWERS)
def test_a_fault_gives_the_answer(
    fields: dict[str, t.Any],
    status: int,
    text: str | None,
    headers: dict[str, str | None],
    tenant: Tenant,
    graph: Client,
) -> None:
    tenant.add_fault(**fields, times=1)
    answer = graph.get()
    assert answer.status_code == status
    assert answer.json()["error"]["code"] if text is None else answer.text == text
    for name, value in headers.items():
        assert name not in answer.headers if value is None else answer.headers[name].startswith(value)
    assert graph.get().status_code == 200


# Columns: the fault, the status of the write that it hits (None: the connection breaks), whether it is written.
WRITES: t.Sequence[tuple[dict[str, t.Any], int | None, bool]] = [
    ({"status": 503}, 503, False),
    ({"status": 504, "effect": True}, 504, True),
    ({"drop": "before"}, None, False),
    ({"drop": "after"}, None, True),
]


@pytest.mark.parametrize(("fields", "status", "written"), WRITES)
def test_a_fault_lets_a_write_take_effect_or_not(
    fields: dict[str, t.Any], status: int | None, written: bool, tenant: Tenant, graph: Client
) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    tenant.add_fault(method="POST", times=1, **fields)
    if status is None:
        with pytest.raises(requests.ConnectionError):
            graph.act("dismiss", user.id)
    else:
        assert graph.act("dismiss", user.id).status_code == status
    assert (tenant.user(user.id).risk_state == "dismissed") is written
    entry = tenant.journal.entries[-1]
    assert (entry["status"], entry["written"]) == (status, [user.id] if written else [])


def test_a_fault_hits_what_it_is_for_and_for_so_long(tenant: Tenant, graph: Client) -> None:
    fault = tenant.add_fault(method="GET", path=r"\$top=7", nth=[2, 3], times=1, status=500, name="second seven")
    assert [graph.get(top=top).status_code for top in (7, 5, 7, 7)] == [200, 200, 500, 200]
    assert (fault.seen, fault.fired) == (3, 1)
    assert [entry["fault"] for entry in tenant.journal.entries] == [None, None, "second seven", None]
    fault, request = Fault(seconds=70, status=410), Request.of("graph", "GET", "/")
    assert [fault.hits(request, now) for now in (100, 169, 170)] == [True, True, False]


def test_a_body_is_cut_late_or_bent(tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(cut=True, times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        graph.get()
    tenant.add_fault(delay=0.2, times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        graph.send("GET", RISKY_USERS, timeout=0.1)
    tenant.add_fault(bom=True, pad=40_000_000, gzip=True, times=1)
    answer = graph.get()
    assert answer.headers["Content-Encoding"] == "gzip" and int(answer.headers["Content-Length"]) < 1_000_000
    assert answer.content.startswith(b"\xef\xbb\xbf{") and len(answer.content) > 40_000_000
    tenant.add_fault(status=403, code="Odd", message="\x1b[31m\ud83d")
    error = graph.get().json()["error"]
    assert (error["code"], error["message"]) == ("Odd", "\x1b[31m\ud83d")


@pytest.mark.parametrize("link", [f"{ELSEWHERE}?$skiptoken=x", "self"])
def test_a_next_link_that_leads_astray(link: str, tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(next_link=link)
    expected = f"{graph.origin}{RISKY_USERS}?%24top=5" if link == "self" else link
    assert graph.get(top=5).json()["@odata.nextLink"] == expected


def test_a_change_between_two_pages(tenant: Tenant, graph: Client) -> None:
    first, second = (tenant.add_user(f"{name}@contoso.example") for name in "ab")
    tenant.add_fault(nth=1, change={first.id: {"risk_level": "high"}, "new@contoso.example": {"risk_level": "low"}})
    seen = [(record["id"], record["riskLevel"]) for page in graph.everybody(top=1) for record in page]
    assert seen[:2] == [(first.id, "medium"), (second.id, "medium")] and seen[2][1] == "low"
    assert tenant.user(first.id).risk_level == "high"
