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
        ("text", "data"), [('{"a": 1}', {"a": 1}), ("", None), ("<html>", None), ("null", None), ("[1]", [1])]
    )
    def test_json(self, text: str, data: t.Any) -> None:
        assert _http.Response(200, {}, text).json() == data

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

    @pytest.mark.parametrize(("bearer", "expected"), [(TOKEN, f"Bearer {TOKEN}"), (None, None)])
    def test_a_netrc_file_has_no_say(
        self,
        net: responses.RequestsMock,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: pathlib.Path,
        bearer: str | None,
        expected: str | None,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("default login adele password canary-password\n")
        monkeypatch.setenv("NETRC", str(netrc))
        net.add(responses.GET, URL)
        transport().send("GET", URL, bearer=bearer)
        assert sent(net).headers.get("Authorization") == expected

    @pytest.mark.parametrize(
        ("options", "connect_timeout", "expected"),
        [
            ({}, None, (10.0, 60)),
            ({"timeout": 4}, None, (4, 4)),
            ({}, 2.0, (2.0, 60)),
        ],
    )
    def test_time_limits(
        self,
        net: responses.RequestsMock,
        options: dict[str, t.Any],
        connect_timeout: float | None,
        expected: tuple[float, float],
    ) -> None:
        net.add(responses.GET, URL)
        transport(**options).send("GET", URL, connect_timeout=connect_timeout)
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
        sender = transport()
        sender.send("GET", url)
        assert not requests.utils.select_proxy(url, sent(net).req_kwargs["proxies"])

    def test_https_uses_the_proxy_of_the_environment(
        self, net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.contoso.example:3128")
        net.add(responses.GET, URL)
        transport().send("GET", URL)
        proxies = sent(net).req_kwargs["proxies"]
        assert requests.utils.select_proxy(URL, proxies) == "http://proxy.contoso.example:3128"
        # What one request learnt from the environment is not kept for the next one.
        assert _http._NO_PROXY_FOR_HTTP == {"http": ""}


def retries(reason: Exception) -> requests.exceptions.ConnectionError:
    """A failure in the wrappings in which it comes out of requests."""
    inner = urllib3.exceptions.MaxRetryError(t.cast(t.Any, None), f"{URL}?canary", reason)
    return requests.exceptions.ConnectionError(inner)


def unreachable(cause: OSError) -> requests.exceptions.ConnectionError:
    error = urllib3.exceptions.NewConnectionError(t.cast(t.Any, None), "canary")
    error.__cause__ = cause
    return retries(error)


UNTRUSTED = ssl.SSLCertVerificationError(1, "canary")
UNTRUSTED.verify_message = "self-signed certificate"
WRONG_VERSION = ssl.SSLError(1, "canary")
WRONG_VERSION.reason = "WRONG_VERSION_NUMBER"

# what requests raises -> our error, what it names, whether the request may have been carried out
FAILURES: dict[str, tuple[Exception, type[EntraRiskError], list[str], bool]] = {
    "untrusted certificate": (
        requests.exceptions.SSLError(UNTRUSTED),
        TlsError,
        ["graph.contoso.example", "self-signed certificate", "ca_path"],
        False,
    ),
    "other TLS failure": (requests.exceptions.SSLError(WRONG_VERSION), TlsError, ["WRONG_VERSION_NUMBER"], False),
    "TLS failure without a reason": (
        requests.exceptions.SSLError(ssl.SSLError("canary")),
        TlsError,
        ["TLS error"],
        False,
    ),
    "TLS broken in the middle": (
        requests.exceptions.SSLError(ssl.SSLEOFError(8, "canary")),
        NetworkError,
        ["broke"],
        True,
    ),
    "proxy": (
        requests.exceptions.ProxyError(OSError(errno.ECONNREFUSED, "Connection refused")),
        NetworkError,
        ["proxy for graph.contoso.example", "Connection refused", "HTTPS_PROXY"],
        False,
    ),
    "proxy that refuses": (
        requests.exceptions.ProxyError(OSError("Tunnel connection failed: 407 Proxy Authentication Required")),
        NetworkError,
        ["407 Proxy Authentication Required", "HTTPS_PROXY"],
        False,
    ),
    "no connection": (requests.exceptions.ConnectTimeout("canary"), NetworkError, ["within the time limit"], False),
    "no answer": (requests.exceptions.ReadTimeout("canary"), NetworkError, ["60 seconds", "raise timeout"], True),
    "refused": (
        unreachable(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")),
        NetworkError,
        ["could not be reached: Connection refused"],
        False,
    ),
    "unknown name": (
        unreachable(socket.gaierror(-2, "Name or service not known")),
        NetworkError,
        ["Name or service not known"],
        False,
    ),
    "reset": (
        requests.exceptions.ConnectionError(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")),
        NetworkError,
        ["broke: Connection reset by peer"],
        True,
    ),
    "cut body": (requests.exceptions.ChunkedEncodingError("canary"), NetworkError, ["broke"], True),
    "damaged body": (requests.exceptions.ContentDecodingError("canary"), NetworkError, ["broke"], True),
    "two lengths": (
        requests.exceptions.InvalidHeader("canary: unmatching Content-Length"),
        NetworkError,
        ["broke: what came is not valid HTTP (InvalidHeader)"],
        True,
    ),
    "too many headers": (http.client.HTTPException("canary"), NetworkError, ["HTTP (HTTPException)"], True),
    "bad status line": (http.client.BadStatusLine("canary"), NetworkError, ["HTTP (BadStatusLine)"], True),
    "no memory": (MemoryError("canary"), NetworkError, ["broke: MemoryError"], True),
    "something new": (ZeroDivisionError("canary"), NetworkError, ["broke: ZeroDivisionError"], True),
    "reset without a wrapping": (
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        NetworkError,
        ["broke: Connection reset by peer"],
        True,
    ),
    "late without a wrapping": (TimeoutError("canary"), NetworkError, ["broke: TimeoutError"], True),
    "missing CA bundle": (OSError("canary: invalid path: /x"), TlsError, ["TLS could not be set up", "ca_path"], False),
    "unreadable CA bundle": (OSError(errno.EACCES, "Permission denied"), TlsError, ["Permission denied"], False),
}


class TestFailures:
    @pytest.mark.parametrize("name", FAILURES)
    def test_each_becomes_one_of_ours(self, net: responses.RequestsMock, name: str) -> None:
        raised, kind, named, outcome_unknown = FAILURES[name]
        net.add(responses.GET, URL, body=raised)
        with pytest.raises(EntraRiskError) as caught:
            transport().send("GET", URL, params={"x": "canary"}, bearer=TOKEN)
        error = caught.value
        assert error.__class__ is kind
        for text in named:
            assert text in str(error)
        assert error.outcome_unknown is outcome_unknown
        assert "canary" not in str(error)
        # The exceptions of requests hold the request, and with it the token.
        assert error.__cause__ is None
        assert error.__context__ is None

    def test_a_real_refusal(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        with pytest.raises(NetworkError, match="could not be reached: Connection refused") as caught:
            transport().send("GET", f"http://user:canary@127.0.0.1:{port}/")
        assert "canary" not in str(caught.value)

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
