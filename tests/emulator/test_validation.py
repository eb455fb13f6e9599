"""The contract check catches what it is there for, and the HTTP server keeps to HTTP."""

from __future__ import annotations

import json
import socket
import ssl
import typing as t
import uuid
from urllib.parse import urlsplit

import pytest

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant
from tests.entra_emulator.validation import Validator
from tests.entra_emulator.web import Answer, Request

from .client import RISKY_USERS, UNKNOWN_ID, Client

HEADERS = {"host": "localhost", "authorization": "Bearer x", "content-type": "application/json"}
ANSWER_HEADERS = {"request-id": str(uuid.uuid4()), "client-request-id": "x", "x-ms-ags-diagnostic": "{}"}


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def asked(method: str, target: str, body: t.Any = None) -> Request:
    return Request.of("graph", method, target, HEADERS.items(), b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (asked("POST", f"{RISKY_USERS}/dismiss", {"userIds": [UNKNOWN_ID, UNKNOWN_ID]}), "non-unique"),
        (asked("POST", f"{RISKY_USERS}/dismiss", {"userIds": []}), "userIds"),
        (asked("POST", f"{RISKY_USERS}/dismiss", {"userIds": [str(uuid.uuid4()) for dummy in range(61)]}), "userIds"),
        (asked("POST", f"{RISKY_USERS}/dismiss", {"userIds": ["adele@contoso.example"]}), "does not match"),
        (asked("POST", f"{RISKY_USERS}/dismiss", {"userIds": [UNKNOWN_ID], "x": 1}), "'x' was unexpected"),
        (asked("POST", f"{RISKY_USERS}/dismiss", {}), "required"),
        (asked("POST", f"{RISKY_USERS}/dismiss"), "body"),
        (asked("POST", f"{RISKY_USERS}/remediate", {"userIds": [UNKNOWN_ID]}), "not found"),
        (asked("GET", f"{RISKY_USERS}?top=5"), "'top'"),
        (asked("GET", f"{RISKY_USERS}?$top=501"), "501"),
        (asked("GET", f"{RISKY_USERS}?$orderby=id"), "$orderby"),
        (asked("GET", f"{RISKY_USERS}?$top=5&$top=6"), "twice"),
        (asked("GET", f"{RISKY_USERS}?$select=secret"), "secret"),
        (asked("GET", f"{RISKY_USERS}/adele@contoso.example"), "does not match"),
        (asked("GET", "/v1.0/users/adele"), "does not match"),
        (asked("GET", "/v1.0/riskyUsers"), "not found"),
        (Request.of("graph", "GET", RISKY_USERS, [("host", "localhost")]), "Security"),
    ],
)
def test_a_bad_request_is_noticed(request_: Request, words: str, validator: Validator) -> None:
    assert any(words in text for text in validator.request(request_)), validator.request(request_)


def page(**changes: t.Any) -> dict[str, t.Any]:
    record = {"id": UNKNOWN_ID, "riskLastUpdatedDateTime": "2026-01-01T00:00:00.0000000Z", "riskState": "atRisk"}
    return {"@odata.context": "https://localhost/$metadata#x", "value": [{**record, **changes}] * 3}


@pytest.mark.parametrize(
    ("status", "data", "headers", "words"),
    [
        (200, page(), ANSWER_HEADERS, None),
        (200, page(riskState=None), ANSWER_HEADERS, None),
        (200, page(riskState="bogus"), ANSWER_HEADERS, "bogus"),
        (200, page(riskLastUpdatedDateTime="2026-01-01T00:00:00Z"), ANSWER_HEADERS, "riskLastUpdatedDateTime"),
        (200, page(more=1), ANSWER_HEADERS, "more"),
        (200, page(), {}, "request-id"),
        (404, {"error": {"code": "x"}}, ANSWER_HEADERS, "message"),
        (302, {}, ANSWER_HEADERS, "302"),
    ],
)
def test_a_bad_answer_is_noticed(
    status: int, data: t.Any, headers: dict[str, str], words: str | None, validator: Validator
) -> None:
    found = validator.answer(asked("GET", RISKY_USERS), Answer.of_json(status, data, headers))
    assert found == [] if words is None else any(words in text for text in found)


@pytest.mark.breaks_contract
def test_violations_stand_in_the_journal(tenant: Tenant, graph: Client, emulator: Emulator) -> None:
    graph.send("GET", f"{RISKY_USERS}?top=5")
    graph.get()
    assert [entry["violations"] for entry in tenant.journal.entries] == [["unknown query parameter 'top'"], []]
    assert tenant.journal.violations == emulator.violations
    assert tenant.journal.summary()["violations"] == ["unknown query parameter 'top'"]


def exchange(emulator: Emulator, *requests: bytes) -> list[bytes]:
    """Send raw requests one after the other over one TLS connection; gives the status line of each answer."""
    url = urlsplit(emulator.graph_url)
    context = ssl.create_default_context(cafile=emulator.ca_path)
    lines = []
    with (
        socket.create_connection(("127.0.0.1", url.port or 0), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
        connection.makefile("rb") as stream,
    ):
        for request in requests:
            connection.sendall(request)
            lines.append(stream.readline().strip())
            length = 0
            while (header := stream.readline().strip()) != b"":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            stream.read(length)
    return lines


def raw(method: str, headers: str = "", body: str = "", path: str = "/nothing") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}".encode()


@pytest.mark.breaks_contract
def test_an_unused_body_does_not_spoil_the_connection(emulator: Emulator) -> None:
    for first in (
        raw("DELETE", "Content-Length: 5\r\n", "GET /"),
        raw("TRACE", "Content-Length: 5\r\n", "GET /"),
        raw("POST", "Transfer-Encoding: chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
        raw("POST"),
    ):
        assert exchange(emulator, first, raw("GET")) == [b"HTTP/1.1 401 Unauthorized"] * 2


@pytest.mark.parametrize(
    "first",
    [
        raw("POST", "Content-Length: x\r\n"),
        raw("POST", "Content-Length: 99999999999\r\n"),
        raw("POST", "Transfer-Encoding: chunked\r\n", "zz\r\n"),
        raw("POST", "Transfer-Encoding: chunked\r\n", "99999999\r\n"),
        b"GET / HTTP/9\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(first: bytes, emulator: Emulator) -> None:
    (line,) = exchange(emulator, first)
    assert line.split()[1] in (b"400", b"505")
