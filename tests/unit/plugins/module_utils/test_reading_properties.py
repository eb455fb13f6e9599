"""Reading gives what a plain full read and a plain filter would give, for any tenant and any service."""

from __future__ import annotations

import random
import typing as t

from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISK_LEVELS, RISK_STATES
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    KINDS,
    PEOPLE,
    LocalGraph,
    entries,
    upn,
    user_id,
)

ACTIVE = ("atRisk", "confirmedCompromised")
MOODS = ("honour", "ignore", "refuse")
# One before the time that the filters name, that very time, and one after it, 100 nanoseconds apart.
TIMES = ("2026-11-01T00:00:00.0000000Z", "2026-11-01T00:00:00.0000001Z", "2026-11-01T00:00:00.0000002Z")
STATES = st.sampled_from([*RISK_STATES, *ACTIVE, "somethingNew", None])
LEVELS = st.sampled_from([*RISK_LEVELS, "somethingNew", None])
MOMENTS = st.sampled_from([*TIMES, "2026-10-31T23:59:59.5Z", None, "long ago"])


def some(values: t.Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, unique=True)


def plain_filter(what: dict[str, str], times: tuple[str, str, str], filters: dict[str, t.Any], item: t.Any) -> bool:
    """The contract's words on filters, with nothing clever."""
    for key, name in what.items():
        if filters.get(key) is not None and item[name] not in filters[key]:
            return False
    time, after, before = times
    ticks = _timestamps.parse_or_none(item[time])
    if filters.get(after) and (ticks is None or ticks <= _timestamps.parse(filters[after])):
        return False
    return not (filters.get(before) and (ticks is None or ticks >= _timestamps.parse(filters[before])))


def moody(draw: t.Any, properties: t.Sequence[str]) -> t.Callable[[str], str]:
    """A service with a mood of its own for filters that begin with each property."""
    moods = {name: draw(st.sampled_from(MOODS)) for name in properties}
    return lambda text: moods[text.lstrip("(").split()[0]]


@st.composite
def tenants(draw: t.Any) -> LocalGraph:
    kind = draw(st.sampled_from(KINDS))
    tenant = LocalGraph(kind=kind, page_size=draw(st.sampled_from([1, 2, 3, 500])))
    tenant.switches.break_last_page = draw(st.sampled_from([False, False, True]))
    tenant.directory_forbidden = draw(st.booleans())
    for number in range(draw(st.integers(0, 8))):
        more = {} if kind is not PEOPLE else {"isDeleted": draw(st.sampled_from([False, False, True]))}
        tenant.add(number, draw(STATES), draw(LEVELS), riskLastUpdatedDateTime=draw(MOMENTS), **more)
    for number in range(8, 10):
        tenant.add_unlisted(number)
    tenant.filters = moody(draw, ("riskState", "id", "userPrincipalName"))
    return tenant


RISK_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "risk_state": some(RISK_STATES),
        "risk_level": some(RISK_LEVELS),
        "updated_after": st.sampled_from(TIMES[:2]),
        "updated_before": st.just(TIMES[2]),
    },
)


@given(tenants(), st.none() | RISK_FILTERS, st.none() | st.integers(1, 9))
def test_a_filter_gives_what_a_plain_read_gives(
    tenant: LocalGraph, filters: dict[str, t.Any] | None, limit: int | None
) -> None:
    report = tenant.read(filters=filters, limit=limit)
    wanted = {"risk_state": list(ACTIVE), **(filters or {})}
    words = {"risk_state": "riskState", "risk_level": "riskLevel"}
    times = ("riskLastUpdatedDateTime", "updated_after", "updated_before")
    expected = [record for record in tenant.records.values() if plain_filter(words, times, wanted, record)]
    expected.sort(key=lambda record: record[tenant.kind.name_property])
    got = [entry["id"] for entry in entries(report)]
    assert report.error is None
    assert not tenant.bodies and report.data["not_listed"] == []
    if report.data["truncated"]:
        assert set(got) <= {record["id"] for record in expected}
        assert bool(report.warnings) or (limit is not None and len(got) == limit)
    else:
        assert got == [record["id"] for record in expected]
    assert report.data["truncated"] or limit is None or len(expected) <= limit
    assert tenant.switches.break_last_page or report.warnings == ()


@given(tenants(), st.lists(st.tuples(st.integers(0, 11), st.booleans(), st.booleans()), max_size=12))
def test_names_and_ids_give_what_a_plain_read_gives(tenant: LocalGraph, asked: list[tuple[int, bool, bool]]) -> None:
    # Where a list breaks off and nobody else can tell, a record may stay unknown: that is not this test.
    assume(not tenant.switches.break_last_page)
    values = []
    for number, by_name, upper in asked:
        text = upn(number) if by_name and tenant.kind is PEOPLE else user_id(number)
        values.append(text.upper() if upper else text)
    report = tenant.read(users=values)
    first: dict[int, str] = {}
    for (number, dummy, dummy2), text in zip(asked, values):
        first.setdefault(number, text)
    listed = [number for number in first if user_id(number) in tenant.records]
    assert report.error is None
    assert [entry["id"] for entry in entries(report)] == [user_id(number) for number in listed]
    for number, entry in zip(listed, entries(report)):
        record = tenant.records[user_id(number)]
        assert entry["risk_last_updated_date_time"] == record["riskLastUpdatedDateTime"]
        assert (entry["risk_state"], entry["risk_level"]) == (record["riskState"], record["riskLevel"])
    unlisted = {text.casefold() for text in report.data["not_listed"]}
    assert set(report.data["not_listed"]) <= set(values)
    assert {text.casefold() for number, text in first.items() if number not in listed} <= unlisted
    assert report.data["truncated"] is False


TYPES = ("leakedCredentials", "it's new", "unfamiliarFeatures")
DETECTION_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "risk_event_type": some(TYPES),
        "risk_state": some(RISK_STATES),
        "risk_level": some(RISK_LEVELS),
        "detected_after": st.sampled_from(TIMES[:2]),
        "detected_before": st.just(TIMES[2]),
    },
)


@st.composite
def detected(draw: t.Any) -> LocalGraph:
    """Users 0 to 3 with detections, of whom some are gone from the directory, have been renamed, or share a name."""
    tenant = LocalGraph(page_size=draw(st.sampled_from([1, 3, 7, 500])))
    tenant.switches.break_last_page = draw(st.sampled_from([False, False, True]))
    tenant.directory_forbidden = draw(st.booleans())
    for number in range(4):
        if draw(st.booleans()):
            tenant.add_unlisted(number)
    for dummy in range(draw(st.integers(0, 10))):
        number = draw(st.integers(0, 4))
        tenant.add_detection(
            number,
            draw(MOMENTS),
            userId=draw(st.sampled_from([user_id(number), user_id(number).upper(), None])),
            userPrincipalName=draw(st.sampled_from([upn(number), upn(number), upn(0), None])),
            riskEventType=draw(st.sampled_from([*TYPES, None])),
            riskState=draw(STATES),
            riskLevel=draw(LEVELS),
        )
    # Many more of one user, so that a limit has something to save.
    order = draw(st.sampled_from([None, 1, -1, 0]))
    if order is not None:
        tenant.switches.page_size = max(tenant.switches.page_size or 0, 40)
        minutes = list(range(300))[:: order or 1]
        if order == 0:
            random.Random(draw(st.integers(0, 9))).shuffle(minutes)
        for minute in minutes:
            tenant.add_detection(3, f"2026-11-02T{minute // 60:02d}:{minute % 60:02d}:00.1234567Z")
    tenant.filters = moody(
        draw, ("riskEventType", "riskState", "riskLevel", "detectedDateTime", "userId", "userPrincipalName")
    )
    order_mood = draw(st.sampled_from(MOODS))
    # A service that ignores the order and stores the newest first cannot be told from one that sorts. No harm is done.
    tenant.orders = lambda dummy: order_mood
    return tenant


@given(
    detected(),
    st.none() | st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=6),
    st.booleans(),
    st.none() | DETECTION_FILTERS,
    st.none() | st.sampled_from([1, 3, 250]),
)
def test_detections_are_what_a_plain_read_gives(
    tenant: LocalGraph,
    asked: list[tuple[int, bool]] | None,
    crowd: bool,
    filters: dict[str, t.Any] | None,
    limit: int | None,
) -> None:
    users = None
    ids: set[str] = set()
    names: set[str] = set()
    if asked is not None:
        users = [upn(number).title() if by_name else user_id(number) for number, by_name in asked]
        # A crowd that nobody has heard of makes the questions many.
        users += [user_id(number) for number in range(100, 140)] if crowd else []
        for number, by_name in asked:
            known = tenant.in_directory(user_id(number)) and not tenant.directory_forbidden
            (names if by_name and not known else ids).add(upn(number) if by_name and not known else user_id(number))
    report = tenant.detect(users=users, filters=filters, limit=limit)
    words = {"risk_event_type": "riskEventType", "risk_state": "riskState", "risk_level": "riskLevel"}
    times = ("detectedDateTime", "detected_after", "detected_before")
    expected = {
        item["id"]: _timestamps.parse_or_none(item["detectedDateTime"]) or 0
        for item in tenant.detections
        if plain_filter(words, times, filters or {}, item)
        and (users is None or (item["userId"] or "").lower() in ids or item["userPrincipalName"] in names)
    }
    got = [detection["id"] for detection in report.data["risk_detections"]]
    assert report.error is None
    assert set(got) <= expected.keys() and len(set(got)) == len(got)
    newest_first = sorted(expected.values(), reverse=True)
    if not tenant.switches.break_last_page:
        assert [expected[key] for key in got] == newest_first[:limit]
        assert report.data["truncated"] >= (limit is not None and len(expected) > limit)
        assert not report.data["truncated"] or limit is not None
    elif len(got) < min(len(expected), limit or len(expected)):
        assert report.data["truncated"] is True and report.warnings
    by_id = {item["id"]: item for item in tenant.detections}
    for detection in report.data["risk_detections"]:
        stored = by_id[detection["id"]]
        assert detection["detected_date_time"] == stored["detectedDateTime"]
        assert (detection["user_id"], detection["risk_state"]) == (stored["userId"], stored["riskState"])
