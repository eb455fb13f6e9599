"""Faults: the answers that they give, and whom they hit. Those of the connection are seen in the functional tests."""

from __future__ import annotations

import typing as t

import pytest

from tests.entra_emulator.faults import Fault
from tests.entra_emulator.tenant import Tenant
from tests.entra_emulator.web import Request

from .client import Client

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


def test_a_fault_hits_what_it_is_for_and_for_so_long(tenant: Tenant, graph: Client) -> None:
    fault = tenant.add_fault(method="GET", path=r"\$top=7", nth=[2, 3], times=1, status=500, name="second seven")
    assert [graph.get(top=top).status_code for top in (7, 5, 7, 7)] == [200, 200, 500, 200]
    assert (fault.seen, fault.fired) == (3, 1)
    assert [entry["fault"] for entry in tenant.journal.entries] == [None, None, "second seven", None]
    fault, request = Fault(seconds=70, status=410), Request.of("graph", "GET", "/")
    assert [fault.hits(request, now) for now in (100, 169, 170)] == [True, True, False]
