from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import RequestError
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk import detection_filters as _detection_filter
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.detection_filters import DetectionFilter
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.filters import TimeRange
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISK_LEVELS, RISK_STATES
from ansible_collections.identityops.entra_risk.tests.entra_emulator.odata import parse_filter
from ansible_collections.identityops.entra_risk.tests.entra_emulator.resources import RISK_DETECTIONS

NOW = _timestamps.parse("2026-11-22T12:00:00Z")
SECOND = _timestamps.TICKS_PER_SECOND


def detection(**more: t.Any) -> dict[str, t.Any]:
    return {
        "riskEventType": "leakedCredentials",
        "riskLevel": "high",
        "riskState": "atRisk",
        "detectedDateTime": "2026-11-01T00:00:00.0000001Z",
        **more,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, None),
        ({"risk_event_type": None, "risk_level": None, "risk_state": None, "detected_after": None}, None),
        ({"detected_after": " ", "detected_before": ""}, None),
        ({"risk_event_type": ["leakedCredentials"]}, "riskEventType eq 'leakedCredentials'"),
        ({"risk_event_type": ["it's new"]}, "riskEventType eq 'it''s new'"),
        (
            {"risk_level": ["low", "high", "low"], "risk_state": ["atRisk"]},
            "(riskLevel eq 'low' or riskLevel eq 'high') and riskState eq 'atRisk'",
        ),
        (
            {"detected_after": "2d", "detected_before": "2026-11-22T00:00:00.0000001Z"},
            "detectedDateTime ge 2026-11-20T12:00:00Z and detectedDateTime le 2026-11-22T00:00:01Z",
        ),
    ],
)
def test_what_the_service_is_asked(value: dict[str, t.Any], text: str | None) -> None:
    assert _detection_filter.parse(value, NOW).odata() == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"risk_event_type": []}, "filters.risk_event_type is an empty list"),
        ({"risk_level": []}, "filters.risk_level is an empty list"),
        ({"risk_state": []}, "filters.risk_state is an empty list"),
        ({"risk_level": ["High"]}, "filters.risk_level: 'High' is none of low"),
        ({"risk_state": ["active"]}, "filters.risk_state: 'active' is none of none"),
        ({"detected_after": "2026-01-31"}, "filters.detected_after: '2026-01-31' is neither"),
        ({"detected_before": "last week"}, "filters.detected_before: 'last week' is neither"),
        ({"detected_after": "1d", "detected_before": "2d"}, "detected_after is not earlier than detected_before"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(value: dict[str, t.Any], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        _detection_filter.parse(value, NOW)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("value", "candidate", "matches"),
    [
        ({}, {}, True),
        ({"risk_event_type": ["leakedCredentials", "other"]}, detection(), True),
        ({"risk_event_type": ["leakedcredentials"]}, detection(), False),
        ({"risk_event_type": ["leakedCredentials"]}, detection(riskEventType=None), False),
        ({"risk_level": ["high"]}, detection(riskLevel="low"), False),
        ({"risk_level": ["none"]}, detection(riskLevel=None), False),
        ({"risk_state": ["atRisk"], "risk_level": ["high"]}, detection(), True),
        ({"risk_state": ["atRisk"], "risk_level": ["low"]}, detection(), False),
        # Both ends stand outside of the range; 100 nanoseconds decide.
        ({"detected_after": "2026-11-01T00:00:00.0000000Z"}, detection(), True),
        ({"detected_after": "2026-11-01T00:00:00.0000001Z"}, detection(), False),
        ({"detected_before": "2026-11-01T00:00:00.0000001Z"}, detection(), False),
        ({"detected_before": "2026-11-01T00:00:00.0000002Z"}, detection(), True),
        ({"detected_after": "999999w"}, detection(detectedDateTime=None), False),
        ({"detected_after": "999999w"}, detection(detectedDateTime="long ago"), False),
    ],
)
def test_the_decision(value: dict[str, t.Any], candidate: dict[str, t.Any], matches: bool) -> None:
    assert _detection_filter.parse(value, NOW).matches(candidate) is matches


TYPES = st.sampled_from(["leakedCredentials", "it's new", "unfamiliarFeatures", "riskState eq 'atRisk'"])
MOMENTS = st.integers(min_value=NOW - 3 * SECOND, max_value=NOW + 3 * SECOND)
VALUES = {
    "riskEventType": TYPES,
    "riskLevel": st.sampled_from(RISK_LEVELS),
    "riskState": st.sampled_from(RISK_STATES),
}
FILTERS = st.builds(
    DetectionFilter,
    values=st.fixed_dictionaries(
        {},
        optional={name: st.lists(one, min_size=1, unique=True).map(tuple) for name, one in VALUES.items()},
    ),
    detected=st.builds(TimeRange, after=st.none() | MOMENTS, before=st.none() | MOMENTS),
)


@given(FILTERS, st.fixed_dictionaries({name: one | st.none() for name, one in VALUES.items()}), st.none() | MOMENTS)
def test_the_text_never_asks_for_less_than_the_predicate_takes(
    wanted: DetectionFilter, values: dict[str, t.Any], detected: int | None
) -> None:
    candidate = {**values, "detectedDateTime": None if detected is None else _timestamps.render(detected)}
    text = wanted.odata()
    if wanted.matches(candidate):
        assert text is None or parse_filter(text, RISK_DETECTIONS.properties).matches(candidate)
