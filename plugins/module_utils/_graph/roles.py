# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Who holds an Entra directory role, and who may activate one.

https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments
https://learn.microsoft.com/graph/api/rbacapplication-list-roleeligibilityscheduleinstances
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import RequestError, ServiceError
from .client import GraphClient
from .groups import object_id
from .paging import pages
from .permissions import RequiredPermission

_GROUP = "#microsoft.graph.group"
_NO_GROUPS = frozenset({"#microsoft.graph.user", "#microsoft.graph.servicePrincipal"})


@dataclasses.dataclass(frozen=True)
class RoleList:
    """A list of who has roles. `name` says what is in it, `holds` what is true of everybody in it."""

    path: str
    name: str
    holds: str
    may_be_empty: bool
    required: RequiredPermission


ROLE_ASSIGNMENTS = RoleList(
    path="roleAssignments",
    name="the active role assignments",
    holds="Holds an Entra directory role",
    # Every tenant has an administrator.
    may_be_empty=False,
    required=RequiredPermission("RoleManagement.Read.Directory", rate_limit_group="directory"),
)
ROLE_ELIGIBILITY = RoleList(
    path="roleEligibilityScheduleInstances",
    name="the eligible role assignments (PIM)",
    holds="Is eligible for an Entra directory role",
    may_be_empty=True,
    required=RequiredPermission(
        "RoleEligibilitySchedule.Read.Directory",
        license="Microsoft Entra ID P2 or Microsoft Entra ID Governance",
        rate_limit_group="directory",
    ),
)


@dataclasses.dataclass(frozen=True)
class Principal:
    """Whom a role is assigned to. `is_group` is None where the list does not tell."""

    id: str
    is_group: bool | None


def principals(client: GraphClient, which: RoleList) -> list[Principal]:
    """Everybody to whom a list assigns a role, of any scope: users, service principals, groups.

    :raises ServiceError: the list broke off, is empty although it cannot be, or holds something without an id.
    """
    try:
        found = _read(client, which, {"$expand": "principal"})
    except RequestError as exc:
        if exc.status != 400:
            raise
        # Without the details, anybody may be a group.
        found = _read(client, which, {})
    if not found and not which.may_be_empty:
        raise ServiceError(
            "Graph listed nobody, although every tenant has an administrator. Check the permissions and roles of the "
            "app."
        )
    return found


def _read(client: GraphClient, which: RoleList, params: t.Mapping[str, str]) -> list[Principal]:
    found: list[Principal] = []
    path = f"/{client.api_version}/roleManagement/directory/{which.path}"
    for page in pages(client, path, params, required=which.required):
        if page.broken is not None:
            raise ServiceError(f"Graph broke off the list. {page.broken.message}", **page.broken.facts())
        found += map(_principal, page.items)
    return found


def _principal(item: t.Any) -> Principal:
    key = object_id(item, "principalId")
    details = item.get("principal")
    if not isinstance(details, dict) or "id" not in details:
        # Graph leaves out the details of a principal that is deleted.
        return Principal(key, None)
    if object_id(details) != key:
        raise ServiceError("Graph listed a role assignment with two different principals. Try again later.")
    kind = details.get("@odata.type")
    return Principal(key, True if kind == _GROUP else False if kind in _NO_GROUPS else None)
