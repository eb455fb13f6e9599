"""The event filter: records of Entra's log stream become events in the shape of those of the event source."""

from __future__ import annotations

import copy
import json
import logging
import pathlib
import runpy
import typing as t

import pytest

FILTER = pathlib.Path(__file__).resolve().parents[3] / "extensions/eda/plugins/event_filter/entra_log.py"
main = runpy.run_path(str(FILTER))["main"]

USER = {
    "id": "0b6c2a44-0000-4000-8000-000000000001",
    "userDisplayName": "Ada Contoso",
    "userPrincipalName": "ada@contoso.example",
    "riskLastUpdatedDateTime": "2026-11-09T9:05:02.114Z",
    "riskState": "atRisk",
    "riskLevel": "high",
    "isDeleted": False,
}
NAMES = "id user_display_name user_principal_name risk_last_updated_date_time risk_state risk_level is_deleted"
SNAKE = {**dict(zip(NAMES.split(), USER.values())), "risk_last_updated_date_time": "2026-11-09T09:05:02.114Z"}
EVENT = {"risky_user": SNAKE, "previous": None}
DETECTION = {"id": "hash", "riskType": "generic", "location": {"countryOrRegion": "PT"}}
SIGN_IN = {"category": "SignInLogs", "properties": {"id": "1"}}


def record(category: str, properties: t.Any) -> dict[str, t.Any]:
    return {"time": "11/9/2026 9:05:03 AM", "category": category, "tenantId": "t", "properties": properties}


def named(shown: str) -> dict[str, t.Any]:
    return {"risky_service_principal": {"id": "1", "display_name": shown}}


AT_RISK = record("RiskyUsers", USER)


@pytest.mark.parametrize(
    ("message", "events"),
    [
        ({"body": {"records": [AT_RISK]}, "meta": {}}, [EVENT]),
        ({"body": {"records": [AT_RISK, AT_RISK]}, "meta": {}}, [EVENT, EVENT]),
        ({"records": [AT_RISK]}, [EVENT]),
        ({"body": [AT_RISK]}, [EVENT]),
        ({"body": AT_RISK}, [EVENT]),
        (AT_RISK, [EVENT]),
        ({"body": json.dumps({"records": [AT_RISK]})}, [EVENT]),
        (
            record("UserRiskEvents", DETECTION),
            [{"risk_detection": {"id": "hash", "risk_type": "generic", "location": {"country_or_region": "PT"}}}],
        ),
        (record("RiskyServicePrincipals", {"id": "1"}), [{"risky_service_principal": {"id": "1"}}]),
        (record("ServicePrincipalRiskEvents", {"id": "1"}), [{"service_principal_risk_detection": {"id": "1"}}]),
        # What is not about risk stays, whatever came with it.
        (
            {"body": {"records": [SIGN_IN, AT_RISK], "more": 1}, "meta": {"partition": 3}},
            [EVENT, {"body": {"records": [SIGN_IN], "more": 1}, "meta": {"partition": 3}}],
        ),
        ({"records": [AT_RISK, SIGN_IN]}, [EVENT, {"records": [SIGN_IN]}]),
        ({"body": [AT_RISK, SIGN_IN]}, [EVENT, {"body": [SIGN_IN]}]),
        # What a playbook would evaluate, or cannot read at all.
        *(
            (record("RiskyServicePrincipals", {"id": "1", "displayName": name}), [named(shown)])
            for name, shown in (
                ("{{ lookup('pipe', 'id') }}", "\ufffd{ lookup('pipe', 'id') }}"),
                ("{{{%x%}}}{#", "\ufffd\ufffd\ufffd%x%}}}\ufffd#"),
                ("{plain} }} a\ud800b", "{plain} }} a\ufffdb"),
            )
        ),
    ],
)
def test_makes_events_of_the_records_of_risk(message: dict[str, t.Any], events: list[dict[str, t.Any]]) -> None:
    before = copy.deepcopy(message)
    assert main(message) == events
    assert message == before


@pytest.mark.parametrize(
    "message",
    [
        {},
        "a body",
        EVENT,
        {"body": {"records": [SIGN_IN, SIGN_IN]}, "meta": {}},
        {"body": "no JSON"},
        {"body": b"\xff"},
        {"body": None},
        {"body": {"records": [None, 1, "text", [], {}]}},
        {"records": {"category": "RiskyUsers"}},
        {"body": {"category": ["RiskyUsers"]}},
        {"body": {"category": "riskyusers", "properties": USER}},
        {"body": "[" * 100_000},
    ],
)
def test_lets_everything_else_pass_untouched(message: dict[str, t.Any]) -> None:
    assert main(message) is message


@pytest.mark.parametrize("properties", [None, "text", [USER], {}, {"id": 7}])
def test_names_a_record_of_risk_that_is_no_record(properties: t.Any, caplog: pytest.LogCaptureFixture) -> None:
    message = {"body": {"records": [record("RiskyUsers", properties)]}}
    with caplog.at_level(logging.WARNING):
        assert main(message) is message
    assert caplog.messages == [
        "A record of the category RiskyUsers has no properties with an id. It passes as it came."
    ]
