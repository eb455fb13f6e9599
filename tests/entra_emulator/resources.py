# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of Identity Protection as data: what one has to know about a set to serve it."""

from __future__ import annotations

import dataclasses
import typing as t

from .odata import Edm

V1 = "v1.0"
BETA = "beta"

RISK_LEVELS = ("low", "medium", "high", "hidden", "none", "unknownFutureValue")
RISK_STATES = (
    "none",
    "confirmedSafe",
    "remediated",
    "dismissed",
    "atRisk",
    "confirmedCompromised",
    "unknownFutureValue",
)
RISK_DETAILS = (
    "none",
    "adminGeneratedTemporaryPassword",
    "userPerformedSecuredPasswordChange",
    "userPerformedSecuredPasswordReset",
    "adminConfirmedSigninSafe",
    "aiConfirmedSigninSafe",
    "userPassedMFADrivenByRiskBasedPolicy",
    "adminDismissedAllRiskForUser",
    "adminConfirmedSigninCompromised",
    "hidden",
    "adminConfirmedUserCompromised",
    "unknownFutureValue",
    "m365DAdminDismissedDetection",
    "adminConfirmedServicePrincipalCompromised",
    "adminDismissedAllRiskForServicePrincipal",
    "userChangedPasswordOnPremises",
    "adminDismissedRiskForSignIn",
    "adminConfirmedAccountSafe",
    "microsoftRevokedSessions",
)
# Members behind the sentinel are shown only to a client that says it can take them.
SENTINEL = "unknownFutureValue"
LATE_DETAILS = frozenset(RISK_DETAILS[RISK_DETAILS.index(SENTINEL) + 1 :])

STRING = Edm("string")
BOOLEAN = Edm("boolean")
TIME = Edm("time")


@dataclasses.dataclass(frozen=True)
class Action:
    """What a write sets, and whether it ends the risk."""

    name: str
    state: str
    level: str
    detail: str
    ends_risk: bool


@dataclasses.dataclass(frozen=True)
class Resource:
    """A set of risk records. `paths` are those of each API version; `ids_key` is the one key of an action's body."""

    name: str
    entity: str
    paths: t.Mapping[str, tuple[str, ...]]
    properties: t.Mapping[str, Edm]
    ids_key: str
    actions: tuple[Action, ...]
    read_roles: frozenset[str]
    write_roles: frozenset[str]

    def action(self, segment: str) -> Action | None:
        """The action of a path segment, in its short or its long form."""
        name = segment[len("microsoft.graph.") :] if segment.startswith("microsoft.graph.") else segment
        return next((action for action in self.actions if action.name == name), None)


RISKY_USERS = Resource(
    name="riskyUsers",
    entity="riskyUser",
    paths={
        V1: ("/identityProtection/riskyUsers",),
        BETA: ("/identityProtection/riskyUsers", "/riskyUsers"),
    },
    properties={
        "id": STRING,
        "isDeleted": BOOLEAN,
        "isProcessing": BOOLEAN,
        "riskDetail": Edm("enum", RISK_DETAILS),
        "riskLastUpdatedDateTime": TIME,
        "riskLevel": Edm("enum", RISK_LEVELS),
        "riskState": Edm("enum", RISK_STATES),
        "userDisplayName": STRING,
        "userPrincipalName": STRING,
    },
    ids_key="userIds",
    actions=(
        Action("dismiss", "dismissed", "none", "adminDismissedAllRiskForUser", True),
        Action("confirmCompromised", "confirmedCompromised", "high", "adminConfirmedUserCompromised", False),
        Action("confirmSafe", "confirmedSafe", "none", "adminConfirmedAccountSafe", True),
    ),
    read_roles=frozenset({"IdentityRiskyUser.Read.All", "IdentityRiskyUser.ReadWrite.All"}),
    write_roles=frozenset({"IdentityRiskyUser.ReadWrite.All"}),
)
RESOURCES = (RISKY_USERS,)

DIRECTORY_ROLES = frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
DIRECTORY_PROPERTIES: t.Mapping[str, Edm] = {
    "id": STRING,
    "accountEnabled": BOOLEAN,
    "displayName": STRING,
    "mail": STRING,
    "userPrincipalName": STRING,
    "userType": STRING,
}
# What `/users` gives without `$select`.
DIRECTORY_DEFAULTS = ("id", "displayName", "mail", "userPrincipalName")

# Entra roles (template ids) that a signed-in person needs besides the permission.
READER_ROLES = {
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
}
WRITER_ROLES = {
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Security Operator": "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f",
}
