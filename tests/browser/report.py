"""A tenant worth a report, and the playbook that writes it."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

from tests.commands import Ansible
from tests.entra_emulator import timestamps
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

# Whoever can choose a display name can try this. If any of it ran, the title of the page would change.
HOSTILE = "</title><script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">{{ 6 * 7 }}"
READER = ("IdentityRiskyUser.Read.All", "IdentityRiskEvent.Read.All")
# Name, level, hours since the last change, anything else.
PEOPLE: tuple[tuple[str, str, float, dict[str, t.Any]], ...] = (
    ("adele.vance", "medium", 5, {"display_name": "Adele Vance"}),
    ("alex.wilber", "low", 30, {"display_name": "Alex Wilber"}),
    ("megan.bowen", "high", 2, {"display_name": "Megan Bowen", "risk_state": "confirmedCompromised"}),
    ("zoe.oneill", "high", 400, {"display_name": "Zoë O'Neill"}),
    ("hostile", "medium", 50, {"display_name": HOSTILE}),
    ("hidden_fabrikam.example#EXT#", "hidden", 900, {"display_name": "Hidden & Co"}),
    ("gone", "low", 3000, {"display_name": "Gone Away", "deleted": True}),
    ("done", "none", 60, {"risk_state": "dismissed"}),
)
# Name, type, level, days since the detection, how often.
DETECTIONS = (
    ("megan.bowen", "leakedCredentials", "high", 0.1, 2),
    ("adele.vance", "unfamiliarFeatures", "medium", 1, 10),
    ("adele.vance", "anonymizedIPAddress", "low", 3, 1),
    ("zoe.oneill", "impossibleTravel", "high", 17, 9),
    ("done", "unfamiliarFeatures", "low", 25, 4),
    ("alex.wilber", "passwordSpray", "low", 80, 3),
)


@dataclasses.dataclass(frozen=True)
class Report:
    """A page, and the tenant that it is about."""

    path: Path
    tenant: Tenant

    @property
    def url(self) -> str:
        return self.path.as_uri()


def populate(tenant: Tenant) -> None:
    for name, level, hours, more in PEOPLE:
        moment = timestamps.ago(hours=hours)
        tenant.add_user(f"{name}@{tenant.domain}", risk_level=level, risk_last_updated=moment, **more)
    for name, kind, level, days, count in DETECTIONS:
        user = f"{name}@{tenant.domain}"
        moment = timestamps.ago(days=days)
        tenant.add_detections(count, user, risk_event_type=kind, risk_level=level, detected=moment)


def write(
    emulator: Emulator, tenant: Tenant, path: Path, *, roles: t.Sequence[str] = READER, **answers: t.Any
) -> Report:
    """Run the playbook as a user of the command line does. `answers` are its variables, without their prefix."""
    app = tenant.add_app(roles=list(roles))
    variables = {f"entra_risk_{name}": value for name, value in {"report_path": str(path), **answers}.items()}
    ansible = Ansible(
        path.with_suffix(".home"),
        AZURE_AUTHORITY_HOST=emulator.login_url,
        AZURE_CLIENT_ID=app.client_id,
        AZURE_SECRET=app.secret or "",
        AZURE_TENANT=tenant.id,
        MSGRAPH_URL=emulator.graph_url,
        REQUESTS_CA_BUNDLE=emulator.ca_path,
    )
    ansible.run("ansible-playbook", "identityops.entra_risk.report_risk", "-e", json.dumps(variables))
    return Report(path, tenant)
