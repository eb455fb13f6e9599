# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Which login service and which Graph a task talks to."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from .._errors import CredentialsError
from .shapes import is_domain
from .sources import Given, Sources


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Where a cloud logs in and where its Graph is, both as origins."""

    authority_host: str
    graph_url: str


CLOUDS: t.Mapping[str, Cloud] = {
    "AzureCloud": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "AzureUSGovernment": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "AzureUSGovernmentDoD": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
}

_CHINA = "AzureChinaCloud"
_CHINA_HOSTS = ("microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn")
_NOT_IN_CHINA = (
    f"is {{what}}{_CHINA}, which cannot be used: the API of Identity Protection does not exist in the cloud operated "
    "by 21Vianet."
)


def authority(sources: Sources) -> str:
    """The origin of the login service.

    :raises CredentialsError: an option or variable that decides it is wrong.
    """
    return _origin(sources, "authority_host")


def graph_url(sources: Sources) -> str:
    """The origin of Graph.

    :raises CredentialsError: an option or variable that decides it is wrong.
    """
    return _origin(sources, "graph_url")


def _origin(sources: Sources, name: str) -> str:
    """What the task says is never overruled by the environment: a URL, else its cloud, else the same there."""
    of_task, of_environment = sources.option("cloud_environment"), sources.variable("cloud_environment")
    # Looked at even where a URL decides: who names a cloud takes it for understood.
    given = of_task or of_environment
    cloud = CLOUDS["AzureCloud"] if given is None else _cloud(given)
    url = sources.option(name)
    if url is None and of_task is None:
        url = sources.variable(name)
    return str(getattr(cloud, name)) if url is None else _parse(url, name)


def _cloud(given: Given) -> Cloud:
    if given.text in CLOUDS:
        return CLOUDS[given.text]
    known = ", ".join(CLOUDS)
    if given.text == _CHINA:
        raise CredentialsError(f"{given.label} {_NOT_IN_CHINA.format(what='')} Use one of {known}.")
    advice = f"Use one of {known}; for another cloud leave it out, and give authority_host and graph_url."
    if "://" in given.text:
        raise CredentialsError(
            f"{given.label} is a URL (of an Azure Stack, it seems), and there is no Microsoft Graph behind it. {advice}"
        )
    raise CredentialsError(f"{given.named} is not the name of a cloud that is known. {advice}")


# The whole text must match: urlsplit drops tabs and line breaks, and takes much for a host that is none.
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS: t.Mapping[str, int] = {"https": 443, "http": 80}


def _parse(given: Given, name: str) -> str:
    """Scheme, host and port of a URL option. The value is not repeated in messages: it may hold a password."""
    text = given.text
    if name == "authority_host" and is_domain(text.rstrip("/")):
        # Azure's own libraries accept a bare host name in this variable too.
        text = f"https://{text}"
    match = _ORIGIN.fullmatch(text)
    if match is None or ".." in match["host"] or not 0 < int(match["port"] or 1) < 65536:
        raise CredentialsError(
            f"{given.label} must be an https URL with a host and nothing behind it, such as "
            f"{getattr(CLOUDS['AzureCloud'], name)}: no path, no query, no user name."
        )
    scheme, host = match["scheme"].lower(), match["host"].lower()
    if scheme == "http" and not is_loopback(host):
        raise CredentialsError(f"{given.label} must begin with https://. http:// is for loopback addresses only.")
    if host in _CHINA_HOSTS:
        raise CredentialsError(f"{given.label} {_NOT_IN_CHINA.format(what='a host of ')}")
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"


def is_loopback(host: str) -> bool:
    """True for localhost and loopback addresses (IPv6 with or without brackets)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
