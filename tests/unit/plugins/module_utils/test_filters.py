from __future__ import annotations

import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import RequestError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.paging import Page
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk import filters as _filters
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.filters import RiskFilter, TimeRange
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import (
    RISK_LEVELS,
    RISK_STATES,
    Record,
)
from ansible_collections.identityops.entra_risk.tests.entra_emulator.odata import Edm, parse_filter

SECOND = _timestamps.TICKS_PER_SECOND
NOW = _timestamps.parse("2026-11-22T12:00:00Z")
DEFAULT = ("atRisk",)
AT_RISK = "riskState eq 'atRisk'"


def record(
    state: str | None = "atRisk", level: str | None = "low", updated: str | None = "2026-11-01T00:00:00Z"
) -> Record:
    return Record("00000000-0000-4000-8000-000000000001", "a@x.example", state, level, updated, False, False)


def holds(text: str, values: dict[str, t.Any]) -> bool:
    """What a `$filter` means, read by the local tenant."""
    kinds = {"riskLastUpdatedDateTime": "time", "detectedDateTime": "time"}
    return parse_filter(text, {name: Edm(kinds.get(name, "string")) for name in values}).matches(values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, ""),
        (dict.fromkeys(("risk_state", "risk_level", "updated_after", "updated_before")), ""),
        ({"risk_level": ["low", "none"]}, " and (riskLevel eq 'low' or riskLevel eq 'none')"),
        ({"updated_after": "2026-01-31T01:00:00+01:00"}, " and riskLastUpdatedDateTime ge 2026-01-31T00:00:00Z"),
        (
            {"updated_after": "2026-01-31T00:00:00.9999999Z", "updated_before": "2026-02-01T00:00:00.0000001Z"},
            " and riskLastUpdatedDateTime ge 2026-01-31T00:00:00Z and riskLastUpdatedDateTime le 2026-02-01T00:00:01Z",
        ),
        ({"updated_before": "90d"}, " and riskLastUpdatedDateTime le 2026-08-24T12:01:00Z"),
        ({"updated_after": "999999w"}, " and riskLastUpdatedDateTime ge 0001-01-01T00:00:00Z"),
        ({"updated_before": "9999-12-31T23:59:59.5Z"}, " and riskLastUpdatedDateTime le 9999-12-31T23:59:59Z"),
    ],
)
def test_what_the_service_is_asked(value: dict[str, t.Any], text: str) -> None:
    wanted = _filters.parse(value, DEFAULT, NOW).at(NOW)
    assert wanted.odata() == f"{AT_RISK}{text}"
    # The part that Microsoft documents is the states alone.
    assert wanted.states_only().odata() == AT_RISK


def test_asks_for_each_state_once() -> None:
    wanted = _filters.parse({"risk_state": ["atRisk", "confirmedCompromised", "atRisk"]}, DEFAULT, NOW)
    assert wanted.odata() == f"({AT_RISK} or riskState eq 'confirmedCompromised')"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"risk_state": []}, "filters.risk_state is an empty list"),
        ({"risk_level": []}, "filters.risk_level is an empty list"),
        ({"risk_state": ["atrisk"]}, "filters.risk_state: 'atrisk' is none of none, confirmedSafe"),
        ({"risk_level": ["unknownFutureValue"]}, "filters.risk_level: 'unknownFutureValue' is none of low, medium"),
        ({"updated_after": "2026-01-31"}, "filters.updated_after: '2026-01-31' is neither"),
        ({"updated_before": "2026-01-31T00:00:00"}, "filters.updated_before"),
        ({"updated_before": "yesterday"}, "30m, 12h, 90d, 8w"),
        ({"updated_before": ""}, "filters.updated_before: an empty text is neither"),
        ({"updated_after": " \n"}, "filters.updated_after: an empty text is neither"),
        ({"updated_after": "1d", "updated_before": "2000-01-01T00:00:00Z"}, "updated_after is not earlier"),
        ({"updated_after": "1d", "updated_before": "2d"}, "updated_after is not earlier than updated_before"),
        ({"updated_after": "1d", "updated_before": "1d"}, "updated_after is not earlier than updated_before"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(value: dict[str, t.Any], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        _filters.parse(value, DEFAULT, NOW)
    assert words in caught.value.message


TICK = "2026-11-01T00:00:00.000000{}Z"
AFTER, BEFORE = (TimeRange(**{end: _timestamps.parse(TICK.format(1))}) for end in ("after", "before"))
EVER = TimeRange(after=0)


# None: it matches nothing, and says that nobody can tell.
@pytest.mark.parametrize(
    ("wanted", "candidate", "matches"),
    [
        (RiskFilter(DEFAULT), record(), True),
        (RiskFilter(DEFAULT), record(updated=None, level=None), True),
        (RiskFilter(DEFAULT), record(state="confirmedCompromised"), False),
        (RiskFilter(DEFAULT), record(state=None), False),
        (RiskFilter(DEFAULT), record(state="atrisk"), False),
        (RiskFilter(DEFAULT, levels=("low",)), record(), True),
        (RiskFilter(DEFAULT, levels=("low",)), record(level="high"), False),
        (RiskFilter(DEFAULT, levels=RISK_LEVELS), record(level=None), False),
        # Both ends stand outside of the range; 100 nanoseconds decide.
        *[(RiskFilter(DEFAULT, updated=AFTER), record(updated=TICK.format(n)), n > 1) for n in (0, 1, 2)],
        *[(RiskFilter(DEFAULT, updated=BEFORE), record(updated=TICK.format(n)), n < 1) for n in (0, 1, 2)],
        (RiskFilter(DEFAULT, updated=TimeRange(0, BEFORE.before)), record(), True),
        (RiskFilter(DEFAULT, updated=TimeRange(0, BEFORE.before)), record(updated="2026-11-02T00:00:00Z"), False),
        # What Graph does not tell, or tells in a way that nobody can read, is in no range.
        (RiskFilter(DEFAULT, updated=EVER), record(updated=None), None),
        (RiskFilter(DEFAULT, updated=TimeRange(before=NOW)), record(updated=None), None),
        (RiskFilter(DEFAULT, updated=TimeRange(before=NOW)), record(updated="long ago"), None),
        (RiskFilter(DEFAULT, updated=EVER), record(state="dismissed", updated=None), False),
    ],
)
def test_the_decision(wanted: RiskFilter, candidate: Record, matches: bool | None) -> None:
    assert wanted.matches(candidate) is bool(matches)
    assert wanted.is_undecided(candidate) is (matches is None)


def test_an_age_counts_back_from_now() -> None:
    wanted = _filters.parse({"updated_before": "30d", "updated_after": "90d"}, DEFAULT, 0).at(NOW)
    assert wanted.updated.before == NOW - 30 * 86_400 * SECOND
    assert wanted.updated.after == NOW - 90 * 86_400 * SECOND


STATES = st.sampled_from([*RISK_STATES, "unknownFutureValue", "AtRisk", None])
LEVELS = st.sampled_from([*RISK_LEVELS, "Low", None])
MOMENTS = st.integers(min_value=NOW - 3 * SECOND, max_value=NOW + 3 * SECOND)
FILTERS = st.builds(
    RiskFilter,
    states=st.lists(st.sampled_from(RISK_STATES), min_size=1, unique=True).map(tuple),
    levels=st.none() | st.lists(st.sampled_from(RISK_LEVELS), min_size=1, unique=True).map(tuple),
    updated=st.builds(TimeRange, after=st.none() | MOMENTS, before=st.none() | MOMENTS),
)


@given(FILTERS, STATES, LEVELS, st.none() | MOMENTS)
@example(RiskFilter(("atRisk",), updated=TimeRange(after=NOW - 1)), "atRisk", None, NOW)
@example(RiskFilter(("atRisk",), updated=TimeRange(before=NOW + 1)), "atRisk", None, NOW)
def test_the_text_never_asks_for_less_than_the_predicate_takes(
    wanted: RiskFilter, state: str | None, level: str | None, updated: int | None
) -> None:
    shown = None if updated is None else _timestamps.render(updated)
    values = {"riskState": state, "riskLevel": level, "riskLastUpdatedDateTime": shown}
    decision = wanted.matches(record(state, level, shown))
    asked_for = holds(wanted.odata(), values)
    assert asked_for or not decision
    assert holds(wanted.states_only().odata(), values) or not decision
    # Beyond that the text may be wider by less than a second at each end, and by nothing else.
    if asked_for and not decision:
        assert updated is not None
        ends = wanted.updated.after, wanted.updated.before
        assert any(end is not None and abs(end - updated) < SECOND for end in ends)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "risk_state": st.lists(st.sampled_from(RISK_STATES), min_size=1),
            "risk_level": st.lists(st.sampled_from(RISK_LEVELS), min_size=1),
            "updated_before": st.from_regex(r"[0-9]{1,6}[mhdw]", fullmatch=True),
        },
    ),
    STATES,
)
def test_leaving_out_the_states_means_the_default_and_nothing_wider(value: dict[str, t.Any], state: str | None) -> None:
    wanted = _filters.parse(value, DEFAULT, NOW).at(NOW)
    if wanted.matches(record(state, "low", "0001-01-02T00:00:00Z")):
        assert state in value.get("risk_state", DEFAULT)


def pages_at(*dates: int | None) -> t.Iterator[Page]:
    return iter([Page(items=(), last=date is dates[-1], date=date) for date in dates])


@pytest.mark.parametrize(
    ("date", "asked"),
    [
        *[(date, [NOW]) for date in (NOW, NOW + 59 * SECOND, None)],
        *[(date, [NOW, date]) for date in (NOW - 61 * SECOND, NOW + 95 * 86_400 * SECOND)],
    ],
)
def test_ages_count_from_the_clock_of_the_service(date: int | None, asked: list[int]) -> None:
    wanted = _filters.parse({"updated_before": "1d"}, DEFAULT, NOW)
    questions: list[RiskFilter] = []

    def read(question: RiskFilter) -> t.Iterator[Page]:
        questions.append(question)
        return pages_at(date, NOW)

    found = list(_filters.pages_by_service_time(wanted, NOW, read))
    assert questions == [wanted.at(now) for now in asked]
    assert [each for each, dummy in found] == [wanted.at(date or NOW)] * 2


def test_an_absolute_time_needs_no_clock() -> None:
    wanted = _filters.parse({"updated_before": "2026-01-01T00:00:00Z"}, DEFAULT, NOW)
    (found, dummy), *dummy2 = _filters.pages_by_service_time(wanted, NOW, lambda dummy: pages_at(0, 1))
    assert found == wanted


RISK = {"riskEventType": "anonymizedIPAddress", "riskLevel": "low", "riskState": "atRisk"}
DETECTION = {**RISK, "detectedDateTime": "2026-11-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("value", "text", "matches"),
    [
        ({}, None, True),
        (
            {"risk_event_type": ["ANONYMIZEDipaddress "]},
            "(riskEventType eq 'anonymizedIPAddress' or riskEventType eq 'ANONYMIZEDipaddress')",
            True,
        ),
        # One that Microsoft added since cannot be asked for in the right letters.
        ({"risk_event_type": ["anonymizedIPAddress", "newerThanThis"]}, None, True),
        ({"risk_event_type": ["leakedCredentials"]}, "riskEventType eq 'leakedCredentials'", False),
        ({"risk_level": ["high"], "risk_state": ["atRisk"]}, "riskLevel eq 'high' and riskState eq 'atRisk'", False),
        ({"detected_after": "2026-11-01T10:00:00Z"}, "detectedDateTime ge 2026-11-01T10:00:00Z", False),
        ({"detected_before": "2026-11-01T10:00:00.5Z"}, "detectedDateTime le 2026-11-01T10:00:01Z", True),
        ({"detected_after": "90d"}, "detectedDateTime ge 2026-08-24T11:59:00Z", True),
    ],
)
def test_filters_of_detections(value: dict[str, t.Any], text: str | None, matches: bool) -> None:
    wanted = _filters.parse_detections(value, NOW).at(NOW)
    assert (wanted.odata(), wanted.matches(DETECTION)) == (text, matches)
    if matches and text:
        assert holds(text, DETECTION)


def test_a_detection_without_a_time_is_in_no_range() -> None:
    wanted = _filters.parse_detections({"detected_after": "90d"}, NOW).at(NOW)
    nameless = {**DETECTION, "detectedDateTime": None}
    assert (wanted.matches(nameless), wanted.is_undecided(nameless)) == (False, True)
    assert not _filters.parse_detections({}, NOW).is_undecided(nameless)
