from __future__ import annotations

import json

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.api import RiskApi
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS, Record
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.wait import is_applied, wait_for
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import LocalGraph, user_id


@pytest.mark.parametrize(
    ("state", "shown", "processing", "applied"),
    [
        ("dismissed", "dismissed", False, True),
        ("dismissed", "remediated", False, True),
        ("dismissed", "dismissed", True, False),
        ("dismissed", "atRisk", False, False),
        ("dismissed", None, False, False),
        ("dismissed", "somethingNew", False, False),
        ("safe", "confirmedSafe", False, True),
        ("safe", "confirmedSafe", True, False),
        ("safe", "confirmedCompromised", False, False),
        ("compromised", "confirmedCompromised", False, True),
        ("compromised", "confirmedCompromised", True, False),
        ("compromised", "atRisk", False, False),
    ],
)
def test_has_arrived(state: str, shown: str | None, processing: bool, applied: bool) -> None:
    record = Record(user_id(1), None, shown, None, None, deleted=False, processing=processing)
    assert is_applied(record, RISKY_USERS.actions[state]) is applied


@pytest.mark.parametrize(("state", "applied"), [("dismissed", True), ("safe", True), ("compromised", False)])
def test_a_record_that_is_gone_has_no_risk_left(state: str, applied: bool) -> None:
    assert is_applied(None, RISKY_USERS.actions[state]) is applied


def test_the_state_alone_is_not_enough_while_graph_is_at_it() -> None:
    tenant = LocalGraph()
    tenant.add(1, "dismissed", isProcessing=True)
    busy = (200, json.dumps(tenant.records[user_id(1)]))
    tenant.faults = {1: busy, 2: busy}
    tenant.records[user_id(1)]["isProcessing"] = False
    latest = wait_for(RiskApi(tenant.client(), RISKY_USERS), RISKY_USERS.actions["dismissed"], [user_id(1)], 300)
    record = latest[user_id(1)]
    assert record is not None and not record.processing
    assert tenant.reads == 3
    # The pauses grow: 5 seconds, then half as much again.
    assert tenant.time.naps == [5.0, 7.5]


def test_who_has_arrived_is_not_asked_for_again() -> None:
    tenant = LocalGraph()
    tenant.add(1, "dismissed")
    tenant.add(2)
    wait_for(RiskApi(tenant.client(), RISKY_USERS), RISKY_USERS.actions["dismissed"], [user_id(1), user_id(2)], 60)
    later = [path.rpartition("/")[2] for dummy, path, dummy2 in tenant.log[1:]]
    assert set(later) == {user_id(2)}


def test_the_last_look_is_at_the_deadline() -> None:
    tenant = LocalGraph()
    tenant.add(1)
    latest = wait_for(RiskApi(tenant.client(), RISKY_USERS), RISKY_USERS.actions["dismissed"], [user_id(1)], 100)
    assert latest[user_id(1)] is not None
    assert tenant.time.now == 100
    assert max(tenant.time.naps) <= 30
