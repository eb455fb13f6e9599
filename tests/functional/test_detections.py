"""The modules that read risk detections: of users, and at the end of service principals."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import EXPORT_APP_ID, ID, NAME, WORKLOAD
from .running import Ended, Options, Run

MODULE, WORKLOAD_MODULE = "risk_detection_info", "service_principal_risk_detection_info"
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


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize(("name", "count_if_closed"), [(NAME["megan"], 0), ("Megan.OLD@contoso.example", 1)])
def test_a_name_is_looked_up_or_stands_for_the_name_of_that_day(
    detected: Tenant, run: Run, name: str, closed: bool, count_if_closed: int
) -> None:
    token = {"access_token": detected.mint_token(roles=["IdentityRiskEvent.Read.All"])} if closed else {}
    ended = run(MODULE, users=[name], **token)
    assert (ended.result["count"], ended.result["truncated"]) == (count_if_closed if closed else 1, False)
    warned = [warning for warning in ended.warnings if f"{name} could not be looked up" in warning]
    assert len(warned) == closed and all("User.Read.All" in warning for warning in warned)


def test_the_beta_api_knows_more(people: Tenant, run: Run) -> None:
    people.add_detection(ID["adele"], mitre_technique_id="T1078")
    ended = run(MODULE, api_version="beta")
    assert ended.entries[0]["mitre_technique_id"] == "T1078" and ended.graph == ["GET /beta/riskDetections"]


KEY_ID = "7a7b7c7d-2c3f-4f6d-8c2e-1b7d3c5a9e10"
WORKLOAD_DETECTIONS: t.Sequence[tuple[str, Options]] = (
    ("export", {"id": "export-1", "risk_level": "low", "detected": "2026-01-10T08:00:00Z"}),
    ("export", {"id": "export-3", "risk_event_type": "leakedCredentials", "key_ids": [KEY_ID],
                "detected": "2026-01-12T08:00:00Z"}),
    ("backup", {"id": "backup-2", "risk_state": "confirmedCompromised", "risk_level": "high",
                "risk_detail": "adminConfirmedServicePrincipalCompromised", "detected": "2026-01-11T08:00:00Z"}),
)  # fmt: skip
WORKLOAD_CASES: t.Sequence[tuple[Options, str]] = (
    ({}, "export-3 backup-2 export-1"),
    ({"service_principals": [WORKLOAD["export"].upper()]}, "export-3 export-1"),
    ({"service_principal": WORKLOAD["export"], "filters": {"risk_level": ["low"]}}, "export-1"),
    ({"filters": {"risk_event_type": ["LeakedCredentials", "SuspiciousSignIns"]}}, "export-3 backup-2 export-1"),
    ({"filters": {"detected_after": "2026-01-11T00:00:00Z", "risk_state": ["atRisk"]}}, "export-3"),
    ({"limit": 1}, "export-3"),
)


@pytest.fixture
def exposed(workloads: Tenant) -> Tenant:
    for name, fields in WORKLOAD_DETECTIONS:
        workloads.add_service_principal_detection(WORKLOAD[name], **fields)
    return workloads


@pytest.mark.parametrize(
    "switches", [{}, {"filter_mode": "refuse"}, {"filter_mode": "ignore", "page_size": 1}], ids=str
)
@pytest.mark.parametrize(("args", "expected"), WORKLOAD_CASES, ids=str)
def test_reads_those_of_service_principals_alike(
    exposed: Tenant, run: Run, args: Options, expected: str, switches: Options
) -> None:
    exposed.switches.update(switches)
    ended = run(WORKLOAD_MODULE, **args)
    assert (found(ended), ended.changed, ended.warnings) == (expected, False, [])
    assert ended.result["truncated"] is ("limit" in args)


@pytest.mark.parametrize(("version", "count"), [("v1.0", 21), ("beta", 22)])
def test_gives_every_property_of_service_principals(exposed: Tenant, run: Run, version: str, count: int) -> None:
    ended = run(WORKLOAD_MODULE, api_version=version)
    leaked, confirmed, dummy = ended.entries
    assert {len(entry) for entry in ended.entries} == {count}
    assert (leaked["key_ids"], leaked["app_id"], leaked["ip_address"]) == ([KEY_ID], EXPORT_APP_ID, None)
    assert (leaked["service_principal_id"], leaked["service_principal_display_name"]) == (WORKLOAD["export"], "export")
    # Graph shows neither to who does not ask for newer values.
    assert leaked["activity"] == "servicePrincipal"
    assert confirmed["risk_detail"] == "adminConfirmedServicePrincipalCompromised"
    assert ended.graph == [f"GET /{version}/identityProtection/servicePrincipalRiskDetections"]


def test_tells_that_an_application_id_is_no_object_id(exposed: Tenant, run: Run) -> None:
    ended = run(WORKLOAD_MODULE, service_principals=[WORKLOAD["export"], EXPORT_APP_ID])
    assert found(ended) == "export-3 export-1"
    (warning,) = ended.warnings
    assert EXPORT_APP_ID in warning and WORKLOAD["export"] not in warning and "application (client) ID" in warning
