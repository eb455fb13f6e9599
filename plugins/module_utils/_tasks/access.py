# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Tells why something does not work in a tenant, before it matters. Writes nothing.

The probe decides, the claims of the token explain. A write is never tried: of that, only the claims tell.
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing as t

from .._errors import (
    EntraRiskError,
    LicenseError,
    NetworkError,
    PermissionDeniedError,
    RequestError,
    ServiceError,
    ThrottledError,
    TlsError,
    failure_of,
)
from .._graph.client import GraphClient, RequestCounts
from .._graph.paging import pages
from .._graph.permissions import HIGHER, includes, role_names
from .._login.claims import Claims
from .access_checks import BY_NAME, CHECKS, FOR_RISKY_USER, Check
from .result import ModuleResult, rendered, requests_made

# After the first question that got no answer in all the time for retries, the others get this many seconds each.
_SHORT = 10.0
# How Graph says that it has no such API, beside 404.
_NO_SEGMENT = re.compile("not found for the segment", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check found. `allowed` and `licensed` are None where nobody can tell."""

    allowed: bool | None
    licensed: bool | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None


@dataclasses.dataclass
class _Gathered:
    """What was found so far. A failure leaves the rest out."""

    client: GraphClient | None = None
    claims: Claims = dataclasses.field(default_factory=Claims)
    findings: dict[str, Finding] = dataclasses.field(default_factory=dict)

    def report(self, error: EntraRiskError | None) -> ModuleResult:
        """The report on the present state of affairs."""
        claims = self.claims
        found = [(check, self.findings[check.name]) for check in CHECKS if check.name in self.findings]
        needed = [self.findings.get(name, Finding(None)) for name in FOR_RISKY_USER]
        roles = claims.role_ids
        data = {
            "changed": False,
            "ok": error is None and all(finding.allowed is True for finding in needed),
            "identity": {
                "tenant_id": claims.tenant_id,
                "client_id": claims.client_id,
                "object_id": claims.object_id,
                "kind": claims.kind,
                "permissions": None if claims.permissions is None else list(claims.permissions),
                "directory_roles": None if roles is None else role_names(roles),
                "expires_at": rendered(claims.expires_at),
            },
            "checks": [_entry(check, finding) for check, finding in found],
            "evaluated_at": rendered(self.client.first_date if self.client else None),
            "requests": requests_made(self.client.counts if self.client else RequestCounts()),
        }
        return ModuleResult(data, error.message if error else _summary(self.findings), error=error)


def check_access(
    dummy: t.Mapping[str, t.Any],
    *,
    connect: t.Callable[[], GraphClient],
    check_mode: bool = False,
    diff: bool = False,
) -> ModuleResult:
    """Log in and check everything. Fails only where the login does, or Graph refuses the token.

    Check mode and diff mode make no difference, since nothing changes.

    :param connect: gives the client; checks the connection options before anything is sent.
    """
    gathered = _Gathered()

    def work() -> None:
        client = gathered.client = connect()
        gathered.claims = client.claims()
        patience = math.inf
        for check in CHECKS:
            if check.paths is not None:
                finding = _ask(client, check, client.clock.monotonic() + patience, gathered.claims)
                patience = _SHORT if finding.allowed is None else patience
            else:
                finding = _conclude(check, gathered.claims, gathered.findings)
            gathered.findings[check.name] = finding

    return gathered.report(failure_of(work))


def refused(dummy: t.Mapping[str, t.Any], error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began."""
    return _Gathered().report(error)


def _ask(client: GraphClient, check: Check, end: float, claims: Claims) -> Finding:
    """Read one page of a list. What Graph answers counts, whatever the claims say.

    :raises EntraRiskError: the login failed, or the work has to end.
    """
    paths = check.paths or {}
    try:
        for dummy in pages(client, paths[client.api_version], check.params, required=check.required, end=end):
            break
    except LicenseError as exc:
        return _refusal(exc, False, licensed=False)
    except PermissionDeniedError as exc:
        return _refusal(exc, False, more=_explanation(check, claims))
    except RequestError as exc:
        if exc.status != 404 and not _NO_SEGMENT.search(exc.message):
            return _refusal(exc, None)
        cause = "This Graph seems to lack the API: check cloud_environment and api_version."
        return dataclasses.replace(_refusal(exc, False), message=f"{cause} {exc.message}")
    except (NetworkError, ServiceError, ThrottledError, TlsError) as exc:
        return _refusal(exc, None)
    return Finding(True, licensed=True if check.required.license and check.shows_license else None, status=200)


def _refusal(error: EntraRiskError, allowed: bool | None, *, licensed: bool | None = None, more: str = "") -> Finding:
    return Finding(allowed, licensed, error.status, error.code, f"{error.message} {more}".strip())


def _explanation(check: Check, claims: Claims) -> str:
    """What the claims add to a refusal of Graph."""
    if claims.permissions is None:
        return ""
    has_it = includes(claims.permissions, check.required.permission)
    if claims.kind == "delegated":
        role = check.required.role
        return f"The user needs the Entra role {role} as well." if role and not has_it else ""
    if not has_it:
        return ""
    return "The token does have that permission or a higher one, so ask Microsoft's support what else is in the way."


def _conclude(check: Check, claims: Claims, findings: t.Mapping[str, Finding]) -> Finding:
    """Whether a write would be allowed, without trying it."""
    before = BY_NAME[check.after or ""]
    reading = findings[before.name]
    permission = check.required.permission
    granted = claims.permissions

    def refusal(cause: str) -> Finding:
        return Finding(False, reading.licensed, message=f"{cause} {_remedy(check, claims)}")

    def unknown(cause: str) -> Finding:
        return Finding(None, reading.licensed, message=cause)

    if reading.licensed is False:
        return Finding(
            False, False, message=f"The tenant lacks the license: {check.required.license}. See {before.name}."
        )
    if granted is not None and not includes(granted, permission):
        return refusal(f"The token lacks the Graph permission {permission}.")
    if reading.allowed is False and permission in HIGHER.get(before.required.permission, ()):
        # Who may write may read.
        cause = f"Not even reading works, see {before.name}."
        if claims.kind != "application":
            return refusal(cause)
        return Finding(False, reading.licensed, message=f"{cause} The token does have {permission} or a higher one.")
    if _lacks_role(check, claims):
        return refusal("The user of the token holds none of the Entra roles that may do this.")
    if reading.allowed is None:
        return unknown(f"Nobody can tell while {before.name} is unknown.")
    if granted is None:
        return unknown(f"Only a write could tell: the token does not show whether it has the permission {permission}.")
    if claims.kind == "delegated" and (claims.role_ids is None or not check.roles):
        return unknown("Only a write could tell: it depends on the Entra roles of the user of the token.")
    if permission not in granted:
        return unknown(f"Only a write could tell: the token has a higher permission than {permission}, which may do.")
    return Finding(True, reading.licensed)


def _lacks_role(check: Check, claims: Claims) -> bool:
    """Whether the claims show that the user of a delegated token has none of the roles for it."""
    if claims.kind != "delegated" or claims.role_ids is None or not check.roles:
        return False
    return check.roles.isdisjoint(role_names(claims.role_ids))


def _remedy(check: Check, claims: Claims) -> str:
    kind = "delegated" if claims.kind == "delegated" else "application"
    role = f", and its user the Entra role {check.required.role}" if kind == "delegated" and check.required.role else ""
    return (
        f"Grant the app the {kind} permission {check.required.permission} and give admin consent{role}, then run again "
        "with a new token."
    )


def _entry(check: Check, finding: Finding) -> dict[str, t.Any]:
    return {
        "name": check.name,
        "needed_for": list(check.needed_for),
        "permission": check.required.permission,
        "licensed": finding.licensed,
        "allowed": finding.allowed,
        "status": finding.status,
        "code": finding.code,
        "message": finding.message,
    }


def _summary(findings: t.Mapping[str, Finding]) -> str:
    """What works, what does not, and what nobody knows, the needs of `risky_user` first."""
    reading, writing = (findings[name] for name in FOR_RISKY_USER)
    parts = [_VERDICTS[reading.allowed, writing.allowed]]
    parts += [f"{name}: {findings[name].message}" for name in FOR_RISKY_USER if findings[name].allowed is not True]
    for word, allowed in (("Not allowed", False), ("Not known", None)):
        others = [name for name, found in findings.items() if found.allowed is allowed and name not in FOR_RISKY_USER]
        parts += [f"{word}: {', '.join(others)}."] if others else []
    return " ".join(parts)


# By what is known of reading, and of writing.
_VERDICTS: t.Mapping[tuple[bool | None, bool | None], str] = {
    (True, True): "risky_user has what it needs, for check mode and for writing.",
    (True, False): "risky_user can work in check mode only.",
    (True, None): "risky_user can work in check mode. Nobody can tell whether it may write.",
    (False, False): "risky_user cannot work here, not even in check mode.",
    (None, False): "risky_user cannot write here, and nobody can tell whether it can work in check mode.",
    (None, None): "Nobody can tell whether risky_user can work here.",
}
