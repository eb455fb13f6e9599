"""The contract check catches what it is there for, and the HTTP server keeps to HTTP."""

from __future__ import annotations

import http.client
import json
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


# Columns: method, what follows the path of the risky users, body, words of the remark.
BAD_REQUESTS: t.Sequence[tuple[str, str, t.Any, str]] = [
    ("POST", "/dismiss", {"userIds": [UNKNOWN_ID, UNKNOWN_ID]}, "non-unique"),
    ("POST", "/dismiss", {"userIds": [str(uuid.uuid4()) for dummy in range(61)]}, "userIds"),
    ("POST", "/dismiss", {"userIds": ["adele@contoso.example"]}, "does not match"),
    ("POST", "/dismiss", {"userIds": [UNKNOWN_ID], "x": 1}, "'x' was unexpected"),
    ("POST", "/dismiss", None, "body"),
    ("POST", "/remediate", {"userIds": [UNKNOWN_ID]}, "not found"),
    ("GET", "?top=5", None, "'top'"),
    ("GET", "?$top=501", None, "501"),
    ("GET", "?$top=5&$top=6", None, "twice"),
    ("GET", "?$select=secret", None, "secret"),
    ("GET", "/adele@contoso.example", None, "does not match"),
]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        *((asked(method, RISKY_USERS + rest, body), words) for method, rest, body, words in BAD_REQUESTS),
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
    assert [tenant.journal.entries[0]] == emulator.violations
    assert tenant.journal.summary()["violations"] == ["unknown query parameter 'top'"]


@pytest.mark.breaks_contract
def test_an_unused_body_does_not_spoil_the_connection(emulator: Emulator) -> None:
    context = ssl.create_default_context(cafile=emulator.ca_path)
    connection = http.client.HTTPSConnection(urlsplit(emulator.graph_url).netloc, timeout=10, context=context)
    sockets = set()
    for request in (("DELETE", "/nothing", b"GET /"), ("GET", "/nothing")):
        connection.request(*request)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 401
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()
