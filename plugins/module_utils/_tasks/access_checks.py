# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What can be checked of a tenant, as data: the smallest question to each API, and writes that are not tried."""

from __future__ import annotations

import dataclasses
import typing as t

from .._graph.directory import DirectorySet
from .._graph.groups import GROUP_MEMBERS
from .._graph.permissions import RISK_READERS, RISK_WRITERS, RequiredPermission
from .._graph.roles import ROLE_ASSIGNMENTS, ROLE_ELIGIBILITY, RoleList
from .._risk.detections import SERVICE_PRINCIPAL_DETECTIONS, USER_DETECTIONS
from .._risk.resources import RISKY_SERVICE_PRINCIPALS, RISKY_USERS
from . import session_writer

_Paths = t.Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing that a task may need.

    :param needed_for: modules, and options of modules.
    :param paths: what is read, by API version. None for a write: only its claims tell about it.
    :param params: with them the answer is as small as Graph allows.
    :param roles: with a delegated token the user needs one of these; empty where it depends, or is not known.
    :param after: for a write, the check whose reading comes before it.
    :param shows_license: whether an answer shows that the tenant has the license.
    """

    name: str
    needed_for: tuple[str, ...]
    required: RequiredPermission
    paths: _Paths | None = None
    params: _Paths = dataclasses.field(default_factory=lambda: {"$select": "id", "$top": "1"})
    roles: frozenset[str] = frozenset()
    after: str | None = None
    shows_license: bool = True


def _directory(path: str) -> _Paths:
    return {version: f"/{version}/{path}" for version in ("v1.0", "beta")}


def _roles(which: RoleList) -> _Paths:
    return _directory(f"roleManagement/directory/{which.path}")


def _reading_directory(which: DirectorySet) -> RequiredPermission:
    return RequiredPermission(which.permission, rate_limit_group="directory")


# Lists of roles take no $top. This one is as short as they get.
_ONE_ROLE = {"$filter": "roleDefinitionId eq '62e90394-69f5-4237-9190-012177145e10'", "$select": "id"}
_ROLE_GUARDS = ("risky_user.exclude_role_holders", "user_sessions.exclude_role_holders")

CHECKS: tuple[Check, ...] = (
    Check(
        "read_risky_users",
        ("risky_user", "risky_user_info", "event source risky_users"),
        RISKY_USERS.read,
        RISKY_USERS.paths,
        roles=RISK_READERS,
    ),
    Check("write_risky_users", ("risky_user",), RISKY_USERS.write, roles=RISK_WRITERS, after="read_risky_users"),
    Check(
        "read_risk_detections",
        ("risk_detection_info",),
        USER_DETECTIONS.required,
        USER_DETECTIONS.paths,
        roles=RISK_READERS,
    ),
    Check(
        "read_risky_service_principals",
        ("risky_service_principal", "risky_service_principal_info"),
        RISKY_SERVICE_PRINCIPALS.read,
        RISKY_SERVICE_PRINCIPALS.paths,
        roles=RISK_READERS,
    ),
    Check(
        "write_risky_service_principals",
        ("risky_service_principal",),
        RISKY_SERVICE_PRINCIPALS.write,
        roles=RISK_WRITERS,
        after="read_risky_service_principals",
    ),
    Check(
        "read_service_principal_risk_detections",
        ("service_principal_risk_detection_info",),
        SERVICE_PRINCIPAL_DETECTIONS.required,
        SERVICE_PRINCIPAL_DETECTIONS.paths,
        roles=RISK_READERS,
        # Without the license, Graph answers all the same, with hidden values.
        shows_license=False,
    ),
    Check(
        "look_up_users",
        (
            "risky_user.users (names)",
            "risky_user.exclude_users (names)",
            "risky_user.if_password_changed",
            "risky_user_info.users (names)",
            "risk_detection_info.users (names)",
            "user_sessions",
        ),
        _reading_directory(RISKY_USERS.directory),
        _directory(RISKY_USERS.directory.path),
    ),
    Check(
        "look_up_service_principals",
        ("risky_service_principal.exclude_service_principals",),
        _reading_directory(RISKY_SERVICE_PRINCIPALS.directory),
        _directory(RISKY_SERVICE_PRINCIPALS.directory.path),
    ),
    Check(
        "read_groups",
        ("risky_user.exclude_groups", "user_sessions.exclude_groups", *_ROLE_GUARDS),
        GROUP_MEMBERS,
        _directory("groups"),
    ),
    Check("read_active_roles", _ROLE_GUARDS, ROLE_ASSIGNMENTS.required, _roles(ROLE_ASSIGNMENTS), _ONE_ROLE),
    Check("read_eligible_roles", _ROLE_GUARDS, ROLE_ELIGIBILITY.required, _roles(ROLE_ELIGIBILITY), _ONE_ROLE),
    Check("revoke_sessions", ("user_sessions",), session_writer.WRITE, after="look_up_users"),
)

BY_NAME = {check.name: check for check in CHECKS}
# What `risky_user` needs in check mode, and for writing.
FOR_RISKY_USER = ("read_risky_users", "write_risky_users")
