"""Proxies that cannot be used: the variable and the remedy are named, the value never."""

from __future__ import annotations

import socket
import sys
import threading

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _http
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import NetworkError
from ansible_collections.identityops.entra_risk.plugins.module_utils._proxies import proxy_problem
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor

URL = "https://graph.microsoft.com/v1.0"


USABLE = (
    "http://proxy.example:3128 http://proxy.example https://proxy.example:443/ HTTP://proxy.example:3128 "
    "http://user:password@proxy.example:3128 http://user:p@ss@proxy.example:3128 http://[::1]:3128 "
    "http://user:p%5Bss%5D@proxy.example:3128 http://user:p:a!s$s&w*o(r)d@proxy.example:3128 "
    "http://domain%5Cuser:x@proxy.example:3128 proxy.example:3128 127.0.0.1:3128 //proxy.example:3128"
)


@pytest.mark.parametrize("value", USABLE.split())
def test_what_can_be_used(value: str) -> None:
    assert proxy_problem(value) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http://user:canary[ss]word@proxy.example:3128", "%5B"),
        ("http://user:canary#word@proxy.example:3128", "%23"),
        ("http://user:canary/word@proxy.example:3128", "%2F"),
        ("http://user:12/canary@proxy.example:3128", "%2F"),
        ("http://user:canary?word@proxy.example:3128", "%3F"),
        ("http://user:canary word@proxy.example:3128", "%20"),
        ("http://canary\\user:x@proxy.example:3128", "%5C"),
        ("http://user:canary%E2%82%AC@proxy.example:3128", "cannot be sent to a proxy"),
        ("http://user:canary\u20ac@proxy.example:3128", "cannot be sent to a proxy"),
        ("http://user:canary%0d%0aX@proxy.example:3128", "control character"),
        ("http://canary.example:port", "from 1 to 65535"),
        ("http://canary.example:65536", "from 1 to 65535"),
        ("http://canary.example:\u0663", "from 1 to 65535"),
        ("http://", "names no host"),
        ("http://user:canary@", "names no host"),
        ("http://[::canary]:3128", "not an IPv6 address"),
        ("http://[::1", "not a host name"),
        ("http://can ary:3128", "not a host name"),
        ("http:///canary.example:3128", "names no host"),
        ("http://http://canary.example", "more than one ://"),
        ("canary:3128", "does not begin with http://"),
        ("user:canary@proxy.example:3128", "does not begin with http://"),
        ("ftp://canary.example:21", "does not begin with http://"),
        ("/canary", "does not begin with http://"),
        (" http://canary.example:3128", "whitespace around it"),
        ("http://canary.example:3128\n", "whitespace around it"),
        ("http://canary\texample:3128", "control character"),
    ],
)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_what_cannot_be_used(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str) -> None:
    monkeypatch.setenv(variable, value)
    transport = _http.Transport(verify=True, timeout=1, redactor=Redactor())
    with pytest.raises(NetworkError) as caught:
        transport.send("GET", URL)
    message = str(caught.value)
    assert message.startswith(f"The proxy in {variable} cannot be used: ") and words in message
    assert "canary" not in message and not caught.value.outcome_unknown


def test_socks_without_pysocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socks", None)
    assert "PySocks" in str(proxy_problem("socks5h://user:x@proxy.example:1080"))


@pytest.mark.parametrize(
    "environ",
    [
        # Lower case counts before upper case, and both before the one for all.
        {"https_proxy": "http://bad:port", "HTTPS_PROXY": "http://127.0.0.1:1"},
        {"HTTPS_PROXY": "http://bad:port", "ALL_PROXY": "http://127.0.0.1:1"},
    ],
)
def test_the_variable_that_counts_is_named(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NetworkError, match=f"The proxy in {next(iter(environ))} cannot"):
        _http.Transport(verify=True, timeout=1, redactor=Redactor()).send("GET", URL)


def test_tls_to_a_proxy_that_speaks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, dummy = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"https://user:canary@127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(NetworkError, match="most proxies are named with http://") as caught:
            _http.Transport(verify=True, timeout=5, redactor=Redactor()).send("GET", URL)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTPS_PROXY": "http://bad:port", "NO_PROXY": "127.0.0.1"},
        {"HTTPS_PROXY": "http://bad:port", "no_proxy": "*"},
        {"HTTP_PROXY": "http://bad:port"},
        {"HTTPS_PROXY": ""},
    ],
)
def test_a_proxy_that_is_not_used_does_not_matter(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NetworkError, match="could not be reached"):
        _http.Transport(verify=True, timeout=1, redactor=Redactor()).send("GET", "https://127.0.0.1:1/")
