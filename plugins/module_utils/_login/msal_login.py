# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Logins by MSAL; nothing else imports it."""

from __future__ import annotations

import logging
import os
import re
import typing as t

from .._errors import ENDINGS, CredentialsError, EntraRiskError, LoginError, MissingLibraryError, NetworkError
from .._http import Transport
from .._libraries import BrokenLibraryError, working_library
from .._redact import Redactor
from .._retry import Clock
from .aadsts import first_line, login_error
from .connection import Connection, Credential
from .files import read_file
from .msal_http import EntraHttp, MetadataHttp
from .shapes import path_for_message

# The first release that signs with SHA-256 given a PEM certificate alone.
MSAL_FLOOR = (1, 35)

_ENDPOINT_VARIABLES = ("IDENTITY_ENDPOINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
_ENDPOINT = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::[0-9]{1,5})?(?:/[\x21-\x7e]*)?", re.IGNORECASE)


class EntraLogin:
    """Logs an application in at Entra. Every call is a login of its own: MSAL must not answer from its memory."""

    def __init__(self, connection: Connection, transport: Transport, redactor: Redactor, clock: Clock) -> None:
        self._connection = connection
        self._redactor = redactor
        self._clock = clock
        self._not_after: float | None = None
        self._client_credential = self._prepare(connection.credential)
        authority = connection.authority or ""
        host = authority.partition("://")[2]
        self._who = f"The login of application {connection.client_id} in tenant {connection.tenant} at {host}"
        self._http = EntraHttp(transport, redactor, clock, connection.retry_timeout, authority=authority, who=self._who)

    def __call__(self) -> t.Mapping[str, t.Any]:
        msal = load_msal()
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
        # Not loaded with a secret: the libraries behind it take longer than the login.
        from .certificate import read_certificate

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
                f"{credential.label}{path_for_message(credential.value)} cannot be used: it holds something "
                "else than one token. Write the token alone into the file."
            )
        token = data.decode("ascii")
        self._redactor.add(token)
        return token

    def _expiry_hint(self) -> str:
        if self._not_after is not None and self._not_after < self._clock.wall():
            return f"The certificate of {self._connection.credential.label} has expired."
        return ""


class ManagedIdentityLogin:
    """Asks the machine for a token of its managed identity."""

    def __init__(self, connection: Connection, transport: Transport, redactor: Redactor, clock: Clock) -> None:
        _check_endpoints(os.environ)
        self._connection = connection
        self._redactor = redactor
        self._who = "The request for a token of this machine's managed identity"
        if connection.client_id is not None:
            self._who += f" (client_id {connection.client_id})"
        self._remedy = "Check that a managed identity is assigned to this machine" + (
            "." if connection.client_id is None else ", and that client_id is that of a user-assigned one."
        )
        self._http = MetadataHttp(
            transport, redactor, clock, connection.retry_timeout, who=self._who, remedy=self._remedy
        )

    def __call__(self) -> t.Mapping[str, t.Any]:
        msal = load_msal()
        client_id = self._connection.client_id

        def log_in() -> t.Mapping[str, t.Any]:
            identity = (
                msal.SystemAssignedManagedIdentity()
                if client_id is None
                else msal.UserAssignedManagedIdentity(client_id=client_id)
            )
            client = msal.ManagedIdentityClient(identity, http_client=self._http)
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


def _check_endpoints(environ: t.Mapping[str, str]) -> None:
    """Check the variables in which a platform says where its identity endpoint is, before MSAL takes them as they are.

    :raises CredentialsError: one of them is not a URL.
    """
    for name in _ENDPOINT_VARIABLES:
        value = environ.get(name)
        if value and _ENDPOINT.fullmatch(value) is None:
            raise CredentialsError(
                f"{name} in the environment is not the URL of a managed identity endpoint. The platform sets this "
                "variable; if the module does not run there, take it out."
            )


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
        # Key files of Azure Arc.
        reason = exc.strerror or type(exc).__name__
    except Exception as exc:  # MSAL raises many kinds (ValueError, KeyError, its own), none of them documented
        reason = f"{type(exc).__name__}: {first_line(redactor.redact(str(exc)))}"
    except ENDINGS:
        raise
    except BaseException as exc:  # a panic of the Rust part of cryptography, which MSAL signs with
        raise BrokenLibraryError("cryptography", exc) from None
    else:
        return result if isinstance(result, dict) else {}
    # Outside of the except block: the exceptions of the libraries hold requests and their headers.
    raise LoginError(f"{who} failed ({reason}). {remedy}")


def load_msal() -> t.Any:
    """The library, imported by the first login: with `access_token` it need not be there.

    :raises CredentialsError: it is missing, too old, or does not work.
    """
    required = f"msal>={'.'.join(map(str, MSAL_FLOOR))}"
    with working_library(required):
        import msal

        version = str(getattr(msal, "__version__", ""))
    numbers = tuple(int(number) for number in re.findall(r"[0-9]{1,6}", version)[:2])
    if numbers < MSAL_FLOOR:
        raise MissingLibraryError(required, f"msal {version} is installed, which is too old.")
    logger = logging.getLogger("msal")
    # It logs bodies of answers as errors, and without a handler that goes to stderr.
    logger.setLevel(logging.CRITICAL)
    return msal
