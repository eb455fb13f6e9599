"""The lists of the directory as data: what one has to know about a list to serve it."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .listing import Values
from .odata import Edm
from .principals import DIRECTORIES, GROUPS, Directory
from .records import RefusedError
from .resources import OBJECT, STRING
from .tenant import Tenant

PAGED = frozenset({"$filter", "$select", "$skiptoken", "$top"})
_READERS = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_ROLE_READERS = frozenset(
    {"RoleManagement.Read.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"}
)


@dataclasses.dataclass(frozen=True)
class DirectoryList:
    """One list. `{id}` in the path is the key that `entries` gets, with the tenant and the caller's permissions.

    `defaults` are given without `$select`; `expanded` only with `$expand`. `bent`:
    whether the switches of lists hold for it.
    """

    path: str
    properties: t.Mapping[str, Edm]
    defaults: t.Collection[str]
    roles: frozenset[str]
    entries: t.Callable[[Tenant, str, frozenset[str]], t.Iterable[Values]]
    options: frozenset[str] = PAGED
    expanded: str | None = None
    bent: bool = True

    def key(self, path: t.Sequence[str]) -> str | None:
        """The key in a path of this list, an empty one where the list has none; None for another path."""
        parts = self.path.split("/")
        if len(parts) != len(path) or any(part not in (other, "{id}") for part, other in zip(parts, path)):
            return None
        return next((other for part, other in zip(parts, path) if part == "{id}"), "")


def _objects(directory: Directory) -> DirectoryList:
    return DirectoryList(
        directory.name,
        directory.properties,
        directory.defaults,
        directory.roles,
        lambda tenant, key, permissions: tenant.directory_objects(directory),
        bent=False,
    )


def _shown(tenant: Tenant, key: str, permissions: frozenset[str], otherwise: str) -> Values:
    """An object as the caller may see it: of a type that it may not read, only type and id are told."""
    directory = tenant.directory_of(key)
    if directory is None:
        return {"@odata.type": f"#microsoft.graph.{otherwise}", "id": key}
    found = (tenant.directory_object(directory, key) if directory.roles & permissions else None) or {}
    nothing = dict.fromkeys(directory.properties)
    return {"@odata.type": f"#microsoft.graph.{directory.type}", **nothing, **found, "id": key}


def _members(tenant: Tenant, key: str, permissions: frozenset[str]) -> t.Iterable[Values]:
    group = tenant.grants.groups[tenant.existing(GROUPS, key)["id"]]
    return (_shown(tenant, member, permissions, "device") for member in tenant.grants.members(group.id))


def _roles(name: str, tenant: Tenant, dummy: str, permissions: frozenset[str]) -> t.Iterable[Values]:
    for values in tenant.grants.roles[name]:
        key, kind = values["principalId"], values["kind"]
        if kind or tenant.directory_of(key):
            values = {**values, "principal": _shown(tenant, key, permissions, kind or "")}
        yield values


def _eligible(tenant: Tenant, key: str, permissions: frozenset[str]) -> t.Iterable[Values]:
    if not tenant.switches.pim_licensed:
        text = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
        raise RefusedError(400, "AadPremiumLicenseRequired", text)
    return _roles("roleEligibilityScheduleInstances", tenant, key, permissions)


# The plans behind a switch, as (id of the SKU, its part number, id of the plan, its name).
_PLANS = {
    "licensed": ("84a661c4-e949-4bd2-a560-ed7766fcaf2b", "eec0eb4f-6444-4f95-aba0-50c24d67f998", "AAD_PREMIUM_P2"),
    "workload_licensed": (
        "52cdf00e-8303-4223-a749-ff69a13e2dd0",
        "7dc0e92d-bf15-401d-907e-0884efe7c760",
        "AAD_WRKLDID_P2",
    ),
}


def _skus(tenant: Tenant, key: str, permissions: frozenset[str]) -> t.Iterable[Values]:
    for switch, (sku_id, plan_id, name) in _PLANS.items():
        if getattr(tenant.switches, switch):
            plan = {
                "servicePlanId": plan_id,
                "servicePlanName": name,
                "provisioningStatus": "Success",
                "appliesTo": "User",
            }
            yield {
                "id": f"{tenant.id}_{sku_id}",
                "skuId": sku_id,
                "skuPartNumber": name,
                "capabilityStatus": "Enabled",
                "servicePlans": [plan],
            }


_ROLE_PROPERTIES = dict.fromkeys(("id", "roleDefinitionId", "directoryScopeId", "principalId"), STRING)
_SCHEDULE_PROPERTIES = {**_ROLE_PROPERTIES, **dict.fromkeys(("memberType", "startDateTime", "endDateTime"), STRING)}
_SKU_PROPERTIES = {
    **dict.fromkeys(("id", "skuId", "skuPartNumber", "capabilityStatus"), STRING),
    "servicePlans": OBJECT,
}
_ROLE_OPTIONS = frozenset({"$expand", "$filter", "$select", "$skiptoken"})
_MEMBER_PROPERTIES = {name: edm for directory in DIRECTORIES for name, edm in directory.properties.items()}

DIRECTORY_LISTS = (
    *map(_objects, DIRECTORIES),
    DirectoryList(
        "groups/{id}/transitiveMembers",
        _MEMBER_PROPERTIES,
        sorted({name for directory in DIRECTORIES for name in directory.defaults}),
        GROUPS.roles,
        _members,
        frozenset({"$select", "$skiptoken", "$top"}),
    ),
    DirectoryList(
        "roleManagement/directory/roleAssignments",
        _ROLE_PROPERTIES,
        _ROLE_PROPERTIES,
        _READERS | _ROLE_READERS,
        functools.partial(_roles, "roleAssignments"),
        _ROLE_OPTIONS,
        "principal",
    ),
    DirectoryList(
        "roleManagement/directory/roleEligibilityScheduleInstances",
        _SCHEDULE_PROPERTIES,
        _SCHEDULE_PROPERTIES,
        _ROLE_READERS | {"RoleEligibilitySchedule.Read.Directory", "RoleEligibilitySchedule.ReadWrite.Directory"},
        _eligible,
        _ROLE_OPTIONS,
        "principal",
    ),
    DirectoryList(
        "subscribedSkus",
        _SKU_PROPERTIES,
        _SKU_PROPERTIES,
        _READERS | {"LicenseAssignment.Read.All", "Organization.Read.All", "Organization.ReadWrite.All"},
        _skus,
        frozenset({"$select", "$skiptoken"}),
    ),
)
