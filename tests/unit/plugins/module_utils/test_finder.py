"""Who is meant, as far as the tests of the engine do not tell it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk import filters as _filters
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.api import RiskApi
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.decisions import (
    DirectoryStatus,
    parse_selection,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resolver import TargetResolver
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    GRAPH,
    RISKY,
    LocalGraph,
    upn,
    user_id,
)

EVERYBODY = _filters.parse({}, ("atRisk", "dismissed"), 0)


@pytest.fixture
def tenant() -> LocalGraph:
    return LocalGraph()


def finder_of(tenant: LocalGraph) -> TargetResolver:
    return TargetResolver(RiskApi(tenant.client(), RISKY_USERS), [])


def named(tenant: LocalGraph, *users: str) -> list[tuple[str | None, str | None, bool, DirectoryStatus]]:
    targets = finder_of(tenant).named(parse_selection(users, "users", RISKY_USERS))
    return [(target.id, target.name, target.record is not None, target.directory_status) for target in targets]


def test_who_is_listed_needs_no_directory(tenant: LocalGraph) -> None:
    tenant.add(1)
    assert named(tenant, upn(1)) == [(user_id(1), upn(1), True, DirectoryStatus.UNCHECKED)]
    assert tenant.look_ups == 0


def test_an_id_without_a_record_is_left_unchecked(tenant: LocalGraph) -> None:
    assert named(tenant, user_id(1)) == [(user_id(1), None, False, DirectoryStatus.UNCHECKED)]


@pytest.mark.parametrize(
    ("known", "forbidden", "expected"),
    [
        (True, False, (user_id(1), upn(1), False, DirectoryStatus.CONFIRMED)),
        (False, False, (None, upn(1), False, DirectoryStatus.ABSENT)),
        (True, True, (None, upn(1), False, DirectoryStatus.FORBIDDEN)),
    ],
)
def test_a_name_without_a_record(tenant: LocalGraph, known: bool, forbidden: bool, expected: t.Any) -> None:
    if known:
        tenant.add_unlisted(1)
    tenant.directory_forbidden = forbidden
    assert named(tenant, upn(1)) == [expected]


@pytest.mark.parametrize("mood", ["refuse", "ignore"])
def test_a_deleted_user_is_found_by_name_where_the_filter_does_not_work(tenant: LocalGraph, mood: str) -> None:
    tenant.switches.page_size = 2
    tenant.filters = lambda text: mood if "userPrincipalName" in text else "honour"
    for number in range(9):
        tenant.add(number)
    gone = tenant.add(9, isDeleted=True)
    (target,) = finder_of(tenant).named(parse_selection([upn(9)], "users", RISKY_USERS))
    assert target.id == gone
    assert target.record is not None and target.record.deleted


def test_a_name_of_several_records_is_told_as_such(tenant: LocalGraph) -> None:
    for number in (1, 2):
        tenant.add(number, userPrincipalName="shared@contoso.example")
    tenant.forget(user_id(1), user_id(2))
    assert named(tenant, "shared@contoso.example") == [
        (None, "shared@contoso.example", False, DirectoryStatus.AMBIGUOUS)
    ]


def test_how_the_task_spells_each(tenant: LocalGraph) -> None:
    tenant.add(1)
    tenant.add_unlisted(2)
    values = [
        upn(1).upper(),
        f" {user_id(1)} ",
        upn(2).title(),
        user_id(2),
        user_id(3).upper(),
        "Ghost@contoso.example",
    ]
    targets = finder_of(tenant).named(parse_selection(values, "users", RISKY_USERS))
    assert [target.asked for target in targets] == [values[0], values[2], values[4], values[5]]


def test_a_renamed_user_keeps_both_names(tenant: LocalGraph) -> None:
    key = tenant.add(1, userPrincipalName="old@contoso.example")
    tenant.rename(key, "new@contoso.example")
    (target,) = finder_of(tenant).named(parse_selection(["new@contoso.example", key], "users", RISKY_USERS))
    assert target.name == "new@contoso.example"
    assert target.record is not None and target.record.name == "old@contoso.example"


@pytest.mark.parametrize(
    ("limit", "reads", "found", "truncated"),
    [(None, 3, 6, False), (1, 1, 1, True), (2, 1, 2, True), (3, 2, 3, True), (5, 3, 5, True), (6, 3, 6, False)],
)
def test_a_limit_ends_the_reading(
    tenant: LocalGraph, limit: int | None, reads: int, found: int, truncated: bool
) -> None:
    tenant.switches.page_size = 2
    for number in range(6):
        tenant.add(number)
    resolver = finder_of(tenant)
    resolver.read_list(EVERYBODY, limit)
    assert len(resolver.chosen(EVERYBODY)[:limit]) == found
    assert (tenant.reads, resolver.truncated) == (reads, truncated)


def test_a_record_that_comes_twice_counts_once(tenant: LocalGraph) -> None:
    """Records move between pages while they are read."""
    tenant.switches.page_size = 2
    for number in range(5):
        tenant.add(number)
    records = list(tenant.records.values())
    shown = [records[0], records[1], records[1], records[0], *records[2:]]
    for number in (1, 2, 3):
        page = {"value": shown[2 * number - 2 : 2 * number], "@odata.nextLink": f"{GRAPH}{RISKY}?page={number}"}
        tenant.faults[number] = {"status": 200, "body": page}
    resolver = finder_of(tenant)
    resolver.read_list(EVERYBODY, 3)
    assert [record.id for record in resolver.chosen(EVERYBODY)][:3] == [user_id(number) for number in range(3)]


@pytest.mark.parametrize("refused", ["riskLevel", "riskState"])
def test_a_refused_filter_is_widened_step_by_step(tenant: LocalGraph, refused: str) -> None:
    tenant.filters = lambda text: "refuse" if refused in text else "honour"
    tenant.add(1, level="low")
    tenant.add(2, level="high")
    wanted = _filters.parse({"risk_level": ["low"]}, ("atRisk",), 0)
    assert [target.id for target in finder_of(tenant).filtered(wanted)] == [user_id(1)]
    asked = [query.get("$filter") for dummy, dummy2, query in tenant.log]
    steps = ["riskState eq 'atRisk' and riskLevel eq 'low'", "riskState eq 'atRisk'", None]
    assert asked == steps[: 2 if refused == "riskLevel" else 3]


def test_the_time_of_the_knowledge(tenant: LocalGraph) -> None:
    resolver = finder_of(tenant)
    assert resolver.evaluated_at() is None
    tenant.add(1)
    resolver.filtered(EVERYBODY)
    assert resolver.evaluated_at() == _timestamps.parse("2026-11-22T12:00:00Z")
    tenant.add(2, riskLastUpdatedDateTime="2026-11-22T12:00:00.5Z")
    resolver.filtered(EVERYBODY)
    assert resolver.evaluated_at() == _timestamps.parse("2026-11-22T12:00:00.5Z")
