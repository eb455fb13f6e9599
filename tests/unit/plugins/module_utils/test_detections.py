"""Risk detections: by list where there are many to ask for, and what has no time. The rest is in tests/functional."""

from __future__ import annotations

import typing as t

from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.detections import USER_DETECTIONS
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.read_detections import read
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import LocalGraph, user_id


def tenant(*numbers: int, **switches: t.Any) -> LocalGraph:
    """Users, each with a detection of the day of November that is their number."""
    graph = LocalGraph(**switches)
    for number in numbers:
        graph.add_unlisted(number)
        graph.tenant.add_detection(user_id(number), detected=f"2026-11-0{number}T00:00:00Z")
    return graph


def detect(graph: LocalGraph, **params: t.Any) -> ModuleResult:
    options = {"users": None, "filters": None, "limit": None, **params}
    result = read(options, USER_DETECTIONS, connect=graph.client, clock=graph.time.clock)
    assert result.error is None
    return result


def owners(result: ModuleResult) -> list[str]:
    return [entry["user_id"] for entry in result.data["risk_detections"]]


def test_reads_the_list_where_there_are_many_to_ask_for() -> None:
    graph = tenant(3)
    assert owners(detect(graph, users=[user_id(number) for number in range(200)])) == [user_id(3)]
    assert graph.reads == 1


def test_says_where_a_list_of_some_breaks_off() -> None:
    result = detect(tenant(1, 1, 1, page_size=1, break_page=2), users=[user_id(1)])
    assert (result.data["count"], result.data["truncated"]) == (1, True)
    assert any("broke off the list of risk detections of some" in warning for warning in result.warnings)


def test_says_how_many_have_no_time_that_can_be_read() -> None:
    graph = tenant(1, filters="ignore")
    graph.tenant.add_detection(user_id(1), detected=None)
    result = detect(graph, filters={"detected_after": "90d"})
    assert result.data["count"] == 1
    assert any(warning.startswith("1 risk detection not chosen") for warning in result.warnings)
