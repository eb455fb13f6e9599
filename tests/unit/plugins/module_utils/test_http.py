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

from ansible_collections.identityops.entra_risk.plugins.module_utils import _http
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import (
    EntraRiskError,
    MissingLibraryError,
    NetworkError,
    TlsError,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor

URL = "https://graph.contoso.example/v1.0/x"
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
    return net.calls[0].request


class TestAnswer:
    @pytest.mark.parametrize(
        ("content_type", "text", "is_html"),
        [
            ("text/html; charset=utf-8", "", True),
            ("application/json", "{}", False),
            ("text/plain", " \n<!doctype html>", True),
            ("application/xhtml+xml", "x", True),
        ],
    )
    def test_html(self, content_type: str, text: str, is_html: bool) -> None:
        assert _http.Response(502, {"content-type": content_type}, text).is_html is is_html
        assert _http.Response(502, {}, "").is_html is False


class TestRequest:
    def test_what_goes_out_and_what_comes_back(self, net: responses.RequestsMock) -> None:
        net.add(responses.POST, URL, body="\u00e9".encode(), status=418, headers={"X-Request": "Y"})
        answer = transport().send(
            "POST",
            URL,
            params={"$top": "1", "$filter": "a eq 'b+c'"},
            json_body={"a": 1},
            headers={"X-Here": "1"},
            bearer=TOKEN,
        )
        assert (answer.status, answer.text, answer.headers["x-request"]) == (418, "\u00e9", "Y")
        request = sent(net)
        assert request.url.endswith("?$top=1&$filter=a%20eq%20%27b%2Bc%27")
        assert request.body == b'{"a": 1}'
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.headers["X-Here"] == "1"
        assert request.headers["User-Agent"] == _http.USER_AGENT

    def test_no_redirect_is_followed(self, net: responses.RequestsMock) -> None:
        net.add(responses.GET, URL, status=307, headers={"Location": "https://evil.example/"})
        assert transport().send("GET", URL, bearer=TOKEN).status == 307
        assert len(net.calls) == 1

    @pytest.mark.parametrize("bearer", [TOKEN, None])
    def test_a_netrc_file_has_no_say(
        self, net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, bearer: str | None
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("default login adele password canary-password\n")
        monkeypatch.setenv("NETRC", str(netrc))
        net.add(responses.GET, URL)
        transport().send("GET", URL, bearer=bearer)
        assert sent(net).headers.get("Authorization") == (bearer and f"Bearer {bearer}")

    @pytest.mark.parametrize(
        ("timeout", "connect_timeout", "expected"), [(60, None, (10, 60)), (4, None, (4, 4)), (60, 2, (2, 60))]
    )
    def test_time_limits(
        self, net: responses.RequestsMock, timeout: int, connect_timeout: int | None, expected: tuple[int, int]
    ) -> None:
        net.add(responses.GET, URL)
        transport(timeout=timeout).send("GET", URL, connect_timeout=connect_timeout)
        assert sent(net).req_kwargs["timeout"] == expected

    @pytest.mark.parametrize("verify", [False, "/some/bundle"])
    def test_verify_is_not_overruled_by_the_environment(
        self, net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, verify: bool | str
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/another/bundle")
        net.add(responses.GET, URL)
        transport(verify=verify).send("GET", URL)
        assert sent(net).req_kwargs["verify"] == verify

    def test_no_warning_for_each_request_without_validation(self) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            transport(verify=False)
            warnings.warn("x", urllib3.exceptions.InsecureRequestWarning, stacklevel=1)
        assert caught == []

    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
    def test_plain_http_uses_no_proxy(
        self, net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv(name, "http://proxy.contoso.example:3128")
        url = "http://169.254.169.254/metadata/identity/oauth2/token"
        net.add(responses.GET, url)
        transport().send("GET", url)
        assert not requests.utils.select_proxy(url, sent(net).req_kwargs["proxies"])

    def test_https_uses_the_proxy_of_the_environment(
        self, net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.contoso.example:3128")
        net.add(responses.GET, URL)
        transport().send("GET", URL)
        monkeypatch.delenv("HTTPS_PROXY")
        transport().send("GET", URL)
        used = [
            requests.utils.select_proxy(URL, t.cast(t.Any, call.request).req_kwargs["proxies"]) for call in net.calls
        ]
        assert used == ["http://proxy.contoso.example:3128", None]


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

# What requests raises, our error, a part of its text, and whether the request may have been carried out.
REQUESTS = requests.exceptions
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
TUNNEL = "Tunnel connection failed: 407 Proxy Authentication Required"
FAILURES: t.Sequence[tuple[Exception, type[EntraRiskError], str, bool]] = (
    (REQUESTS.SSLError(UNTRUSTED), TlsError, "graph.contoso.example failed: self-signed certificate", False),
    (REQUESTS.SSLError(WRONG_VERSION), TlsError, "WRONG_VERSION_NUMBER", False),
    (REQUESTS.SSLError(ssl.SSLError("canary")), TlsError, "TLS error", False),
    (REQUESTS.SSLError(ssl.SSLEOFError(8, "canary")), NetworkError, "broke", True),
    (REQUESTS.ProxyError(REFUSED), NetworkError, "proxy for graph.contoso.example failed: Connection refused", False),
    (REQUESTS.ProxyError(OSError(TUNNEL)), NetworkError, f"{TUNNEL}. Check HTTPS_PROXY", False),
    (REQUESTS.ConnectTimeout("canary"), NetworkError, "within the time limit", False),
    (REQUESTS.ReadTimeout("canary"), NetworkError, "60 seconds. Try again later, or raise timeout", True),
    (unreachable(REFUSED), NetworkError, "could not be reached: Connection refused", False),
    (unreachable(socket.gaierror(-2, "Name or service not known")), NetworkError, "Name or service not known", False),
    (REQUESTS.ConnectionError(RESET), NetworkError, "broke: Connection reset by peer", True),
    (REQUESTS.ChunkedEncodingError("canary"), NetworkError, "broke", True),
    (REQUESTS.ContentDecodingError("canary"), NetworkError, "broke", True),
    (REQUESTS.InvalidHeader("canary"), NetworkError, "broke: what came is not valid HTTP (InvalidHeader)", True),
    (http.client.HTTPException("canary"), NetworkError, "HTTP (HTTPException)", True),
    (http.client.BadStatusLine("canary"), NetworkError, "HTTP (BadStatusLine)", True),
    (MemoryError("canary"), NetworkError, "broke: MemoryError", True),
    # Without a wrapping.
    (RESET, NetworkError, "broke: Connection reset by peer", True),
    (TimeoutError("canary"), NetworkError, "broke: TimeoutError", True),
    (OSError("canary: invalid path: /x"), TlsError, "set up: the CA bundle cannot be read. Check ca_path", False),
    (OSError(errno.EACCES, "Permission denied"), TlsError, "Permission denied", False),
)


class TestFailures:
    @pytest.mark.parametrize(("raised", "kind", "words", "outcome_unknown"), FAILURES)
    def test_each_becomes_one_of_ours(
        self,
        net: responses.RequestsMock,
        raised: Exception,
        kind: type[EntraRiskError],
        words: str,
        outcome_unknown: bool,
    ) -> None:
        net.add(responses.GET, URL, body=raised)
        with pytest.raises(EntraRiskError) as caught:
            transport().send("GET", URL, params={"x": "canary"}, bearer=TOKEN)
        error = caught.value
        assert error.__class__ is kind
        assert words in str(error)
        assert error.outcome_unknown is outcome_unknown
        assert "canary" not in str(error)
        # The exceptions of requests hold the request, and with it the token.
        assert error.__cause__ is None
        assert error.__context__ is None

    def test_a_ca_bundle_that_vanished(self, tmp_path: pathlib.Path) -> None:
        with pytest.raises(TlsError, match="CA bundle cannot be read"):
            transport(verify=str(tmp_path / "gone")).send("GET", "https://127.0.0.1:9/")


def test_requests_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "requests", None)
        patch.delitem(sys.modules, _http.__name__)
        again = importlib.import_module(_http.__name__)
        assert isinstance(again.REQUESTS_ERROR, MissingLibraryError)
    assert _http.REQUESTS_ERROR is None
