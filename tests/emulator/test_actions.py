"""What a write does, and which writes are refused."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISKY_USERS, UNKNOWN_ID, Client
from .kinds import KINDS, USERS, Kind
from .kinds import SERVICE_PRINCIPALS as WORKLOADS

NAME = "adele.vance@contoso.example"
# Columns: kind, action, and what it sets.
EFFECTS = [
    (USERS, "dismiss", "dismissed", "none", "adminDismissedAllRiskForUser"),
    (USERS, "confirmCompromised", "confirmedCompromised", "high", "adminConfirmedUserCompromised"),
    (USERS, "confirmSafe", "confirmedSafe", "none", "adminConfirmedAccountSafe"),
    (WORKLOADS, "dismiss", "dismissed", "none", "adminDismissedAllRiskForServicePrincipal"),
    (WORKLOADS, "confirmCompromised", "confirmedCompromised", "high", "adminConfirmedServicePrincipalCompromised"),
]


@pytest.mark.parametrize(("kind", "action", "state", "level", "detail"), EFFECTS)
def test_a_write_sets_state_level_and_detail(
    kind: Kind, action: str, state: str, level: str, detail: str, tenant: Tenant, graph: Client
) -> None:
    other = kind.add(tenant, "other@contoso.example")
    for path in kind.paths:
        written = kind.add(tenant, NAME)
        answer = graph.act(action, written.id.upper(), prefix=path)
        assert (answer.status_code, answer.content) == (204, b"")
        changed = kind.find(tenant, written.id)
        assert changed.risk is not None and written.risk is not None
        assert (changed.risk_state, changed.risk_level, changed.risk["riskDetail"]) == (state, level, detail)
        assert changed.risk["riskLastUpdatedDateTime"] > written.risk["riskLastUpdatedDateTime"]
        assert kind.find(tenant, other.id) == other
        assert tenant.journal.entries[-1]["written"] == [written.id]


# Bodies of a dismissal. {USER} stands for the id of somebody who is at risk.
MALFORMED: t.Sequence[t.Any] = [
    {}, {"userIds": []}, {"userIds": UNKNOWN_ID}, {"userIds": [None]}, {"userIds": [NAME]},
    {"userIds": ["{USER}", 5]}, {"userIds": ["{USER}", "{USER}"]}, {"userIds": ["{USER}"], "comment": "x"},
    {"servicePrincipalIds": ["{USER}"]}, [], None, "{", "",
]  # fmt: skip


@pytest.mark.breaks_contract
def test_a_malformed_body_writes_nothing(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user(NAME)
    for body in MALFORMED:
        data = body if isinstance(body, str) else json.dumps(body).replace("{USER}", user.id)
        answer = graph.send("POST", f"{RISKY_USERS}/dismiss", data=data, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest"), body
    assert tenant.user(user.id) == user


@pytest.mark.breaks_contract
def test_more_than_sixty_are_refused(kind: Kind, tenant: Tenant, graph: Client) -> None:
    ids = kind.add_many(tenant, 61)
    assert graph.act("dismiss", *ids, prefix=kind.path).status_code == 400
    assert {each.risk_state for each in kind.all(tenant)} == {"atRisk"}


# Columns: kinds, action, who else is written to, switches, the answer, whether that one is written.
DOUBTFUL: t.Sequence[tuple[t.Sequence[Kind], str, str, dict[str, str], int, bool]] = [
    (KINDS, "dismiss", "unknown", {}, 404, False),
    (KINDS, "dismiss", "unknown", {"unknown_ids": "ignore"}, 204, False),
    (KINDS, "confirmCompromised", "unknown", {}, 404, False),
    (KINDS, "dismiss", "unlisted", {}, 400, False),
    (KINDS, "confirmCompromised", "unlisted", {}, 204, True),
    ([USERS], "dismiss", "deleted", {}, 400, False),
    ([USERS], "confirmSafe", "unlisted", {}, 400, False),
]


@pytest.mark.parametrize(("kinds", "action", "doubt", "switches", "status", "written"), DOUBTFUL)
def test_what_becomes_of_doubtful_ids(
    kinds: t.Sequence[Kind],
    action: str,
    doubt: str,
    switches: dict[str, str],
    status: int,
    written: bool,
    tenant: Tenant,
    graph: Client,
) -> None:
    tenant.switches.update(switches)
    for kind in kinds:
        good = kind.add(tenant, "good@contoso.example")
        doubtful = {
            "unknown": UNKNOWN_ID,
            "deleted": tenant.add_user("deleted@contoso.example", deleted=True).id,
            "unlisted": kind.add(tenant, "unlisted@contoso.example", listed=False).id,
        }[doubt]
        assert graph.act(action, good.id, doubtful, prefix=kind.path).status_code == status
        # All or nothing: the good one is written exactly when the call was accepted.
        assert (kind.find(tenant, good.id).risk_state != "atRisk") is (status == 204)
        expected = ([good.id] if status == 204 else []) + ([doubtful] if written else [])
        assert tenant.journal.entries[-1]["written"] == expected
