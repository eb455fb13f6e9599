"""Risk detections: why somebody is at risk. Whoever uses them from several threads holds a lock."""

from __future__ import annotations

import json
import secrets
import typing as t
import uuid

from . import timestamps
from .clock import Clock
from .listing import Entry, Values
from .resources import RISK_DETECTIONS, TIME, Action

ACTIVE_STATES = ("atRisk", "confirmedCompromised")
# Detections of these types belong to no sign-in: they have no request, address or place.
WITHOUT_SIGN_IN = frozenset({"adminConfirmedUserCompromised", "investigationsThreatIntelligence", "leakedCredentials"})
_ARGUMENTS: t.Mapping[str, tuple[str, ...]] = {
    "activity": ("activityDateTime",),
    "activity_type": ("activity",),
    "additional_info": ("additionalInfo",),
    "correlation_id": ("correlationId",),
    "detected": ("detectedDateTime",),
    "detection_timing_type": ("detectionTimingType",),
    "display_name": ("userDisplayName",),
    "id": ("id",),
    "ip_address": ("ipAddress",),
    "last_updated": ("lastUpdatedDateTime",),
    "location": ("location",),
    "mitre_technique_id": ("mitreTechniqueId",),
    "request_id": ("requestId",),
    "risk_detail": ("riskDetail",),
    "risk_event_type": ("riskEventType", "riskType"),
    "risk_level": ("riskLevel",),
    "risk_state": ("riskState",),
    "source": ("source",),
    "token_issuer_type": ("tokenIssuerType",),
    "upn": ("userPrincipalName",),
}


class Detections:
    """All detections, in the order in which they were added.

    `off_contract` is true as soon as something was put in that the OpenAPI document does not know.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entries: dict[str, Entry] = {}
        self.off_contract = False

    def add(self, user: t.Mapping[str, t.Any], **fields: t.Any) -> Values:
        """Add a detection of a user, and give back its Graph properties.

        :param user: `userId`, `userDisplayName` and `userPrincipalName`.
        :param fields: what differs from a usual detection. None is null.
        :raises ValueError: a name that does not exist.
        """
        unknown = set(fields) - set(_ARGUMENTS)
        if unknown:
            raise ValueError(f"no part of a detection: {', '.join(sorted(unknown))}")
        given = {name: value for argument, value in fields.items() for name in _ARGUMENTS[argument]}
        for name, value in given.items():
            if RISK_DETECTIONS.properties.get(name) == TIME and value is not None:
                given[name] = timestamps.normalize(value)
        detected = given.get("detectedDateTime") or timestamps.of(self._clock.wall() - 3600)
        values = {
            **_usual(fields.get("risk_event_type", "unfamiliarFeatures")),
            **{name: detected for name, edm in RISK_DETECTIONS.properties.items() if edm == TIME},
            **user,
            **given,
        }
        values["id"] = values["id"].lower()
        self.off_contract = self.off_contract or not RISK_DETECTIONS.fits(values)
        self.entries[values["id"]] = Entry(len(self.entries) + 1, values)
        return dict(values)

    def follow(self, action: Action, record: t.Mapping[str, t.Any]) -> None:
        """Do what a write to a user's risk record does to the user's detections.

        Dismissing and confirming as safe close the active ones; confirming as compromised adds one.
        """
        now = timestamps.of(self._clock.wall())
        if action.ends_risk:
            for entry in self.entries.values():
                if entry.values["userId"] == record["id"] and entry.values["riskState"] in ACTIVE_STATES:
                    entry.values.update(riskState=action.state, riskDetail=action.detail, lastUpdatedDateTime=now)
        if action.detection is not None:
            self.add(
                user_of(record),
                risk_event_type=action.detection,
                risk_state=action.state,
                risk_level=action.level,
                risk_detail=action.detail,
                detected=now,
            )


def user_of(record: t.Mapping[str, t.Any]) -> Values:
    """How a detection names the user of a risk record."""
    return {"userId": record["id"], **{name: record[name] for name in ("userDisplayName", "userPrincipalName")}}


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
        "additionalInfo": None,
        "requestId": None,
        "correlationId": None,
        "ipAddress": None,
        "location": None,
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
