"""Whole tasks over tenants and tasks made at random, against what a person would do by hand."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    LocalGraph,
    upn,
    user_id,
)

STATES = st.sampled_from(["atRisk", "confirmedCompromised", "dismissed", "remediated", "none", "quarantined"])
SAFE = {"dismissed", "remediated", "none", "confirmedSafe", "quarantined"}
LEFT_ALONE = {"dismissed": SAFE, "safe": SAFE, "compromised": {"confirmedCompromised", "quarantined"}}


@st.composite
def tenants(draw: st.DrawFn) -> LocalGraph:
    mode = draw(st.sampled_from(["honor", "ignore", "refuse"]))
    graph = LocalGraph(page_size=draw(st.integers(1, 5)), filters=mode)
    for number in range(draw(st.integers(0, 6))):
        old_name = draw(st.booleans())
        graph.add(
            number,
            draw(STATES),
            # Names move on: the record of one may carry what is the name of the next by now.
            directory_name=f"new{number}@contoso.example" if old_name else None,
            userPrincipalName=upn(number + 1) if old_name else upn(number),
        )
    for number in range(10, 10 + draw(st.integers(0, 2))):
        graph.add_unlisted(number)
    return graph


def owners(graph: LocalGraph) -> dict[str, str]:
    """Who has which name in the directory."""
    return {str(each.directory["userPrincipalName"]): each.id for each in graph.tenant.users if each.directory}


@given(tenants(), st.sampled_from(["dismissed", "safe", "compromised"]), st.data())
def test_writes_to_those_who_are_meant_and_to_nobody_else(graph: LocalGraph, state: str, data: st.DataObject) -> None:
    numbers = [*range(7), 10, 11]
    names = [upn(number) for number in numbers] + [f"new{number}@contoso.example" for number in range(6)]
    people = st.sampled_from([user_id(number) for number in numbers] + names)
    users = data.draw(st.lists(people, max_size=6))
    exclude = data.draw(st.lists(people, max_size=2))
    before = {key: dict(record) for key, record in graph.records.items()}

    report = graph.run(state=state, users=users, exclude_users=exclude, check_mode=data.draw(st.booleans()))

    names_of = owners(graph)
    meant = {names_of.get(item) if "@" in item else item for item in users}
    protected = {names_of.get(item) if "@" in item else item for item in exclude}
    protected |= {key for key, record in before.items() if record["userPrincipalName"] in exclude}
    needed = {key for key, record in before.items() if record["riskState"] not in LEFT_ALONE[state]}
    if state == "compromised":
        needed |= set(names_of.values()) - before.keys()
    due = (meant - protected) & needed
    unknown = [item for item in exclude if "@" in item and item not in names_of]
    would = {entry["id"] for entry in report.data["users"] if entry["outcome"] == "changed"}
    if due and unknown:
        assert report.error is not None and report.error.kind == "request" and graph.written == [] and not would
    else:
        assert would == due
        assert set(graph.written) in ({*due}, set())
    assert protected.isdisjoint(graph.written)


@given(tenants(), st.data())
def test_a_second_run_changes_nothing(graph: LocalGraph, data: st.DataObject) -> None:
    options: dict[str, t.Any] = {"state": "dismissed", "filters": {}, "max_changes": 10}
    first = graph.run(**options)
    second = graph.run(**options)
    assert first.data["changed"] is any(map(graph.written.count, graph.written))
    assert second.data["changed"] is False and second.data["verified"] is True
    assert len(graph.written) == len(set(graph.written))


def test_a_time_that_cannot_be_read_is_not_passed_over() -> None:
    graph = LocalGraph(filters="ignore")
    good = graph.add(1, riskLastUpdatedDateTime="2025-01-01T9:59:27.958Z")
    odd = graph.add(2, riskLastUpdatedDateTime="yesterday")
    report = graph.run(state="dismissed", filters={"updated_before": "90d"}, max_changes=9, check_mode=True)
    assert [entry["id"] for entry in report.data["users"]] == [good]
    assert any("1 user not chosen: the time of the last change" in warning for warning in report.warnings)
    batch = graph.run(state="dismissed", filters={}, max_changes=1, limit=1, check_mode=True)
    assert {entry["id"]: entry["reason"] for entry in batch.data["users"]} == {good: None, odd: "over_limit"}
    assert any("1 user left for a later run: the time" in warning for warning in batch.warnings)
    report = graph.run(state="dismissed", users=[odd], if_unmodified_since="2026-01-01T00:00:00Z")
    assert report.data["users"][0]["reason"] == "modified_since" and graph.written == []
    assert "'yesterday', which is not a time that can be read" in report.data["users"][0]["message"]


@pytest.mark.parametrize(
    ("forbidden", "options"),
    # A task that stops leaves thousands behind, and a small batch skips thousands: a few of them are enough.
    [(False, {}), (True, {}), (False, {"limit": 3}), (False, {"max_changes": 5})],
)
def test_results_of_many_users_stay_small(forbidden: bool, options: dict[str, t.Any]) -> None:
    graph = LocalGraph()
    if forbidden:
        graph.tenant.add_fault(method="POST", status=403)
    for number in range(1500):
        graph.add(number)
    all_of_them = {"state": "dismissed", "filters": {}, "max_changes": 1500, "return_users": "exceptions"}
    report = graph.run(**{**all_of_them, **options})
    assert sum(report.data["summary"].values()) == 1500
    assert len(json.dumps(report.data)) + len(report.message) < 20_000


@pytest.mark.parametrize(("users", "diff"), [(1000, True), (2000, False)])
def test_many_changes_fit_into_an_event_of_awx(users: int, diff: bool) -> None:
    graph = LocalGraph()
    for number in range(users):
        graph.add(number, userPrincipalName=f"firstname.long.surname{number}@contoso.example")
    report = graph.run(state="dismissed", filters={}, max_changes=users, diff=diff)
    assert report.data["summary"]["changed"] == users
    # That of AWX is 700,000. What else is in a result is short: of the arguments, `_module` leaves out what is long.
    assert len(json.dumps(report.data)) < 695_000


def test_a_bug_of_ours_is_told_as_one() -> None:
    graph = LocalGraph()
    report = graph.run(state="dismissed", users=[graph.add(1)], max_changes="many")
    assert report.error is not None and report.error.kind == "internal" and report.data["users"] == []
    assert graph.written == []
