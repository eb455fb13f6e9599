"""Everything that can break between a client and the service."""

from __future__ import annotations

import time
import typing as t

import pytest
import requests

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.faults import Fault
from tests.entra_emulator.tenant import Tenant
from tests.entra_emulator.web import Request

from .client import RISKY_USERS, Client


@pytest.mark.parametrize("retry_after", [None, "0", "7", "2.128", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
@pytest.mark.parametrize("status", [429, 503, 504])
def test_a_status_with_and_without_retry_after(
    status: int, retry_after: str | None, tenant: Tenant, graph: Client
) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    tenant.add_fault(status=status, headers=headers, times=1)
    broken = graph.act("dismiss", user.id)
    assert broken.status_code == status
    assert broken.headers.get("Retry-After") == retry_after
    assert broken.json()["error"]["code"]
    assert broken.headers["request-id"]
    assert tenant.user(user.id) == user
    assert graph.act("dismiss", user.id).status_code == 204


def test_a_fault_hits_what_it_is_for(tenant: Tenant, graph: Client) -> None:
    fault = tenant.add_fault(method="GET", path=r"\$top=7", nth=[2, 3], times=1, status=500, name="second seven")
    statuses = [graph.get(top=top).status_code for top in (7, 5, 7, 7)]
    assert statuses == [200, 200, 500, 200]
    assert (fault.seen, fault.fired) == (3, 1)
    assert [entry["fault"] for entry in tenant.journal.entries] == [None, None, "second seven", None]
    tenant.clear_faults()
    assert graph.get(top=7).status_code == 200


@pytest.mark.parametrize(
    ("fields", "content_type", "text"),
    [
        ({"status": 500, "body": {"error": "x"}}, "application/json", '{"error": "x"}'),
        ({"status": 502, "body": "<html>Bad gateway</html>"}, "text/html", "<html>Bad gateway</html>"),
        ({"body": ""}, "application/json", ""),
    ],
)
def test_bodies(fields: dict[str, t.Any], content_type: str, text: str, tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(**fields)
    answer = graph.get()
    assert answer.status_code == fields.get("status", 200)
    assert answer.headers["Content-Type"].startswith(content_type)
    assert answer.text == text


@pytest.mark.parametrize(("drop", "written"), [("before", False), ("after", True)])
def test_a_connection_breaks(drop: str, written: bool, tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    tenant.add_fault(method="POST", drop=drop, times=1)
    with pytest.raises(requests.ConnectionError):
        graph.act("dismiss", user.id)
    assert (tenant.user(user.id).risk_state == "dismissed") is written
    entry = tenant.journal.entries[-1]
    assert (entry["status"], entry["written"]) == (None, [user.id] if written else [])
    assert graph.get().status_code == 200


def test_an_error_after_the_effect(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    tenant.add_fault(method="POST", status=504, effect=True)
    assert graph.act("dismiss", user.id).status_code == 504
    assert tenant.user(user.id).risk_state == "dismissed"


def test_a_cut_body(tenant: Tenant, graph: Client) -> None:
    tenant.add_user("adele.vance@contoso.example")
    tenant.add_fault(cut=True, times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        graph.get()
    assert graph.get().status_code == 200


def test_a_slow_answer(tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(delay=0.4)
    with pytest.raises(requests.exceptions.ReadTimeout):
        graph.send("GET", RISKY_USERS, timeout=0.2)
    started = time.monotonic()
    assert graph.get().status_code == 200
    assert time.monotonic() - started >= 0.4


def test_a_redirect_to_another_host(tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(redirect="https://127.0.0.1:1/elsewhere")
    assert graph.get().status_code == 307
    assert graph.get().headers["Location"] == "https://127.0.0.1:1/elsewhere"
    tenant.clear_faults()
    tenant.add_fault(redirect="https://127.0.0.1:1/elsewhere", status=302)
    assert graph.get().status_code == 302


@pytest.mark.parametrize("link", ["https://127.0.0.1:1/v1.0/identityProtection/riskyUsers?$skiptoken=x", "self"])
def test_a_next_link_that_leads_astray(link: str, tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(next_link=link)
    page = graph.get(top=5).json()
    expected = f"{graph.origin}{RISKY_USERS}?%24top=5" if link == "self" else link
    assert page["@odata.nextLink"] == expected


def test_a_body_is_bent(tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(bom=True, pad=40_000_000, gzip=True)
    answer = graph.get()
    assert answer.headers["Content-Encoding"] == "gzip" and int(answer.headers["Content-Length"]) < 1_000_000
    assert answer.content.startswith(b"\xef\xbb\xbf{") and len(answer.content) > 40_000_000


def test_an_answer_drips(tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(drip=0.0005, body="{}")
    started = time.monotonic()
    assert graph.get().json() == {}
    assert time.monotonic() - started > 0.1


def test_a_gateway_has_no_marks_of_graph(tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(gateway=True, status=404, body="no route", headers={"Content-Type": "text/plain", "Date": None})
    answer = graph.get()
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (404, "no route", "text/plain")
    assert {"request-id", "Date"}.isdisjoint(answer.headers)


def test_the_words_of_an_error(tenant: Tenant, graph: Client) -> None:
    tenant.add_fault(status=403, code="Odd", message="\x1b[31m\ud83d", headers={"request-id": "\x1b[0m"})
    answer = graph.get()
    assert (answer.json()["error"]["code"], answer.json()["error"]["message"]) == ("Odd", "\x1b[31m\ud83d")
    assert answer.headers["request-id"] == "\x1b[0m"


def test_a_change_between_two_pages(tenant: Tenant, graph: Client) -> None:
    first, second = (tenant.add_user(f"{name}@contoso.example") for name in "ab")
    tenant.add_fault(nth=1, change={first.id: {"risk_level": "high"}, "new@contoso.example": {"risk_level": "low"}})
    seen = [(record["id"], record["riskLevel"]) for page in graph.everybody(top=1) for record in page]
    assert seen[:2] == [(first.id, "medium"), (second.id, "medium")] and seen[2][1] == "low"
    assert tenant.user(first.id).risk_level == "high"


def test_a_fault_for_some_seconds() -> None:
    fault = Fault(seconds=70, status=410)
    request = Request.of("graph", "GET", "/")
    assert [fault.hits(request, now) for now in (100, 169, 170)] == [True, True, False]


def test_the_login_and_the_machine_break_too(emulator: Emulator, tenant: Tenant, control: Client) -> None:
    tenant.add_identity()
    login = Client(emulator.login_url, emulator.ca_path)
    tenant.add_fault(listener="login", path="/token$", status=503, headers={"Retry-After": "3"})
    tenant.add_fault(listener="plain", status=429, body="slow down")
    token = login.send("POST", f"/{tenant.id}/oauth2/v2.0/token")
    discovery = login.get(f"/{tenant.id}/v2.0/.well-known/openid-configuration")
    machine = control.get(f"/machine/{tenant.id}/metadata/identity/oauth2/token")
    login.close()
    assert (token.status_code, token.headers["Retry-After"]) == (503, "3")
    assert discovery.status_code == 200
    assert (machine.status_code, machine.text) == (429, "slow down")
