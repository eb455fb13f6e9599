"""Groups with their members, and the directory roles that principals hold or may activate.

Whoever uses them from several threads holds a lock.
"""

from __future__ import annotations

import dataclasses
import typing as t
import uuid

from .directory import Objects
from .listing import Values
from .principals import GROUPS, USERS

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


@dataclasses.dataclass
class Group:
    """`members` are ids of people, service principals and other groups."""

    id: str
    name: str
    members: list[str]
    role_assignable: bool


class Grants:
    """All groups and roles of a tenant."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.objects = Objects(GROUPS)
        self.roles: dict[str, list[Values]] = {"roleAssignments": [], "roleEligibilityScheduleInstances": []}
        # Every tenant has an administrator.
        self.assign(str(uuid.uuid4()), kind=USERS.type)

    def add_group(
        self,
        members: t.Sequence[str] = (),
        *,
        id: str | None = None,  # noqa: A002  # the property's own name
        name: str = "Group",
        role_assignable: bool = False,
    ) -> Group:
        """Add a group, or replace the one with this id."""
        group = Group((id or str(uuid.uuid4())).lower(), name, list(members), role_assignable)
        self.groups[group.id] = group
        self.objects.put({"id": group.id, "displayName": name, "isAssignableToRole": role_assignable})
        return group

    def assign(
        self,
        principal: str,
        *,
        role: str = GLOBAL_ADMINISTRATOR,
        scope: str = "/",
        eligible: bool = False,
        kind: str | None = None,
    ) -> Values:
        """Assign a role to a person, a service principal or a group: an active one, or one to activate.

        :param kind: the type of a principal that the directory does not show; without one it is deleted.
        """
        values = {
            "id": uuid.uuid4().hex,
            "directoryScopeId": scope,
            "principalId": principal,
            "roleDefinitionId": role,
            "memberType": "Direct",
            "startDateTime": None,
            "endDateTime": None,
            "kind": kind,
        }
        self.roles["roleEligibilityScheduleInstances" if eligible else "roleAssignments"].append(values)
        return values

    def members(self, group_id: str) -> list[str]:
        """The ids of all members, through nested groups as well, those groups included."""
        found: dict[str, None] = {}
        left = [group_id]
        while left:
            for member in self.groups[left.pop()].members:
                if member in self.groups and member not in found:
                    left.append(member)
                found[member] = None
        return list(found)
