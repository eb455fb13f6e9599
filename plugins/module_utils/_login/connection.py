# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The connection options: one table, and the rules that turn options and environment into one connection.

Nothing here touches the network, and nothing here knows Ansible: the modules and the event source share it.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import ssl
import typing as t

from .._errors import CredentialsError, TlsError
from .._redact import Redactor
from .options import API_VERSIONS, AUTH_SOURCES, BY_NAME, CONNECTION_OPTIONS, Option


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Where a cloud logs in and where its Graph is, both as origins."""

    authority: str
    graph_url: str


CLOUDS: t.Mapping[str, Cloud] = {
    "AzureCloud": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "AzureUSGovernment": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "AzureUSGovernmentDoD": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
}

_REFUSED_CLOUDS: t.Mapping[str, str] = {
    "AzureChinaCloud": "the API of Identity Protection does not exist in the cloud operated by 21Vianet",
    "AzureGermanCloud": "this cloud was closed in October 2021",
}
_CHINA_HOSTS = ("microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn")

CredentialKind = t.Literal["access_token", "secret", "certificate", "oidc_token", "oidc_token_file", "managed_identity"]

# The options of which exactly one must be left, in the order in which messages name them.
_CLIENT_CREDENTIALS: t.Mapping[str, CredentialKind] = {
    "secret": "secret",
    "x509_certificate_path": "certificate",
    "oidc_token": "oidc_token",
    "oidc_token_file_path": "oidc_token_file",
}


@dataclasses.dataclass(frozen=True)
class Credential:
    """The one thing that proves who we are.

    :param label: the option or the variable it came from, as the person wrote it.
    :param value: the token, the secret, or the path of the file. Empty for a managed identity.
    """

    kind: CredentialKind
    label: str
    value: str = dataclasses.field(default="", repr=False)
    password: str | None = dataclasses.field(default=None, repr=False)
    thumbprint: str | None = None
    send_chain: bool = False


@dataclasses.dataclass(frozen=True)
class Connection:
    """Everything that is needed to talk to Entra and to Graph.

    :param tenant: None where no login names it (access token, managed identity).
    :param client_id: None with an access token, and for the machine's own (system-assigned) managed identity.
    :param authority: origin of the login service.
    :param graph_url: origin of Graph. The token is made for it and goes nowhere else.
    :param verify: True, False, or the path of a CA bundle.
    :param timeout: seconds to wait for one answer.
    :param retry_timeout: seconds that one request may spend on retries.
    """

    credential: Credential
    tenant: str | None
    client_id: str | None
    authority: str
    graph_url: str
    api_version: str
    verify: bool | str
    timeout: int
    retry_timeout: int


def resolve(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str], redactor: Redactor) -> Connection:
    """One connection out of options and environment variables. Secrets of both are given to the redactor first.

    :raises CredentialsError: options are missing, wrong, or contradict each other.
    :raises TlsError: `ca_path` cannot be used.
    """
    _register_secrets(params, environ, redactor)
    sources = _Sources(params, environ)
    cloud = _cloud(sources)
    credential, tenant, client_id = _credential(sources)
    graph_url = _origin(sources, "graph_url", cloud.graph_url)
    # Who brings a token needs no login, so a wrong login host in the environment does no harm.
    needs_login = credential.kind != "access_token"
    return Connection(
        credential=credential,
        tenant=tenant,
        client_id=client_id,
        authority=_origin(sources, "authority_host", cloud.authority) if needs_login else cloud.authority,
        graph_url=graph_url,
        api_version=_choice(sources, "api_version", API_VERSIONS),
        verify=_verify(sources),
        timeout=_seconds(sources, "timeout"),
        retry_timeout=_seconds(sources, "retry_timeout"),
    )


@dataclasses.dataclass(frozen=True)
class _Given:
    """A value that is not empty, and the option or variable it came from."""

    label: str
    value: t.Any = dataclasses.field(repr=False)

    @property
    def text(self) -> str:
        return str(self.value)


class _Sources:
    """Looks options up in the task's arguments and in the environment. Empty means not given, everywhere."""

    def __init__(self, params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> None:
        self._params = params
        self._environ = environ
        # Paths that were passed over because the file is empty: a message about missing credentials names them.
        self.empty_files: list[_Given] = []

    def option(self, name: str) -> _Given | None:
        option = BY_NAME[name]
        # Ansible copies the value of an alias to the option; the alias is what the person wrote, so it is first.
        return self._first(option, self._params, (*option.aliases, option.name))

    def variable(self, name: str) -> _Given | None:
        option = BY_NAME[name]
        return self._first(option, self._environ, option.env)

    def either(self, name: str) -> _Given | None:
        return self.option(name) or self.variable(name)

    def _first(self, option: Option, source: t.Mapping[str, t.Any], names: t.Sequence[str]) -> _Given | None:
        for name in names:
            value = source.get(name)
            if isinstance(value, (list, tuple, dict)):
                raise CredentialsError(f"{name} must be a single value. Give it as text, not as a list or dictionary.")
            if isinstance(value, str):
                value = _tidy(option, value)
            if value is None or value == "":
                continue
            given = _Given(name, value)
            if option.skip_empty_file and _is_empty_file(given.text):
                self.empty_files.append(given)
                continue
            return given
        return None


def _tidy(option: Option, value: str) -> str:
    """Without the blanks around it; paths as Ansible expands them, so that environment and options agree."""
    if option.exact:
        return value
    value = value.strip()
    return os.path.expanduser(os.path.expandvars(value)) if option.type == "path" else value


def _is_empty_file(path: str) -> bool:
    """True for a regular file without content. Whatever cannot be read is for the login to complain about."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as stream:
            return not stream.read(4096).strip()
    except OSError:
        return False


def _register_secrets(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str], redactor: Redactor) -> None:
    """Every secret that is in sight, used or not, before anything can fail."""
    for option in CONNECTION_OPTIONS:
        if option.secret:
            for value in (
                *(params.get(name) for name in (option.name, *option.aliases)),
                *(environ.get(name) for name in option.env),
            ):
                redactor.add(None if value is None else str(value))


def _credential(sources: _Sources) -> tuple[Credential, str | None, str | None]:
    """The credential, the tenant and the client id."""
    token = sources.option("access_token")
    if token is not None:
        return Credential("access_token", token.label, _header_safe(token)), None, None

    auth_source = _choice(
        sources,
        "auth_source",
        AUTH_SOURCES,
        hint="For every other way to log in, get a token first and give it as access_token (with the Azure CLI, "
        "logged in as the application: az account get-access-token --resource-type ms-graph).",
    )
    names = [option.name for option in CONNECTION_OPTIONS if option.credential]
    by_option = {name: sources.option(name) for name in names} if auth_source != "env" else {}
    from_options = any(by_option.values())
    given = by_option if from_options else {name: sources.variable(name) for name in names}

    client_id = given["client_id"]
    if auth_source == "msi":
        identity = client_id.text if client_id is not None else None
        return Credential("managed_identity", "auth_source"), None, identity

    client_credentials = {
        name: client_credential
        for name, client_credential in ((name, given[name]) for name in _CLIENT_CREDENTIALS)
        if client_credential is not None
    }
    if not from_options and ("secret" in client_credentials or "x509_certificate_path" in client_credentials):
        # AKS puts this variable into every pod with workload identity, so it says nothing about what is wanted.
        client_credentials.pop("oidc_token_file_path", None)
    if len(client_credentials) > 1:
        labels = " and ".join(client_credential.label for client_credential in client_credentials.values())
        raise CredentialsError(f"More than one credential is given: {labels}. Leave exactly one of them.")
    if not client_credentials and (given["ad_user"] is not None or given["password"] is not None):
        raise CredentialsError(
            "Logging in as a user with a password is not supported: it fails under multi-factor authentication, and "
            "Microsoft retires it. Use an application: tenant, client_id and one of secret, x509_certificate_path, "
            "oidc_token and oidc_token_file_path; or auth_source: msi; or a token of a user as access_token."
        )
    tenant = given["tenant"]
    if not client_credentials or tenant is None or client_id is None:
        raise CredentialsError(_what_is_missing(sources, given, bool(client_credentials), from_options, auth_source))

    ((name, client_credential),) = client_credentials.items()
    password = given["certificate_password"]
    thumbprint = given["thumbprint"]
    is_certificate = name == "x509_certificate_path"
    credential = Credential(
        kind=_CLIENT_CREDENTIALS[name],
        label=client_credential.label,
        value=client_credential.text,
        password=password.text if is_certificate and password is not None else None,
        thumbprint=thumbprint.text if is_certificate and thumbprint is not None else None,
        send_chain=is_certificate and _flag(sources, "send_certificate_chain"),
    )
    return credential, _tenant(tenant), client_id.text


def _what_is_missing(
    sources: _Sources,
    given: t.Mapping[str, _Given | None],
    has_proof: bool,
    from_options: bool,
    auth_source: str,
) -> str:
    missing = [BY_NAME[name].spelled for name in ("tenant", "client_id") if given[name] is None]
    if not has_proof:
        missing.append("one of " + ", ".join(BY_NAME[name].spelled for name in _CLIENT_CREDENTIALS))
    present = [item.label for item in given.values() if item is not None]
    sentences = [f"The credentials are incomplete. Missing: {'; '.join(missing)}."]
    sentences.extend(
        f"{item.label} names an empty file ({item.text}), which counts as not given." for item in sources.empty_files
    )
    if from_options:
        sentences.append(
            f"Because the task gives {', '.join(present)}, all of them must be options of the task: "
            "options and environment variables are never mixed."
        )
    elif auth_source == "env":
        sentences.append("With auth_source: env they come from environment variables only.")
    else:
        sentences.append(
            "Give them all as options or all as environment variables, or give a ready access_token, "
            "or use the machine's managed identity with auth_source: msi."
        )
    return " ".join(sentences)


def _header_safe(token: _Given) -> str:
    """The token, when it can stand in an HTTP header. The message never holds it."""
    if re.fullmatch(r"[\x21-\x7e]+", token.text) is None:
        raise CredentialsError(
            f"{token.label} holds blanks, line breaks or other characters that no token has. "
            "Give the token alone, without 'Bearer' and without quotes."
        )
    return token.text


# A tenant stands in the path of URLs, hence the narrow alphabet.
_TENANT = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
# Not tenants: MSAL and Entra give these words a meaning of their own.
_NO_TENANTS = ("common", "organizations", "consumers", "adfs")


def _tenant(given: _Given) -> str:
    if _TENANT.fullmatch(given.text) is None:
        raise CredentialsError(
            f"{given.label} is no tenant. Give the tenant's ID (a GUID) or one of its domain names, "
            "such as contoso.onmicrosoft.com."
        )
    if given.text.lower() in _NO_TENANTS:
        raise CredentialsError(
            f"{given.label} must name one tenant, and {given.text!r} does not. "
            "Give the tenant's ID (a GUID) or one of its domain names."
        )
    return given.text


def _cloud(sources: _Sources) -> Cloud:
    given = sources.either("cloud_environment")
    if given is None:
        return CLOUDS["AzureCloud"]
    if given.text in CLOUDS:
        return CLOUDS[given.text]
    known = ", ".join(CLOUDS)
    if given.text in _REFUSED_CLOUDS:
        raise CredentialsError(
            f"{given.label} is {given.text}, which cannot be used: {_REFUSED_CLOUDS[given.text]}. Use one of {known}."
        )
    if "://" in given.text:
        raise CredentialsError(
            f"{given.label} is a URL (of an Azure Stack, it seems), and there is no Microsoft Graph behind it. "
            f"Use one of {known}; for another cloud leave it out, and give authority_host and graph_url."
        )
    raise CredentialsError(
        f"{given.label} is {given.text!r}, which is not known. "
        f"Use one of {known}; for another cloud leave it out, and give authority_host and graph_url."
    )


# The whole text must match: urlsplit drops tabs and line breaks, and takes much for a host that is none.
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)
_BARE_HOST = re.compile(r"[a-z0-9][a-z0-9.-]*/?", re.ASCII | re.IGNORECASE)
_DEFAULT_PORTS: t.Mapping[str, int] = {"https": 443, "http": 80}


def _origin(sources: _Sources, name: str, default: str) -> str:
    """Scheme, host and port of a URL option. The value is not repeated in messages: it may hold a password."""
    given = sources.either(name)
    if given is None:
        return default
    text = given.text
    if name == "authority_host" and _BARE_HOST.fullmatch(text):
        # Azure's own libraries accept a bare host name in this variable too.
        text = f"https://{text}"
    match = _ORIGIN.fullmatch(text)
    if match is None or ".." in match["host"] or not 0 < int(match["port"] or 1) < 65536:
        raise CredentialsError(
            f"{given.label} must be an https URL with a host and nothing behind it, such as {default}: "
            "no path, no query, no user name."
        )
    scheme, host = match["scheme"].lower(), match["host"].lower()
    if scheme == "http" and not is_loopback(host):
        raise CredentialsError(f"{given.label} must begin with https://. http:// is for loopback addresses only.")
    if host in _CHINA_HOSTS:
        raise CredentialsError(
            f"{given.label} is a host of AzureChinaCloud, which cannot be used: {_REFUSED_CLOUDS['AzureChinaCloud']}."
        )
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


def _choice(sources: _Sources, name: str, choices: tuple[str, ...], *, hint: str = "") -> str:
    """One of the choices; the first one when nothing is given."""
    given = sources.either(name)
    if given is None:
        return choices[0]
    if given.text not in choices:
        raise CredentialsError(
            f"{given.label} is {given.text!r}, which is not supported. Use one of {', '.join(choices)}. {hint}".rstrip()
        )
    return given.text


# The words that Ansible takes for a boolean.
_FLAGS: t.Mapping[str, bool] = {
    **dict.fromkeys(("y", "yes", "on", "1", "true", "t"), True),
    **dict.fromkeys(("n", "no", "off", "0", "false", "f"), False),
}


def _flag(sources: _Sources, name: str) -> bool:
    given = sources.either(name)
    if given is None:
        return bool(BY_NAME[name].default)
    try:
        return _FLAGS[given.text.lower()]
    except KeyError:
        raise CredentialsError(f"{given.label} must be true or false.") from None


def _seconds(sources: _Sources, name: str) -> int:
    given = sources.either(name)
    text = given.text if given is not None else str(BY_NAME[name].default)
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or int(text) < 1:
        raise CredentialsError(f"{name} must be a whole number of seconds, 1 or more.")
    return int(text)


def _verify(sources: _Sources) -> bool | str:
    if not _flag(sources, "validate_certs"):
        return False
    given = sources.either("ca_path")
    if given is None:
        return True
    path = given.text
    if os.path.isdir(path):
        return path
    reason = "it holds no certificate in PEM format"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
        return path
    except ssl.SSLError:
        pass
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
    raise TlsError(
        f"{given.label} ({path}) cannot be used: {reason}. "
        "Name a file with CA certificates in PEM format, or a directory of them as OpenSSL hashes it, "
        "on the machine where the module runs."
    )
