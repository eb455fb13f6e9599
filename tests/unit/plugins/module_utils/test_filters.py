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
        ({}, "riskState eq 'atRisk'"),
        (
            {"risk_state": None, "risk_level": None, "updated_after": None, "updated_before": None},
            "riskState eq 'atRisk'",
        ),
        (
            {"risk_state": ["atRisk", "confirmedCompromised", "atRisk"]},
            "(riskState eq 'atRisk' or riskState eq 'confirmedCompromised')",
        ),
        ({"risk_level": ["low", "none"]}, "riskState eq 'atRisk' and (riskLevel eq 'low' or riskLevel eq 'none')"),
        (
            {"updated_after": "2026-01-31T01:00:00+01:00"},
            "riskState eq 'atRisk' and riskLastUpdatedDateTime ge 2026-01-31T00:00:00Z",
        ),
        (
            {"updated_after": "2026-01-31T00:00:00.9999999Z", "updated_before": "2026-02-01T00:00:00.0000001Z"},
            "riskState eq 'atRisk' and riskLastUpdatedDateTime ge 2026-01-31T00:00:00Z "
            "and riskLastUpdatedDateTime le 2026-02-01T00:00:01Z",
        ),
        ({"updated_before": "90d"}, "riskState eq 'atRisk' and riskLastUpdatedDateTime le 2026-08-24T12:01:00Z"),
        ({"updated_after": "999999w"}, "riskState eq 'atRisk' and riskLastUpdatedDateTime ge 0001-01-01T00:00:00Z"),
        (
            {"updated_before": "9999-12-31T23:59:59.5Z"},
            "riskState eq 'atRisk' and riskLastUpdatedDateTime le 9999-12-31T23:59:59Z",
        ),
    ],
)
def test_what_the_service_is_asked(value: dict[str, t.Any], text: str) -> None:
    assert _filters.parse(value, DEFAULT, NOW).at(NOW).odata() == text


def test_the_documented_part_is_the_states_alone() -> None:
    wanted = _filters.parse({"risk_level": ["low"], "updated_before": "1d"}, DEFAULT, NOW)
    assert wanted.states_only().odata() == "riskState eq 'atRisk'"


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


AFTER = _timestamps.parse("2026-11-01T00:00:00.0000001Z")


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
        (RiskFilter(DEFAULT, updated=TimeRange(after=AFTER)), record(updated="2026-11-01T00:00:00.0000000Z"), False),
        (RiskFilter(DEFAULT, updated=TimeRange(after=AFTER)), record(updated="2026-11-01T00:00:00.0000001Z"), False),
        (RiskFilter(DEFAULT, updated=TimeRange(after=AFTER)), record(updated="2026-11-01T00:00:00.0000002Z"), True),
        (RiskFilter(DEFAULT, updated=TimeRange(before=AFTER)), record(updated="2026-11-01T00:00:00.0000000Z"), True),
        (RiskFilter(DEFAULT, updated=TimeRange(before=AFTER)), record(updated="2026-11-01T00:00:00.0000001Z"), False),
        (RiskFilter(DEFAULT, updated=TimeRange(0, AFTER)), record(updated="2026-11-01T00:00:00Z"), True),
        (RiskFilter(DEFAULT, updated=TimeRange(0, AFTER)), record(updated="2026-11-02T00:00:00Z"), False),
        # What Graph does not tell, or tells in a way that nobody can read, is in no range.
        (RiskFilter(DEFAULT, updated=TimeRange(after=0)), record(updated=None), False),
        (RiskFilter(DEFAULT, updated=TimeRange(before=NOW)), record(updated=None), False),
        (RiskFilter(DEFAULT, updated=TimeRange(before=NOW)), record(updated="long ago"), False),
    ],
)
def test_the_decision(wanted: RiskFilter, candidate: Record, matches: bool) -> None:
    assert wanted.matches(candidate) is matches


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
        near = [
            end
            for end in (wanted.updated.after, wanted.updated.before)
            if end is not None and abs(end - updated) < SECOND
        ]
        assert near


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


@pytest.mark.parametrize(
    ("wanted", "candidate", "undecided"),
    [
        (RiskFilter(DEFAULT, updated=TimeRange(before=NOW)), record(updated="long ago"), True),
        (RiskFilter(DEFAULT, updated=TimeRange(after=0)), record(updated=None), True),
        (RiskFilter(DEFAULT, updated=TimeRange(after=0)), record(), False),
        (RiskFilter(DEFAULT), record(updated=None), False),
        (RiskFilter(DEFAULT, updated=TimeRange(after=0)), record(state="dismissed", updated=None), False),
    ],
)
def test_a_time_that_cannot_be_read_is_told(wanted: RiskFilter, candidate: Record, undecided: bool) -> None:
    assert wanted.is_undecided(candidate) is undecided


def pages_at(*dates: int | None) -> t.Iterator[Page]:
    return iter([Page(items=(), last=date is dates[-1], date=date) for date in dates])


@pytest.mark.parametrize(
    ("date", "asked"),
    [
        (NOW, [NOW]),
        (NOW + 59 * SECOND, [NOW]),
        (NOW - 61 * SECOND, [NOW, NOW - 61 * SECOND]),
        (NOW + 95 * 86_400 * SECOND, [NOW, NOW + 95 * 86_400 * SECOND]),
        (None, [NOW]),
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


DETECTION = {
    "riskEventType": "anonymizedIPAddress",
    "riskLevel": "low",
    "riskState": "atRisk",
    "detectedDateTime": "2026-11-01T10:00:00Z",
}


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


@pytest.mark.parametrize("limit", [0, -1])
def test_rejects_a_limit_below_one(limit: int) -> None:
    with pytest.raises(RequestError, match="limit is"):
        _filters.parse_limit({"limit": limit})
