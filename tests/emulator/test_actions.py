"""What a write does, and which writes are refused."""

from __future__ import annotations

import typing as t

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISKY_USERS, UNKNOWN_ID, Client
from .kinds import KINDS, SERVICE_PRINCIPALS, USERS, Kind

NAME = "adele.vance@contoso.example"
# Columns: kind, action, and what it sets.
EFFECTS = [
    (USERS, "dismiss", "dismissed", "none", "adminDismissedAllRiskForUser"),
    (USERS, "confirmCompromised", "confirmedCompromised", "high", "adminConfirmedUserCompromised"),
    (USERS, "confirmSafe", "confirmedSafe", "none", "adminConfirmedAccountSafe"),
    (SERVICE_PRINCIPALS, "dismiss", "dismissed", "none", "adminDismissedAllRiskForServicePrincipal"),
    (
        SERVICE_PRINCIPALS,
        "confirmCompromised",
        "confirmedCompromised",
        "high",
        "adminConfirmedServicePrincipalCompromised",
    ),
]


@pytest.mark.parametrize(
    ("kind", "prefix", "action", "state", "level", "detail"),
    [(row[0], prefix, *row[1:]) for row in EFFECTS for prefix in row[0].paths],
)
def test_a_write_sets_state_level_and_detail(
    kind: Kind, prefix: str, action: str, state: str, level: str, detail: str, tenant: Tenant, graph: Client
) -> None:
    written = kind.add(tenant, NAME)
    other = kind.add(tenant, "other@contoso.example")
    answer = graph.act(action, written.id.upper(), prefix=prefix)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Length" not in answer.headers
    changed = kind.find(tenant, written.id)
    assert changed.risk is not None and written.risk is not None
    assert (changed.risk_state, changed.risk_level, changed.risk["riskDetail"]) == (state, level, detail)
    assert changed.risk["riskLastUpdatedDateTime"] > written.risk["riskLastUpdatedDateTime"]
    assert kind.find(tenant, other.id) == other
    assert tenant.journal.entries[-1]["written"] == [written.id]


MALFORMED: t.Sequence[t.Any] = [
    {},
    {"userIds": []},
    {"userIds": UNKNOWN_ID},
    {"userIds": None},
    {"userIds": [None]},
    {"userIds": ["adele.vance@contoso.example"]},
    {"userIds": ["{USER}", 5]},
    {"userIds": ["{USER}", "{USER}"]},
    {"userIds": ["{USER}"], "comment": "x"},
    {"userIds": [f"{{{UNKNOWN_ID}}}"]},
    {"servicePrincipalIds": ["{USER}"]},
    [],
    None,
    "text",
]


@pytest.mark.breaks_contract
@pytest.mark.parametrize("body", MALFORMED, ids=str)
def test_a_malformed_body_writes_nothing(body: t.Any, tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    if isinstance(body, dict) and isinstance(body.get("userIds"), list):
        ids = [item.replace("{USER}", user.id) if isinstance(item, str) else item for item in body["userIds"]]
        body = {**body, "userIds": ids}
    answer = graph.send("POST", f"{RISKY_USERS}/dismiss", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert tenant.user(user.id) == user


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ("userIds=x", "application/x-www-form-urlencoded"),
        ("{", "application/json"),
        ("{}", None),
        ("", "application/json"),
    ],
)
def test_a_body_that_is_no_json(data: str, content_type: str | None, graph: Client) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = graph.send("POST", f"{RISKY_USERS}/dismiss", data=data, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.breaks_contract
@pytest.mark.parametrize(("switch", "status"), [("refuse", 400), ("accept", 204)])
def test_more_than_sixty(switch: str, status: int, kind: Kind, tenant: Tenant, graph: Client) -> None:
    tenant.switches.over_sixty = switch
    ids = kind.add_many(tenant, 61)
    assert graph.act("dismiss", *ids, prefix=kind.path).status_code == status
    assert {each.risk_state for each in kind.all(tenant)} == {"atRisk" if status == 400 else "dismissed"}


@pytest.mark.breaks_contract
def test_an_id_twice_may_be_accepted(kind: Kind, tenant: Tenant, graph: Client) -> None:
    tenant.switches.duplicate_ids = "accept"
    added = kind.add(tenant, NAME)
    assert graph.act("dismiss", added.id, added.id, prefix=kind.path).status_code == 204
    assert len(kind.find(tenant, added.id).history) == 2


# Columns: action, who else is written to, switches, the answer, whether that one is written.
DOUBTFUL: t.Sequence[tuple[str, str, dict[str, str], int, bool]] = [
    ("dismiss", "unknown", {}, 404, False),
    ("dismiss", "unknown", {"unknown_ids": "ignore"}, 204, False),
    ("confirmCompromised", "unknown", {}, 404, False),
    ("dismiss", "unlisted", {}, 400, False),
    ("dismiss", "unlisted", {"unlisted_dismiss": "ignore"}, 204, False),
    ("confirmCompromised", "unlisted", {}, 204, True),
]
DOUBTFUL_USERS: t.Sequence[tuple[str, str, dict[str, str], int, bool]] = [
    ("dismiss", "deleted", {}, 400, False),
    ("dismiss", "deleted", {"deleted_users": "ignore"}, 204, False),
    ("dismiss", "deleted", {"deleted_users": "accept"}, 204, True),
    ("confirmSafe", "unlisted", {}, 400, False),
]


@pytest.mark.parametrize(
    ("kind", "action", "doubt", "switches", "status", "written"),
    [(kind, *row) for kind in KINDS for row in DOUBTFUL] + [(USERS, *row) for row in DOUBTFUL_USERS],
)
def test_what_becomes_of_doubtful_ids(
    kind: Kind,
    action: str,
    doubt: str,
    switches: dict[str, str],
    status: int,
    written: bool,
    tenant: Tenant,
    graph: Client,
) -> None:
    tenant.switches.update(switches)
    good = kind.add(tenant, "good@contoso.example")
    doubtful = {
        "unknown": UNKNOWN_ID,
        "deleted": tenant.add_user("deleted@contoso.example", deleted=True).id,
        "unlisted": kind.add(tenant, "unlisted@contoso.example", listed=False).id,
    }[doubt]
    answer = graph.act(action, good.id, doubtful, prefix=kind.path)
    assert answer.status_code == status
    # All or nothing: the good one is written exactly when the call was accepted.
    assert (kind.find(tenant, good.id).risk_state != "atRisk") is (status == 204)
    expected = ([good.id] if status == 204 else []) + ([doubtful] if written else [])
    assert tenant.journal.entries[-1]["written"] == expected
