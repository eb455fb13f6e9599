from __future__ import annotations

import dataclasses
import json
import math
import re
import typing as t
import uuid

import pytest
import requests
import responses

from ansible_collections.identityops.entra_risk.plugins.module_utils import _errors, _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph import client as _graph
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph import paging
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.client import GraphClient, GraphResponse
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.paging import Page
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.permissions import RequiredPermission
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.throttle import Pacer
from ansible_collections.identityops.entra_risk.plugins.module_utils._http import Transport
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.simulated_time import SimulatedTime

GRAPH = "https://graph.example"
PATH = "/v1.0/identityProtection/riskyUsers"
ACCESS = RequiredPermission("IdentityRiskyUser.Read.All", role="Security Reader", license="Microsoft Entra ID P2")
PLAIN = RequiredPermission("User.Read.All", rate_limit_group="directory")
TOKEN = "canary-token-0123456789"
REQUEST_ID = "aaaaaaaa-0000-4000-8000-000000000001"
DENIED = _errors.PermissionDeniedError
NOON = "Sun, 22 Nov 2026 12:00:00 GMT"

Step = t.Union[int, "tuple[t.Any, ...]", Exception]


class FakeTokens:
    """A login that may hand out further tokens."""

    def __init__(self) -> None:
        self.current = TOKEN
        self.further: list[str] = []

    def token(self) -> str:
        return self.current

    def renew(self) -> bool:
        if not self.further:
            return False
        self.current = self.further.pop(0)
        return True


@dataclasses.dataclass
class Script:
    """A client, and a server that answers what a test says, one answer for each request."""

    mock: responses.RequestsMock
    tokens: FakeTokens = dataclasses.field(default_factory=FakeTokens)
    time: SimulatedTime = dataclasses.field(default_factory=SimulatedTime)
    redactor: Redactor = dataclasses.field(default_factory=Redactor)

    def __post_init__(self) -> None:
        self.redactor.add(TOKEN)
        self.client = self.new_client()

    def new_client(self, retry_timeout: float = 300) -> GraphClient:
        transport = Transport(verify=True, timeout=60, redactor=self.redactor)
        how: t.Any = {"retry_timeout": retry_timeout, "redactor": self.redactor, "clock": self.time.clock}
        return GraphClient(transport, self.tokens, GRAPH, api_version="v1.0", **how)

    def answers(self, *steps: Step, method: str = "GET", path: str = PATH) -> None:
        """A step is a status, `(status, body)`, `(status, body, headers)`, or an exception of the connection."""
        for step in steps:
            if isinstance(step, Exception):
                self.mock.add(method, GRAPH + path, body=step)
                continue
            status, body, headers = (*(step if isinstance(step, tuple) else (step,)), None, None)[:3]
            kind = "application/json"
            if body is None:
                body = {"value": []} if status == 200 else ""
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
            elif "<" in str(body):
                kind = "text/html"
            self.mock.add(
                method, GRAPH + path, status=status, body=body, content_type=kind,
                headers={"request-id": REQUEST_ID, "Date": NOON, **(headers or {})},
            )  # fmt: skip

    def get(self, **options: t.Any) -> GraphResponse:
        return self.client.get(PATH, required=ACCESS, **options)

    def post(self) -> GraphResponse:
        return self.client.post(f"{PATH}/dismiss", {"userIds": ["x"]}, required=ACCESS)

    def fails(self, call: t.Callable[[], t.Any], kind: type[_errors.EntraRiskError]) -> _errors.EntraRiskError:
        with pytest.raises(_errors.EntraRiskError) as caught:
            call()
        assert caught.value.__class__ is kind
        assert TOKEN not in f"{caught.value} {caught.value.details()}"
        # Not even in what a traceback shows: no chain to an exception that holds the request.
        assert caught.value.__context__ is None
        return caught.value

    @property
    def sent(self) -> list[requests.PreparedRequest]:
        return [call.request for call in self.mock.calls]


@pytest.fixture
def script() -> t.Iterator[Script]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield Script(mock)


def said(message: str, code: str = "Forbidden") -> dict[str, t.Any]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "from-the-body"}}}


TOO_MANY = (429, said("Too many requests.", "TooManyRequests"))
BROKEN = requests.exceptions.ConnectionError("Connection aborted")
TIMED_OUT = requests.exceptions.ReadTimeout("read timed out")
UNREACHABLE = requests.exceptions.ConnectTimeout("connect timed out")
WRITE = f"{PATH}/dismiss"


# What goes out, and what comes back


def test_a_get(script: Script) -> None:
    script.answers((200, {"id": "x"}))
    reply = script.get(params={"$select": "id"})
    request = script.sent[0]
    call_id = request.headers["client-request-id"]
    assert reply == GraphResponse(200, {"id": "x"}, REQUEST_ID, _timestamps.parse("2026-11-22T12:00:00Z"), call_id)
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Prefer"] == "include-unknown-enum-members"
    assert uuid.UUID(call_id).version == 4
    assert request.url == f"{GRAPH}{PATH}?$select=id"
    assert script.client.counts == _graph.RequestCounts(sent=1)


def test_a_post(script: Script) -> None:
    script.answers(204, method="POST", path=WRITE)
    reply = script.post()
    (request,) = script.sent
    assert (reply.status, reply.data, reply.request_id) == (204, None, REQUEST_ID)
    assert json.loads(request.body or "") == {"userIds": ["x"]}
    assert request.headers["Content-Type"] == "application/json"
    assert "Prefer" not in request.headers


def test_a_query_answers_data_and_is_repeated_like_a_get(script: Script) -> None:
    script.answers((500, ""), (200, {"value": [1]}), method="POST")
    reply = script.client.query(PATH, {"ids": ["x"]}, required=PLAIN)
    assert reply.data == {"value": [1]}
    assert script.client.counts.retried == 1


@pytest.mark.parametrize(
    "body",
    ["<html>no such site</html>", "", "gone", {"error": "gone"}, {"error": {"message": "no code"}},
     {"error": {"code": 404}}, {"statusCode": 404, "message": "Resource not found"}, '[{"error": {"code": "x"}}]'],
)  # fmt: skip
def test_the_page_of_a_proxy_does_not_pass_for_an_accepted_status(script: Script, body: t.Any) -> None:
    script.answers((404, body))
    error = script.fails(lambda: script.get(accept=(404,)), _errors.ServiceError)
    assert "instead of Graph's answer" in error.message


def test_each_call_has_an_id_of_its_own_which_stays_over_repetitions(script: Script) -> None:
    script.answers(500, TOO_MANY, BROKEN, 200, 200)
    script.get()
    script.get()
    ids = [request.headers["client-request-id"] for request in script.sent]
    assert len(set(ids[:4])) == 1
    assert ids[4] != ids[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", [f"https://{TOKEN}.example/x", f"{GRAPH}/other", "/other", "https://[bad", ""])
def test_no_redirect_is_followed(script: Script, status: int, location: str) -> None:
    script.answers((status, "", {"Location": location}))
    error = script.fails(script.get, _errors.ServiceError)
    assert "redirects to" in error.message
    assert "graph_url" in error.message
    assert len(script.sent) == 1
    assert not error.outcome_unknown


# Lists


def pages(script: Script) -> list[Page]:
    return list(paging.pages(script.client, PATH, {"$top": "500"}, required=ACCESS))


def page(mark: t.Any, *items: t.Any) -> Step:
    """A page with a link to the one of this mark."""
    return (200, {"value": items, "@odata.nextLink": f"{GRAPH}{PATH}?$skiptoken={mark}"})


def test_pages(script: Script) -> None:
    script.answers(page("a%2Bb_1", 1, 2), (200, {"value": [3]}))
    first, second = pages(script)
    assert (first.items, first.last, first.broken) == ([1, 2], False, None)
    assert (second.items, second.last, second.broken) == ([3], True, None)
    assert first.date == second.date == _timestamps.parse("2026-11-22T12:00:00Z")
    # The link goes out as it came, without the parameters of the first request.
    assert script.sent[1].url == f"{GRAPH}{PATH}?$skiptoken=a%2Bb_1"


@pytest.mark.parametrize(
    "link",
    ["https://evil.example/v1.0/x", "http://graph.example/v1.0/x", "https://graph.example:444/v1.0/x", "next",
     "https://graph.example.evil.example/x", "https://graph.example@evil.example/x", "https://sub.graph.example/x",
     "https://graph.example:port/x", "https://graph.example:99999/x", "https://[bad/x", "ftp://graph.example/x",
     "/v1.0/x", "//evil.example/x", "\\\\evil.example\\x", f"https://{TOKEN}.example/", 7, ["https://graph.example/x"]],
)  # fmt: skip
def test_the_token_does_not_follow_a_link_to_another_place(script: Script, link: t.Any) -> None:
    script.answers((200, {"value": [1], "@odata.nextLink": link}))
    error = script.fails(lambda: pages(script), _errors.ServiceError)
    assert "another place" in error.message
    assert error.request_id == REQUEST_ID
    assert error.client_request_id == script.sent[0].headers["client-request-id"]
    assert len(script.sent) == 1


# Where the first of these hosts end is read differently by different parsers of URLs.
@pytest.mark.parametrize(
    "link",
    ["https://evil.example\\@graph.example/x", "https://evil.example\\@graph.example:443/x",
     "https://user:password@graph.example/x", "https://graph.example\t.evil.example/x",
     "https://graph.example/\\evil.example", "https://graph.example:443/x", "HTTPS://GRAPH.example/x"],
)  # fmt: skip
def test_the_token_stays_at_its_origin_however_a_link_is_written(script: Script, link: str) -> None:
    script.answers((200, {"value": [1], "@odata.nextLink": link}))
    script.mock.assert_all_requests_are_fired = False
    anywhere = script.mock.add("GET", re.compile(".*"), json={"value": []})
    try:
        pages(script)
    except _errors.ServiceError:
        assert anywhere.call_count == 0
    for request in script.sent:
        assert str(request.url).startswith(f"{GRAPH}/")


@pytest.mark.parametrize(
    ("steps", "bounds", "words"),
    [
        ([page(1, 1), page(1, 2)], {}, "leads back"),
        ([page(number) for number in range(10)], {}, "10 empty pages in a row"),
        ([page(number, 1, 2) for number in range(3)], {"MOST_RECORDS": 6}, "no end after 6 records on 3 pages"),
        ([page(number, 1, 2) for number in range(4)], {"MOST_PAGES": 4}, "no end after 8 records on 4 pages"),
    ],
)
def test_a_list_without_an_end_is_given_up(
    script: Script, monkeypatch: pytest.MonkeyPatch, steps: list[Step], bounds: dict[str, int], words: str
) -> None:
    for name, most in bounds.items():
        monkeypatch.setattr(paging, name, most)
    script.answers(*steps)
    assert words in script.fails(lambda: pages(script), _errors.ServiceError).message
    assert len(script.sent) == len(steps)


def test_an_empty_page_in_between_is_harmless(script: Script) -> None:
    script.answers(*map(page, range(9)), page("x", 1), *map(page, range(10, 19)))
    script.answers((200, {"value": [2], "@odata.nextLink": ""}))
    assert [page.items for page in pages(script) if page.items] == [[1], [2]]


def test_a_400_on_a_later_page_ends_the_list_and_says_so(script: Script) -> None:
    script.answers(page(1, 1), (400, said("bad token", "BadRequest")))
    first, last = pages(script)
    assert first.items == [1]
    assert last.items == () and last.last
    assert isinstance(last.broken, _errors.RequestError)
    assert last.broken.status == 400


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([page(1, 1), (404, said("no", "NotFound"))], _errors.RequestError),
        ([page(1, 1), (403, said("no", "Forbidden"))], _errors.PermissionDeniedError),
        ([page(1, 1), (400, said("Your tenant is not licensed for this feature."))], _errors.LicenseError),
        ([page(1, 1), (400, "<html>bad request</html>")], _errors.ServiceError),
        # Not on a later page.
        ([(400, said("Invalid filter clause", "BadRequest"))], _errors.RequestError),
        *[([(200, {"value": value})], _errors.ServiceError) for value in (None, {}, "x")],
        ([(200, {"id": "x"})], _errors.ServiceError),
    ],
)
def test_other_faults_in_a_list_fail(script: Script, steps: list[Step], kind: type[_errors.EntraRiskError]) -> None:
    script.answers(*steps)
    script.fails(lambda: pages(script), kind)


# Repetitions


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 509])
@pytest.mark.parametrize("body", ["", "<html>Bad gateway</html>", said("Try again", "Busy")])
def test_a_get_is_repeated_after_a_fault_that_may_pass(script: Script, status: int, body: t.Any) -> None:
    script.answers((status, body), (status, body), 200)
    assert script.get().status == 200
    assert script.client.counts.sent == 3
    assert script.client.counts.retried == 2
    assert script.client.counts.throttled == (2 if status == 429 else 0)
    assert script.client.counts.waited_seconds == pytest.approx(sum(script.time.naps))
    assert script.time.naps


@pytest.mark.parametrize("status", [400, 402, 404, 405, 406, 409, 410, 413, 422, 451, 501, 507])
def test_no_other_answer_is_repeated(script: Script, status: int) -> None:
    script.answers((status, said("no", "No")))
    script.fails(script.get, _errors.RequestError if status < 500 else _errors.ServiceError)
    assert script.client.counts.sent == 1


def test_faults_that_do_not_pass_end_after_some_tries(script: Script) -> None:
    script.answers(*[(500, said("Oops", "generalException"))] * 8)
    error = script.fails(script.get, _errors.ServiceError)
    assert error.code == "generalException"
    assert script.client.counts.retried == 7
    # Half of 1 + 2 + 4 + 8 + 16 + 30 + 30 seconds at least, and not more than all of them.
    assert 45 <= script.client.counts.waited_seconds <= 91


@pytest.mark.parametrize(
    ("retry_timeout", "end", "least", "most"),
    [(300, math.inf, 200, 300), (60, math.inf, 30, 60), (300, 20.0, 5, 20), (0, math.inf, 0, 0)],
)
def test_throttling_is_repeated_until_the_deadline(
    script: Script, retry_timeout: float, end: float, least: float, most: float
) -> None:
    script.client = script.new_client(retry_timeout=retry_timeout)
    script.mock.assert_all_requests_are_fired = False
    script.answers(TOO_MANY)
    error = script.fails(lambda: script.get(end=end), _errors.ThrottledError)
    assert error.status == 429
    assert "retry_timeout" in error.message
    assert least <= script.time.now <= most
    counts = script.client.counts
    assert counts.throttled == counts.sent == counts.retried + 1
    assert counts.sent > least / 10


@pytest.mark.parametrize("status", [429, 503, 504])
@pytest.mark.parametrize(
    ("header", "least", "most"),
    # What is no use gives way to the own rule.
    [("30", 30, 30.2), ("2.128", 2.128, 2.3), ("Sun, 22 Nov 2026 12:00:20 GMT", 20, 20.2), ("soon", 0.5, 1.7)],
)
def test_retry_after_is_kept(script: Script, status: int, header: str, least: float, most: float) -> None:
    script.answers((status, "", {"Retry-After": header}), 200)
    script.get()
    assert least <= script.time.now <= most


@pytest.mark.parametrize("header", ["301", "1e300", "Mon, 23 Nov 2026 12:00:00 GMT"])
def test_a_retry_after_beyond_the_deadline_fails_at_once(script: Script, header: str) -> None:
    script.answers((429, "", {"Retry-After": header}))
    script.fails(script.get, _errors.ThrottledError)
    assert script.time.naps == []


def test_after_a_429_requests_keep_their_distance_within_their_scope(script: Script) -> None:
    script.answers(TOO_MANY, 200, 200)
    script.answers(200, path="/v1.0/users/x")
    script.get()
    paced = len(script.time.naps)
    script.client.get("/v1.0/users/x", required=PLAIN)
    assert len(script.time.naps) == paced
    script.get()
    assert len(script.time.naps) == paced + 1
    assert script.time.naps[-1] >= Pacer.STEADY


@pytest.mark.parametrize(
    ("steps", "good", "kind"),
    [
        ([200, BROKEN, TIMED_OUT, UNREACHABLE, 200], 2, None),
        # A host that never answered is not tried for long.
        ([UNREACHABLE], 0, _errors.NetworkError),
        ([BROKEN] * 3, 0, _errors.NetworkError),
        ([200, requests.exceptions.SSLError("bad certificate")], 1, _errors.TlsError),
        # A 200 without an answer.
        ([(200, '{"value": ['), 200], 1, None),
        *[([(200, body)] * 3, 0, _errors.ServiceError) for body in ("", " ", "[]", "null", "<html>Sign in</html>")],
    ],
    ids=str,
)
def test_a_get_is_repeated_where_that_may_help(
    script: Script, steps: list[Step], good: int, kind: type[_errors.EntraRiskError] | None
) -> None:
    script.answers(*steps)
    for dummy in range(good):
        script.get()
    if kind is not None:
        error = script.fails(script.get, kind)
        # Over a connection without TLS nothing has left.
        assert kind is _errors.TlsError or error.client_request_id == script.sent[-1].headers["client-request-id"]
    assert script.client.counts.sent == len(steps)


# Writes: what may have been done is never sent again without a look


@pytest.mark.parametrize("step", [(429, ""), (503, ""), UNREACHABLE])
def test_a_write_that_was_surely_not_done_is_repeated(script: Script, step: Step) -> None:
    script.answers(200)
    script.answers(step, 204, method="POST", path=WRITE)
    script.get()
    script.post()
    assert script.client.counts.retried == 1


# Without a clear answer; what a gateway says, who cannot know; and refusals of Graph.
@pytest.mark.parametrize(
    ("step", "outcome_unknown"),
    [
        *[(step, True) for step in (BROKEN, TIMED_OUT, 408, 500, 502, 504, 507, 509, 200, (200, ""), (200, "[]"))],
        *[((status, "<html>Sign in</html>"), True) for status in (200, 202, 500)],
        ((201, {"id": "x"}), True),
        *[
            ((status, body, {"request-id": ""}), True)
            for status in (303, 400, 401, 403, 404, 409, 413, 429, 503)
            for body in ("", "refused", '{"message": "refused"}', "<html>refused</html>")
        ],
        *[((status, said("no", "No")), False) for status in (400, 401, 403, 404, 409, 302)],
    ],
)
def test_a_write_that_may_be_done_is_left_to_the_caller(script: Script, step: Step, outcome_unknown: bool) -> None:
    script.answers(step, method="POST", path=WRITE)
    with pytest.raises(_errors.EntraRiskError) as caught:
        script.post()
    assert caught.value.outcome_unknown is outcome_unknown
    assert caught.value.client_request_id == script.sent[0].headers["client-request-id"]
    assert script.client.counts.sent == 1


def test_a_crash_during_a_write_may_have_come_after_it(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_graph, "is_transient", lambda answer: 1 / 0)
    script.answers((500, ""), method="POST", path=WRITE)
    assert script.fails(script.post, _errors.InternalError).outcome_unknown


@pytest.mark.parametrize(("method", "sent"), [("token", 0), ("renew", 1)])
def test_a_login_that_fails_leaves_nothing_undecided(
    script: Script, monkeypatch: pytest.MonkeyPatch, method: str, sent: int
) -> None:
    """The login's own request may have left; the write has not, or was refused."""

    def fail() -> t.NoReturn:
        raise _errors.NetworkError("The connection to the login service broke.", outcome_unknown=True)

    monkeypatch.setattr(script.tokens, method, fail)
    script.answers(*[401] * sent, method="POST", path=WRITE)
    assert not script.fails(script.post, _errors.NetworkError).outcome_unknown
    assert len(script.sent) == sent


# Tokens that are refused

SECOND, THIRD = "second-token-0123456789", "third-token-0123456789"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", PATH, 200), ("POST", WRITE, 204)])
def test_each_call_renews_a_refused_token_once(script: Script, method: str, path: str, status: int) -> None:
    script.tokens.further = [SECOND, THIRD]
    script.answers(401, status, 401, status, method=method, path=path)
    for dummy in range(2):
        (script.get if method == "GET" else script.post)()
    used = [request.headers["Authorization"].removeprefix("Bearer ") for request in script.sent]
    assert used == [TOKEN, SECOND, SECOND, THIRD]
    assert script.client.counts == _graph.RequestCounts(sent=4, retried=2)


# The second is refused again, or there is none because the token was given.
@pytest.mark.parametrize("further", [[SECOND, THIRD], []])
def test_a_token_that_is_refused_for_good_is_an_error(script: Script, further: list[str]) -> None:
    script.tokens.further = further
    script.answers(*[(401, said("Access token has expired.", "InvalidAuthenticationToken"))] * (2 if further else 1))
    error = script.fails(script.get, _errors.TokenRefusedError)
    assert (error.status, error.code, error.request_id) == (401, "InvalidAuthenticationToken", REQUEST_ID)


# What an answer means


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "words"),
    [
        (403, said("Your tenant is not licensed for this."), {}, _errors.LicenseError, "Microsoft Entra ID P2"),
        (403, said("Please upgrade", "AadPremiumLicenseRequired"), {}, _errors.LicenseError, "not licensed"),
        (403, said("Tenant doesn't have premium license"), {}, _errors.LicenseError, "not licensed"),
        (403, said("x", "Authentication_RequestFromNonPremiumTenantOrB2CTenant"), {}, _errors.LicenseError, "licensed"),
        (403, said("required scopes are missing in the token."), {}, DENIED, "application permission IdentityRiskyU"),
        (403, said("x", "Authorization_RequestDenied"), {}, DENIED, "lacks the Graph permission IdentityRiskyUser.Re"),
        (403, "", {"WWW-Authenticate": 'Bearer error="insufficient_claims"'}, DENIED, "Conditional Access"),
        (403, said("error=insufficient_claims"), {}, DENIED, "Conditional Access"),
        (403, said("No.", "UnknownError"), {}, DENIED, "Entra role Security Reader"),
        (403, "", {}, DENIED, "Entra role Security Reader"),
        (403, "<html>Blocked by policy</html>", {}, _errors.ServiceError, "web page"),
        (401, "<html>Proxy login</html>", {}, _errors.ServiceError, "web page"),
        (401, "Unauthorized", {}, _errors.ServiceError, "something else instead of Graph's answer"),
        (401, "", {}, _errors.TokenRefusedError, "refused the access token"),
        (401, "", {"request-id": ""}, _errors.ServiceError, "instead of Graph's answer"),
        (403, {"code": "x", "message": "required scopes are missing"}, {}, _errors.ServiceError, "something else"),
        (404, {"statusCode": 404, "message": "Resource not found"}, {}, _errors.ServiceError, "something else"),
        (404, "", {}, _errors.ServiceError, "something else"),
        (400, "Bad request", {}, _errors.ServiceError, "something else"),
        (414, "<html>too long</html>", {}, _errors.RequestError, "too long"),
        (400, said("Invalid filter clause", "BadRequest"), {}, _errors.RequestError, "Invalid filter clause"),
        (404, said("gone", "NotFound"), {}, _errors.RequestError, "gone"),
        (501, said("no", "NotImplemented"), {}, _errors.ServiceError, "Graph failed"),
        (501, "<html>no</html>", {}, _errors.ServiceError, "web page"),
        (202, {"x": 1}, {}, _errors.ServiceError, "could not be understood"),
    ],
)
def test_errors_a_person_can_act_on(
    script: Script, status: int, body: t.Any, headers: dict[str, str], kind: t.Any, words: str
) -> None:
    script.answers((status, body, headers))
    error = script.fails(script.get, kind)
    assert words in error.message
    assert f" {status}" in error.message
    if "request-id" not in headers:
        assert f"(request-id {REQUEST_ID})" in error.message
    assert error.status == status
    assert error.client_request_id == script.sent[0].headers["client-request-id"]
    expected = body["error"]["code"] if isinstance(body, dict) and "error" in body else None
    assert error.code == expected


def test_a_call_without_a_role_names_none(script: Script) -> None:
    script.answers((403, said("No.")))
    error = script.fails(lambda: script.client.get(PATH, required=PLAIN), DENIED)
    assert "User.Read.All" in error.message and "role" not in error.message


@pytest.mark.parametrize(
    ("body", "code", "request_id"),
    [
        *[(body, None, None) for body in ("not json", "null", "[1]", "7", '"text"', "{}")],
        *[(f'{{"error": {error}}}', None, None) for error in ("null", "[]", "{}")],
        ('{"error": "invalid_request"}', "invalid_request", None),
        ('{"error": {"code": 5, "message": {"lang": "en"}, "innererror": "x"}}', None, None),
        ('{"error": {"code": ["a"], "message": ["b"], "innerError": {"request-id": 7}}}', None, None),
        *[
            (f'{{"error": {{"code": "X", "{spelling}": {{"request-id": "from-the-body"}}}}}}', "X", "from-the-body")
            for spelling in ("innerError", "innererror")
        ],
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 501])
def test_error_bodies_of_any_shape(
    script: Script, status: int, body: str, code: str | None, request_id: str | None
) -> None:
    script.mock.add("GET", GRAPH + PATH, status=status, body=body)
    with pytest.raises(_errors.EntraRiskError) as caught:
        script.get()
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, code, request_id)


@pytest.mark.parametrize("before", range(280, 300))
def test_a_token_is_masked_before_the_text_is_cut(script: Script, before: int) -> None:
    script.answers((400, said("x" * before + TOKEN)))
    error = script.fails(script.get, _errors.RequestError)
    assert TOKEN[:8] not in str(error)
