"""The tenant contoso.example, for the demo and for whoever tries playbooks by hand.

A dozen believable people, three service principals, and why some of the people are at risk.
"""

from __future__ import annotations

import typing as t

from . import timestamps
from .apps import App
from .emulator import Emulator
from .resources import ALL_ROLES
from .tenant import Tenant

DOMAIN = "contoso.example"
TENANT_ID = "8f2b1c9a-4d3e-4a6b-9c7d-5e1f2a3b4c5d"
CLIENT_ID = "c0ffee00-1a2b-4c3d-8e4f-5a6b7c8d9e0f"
BREAK_GLASS = f"emergency.access@{DOMAIN}"

# Columns: name before the @, id, state, level, hours since the risk changed, anything else.
PEOPLE: t.Sequence[tuple[str, str, str, str, float, dict[str, t.Any]]] = (
    ("megan.bowen", "04487ee0-f4f6-4e7f-8999-facc5a30e232", "atRisk", "high", 2, {}),
    ("adele.vance", "13387ee0-f4f6-4e7f-8999-facc5120e345", "atRisk", "medium", 5, {}),
    ("alex.wilber", "29f270bb-4d23-4f68-8a57-dc73dc0d4caf", "atRisk", "low", 30, {}),
    ("emergency.access", "20f91ec9-d140-4d90-9cd9-f618587a1471", "atRisk", "medium", 1, {}),
    ("diego.siciliani", "3fbd2a0e-6c1d-4b55-9f0e-7a1b2c3d4e5f", "confirmedCompromised", "high", 20, {}),
    ("isaiah.langer", "4a6c8e10-2b4d-4f60-8a1c-3e5d7f9b1a2c", "dismissed", "none", 200, {}),
    ("johanna.lorenz", "5b7d9f21-3c5e-4071-9b2d-4f6e80ac2b3d", "remediated", "none", 90, {}),
    ("lee.gu", "6c8ea032-4d6f-4182-8c3e-507f91bd3c4e", "confirmedSafe", "none", 400, {}),
    ("lidia.holloway", "7d9fb143-5e70-4293-9d4f-6180a2ce4d5f", "none", "none", 900, {}),
    ("lynne.robbins", "8ea0c254-6f81-43a4-8e50-7291b3df5e60", "atRisk", "high", 2000, {"deleted": True}),
    ("miriam.graham", "9fb1d365-7092-44b5-9f61-83a2c4e06f71", "none", "none", 0, {"listed": False}),
    (
        "nestor.wilke_fabrikam.example#EXT#",
        "a0c2e476-81a3-45c6-8072-94b3d5f17082",
        "none",
        "none",
        0,
        {"listed": False, "user_type": "Guest", "display_name": "Nestor Wilke (guest)"},
    ),
)
# Columns: display name, id, state, level, hours since the risk changed, anything else.
SERVICE_PRINCIPALS: t.Sequence[tuple[str, str, str, str, float, dict[str, t.Any]]] = (
    ("Contoso Payroll Sync", "b1d3f587-92b4-46d7-9183-a5c4e6f28193", "atRisk", "high", 3, {}),
    ("Contoso Backup", "c2e40698-a3c5-47e8-a294-b6d5f7039204", "atRisk", "low", 40, {}),
    (
        "Legacy Mail Relay",
        "d3f517a9-b4d6-48f9-83a5-c7e60814a315",
        "confirmedCompromised",
        "high",
        60,
        {"enabled": False},
    ),
)
# Columns: name of the user, event type, level, state, hours since it was detected.
DETECTIONS: t.Sequence[tuple[str, str, str, str, float]] = (
    ("alex.wilber", "unfamiliarFeatures", "low", "atRisk", 30),
    ("diego.siciliani", "anonymizedIPAddress", "medium", "atRisk", 21),
    ("diego.siciliani", "adminConfirmedUserCompromised", "high", "confirmedCompromised", 20),
    ("megan.bowen", "unlikelyTravel", "medium", "atRisk", 9),
    ("adele.vance", "passwordSpray", "medium", "atRisk", 5),
    ("megan.bowen", "leakedCredentials", "high", "atRisk", 2),
    ("emergency.access", "maliciousIPAddress", "medium", "atRisk", 1),
)


def seed(emulator: Emulator) -> tuple[Tenant, App]:
    """Add the tenant with all that is in it, one app, and a managed identity; both have all permissions."""
    tenant = emulator.add_tenant(tenant_id=TENANT_ID, domain=DOMAIN)
    for name, user_id, state, level, hours, more in PEOPLE:
        tenant.add_user(f"{name}@{DOMAIN}", id=user_id, **_risk(state, level, hours), **more)
    for name, principal_id, state, level, hours, more in SERVICE_PRINCIPALS:
        tenant.add_service_principal(name, id=principal_id, **_risk(state, level, hours), **more)
    for name, event, level, state, hours in DETECTIONS:
        tenant.add_detection(
            f"{name}@{DOMAIN}",
            risk_event_type=event,
            risk_level=level,
            risk_state=state,
            detected=timestamps.ago(hours=hours),
        )
    tenant.add_identity(roles=ALL_ROLES)
    return tenant, tenant.add_app(client_id=CLIENT_ID, roles=ALL_ROLES)


def _risk(state: str, level: str, hours: float) -> dict[str, t.Any]:
    return {"risk_state": state, "risk_level": level, "risk_last_updated": timestamps.ago(hours=hours)}
