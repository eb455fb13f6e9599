"""Writing in chunks: what becomes of each, and how many requests it takes."""

from __future__ import annotations

import math
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import EntraRiskError, RequestError
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.api import RiskApi
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.decisions import Rules, Target
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.writer import Progress, Status, write_all
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import LocalGraph


def write(graph: LocalGraph, ids: t.Sequence[str], **more: t.Any) -> tuple[Progress, EntraRiskError | None]:
    api = RiskApi(graph.client(**more), RISKY_USERS)
    rules = Rules(RISKY_USERS, RISKY_USERS.actions["dismissed"])
    records = {record.id: record for page in api.pages(None) for record in api.records(page)}
    due = [rules.decide(Target(item, None, records[item])) for item in ids]
    graph.tenant.journal.clear()
    progress = Progress()
    try:
        write_all(api, rules, due, progress)
    except EntraRiskError as exc:
        return progress, exc
    return progress, None


def at_risk(count: int) -> tuple[LocalGraph, list[str]]:
    graph = LocalGraph()
    return graph, [graph.add(number) for number in range(count)]


@given(st.integers(1, 130), st.data())
def test_finds_each_rejected_id_and_writes_to_all_others(count: int, data: st.DataObject) -> None:
    graph, ids = at_risk(count)
    bad = data.draw(st.sets(st.sampled_from(ids), max_size=3))
    graph.tenant.switches.reject_ids = list(bad)
    progress, error = write(graph, ids)
    assert error is None
    assert set(progress.having(Status.REJECTED)) == bad
    assert sorted(graph.written) == sorted(set(ids) - bad) == sorted(progress.having(Status.ACCEPTED))
    # Halving costs two requests a level and rejected id, at most.
    assert len(graph.bodies) <= math.ceil(count / 60) + 12 * len(bad)
    assert len(progress.request_ids) == len([each for each in graph.bodies if not bad.intersection(each)])


@pytest.mark.parametrize(
    ("count", "rejected", "sizes"),
    [
        (8, [0], [8, 4, 2, 1, 1, 2, 4]),
        (8, [7], [8, 4, 2, 1, 1]),
        (2, [0, 1], [2, 1, 1]),
        # A second half is not asked for as a whole where it is known to be refused.
        (8, [0, 6], [8, 4, 2, 1, 1, 2, 4, 2, 1, 1]),
        (130, [68], [60, 60, 30, 15, 7, 4, 2, 1, 1, 2, 4, 15, 30, 10]),
    ],
)
def test_searches_for_the_rejected_with_few_requests(count: int, rejected: list[int], sizes: list[int]) -> None:
    graph, ids = at_risk(count)
    graph.tenant.switches.reject_ids = [ids[number] for number in rejected]
    write(graph, ids)
    assert [len(each) for each in graph.bodies] == sizes


def test_stops_where_everybody_is_rejected() -> None:
    graph, ids = at_risk(200)
    graph.tenant.switches.reject_ids = ids
    progress, error = write(graph, ids)
    assert isinstance(error, RequestError) and error.message.startswith("Graph refused each of 120 users and every")
    assert len(progress.having(Status.REJECTED)) == 120 and progress.status(ids[150]) is None
    last = [entry for entry in graph.tenant.journal.select(method="POST") if len(entry["body"]["userIds"]) == 1][-1]
    assert (error.status, error.request_id, bool(error.code)) == (400, last["request_id"], True)
    assert error.client_request_id


def test_goes_on_where_somebody_is_accepted_after_all() -> None:
    graph, ids = at_risk(190)
    graph.tenant.switches.reject_ids = ids[:121]
    progress, error = write(graph, ids)
    assert error is None
    assert sorted(progress.having(Status.REJECTED)) == sorted(ids[:121])
    assert sorted(graph.written) == sorted(ids[121:])


@pytest.mark.parametrize(
    ("change", "reason"), [({"deleted": True}, "deleted"), ({"risk_state": "quarantined"}, "unknown_state")]
)
def test_decides_anew_for_a_write_that_was_lost(change: dict[str, t.Any], reason: str) -> None:
    graph, ids = at_risk(2)
    graph.tenant.add_fault(method="POST", times=1, drop="before", change={ids[0]: change})
    progress, error = write(graph, ids)
    attempt = progress.attempts[ids[0]]
    assert error is None and attempt.status is Status.SUPERSEDED
    assert attempt.decision is not None and attempt.decision.reason == reason
    assert graph.written == [ids[1]]


def test_does_not_know_what_became_of_writes_that_are_lost_until_the_retry_timeout() -> None:
    graph, ids = at_risk(2)
    graph.tenant.add_fault(method="POST", drop="before")
    progress, error = write(graph, ids, retry_timeout=5)
    assert error is not None and error.kind == "network"
    assert progress.having(Status.UNKNOWN) == ids and graph.written == []
    assert graph.bodies == [ids] * 3 and graph.time.now <= 5


@pytest.mark.parametrize("status", [401, 403, 405])
def test_stops_at_a_refusal_that_concerns_everybody(status: int) -> None:
    graph, ids = at_risk(61)
    graph.tenant.add_fault(method="POST", status=status)
    progress, error = write(graph, ids)
    assert error is not None and error.status == status
    assert progress.attempts == {} and graph.written == []


def test_tells_of_the_write_where_reading_it_back_fails_too() -> None:
    graph, ids = at_risk(2)
    graph.tenant.add_fault(method="POST", drop="after")
    graph.tenant.add_fault(method="GET", status=405, nth=list(range(2, 99)))
    progress, error = write(graph, ids)
    assert error is not None and error.kind == "network" and progress.having(Status.UNKNOWN) == ids
