from __future__ import annotations

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import (
    EntraRiskError,
    LicenseError,
    RequestError,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.api import RiskApi
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.decisions import parse_selection
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.loader import RecordCache, RecordLoader
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS, Record
from ansible_collections.identityops.entra_risk.tests.entra_emulator import graph
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    RISKY,
    LocalGraph,
    upn,
    user_id,
)


def read(tenant: LocalGraph, *users: str) -> RecordCache:
    cache = RecordCache()
    RecordLoader(RiskApi(tenant.client(), RISKY_USERS), cache).read(parse_selection(users, "users", RISKY_USERS))
    return cache


def test_the_record() -> None:
    tenant = LocalGraph()
    tenant.add(1, id=user_id(1).upper(), isProcessing=True)
    tenant.records[user_id(1)] = tenant.records.pop(user_id(1).upper())
    cache = read(tenant, user_id(1))
    assert cache.records == {
        user_id(1): Record(
            user_id(1), upn(1), "atRisk", "medium", "2026-11-01T10:00:00.1234567Z", deleted=False, processing=True
        )
    }
    assert cache.newest_change == _timestamps.parse("2026-11-01T10:00:00.1234567Z")
    assert cache.first_date == _timestamps.parse("2026-11-22T12:00:00Z")


@pytest.mark.parametrize(
    "nulls", [{}, {"userPrincipalName": "", "riskState": 5, "riskLevel": [], "isDeleted": "true", "isProcessing": 1}]
)
def test_every_property_but_the_id_may_be_missing_or_odd(nulls: dict[str, object]) -> None:
    tenant = LocalGraph()
    tenant.add(1)
    record = tenant.records[user_id(1)]
    record.clear()
    record.update({"id": user_id(1), **nulls})
    assert read(tenant, user_id(1)).records[user_id(1)] == Record(user_id(1), None, None, None, None, False, False)


@pytest.mark.parametrize("junk", [None, "x", 7, {}, {"id": None}, {"id": 7}])
def test_what_has_no_id_in_a_list_is_no_record(junk: object) -> None:
    tenant = LocalGraph()
    tenant.add(1)
    api = RiskApi(tenant.client(), RISKY_USERS)
    page = next(api.pages(None))
    assert [record.id for record in api.records(page)] == [user_id(1)]
    assert api.records(type(page)(items=[junk], last=True)) == []


def test_only_the_needed_properties_are_asked_for() -> None:
    tenant = LocalGraph()
    read(tenant, *[user_id(number) for number in range(40)])
    assert tenant.log[0][2] == {
        "$select": "id,userPrincipalName,riskState,riskLevel,riskLastUpdatedDateTime,isDeleted,isProcessing",
        "$top": "500",
        "$filter": "riskState eq 'atRisk' or riskState eq 'confirmedCompromised'",
    }


def test_one_user_is_asked_for_directly() -> None:
    tenant = LocalGraph()
    assert read(tenant, user_id(1)).records == {}
    assert [(method, path) for method, path, dummy in tenant.log] == [("GET", f"{RISKY}/{user_id(1)}")]


def test_a_quote_in_a_name_stays_inside_of_its_literal() -> None:
    tenant = LocalGraph()
    name = "o'neil' or riskState eq 'x@contoso.example".replace(" ", "_")
    tenant.add(1, userPrincipalName=name)
    assert read(tenant, name).named(name)[0].id == user_id(1)
    assert tenant.reads == 1


def test_long_names_keep_the_filter_short() -> None:
    tenant = LocalGraph(page_size=1)
    names = [f"{'x' * 110}{number}@contoso.example" for number in range(12)]
    for number in range(100):
        tenant.add(number)
    for number, name in enumerate(names, 200):
        tenant.add(number, "dismissed", userPrincipalName=name)
    cache = read(tenant, *names)
    assert all(cache.named(name) for name in names)
    asked = [query["$filter"] for dummy, dummy2, query in tenant.log if "userPrincipalName" in query.get("$filter", "")]
    assert max(map(len, asked)) < 1500


def test_what_is_known_of_names_and_times() -> None:
    cache = RecordCache()
    old = Record(user_id(1), "old@x.example", "atRisk", "low", None, False, False)
    cache.add([old], None)
    cache.add([], 5)
    cache.add([old], 7)
    assert cache.first_date == 5
    assert cache.named("OLD@x.example") == [old]
    assert cache.named("old@x.example", deleted=True) == []
    assert cache.newest_change is None


@pytest.mark.parametrize("status", [403, 404, 501])
def test_a_list_that_fails_otherwise_than_by_its_filter_is_an_error(status: int) -> None:
    tenant = LocalGraph(every={"riskyUsers": status})
    with pytest.raises(EntraRiskError) as caught:
        read(tenant, *[user_id(number) for number in range(40)])
    assert caught.value.status == status
    assert tenant.reads == 1


def test_a_tenant_without_license_is_no_refused_filter() -> None:
    body = '{"error": {"code": "Forbidden", "message": "Your tenant is not licensed for this feature."}}'
    tenant = LocalGraph(every={"riskyUsers": (400, body)})
    with pytest.raises(LicenseError):
        read(tenant, *[user_id(number) for number in range(40)])


def test_a_list_of_everything_that_is_refused_is_an_error() -> None:
    tenant = LocalGraph(every={"riskyUsers": 400})
    with pytest.raises(RequestError):
        read(tenant, *[user_id(number) for number in range(40)])


def test_a_name_filter_that_fails_otherwise_is_an_error() -> None:
    tenant = LocalGraph(faults={1: 404})
    with pytest.raises(RequestError):
        read(tenant, upn(1))


def test_a_list_that_broke_off_is_not_complete() -> None:
    tenant = LocalGraph(page_size=2)
    for number in range(6):
        tenant.add(number, "dismissed")
    # The list of the active ones is empty; that of everybody breaks off after its first page.
    tenant.faults = {3: 400}
    cache = read(tenant, *[user_id(number) for number in range(6)], *[user_id(number) for number in range(90, 130)])
    assert not cache.complete
    assert set(cache.records) == {user_id(number) for number in range(6)}


def test_reading_on_for_a_name_ends_with_the_lists() -> None:
    tenant = LocalGraph(filters=lambda dummy: "refuse", page_size=1)
    for number in range(5):
        tenant.add(number)
    cache = RecordCache()
    reader = RecordLoader(RiskApi(tenant.client(), RISKY_USERS), cache)
    reader.read(parse_selection([upn(4), upn(9)], "users", RISKY_USERS))
    assert reader.read_on(upn(9)) is True
    assert cache.named(upn(4)) and not cache.named(upn(9))
    assert cache.complete
    assert reader.read_on(upn(9)) is False


def test_a_filter_that_is_understood_in_part_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes only the first clause, and says nothing."""
    whole = graph.parse_filter
    monkeypatch.setattr(
        graph, "parse_filter", lambda text, *rest, **more: whole(text.partition(" or ")[0], *rest, **more)
    )
    tenant = LocalGraph(page_size=2)
    ids = [tenant.add(number) for number in range(5)]
    assert set(read(tenant, *ids).records) == set(ids)


def test_what_a_filter_leaves_out_is_borne_out_once() -> None:
    tenant = LocalGraph(page_size=1)
    for number in range(200):
        tenant.add(number)
    nobody = [user_id(number) for number in range(1000, 1060)]
    read(tenant, *nobody)
    asked = [path.rpartition("/")[2] for dummy, path, dummy2 in tenant.log]
    assert [key for key in asked if key in nobody] == nobody[:1]
    # Four pages, then four filters of 15 ids each, and the one question.
    assert len(asked) <= 9
