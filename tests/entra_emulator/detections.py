"""Risk detections: why somebody is at risk. Whoever uses them from several threads holds a lock."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import typing as t
import uuid

from . import timestamps
from .clock import Clock
from .listing import Entry, Values
from .resources import RISK_DETECTIONS, SERVICE_PRINCIPAL_RISK_DETECTIONS, TIME, Action, Resource

ACTIVE_STATES = ("atRisk", "confirmedCompromised")
# Detections of these types belong to no sign-in: they have no request, address or place.
WITHOUT_SIGN_IN = (
    "adminConfirmedServicePrincipalCompromised", "adminConfirmedUserCompromised", "investigationsThreatIntelligence",
    "leakedCredentials",
)  # fmt: skip
# The arguments that are not called as their property is, in small letters and without "DateTime".
_RENAMED: t.Mapping[str, tuple[str, ...]] = {
    "activity": ("activityDateTime",),
    "activity_type": ("activity",),
    "display_name": ("userDisplayName",),
    "risk_event_type": ("riskEventType", "riskType"),
    "upn": ("userPrincipalName",),
}


def _arguments(resource: Resource, renamed: t.Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    names = [*resource.properties, *resource.beta_properties]
    found = {re.sub("(?=[A-Z])", "_", name.removesuffix("DateTime")).lower(): (name,) for name in names}
    return {**found, **renamed}


@dataclasses.dataclass(frozen=True)
class DetectionKind:
    """The detections of one kind of principal.

    `owner` is the property with the principal's id; `names` says what a detection takes from a risk record; `usual` is
    what one has when nobody says more, `event_type` its type.
    """

    resource: Resource
    owner: str
    names: t.Mapping[str, str]
    arguments: t.Mapping[str, tuple[str, ...]]
    event_type: str
    usual: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


OF_PEOPLE = DetectionKind(
    RISK_DETECTIONS,
    "userId",
    {"userDisplayName": "userDisplayName", "userPrincipalName": "userPrincipalName"},
    _arguments(RISK_DETECTIONS, _RENAMED),
    "unfamiliarFeatures",
)
OF_WORKLOADS = DetectionKind(
    SERVICE_PRINCIPAL_RISK_DETECTIONS,
    "servicePrincipalId",
    {"servicePrincipalDisplayName": "displayName", "appId": "appId"},
    _arguments(SERVICE_PRINCIPAL_RISK_DETECTIONS, {**_RENAMED, "display_name": ("servicePrincipalDisplayName",)}),
    "suspiciousSignins",
    {"activity": "servicePrincipal", "keyIds": []},
)


class Detections:
    """All detections of a kind, in the order in which they were added.

    `off_contract` is true as soon as something was put in that the OpenAPI document does not know.
    """

    def __init__(self, kind: DetectionKind, clock: Clock) -> None:
        self._kind = kind
        self._clock = clock
        self.entries: dict[str, Entry] = {}
        self.off_contract = False

    def add(self, record: t.Mapping[str, t.Any], **fields: t.Any) -> Values:
        """Add a detection, and give back its Graph properties.

        :param record: the risk record of whom it is about, or the same names.
        :param fields: what differs from a usual detection. None is null.
        """
        kind, properties = self._kind, self._kind.resource.properties
        unknown = set(fields) - set(kind.arguments)
        if unknown:
            raise ValueError(f"no part of a detection: {', '.join(sorted(unknown))}")
        given = {name: value for argument, value in fields.items() for name in kind.arguments[argument]}
        for name, value in given.items():
            if properties.get(name) == TIME and value is not None:
                given[name] = timestamps.normalize(value)
        detected = given.get("detectedDateTime") or timestamps.of(self._clock.wall() - 3600)
        values = {
            **_usual(fields.get("risk_event_type", kind.event_type)),
            **kind.usual,
            **{name: detected for name, edm in properties.items() if edm == TIME},
            kind.owner: record["id"],
            **{name: record.get(source) for name, source in kind.names.items()},
            **given,
        }
        known = {**properties, **kind.resource.beta_properties}
        values = {name: value for name, value in values.items() if name in known}
        values["id"] = values["id"].lower()
        self.off_contract = self.off_contract or not kind.resource.fits(values)
        self.entries[values["id"]] = Entry(len(self.entries) + 1, values)
        return dict(values)

    def follow(self, action: Action, record: t.Mapping[str, t.Any]) -> None:
        """Do what a write to a risk record does to the detections that belong to it.

        Dismissing and confirming as safe close the active ones; confirming as compromised adds one.
        """
        now = timestamps.of(self._clock.wall())
        if action.ends_risk:
            for entry in self.entries.values():
                if entry.values[self._kind.owner] == record["id"] and entry.values["riskState"] in ACTIVE_STATES:
                    entry.values.update(riskState=action.state, riskDetail=action.detail, lastUpdatedDateTime=now)
        else:
            state = {"risk_state": action.state, "risk_level": action.level, "risk_detail": action.detail}
            self.add(record, risk_event_type=action.detail, detected=now, **state)


def _usual(risk_event_type: str) -> Values:
    """A detection that nobody said more of than its type."""
    signed_in = risk_event_type not in WITHOUT_SIGN_IN
    values: Values = {
        "id": secrets.token_hex(32),
        "riskEventType": risk_event_type,
        "riskType": risk_event_type,
        "riskState": "atRisk",
        "riskLevel": "medium",
        "riskDetail": "none",
        "source": "IdentityProtection",
        "tokenIssuerType": "AzureAD",
        "mitreTechniqueId": "T1078" if signed_in else None,
        "activity": "signin" if signed_in else "user",
        "detectionTimingType": "realtime" if signed_in else "offline",
        **dict.fromkeys(("additionalInfo", "requestId", "correlationId", "ipAddress", "location")),
    }
    if signed_in:
        values.update(
            additionalInfo=json.dumps([{"Key": "userAgent", "Value": "Mozilla/5.0 (X11; Linux x86_64)"}]),
            requestId=str(uuid.uuid4()),
            correlationId=str(uuid.uuid4()),
            ipAddress="203.0.113.7",
            location={
                "city": "Lisbon",
                "state": "Lisboa",
                "countryOrRegion": "PT",
                "geoCoordinates": {"latitude": 38.7223, "longitude": -9.1393},
            },
        )
    return values
