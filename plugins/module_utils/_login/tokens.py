# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""One credential turned into access tokens for Graph. MSAL does every login; nothing else imports it.

Tokens live in memory for as long as the task: a cache on disk would be a token at rest, and MSAL's cache gives its
token to an app with a wrong secret too.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
import typing as t

from .._errors import CredentialsError, EntraRiskError, LoginError, MissingLibraryError, NetworkError, ServiceError
from .._http import Transport
from .._redact import Redactor
from .._retry import Clock
from .aadsts import first_line, login_error
from .certificate import read_certificate, read_file
from .connection import Connection, Credential
from .msal_http import EntraHttp, MetadataHttp

# The first release that signs with SHA-256 given a PEM certificate alone.
MSAL_FLOOR = (1, 35)

# Seconds before its end in which a token is no longer used.
_EARLY = 300.0
# Entra's tokens live for an hour or more. Who does not say how long gets asked again soon.
_UNKNOWN_LIFETIME = 600.0


class TokenSource(t.Protocol):
    """Where access tokens come from."""

    def token(self) -> str:
        """A token that is still valid; logs in when needed."""

    def renew(self) -> bool:
        """Get a really new token, since Graph refused the last one. False when there is no way to."""


def token_source(
    connection: Connection,
    transport: Transport,
    redactor: Redactor,
    clock: Clock,
) -> TokenSource:
    """The token source for a connection. Files are read and checked here; nothing is sent before the first `token()`.

    :raises CredentialsError: a certificate or token file cannot be used.
    """
    credential = connection.credential
    if credential.kind == "access_token":
        return _GivenToken(credential.value)
    login = _ManagedIdentity if credential.kind == "managed_identity" else _Entra
    return _Login(login(connection, transport, redactor, clock), redactor, clock)


class _GivenToken:
    """The option access_token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def renew(self) -> bool:
        return False


class _Login:
    """Keeps the token of a login until shortly before its end."""

    def __init__(self, acquire: t.Callable[[], t.Mapping[str, t.Any]], redactor: Redactor, clock: Clock) -> None:
        self._acquire = acquire
        self._redactor = redactor
        self._clock = clock
        self._token = ""
        self._good_until = 0.0

    def token(self) -> str:
        if not self._token or self._clock.monotonic() >= self._good_until:
            self._log_in()
        return self._token

    def renew(self) -> bool:
        self._token = ""
        self._log_in()
        return True

    def _log_in(self) -> None:
        asked_at = self._clock.monotonic()
        try:
            result = self._acquire()
        except NetworkError as exc:
            # A login changes nothing: whoever was about to write must not take this for a write that may have happened.
            exc.outcome_unknown = False
            raise
        token = result.get("access_token")
        if not isinstance(token, str) or not token.strip():
            raise ServiceError("The login service answered without an access token. Check authority_host.")
        self._redactor.add(token)
        try:
            lifetime = float(result.get("expires_in") or _UNKNOWN_LIFETIME)
        except (TypeError, ValueError):
            lifetime = _UNKNOWN_LIFETIME
        # A token that lives only for minutes is used for half of them: else every request would log in.
        self._good_until = asked_at + max(lifetime - _EARLY, lifetime / 2)
        self._token = token.strip()


class _Entra:
    """Logs an application in at Entra. Every call is a login of its own: MSAL must not answer from its memory."""

    def __init__(self, connection: Connection, transport: Transport, redactor: Redactor, clock: Clock) -> None:
        self._connection = connection
        self._redactor = redactor
        self._clock = clock
        self._not_after: float | None = None
        self._client_credential = self._prepare(connection.credential)
        host = connection.authority.partition("://")[2]
        self._who = f"The login of application {connection.client_id} in tenant {connection.tenant} at {host}"
        self._http = EntraHttp(
            transport, redactor, clock, connection.retry_timeout, authority=connection.authority, who=self._who
        )

    def __call__(self) -> t.Mapping[str, t.Any]:
        msal = _msal()
        connection = self._connection

        def log_in() -> t.Mapping[str, t.Any]:
            app = msal.ConfidentialClientApplication(
                connection.client_id,
                client_credential=self._client_credential,
                authority=f"{self._http.shown_authority}/{connection.tenant}",
                # Otherwise a failed login asks Microsoft's public cloud about the host, whatever the cloud is.
                instance_discovery=False,
                azure_region=False,
                http_client=self._http,
            )
            return t.cast(
                t.Mapping[str, t.Any], app.acquire_token_for_client(scopes=[f"{connection.graph_url}/.default"])
            )

        result = _guarded(log_in, self._who, self._redactor, remedy="Check authority_host, tenant and the credential.")
        if "access_token" not in result:
            raise login_error(
                result, status=self._http.status, who=self._who, redactor=self._redactor, hint=self._expiry_hint()
            )
        return result

    def _prepare(self, credential: Credential) -> t.Any:
        """The credential in the form that MSAL takes, with all files checked."""
        if credential.kind == "secret":
            return credential.value
        if credential.kind == "oidc_token":
            return {"client_assertion": lambda: credential.value}
        if credential.kind == "oidc_token_file":
            self._token_from_file(credential)
            # Read again for each login: the platform replaces the file before the token in it expires.
            return {"client_assertion": lambda: self._token_from_file(credential)}
        certificate = read_certificate(credential)
        self._redactor.add(certificate.private_key)
        self._not_after = certificate.not_after
        form: dict[str, t.Any] = {"private_key": certificate.private_key}
        if certificate.certificates:
            form["public_certificate"] = "".join(certificate.certificates)
        if not certificate.certificates or (credential.send_chain and len(certificate.certificates) > 1):
            # Given the thumbprint, MSAL sends the whole chain; without it, the signature is the newer kind (PS256),
            # with the application's own certificate alone.
            form["thumbprint"] = certificate.thumbprint
        return form

    def _token_from_file(self, credential: Credential) -> str:
        data = read_file(credential.label, credential.value).strip()
        if re.fullmatch(rb"[\x21-\x7e]+", data) is None:
            raise CredentialsError(
                f"{credential.label} ({credential.value}) cannot be used: it holds something else than one token. "
                "Write the token alone into the file."
            )
        token = data.decode("ascii")
        self._redactor.add(token)
        return token

    def _expiry_hint(self) -> str:
        if self._not_after is not None and self._not_after < self._clock.wall():
            return f"The certificate in {self._connection.credential.value} has expired."
        return ""


class _ManagedIdentity:
    """Asks the machine for a token of its managed identity."""

    def __init__(self, connection: Connection, transport: Transport, redactor: Redactor, clock: Clock) -> None:
        self._connection = connection
        self._transport = transport
        self._redactor = redactor
        self._http = MetadataHttp(transport, redactor, clock, connection.retry_timeout)
        self._who = "The request for a token of this machine's managed identity"
        if connection.client_id is not None:
            self._who += f" (client_id {connection.client_id})"
        self._remedy = "Check that a managed identity is assigned to this machine" + (
            "." if connection.client_id is None else ", and that client_id is that of a user-assigned one."
        )

    def __call__(self) -> t.Mapping[str, t.Any]:
        msal = _msal()
        client_id = self._connection.client_id
        http: t.Any = self._http
        if {"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"} <= set(os.environ):
            # Service Fabric: MSAL pins the endpoint's certificate, and needs a session of requests for that.
            self._redactor.add(os.environ["IDENTITY_HEADER"])
            http = self._transport.session

        def log_in() -> t.Mapping[str, t.Any]:
            identity = (
                msal.SystemAssignedManagedIdentity()
                if client_id is None
                else msal.UserAssignedManagedIdentity(client_id=client_id)
            )
            client = msal.ManagedIdentityClient(identity, http_client=http)
            return t.cast(t.Mapping[str, t.Any], client.acquire_token_for_client(resource=self._connection.graph_url))

        try:
            result = _guarded(log_in, self._who, self._redactor, remedy=self._remedy)
        except NetworkError as exc:
            if exc.outcome_unknown:
                raise
            # The advice of the error is about the internet; this one fits better.
            reason = str(exc).partition(". ")[0]
            raise NetworkError(
                f"No managed identity answers on this machine: {reason}. auth_source: msi works on Azure only (and on "
                "machines with Azure Arc); elsewhere use a secret, a certificate or an OIDC token."
            ) from None
        if "access_token" not in result:
            raise login_error(
                result, status=self._http.status, who=self._who, redactor=self._redactor, remedy=self._remedy
            )
        return result


def _guarded(
    log_in: t.Callable[[], t.Mapping[str, t.Any]], who: str, redactor: Redactor, *, remedy: str
) -> t.Mapping[str, t.Any]:
    """What MSAL gives back. Its exceptions become ours, with text that holds no secret."""
    reason = ""
    try:
        result = log_in()
    except EntraRiskError:
        raise
    except OSError as exc:
        # Key files of Azure Arc, and the session of Service Fabric, whose exceptions carry the whole request.
        reason = exc.strerror or type(exc).__name__
    except Exception as exc:  # MSAL raises many kinds (ValueError, KeyError, its own), none of them documented
        reason = f"{type(exc).__name__}: {first_line(redactor.redact(str(exc)))}"
    else:
        return result if isinstance(result, dict) else {}
    # Outside of the except block: the exceptions of the libraries hold requests and their headers.
    raise LoginError(f"{who} failed ({reason}). {remedy}")


def _msal() -> t.Any:
    """The library, imported by the first login: with `access_token` it need not be there.

    :raises MissingLibraryError: it is missing or too old.
    """
    required = f"msal>={'.'.join(map(str, MSAL_FLOOR))}"
    try:
        import msal
    except ImportError:
        raise MissingLibraryError(required, traceback.format_exc()) from None
    version = str(getattr(msal, "__version__", ""))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < MSAL_FLOOR:
        raise MissingLibraryError(required, f"msal {version} is installed, which is too old.")
    logger = logging.getLogger("msal")
    # It logs bodies of answers as errors, and without a handler that goes to stderr.
    logger.setLevel(logging.CRITICAL)
    return msal
