# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tenant contoso.example: a dozen believable people, for the demo and for whoever tries playbooks by hand."""

from __future__ import annotations

import typing as t

from . import timestamps
from .apps import App
from .emulator import Emulator
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


def seed(emulator: Emulator) -> tuple[Tenant, App]:
    """Add the tenant with its people, one app, and a managed identity."""
    tenant = emulator.add_tenant(tenant_id=TENANT_ID, domain=DOMAIN)
    for name, user_id, state, level, hours, more in PEOPLE:
        tenant.add_user(
            f"{name}@{DOMAIN}",
            id=user_id,
            risk_state=state,
            risk_level=level,
            risk_last_updated=timestamps.ago(hours=hours),
            **more,
        )
    tenant.add_identity()
    return tenant, tenant.add_app(client_id=CLIENT_ID)
