# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The errors of the collection. Each one knows its own failure result, so that nobody has to take it apart."""

from __future__ import annotations

import traceback
import typing as t

# Exceptions that are no failure of anything.
ENDINGS = (KeyboardInterrupt, SystemExit, GeneratorExit)


class EntraRiskError(Exception):
    """A failure that a person can act on: the message says what happened, why, and what to do.

    Every subclass is one word of `error.kind`, on which playbooks branch.

    `outcome_unknown` is true when the request had left and no clear answer came: the service may have carried it out.
    """

    kind: t.ClassVar[str] = "request"
    # Seconds that the service asks to wait before the next request.
    retry_after = 0.0
    # The traceback as text, where a person needs one to get further.
    trace: str | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        client_request_id: str | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.client_request_id = client_request_id
        self.outcome_unknown = outcome_unknown

    def details(self) -> dict[str, t.Any]:
        """The value of `error` in a failed result. Every key is always there; what is unknown is null."""
        return {"kind": self.kind, **self.facts()}

    def facts(self) -> dict[str, t.Any]:
        """What the service said besides the message, as arguments for an error that says the same in other words."""
        return {
            "status": self.status,
            "code": self.code,
            "request_id": self.request_id,
            "client_request_id": self.client_request_id,
        }


class CredentialsError(EntraRiskError):
    """The connection options are missing, contradict each other, or cannot be read. Nothing was sent."""

    kind = "credentials"


class MissingLibraryError(CredentialsError):
    """A Python library that the login needs is missing or too old. Nothing was sent.

    :param package: as for pip, such as "msal>=1.35".
    :param import_traceback: the traceback of the import, or why the installed one does not do.
    """

    def __init__(self, package: str, import_traceback: str) -> None:
        super().__init__(
            f"The Python library {package} is needed on the machine where the module runs, for its Python interpreter. "
            + ("Install it there." if package == "requests" else "Install it there, or give a ready access_token.")
        )
        self.package = package
        self.trace = import_traceback


class LoginError(EntraRiskError):
    """Entra refused the login, or Graph refused the token."""

    kind = "login"


class TokenRefusedError(LoginError):
    """Graph refused a token. It may take the next one, if there is a way to get one."""


class PermissionDeniedError(EntraRiskError):
    """The token is good, but it lacks a permission or a role."""

    kind = "permission"


class LicenseError(EntraRiskError):
    """The tenant has no license for Entra ID Protection."""

    kind = "license"


class ThrottledError(EntraRiskError):
    """The service said "too many requests" until the deadline."""

    kind = "throttled"


class NetworkError(EntraRiskError):
    """The host or the proxy could not be reached, or the connection broke."""

    kind = "network"


class TlsError(EntraRiskError):
    """The certificate of the other side could not be verified, or TLS failed."""

    kind = "tls"


class RequestError(EntraRiskError):
    """An argument of the task is wrong, or the service refused the request for its content."""

    kind = "request"


class ServiceError(EntraRiskError):
    """The service failed, or answered something that it should not."""

    kind = "service"


class StoppedError(EntraRiskError):
    """The work ended early: a signal came, or nobody is left who reads the result. Nothing was sent since."""

    # No ServiceError: who waits for the service goes on after those.
    kind = "service"
    REMEDY: t.ClassVar[str] = "Run it again for the rest."


class InternalError(EntraRiskError):
    """A bug in the collection.

    :param cause: the exception. It is kept as text only, which the caller must scrub: it may hold anything.
    """

    kind = "internal"

    def __init__(self, cause: BaseException, *, outcome_unknown: bool = False) -> None:
        super().__init__(
            f"Unexpected error {type(cause).__name__} in identityops.entra_risk: {cause}. This is a bug in the "
            "collection; please report it with the traceback (run with -vvv).",
            outcome_unknown=outcome_unknown,
        )
        self.trace = "".join(traceback.format_exception(type(cause), cause, cause.__traceback__))


class LimitError(EntraRiskError):
    """More would change than the task allows."""

    kind = "limit"


class UsersError(EntraRiskError):
    """One or more users, or other objects, could not be brought to the state, or cannot be told apart."""

    kind = "users"


def failure_of(work: t.Callable[[], None]) -> EntraRiskError | None:
    """Do the work. Gives what ended it early; a bug of ours too, since what was done before it must be reported."""
    try:
        work()
    except EntraRiskError as exc:
        return exc
    except ENDINGS:
        raise
    except BaseException as exc:  # libraries that are written in Rust panic with exceptions that are no Exception
        return InternalError(exc)
    return None
