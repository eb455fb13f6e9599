# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The resources of Identity Protection as data, and the calls on them.

A second resource is a second `Resource`; nothing here or above knows which one it works on.
https://learn.microsoft.com/graph/api/resources/riskyuser
https://learn.microsoft.com/graph/api/resources/riskyserviceprincipal
"""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._graph.directory import SERVICE_PRINCIPALS, USERS, DirectorySet
from .._graph.permissions import RequiredPermission

# Written down here once: a state that is not among these is newer than the collection and is never guessed at.
RISK_STATES = ("none", "confirmedSafe", "remediated", "dismissed", "atRisk", "confirmedCompromised")
RISK_LEVELS = ("low", "medium", "high", "hidden", "none")
ACTIVE_STATES = ("atRisk", "confirmedCompromised")
_INACTIVE_STATES = frozenset(RISK_STATES) - frozenset(ACTIVE_STATES)


@dataclasses.dataclass(frozen=True)
class Action:
    """What brings an object to a state.

    `satisfied_states` are the states in which nothing has to be written; `applies_without_record` says whether an
    object without a risk record is written to; `state_after` and `level_after` are what Graph sets.
    """

    path: str
    satisfied_states: frozenset[str]
    applies_without_record: bool
    state_after: str
    level_after: str
    done: str
    would_do: str


@dataclasses.dataclass(frozen=True)
class Labels:
    """What people call the objects.

    `key` is the word in the names of options and results, `aliases` are other names of options. The rest is for wrong
    input: `wrong` says what a value is that can be none of them, `unknown` is the reason when one does not exist,
    `remedy` is what to do then, and `not_found_hint` says what else looks like an object without a record.
    """

    one: str
    many: str
    key: str
    aliases: t.Mapping[str, tuple[str, ...]]
    wrong: str
    unknown: str
    remedy: str
    not_found_hint: str

    def option(self, name: str, **more: t.Any) -> dict[str, dict[str, t.Any]]:
        """An option, by name, with its aliases."""
        return {name: {**more, "aliases": list(self.aliases.get(name, ()))}}

    def count(self, number: int) -> str:
        """`1 user`, `2 users`."""
        return f"{number} {self.one if number == 1 else self.many}"


@dataclasses.dataclass(frozen=True)
class Resource:
    """One kind of risky object.

    `paths` maps the API version to the collection's path. `properties` are all that Graph has, of which `deciding` are
    those that a decision needs. Objects may be asked for by name only where names are unique (`asked_by_name`).
    `shown` are properties that tell a person which object is meant, besides its id and its name. `has_guards` says
    whether groups and roles can protect the objects.
    """

    labels: Labels
    paths: t.Mapping[str, str]
    ids_key: str
    name_property: str
    name_key: str
    asked_by_name: bool
    deciding: tuple[str, ...]
    properties: tuple[str, ...]
    directory: DirectorySet
    actions: t.Mapping[str, Action]
    read: RequiredPermission
    write: RequiredPermission
    shown: tuple[str, ...] = ()
    has_guards: bool = False
    beta_properties: tuple[str, ...] = ()
    ids_per_write: int = 60
    page_size: int = 500


_DISMISS = Action(
    path="dismiss",
    satisfied_states=_INACTIVE_STATES,
    applies_without_record=False,
    state_after="dismissed",
    level_after="none",
    done="Dismissed the risk of {}",
    would_do="Would dismiss the risk of {}",
)
_CONFIRM_COMPROMISED = Action(
    path="confirmCompromised",
    satisfied_states=frozenset({"confirmedCompromised"}),
    applies_without_record=True,
    state_after="confirmedCompromised",
    level_after="high",
    done="Confirmed {} as compromised",
    would_do="Would confirm {} as compromised",
)
_CONFIRM_SAFE = Action(
    path="confirmSafe",
    satisfied_states=_INACTIVE_STATES,
    applies_without_record=False,
    state_after="confirmedSafe",
    level_after="none",
    done="Confirmed {} as safe",
    would_do="Would confirm {} as safe",
)

_ROLES_READ = "Security Reader"
_ROLES_WRITE = "Security Administrator (Microsoft's pages also name Security Operator)"
_P2 = "Microsoft Entra ID P2"
_WORKLOAD_ID = "Microsoft Entra Workload ID Premium"

RISKY_USERS = Resource(
    labels=Labels(
        one="user",
        many="users",
        key="users",
        aliases={"users": ("user", "user_ids")},
        wrong="neither an object ID (a GUID) nor a user principal name (name@domain)",
        unknown="unknown_user",
        remedy="Check the spelling.",
        not_found_hint="A typing error in an object ID looks the same.",
    ),
    paths={"v1.0": "/v1.0/identityProtection/riskyUsers", "beta": "/beta/riskyUsers"},
    ids_key="userIds",
    name_property="userPrincipalName",
    name_key="user_principal_name",
    asked_by_name=True,
    deciding=(
        "id",
        "userPrincipalName",
        "riskState",
        "riskLevel",
        "riskLastUpdatedDateTime",
        "isDeleted",
        "isProcessing",
    ),
    properties=(
        "id",
        "userPrincipalName",
        "userDisplayName",
        "riskState",
        "riskLevel",
        "riskDetail",
        "riskLastUpdatedDateTime",
        "isDeleted",
        "isProcessing",
    ),
    directory=USERS,
    read=RequiredPermission("IdentityRiskyUser.Read.All", role=_ROLES_READ, license=_P2),
    write=RequiredPermission("IdentityRiskyUser.ReadWrite.All", role=_ROLES_WRITE, license=_P2),
    actions={"dismissed": _DISMISS, "compromised": _CONFIRM_COMPROMISED, "safe": _CONFIRM_SAFE},
    has_guards=True,
)

RISKY_SERVICE_PRINCIPALS = Resource(
    labels=Labels(
        one="service principal",
        many="service principals",
        key="service_principals",
        # The words of `risky_user` hold as well, so that the same variables serve both modules.
        aliases={
            "service_principals": ("service_principal", "service_principal_ids"),
            "exclude_service_principals": ("exclude_users",),
            "return_service_principals": ("return_users",),
        },
        wrong="not an object ID (a GUID)",
        unknown="unknown_service_principal",
        remedy="Check that it is the object ID of the service principal (the enterprise application), not the "
        "application (client) ID.",
        not_found_hint="A typing error looks the same, and so does an application (client) ID.",
    ),
    # Both versions have this path only: the root set of beta is for users alone.
    paths={
        "v1.0": "/v1.0/identityProtection/riskyServicePrincipals",
        "beta": "/beta/identityProtection/riskyServicePrincipals",
    },
    ids_key="servicePrincipalIds",
    # Display names are not unique, so nobody is asked for by one.
    name_property="displayName",
    name_key="display_name",
    asked_by_name=False,
    deciding=("id", "appId", "displayName", "riskState", "riskLevel", "riskLastUpdatedDateTime", "isProcessing"),
    properties=(
        "id",
        "appId",
        "displayName",
        "servicePrincipalType",
        "isEnabled",
        "riskState",
        "riskLevel",
        "riskDetail",
        "riskLastUpdatedDateTime",
        "isProcessing",
    ),
    beta_properties=("accountEnabled",),
    shown=("appId",),
    directory=SERVICE_PRINCIPALS,
    read=RequiredPermission("IdentityRiskyServicePrincipal.Read.All", role=_ROLES_READ, license=_WORKLOAD_ID),
    write=RequiredPermission("IdentityRiskyServicePrincipal.ReadWrite.All", role=_ROLES_WRITE, license=_WORKLOAD_ID),
    actions={"dismissed": _DISMISS, "compromised": _CONFIRM_COMPROMISED},
)


@dataclasses.dataclass(frozen=True)
class Record:
    """A risk record as Graph gave it. Every value but the id may be unknown (None).

    `properties` holds all of it, untouched.
    """

    id: str
    name: str | None
    state: str | None
    level: str | None
    updated: str | None
    deleted: bool
    processing: bool
    properties: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @property
    def updated_ticks(self) -> int | None:
        """The time of the last change of the risk, or None when Graph gave none that can be read."""
        return _timestamps.parse_or_none(self.updated)
