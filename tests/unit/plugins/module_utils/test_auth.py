"""Logins with the real MSAL; only the answers of the network are made up."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import pathlib
import re
import sys
import types
import typing as t
from unittest import mock
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import responses

from ansible_collections.identityops.entra_risk.plugins.module_utils import _errors, _retry
from ansible_collections.identityops.entra_risk.plugins.module_utils._http import Transport
from ansible_collections.identityops.entra_risk.plugins.module_utils._login import connection as _options
from ansible_collections.identityops.entra_risk.plugins.module_utils._login import msal_login
from ansible_collections.identityops.entra_risk.plugins.module_utils._login import tokens as _auth
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.msal_http import LoginHttp
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.conftest import Keyring

TENANT = "5fbf2be0-6a31-4b4e-a3b8-6e4b7d8f1c11"
CLIENT = "8f2b8c1a-0e64-4a6e-9d0f-8f3f0c5e7b22"
SECRET = "canary-secret-8Q~kXw"
APP = {"tenant": TENANT, "client_id": CLIENT}
LOGIN = {**APP, "secret": SECRET}
MSI = {"auth_source": "msi"}
HOST = "https://login.microsoftonline.com"
DISCOVERY = f"{HOST}/{TENANT}/v2.0/.well-known/openid-configuration"
TOKENS = f"{HOST}/{TENANT}/oauth2/v2.0/token"
IMDS = "http://169.254.169.254/metadata/identity/oauth2/token"
TRACE = "0f1c0d52-8a3f-4a4e-9f4c-0d2b6c1e0a00"
CORRELATION = "7a1e7a44-2b51-4d7b-8a39-6f1f7b1c2d33"
IDS = {"request_id": TRACE, "client_request_id": CORRELATION}
# An answer that is a web page; broken connections.
PAGE: dict[str, t.Any] = {"body": "<html><body>canary-body</body></html>", "content_type": "text/html"}
RESET = requests.exceptions.ConnectionError(ConnectionResetError(104, "Connection reset by peer"))
NO_CONNECTION = requests.exceptions.ConnectTimeout("canary")
SLOW = requests.exceptions.ReadTimeout("canary")
Net = responses.RequestsMock
Answer = dict[str, t.Any]


class Time:
    """A clock that only sleeping moves, and that remembers how long."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self, chance: float = 0.5) -> _retry.Clock:
        return _retry.Clock(lambda: self.now, lambda: self.now, self.sleep, lambda: chance)


@dataclasses.dataclass
class Login:
    """A token source with all that stands around it."""

    source: _auth.TokenSource
    redactor: Redactor
    time: Time


def log_in(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str] | None = None, *, chance: float = 0.5) -> Login:
    redactor, time = Redactor(), Time()
    connection = _options.resolve(params, environ or {}, redactor)
    transport = Transport(verify=connection.verify, timeout=connection.timeout, redactor=redactor)
    return Login(_auth.token_source(connection, transport, redactor, time.clock(chance)), redactor, time)


@pytest.fixture
def net() -> t.Iterator[Net]:
    """The network: what is not registered here cannot be reached."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def discovery(origin: str = HOST, token_endpoint: str | None = None) -> dict[str, t.Any]:
    return {
        "token_endpoint": token_endpoint or f"{origin}/{TENANT}/oauth2/v2.0/token",
        "authorization_endpoint": f"{origin}/{TENANT}/oauth2/v2.0/authorize",
        "issuer": f"{origin}/{TENANT}/v2.0",
    }


def refused(number: int, text: str) -> dict[str, t.Any]:
    ids = f"Trace ID: {TRACE} Correlation ID: {CORRELATION} Timestamp: 2026-11-02 10:00:00Z"
    return {
        "error": "invalid_client", "error_description": f"AADSTS{number}: {text}. {ids}", "error_codes": [number],
        "timestamp": "2026-11-02 10:00:00Z", "trace_id": TRACE, "correlation_id": CORRELATION,
    }  # fmt: skip


def entra(net: Net, *answers: Answer) -> None:
    """Discovery works; the token endpoint gives these answers in turn, the last one for ever."""
    net.add(responses.GET, DISCOVERY, json=discovery())
    for answer in answers or ({"json": token(1)},):
        net.add(responses.POST, TOKENS, **answer)


def token(number: int, **more: t.Any) -> dict[str, t.Any]:
    return {"access_token": f"canary-token-{number}", "token_type": "Bearer", "expires_in": 3599, **more}


def failure(login: Login, kind: str) -> _errors.EntraRiskError:
    """The error of a login, which must not hold a canary."""
    with pytest.raises(_errors.EntraRiskError) as caught:
        login.source.token()
    error = caught.value
    assert error.kind == kind and "canary" not in f"{error} {error.details()}" and "None" not in str(error)
    # A login changes nothing, so nothing may have been done.
    assert not getattr(error, "outcome_unknown", False)
    # No exception of a library hangs on it: those hold requests with their secrets.
    assert error.__cause__ is None or isinstance(error.__cause__, _errors.EntraRiskError)
    return error


def urls(net: Net) -> list[str]:
    return [str(call.request.url).partition("?")[0] for call in net.calls]


def sent_to(net: Net, index: int = 0) -> t.Any:
    """A request, with the query and the arguments for the adapter that the mock adds to it."""
    return net.calls[index].request


def form(net: Net) -> dict[str, str]:
    body = net.calls[-1].request.body
    text = body.decode() if isinstance(body, bytes) else str(body)
    return {name: values[0] for name, values in parse_qs(text).items()}


# Tokens and their life


def test_a_login_is_two_requests_and_the_token_is_kept(net: Net) -> None:
    entra(net)
    login = log_in(LOGIN)
    assert not net.calls
    assert login.source.token() == login.source.token() == "canary-token-1"
    assert urls(net) == [DISCOVERY, TOKENS]
    sent = form(net)
    assert (sent["grant_type"], sent["client_id"]) == ("client_credentials", CLIENT)
    assert (sent["client_secret"], sent["scope"]) == (SECRET, "https://graph.microsoft.com/.default")
    assert login.redactor.redact("canary-token-1") == "********"


DOD = {"cloud_environment": "AzureUSGovernmentDoD"}


@pytest.mark.parametrize(
    ("options", "origin", "graph"),
    [
        ({"graph_url": "https://localhost:8443/"}, HOST, "https://localhost:8443"),
        (DOD, "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        ({"authority_host": "http://127.0.0.1:8080"}, "http://127.0.0.1:8080", "https://graph.microsoft.com"),
    ],
)
def test_another_login_service_or_graph(net: Net, options: dict[str, str], origin: str, graph: str) -> None:
    net.add(responses.GET, DISCOVERY.replace(HOST, origin), json=discovery(origin))
    net.add(responses.POST, TOKENS.replace(HOST, origin), json=token(1))
    assert log_in({**LOGIN, **options}).source.token() == "canary-token-1"
    assert form(net)["scope"] == f"{graph}/.default"
    assert all(url.startswith(f"{origin}/") for url in urls(net))


def test_a_token_is_renewed_when_refused_and_five_minutes_before_its_end(net: Net) -> None:
    entra(net, *({"json": token(number)} for number in (1, 2, 3)))
    login = log_in(LOGIN)
    login.source.token()
    login.time.now += 3599 - 301
    assert login.source.token() == "canary-token-1"
    login.time.now += 2
    assert login.source.token() == "canary-token-2"
    assert login.source.renew() is True
    assert login.source.token() == "canary-token-3"
    assert urls(net) == [DISCOVERY, TOKENS] * 3


@pytest.mark.parametrize(("expires_in", "good_for"), [(200, 100), ("3600", 3300), (None, 300), ("soon", 300), (0, 300)])
def test_odd_lifetimes(expires_in: t.Any, good_for: int) -> None:
    time = Time()
    acquired = iter([token(1, expires_in=expires_in), token(2)])
    source = _auth._Login(lambda: next(acquired), Redactor(), time.clock())
    source.token()
    time.now += good_for - 1
    assert source.token() == "canary-token-1"
    time.now += 2
    assert source.token() == "canary-token-2"


def test_a_ready_token_needs_no_login_and_cannot_be_renewed(net: Net) -> None:
    login = log_in({"access_token": " canary-ready\n"})
    assert login.source.token() == "canary-ready" and login.source.renew() is False
    assert not net.calls and login.redactor.redact("canary-ready") == "********"


# What is no login


@pytest.mark.parametrize(
    ("number", "text", "remedy"),
    [
        (7000215, "Invalid client secret provided", "not its ID"),
        (7000222, "The provided client secret keys are expired", "Add a new client secret"),
        (700016, "Application with identifier was not found", "Check client_id"),
        (700213, "No matching federated identity record found", "api://AzureADTokenExchange"),
        (700024, "Client assertion is not within its valid time range", "fresh token"),
        (53003, "Access has been blocked by Conditional Access policies", "Conditional Access"),
        (500011, "The resource principal was not found", "graph_url"),
        (1234567, "Something new", "https://login.microsoftonline.com/error?code=1234567"),
    ],
)
def test_codes(net: Net, number: int, text: str, remedy: str) -> None:
    entra(net, {"json": refused(number, text), "status": 401})
    error = failure(log_in(LOGIN), "login")
    assert error.details() == {"kind": "login", "status": 401, "code": f"AADSTS{number}", **IDS}
    begin = f"The login of application {CLIENT} in tenant {TENANT} at login.microsoftonline.com was refused: "
    assert str(error).startswith(f"{begin}AADSTS{number}: {text}. ") and remedy in str(error)
    assert str(error).endswith(f"(trace ID {TRACE}, correlation ID {CORRELATION})")
    assert urls(net) == [DISCOVERY, TOKENS]


def test_text_of_the_service_is_cut_and_scrubbed(net: Net) -> None:
    text = f"{SECRET} eyJhbGciOiJub25lIn0.canary.canary {'x' * 400}\r\nsecond line"
    said = {"error": "invalid_client", "error_description": f"AADSTS7000215: {text}"}
    entra(net, {"json": {**said, "trace_id": "not an id\n", "correlation_id": 5}, "status": 401})
    error = failure(log_in(LOGIN), "login")
    assert (error.code, error.request_id, error.client_request_id) == ("AADSTS7000215", None, None)
    assert "second line" not in str(error) and len(str(error)) < 700


@pytest.mark.parametrize("status", [401, 503])
@pytest.mark.parametrize("text", ["x" * 290 + SECRET, "x" * 300 + SECRET])
def test_a_secret_is_masked_before_the_text_is_cut(net: Net, status: int, text: str) -> None:
    entra(net, {"status": status, "json": refused(7000215, text)})
    assert SECRET[:8] not in str(failure(log_in(LOGIN), "login" if status == 401 else "service"))


OTHERS = (
    "evil.example", "login.microsoftonline.com:444", "login.microsoftonline.com.evil.example",
    "user@login.microsoftonline.com", "login.microsoftonline.com@evil.example",
)  # fmt: skip
NOWHERE = ({}, {"Location": "https://[evil"}, {"Location": "/elsewhere"})
ELSEWHERE = {"Location": "http://user:canary@evil.example/?canary"}
OLD_KEY = refused(700027, "not registered. [Reason - The key is old., Thumbprint 'x']")
NO_ANSWERS: list[Answer] = [
    {"status": 200, "body": "[]"}, {"status": 200, "body": "{}"}, {"status": 403, "body": ""},
    {"status": 404, "body": '{"error": {"code": "x"}}'},
]  # fmt: skip
# Who answers, the kind of the error, its code and words, and what is answered.
ANSWERS: t.Sequence[tuple[str, str, str | None, str, list[Answer]]] = (
    (DISCOVERY, "login", "AADSTS90002", "Check tenant, and cloud_environment",
     [{"status": 400, "json": refused(90002, "x")}]),
    (DISCOVERY, "login", None, "KeyError", [{"json": {"token_endpoint": TOKENS}}]),
    # The credential goes to the login service that was configured, and nowhere else.
    (DISCOVERY, "service", None, "no credential is sent there",
     [{"json": discovery(token_endpoint=f"https://{other}/token")} for other in OTHERS]),
    (DISCOVERY, "service", None, "another path", [{"status": 302, "headers": to} for to in NOWHERE]),
    (TOKENS, "service", None, "redirects the login to evil.example",
     [{"status": status, "headers": ELSEWHERE} for status in (301, 302, 307, 308)]),
    *((url, "service", None, "a web page", [{**PAGE, "status": 200}, {**PAGE, "status": 404}])
      for url in (DISCOVERY, TOKENS)),
    *((url, "service", None, "not an answer of Entra", NO_ANSWERS) for url in (DISCOVERY, TOKENS)),
    (TOKENS, "login", "slow_down", "Check tenant, client_id and the cred",
     [{"status": 400, "json": {"error": "slow_down"}}]),
    (TOKENS, "login", "unknown_error", "Check tenant, client_id and the cred",
     [{"status": 400, "json": {"error": said}} for said in ("a b", "")]),
    (TOKENS, "service", None, "without an access token", [{"json": {"access_token": " ", "expires_in": 3600}}]),
    (TOKENS, "login", "AADSTS700027", "not registered (The key is old). Upload the certificate",
     [{"status": 401, "json": OLD_KEY}]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("where", "kind", "code", "words", "answer"), [(*case[:4], answer) for case in ANSWERS for answer in case[4]]
)
def test_what_is_no_login(
    net: Net, capfd: t.Any, where: str, kind: str, code: str | None, words: str, answer: Answer
) -> None:
    if where == TOKENS:
        entra(net, answer)
    else:
        net.add(responses.GET, DISCOVERY, **answer)
    error = failure(log_in(LOGIN), kind)
    assert words in str(error) and error.code == code
    assert "status" not in answer or error.status == answer["status"]
    assert urls(net) == [DISCOVERY, TOKENS][: 1 + (where == TOKENS)]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("option", ["ca_path", "validate_certs"])
def test_options_about_tls_win_over_the_environment(
    net: Net, monkeypatch: pytest.MonkeyPatch, certificate_file: str, option: str
) -> None:
    value: t.Any = certificate_file if option == "ca_path" else False
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, "/no/such/file")
    entra(net)
    log_in({**LOGIN, option: value}, os.environ).source.token()
    assert {sent_to(net, index).req_kwargs["verify"] for index in (0, 1)} == {value}


# What passes


@pytest.mark.parametrize("where", [DISCOVERY, TOKENS])
@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ({**PAGE, "status": 429}, 0.75), ({**PAGE, "status": 503}, 0.75), ({"status": 504, "body": ""}, 0.75),
        ({"status": 429, "json": {"error": "temporarily_unavailable", "error_description": "busy"}}, 0.75),
        ({"body": RESET}, 0.75), ({"body": SLOW}, 0.75),
        *(({"status": 429, "headers": {"Retry-After": header}}, wait)
          for header, wait in (("7", 7.0), ("1.5", 1.5), ("0", 0.75), ("soon", 0.75))),
    ],
)  # fmt: skip
def test_what_passes_is_repeated(net: Net, capfd: t.Any, where: str, answer: Answer, wait: float) -> None:
    if where == DISCOVERY:
        net.add(responses.GET, DISCOVERY, **answer)
    entra(net, *([answer] if where == TOKENS else []), {"json": token(1)})
    login = log_in(LOGIN)
    assert login.source.token() == "canary-token-1"
    assert urls(net) == sorted([DISCOVERY, TOKENS, where], reverse=True)
    assert login.time.slept == [wait]
    assert capfd.readouterr().err == ""


SAID = {"status": 503, "json": refused(90033, "A transient error has occurred")}
PATIENCE = [0.75, 1.5, 3.0, 6.0]


@pytest.mark.parametrize(
    ("answer", "kind", "words", "slept"),
    [
        ({**PAGE, "status": 429}, "throttled", "HTTP 429", PATIENCE),
        ({**PAGE, "status": 500}, "service", "HTTP 500", PATIENCE),
        (SAID, "service", "HTTP 503: AADSTS90033: A transient error has occurred. Try", PATIENCE),
        ({"body": RESET}, "network", "Connection reset by peer", PATIENCE),
        # No wait passes the deadline, and not everything is waited for.
        ({"status": 429, "headers": {"Retry-After": "4000"}}, "throttled", "HTTP 429", []),
        ({"body": NO_CONNECTION}, "network", "login.microsoftonline.com", []),
        ({"body": requests.exceptions.SSLError("canary")}, "tls", "do not agree on TLS", []),
    ],
)
def test_it_ends(net: Net, capfd: t.Any, answer: Answer, kind: str, words: str, slept: list[float]) -> None:
    entra(net, answer)
    login = log_in({**LOGIN, "retry_timeout": 30})
    error = failure(login, kind)
    assert words in str(error) and error.status == answer.get("status")
    assert (error.code == "AADSTS90033") is ("AADSTS90033" in words)
    assert (urls(net), login.time.slept) == ([DISCOVERY, TOKENS, *[TOKENS] * len(slept)], slept)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("status", "kind"), [(429, "throttled"), (503, "service"), (404, "service")])
def test_the_ids_in_body_and_headers_are_kept(net: Net, status: int, kind: str) -> None:
    entra(net, {**PAGE, "status": status, "headers": {"x-ms-request-id": TRACE, "client-request-id": CORRELATION}})
    error = failure(log_in(LOGIN), kind)
    assert {**error.details(), **IDS} == error.details()
    assert status == 404 or str(error).endswith(f"(trace ID {TRACE}, correlation ID {CORRELATION})")


# Certificates and OIDC tokens


def assertion(net: Net, keyring: Keyring) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Header and claims of the assertion that was sent, with its signature and times verified."""
    sent = form(net)
    assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in sent
    text = sent["client_assertion"]
    claims = jwt.decode(text, keyring.key.public_key(), algorithms=["PS256", "RS256"], audience=TOKENS)
    return jwt.get_unverified_header(text), claims


@pytest.mark.parametrize("chain", [False, True])
def test_a_certificate_signs_the_login(net: Net, keyring: Keyring, chain: bool) -> None:
    path = keyring.write("chain.pem", keyring.pem(keyring.issuer, keyring.own, keyring.key))
    entra(net)
    login = log_in({**APP, "x509_certificate_path": path, "send_certificate_chain": chain})
    assert not net.calls
    assert login.source.token() == "canary-token-1"
    header, claims = assertion(net, keyring)
    sent = ["".join(item.split()) for item in header["x5c"]]
    pems = (keyring.pem(item).decode().split("-----")[2] for item in (keyring.own, keyring.issuer))
    own, issuer = ("".join(pem.split()) for pem in pems)
    assert (header["alg"], sent) == (("RS256", [own, issuer]) if chain else ("PS256", [own]))
    assert (claims["iss"], claims["sub"]) == (CLIENT, CLIENT)


@pytest.mark.parametrize("decorate", [str.upper, lambda text: ":".join(re.findall("..", text)) + " "])
def test_thumbprint_for_a_key_alone(net: Net, keyring: Keyring, decorate: t.Callable[[str], str]) -> None:
    path = keyring.write("key.pem", keyring.pem(keyring.key))
    entra(net)
    log_in({**APP, "x509_certificate_path": path, "thumbprint": decorate(keyring.thumbprint)}).source.token()
    header, dummy = assertion(net, keyring)
    assert header["alg"] == "RS256"
    assert jwt.utils.base64url_decode(header["x5t"]).hex() == keyring.thumbprint


TOKEN_FILES = {"empty": "", "blank": " \n", "json": '{"value": "canary"}'}


@pytest.mark.parametrize(
    ("option", "path", "reason"),
    [
        *((option, path, reason)
          for option in ("x509_certificate_path", "oidc_token_file_path")
          for path, reason in (("/no/such/file", "No such file"), ("/", "Is a directory"), ("/dev/zero", "not a reg"))),
        *(("oidc_token_file_path", name, "one token" if name == "json" else "is empty") for name in TOKEN_FILES),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used(net: Net, tmp_path: pathlib.Path, option: str, path: str, reason: str) -> None:
    if path in TOKEN_FILES:
        (tmp_path / path).write_text(TOKEN_FILES[path])
    path = str(tmp_path / path)
    with pytest.raises(_errors.CredentialsError, match=reason) as caught:
        log_in({**APP, option: path})
    assert str(caught.value).startswith(f"{option} ({path})") and "canary" not in str(caught.value)
    assert not net.calls


def test_an_expired_certificate_explains_a_refusal(net: Net, keyring: Keyring) -> None:
    entra(net, {"json": refused(700027, "The certificate is expired"), "status": 401})
    path = keyring.write("expired.pem", keyring.pem(keyring.key, keyring.expired))
    login = log_in({**APP, "certificate_path": path})
    assert "The certificate of certificate_path has expired." in str(failure(login, "login"))
    login.time.now = 0.0
    assert "has expired" not in str(failure(login, "login"))


def test_a_token_file_is_read_for_each_login(net: Net, tmp_path: pathlib.Path) -> None:
    entra(net, {"json": token(1)}, {"json": token(2)})
    path = tmp_path / "token"
    path.write_text("canary-first\n")
    login = log_in({**APP, "oidc_token_file_path": str(path)})
    login.source.token()
    assert form(net)["client_assertion"] == "canary-first"
    path.write_text("canary-second\n")
    login.source.renew()
    assert form(net)["client_assertion"] == "canary-second"
    assert login.redactor.redact("canary-first canary-second") == "******** ********"
    path.unlink()
    with pytest.raises(_errors.CredentialsError, match="No such file"):
        login.source.renew()


# Managed identities


def test_a_virtual_machine_is_asked_again_for_a_token_that_was_refused(net: Net) -> None:
    for number in (1, 2):
        net.add(responses.GET, IMDS, json=token(number, expires_in="86400"))
    login = log_in({**MSI, "graph_url": "https://graph.microsoft.us"})
    assert login.source.token() == "canary-token-1"
    request = sent_to(net)
    assert request.params["resource"] == "https://graph.microsoft.us" and "client_id" not in request.params
    assert request.headers["Metadata"] == "true" and request.req_kwargs["timeout"] == (3.0, 60)
    assert login.redactor.redact("canary-token-1") == "********"
    assert login.source.renew() is True
    assert login.source.token() == "canary-token-2"


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_an_update_of_the_metadata_service_is_waited_for(net: Net, chance: float) -> None:
    login = log_in(MSI, chance=chance)
    began = login.time.now

    def answer(request: t.Any) -> tuple[int, dict[str, str], str]:
        updated = login.time.now - began >= 70
        return (200, {}, json.dumps(token(1, expires_in="3600"))) if updated else (410, {}, "")

    net.add_callback(responses.GET, IMDS, callback=answer)
    assert login.source.token() == "canary-token-1"


def test_a_passing_404_is_waited_for(net: Net) -> None:
    net.add(responses.GET, IMDS, status=404)
    net.add(responses.GET, IMDS, json=token(1, expires_in="3600"))
    assert log_in(MSI).source.token() == "canary-token-1"


BUSY = {"json": {"error": {"code": "Busy", "message": "come back"}}}


@pytest.mark.parametrize(
    ("answer", "timeout", "kind", "words", "least", "most"),
    [
        ({"status": 410}, 300, "service", "kept answering the managed identity with HTTP 410", 70, 130),
        ({"status": 410}, 5, "service", "HTTP 410", 0, 5),
        ({**BUSY, "status": 429}, 300, "throttled", "HTTP 429: come back.", 11, 12),
        ({**BUSY, "status": 503}, 300, "service", "HTTP 503: come back.", 11, 12),
        ({"body": SLOW}, 300, "network", "did not answer", 11, 12),
        ({"body": NO_CONNECTION}, 300, "network",
         "No managed identity answers on this machine: No connection to 169.254.169.254", 0, 0),
        ({"body": NO_CONNECTION}, 300, "network", "elsewhere use a secret", 0, 0),
        ({**PAGE, "status": 404}, 300, "login", "Check that a managed identity is assigned", 0, 5),
        (PAGE, 300, "service", "169.254.169.254 answered the managed identity with something that is not", 0, 0),
        *(({"json": body}, 300, "login", "unknown_error", 0, 0)
          for body in ({}, {"error": None}, {"error": []}, {"error": {}}, {"access_token": None})),
    ],
)  # fmt: skip
def test_a_machine_without_a_token(
    net: Net, capfd: t.Any, answer: Answer, timeout: int, kind: str, words: str, least: float, most: float
) -> None:
    net.add(responses.GET, IMDS, **answer)
    login = log_in({**MSI, "retry_timeout": timeout})
    error = failure(login, kind)
    assert words in str(error) and error.status == answer.get("status", error.status)
    assert least <= sum(login.time.slept) <= most
    assert capfd.readouterr().err == ""


ENDPOINT = "http://127.0.0.1:40342/token"
ARC = {"IDENTITY_ENDPOINT": ENDPOINT, "IMDS_ENDPOINT": "http://127.0.0.1:40342"}
MACHINES: t.Sequence[dict[str, str]] = (
    {}, ARC,
    {"IDENTITY_ENDPOINT": ENDPOINT, "IDENTITY_HEADER": "canary"}, {"MSI_ENDPOINT": ENDPOINT, "MSI_SECRET": "canary"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": "invalid_request", "error_description": "No identity"}, "invalid_request"),
        ({"error": {"code": "NotFound", "message": "No identity"}}, "NotFound"),
        ({"error": {"code": "NotFound", "message": "No identity", "innererror": {"trace": "x"}}}, "NotFound"),
        ({"error": {"code": 400, "message": {"lang": "en", "value": "No identity"}}}, "400"),
        ({"error": "invalid_request", "error_description": {"message": "No identity"}}, "invalid_request"),
        ({"statusCode": 400, "message": "No identity"}, "400"),
        ({"code": "NotFound", "message": "No identity"}, "NotFound"),
        ({"Message": "No identity"}, "unknown_error"),
    ],
)
@pytest.mark.parametrize("variables", MACHINES, ids=["virtual machine", "Arc", "App Service", "Azure ML"])
def test_errors_of_every_form_are_shown(
    net: Net, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], body: t.Any, code: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    net.add(responses.GET, ENDPOINT if variables else IMDS, json=body, status=400)
    error = failure(log_in(MSI), "login")
    assert "No identity. Check that a managed identity is assigned to this machine." in str(error)
    assert (error.code, error.status) == (code, 400)


def test_a_user_assigned_identity_is_asked_for_and_named(net: Net) -> None:
    net.add(responses.GET, IMDS, json={"error": "invalid_request", "error_description": "x"}, status=400)
    assert f"(client_id {CLIENT})" in str(failure(log_in({**MSI, "client_id": CLIENT}), "login"))
    assert sent_to(net).params["client_id"] == CLIENT


NO_KEY = {"status": 401, "headers": {"WWW-Authenticate": "Basic realm=/no/such/file.key"}}
# MSAL wants a session of its own there.
SERVICE_FABRIC = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT")


@pytest.mark.parametrize(
    ("variables", "answer", "words"),
    [
        # Which text MSAL makes of it differs between its releases; that the token is not in it must not.
        (ARC, {"json": token(1)}, "managed identity"),
        (ARC, NO_KEY, "No such file or dir"),
        (dict.fromkeys(SERVICE_FABRIC, "https://127.0.0.1:2377/canary"), {}, "managed identity"),
    ],
    ids=["Arc gives a token in the wrong place", "the key file of Arc is missing", "Service Fabric"],
)
def test_what_msal_refuses(
    net: Net, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], answer: Answer, words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    net.add(responses.GET, ENDPOINT, **answer)
    assert words in str(failure(log_in(MSI), "login"))


ENDPOINTS = ["AZURE_POD_IDENTITY_AUTHORITY_HOST", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT"]


@pytest.mark.parametrize("variable", ENDPOINTS)
@pytest.mark.parametrize("value", ["nonsense", "ftp://127.0.0.1/", "http://[bad", "http://127.0.0.1:x", "http://"])
def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(_errors.CredentialsError, match=f"{variable} in the environment is not the URL"):
        log_in(MSI)


# The library


def test_msal_is_missing(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    error = failure(log_in(LOGIN), "credentials")
    assert isinstance(error, _errors.MissingLibraryError) and error.package == "msal>=1.35"
    assert "import msal" in error.trace and not net.calls


@pytest.mark.parametrize(
    ("version", "new_enough"),
    [("1.34.0", False), ("0.9", False), ("", False), ("1.35.0", True), ("1.40.0rc1", True), ("2.0", True)],
)
def test_msal_is_new_enough(monkeypatch: pytest.MonkeyPatch, version: str, new_enough: bool) -> None:
    monkeypatch.setitem(sys.modules, "msal", types.SimpleNamespace(__version__=version))
    with contextlib.nullcontext() if new_enough else pytest.raises(_errors.MissingLibraryError) as caught:
        assert msal_login.load_msal().__version__ == version
    assert new_enough or "too old" in caught.value.trace


def test_msal_does_not_log(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    entra(net)
    log_in(LOGIN).source.token()
    logging.getLogger("msal.application").error("canary")
    assert not caplog.records


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (RuntimeError(f"{SECRET}\n{json.dumps(LOGIN)}"), None, "RuntimeError: ********"),
        ([None], "unknown_error", "Check tenant"),
    ],
    ids=["an exception", "nothing"],
)
def test_what_msal_gives_back(monkeypatch: pytest.MonkeyPatch, given: t.Any, code: str | None, words: str) -> None:
    msal = mock.Mock()
    msal.ConfidentialClientApplication.return_value.acquire_token_for_client.side_effect = given
    monkeypatch.setattr(msal_login, "load_msal", lambda: msal)
    error = failure(log_in(LOGIN), "login")
    assert error.code == code and words in str(error)


def test_the_client_leaves_the_transport_open() -> None:
    transport = mock.Mock()
    LoginHttp(transport, Redactor(), Time().clock(), 1).close()
    transport.close.assert_not_called()
