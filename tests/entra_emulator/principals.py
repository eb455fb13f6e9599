"""Who can be at risk, as data: the directory objects, and the risk records that belong to them."""

from __future__ import annotations

import dataclasses
import typing as t

from .odata import Edm
from .resources import BOOLEAN, RISKY_SERVICE_PRINCIPALS, RISKY_USERS, STRING, Resource, of_type

_DIRECTORY_READERS = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})


@dataclasses.dataclass(frozen=True)
class Directory:
    """One kind of directory object. `type` is its name in `getByIds`; `defaults` are given without `$select`.

    `name_property` is the property that is a key besides the id, None without one.
    """

    name: str
    type: str
    properties: t.Mapping[str, Edm]
    defaults: tuple[str, ...]
    roles: frozenset[str]
    name_property: str | None = None


USERS = Directory(
    name="users",
    type="user",
    properties={
        **of_type(STRING, "id displayName mail userPrincipalName userType"),
        **of_type(STRING, "lastPasswordChangeDateTime signInSessionsValidFromDateTime"),
        **of_type(BOOLEAN, "accountEnabled onPremisesSyncEnabled"),
    },
    defaults=("id", "displayName", "mail", "userPrincipalName"),
    roles=_DIRECTORY_READERS | {"User.Read.All", "User.ReadWrite.All"},
    name_property="userPrincipalName",
)
SERVICE_PRINCIPALS = Directory(
    name="servicePrincipals",
    type="servicePrincipal",
    properties={**of_type(STRING, "id appId displayName servicePrincipalType"), "accountEnabled": BOOLEAN},
    defaults=("id", "accountEnabled", "appId", "displayName", "servicePrincipalType"),
    roles=_DIRECTORY_READERS | {"Application.Read.All", "Application.ReadWrite.All"},
)
GROUPS = Directory(
    name="groups",
    type="group",
    properties={"id": STRING, "displayName": STRING, "isAssignableToRole": BOOLEAN},
    defaults=("id", "displayName", "isAssignableToRole"),
    roles=_DIRECTORY_READERS
    | {"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All"},
)
DIRECTORIES = (USERS, SERVICE_PRINCIPALS, GROUPS)


@dataclasses.dataclass(frozen=True)
class Principals:
    """Who can be at risk: the set of the risk records and the directory objects that belong together.

    `names` says which property of the directory object a new record takes for which of its own; `arguments` and
    `directory_arguments` translate the arguments of the Python API. `history_owner` is the property of a history item
    that holds the id of the principal, None where items have none; `risk_event_type` is what a risk comes from usually.
    `details` are the usual values of `riskDetail` for a state, `usual` those of the arguments.
    """

    noun: str
    resource: Resource
    directory: Directory
    names: t.Mapping[str, str]
    arguments: t.Mapping[str, tuple[str, ...]]
    directory_arguments: t.Mapping[str, tuple[str, ...]]
    details: t.Mapping[str, str]
    usual: t.Mapping[str, t.Any]
    risk_event_type: str
    history_owner: str | None = None


RISK_ARGUMENTS: t.Mapping[str, tuple[str, ...]] = {
    "processing": ("isProcessing",),
    "risk_detail": ("riskDetail",),
    "risk_last_updated": ("riskLastUpdatedDateTime",),
    "risk_level": ("riskLevel",),
    "risk_state": ("riskState",),
}
PEOPLE = Principals(
    noun="user",
    resource=RISKY_USERS,
    directory=USERS,
    names={"userDisplayName": "displayName", "userPrincipalName": "userPrincipalName"},
    arguments={
        **RISK_ARGUMENTS,
        "deleted": ("isDeleted",),
        "display_name": ("userDisplayName",),
        "upn": ("userPrincipalName",),
    },
    directory_arguments={
        "account_enabled": ("accountEnabled",),
        "directory_upn": ("userPrincipalName", "mail"),
        "display_name": ("displayName",),
        "password_changed": ("lastPasswordChangeDateTime",),
        "sessions_valid_from": ("signInSessionsValidFromDateTime",),
        "synced": ("onPremisesSyncEnabled",),
        "user_type": ("userType",),
    },
    details={
        "dismissed": "adminDismissedAllRiskForUser",
        "confirmedCompromised": "adminConfirmedUserCompromised",
        "confirmedSafe": "adminConfirmedAccountSafe",
        "remediated": "userPerformedSecuredPasswordReset",
    },
    usual={
        **dict.fromkeys(("password_changed", "sessions_valid_from"), "2025-01-12T07:30:00Z"),
        "risk_state": "atRisk",
        "deleted": False,
        "account_enabled": True,
        "user_type": "Member",
    },
    risk_event_type="unfamiliarFeatures",
    history_owner="userId",
)
WORKLOADS = Principals(
    noun="service principal",
    resource=RISKY_SERVICE_PRINCIPALS,
    directory=SERVICE_PRINCIPALS,
    names={
        "accountEnabled": "accountEnabled",
        "appId": "appId",
        "displayName": "displayName",
        "isEnabled": "accountEnabled",
        "servicePrincipalType": "servicePrincipalType",
    },
    arguments={
        **RISK_ARGUMENTS,
        "app_id": ("appId",),
        "display_name": ("displayName",),
        "enabled": ("isEnabled", "accountEnabled"),
        "service_principal_type": ("servicePrincipalType",),
    },
    directory_arguments={
        "app_id": ("appId",),
        "display_name": ("displayName",),
        "enabled": ("accountEnabled",),
        "service_principal_type": ("servicePrincipalType",),
    },
    details={
        "dismissed": "adminDismissedAllRiskForServicePrincipal",
        "confirmedCompromised": "adminConfirmedServicePrincipalCompromised",
    },
    usual={"risk_state": "atRisk", "enabled": True, "service_principal_type": "Application"},
    risk_event_type="suspiciousSignins",
)
