"""The module through AnsibleModule. What it shares with the others is in test_every_module.py."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.modules import risk_detection_info
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    FakeTenant,
    upn,
    user_id,
)

MODULE = risk_detection_info


@pytest.mark.parametrize("check", [False, True])
def test_detections_newest_first(run: t.Any, tenant: FakeTenant, check: bool) -> None:
    for day in (2, 4, 3):
        tenant.add_detection(day, f"2026-11-0{day}T00:00:00.1234567Z", riskEventType="somethingNew")
    ended = run(check=check, limit=2, filters={"risk_event_type": ["somethingNew"], "detected_after": "90d"})
    assert not ended.failed and ended.result["changed"] is False
    assert [detection["user_id"] for detection in ended.result["risk_detections"]] == [user_id(4), user_id(3)]
    assert (ended.result["count"], ended.result["truncated"]) == (2, True)


def test_users_and_filters_hold_together(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add_unlisted(1)
    tenant.add_detection(1, riskLevel="low")
    tenant.add_detection(1, riskLevel="high")
    tenant.add_detection(2, riskLevel="high")
    ended = run(users=[upn(1)], filters={"risk_level": ["high"], "risk_state": ["atRisk"]})
    assert [detection["id"] for detection in ended.result["risk_detections"]] == ["detection-1"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"filters": {"risk_event_type": []}}, "risk_event_type is an empty list"),
        ({"filters": {"detected_after": "1d", "detected_before": "2d"}}, "not earlier"),
    ],
)
def test_what_makes_no_sense(run: t.Any, tenant: FakeTenant, args: dict[str, t.Any], words: str) -> None:
    ended = run(**args)
    assert ended.failed and ended.result["error"]["kind"] == "request"
    assert words in ended.result["msg"]
    assert tenant.log == []


def test_history_belongs_to_users(run: t.Any, tenant: FakeTenant) -> None:
    ended = run(include_history=True)
    assert ended.failed and "include_history" in ended.result["msg"]


def test_the_beta_api(run: t.Any, tenant: FakeTenant) -> None:
    tenant.add_detection(1, mitreTechniqueId="T1078")
    assert run(api_version="beta").result["risk_detections"][0]["mitre_technique_id"] == "T1078"
    assert tenant.log[0][1] == "/beta/riskDetections"
