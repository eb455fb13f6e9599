"""The module that reads risk detections."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import ID, NAME
from .running import Ended, Options, Run

MODULE = "risk_detection_info"
OLD_NAME = "megan.old@contoso.example"
# The ids tell who was detected, and in which order.
DETECTIONS: t.Sequence[Options] = (
    {"user": "adele", "id": "adele-1", "risk_level": "low", "detected": "2026-01-10T08:00:00.0000001Z"},
    {"user": "adele", "id": "adele-3", "risk_level": "high", "detected": "2026-01-12T08:00:00.1234567Z"},
    {"user": "alex", "id": "alex-2", "risk_level": "medium", "detected": "2026-01-11T08:00:00Z"},
    {"user": "unlisted", "id": "unlisted-4", "risk_state": "dismissed", "detected": "2026-01-13T08:00:00Z"},
    {"user": "megan", "id": "megan-5", "risk_state": "confirmedCompromised", "detected": "2026-01-14T08:00:00Z"},
)
MORE: t.Mapping[str, Options] = {
    "adele-3": {"risk_event_type": "leakedCredentials"},
    "alex-2": {"risk_event_type": "anonymizedIPAddress"},
    "unlisted-4": dict.fromkeys(("risk_level", "ip_address", "location", "request_id")),
    # A type that nobody knows, under a former name.
    "megan-5": {"risk_event_type": "somethingNew", "risk_level": "high", "upn": OLD_NAME},
}
FIRST, NOON = "2026-01-10T08:00:00.0000001Z", "2026-01-12T08:00:00Z"
ALL = "megan-5 unlisted-4 adele-3 alex-2 adele-1"
CASES: t.Sequence[tuple[Options, str]] = (
    ({}, ALL),
    ({"filters": {}}, ALL),
    ({"filters": {"risk_event_type": ["leakedCredentials", "somethingNew"]}}, "megan-5 adele-3"),
    ({"filters": {"risk_level": ["low", "medium"]}}, "alex-2 adele-1"),
    ({"filters": {"risk_state": ["dismissed"]}}, "unlisted-4"),
    ({"filters": {"detected_after": FIRST, "detected_before": "2026-01-13T09:00:00+01:00"}}, "adele-3 alex-2"),
    ({"filters": {"detected_after": NOON, "risk_level": ["high"], "risk_state": ["atRisk"]}}, "adele-3"),
    ({"limit": 2}, "megan-5 unlisted-4"),
    ({"limit": 5}, ALL),
    ({"users": ["ADELE.vance@contoso.example"]}, "adele-3 adele-1"),
    ({"users": [ID["alex"].upper(), NAME["megan"], ID["unknown"]]}, "megan-5 alex-2"),
    ({"users": [NAME["adele"], NAME["unlisted"]], "filters": {"risk_level": ["high", "low"]}, "limit": 1}, "adele-3"),
    ({"users": [*ID.values()], "filters": {"detected_before": "2026-01-12T08:00:00Z"}}, "alex-2 adele-1"),
)
# Services that filter, sort and list badly.
SWITCHES: t.Sequence[Options] = (
    {},
    {"filter_mode": "refuse"},
    {"filter_mode": "ignore"},
    {"filter_refuse": ["userId"]},
    {"filter_ignore": ["userId"], "page_size": 2},
    {"filter_refuse": ["riskLevel", "detectedDateTime"], "orderby_mode": "refuse"},
)


@pytest.fixture
def detected(people: Tenant) -> Tenant:
    for detection in DETECTIONS:
        people.add_detection(**{**detection, **MORE.get(detection["id"], {}), "user": ID[detection["user"]]})
    return people


def found(ended: Ended) -> str:
    return " ".join(entry["id"] for entry in ended.entries)


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize(("args", "expected"), CASES, ids=[str(args)[:70] for args, dummy in CASES])
def test_reads_neither_more_nor_fewer_newest_first(
    detected: Tenant, run: Run, args: Options, expected: str, switches: Options
) -> None:
    detected.switches.update(switches)
    ended = run(MODULE, **args)
    assert (found(ended), ended.changed) == (expected, False)
    assert ended.result["count"] == len(expected.split())
    assert ended.result["truncated"] is (args.get("limit") in (1, 2))
    assert switches or len(ended.graph) <= 3


@pytest.mark.parametrize("check", [True, False])
def test_gives_every_property_as_graph_wrote_it(detected: Tenant, run: Run, check: bool) -> None:
    ended = run(MODULE, check=check, diff=True)
    megan, unlisted, dummy, alex, adele = ended.entries
    assert [megan[key] for key in ("user_id", "user_principal_name")] == [ID["megan"], OLD_NAME]
    assert megan["risk_event_type"] == "somethingNew"
    assert [unlisted[key] for key in ("ip_address", "location", "risk_level", "request_id")] == [None] * 4
    assert alex["location"]["country_or_region"] == "PT"
    assert adele["detected_date_time"] == "2026-01-10T08:00:00.0000001Z"
    assert {len(entry) for entry in ended.entries} == {20}
    assert ended.result["evaluated_at"].startswith("20") and "diff" not in ended.result
    assert ended.graph == ["GET /v1.0/identityProtection/riskDetections"]


def test_a_limit_saves_requests(people: Tenant, run: Run) -> None:
    people.add_detections(1200, ID["adele"], detected="2026-01-10T08:00:00Z")
    people.add_detection(ID["alex"], id="newest", detected="2026-01-11T08:00:00Z")
    newest, everything = run(MODULE, limit=10), run(MODULE)
    assert newest.entries == everything.entries[:10] and newest.entries[0]["id"] == "newest"
    assert (newest.result["truncated"], len(newest.graph)) == (True, 1)
    assert (everything.result["count"], len(everything.graph)) == (1201, 3)


@pytest.mark.parametrize(
    ("name", "closed", "count"),
    [
        (NAME["megan"], False, 1),
        (NAME["megan"], True, 0),
        ("Megan.OLD@contoso.example", False, 1),
        ("Megan.OLD@contoso.example", True, 1),
    ],
)
def test_a_name_is_looked_up_or_stands_for_the_name_of_that_day(
    detected: Tenant, run: Run, name: str, closed: bool, count: int
) -> None:
    token = {"access_token": detected.mint_token(roles=["IdentityRiskEvent.Read.All"])} if closed else {}
    ended = run(MODULE, users=[name], **token)
    assert (ended.result["count"], ended.result["truncated"]) == (count, False)
    warned = [warning for warning in ended.warnings if f"{name} could not be looked up" in warning]
    assert len(warned) == closed and all("User.Read.All" in warning for warning in warned)


def test_the_beta_api_knows_more(people: Tenant, run: Run) -> None:
    people.add_detection(ID["adele"], mitre_technique_id="T1078")
    ended = run(MODULE, api_version="beta")
    assert ended.entries[0]["mitre_technique_id"] == "T1078" and ended.graph == ["GET /beta/riskDetections"]
