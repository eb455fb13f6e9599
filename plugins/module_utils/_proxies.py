# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The proxy that the environment names, looked at before it is used.

requests and urllib3 take a proxy's URL apart in several places. What they say of one that they cannot use holds its
password, or blames something else.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import unquote

from ._errors import NetworkError

# Which variables can hold the proxy for an https URL, in the order in which they count.
PROXY_VARIABLES: tuple[str, ...] = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_FORM = "Write it as http://host:port or http://user:password@host:port."
_ENCODE = (
    "Percent-encode such characters in its user name and password (/ is %2F, # is %23, ? is %3F, [ is %5B, ] is %5D, "
    "@ is %40, \\ is %5C, a space is %20)."
)


def check_proxy(value: str | None, environ: t.Mapping[str, str]) -> None:
    """Check the proxy that is about to be used. The message never holds its value.

    :raises NetworkError: it cannot be used.
    """
    problem = proxy_problem(value) if value else None
    if problem is not None:
        raise NetworkError(f"The proxy in {_variable(value, environ)} cannot be used: {problem}")


def proxy_problem(value: str) -> str | None:
    """What is wrong with a proxy's URL, and the remedy; None when nothing is."""
    if value != value.strip() or re.search(r"[\x00-\x1f\x7f]", value):
        return "there is whitespace around it, or a line break or another control character in it. Take that out."
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "", value[2:] if value.startswith("//") else value
        if value.startswith("/") != value.startswith("//") or re.match(r"[A-Za-z][A-Za-z0-9+-]*:", value):
            return f"it does not begin with http:// or https://. {_FORM}"
    elif scheme.lower() not in _SCHEMES:
        return f"it does not begin with http://, https:// or a SOCKS scheme. {_FORM}"
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest[len(authority) :]:
        return f"there is an unencoded /, # or ? in front of the @. {_ENCODE}"
    if "://" in rest:
        return f"there is more than one :// in it. {_FORM}"
    user, dummy, host = authority.rpartition("@")
    return _problem_of_user(user) or _problem_of_host(host) or _problem_of_socks(scheme.lower())


def _problem_of_user(user: str) -> str | None:
    if re.search(r"[\s\[\]\\]", user):
        return f"there is a character in its user name or password that must be encoded. {_ENCODE}"
    try:
        plain = unquote(user, errors="strict")
        plain.encode("latin-1")
    except UnicodeError:
        return (
            "its user name or password holds a character that cannot be sent to a proxy. "
            "Have the password of the proxy changed to one of ASCII characters."
        )
    return (
        "its user name or password holds a control character. Take that out." if re.search(r"[\r\n\0]", plain) else None
    )


def _problem_of_host(text: str) -> str | None:
    match = re.fullmatch(r"(?P<host>\[[^\[\]]*\]|[^\[\]:\s\\%\"<>^`{|}]*)(?::(?P<port>.*))?", text, re.DOTALL)
    if match is None or not text.isprintable():
        return f"its host is not a host name or an IP address. {_FORM}"
    host, port = match["host"], match["port"] or ""
    if not host:
        return f"it names no host. {_FORM}"
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1].partition("%")[0])
        except ValueError:
            return f"its host in brackets is not an IPv6 address. {_FORM}"
    if port and (re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) is None or not 0 < int(port) < 65536):
        return f"its port is not a number from 1 to 65535. {_FORM} {_ENCODE}"
    return None


def _problem_of_socks(scheme: str) -> str | None:
    if scheme.startswith("socks") and not _has_pysocks():
        return (
            "a SOCKS proxy needs the Python library PySocks on the machine where the module runs. "
            "Install it there (pip install 'requests[socks]'), or name an HTTP proxy."
        )
    return None


def _has_pysocks() -> bool:
    try:
        import socks  # noqa: F401  # only whether it is there counts
    except ImportError:
        return False
    return True


def _variable(value: str | None, environ: t.Mapping[str, str]) -> str:
    """The variable that the value came from: lower case counts before upper case, and both before a mixture."""
    names = sorted((name for name in environ if name.lower() in PROXY_VARIABLES), key=_rank)
    return next((name for name in names if environ[name] == value), "the settings of this machine")


def _rank(name: str) -> tuple[bool, bool]:
    return name.lower() == "all_proxy", name != name.lower()
