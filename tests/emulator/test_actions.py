# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a write does, and which writes are refused."""

from __future__ import annotations

import time
import typing as t

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISKY_USERS, UNKNOWN_ID, Client

EFFECTS = [
    ("dismiss", "dismissed", "none", "adminDismissedAllRiskForUser"),
    ("confirmCompromised", "confirmedCompromised", "high", "adminConfirmedUserCompromised"),
    ("confirmSafe", "confirmedSafe", "none", "adminConfirmedAccountSafe"),
]
PREFIXES = [RISKY_USERS, "/beta/identityProtection/riskyUsers", "/beta/riskyUsers"]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("action", "state", "level", "detail"), EFFECTS)
def test_a_write_sets_state_level_and_detail(
    action: str, state: str, level: str, detail: str, prefix: str, tenant: Tenant, graph: Client
) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    other = tenant.add_user("other@contoso.example")

    answer = graph.act(action, user.id.upper(), prefix=prefix)

    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Length" not in answer.headers
    changed = tenant.user(user.id)
    assert changed.risk is not None and user.risk is not None
    assert (changed.risk_state, changed.risk_level, changed.risk["riskDetail"]) == (state, level, detail)
    assert changed.risk["riskLastUpdatedDateTime"] > user.risk["riskLastUpdatedDateTime"]
    assert tenant.user(other.id) == other
    assert tenant.journal.entries[-1]["written"] == [user.id]


@pytest.mark.parametrize("action", [row[0] for row in EFFECTS])
def test_the_long_form_of_an_action(action: str, tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")

    assert graph.act(f"microsoft.graph.{action}", user.id).status_code == 204
    assert tenant.user(user.id).risk_state != "atRisk"


def test_a_repeated_write_moves_the_time_and_adds_history(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    graph.act("dismiss", user.id)
    first = tenant.user(user.id)
    graph.act("dismiss", user.id)

    assert (tenant.user(user.id).risk_last_updated or "") > (first.risk_last_updated or "")
    assert len(tenant.user(user.id).history) == len(first.history) + 1


def test_sixty_users_at_once(tenant: Tenant, graph: Client) -> None:
    ids = tenant.add_users(60)

    assert graph.act("dismiss", *ids).status_code == 204
    assert {user.risk_state for user in tenant.users} == {"dismissed"}


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


def test_case_does_not_make_two_ids_of_one(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example", id="abcdef00-0000-4000-8000-000000000001")

    assert graph.act("dismiss", user.id, user.id.upper()).status_code == 400
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
def test_more_than_sixty(switch: str, status: int, tenant: Tenant, graph: Client) -> None:
    tenant.switches.over_sixty = switch
    ids = tenant.add_users(61)

    assert graph.act("dismiss", *ids).status_code == status
    assert {user.risk_state for user in tenant.users} == {"atRisk" if status == 400 else "dismissed"}


@pytest.mark.breaks_contract
def test_an_id_twice_may_be_accepted(tenant: Tenant, graph: Client) -> None:
    tenant.switches.duplicate_ids = "accept"
    user = tenant.add_user("adele.vance@contoso.example")

    assert graph.act("dismiss", user.id, user.id).status_code == 204
    assert len(tenant.user(user.id).history) == 2


@pytest.mark.parametrize(
    ("action", "kind", "switches", "status", "written"),
    [
        ("dismiss", "unknown", {}, 404, False),
        ("dismiss", "unknown", {"unknown_ids": "ignore"}, 204, False),
        ("confirmCompromised", "unknown", {}, 404, False),
        ("dismiss", "deleted", {}, 400, False),
        ("dismiss", "deleted", {"deleted_users": "ignore"}, 204, False),
        ("dismiss", "deleted", {"deleted_users": "accept"}, 204, True),
        ("dismiss", "unlisted", {}, 400, False),
        ("confirmSafe", "unlisted", {}, 400, False),
        ("dismiss", "unlisted", {"unlisted_dismiss": "ignore"}, 204, False),
        ("confirmCompromised", "unlisted", {}, 204, True),
    ],
)
def test_what_becomes_of_doubtful_ids(
    action: str,
    kind: str,
    switches: dict[str, str],
    status: int,
    written: bool,
    tenant: Tenant,
    graph: Client,
) -> None:
    tenant.switches.update(switches)
    good = tenant.add_user("good@contoso.example")
    doubtful = {
        "unknown": UNKNOWN_ID,
        "deleted": tenant.add_user("deleted@contoso.example", deleted=True).id,
        "unlisted": tenant.add_user("unlisted@contoso.example", listed=False).id,
    }[kind]

    answer = graph.act(action, good.id, doubtful)

    assert answer.status_code == status
    # All or nothing: the good one is written exactly when the call was accepted.
    assert (tenant.user(good.id).risk_state != "atRisk") is (status == 204)
    expected = ([good.id] if status == 204 else []) + ([doubtful] if written else [])
    assert tenant.journal.entries[-1]["written"] == expected


def test_confirming_an_unlisted_user_lists_it(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("unlisted@contoso.example", listed=False)
    graph.act("confirmCompromised", user.id)

    record = graph.get(f"{RISKY_USERS}/{user.id}").json()

    assert (record["riskState"], record["userPrincipalName"]) == ("confirmedCompromised", "unlisted@contoso.example")


def test_ids_can_be_made_poisonous(tenant: Tenant, graph: Client) -> None:
    ids = tenant.add_users(3)
    tenant.switches.reject_ids = [ids[1].upper()]

    assert graph.act("dismiss", *ids).status_code == 400
    assert graph.act("dismiss", ids[0], ids[2]).status_code == 204
    assert tenant.user(ids[1]).risk_state == "atRisk"


def test_an_effect_may_take_its_time(tenant: Tenant, graph: Client) -> None:
    tenant.switches.effect_delay = 900
    user = tenant.add_user("adele.vance@contoso.example")
    path = f"{RISKY_USERS}/{user.id}"

    graph.act("dismiss", user.id)

    before = graph.get(path).json()
    assert (before["riskState"], before["isProcessing"]) == ("atRisk", True)
    assert before["riskLastUpdatedDateTime"] == user.risk_last_updated
    tenant.hurry()
    after = graph.get(path).json()
    assert (after["riskState"], after["isProcessing"]) == ("dismissed", False)
    assert after["riskLastUpdatedDateTime"] > before["riskLastUpdatedDateTime"]


def test_two_writes_in_processing_take_effect_in_their_order(tenant: Tenant, graph: Client) -> None:
    tenant.switches.effect_delay = 0.1
    user = tenant.add_user("adele.vance@contoso.example")

    graph.act("confirmCompromised", user.id)
    graph.act("dismiss", user.id)
    time.sleep(0.15)

    assert [item["riskState"] for item in tenant.user(user.id).history] == [
        "atRisk",
        "confirmedCompromised",
        "dismissed",
    ]


@pytest.mark.parametrize("delay", [0, 0.05])
@pytest.mark.parametrize(("action", "gone"), [("dismiss", True), ("confirmSafe", True), ("confirmCompromised", False)])
def test_a_record_may_vanish(action: str, gone: bool, delay: float, tenant: Tenant, graph: Client) -> None:
    tenant.switches.update({"vanish_after_dismiss": True, "effect_delay": delay})
    user = tenant.add_user("adele.vance@contoso.example")

    graph.act(action, user.id)
    time.sleep(delay * 1.5)

    assert graph.get(f"{RISKY_USERS}/{user.id}").status_code == (404 if gone else 200)
    assert len(graph.get().json()["value"]) == (0 if gone else 1)
