"""The people and the service principals of the tests. Their names tell what they are good for."""

from __future__ import annotations

import typing as t

from ..entra_emulator.tenant import Tenant

ID: t.Mapping[str, str] = {
    "adele": "13387ee0-f4f6-4e7f-8999-facc5120e345",
    "alex": "29f270bb-4d23-4f68-8a57-dc73dc0d4caf",
    "megan": "04487ee0-f4f6-4e7f-8999-facc5a30e232",
    "dismissed": "4a6c8e10-2b4d-4f60-8a1c-3e5d7f9b1a2c",
    "remediated": "5b7d9f21-3c5e-4071-9b2d-4f6e80ac2b3d",
    "safe": "6c8ea032-4d6f-4182-8c3e-507f91bd3c4e",
    "none": "7d9fb143-5e70-4293-9d4f-6180a2ce4d5f",
    "unlisted": "9fb1d365-7092-44b5-9f61-83a2c4e06f71",
    "deleted": "8ea0c254-6f81-43a4-8e50-7291b3df5e60",
    "newstate": "b1d3f587-92b4-46d7-8183-a5c4e6f28193",
    # Nobody has this one.
    "unknown": "ffffffff-92b4-46d7-8183-a5c4e6f28193",
}
NAME: t.Mapping[str, str] = {
    "adele": "Adele.Vance@contoso.example",
    "alex": "alex.wilber@contoso.example",
    "megan": "megan.bowen@contoso.example",
    **{
        key: f"{key}@contoso.example"
        for key in ("dismissed", "remediated", "safe", "none", "unlisted", "deleted", "newstate", "unknown")
    },
}
# Columns: who, state, level, when the risk changed. The highest risk changed last.
PEOPLE: t.Sequence[tuple[str, str, str, str]] = (
    ("adele", "atRisk", "medium", "2026-01-30T22:41:07.1234567Z"),
    ("alex", "atRisk", "low", "2026-01-29T08:00:00.0000000Z"),
    ("megan", "confirmedCompromised", "high", "2026-01-28T08:00:00.0000000Z"),
    ("dismissed", "dismissed", "none", "2026-01-27T08:00:00.0000000Z"),
    ("remediated", "remediated", "none", "2026-01-26T08:00:00.0000000Z"),
    ("safe", "confirmedSafe", "none", "2026-01-25T08:00:00.0000000Z"),
    ("none", "none", "none", "2026-01-24T08:00:00.0000000Z"),
    ("deleted", "atRisk", "high", "2026-01-23T08:00:00.0000000Z"),
    ("newstate", "quarantined", "high", "2026-01-22T08:00:00.0000000Z"),
)
NOTHING = {"risk_state": None, "risk_level": None, "risk_last_updated": None}
# The `before` of results.
BEFORE: t.Mapping[str, t.Mapping[str, str | None]] = {
    **{name: {"risk_state": s, "risk_level": lv, "risk_last_updated": when} for name, s, lv, when in PEOPLE},
    "unlisted": NOTHING,
    "unknown": NOTHING,
}

WORKLOAD: t.Mapping[str, str] = {
    "export": "9089a539-a539-4089-a9a5-899039a58990",
    "pipeline": "31c9b1a2-6f0d-4a35-8a52-3c1f6f7f2f11",
    "backup": "52d0c3b4-70ae-4b46-9b63-4d207a8a3a22",
    "closed": "63e1d4c5-81bf-4c57-8c74-5e318b9b4b33",
    "newstate": "74f2e5d6-92c0-4d68-9d85-6f429cac5c44",
    "unlisted": "8503f6e7-a3d1-4e79-8e96-7053adbd6d55",
    # None has this one.
    "unknown": "eeeeeeee-a3d1-4e79-8e96-7053adbd6d55",
}
EXPORT_APP_ID = "4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77"
# Columns: who, state, level, when the risk changed, anything else.
WORKLOADS: t.Sequence[tuple[str, str, str, str, dict[str, t.Any]]] = (
    ("export", "atRisk", "medium", "2026-01-30T22:41:07.1234567Z", {"app_id": EXPORT_APP_ID}),
    ("pipeline", "atRisk", "low", "2026-01-29T08:00:00.0000000Z", {}),
    ("backup", "confirmedCompromised", "high", "2026-01-28T08:00:00.0000000Z", {"enabled": False}),
    ("closed", "dismissed", "none", "2026-01-27T08:00:00.0000000Z", {}),
    ("newstate", "quarantined", "high", "2026-01-26T08:00:00.0000000Z", {}),
)

# Switches of services that filter badly, or list badly.
BAD_SERVICES: t.Sequence[dict[str, t.Any]] = (
    {}, {"filter_mode": "refuse"}, {"filter_mode": "ignore"}, {"filter_refuse": ["riskLastUpdatedDateTime"]},
    {"filter_ignore": ["riskLevel", "id"]}, {"filter_mode": "ignore", "page_size": 2},
)  # fmt: skip


def add_people(tenant: Tenant) -> None:
    """Everybody."""
    for name, state, level, when in PEOPLE:
        tenant.add_user(NAME[name], id=ID[name], deleted=name == "deleted", **_risk(state, level, when))
    tenant.add_user(NAME["unlisted"], id=ID["unlisted"], listed=False)


def add_workloads(tenant: Tenant) -> None:
    """All service principals. Their display names are the words here."""
    for name, state, level, when, more in WORKLOADS:
        tenant.add_service_principal(name, id=WORKLOAD[name], **_risk(state, level, when), **more)
    tenant.add_service_principal("unlisted", id=WORKLOAD["unlisted"], listed=False)


def ids(*names: str) -> list[str]:
    """The object IDs of people."""
    return [ID[name] for name in names]


def states(tenant: Tenant) -> dict[str, str]:
    """The risk state of everybody who is listed, by the words here."""
    words = {user_id: name for name, user_id in ID.items()}
    return {words.get(user.id, user.id): user.risk["riskState"] for user in tenant.users if user.risk is not None}


def _risk(state: str, level: str, when: str) -> dict[str, t.Any]:
    return {"risk_state": state, "risk_level": level, "risk_last_updated": when}
