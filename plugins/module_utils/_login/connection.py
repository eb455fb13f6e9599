# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The rules that turn options and environment into one connection.

Nothing here touches the network, and nothing here knows Ansible: the modules and the event source share it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing as t

from .._errors import CredentialsError, EntraRiskError
from .._redact import Redactor
from . import clouds
from .ca_bundle import verify
from .known_secrets import known_secrets
from .options import API_VERSIONS, AUTH_SOURCES, BY_NAME, CONNECTION_OPTIONS, USER_VARIABLES
from .shapes import is_guid, is_path, is_tenant, path_for_message
from .sources import Given, Sources

CredentialKind = t.Literal["access_token", "secret", "certificate", "oidc_token", "oidc_token_file", "managed_identity"]

# The options of which exactly one must be left, in the order in which messages name them.
_CLIENT_CREDENTIALS: t.Mapping[str, CredentialKind] = {
    "secret": "secret",
    "x509_certificate_path": "certificate",
    "oidc_token": "oidc_token",
    "oidc_token_file_path": "oidc_token_file",
}
# In results both are one word.
_OIDC: tuple[CredentialKind, ...] = ("oidc_token", "oidc_token_file")


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
    :param authority: origin of the login service; None where no login goes there.
    :param graph_url: origin of Graph. The token is made for it and goes nowhere else.
    :param verify: True, False, or the path of a CA bundle.
    :param timeout: seconds for one request as a whole.
    :param retry_timeout: seconds that one request may spend on retries.
    """

    credential: Credential
    tenant: str | None
    client_id: str | None
    authority: str | None
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
    for secret in known_secrets(params, environ):
        redactor.add(secret)
    sources = Sources(params, environ)
    graph_url = clouds.graph_url(sources)
    credential, tenant, client_id = _credential(sources)
    return Connection(
        credential=credential,
        tenant=tenant,
        client_id=client_id,
        # Who brings a token needs no login, so a wrong login host in the environment does no harm.
        authority=None if tenant is None else clouds.authority(sources),
        graph_url=graph_url,
        api_version=sources.choice("api_version", API_VERSIONS),
        verify=verify(sources),
        timeout=sources.seconds("timeout"),
        retry_timeout=sources.seconds("retry_timeout"),
    )


def describe(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> dict[str, str | None]:
    """The part `connection` of every result: where a task goes and as whom, as far as options and environment tell.

    It raises nothing: after a failure it tells what is known, and only values of the right shape.
    """
    known: dict[str, str | None] = dict.fromkeys(("tenant", "client_id", "auth", "authority", "graph_url"))
    sources = Sources(params, environ)
    with contextlib.suppress(EntraRiskError):
        known["graph_url"] = clouds.graph_url(sources)
    with contextlib.suppress(EntraRiskError):
        chosen = _choose(sources)
        kinds = chosen.kinds
        if len(kinds) == 1:
            known["auth"] = "oidc" if kinds[0] in _OIDC else kinds[0]
        if kinds == ["access_token"]:
            return known
        client_id = chosen.values["client_id"]
        if client_id is not None and is_guid(client_id.text):
            known["client_id"] = client_id.text
        if kinds == ["managed_identity"]:
            return known
        tenant = chosen.values["tenant"]
        if tenant is not None and is_tenant(tenant.text):
            known["tenant"] = tenant.text
        known["authority"] = clouds.authority(sources)
    return known


@dataclasses.dataclass(frozen=True)
class _Chosen:
    """The credentials of the one source that counts.

    :param values: by option.
    :param kinds: what could prove who we are; a login needs exactly one.
    """

    values: t.Mapping[str, Given | None]
    kinds: list[CredentialKind]
    from_options: bool = False
    auth_source: str = ""


def _choose(sources: Sources) -> _Chosen:
    token = sources.option("access_token")
    if token is not None:
        return _Chosen({"access_token": token}, ["access_token"])
    auth_source = sources.choice(
        "auth_source",
        AUTH_SOURCES,
        hint="For every other way to log in, get a token first and give it as access_token (with the Azure CLI, "
        "logged in as the application: az account get-access-token --resource-type ms-graph).",
    )
    names = [option.name for option in CONNECTION_OPTIONS if option.credential]
    by_option = {name: sources.option(name) for name in names} if auth_source != "env" else {}
    from_options = any(by_option.values())
    values = by_option if from_options else {name: sources.variable(name) for name in names}
    if auth_source == "msi":
        return _Chosen(values, ["managed_identity"], from_options, auth_source)
    given = [name for name in _CLIENT_CREDENTIALS if values[name] is not None]
    if not from_options and ("secret" in given or "x509_certificate_path" in given):
        # AKS puts this variable into every pod with workload identity, so it says nothing about what is wanted.
        given = [name for name in given if name != "oidc_token_file_path"]
    return _Chosen(values, [_CLIENT_CREDENTIALS[name] for name in given], from_options, auth_source)


def _credential(sources: Sources) -> tuple[Credential, str | None, str | None]:
    """The credential, the tenant and the client ID."""
    chosen = _choose(sources)
    values = chosen.values
    if chosen.kinds == ["access_token"]:
        token = t.cast(Given, values["access_token"])
        return Credential("access_token", token.label, _header_safe(token)), None, None
    client_id = values["client_id"]
    if chosen.kinds == ["managed_identity"]:
        return Credential("managed_identity", "auth_source"), None, None if client_id is None else _client_id(client_id)

    options = {kind: name for name, kind in _CLIENT_CREDENTIALS.items()}
    proofs = [t.cast(Given, values[options[kind]]) for kind in chosen.kinds]
    if len(proofs) > 1:
        labels = " and ".join(proof.label for proof in proofs)
        raise CredentialsError(f"More than one credential is given: {labels}. Leave exactly one of them.")
    if not proofs and not chosen.from_options and sources.names_user():
        raise CredentialsError(
            f"Only a user and a password are given ({' and '.join(USER_VARIABLES)}). Logging in as a user is not "
            "supported: it fails under multi-factor authentication, and Microsoft retires it. Use an application: "
            "tenant, client_id and one of secret, x509_certificate_path, oidc_token and oidc_token_file_path; or "
            "auth_source: msi; or a token of a user as access_token."
        )
    tenant = values["tenant"]
    if not proofs or tenant is None or client_id is None:
        raise CredentialsError(_what_is_missing(sources, chosen))
    return _checked(sources, chosen, proofs[0]), _tenant(tenant), _client_id(client_id)


def _checked(sources: Sources, chosen: _Chosen, proof: Given) -> Credential:
    kind = chosen.kinds[0]
    if kind == "oidc_token_file":
        check_path(proof)
    if kind != "certificate":
        return Credential(kind, proof.label, proof.text)
    check_path(proof)
    password, thumbprint = chosen.values["certificate_password"], chosen.values["thumbprint"]
    return Credential(
        kind,
        proof.label,
        proof.text,
        password=None if password is None else password.text,
        thumbprint=None if thumbprint is None else thumbprint.text,
        send_chain=sources.flag("send_certificate_chain"),
    )


def check_path(given: Given) -> None:
    """Refuse what is not a path, before anybody tries to open it.

    :raises CredentialsError: it is something else. The message never holds it.
    """
    if not is_path(given.text):
        raise CredentialsError(
            f"{given.label} is not a path: it looks like the content of a file. Write the content into a file on the "
            "machine where the module runs, readable for its user alone, and give the path of that file."
        )


def _what_is_missing(sources: Sources, chosen: _Chosen) -> str:
    missing = [BY_NAME[name].spelled for name in ("tenant", "client_id") if chosen.values[name] is None]
    if not chosen.kinds:
        missing.append("one of " + ", ".join(BY_NAME[name].spelled for name in _CLIENT_CREDENTIALS))
    present = [item.label for item in chosen.values.values() if item is not None]
    sentences = [f"The credentials are incomplete. Missing: {'; '.join(missing)}."]
    sentences.extend(
        f"{item.label} names an empty file{path_for_message(item.text)}, which counts as not given."
        for item in sources.empty_files
    )
    if chosen.from_options:
        sentences.append(
            f"Because the task gives {', '.join(present)}, all of them must be options of the task: "
            "options and environment variables are never mixed."
        )
    elif chosen.auth_source == "env":
        sentences.append("With auth_source: env they come from environment variables only.")
    else:
        sentences.append(
            "Give them all as options or all as environment variables, or give a ready access_token, "
            "or use the machine's managed identity with auth_source: msi."
        )
    return " ".join(sentences)


def _header_safe(token: Given) -> str:
    """The token, when it can stand in an HTTP header. The message never holds it."""
    if re.fullmatch(r"[\x21-\x7e]+", token.text) is None:
        raise CredentialsError(
            f"{token.label} holds whitespace, line breaks or other characters that no token has. "
            "Give the token alone, without 'Bearer' and without quotes."
        )
    return token.text


def _client_id(given: Given) -> str:
    if not is_guid(given.text):
        raise CredentialsError(
            f"{given.label} is not a GUID.{_hidden(given, is_guid)} Give the application (client) ID, such as "
            "00001111-aaaa-2222-bbbb-3333cccc4444. Its value is not shown: it may be a secret in the wrong place."
        )
    return given.text


# Not tenants: MSAL and Entra give these words a meaning of their own.
_NO_TENANTS = ("common", "organizations", "consumers", "adfs")


def _tenant(given: Given) -> str:
    if given.text.lower() in _NO_TENANTS:
        raise CredentialsError(
            f"{given.label} must name one tenant, and {given.text!r} does not. "
            "Give the tenant's ID (a GUID) or one of its domain names."
        )
    if not is_tenant(given.text):
        raise CredentialsError(
            f"{given.label} is neither a GUID nor a domain name.{_hidden(given, is_tenant)} Give the tenant's ID (a "
            "GUID) or one of its domain names, such as contoso.onmicrosoft.com. Its value is not shown: it may be a "
            "secret in the wrong place."
        )
    return given.text


def _hidden(given: Given, is_right: t.Callable[[str], bool]) -> str:
    """A hint for a value that is right but for what nobody sees in it."""
    visible = "".join(filter(str.isprintable, given.text))
    return " There are invisible characters in it: type it anew." if is_right(visible) else ""
