"""The resources of Identity Protection as data: what one has to know about a set to serve it."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .odata import Edm

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
V1 = "v1.0"
BETA = "beta"

RISK_LEVELS = ("low", "medium", "high", "hidden", "none", "unknownFutureValue")
RISK_STATES = (
    "none", "confirmedSafe", "remediated", "dismissed", "atRisk", "confirmedCompromised", "unknownFutureValue",
)  # fmt: skip
RISK_DETAILS = (
    "none", "adminGeneratedTemporaryPassword", "userPerformedSecuredPasswordChange",
    "userPerformedSecuredPasswordReset", "adminConfirmedSigninSafe", "aiConfirmedSigninSafe",
    "userPassedMFADrivenByRiskBasedPolicy", "adminDismissedAllRiskForUser", "adminConfirmedSigninCompromised",
    "hidden", "adminConfirmedUserCompromised", "unknownFutureValue", "m365DAdminDismissedDetection",
    "adminConfirmedServicePrincipalCompromised", "adminDismissedAllRiskForServicePrincipal",
    "userChangedPasswordOnPremises", "adminDismissedRiskForSignIn", "adminConfirmedAccountSafe",
    "microsoftRevokedSessions",
)  # fmt: skip
ACTIVITIES = ("signin", "user", "unknownFutureValue", "servicePrincipal")
TIMINGS = ("notDefined", "realtime", "nearRealtime", "offline", "unknownFutureValue")
# Microsoft spells the sentinel of this one with a capital.
TOKEN_ISSUERS = (
    "AzureAD", "ADFederationServices", "UnknownFutureValue", "AzureADBackupAuth", "ADFederationServicesMFAAdapter",
    "NPSExtension",
)  # fmt: skip

STRING = Edm("string")
BOOLEAN = Edm("boolean")
TIME = Edm("time")
# Shown, but nothing to filter by.
OBJECT = Edm("object")


def of_type(edm: Edm, names: str) -> dict[str, Edm]:
    """Properties of the same type."""
    return dict.fromkeys(names.split(), edm)


_RISK: t.Mapping[str, Edm] = {
    "riskDetail": Edm("enum", RISK_DETAILS),
    "riskLevel": Edm("enum", RISK_LEVELS),
    "riskState": Edm("enum", RISK_STATES),
}


@dataclasses.dataclass(frozen=True)
class Action:
    """What a write sets."""

    name: str
    state: str
    level: str
    detail: str

    @property
    def ends_risk(self) -> bool:
        return self.level == "none"


@dataclasses.dataclass(frozen=True)
class Resource:
    """A set of Identity Protection: risk records, or detections, which have no actions.

    `paths` are those of the API versions; `license` is the switch that stands for it; `options` are those of the list;
    `sortable` are the properties that `$orderby` takes. `ids_key` is the one key of an action's body.
    `beta_properties` are those that v1.0 does not have.
    """

    name: str
    entity: str
    paths: t.Mapping[str, str]
    properties: t.Mapping[str, Edm]
    read_roles: frozenset[str]
    license: str = "licensed"
    options: frozenset[str] = frozenset({"$filter", "$select", "$skiptoken", "$top"})
    beta_properties: t.Mapping[str, Edm] = dataclasses.field(default_factory=dict)
    sortable: frozenset[str] = frozenset()
    ids_key: str = ""
    actions: tuple[Action, ...] = ()
    write_roles: frozenset[str] = frozenset()

    def action(self, name: str) -> Action | None:
        return next((action for action in self.actions if action.name == name), None)

    @property
    def late(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Of each enumeration the sentinel, and the members behind it: only who says it can take them is shown them."""
        found = {}
        for name, edm in self.properties.items():
            at = next((at for at, member in enumerate(edm.members) if member.lower() == "unknownfuturevalue"), None)
            if at is not None:
                found[name] = edm.members[at], edm.members[at + 1 :]
        return found

    def properties_in(self, version: str) -> t.Mapping[str, Edm]:
        return {**self.properties, **self.beta_properties} if version == BETA else self.properties

    def fits(self, values: t.Mapping[str, t.Any]) -> bool:
        """Whether all enumerations have members that are known, or no value."""
        return all(
            values[name] is None or values[name] in edm.members
            for name, edm in self.properties.items()
            if edm.kind == "enum"
        )


RISKY_USERS = Resource(
    name="riskyUsers",
    entity="riskyUser",
    paths={V1: "/identityProtection/riskyUsers", BETA: "/riskyUsers"},
    properties={
        **of_type(STRING, "id userDisplayName userPrincipalName"),
        **of_type(BOOLEAN, "isDeleted isProcessing"),
        "riskLastUpdatedDateTime": TIME,
        **_RISK,
    },
    read_roles=frozenset({"IdentityRiskyUser.Read.All", "IdentityRiskyUser.ReadWrite.All"}),
    ids_key="userIds",
    actions=(
        Action("dismiss", "dismissed", "none", "adminDismissedAllRiskForUser"),
        Action("confirmCompromised", "confirmedCompromised", "high", "adminConfirmedUserCompromised"),
        Action("confirmSafe", "confirmedSafe", "none", "adminConfirmedAccountSafe"),
    ),
    write_roles=frozenset({"IdentityRiskyUser.ReadWrite.All"}),
)

RISKY_SERVICE_PRINCIPALS = Resource(
    name="riskyServicePrincipals",
    entity="riskyServicePrincipal",
    paths=dict.fromkeys((V1, BETA), "/identityProtection/riskyServicePrincipals"),
    properties={
        **of_type(STRING, "id appId displayName servicePrincipalType"),
        **of_type(BOOLEAN, "isEnabled isProcessing"),
        "riskLastUpdatedDateTime": TIME,
        **_RISK,
    },
    beta_properties={"accountEnabled": BOOLEAN},
    read_roles=frozenset({"IdentityRiskyServicePrincipal.Read.All", "IdentityRiskyServicePrincipal.ReadWrite.All"}),
    license="workload_licensed",
    ids_key="servicePrincipalIds",
    actions=(
        Action("dismiss", "dismissed", "none", "adminDismissedAllRiskForServicePrincipal"),
        Action("confirmCompromised", "confirmedCompromised", "high", "adminConfirmedServicePrincipalCompromised"),
    ),
    write_roles=frozenset({"IdentityRiskyServicePrincipal.ReadWrite.All"}),
)

_DETECTION: t.Mapping[str, Edm] = {
    **of_type(STRING, "id requestId correlationId riskEventType source ipAddress additionalInfo"),
    **of_type(TIME, "activityDateTime detectedDateTime lastUpdatedDateTime"),
    "detectionTimingType": Edm("enum", TIMINGS),
    "activity": Edm("enum", ACTIVITIES),
    "tokenIssuerType": Edm("enum", TOKEN_ISSUERS),
    "location": OBJECT,
    **_RISK,
}
_DETECTION_OPTIONS = frozenset({"$filter", "$orderby", "$select", "$skiptoken", "$top"})
_DETECTION_READERS = frozenset({"IdentityRiskEvent.Read.All", "IdentityRiskEvent.ReadWrite.All"})
RISK_DETECTIONS = Resource(
    name="riskDetections",
    entity="riskDetection",
    paths={V1: "/identityProtection/riskDetections", BETA: "/riskDetections"},
    properties={**_DETECTION, **of_type(STRING, "userId userDisplayName userPrincipalName")},
    beta_properties={"mitreTechniqueId": STRING, "riskType": STRING},
    read_roles=_DETECTION_READERS,
    options=_DETECTION_OPTIONS,
    sortable=frozenset({"detectedDateTime"}),
)
SERVICE_PRINCIPAL_RISK_DETECTIONS = Resource(
    name="servicePrincipalRiskDetections",
    entity="servicePrincipalRiskDetection",
    paths=dict.fromkeys((V1, BETA), "/identityProtection/servicePrincipalRiskDetections"),
    properties={
        **_DETECTION,
        **of_type(STRING, "servicePrincipalId servicePrincipalDisplayName appId"),
        "keyIds": OBJECT,
    },
    beta_properties={"mitreTechniqueId": STRING},
    read_roles=_DETECTION_READERS,
    license="workload_licensed",
    options=_DETECTION_OPTIONS,
    sortable=frozenset({"detectedDateTime"}),
)
RESOURCES = (RISKY_USERS, RISKY_SERVICE_PRINCIPALS, RISK_DETECTIONS, SERVICE_PRINCIPAL_RISK_DETECTIONS)


# All permissions that anything here asks for.
ALL_ROLES = (
    "IdentityRiskyUser.ReadWrite.All",
    "IdentityRiskyServicePrincipal.ReadWrite.All",
    "IdentityRiskEvent.Read.All",
    "User.Read.All",
    "User.RevokeSessions.All",
    "GroupMember.Read.All",
    "RoleManagement.Read.Directory",
    "Application.Read.All",
    "LicenseAssignment.Read.All",
)

# Entra roles (template ids) that a signed-in person needs besides the permission.
READER_ROLES = {
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
}
WRITER_ROLES = {
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Security Operator": "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f",
}
