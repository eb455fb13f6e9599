# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""One credential turned into access tokens for Graph.

Tokens live in memory for as long as the task: a cache on disk would be a token at rest, and MSAL's cache gives its
token to an app with a wrong secret too.
"""

from __future__ import annotations

import typing as t

from .._errors import NetworkError, ServiceError
from .._http import Transport
from .._redact import Redactor
from .._retry import Clock
from .connection import Connection

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
    # Not loaded with a ready token: nobody logs in then.
    from .msal_login import EntraLogin, ManagedIdentityLogin

    login = ManagedIdentityLogin if credential.kind == "managed_identity" else EntraLogin
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
