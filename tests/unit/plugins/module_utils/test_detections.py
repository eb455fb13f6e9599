"""Risk detections: by owner where that takes few questions, else by list, and never more or fewer than asked for."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.detections import USER_DETECTIONS
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.read_detections import read
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    LocalGraph,
    upn,
    user_id,
)


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


@pytest.mark.parametrize("filters", ["honor", "refuse", "ignore"])
@pytest.mark.parametrize(
    ("users", "reads"),
    [([user_id(1)], 1), ([upn(2)], 1), ([upn(1), user_id(2), "gone@contoso.example"], 2), ([user_id(9)], 1)],
)
def test_reads_those_who_are_asked_for(users: list[str], reads: int, filters: str) -> None:
    graph = tenant(1, 2, 3, filters=filters)
    wanted = [user_id(number) for number in (2, 1) if user_id(number) in users or upn(number) in users]
    result = detect(graph, users=users)
    assert (owners(result), result.data["truncated"]) == (wanted, False)
    assert graph.reads == reads or filters != "honor"


def test_reads_the_list_where_there_are_many_to_ask_for() -> None:
    graph = tenant(3)
    assert owners(detect(graph, users=[user_id(number) for number in range(200)])) == [user_id(3)]
    assert graph.reads == 1


@pytest.mark.parametrize("orders", ["honor", "refuse"])
@pytest.mark.parametrize("filters", ["honor", "refuse"])
def test_a_limit_takes_the_newest(filters: str, orders: str) -> None:
    graph = tenant(2, 1, 3, filters=filters, page_size=1, orderby_mode=orders)
    result = detect(graph, filters={"detected_after": "90d"}, limit=2)
    assert (owners(result), result.data["truncated"]) == ([user_id(3), user_id(2)], True)


@pytest.mark.parametrize("users", [None, [user_id(1)]])
def test_says_where_a_list_breaks_off(users: list[str] | None) -> None:
    graph = tenant(1, 1, 1, page_size=1, break_page=2)
    result = detect(graph, users=users)
    assert (result.data["count"], result.data["truncated"]) == (1, True)
    assert any("broke off the list of risk detections" in warning for warning in result.warnings)


def test_says_how_many_have_no_time_that_can_be_read() -> None:
    graph = tenant(1, filters="ignore")
    graph.tenant.add_detection(user_id(1), detected=None)
    result = detect(graph, filters={"detected_after": "90d"})
    assert result.data["count"] == 1
    assert any(warning.startswith("1 risk detection not chosen") for warning in result.warnings)


def test_goes_by_the_name_of_the_day_where_the_directory_is_closed() -> None:
    graph = tenant(1)
    graph.tenant.add_fault(path="/users", status=403)
    result = detect(graph, users=[upn(1).upper(), user_id(5)])
    assert result.data["count"] == 1 and any("User.Read.All" in warning for warning in result.warnings)
