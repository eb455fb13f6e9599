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

from ansible_collections.identityops.entra_risk.plugins.module_utils import _retry
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import (
    CredentialsError,
    EntraRiskError,
    LoginError,
    MissingLibraryError,
    NetworkError,
    ServiceError,
    ThrottledError,
    TlsError,
)
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
OTHERS = (
    "evil.example",
    "login.microsoftonline.com:444",
    "login.microsoftonline.com.evil.example",
    "user@login.microsoftonline.com",
    "login.microsoftonline.com@evil.example",
)
ELSEWHERE = {"Location": "http://user:canary@evil.example/?canary"}
MSI = {"auth_source": "msi"}
HOST = "https://login.microsoftonline.com"
DISCOVERY = f"{HOST}/{TENANT}/v2.0/.well-known/openid-configuration"
TOKENS = f"{HOST}/{TENANT}/oauth2/v2.0/token"
IMDS = "http://169.254.169.254/metadata/identity/oauth2/token"
TRACE = "0f1c0d52-8a3f-4a4e-9f4c-0d2b6c1e0a00"
CORRELATION = "7a1e7a44-2b51-4d7b-8a39-6f1f7b1c2d33"
HTML = "<html><body>canary-body</body></html>"
RESET = requests.exceptions.ConnectionError(ConnectionResetError(104, "Connection reset by peer"))
Net = responses.RequestsMock


class Time:
    """A clock that only sleeping moves, and that remembers how long."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclasses.dataclass
class Login:
    """A token source with all that stands around it."""

    source: _auth.TokenSource
    redactor: Redactor
    time: Time


def log_in(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str] | None = None, *, chance: float = 0.5) -> Login:
    redactor = Redactor()
    connection = _options.resolve(params, environ or {}, redactor)
    transport = Transport(verify=connection.verify, timeout=connection.timeout, redactor=redactor)
    time = Time()
    source = _auth.token_source(
        connection,
        transport,
        redactor,
        _retry.Clock(wall=lambda: time.now, monotonic=lambda: time.now, sleep=time.sleep, random=lambda: chance),
    )
    return Login(source, redactor, time)


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
    return {
        "error": "invalid_client",
        "error_description": f"AADSTS{number}: {text}. Trace ID: {TRACE} Correlation ID: {CORRELATION} "
        "Timestamp: 2026-11-02 10:00:00Z",
        "error_codes": [number],
        "timestamp": "2026-11-02 10:00:00Z",
        "trace_id": TRACE,
        "correlation_id": CORRELATION,
    }


def entra(net: Net, *answers: t.Mapping[str, t.Any]) -> None:
    """Discovery works; the token endpoint gives these answers in turn, the last one for ever."""
    net.add(responses.GET, DISCOVERY, json=discovery())
    for answer in answers or ({"json": token(1)},):
        net.add(responses.POST, TOKENS, **answer)


def token(number: int, **more: t.Any) -> dict[str, t.Any]:
    return {"access_token": f"canary-token-{number}", "token_type": "Bearer", "expires_in": 3599, **more}


def failure(login: Login, kind: type[EntraRiskError]) -> EntraRiskError:
    """The error of a login, which must not hold a canary."""
    with pytest.raises(kind) as caught:
        login.source.token()
    error = caught.value
    assert "canary" not in f"{error} {error.details()}"
    # No exception of a library hangs on it: those hold requests with their secrets.
    assert error.__cause__ is None or isinstance(error.__cause__, EntraRiskError)
    return error


def urls(net: Net) -> list[str]:
    return [str(call.request.url).partition("?")[0] for call in net.calls]


def sent_to(net: Net, index: int = 0) -> t.Any:
    """A request, with the query and the arguments for the adapter that the mock adds to it."""
    return net.calls[index].request


def form(net: Net, index: int = -1) -> dict[str, str]:
    body = net.calls[index].request.body
    text = body.decode() if isinstance(body, bytes) else str(body)
    return {name: values[0] for name, values in parse_qs(text).items()}


class TestSecret:
    def test_a_login_is_two_requests_and_the_token_is_kept(self, net: Net) -> None:
        entra(net)
        login = log_in(LOGIN)
        assert not net.calls
        assert login.source.token() == login.source.token() == "canary-token-1"
        assert urls(net) == [DISCOVERY, TOKENS]
        sent = form(net)
        assert (sent["grant_type"], sent["client_id"]) == ("client_credentials", CLIENT)
        assert (sent["client_secret"], sent["scope"]) == (SECRET, "https://graph.microsoft.com/.default")
        assert login.redactor.redact("canary-token-1") == "********"

    @pytest.mark.parametrize(
        ("options", "origin", "graph"),
        [
            ({"graph_url": "https://localhost:8443/"}, HOST, "https://localhost:8443"),
            (
                {"cloud_environment": "AzureUSGovernmentDoD"},
                "https://login.microsoftonline.us",
                "https://dod-graph.microsoft.us",
            ),
            ({"authority_host": "http://127.0.0.1:8080"}, "http://127.0.0.1:8080", "https://graph.microsoft.com"),
        ],
    )
    def test_another_login_service_or_graph(self, net: Net, options: dict[str, str], origin: str, graph: str) -> None:
        net.add(responses.GET, DISCOVERY.replace(HOST, origin), json=discovery(origin))
        net.add(responses.POST, TOKENS.replace(HOST, origin), json=token(1))
        assert log_in({**LOGIN, **options}).source.token() == "canary-token-1"
        assert form(net)["scope"] == f"{graph}/.default"
        assert all(url.startswith(f"{origin}/") for url in urls(net))

    def test_a_token_is_renewed_when_refused_and_five_minutes_before_its_end(self, net: Net) -> None:
        entra(net, {"json": token(1)}, {"json": token(2)}, {"json": token(3)})
        login = log_in(LOGIN)
        login.source.token()
        login.time.now += 3599 - 301
        assert login.source.token() == "canary-token-1"
        login.time.now += 2
        assert login.source.token() == "canary-token-2"
        assert login.source.renew() is True
        assert login.source.token() == "canary-token-3"
        assert urls(net) == [DISCOVERY, TOKENS] * 3

    @pytest.mark.parametrize(
        ("expires_in", "good_for"), [(200, 100), ("3600", 3300), (None, 300), ("soon", 300), (0, 300)]
    )
    def test_odd_lifetimes(self, net: Net, expires_in: t.Any, good_for: int) -> None:
        login = log_in(LOGIN)
        acquired = iter([token(1, expires_in=expires_in), token(2)])
        source = _auth._Login(lambda: next(acquired), login.redactor, _clock(login.time))
        source.token()
        login.time.now += good_for - 1
        assert source.token() == "canary-token-1"
        login.time.now += 2
        assert source.token() == "canary-token-2"

    def test_a_ready_token_needs_no_login_and_cannot_be_renewed(self, net: Net) -> None:
        login = log_in({"access_token": " canary-ready\n"})
        assert login.source.token() == "canary-ready"
        assert login.source.renew() is False
        assert not net.calls
        assert login.redactor.redact("canary-ready") == "********"


def _clock(time: Time) -> t.Any:
    return _retry.Clock(wall=lambda: time.now, monotonic=lambda: time.now, sleep=time.sleep)


class TestRefusals:
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
    def test_codes(self, net: Net, number: int, text: str, remedy: str) -> None:
        entra(net, {"json": refused(number, text), "status": 401})
        error = failure(log_in(LOGIN), LoginError)
        ids = {"request_id": TRACE, "client_request_id": CORRELATION}
        assert error.details() == {"kind": "login", "status": 401, "code": f"AADSTS{number}", **ids}
        message = str(error)
        assert message.startswith(
            f"The login of application {CLIENT} in tenant {TENANT} at login.microsoftonline.com was refused: "
            f"AADSTS{number}: {text}. "
        )
        assert remedy in message
        assert message.endswith(f"(trace ID {TRACE}, correlation ID {CORRELATION})")
        assert urls(net) == [DISCOVERY, TOKENS]

    def test_text_of_the_service_is_cut_and_scrubbed(self, net: Net) -> None:
        text = f"{SECRET} eyJhbGciOiJub25lIn0.canary.canary {'x' * 400}\r\nsecond line"
        said = {"error": "invalid_client", "error_description": f"AADSTS7000215: {text}"}
        body = {**said, "trace_id": "not an id\n", "correlation_id": 5}
        entra(net, {"json": body, "status": 401})
        error = failure(log_in(LOGIN), LoginError)
        assert error.code == "AADSTS7000215"
        assert (error.request_id, error.client_request_id) == (None, None)
        assert "second line" not in str(error)
        assert len(str(error)) < 700

    # Code and words of the error -> who answers, the kind of the error, and what is answered.
    ANSWERS: t.ClassVar[dict[tuple[str, str], tuple[str, type[EntraRiskError], list[dict[str, t.Any]]]]] = {
        ("AADSTS90002", "Check tenant, and cloud_environment"): (
            DISCOVERY, LoginError, [{"status": 400, "json": refused(90002, "x")}],
        ),
        ("", "KeyError"): (DISCOVERY, LoginError, [{"json": {"token_endpoint": TOKENS}}]),
        # The credential goes to the login service that was configured, and nowhere else.
        ("", "no credential is sent there"): (
            DISCOVERY, ServiceError, [{"json": discovery(token_endpoint=f"https://{other}/token")} for other in OTHERS],
        ),
        ("", "another path"): (
            DISCOVERY, ServiceError,
            [{"status": 302, "headers": to} for to in ({}, {"Location": "https://[evil"}, {"Location": "/elsewhere"})],
        ),
        ("", "redirects the login to evil.example"): (
            TOKENS, ServiceError, [{"status": status, "headers": ELSEWHERE} for status in (301, 302, 307, 308)],
        ),
        ("", "a web page"): ("", ServiceError, [{"status": status, "body": HTML} for status in (200, 404)]),
        ("", "not an answer of Entra"): (
            "", ServiceError,
            [*({"status": 200, "body": body} for body in ("[]", "{}")), {"status": 403, "body": ""},
             {"status": 404, "body": '{"error": {"code": "x"}}'}],
        ),
        ("slow_down", "Check tenant, client_id and the cred"): (
            TOKENS, LoginError, [{"status": 400, "json": {"error": "slow_down"}}],
        ),
        ("unknown_error", "Check tenant, client_id and the cred"): (
            TOKENS, LoginError, [{"status": 400, "json": {"error": said}} for said in ("a b", "")],
        ),
        ("", "without an access token"): (
            TOKENS, ServiceError, [{"json": {"access_token": " ", "expires_in": 3600}}],
        ),
        ("AADSTS700027", "not registered (The key is old). Upload the certificate"): (
            TOKENS, LoginError,
            [{"status": 401, "json": refused(700027, "not registered. [Reason - The key is old., Thumbprint 'x']")}],
        ),
    }  # fmt: skip

    @pytest.mark.parametrize(
        ("code", "words", "where", "kind", "answer"),
        [
            (*said, url, kind, answer)
            for said, (where, kind, answers) in ANSWERS.items()
            for url in ([where] if where else [DISCOVERY, TOKENS])
            for answer in answers
        ],
    )
    def test_what_is_no_login(
        self, net: Net, capfd: t.Any, code: str, words: str, where: str, kind: type[EntraRiskError], answer: t.Any
    ) -> None:
        if where == TOKENS:
            entra(net, answer)
        else:
            net.add(responses.GET, DISCOVERY, **answer)
        error = failure(log_in(LOGIN), kind)
        assert words in str(error) and error.code == (code or None)
        assert "status" not in answer or error.status == answer["status"]
        assert urls(net) == [DISCOVERY, TOKENS][: 1 + (where == TOKENS)]
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("option", ["ca_path", "validate_certs"])
    def test_options_about_tls_win_over_the_environment(
        self, net: Net, monkeypatch: pytest.MonkeyPatch, certificate_file: str, option: str
    ) -> None:
        value: t.Any = certificate_file if option == "ca_path" else False
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(variable, "/no/such/file")
        entra(net)
        log_in({**LOGIN, option: value}, os.environ).source.token()
        assert {sent_to(net, index).req_kwargs["verify"] for index in (0, 1)} == {value}


class TestRepetitions:
    @pytest.mark.parametrize(
        "answer",
        [
            {"status": 429, "body": HTML, "content_type": "text/html"},
            {"status": 503, "body": HTML, "content_type": "text/html"},
            {"status": 504, "body": ""},
            {"status": 429, "json": {"error": "temporarily_unavailable", "error_description": "busy"}},
            {"body": RESET},
            {"body": requests.exceptions.ReadTimeout("canary")},
        ],
        ids=["429", "503", "504", "429 JSON", "reset", "timeout"],
    )
    def test_what_passes_is_repeated(
        self, net: Net, answer: t.Mapping[str, t.Any], capfd: pytest.CaptureFixture[str]
    ) -> None:
        entra(net, answer, {"json": token(1)})
        login = log_in(LOGIN)
        assert login.source.token() == "canary-token-1"
        assert urls(net) == [DISCOVERY, TOKENS, TOKENS]
        assert login.time.slept == [0.75]
        assert capfd.readouterr().err == ""

    def test_discovery_is_repeated_too(self, net: Net) -> None:
        net.add(responses.GET, DISCOVERY, status=502)
        entra(net)
        assert log_in(LOGIN).source.token() == "canary-token-1"
        assert urls(net) == [DISCOVERY, DISCOVERY, TOKENS]

    @pytest.mark.parametrize(("header", "wait"), [("7", 7.0), ("1.5", 1.5), ("0", 0.75), ("soon", 0.75)])
    def test_retry_after(self, net: Net, header: str, wait: float) -> None:
        entra(net, {"status": 429, "headers": {"Retry-After": header}}, {"json": token(1)})
        login = log_in(LOGIN)
        login.source.token()
        assert login.time.slept == [wait]

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            ({"status": 429, "body": HTML, "content_type": "text/html"}, ThrottledError, "HTTP 429"),
            ({"status": 503, "body": HTML, "content_type": "text/html"}, ServiceError, "HTTP 503"),
            ({"status": 500, "body": HTML, "content_type": "text/html"}, ServiceError, "HTTP 500"),
            ({"body": RESET}, NetworkError, "Connection reset by peer"),
        ],
    )
    def test_it_ends(self, net: Net, capfd: t.Any, answer: t.Any, kind: type[EntraRiskError], words: str) -> None:
        entra(net, answer)
        login = log_in(LOGIN)
        error = failure(login, kind)
        assert words in str(error) and error.status == answer.get("status")
        assert urls(net) == [DISCOVERY, *[TOKENS] * 5]
        assert login.time.slept == [0.75, 1.5, 3.0, 6.0]
        # A login changes nothing, so nothing may have been done.
        assert not getattr(error, "outcome_unknown", False)
        assert capfd.readouterr().err == ""

    def test_what_entra_said_is_kept(self, net: Net) -> None:
        entra(net, {"status": 503, "json": refused(90033, "A transient error has occurred")})
        error = failure(log_in(LOGIN), ServiceError)
        assert (error.code, error.request_id) == ("AADSTS90033", TRACE)
        assert "HTTP 503: AADSTS90033: A transient error has occurred. Try" in str(error)
        assert str(error).endswith(f"(trace ID {TRACE}, correlation ID {CORRELATION})")

    @pytest.mark.parametrize("status", [429, 503, 404])
    def test_the_ids_in_the_headers_are_kept(self, net: Net, status: int) -> None:
        ids = {"x-ms-request-id": TRACE, "client-request-id": CORRELATION}
        entra(net, {"status": status, "body": HTML, "content_type": "text/html", "headers": ids})
        details = failure(log_in(LOGIN), ThrottledError if status == 429 else ServiceError).details()
        assert (details["request_id"], details["client_request_id"]) == (TRACE, CORRELATION)

    @pytest.mark.parametrize("status", [401, 503])
    @pytest.mark.parametrize("text", ["x" * 290 + SECRET, "x" * 300 + SECRET])
    def test_a_secret_is_masked_before_the_text_is_cut(self, net: Net, status: int, text: str) -> None:
        entra(net, {"status": status, "json": refused(7000215, text)})
        assert SECRET[:8] not in str(failure(log_in(LOGIN), EntraRiskError))

    def test_no_wait_passes_the_deadline(self, net: Net) -> None:
        entra(net, {"status": 429, "headers": {"Retry-After": "4000"}})
        login = log_in({**LOGIN, "retry_timeout": 30})
        failure(login, ThrottledError)
        assert login.time.slept == []
        assert urls(net) == [DISCOVERY, TOKENS]

    @pytest.mark.parametrize(
        ("broken", "kind", "words"),
        [
            (requests.exceptions.ConnectTimeout("canary"), NetworkError, "login.microsoftonline.com"),
            (requests.exceptions.SSLError("canary"), TlsError, "do not agree on TLS"),
        ],
    )
    def test_what_does_not_pass_fails_at_once(
        self, net: Net, broken: Exception, kind: type[EntraRiskError], words: str
    ) -> None:
        net.add(responses.GET, DISCOVERY, body=broken)
        login = log_in(LOGIN)
        assert words in str(failure(login, kind))
        assert (len(net.calls), login.time.slept) == (1, [])


def assertion(net: Net, keyring: Keyring) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Header and claims of the assertion that was sent, with its signature and times verified."""
    sent = form(net)
    assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in sent
    text = sent["client_assertion"]
    claims = jwt.decode(text, keyring.key.public_key(), algorithms=["PS256", "RS256"], audience=TOKENS)
    return jwt.get_unverified_header(text), claims


class TestCertificate:
    @pytest.mark.parametrize("chain", [False, True])
    def test_a_certificate_signs_the_login(self, net: Net, keyring: Keyring, chain: bool) -> None:
        path = keyring.write("chain.pem", keyring.pem(keyring.issuer, keyring.own, keyring.key))
        entra(net)
        login = log_in({**APP, "x509_certificate_path": path, "send_certificate_chain": chain})
        assert not net.calls
        assert login.source.token() == "canary-token-1"
        header, claims = assertion(net, keyring)
        sent = ["".join(item.split()) for item in header["x5c"]]
        own, issuer = (
            "".join(keyring.pem(item).decode().split("-----")[2].split()) for item in (keyring.own, keyring.issuer)
        )
        assert (header["alg"], sent) == (("RS256", [own, issuer]) if chain else ("PS256", [own]))
        assert (claims["iss"], claims["sub"]) == (CLIENT, CLIENT)
        assert urls(net) == [DISCOVERY, TOKENS]

    @pytest.mark.parametrize("decorate", [str.upper, lambda text: ":".join(re.findall("..", text)) + " "])
    def test_thumbprint_for_a_key_alone(self, net: Net, keyring: Keyring, decorate: t.Callable[[str], str]) -> None:
        path = keyring.write("key.pem", keyring.pem(keyring.key))
        entra(net)
        options = {"x509_certificate_path": path, "thumbprint": decorate(keyring.thumbprint)}
        log_in({**APP, **options}).source.token()
        header, dummy = assertion(net, keyring)
        assert header["alg"] == "RS256"
        assert jwt.utils.base64url_decode(header["x5t"]).hex() == keyring.thumbprint

    @pytest.mark.parametrize(
        ("path", "reason"),
        [("/no/such/file", "No such file"), ("/", "Is a directory"), ("/dev/zero", "not a regular file")],
    )
    @pytest.mark.parametrize("option", ["x509_certificate_path", "oidc_token_file_path"])
    def test_files_that_cannot_be_read(self, net: Net, option: str, path: str, reason: str) -> None:
        with pytest.raises(CredentialsError, match=reason) as caught:
            log_in({**APP, option: path})
        assert str(caught.value).startswith(f"{option} (")
        assert not net.calls

    def test_an_expired_certificate_explains_a_refusal(self, net: Net, keyring: Keyring) -> None:
        entra(net, {"json": refused(700027, "The certificate is expired"), "status": 401})
        path = keyring.write("expired.pem", keyring.pem(keyring.key, keyring.expired))
        login = log_in({**APP, "certificate_path": path})
        assert "The certificate of certificate_path has expired." in str(failure(login, LoginError))
        path = keyring.write("valid.pem", keyring.pem(keyring.key, keyring.own))
        login = log_in({**APP, "certificate_path": path})
        login.time.now = 0.0
        assert "has expired" not in str(failure(login, LoginError))


class TestFederation:
    def test_token_file_is_read_for_each_login(self, net: Net, tmp_path: pathlib.Path) -> None:
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
        with pytest.raises(CredentialsError, match="No such file"):
            login.source.renew()

    @pytest.mark.parametrize(
        ("content", "reason"), [("", "is empty"), (" \n", "is empty"), ('{"value": "canary"}', "one token")]
    )
    def test_bad_token_files(self, net: Net, tmp_path: pathlib.Path, content: str, reason: str) -> None:
        path = tmp_path / "token"
        path.write_text(content)
        with pytest.raises(CredentialsError, match=reason) as caught:
            log_in({**APP, "oidc_token_file_path": str(path)})
        assert f"oidc_token_file_path ({path})" in str(caught.value)
        assert "canary" not in str(caught.value)
        assert not net.calls


class TestManagedIdentity:
    def test_virtual_machine(self, net: Net) -> None:
        net.add(responses.GET, IMDS, json=token(1, expires_in="3600"))
        login = log_in({"auth_source": "msi", "graph_url": "https://graph.microsoft.us"})
        assert login.source.token() == "canary-token-1"
        request = sent_to(net)
        assert request.params["resource"] == "https://graph.microsoft.us"
        assert "client_id" not in request.params
        assert request.headers["Metadata"] == "true"
        assert request.req_kwargs["timeout"] == (3.0, 60)
        assert login.redactor.redact("canary-token-1") == "********"

    def test_a_refused_token_is_replaced(self, net: Net) -> None:
        net.add(responses.GET, IMDS, json=token(1, expires_in="86400"))
        net.add(responses.GET, IMDS, json=token(2, expires_in="86400"))
        login = log_in(MSI)
        login.source.token()
        assert login.source.renew() is True
        assert login.source.token() == "canary-token-2"

    @pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
    def test_an_update_of_the_metadata_service_is_waited_for(self, net: Net, chance: float) -> None:
        login = log_in(MSI, chance=chance)
        began = login.time.now

        def answer(request: t.Any) -> tuple[int, dict[str, str], str]:
            updated = login.time.now - began >= 70
            return (200, {}, json.dumps(token(1, expires_in="3600"))) if updated else (410, {}, "")

        net.add_callback(responses.GET, IMDS, callback=answer)
        assert login.source.token() == "canary-token-1"

    def test_an_update_without_end_is_not_waited_for(self, net: Net) -> None:
        net.add(responses.GET, IMDS, status=410)
        login = log_in(MSI)
        assert "kept answering the managed identity with HTTP 410" in str(failure(login, ServiceError))
        assert 70 < sum(login.time.slept) < 130
        login = log_in({"auth_source": "msi", "retry_timeout": 5})
        failure(login, ServiceError)
        assert sum(login.time.slept) <= 5

    def test_a_passing_404_is_waited_for(self, net: Net) -> None:
        net.add(responses.GET, IMDS, status=404)
        net.add(responses.GET, IMDS, json=token(1, expires_in="3600"))
        assert log_in(MSI).source.token() == "canary-token-1"

    @pytest.mark.parametrize(("status", "kind"), [(429, ThrottledError), (500, ServiceError), (503, ServiceError)])
    def test_trouble_is_waited_for_as_at_entra(self, net: Net, status: int, kind: type[EntraRiskError]) -> None:
        net.add(responses.GET, IMDS, status=status, json={"error": {"code": "Busy", "message": "come back"}})
        login = log_in(MSI)
        error = failure(login, kind)
        assert f"HTTP {status}: come back." in str(error) and error.status == status
        assert len(login.time.slept) == 4

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
    @pytest.mark.parametrize("place", ["virtual machine", "App Service", "Azure ML", "Arc"])
    def test_errors_of_every_form_are_shown(
        self, net: Net, monkeypatch: pytest.MonkeyPatch, place: str, body: t.Any, code: str
    ) -> None:
        endpoint = "http://127.0.0.1:4141/token"
        variables = {
            "virtual machine": {},
            "App Service": {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": "canary"},
            "Azure ML": {"MSI_ENDPOINT": endpoint, "MSI_SECRET": "canary"},
            "Arc": {"IDENTITY_ENDPOINT": endpoint, "IMDS_ENDPOINT": "http://127.0.0.1:4141"},
        }[place]
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        net.add(responses.GET, endpoint if variables else IMDS, json=body, status=400)
        error = failure(log_in(MSI), LoginError)
        assert "No identity. Check that a managed identity is assigned to this machine." in str(error)
        assert "None" not in str(error)
        assert (error.code, error.status) == (code, 400)

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            ({"status": 404, "body": HTML}, LoginError, "Check that a managed identity is assigned"),
            ({"body": HTML}, ServiceError, "169.254.169.254 answered the managed identity with something that is not"),
            *(
                ({"json": body}, LoginError, "unknown_error")
                for body in ({}, {"error": None}, {"error": []}, {"error": {}}, {"access_token": None})
            ),
        ],
    )
    def test_answers_without_token_and_reason(
        self,
        net: Net,
        capfd: pytest.CaptureFixture[str],
        answer: dict[str, t.Any],
        kind: type[EntraRiskError],
        words: str,
    ) -> None:
        net.add(responses.GET, IMDS, **answer)
        login = log_in(MSI)
        message = str(failure(login, kind))
        assert words in message and "None" not in message and capfd.readouterr().err == ""
        assert sum(login.time.slept) < 5

    @pytest.mark.parametrize(
        ("broken", "begin"),
        [
            (
                requests.exceptions.ConnectTimeout("canary"),
                "No managed identity answers on this machine: No connection to 169.254.169.254",
            ),
            (requests.exceptions.ReadTimeout("canary"), ""),
        ],
    )
    def test_no_answer(self, net: Net, broken: Exception, begin: str) -> None:
        net.add(responses.GET, IMDS, body=broken)
        login = log_in(MSI)
        error = failure(login, NetworkError)
        assert str(error).startswith(begin) and ("use a secret" if begin else "did not answer") in str(error)
        assert not begin or (len(net.calls), login.time.slept) == (1, [])

    def test_a_user_assigned_identity_is_asked_for_and_named(self, net: Net) -> None:
        net.add(responses.GET, IMDS, json={"error": "invalid_request", "error_description": "x"}, status=400)
        error = failure(log_in({"auth_source": "msi", "client_id": CLIENT}), LoginError)
        assert f"(client_id {CLIENT})" in str(error)
        assert sent_to(net).params["client_id"] == CLIENT

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            # Which text MSAL makes of it differs between its releases; that the token is not in it must not.
            ({"json": token(1)}, "managed identity"),
            ({"status": 401, "headers": {"WWW-Authenticate": "Basic realm=/no/such/file.key"}}, "No such file or dir"),
        ],
        ids=["a token in the wrong place", "the key file is missing"],
    )
    def test_arc(self, net: Net, monkeypatch: pytest.MonkeyPatch, answer: dict[str, t.Any], words: str) -> None:
        endpoint = "http://127.0.0.1:40342/metadata/identity/oauth2/token"
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
        monkeypatch.setenv("IMDS_ENDPOINT", "http://127.0.0.1:40342")
        net.add(responses.GET, endpoint, **answer)
        assert words in str(failure(log_in(MSI), LoginError))

    def test_service_fabric_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By MSAL, which wants a session of its own there."""
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"):
            monkeypatch.setenv(name, "https://127.0.0.1:2377/canary")
        message = str(failure(log_in(MSI), LoginError))
        assert "managed identity" in message and "canary" not in message

    @pytest.mark.parametrize(
        "variable", ["AZURE_POD_IDENTITY_AUTHORITY_HOST", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT"]
    )
    @pytest.mark.parametrize("value", ["nonsense", "ftp://127.0.0.1/", "http://[bad", "http://127.0.0.1:x", "http://"])
    def test_an_endpoint_that_is_no_url(self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
        monkeypatch.setenv(variable, value)
        with pytest.raises(CredentialsError, match=f"{variable} in the environment is not the URL"):
            log_in(MSI)


class TestLibrary:
    def test_msal_is_not_needed_with_a_ready_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "msal", None)
        assert log_in({"access_token": "canary"}).source.token() == "canary"

    def test_msal_is_missing(self, net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "msal", None)
        error = failure(log_in(LOGIN), MissingLibraryError)
        assert isinstance(error, MissingLibraryError)
        assert error.package == "msal>=1.35"
        assert "import msal" in error.trace
        assert not net.calls

    @pytest.mark.parametrize(
        ("version", "new_enough"),
        [("1.34.0", False), ("0.9", False), ("", False), ("1.35.0", True), ("1.40.0rc1", True), ("2.0", True)],
    )
    def test_msal_is_new_enough(self, monkeypatch: pytest.MonkeyPatch, version: str, new_enough: bool) -> None:
        monkeypatch.setitem(sys.modules, "msal", types.SimpleNamespace(__version__=version))
        with contextlib.nullcontext() if new_enough else pytest.raises(MissingLibraryError) as caught:
            assert msal_login.load_msal().__version__ == version
        assert new_enough or "too old" in caught.value.trace

    def test_msal_does_not_log(self, net: Net, caplog: pytest.LogCaptureFixture) -> None:
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
    def test_what_msal_gives_back(
        self, monkeypatch: pytest.MonkeyPatch, given: t.Any, code: str | None, words: str
    ) -> None:
        msal = mock.Mock()
        msal.ConfidentialClientApplication.return_value.acquire_token_for_client.side_effect = given
        monkeypatch.setattr(msal_login, "load_msal", lambda: msal)
        error = failure(log_in(LOGIN), LoginError)
        assert error.code == code and words in str(error)

    def test_the_client_leaves_the_transport_open(self) -> None:
        closed: list[bool] = []
        transport = types.SimpleNamespace(close=lambda: closed.append(True))
        LoginHttp(t.cast(t.Any, transport), Redactor(), _clock(Time()), 1).close()
        assert not closed
