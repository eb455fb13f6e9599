from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps

SECOND, HALF = 10_000_000, 5_000_000
# 2024-02-29T12:00:00Z, a leap day.
LEAP_NOON = 1_709_208_000 * SECOND


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59Z", -SECOND),
        *[
            (f"2024-{text}", LEAP_NOON)
            for text in (
                *("02-29T12:00:00Z", "02-29T12:00Z", "02-29t12:00:00z", "02-29 12:00:00 Z", "02-29T12:00:00Z\n"),
                *("02-29T13:30:00+01:30", "02-29T13:30:00+0130", "02-29T14:00:00+02", "03-01T01:00:00+13:00"),
                *("02-29T02:00:00-10:00", "02-29T12:00:00-00:00"),
            )
        ],
        ("  2024-02-29T12:00:00Z\n", LEAP_NOON),
        # Hours of one digit, as Microsoft's log stream writes them.
        ("2024-02-29T9:00:00.5Z", LEAP_NOON - 3 * 3600 * SECOND + HALF),
        ("2024-02-29T9:00Z", LEAP_NOON - 3 * 3600 * SECOND),
        *[(f"2024-02-29T12:00:00{part}5Z", LEAP_NOON + HALF) for part in ".,"],
        ("2024-02-29T12:00:00.0000001Z", LEAP_NOON + 1),
        *[(f"2024-02-29T12:00:00.1234567{more}", LEAP_NOON + 1_234_567) for more in ("Z", "8999Z", "+00:00")],
        ("1969-12-31T23:59:59.9999999Z", -1),
    ],
)
def test_parse(text: str, ticks: int) -> None:
    assert _timestamps.parse(text) == ticks
    assert _timestamps.parse_or_none(text) == ticks


@pytest.mark.parametrize(
    "text",
    ["", "now", "2024-02-29", "2024-02-29T12:00:00", "2023-02-29T12:00:00Z", "2024-13-01T00:00:00Z",
     "2024-02-29T25:00:00Z", "2024-02-29T12:00:60Z", "2024-02-29T12:00:00.Z", "2024-02-29T12:00:00+25:00",
     "2024-02-29T12:00:00Zulu", "2024-02-29T12:00:00Z; drop", "x2024-02-29T12:00:00Z", "0000-01-01T00:00:00Z",
     "24-02-29T12:00:00Z"],
)  # fmt: skip
def test_parse_refuses(text: str) -> None:
    with pytest.raises(ValueError):
        _timestamps.parse(text)
    assert _timestamps.parse_or_none(text) is None


@pytest.mark.parametrize("value", [None, 12, True, [], {}, 1.5])
def test_what_is_no_text_is_no_time(value: object) -> None:
    assert _timestamps.parse_or_none(value) is None


@pytest.mark.parametrize(
    ("ticks", "text"),
    [
        # What no calendar holds is its nearest end: an age may reach back before the year 1, and an offset out of it.
        *[(ticks, "0001-01-01T00:00:00Z") for ticks in (_timestamps.parse("0001-01-01T00:00:00+14:00"), -(10**22))],
        *[(ticks, "9999-12-31T23:59:59Z") for ticks in (_timestamps.parse("9999-12-31T23:59:59-14:00"), 10**22)],
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.0000001Z"),
        (-1, "1969-12-31T23:59:59.9999999Z"),
        (LEAP_NOON, "2024-02-29T12:00:00Z"),
        (LEAP_NOON + 1_234_567, "2024-02-29T12:00:00.1234567Z"),
        (LEAP_NOON + 5_000_000, "2024-02-29T12:00:00.5000000Z"),
    ],
)
def test_render(ticks: int, text: str) -> None:
    assert _timestamps.render(ticks) == text


@given(
    st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)),
    st.integers(min_value=0, max_value=9_999_999),
)
def test_render_and_parse_are_inverse(moment: datetime.datetime, fraction: int) -> None:
    whole = moment.replace(microsecond=0).isoformat()
    ticks = _timestamps.parse(f"{whole}.{fraction:07d}Z")
    assert _timestamps.parse(_timestamps.render(ticks)) == ticks


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("30m", 1800), ("12h", 43_200), ("90d", 7_776_000), ("8w", 4_838_400)],
        *[("0m", 0), (" 1d ", 86_400), ("999999w", 999_999 * 604_800)],
        *[(text, None) for text in ("", "30", "30s", "-1d", "1.5h", "1D", "1 d", "1000000000d", "1d2h")],
    ],
)
def test_parse_age(text: str, seconds: int | None) -> None:
    assert _timestamps.parse_age(text) == seconds


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("Thu, 29 Feb 2024 12:00:00 GMT", LEAP_NOON),
        ("Thu, 29 Feb 2024 13:00:00 +0100", LEAP_NOON),
        # RFC 5322: "-0000" says that the time is UTC and nothing is known of the place.
        ("Thu, 29 Feb 2024 12:00:00 -0000", LEAP_NOON),
        *[(text, None) for text in (None, "", "yesterday", "12", "Fri, 30 Feb 2024 12:00:00 GMT")],
        ("Thu, 29 Feb 99999 12:00:00 GMT", None),
        ("Thu, 29 Feb 2024 12:00:00 +99999999999999999999", None),
    ],
)
def test_parse_http_date(text: str | None, ticks: int | None) -> None:
    assert _timestamps.parse_http_date(text) == ticks


@given(st.text(alphabet="MonTueJanFb 0123456789:+-,GMT.", max_size=40))
def test_no_text_in_a_date_header_breaks_the_reader(text: str) -> None:
    assert isinstance(_timestamps.parse_http_date(text), (int, type(None)))


def test_from_seconds() -> None:
    assert _timestamps.from_seconds(1.5) == 15_000_000
