"""The module that reads risk detections of service principals; what it shares with that of users is tested there."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import EXPORT_APP_ID, WORKLOAD
from .running import Ended, Options, Run

MODULE = "service_principal_risk_detection_info"
KEY_ID = "7a7b7c7d-2c3f-4f6d-8c2e-1b7d3c5a9e10"
DETECTIONS: t.Sequence[tuple[str, Options]] = (
    ("export", {"id": "export-1", "risk_level": "low", "detected": "2026-01-10T08:00:00Z"}),
    ("export", {"id": "export-3", "risk_event_type": "leakedCredentials", "key_ids": [KEY_ID],
                "detected": "2026-01-12T08:00:00Z"}),
    ("backup", {"id": "backup-2", "risk_state": "confirmedCompromised", "risk_level": "high",
                "risk_detail": "adminConfirmedServicePrincipalCompromised", "detected": "2026-01-11T08:00:00Z"}),
)  # fmt: skip
CASES: t.Sequence[tuple[Options, str]] = (
    ({}, "export-3 backup-2 export-1"),
    ({"service_principals": [WORKLOAD["export"].upper()]}, "export-3 export-1"),
    ({"service_principal": WORKLOAD["export"], "filters": {"risk_level": ["low"]}}, "export-1"),
    ({"filters": {"risk_event_type": ["LeakedCredentials", "SuspiciousSignIns"]}}, "export-3 backup-2 export-1"),
    ({"filters": {"detected_after": "2026-01-11T00:00:00Z", "risk_state": ["atRisk"]}}, "export-3"),
    ({"limit": 1}, "export-3"),
)


@pytest.fixture
def detected(workloads: Tenant) -> Tenant:
    for name, fields in DETECTIONS:
        workloads.add_service_principal_detection(WORKLOAD[name], **fields)
    return workloads


def found(ended: Ended) -> str:
    return " ".join(entry["id"] for entry in ended.entries)


@pytest.mark.parametrize(
    "switches", [{}, {"filter_mode": "refuse"}, {"filter_mode": "ignore", "page_size": 1}], ids=str
)
@pytest.mark.parametrize(("args", "expected"), CASES, ids=[str(args)[:70] for args, dummy in CASES])
def test_reads_neither_more_nor_fewer_newest_first(
    detected: Tenant, run: Run, args: Options, expected: str, switches: Options
) -> None:
    detected.switches.update(switches)
    ended = run(MODULE, **args)
    assert (found(ended), ended.changed, ended.warnings) == (expected, False, [])
    assert ended.result["truncated"] is ("limit" in args)


@pytest.mark.parametrize(("version", "count"), [("v1.0", 21), ("beta", 22)])
def test_gives_every_property_as_graph_wrote_it(detected: Tenant, run: Run, version: str, count: int) -> None:
    ended = run(MODULE, api_version=version)
    leaked, confirmed, dummy = ended.entries
    assert {len(entry) for entry in ended.entries} == {count}
    assert (leaked["key_ids"], leaked["app_id"], leaked["ip_address"]) == ([KEY_ID], EXPORT_APP_ID, None)
    assert (leaked["service_principal_id"], leaked["service_principal_display_name"]) == (WORKLOAD["export"], "export")
    # Graph shows neither to who does not ask for newer values.
    assert leaked["activity"] == "servicePrincipal"
    assert confirmed["risk_detail"] == "adminConfirmedServicePrincipalCompromised"
    assert ended.graph == [f"GET /{version}/identityProtection/servicePrincipalRiskDetections"]


def test_tells_that_an_application_id_is_no_object_id(detected: Tenant, run: Run) -> None:
    ended = run(MODULE, service_principals=[WORKLOAD["export"], EXPORT_APP_ID])
    assert found(ended) == "export-3 export-1"
    (warning,) = ended.warnings
    assert EXPORT_APP_ID in warning and WORKLOAD["export"] not in warning and "application (client) ID" in warning
