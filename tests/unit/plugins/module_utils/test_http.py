"""The transport: what goes out, and what failures become."""

from __future__ import annotations

import errno
import http.client
import importlib
import pathlib
import socket
import ssl
import sys
import typing as t
import warnings

import pytest
import requests
import responses
import urllib3.exceptions

from ansible_collections.identityops.entra_risk.plugins.module_utils import _errors, _http
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor

URL = "https://graph.contoso.example/v1.0/x"
PLAIN_URL = "http://169.254.169.254/metadata/identity/oauth2/token"
TOKEN = "canary-token"


@pytest.fixture
def net() -> t.Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def transport(**options: t.Any) -> _http.Transport:
    redactor = Redactor()
    redactor.add(TOKEN)
    return _http.Transport(**{"verify": True, "timeout": 60, "redactor": redactor, **options})


def sent(net: responses.RequestsMock) -> t.Any:
    """The request, with the arguments for the adapter that the mock adds to it."""
    return net.calls[-1].request


@pytest.mark.parametrize(
    ("content_type", "text", "is_html"),
    [
        ("text/html; charset=utf-8", "", True),
        ("application/xhtml+xml", "x", True),
        ("text/plain", " \n<!doctype html>", True),
        ("application/json", "{}", False),
        ("", "", False),
    ],
)
def test_a_web_page_is_told_from_an_answer(content_type: str, text: str, is_html: bool) -> None:
    assert _http.Response(502, {"content-type": content_type} if content_type else {}, text).is_html is is_html


def test_what_goes_out_and_what_comes_back(net: responses.RequestsMock) -> None:
    net.add(responses.POST, URL, body="\u00e9".encode(), status=418, headers={"X-Request": "Y"})
    params = {"$top": "1", "$filter": "a eq 'b+c'"}
    answer = transport().send(
        "POST", URL, params=params, json_body={"a": 1}, headers={"X-Here": "1"}, bearer=TOKEN, connect_timeout=2
    )
    assert (answer.status, answer.text, answer.headers["x-request"]) == (418, "\u00e9", "Y")
    request = sent(net)
    assert request.url.endswith("?$top=1&$filter=a%20eq%20%27b%2Bc%27") and request.body == b'{"a": 1}'
    expected = {"Authorization": f"Bearer {TOKEN}", "X-Here": "1", "User-Agent": _http.USER_AGENT}
    assert {name: request.headers[name] for name in expected} == expected
    assert request.req_kwargs["timeout"] == (2, 60)


@pytest.mark.parametrize("bearer", [TOKEN, None])
def test_a_netrc_file_has_no_say(
    net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, bearer: str | None
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login adele password canary-password\n")
    monkeypatch.setenv("NETRC", str(netrc))
    net.add(responses.GET, URL)
    transport().send("GET", URL, bearer=bearer)
    assert sent(net).headers.get("Authorization") == (bearer and f"Bearer {bearer}")


@pytest.mark.parametrize(("timeout", "expected"), [(60, (10, 60)), (4, (4, 4))])
def test_time_limits(net: responses.RequestsMock, timeout: int, expected: tuple[int, int]) -> None:
    net.add(responses.GET, URL)
    transport(timeout=timeout).send("GET", URL)
    assert sent(net).req_kwargs["timeout"] == expected


def test_no_warning_for_each_request_without_validation() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        transport(verify=False)
        warnings.warn("x", urllib3.exceptions.InsecureRequestWarning, stacklevel=1)
    assert caught == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_for_https_alone(
    net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    proxy = "http://proxy.contoso.example:3128"
    monkeypatch.setenv(name, proxy)
    used = []
    for url in (URL, PLAIN_URL):
        net.add(responses.GET, url)
        transport().send("GET", url)
        used.append(requests.utils.select_proxy(url, sent(net).req_kwargs["proxies"]) or None)
    assert used == [None if name.lower() == "http_proxy" else proxy, None]


def unreachable(cause: OSError) -> requests.exceptions.ConnectionError:
    """A failure in the wrappings in which it comes out of requests."""
    error = urllib3.exceptions.NewConnectionError(t.cast(t.Any, None), "canary")
    error.__cause__ = cause
    inner = urllib3.exceptions.MaxRetryError(t.cast(t.Any, None), f"{URL}?canary", error)
    return requests.exceptions.ConnectionError(inner)


UNTRUSTED = ssl.SSLCertVerificationError(1, "canary")
UNTRUSTED.verify_message = "self-signed certificate"
WRONG_VERSION = ssl.SSLError(1, "canary")
WRONG_VERSION.reason = "WRONG_VERSION_NUMBER"
REQUESTS = requests.exceptions
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
TUNNEL = "Tunnel connection failed: 407 Proxy Authentication Required"
# What requests raises, the kind of our error, a part of its text, and whether the request may have been carried out.
FAILURES: t.Sequence[tuple[Exception, str, str, bool]] = (
    (REQUESTS.SSLError(UNTRUSTED), "tls", "graph.contoso.example failed: self-signed certificate", False),
    (REQUESTS.SSLError(WRONG_VERSION), "tls", "WRONG_VERSION_NUMBER", False),
    (REQUESTS.SSLError(ssl.SSLError("canary")), "tls", "TLS error", False),
    (REQUESTS.SSLError(ssl.SSLEOFError(8, "canary")), "network", "broke", True),
    (REQUESTS.ProxyError(REFUSED), "network", "proxy for graph.contoso.example failed: Connection refused", False),
    (REQUESTS.ProxyError(OSError(TUNNEL)), "network", f"{TUNNEL}. Check HTTPS_PROXY", False),
    (REQUESTS.ConnectTimeout("canary"), "network", "within the time limit", False),
    (REQUESTS.ReadTimeout("canary"), "network", "60 seconds. Try again later, or raise timeout", True),
    (unreachable(REFUSED), "network", "could not be reached: Connection refused", False),
    (unreachable(socket.gaierror(-2, "Name or service not known")), "network", "Name or service not known", False),
    (REQUESTS.ConnectionError(RESET), "network", "broke: Connection reset by peer", True),
    (REQUESTS.ChunkedEncodingError("canary"), "network", "broke", True),
    (REQUESTS.ContentDecodingError("canary"), "network", "broke", True),
    (REQUESTS.InvalidHeader("canary"), "network", "broke: what came is not valid HTTP (InvalidHeader)", True),
    (http.client.HTTPException("canary"), "network", "HTTP (HTTPException)", True),
    (http.client.BadStatusLine("canary"), "network", "HTTP (BadStatusLine)", True),
    (MemoryError("canary"), "network", "broke: MemoryError", True),
    # Without a wrapping.
    (RESET, "network", "broke: Connection reset by peer", True),
    (TimeoutError("canary"), "network", "broke: TimeoutError", True),
    (OSError("canary: invalid path: /x"), "tls", "set up: the CA bundle cannot be read. Check ca_path", False),
    (OSError(errno.EACCES, "Permission denied"), "tls", "Permission denied", False),
)


@pytest.mark.parametrize(("raised", "kind", "words", "outcome_unknown"), FAILURES)
def test_each_failure_becomes_one_of_ours(
    net: responses.RequestsMock, raised: Exception, kind: str, words: str, outcome_unknown: bool
) -> None:
    net.add(responses.GET, URL, body=raised)
    with pytest.raises(_errors.EntraRiskError) as caught:
        transport().send("GET", URL, params={"x": "canary"}, bearer=TOKEN)
    error = caught.value
    assert (error.kind, error.outcome_unknown) == (kind, outcome_unknown)
    assert words in str(error) and "canary" not in str(error)
    # The exceptions of requests hold the request, and with it the token.
    assert error.__cause__ is None and error.__context__ is None


def test_a_ca_bundle_that_vanished(tmp_path: pathlib.Path) -> None:
    with pytest.raises(_errors.TlsError, match="CA bundle cannot be read"):
        transport(verify=str(tmp_path / "gone")).send("GET", "https://127.0.0.1:9/")


def test_requests_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "requests", None)
        patch.delitem(sys.modules, _http.__name__)
        again = importlib.import_module(_http.__name__)
        assert isinstance(again.REQUESTS_ERROR, _errors.MissingLibraryError)
    assert _http.REQUESTS_ERROR is None
