"""Keeps the tests on this machine: every connection and every name look-up that would leave loopback is refused.

An audit hook sees them all, whichever library asks, and nothing can take it off again. What the surroundings say about
credentials and ways out is hidden.
"""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import socket
import sys
import typing as t

if t.TYPE_CHECKING:
    import pytest

# What a person may have set for real work, and what the collection would read.
_SETTINGS = re.compile(
    r"^(AZURE_|ANSIBLE_AZURE_|MSGRAPH_|AD_USER$|IDENTITY_|IMDS_|MSI_)|^(REQUESTS|CURL)_CA_BUNDLE$|_PROXY$", re.I
)


class OutsideLoopbackError(RuntimeError):
    """A test tried to talk to another machine.

    No OSError on purpose: HTTP libraries turn those into "host unreachable", for which a test may wait.
    """


def is_loopback(host: t.Any) -> bool:
    """True for `localhost`, for loopback addresses, and for nothing at all (a server asks for the wildcard address)."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(text).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _audit(event: str, args: tuple[t.Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        connection, address = args
        if connection.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            raise OutsideLoopbackError(f"a test tried to reach {address[0]}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not is_loopback(args[0]):
        raise OutsideLoopbackError(f"a test tried to look up {args[0]}")


def refuse_everything_else() -> None:
    """Switch the guard on, for the rest of this process."""
    sys.addaudithook(_audit)


def hear_hangups() -> None:
    """Let SIGHUP do what it does usually, also in a run that `nohup` started."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def hide_settings(patch: pytest.MonkeyPatch) -> None:
    """Take credentials, proxies and CA bundles out of the environment."""
    for name in [name for name in os.environ if _SETTINGS.search(name)]:
        patch.delenv(name)
