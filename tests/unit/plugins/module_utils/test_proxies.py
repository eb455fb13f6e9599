"""Proxies that cannot be used: the variable and the remedy are named, the value never."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _http
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import NetworkError
from ansible_collections.identityops.entra_risk.plugins.module_utils._proxies import proxy_problem
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor


def refusal(url: str) -> str:
    """The message about a request to this place. Nothing has left."""
    with pytest.raises(NetworkError) as caught:
        _http.Transport(verify=True, timeout=1, redactor=Redactor()).send("GET", url)
    assert "canary" not in str(caught.value) and not caught.value.outcome_unknown
    return str(caught.value)


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
    message = refusal("https://graph.microsoft.com/v1.0")
    assert message.startswith(f"The proxy in {variable} cannot be used: ") and words in message


def test_socks_without_pysocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socks", None)
    assert "PySocks" in str(proxy_problem("socks5h://user:x@proxy.example:1080"))


# Lower case counts before upper case, both before the one for all, and exceptions before all of them.
@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"https_proxy": "http://bad:port", "HTTPS_PROXY": "http://127.0.0.1:1"}, "The proxy in https_proxy cannot"),
        ({"HTTPS_PROXY": "http://bad:port", "ALL_PROXY": "http://127.0.0.1:1"}, "The proxy in HTTPS_PROXY cannot"),
        ({"HTTPS_PROXY": "http://bad:port", "NO_PROXY": "127.0.0.1"}, "could not be reached"),
        ({"HTTPS_PROXY": "http://bad:port", "no_proxy": "*"}, "could not be reached"),
        ({"HTTP_PROXY": "http://bad:port"}, "could not be reached"),
        ({"HTTPS_PROXY": ""}, "could not be reached"),
    ],
)
def test_the_variable_that_counts_is_named(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], words: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert words in refusal("https://127.0.0.1:1/")
