"""How many requests it takes to know the records of given users, and that what is left out is really not listed."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import RequestError, ServiceError
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.api import RiskApi
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.loader import (
    EVERYTHING,
    RecordCache,
    RecordLoader,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    LocalGraph,
    upn,
    user_id,
)


def load(graph: LocalGraph, ids: t.Sequence[str], **more: t.Any) -> RecordCache:
    cache = RecordCache()
    RecordLoader(RiskApi(graph.client(), RISKY_USERS), cache, **more).read(ids)
    return cache


@pytest.mark.parametrize(
    ("active", "inactive", "asked", "reads", "switches"),
    [
        (1, 0, 1, 1, {}),
        (30, 0, 15, 1, {}),
        # One page of active users and all is known: cheaper than two questions.
        (30, 0, 30, 1, {}),
        (0, 30, 15, 1, {}),
        (0, 31, 31, 2, {}),
        (40, 0, 31, 4, {"page_size": 10}),
        # Where filters do not work, there are the lists, or one question for each.
        (4, 0, 2, 3, {"filters": "refuse"}),
        (4, 0, 2, 1, {"filters": "ignore"}),
    ],
)
def test_takes_few_requests(active: int, inactive: int, asked: int, reads: int, switches: dict[str, t.Any]) -> None:
    graph = LocalGraph(**switches)
    ids = [graph.add(number, "atRisk" if number < active else "dismissed") for number in range(active + inactive)]
    cache = load(graph, ids[:asked])
    assert cache.records.keys() >= set(ids[:asked])
    assert graph.reads == reads


@given(st.data())
def test_knows_who_is_listed_and_who_is_not(data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(["honor", "ignore", "refuse"]))
    graph = LocalGraph(page_size=data.draw(st.integers(1, 4)), filters=mode)
    states = data.draw(st.lists(st.sampled_from(["atRisk", "dismissed", "confirmedCompromised"]), max_size=6))
    listed = [graph.add(number, state) for number, state in enumerate(states)]
    others = [user_id(100 + number) for number in range(data.draw(st.integers(0, 3)))]
    asked = data.draw(st.permutations(listed + others))
    cache = load(graph, asked, **data.draw(st.sampled_from([{}, {"lists": (EVERYTHING,)}])))
    assert {item for item in asked if item in cache.records} == set(listed)


@pytest.mark.parametrize(
    ("change", "deleted"), [({"riskLastUpdatedDateTime": "2026-11-02T00:00:00Z"}, False), ({"isDeleted": True}, True)]
)
def test_of_two_copies_the_newer_one_or_the_deleted_one_counts(change: dict[str, t.Any], deleted: bool) -> None:
    graph = LocalGraph()
    key = graph.add(1)
    api = RiskApi(graph.client(), RISKY_USERS)
    (old,) = api.records(next(api.pages(None)))
    graph.records[key].update(change)
    (new,) = api.records(next(api.pages(None)))
    for order in ((old, new), (new, old)):
        cache = RecordCache()
        cache.add(order)
        assert cache.records[key] == new
        assert bool(cache.named(upn(1), deleted=True)) is deleted and bool(cache.named(upn(1))) is not deleted


@pytest.mark.parametrize("identity", ["", "{{ lookup('pipe', 'id') }}", "../users", None, 7])
def test_an_entry_without_an_object_id_is_no_record(identity: object) -> None:
    graph = LocalGraph()
    good, bad = graph.add(1), graph.add(2)
    graph.records[bad]["id"] = identity
    result = graph.run(state="dismissed", filters={}, max_changes=9)
    assert graph.written == [good] == [entry["id"] for entry in result.data["users"]]
    assert any("Graph listed 1 entry without an object ID" in warning for warning in result.warnings)


def test_a_single_question_for_somebody_else_is_an_error() -> None:
    graph = LocalGraph()
    key = graph.add(1)
    graph.records[key]["id"] = user_id(2)
    with pytest.raises(ServiceError, match="something else than the risk record of"):
        load(graph, [key])


@pytest.mark.parametrize("count", [2, 40])
def test_another_refusal_than_that_of_a_filter_ends_the_reading(count: int) -> None:
    graph = LocalGraph()
    ids = [graph.add(number) for number in range(count)]
    graph.tenant.add_fault(method="GET", status=405)
    with pytest.raises(RequestError):
        load(graph, ids)


# The filter by name, that of the active ones, and the pages of all.
@pytest.mark.parametrize(("state", "names", "page_size", "reads"), [("atRisk", 20, 500, 3), ("dismissed", 1, 10, 4)])
def test_reads_everybody_once_the_filter_by_name_is_refused(state: str, names: int, page_size: int, reads: int) -> None:
    graph = LocalGraph(filters="refuse", page_size=page_size)
    keys = [graph.add(number, state) for number in range(20)]
    cache = RecordCache()
    RecordLoader(RiskApi(graph.client(), RISKY_USERS), cache).read_names([upn(n) for n in range(names)], surely=True)
    assert cache.records.keys() == set(keys) and cache.complete and graph.reads == reads


@pytest.mark.parametrize(("filters", "page_size"), [("honor", 20), ("refuse", 20), ("honor", None)])
def test_who_is_written_to_without_a_record_has_not_moved_to_a_page_read_before(
    monkeypatch: pytest.MonkeyPatch, filters: str, page_size: int | None
) -> None:
    graph = LocalGraph(filters=filters, page_size=page_size)
    for number in range(30):
        graph.add(number, "dismissed")
    moved, *unlisted = [graph.add(50, "dismissed"), *map(graph.add_unlisted, range(100, 170))]
    page = graph.tenant.page

    def page_without(resource: t.Any, query: t.Any) -> t.Any:
        found = page(resource, query)
        asked_by_id = query.matching is not None and "id" in query.matching.properties
        if asked_by_id or page_size is None:
            return found
        return dataclasses.replace(found, values=[entry for entry in found.values if entry["id"] != moved])

    monkeypatch.setattr(graph.tenant, "page", page_without)
    since = "2026-10-01T00:00:00Z"
    result = graph.run(state="compromised", users=[moved, *unlisted], if_unmodified_since=since)
    assert result.data["summary"] == {"changed": 70, "unchanged": 0, "skipped": 0, "failed": 1}
    assert result.data["users"][0]["reason"] == "modified_since" and moved not in graph.written
    # The active ones, two pages of all, and one question for 15. Where one page holds all, nobody is asked for.
    assert graph.reads == {("honor", 20): 3 + 5, ("refuse", 20): 3 + 1 + 71, ("honor", None): 2}[filters, page_size]
