from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.detections import USER_DETECTIONS
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import (
    RISKY_SERVICE_PRINCIPALS,
    RISKY_USERS,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.snake_case import (
    snake_case,
    with_snake_case,
)

NAMES = sorted({*USER_DETECTIONS.properties, *RISKY_USERS.properties, *RISKY_SERVICE_PRINCIPALS.properties})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id", "id"), ("riskState", "risk_state"), ("riskLastUpdatedDateTime", "risk_last_updated_date_time"),
        ("ipAddress", "ip_address"), ("countryOrRegion", "country_or_region"),
        # Names that nobody knows yet.
        ("riskIPAddress", "risk_ip_address"), ("IPAddress", "ip_address"), ("userID", "user_id"), ("Key", "key"),
        ("v2Score", "v2_score"), ("SAML2Token", "saml2_token"), ("already_there", "already_there"), ("", ""),
    ],
)  # fmt: skip
def test_names(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_names_stay_apart() -> None:
    assert len({snake_case(name) for name in NAMES}) == len(NAMES)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", snake_case(name)) for name in NAMES)


def test_keys_inside_change_and_values_do_not() -> None:
    value = {
        "riskState": "atRisk",
        "activity": {"detail": None, "riskEventTypes": ["unfamiliarFeatures", {"innerKey": "innerValue"}]},
        "additionalInfo": '[{"Key":"userAgent","Value":"Mozilla/5.0"}]',
    }
    assert with_snake_case(value) == {
        "risk_state": "atRisk",
        "activity": {"detail": None, "risk_event_types": ["unfamiliarFeatures", {"inner_key": "innerValue"}]},
        "additional_info": '[{"Key":"userAgent","Value":"Mozilla/5.0"}]',
    }


def test_annotations_of_odata_are_left_out() -> None:
    value = {"@odata.context": "https://x", "riskLevel@odata.type": "#String", "a": [{"@odata.etag": "W/1", "b": 1}]}
    assert with_snake_case(value) == {"a": [{"b": 1}]}


@given(st.from_regex(r"[a-z]+([A-Z][a-z0-9]+){0,4}", fullmatch=True))
def test_the_words_of_a_name_can_be_told_again(name: str) -> None:
    head, *rest = snake_case(name).split("_")
    assert head + "".join(word.capitalize() for word in rest) == name
