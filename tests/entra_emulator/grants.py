"""Groups with their members, and the directory roles that principals hold or may activate.

Whoever uses them from several threads holds a lock.
"""

from __future__ import annotations

import dataclasses
import typing as t
import uuid

from .listing import Entry, Values
from .odata import Edm
from .resources import STRING

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
GROUP_READERS = frozenset({"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"})
READS_HIDDEN_MEMBERS = "Member.Read.Hidden"
GROUP_PROPERTIES: t.Mapping[str, Edm] = dict.fromkeys(("id", "displayName"), STRING)


@dataclasses.dataclass(frozen=True)
class RoleList:
    """A list of roles that principals have. `license` is the switch that stands for it, empty without one."""

    name: str
    properties: t.Mapping[str, Edm]
    readers: frozenset[str]
    license: str = ""


_PROPERTIES: t.Mapping[str, Edm] = dict.fromkeys(("id", "directoryScopeId", "principalId", "roleDefinitionId"), STRING)
_ROLE_READERS = frozenset({"RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"})
ACTIVE = RoleList("roleAssignments", _PROPERTIES, _ROLE_READERS)
ELIGIBLE = RoleList(
    "roleEligibilityScheduleInstances",
    {**_PROPERTIES, **dict.fromkeys(("memberType", "startDateTime", "endDateTime"), STRING)},
    frozenset({"RoleEligibilitySchedule.Read.Directory", *_ROLE_READERS - {"Directory.Read.All"}}),
    license="pim_licensed",
)
ROLE_LISTS = (ACTIVE, ELIGIBLE)


@dataclasses.dataclass
class Group:
    """`members` are ids of people, service principals and other groups.

    `hidden` says what a token without the permission for hidden members gets: `empty` a list without members, `forbid`
    a 403; an empty text is for groups whose members everybody may see.
    """

    id: str
    name: str
    members: list[str]
    role_assignable: bool
    hidden: str


class Grants:
    """All groups and roles of a tenant."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.roles: dict[str, list[Values]] = {which.name: [] for which in ROLE_LISTS}
        # Every tenant has an administrator.
        self.assign(str(uuid.uuid4()))

    def add_group(
        self,
        members: t.Sequence[str] = (),
        *,
        id: str | None = None,  # noqa: A002  # the property's own name
        name: str = "Group",
        role_assignable: bool = False,
        hidden: str = "",
    ) -> Group:
        """Add a group."""
        group = Group((id or str(uuid.uuid4())).lower(), name, list(members), role_assignable, hidden)
        self.groups[group.id] = group
        return group

    def assign(
        self, principal: str, *, role: str = GLOBAL_ADMINISTRATOR, scope: str = "/", eligible: bool = False
    ) -> Values:
        """Assign a role to a person, a service principal or a group: an active one, or one to activate."""
        which = ELIGIBLE if eligible else ACTIVE
        given = {"directoryScopeId": scope, "principalId": principal, "roleDefinitionId": role, "memberType": "Direct"}
        values = {name: given.get(name) for name in which.properties} | {"id": uuid.uuid4().hex}
        self.roles[which.name].append(values)
        return values

    def members(self, group_id: str) -> list[Entry] | None:
        """The ids of all members, through nested groups as well, those groups included; None without the group."""
        if group_id not in self.groups:
            return None
        found: dict[str, None] = {}
        left = [group_id]
        while left:
            for member in self.groups[left.pop()].members:
                if member in self.groups and member not in found:
                    left.append(member)
                found[member] = None
        return [Entry(number, {"id": member}) for number, member in enumerate(found, 1)]
