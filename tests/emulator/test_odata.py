"""The grammar of `$filter`."""

from __future__ import annotations

import typing as t

import pytest

from tests.entra_emulator.odata import ODataError, parse_filter, parse_select
from tests.entra_emulator.resources import RISKY_USERS

PROPERTIES = RISKY_USERS.properties
RECORD: t.Mapping[str, t.Any] = {
    "id": "04487ee0-f4f6-4e7f-8999-facc5a30e232",
    "isDeleted": False,
    "isProcessing": None,
    "riskDetail": None,
    "riskLastUpdatedDateTime": "2026-03-01T12:00:00.0000001Z",
    "riskLevel": "high",
    "riskState": "atRisk",
    "userDisplayName": None,
    "userPrincipalName": "mary.o'hara@contoso.example",
}


def test_a_filter_matches_or_not() -> None:
    for text, expected in (
        ("riskState eq 'atRisk' and riskLevel ne 'low'", True),
        ("riskLevel eq 'low' or isDeleted eq true", False),
        ("not (riskState in ('atRisk'))", False),
        ("userPrincipalName in ('in (''x'')','mary.o''hara@contoso.example')", True),
        ("userPrincipalName eq 'Mary.O''Hara@contoso.example'", False),
        # Times: with and without fraction, with another offset, around the record's own 100 nanoseconds.
        ("riskLastUpdatedDateTime gt 2026-03-01T12:00:00Z", True),
        ("riskLastUpdatedDateTime ge 2026-03-01T12:00:00.0000001Z", True),
        ("riskLastUpdatedDateTime gt 2026-03-01T12:00:00.0000001Z", False),
        ("riskLastUpdatedDateTime le 2026-03-01T13:00:00.0000001+01:00", True),
        ("userDisplayName eq null", True),
        ("userDisplayName gt 'a'", False),
        ("userDisplayName in ('x', null)", True),
    ):
        assert parse_filter(text, PROPERTIES).matches(RECORD) is expected, text


def test_what_is_no_filter_is_refused() -> None:
    for text in (
        "", "riskState", "riskState eq 'atRisk", "riskState eq'atRisk'", "riskState eq 'bogus'",
        "riskState gt 'atRisk'",
        "riskState eq ('atRisk','none')", "riskstate eq 'atRisk'", "a/riskState eq 'atRisk'", "'atRisk' eq riskState",
        "isDeleted eq 'false'", "isDeleted eq 1", "id eq 04487ee0-f4f6-4e7f-8999-facc5a30e232",
        "riskLastUpdatedDateTime gt '2026-03-01T12:00:00Z'", "riskLastUpdatedDateTime gt 2026-03-01T12:00:00",
        "riskLastUpdatedDateTime gt 2026-13-01T12:00:00Z", "riskState in 'atRisk'",
        "startswith(userPrincipalName, 'a')", "unknown(userPrincipalName)", "-1",
    ):  # fmt: skip
        with pytest.raises(ODataError):
            parse_filter(text, PROPERTIES)


def test_a_filter_tells_what_it_names_and_how_long_it_is() -> None:
    parsed = parse_filter("id in ('a','b','c') or riskState eq 'none'", PROPERTIES)
    assert parsed.properties == {"id", "riskState"}
    assert parsed.clauses == 4
    assert parse_filter("id in ('A')", PROPERTIES, ignore_case=True).matches({"id": "a"})


def test_select_names_properties() -> None:
    assert parse_select("id, riskState", PROPERTIES) == ["id", "riskState"]
    for text in ("", "id,", "nothing", "id;riskState"):
        with pytest.raises(ODataError):
            parse_select(text, PROPERTIES)
