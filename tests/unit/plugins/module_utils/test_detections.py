"""Reading detections, against a tenant in memory."""

from __future__ import annotations

import json
import math
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import CredentialsError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.client import GraphClient
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import read_detections as _detections
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    DETECTIONS,
    LOST,
    NOTHING_TO_READ,
    LocalGraph,
    upn,
    user_id,
)

KEYS = {"changed", "risk_detections", "count", "truncated", "evaluated_at", "requests"}
MOODS: dict[str, t.Callable[[str], str]] = {
    "all honoured": lambda dummy: "honour",
    "all ignored": lambda dummy: "ignore",
    "all refused": lambda dummy: "refuse",
    "users ignored": lambda text: "ignore" if text.startswith("user") else "honour",
    "users refused": lambda text: "refuse" if text.startswith("user") else "honour",
    "all but users ignored": lambda text: "honour" if text.startswith("user") else "ignore",
    "all but users refused": lambda text: "honour" if text.startswith("user") else "refuse",
}


@pytest.fixture
def tenant() -> LocalGraph:
    return LocalGraph()


def check(report: ModuleResult) -> ModuleResult:
    """What holds for every report."""
    assert report.data.keys() == KEYS
    assert report.data["changed"] is False
    assert report.data["count"] == len(report.data["risk_detections"])
    assert report.data["requests"]["write_request_ids"] == []
    assert json.loads(json.dumps(report.data)) == report.data
    return report


def ids(report: ModuleResult) -> list[str]:
    return [detection["id"] for detection in check(report).data["risk_detections"]]


def kind(report: ModuleResult) -> str | None:
    return report.error.kind if report.error else None


def moment(number: int) -> str:
    """Times that grow with the number."""
    return f"2026-11-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00.0000001Z"


def many(tenant: LocalGraph, count: int, users: int = 1) -> list[str]:
    """Detections of some users in turns, the oldest first."""
    return [tenant.add_detection(number % users, moment(number)) for number in range(count)]


# What comes back


def test_everything_comes_back_as_graph_wrote_it(tenant: LocalGraph) -> None:
    more = {
        "userDisplayName": None,
        "riskDetail": "hidden",
        "source": "IdentityProtection",
        "detectionTimingType": "somethingNew",
        "activity": "signin",
        "tokenIssuerType": "AzureAD",
        "ipAddress": "203.0.113.7",
        "location": {"city": None, "countryOrRegion": "NL", "geoCoordinates": {"latitude": 52.1}},
        "activityDateTime": "2026-11-01T09:59:58.7654321Z",
        "requestId": "r",
        "correlationId": None,
        "additionalInfo": '[{"Key":"userAgent","Value":"Mozilla/5.0"}]',
    }
    tenant.add_detection(1, "2026-11-01T10:00:00.1234567Z", **more)
    report = check(tenant.detect())
    assert report.error is None and report.warnings == ()
    assert report.message == "Found 1 risk detection."
    assert report.data["risk_detections"] == [
        {
            "id": "detection-0",
            "user_id": user_id(1),
            "user_principal_name": upn(1),
            "user_display_name": None,
            "risk_event_type": "unfamiliarFeatures",
            "risk_state": "atRisk",
            "risk_level": "medium",
            "risk_detail": "hidden",
            "source": "IdentityProtection",
            "detection_timing_type": "somethingNew",
            "activity": "signin",
            "token_issuer_type": "AzureAD",
            "ip_address": "203.0.113.7",
            "location": {"city": None, "country_or_region": "NL", "geo_coordinates": {"latitude": 52.1}},
            "activity_date_time": "2026-11-01T09:59:58.7654321Z",
            "detected_date_time": "2026-11-01T10:00:00.1234567Z",
            "last_updated_date_time": "2026-11-01T10:00:00.1234567Z",
            "request_id": "r",
            "correlation_id": None,
            "additional_info": '[{"Key":"userAgent","Value":"Mozilla/5.0"}]',
        }
    ]
    assert report.data["evaluated_at"] == "2026-11-22T12:00:00Z"
    assert report.data["truncated"] is False


def test_what_graph_leaves_out_is_null(tenant: LocalGraph) -> None:
    tenant.detections = [{"id": "d", "detectedDateTime": None}]
    (detection,) = check(tenant.detect()).data["risk_detections"]
    assert len(detection) == 20
    assert {key for key, value in detection.items() if value is not None} == {"id"}


@pytest.mark.parametrize("junk", [None, "x", 7, [], {}, {"id": None}, {"id": 7}])
def test_what_has_no_id_is_no_detection(tenant: LocalGraph, junk: t.Any) -> None:
    tenant.add_detection(1)
    tenant.every = {DETECTIONS: (200, json.dumps({"value": [*tenant.detections, junk]}))}
    assert ids(tenant.detect()) == ["detection-0"]


def test_the_beta_version_has_more_to_ask_for(tenant: LocalGraph) -> None:
    tenant.add_detection(1, riskType="leakedCredentials", mitreTechniqueId="T1078")
    (detection,) = check(tenant.detect(api_version="beta")).data["risk_detections"]
    assert (detection["risk_type"], detection["mitre_technique_id"]) == ("leakedCredentials", "T1078")
    assert tenant.log[0][1] == "/beta/riskDetections"


def test_the_present_version_shows_what_comes_and_nothing_more(tenant: LocalGraph) -> None:
    tenant.add_detection(1)
    (detection,) = check(tenant.detect()).data["risk_detections"]
    assert detection.keys().isdisjoint({"risk_type", "mitre_technique_id"})
    shown = {**tenant.detections[0], "riskType": "leakedCredentials"}
    tenant.every = {DETECTIONS: (200, json.dumps({"value": [shown]}))}
    assert "leakedCredentials" in [item.get("risk_type") for item in tenant.detect().data["risk_detections"]]
    assert tenant.log[0][1] == DETECTIONS
    assert "$select" not in tenant.log[0][2]


def test_the_beta_version_shows_all_that_it_has_as_null(tenant: LocalGraph) -> None:
    tenant.add_detection(1, riskType=None, mitreTechniqueId=None)
    (detection,) = check(tenant.detect(api_version="beta")).data["risk_detections"]
    assert detection["risk_type"] is None and detection["mitre_technique_id"] is None


def test_the_newest_change_may_be_newer_than_the_clock_of_the_answer(tenant: LocalGraph) -> None:
    tenant.add_detection(1, lastUpdatedDateTime="2026-11-22T12:00:00.5Z")
    assert check(tenant.detect()).data["evaluated_at"] == "2026-11-22T12:00:00.5000000Z"


def test_newest_first(tenant: LocalGraph) -> None:
    many(tenant, 3)
    tenant.add_detection(1, None)
    tenant.add_detection(1, "long ago")
    assert ids(tenant.detect())[:3] == ["detection-2", "detection-1", "detection-0"]


def test_listing_6000_detections_takes_12_requests(tenant: LocalGraph) -> None:
    many(tenant, 6000)
    report = check(tenant.detect())
    assert report.data["count"] == 6000
    assert report.data["requests"]["sent"] == len(tenant.log) == 12


# Filters


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("page_size", [2, 500])
@pytest.mark.parametrize("users", [None, [user_id(1)], [upn(1), user_id(2).upper()], [*map(user_id, range(40))]])
def test_filters_of_the_service_change_no_answer(
    tenant: LocalGraph, mood: str, page_size: int, users: list[str] | None
) -> None:
    tenant.switches.page_size = page_size
    for number in (1, 2, 3):
        tenant.add_unlisted(number)
        for level in ("low", "high", None):
            for kind_of_risk in ("leakedCredentials", "unfamiliarFeatures"):
                minute = len(tenant.detections)
                tenant.add_detection(number, moment(minute), riskLevel=level, riskEventType=kind_of_risk)
    filters = {"risk_level": ["high"], "detected_after": moment(2)}
    expected = ids(tenant.detect(users=users, filters=filters))
    assert len(expected) == {None: 5, 1: 1, 2: 3, 40: 5}[users and len(users)]
    tenant.filters = MOODS[mood]
    report = tenant.detect(users=users, filters=filters)
    assert ids(report) == expected
    assert report.data["truncated"] is False


def test_an_empty_list_of_users_needs_no_request(tenant: LocalGraph) -> None:
    tenant.add_detection(1)
    report = check(tenant.detect(users=[], filters={"risk_level": ["low"]}))
    assert report.error is None
    assert report.data["risk_detections"] == []
    assert report.data["evaluated_at"] is None
    assert tenant.log == []


@pytest.mark.parametrize(
    ("params", "expected", "words"),
    [
        ({"limit": 0}, "request", "limit is 0"),
        ({"limit": -1}, "request", "limit is -1"),
        ({"users": ["adele"]}, "users", "users: 'adele'"),
        ({"filters": {"risk_event_type": []}}, "request", "filters.risk_event_type is an empty list"),
        ({"filters": {"detected_after": "soon"}}, "request", "filters.detected_after: 'soon'"),
    ],
)
def test_what_makes_no_sense_fails_before_anything_is_sent(params: dict[str, t.Any], expected: str, words: str) -> None:
    def connect() -> GraphClient:
        raise AssertionError("nothing may be connected")

    report = check(_detections.read({**NOTHING_TO_READ, **params}, connect=connect))
    assert kind(report) == expected
    assert words in report.message
    assert report.data["truncated"] is True


def test_a_connection_that_cannot_be_set_up_gives_a_full_result() -> None:
    def connect() -> GraphClient:
        raise CredentialsError("No credential.")

    report = check(_detections.read(NOTHING_TO_READ, connect=connect))
    assert kind(report) == "credentials"
    assert report.data["evaluated_at"] is None


# Users


def test_one_user_is_one_question(tenant: LocalGraph) -> None:
    many(tenant, 1200, users=600)
    assert ids(tenant.detect(users=[user_id(7).upper()])) == ["detection-607", "detection-7"]
    assert [query["$filter"] for dummy, dummy2, query in tenant.log] == [f"userId eq '{user_id(7)}'"]


def test_a_name_is_looked_up_since_detections_keep_the_old_one(tenant: LocalGraph) -> None:
    tenant.add_unlisted(1, "new@contoso.example")
    tenant.add_detection(1, moment(1), userPrincipalName="old@contoso.example")
    tenant.add_detection(1, moment(2), userPrincipalName="new@contoso.example")
    # Somebody else had the name before.
    tenant.add_detection(2, moment(3), userPrincipalName="new@contoso.example")
    report = tenant.detect(users=["New@contoso.example"])
    assert ids(report) == ["detection-1", "detection-0"]
    assert report.warnings == ()
    assert (tenant.look_ups, tenant.reads) == (1, 1)


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("page_size", [1, 500])
@pytest.mark.parametrize("more", [0, 40])
@pytest.mark.parametrize("forbidden", [False, True])
def test_without_the_directory_the_name_of_the_time_counts(
    tenant: LocalGraph, mood: str, page_size: int, more: int, forbidden: bool
) -> None:
    """Whatever way they are read, those under that very name come back, and no others."""
    tenant.filters, tenant.switches.page_size, tenant.directory_forbidden = MOODS[mood], page_size, forbidden
    tenant.add_detection(1, moment(1), userPrincipalName="Gone@contoso.example")
    tenant.add_detection(1, moment(2), userPrincipalName="older@contoso.example")
    tenant.add_detection(2, moment(3), userPrincipalName="Gone@contoso.example")
    tenant.add_detection(3, moment(4), userId=None, userPrincipalName="Gone@contoso.example")
    tenant.add_detection(4, moment(5), userId=None)
    tenant.add_detection(5, moment(6), userId=None, userPrincipalName=None)
    report = tenant.detect(users=["gone@Contoso.example", *map(user_id, range(100, 100 + more))])
    assert ids(report) == ["detection-3", "detection-2", "detection-0"]
    (warning,) = report.warnings
    assert ("User.Read.All" in warning) == forbidden
    assert "gone@Contoso.example" in warning


def test_a_service_that_minds_the_case_of_names_hides_nothing(tenant: LocalGraph) -> None:
    tenant.directory_forbidden = True
    tenant.add_detection(1, moment(1), userPrincipalName="adele@contoso.example")
    tenant.add_detection(1, moment(2), userPrincipalName="Adele@Contoso.example")
    assert ids(tenant.detect(users=["ADELE@contoso.example"])) == ["detection-1", "detection-0"]
    assert ids(tenant.detect(users=["adele@contoso.example"])) == ["detection-1", "detection-0"]


def test_a_directory_that_fails_is_an_error(tenant: LocalGraph) -> None:
    tenant.every = {upn(1): 404, upn(2): LOST}
    assert kind(tenant.detect(users=[upn(1)])) is None
    assert kind(tenant.detect(users=[upn(2)])) == "network"


# How many requests


@pytest.mark.parametrize("asked", [1, 2, 15, 16, 31, 100])
@pytest.mark.parametrize("page_size", [5, 40, 500])
@pytest.mark.parametrize("old", [5, 100, 300])
def test_many_users_cost_at_most_twice_the_cheaper_way(
    tenant: LocalGraph, asked: int, page_size: int, old: int
) -> None:
    """Three detections a user, of which not all may be wanted."""
    tenant.switches.page_size = page_size
    many(tenant, 300, users=100)
    report = tenant.detect(users=[*map(user_id, range(asked))], filters={"detected_before": moment(old)})
    assert len(ids(report)) == sum(number % 100 < asked for number in range(old))
    # Times are asked for in whole seconds, which brings one more.
    by_list = math.ceil(min(old + 1, 300) / page_size)
    by_user = sum(math.ceil(3 * min(15, asked - first) / page_size) for first in range(0, asked, 15))
    assert tenant.reads <= 2 * min(by_list, by_user)


@pytest.mark.parametrize("mood", MOODS)
def test_a_bad_filter_costs_little_more_than_the_whole_list(tenant: LocalGraph, mood: str) -> None:
    tenant.switches.page_size, tenant.filters = 40, MOODS[mood]
    many(tenant, 400, users=200)
    assert len(ids(tenant.detect(users=[*map(user_id, range(100))]))) == 200
    # Seven questions would do. Those that are refused or have no answer end that way at once.
    assert tenant.reads <= (2 * 7 if "users" not in mood or mood.startswith("all but") else 10 + 1) + 2


# Limits


@pytest.mark.parametrize("order", ["honour", "ignore", "refuse"])
@pytest.mark.parametrize("stored", [1, -1])
@pytest.mark.parametrize("limit", [1, 10, 120, 299, 300, 301])
@pytest.mark.parametrize("page_size", [50, 500])
def test_a_limit_is_for_the_newest(tenant: LocalGraph, order: str, stored: int, limit: int, page_size: int) -> None:
    tenant.orders, tenant.switches.page_size = lambda dummy: order, page_size
    newest_first = many(tenant, 300)[::-1]
    tenant.detections = tenant.detections[::stored]
    report = tenant.detect(limit=limit)
    assert ids(report) == newest_first[:limit]
    assert report.data["truncated"] is (limit < 300)
    assert report.warnings == ()


def test_a_limit_saves_requests_where_the_service_sorts(tenant: LocalGraph) -> None:
    many(tenant, 6000)
    assert ids(tenant.detect(limit=10)) == [f"detection-{number}" for number in range(5999, 5989, -1)]
    assert tenant.reads == 1
    assert tenant.log[0][2]["$orderby"] == "detectedDateTime desc"
    tenant.detect()
    assert "$orderby" not in tenant.log[1][2]


def test_a_filter_that_is_refused_does_not_cost_the_order(tenant: LocalGraph) -> None:
    tenant.switches.page_size = 150
    tenant.filters = lambda dummy: "refuse"
    many(tenant, 600)
    report = tenant.detect(filters={"detected_after": moment(0)}, limit=5)
    assert len(ids(report)) == 5
    # Refused with and without the order; then one page in that order.
    assert tenant.reads == 3


def test_what_is_read_again_counts_as_it_is_now(tenant: LocalGraph) -> None:
    tenant.switches.page_size, tenant.filters = 1, lambda dummy: "ignore"
    old = tenant.add_detection(1, moment(1))
    tenant.detections = [*tenant.detections, {**tenant.detections[0], "riskState": "dismissed"}]
    report = tenant.detect(filters={"risk_state": ["atRisk"]})
    assert old not in ids(report)


def test_without_a_limit_an_order_saves_nothing(tenant: LocalGraph) -> None:
    newest_first = many(tenant, 600)[::-1]
    tenant.detections = tenant.detections[::-1]
    report = tenant.detect()
    assert ids(report) == newest_first
    assert report.data["truncated"] is False


def test_a_batch_of_one_moment_is_no_proof_of_an_order(tenant: LocalGraph) -> None:
    tenant.orders, tenant.switches.page_size = lambda dummy: "ignore", 150
    for dummy in range(150):
        tenant.add_detection(1, moment(1))
    newest = tenant.add_detection(1, moment(2))
    assert ids(tenant.detect(limit=10))[0] == newest


def test_the_newest_of_some_users(tenant: LocalGraph) -> None:
    many(tenant, 1500, users=100)
    report = tenant.detect(users=[*map(user_id, range(50, 80))], limit=3)
    assert ids(report) == [f"detection-{number}" for number in (1479, 1478, 1477)]
    assert report.data["truncated"] is True


@pytest.mark.parametrize("page_size", [120, 500])
def test_old_answers_do_not_make_up_the_limit(tenant: LocalGraph, page_size: int) -> None:
    """Some users could be asked for, then the service refuses: the list must be read to the newest of the others."""
    tenant.switches.page_size = page_size
    for number in range(20):
        tenant.add_detection(0, moment(number))
    for number in range(20, 1000):
        tenant.add_detection(90, moment(1000 + number))
    newest = [tenant.add_detection(20, moment(500 + number)) for number in range(5)]
    tenant.filters = lambda text: "refuse" if user_id(20) in text else "honour"
    assert ids(tenant.detect(users=[*map(user_id, range(21))], limit=5)) == newest[::-1]


# A service in trouble


@pytest.mark.parametrize("users", [None, [user_id(1)], [*map(user_id, range(40))]])
def test_a_list_that_breaks_off_is_told(tenant: LocalGraph, users: list[str] | None) -> None:
    tenant.switches.page_size, tenant.switches.break_last_page = 2, True
    for number in range(5):
        tenant.add_detection(1, moment(number))
    report = tenant.detect(users=users)
    assert report.error is None
    assert set(ids(report)) < {f"detection-{number}" for number in range(5)}
    assert report.data["truncated"] is True
    assert len(report.warnings) == 1 and "broke off" in report.warnings[0]
    assert report.message == "Found 4 risk detections (there may be more)."


def test_a_list_that_breaks_off_leaves_it_to_the_questions(tenant: LocalGraph) -> None:
    """The users have fewer pages than it takes to break."""
    tenant.switches.page_size, tenant.switches.break_last_page = 8, True
    many(tenant, 40, users=40)
    report = tenant.detect(users=[*map(user_id, range(8)), *map(user_id, range(100, 160))])
    assert len(ids(report)) == 8
    assert report.data["truncated"] is False
    assert report.warnings == ()


@pytest.mark.parametrize("users", [None, [user_id(1)], [*map(user_id, range(40))]])
def test_an_error_in_the_middle_leaves_what_was_read(tenant: LocalGraph, users: list[str] | None) -> None:
    tenant.switches.page_size = 2
    for number in range(9):
        tenant.add_detection(1, moment(number))
    tenant.faults = dict.fromkeys(range(3, 99), 403)
    report = tenant.detect(users=users)
    assert kind(report) == "permission"
    assert len(ids(report)) in (2, 4)
    assert report.data["truncated"] is True
    assert "Found" in report.message


@pytest.mark.parametrize(
    ("says", "expected", "words"),
    [
        ("Your tenant is not licensed for this feature.", "license", "Microsoft Entra ID P2, or P1"),
        ("required scopes are missing in the token.", "permission", "IdentityRiskEvent.Read.All"),
        ("You may not.", "permission", "Security Reader"),
    ],
)
@pytest.mark.parametrize("users", [None, [user_id(1)]])
def test_a_refusal_names_what_is_missing(
    tenant: LocalGraph, says: str, expected: str, words: str, users: list[str] | None
) -> None:
    tenant.every = {"riskDetections": (403, f'{{"error": {{"code": "Forbidden", "message": "{says}"}}}}')}
    report = check(tenant.detect(users=users))
    assert kind(report) == expected
    assert words in report.message
    assert tenant.reads == 1


@pytest.mark.parametrize(("users", "reads"), [(None, 2), ([user_id(1)], 3)])
def test_a_list_that_is_refused_without_any_filter_is_an_error(
    tenant: LocalGraph, users: list[str] | None, reads: int
) -> None:
    tenant.every = {"riskDetections": 400}
    assert kind(check(tenant.detect(users=users, filters={"risk_level": ["low"]}))) == "request"
    assert tenant.reads == reads
    tenant.every = {"riskDetections": 405}
    assert kind(check(tenant.detect(users=users))) == "request"
    assert tenant.reads == reads + 1


def test_a_bug_does_not_hide_what_was_read(tenant: LocalGraph) -> None:
    tenant.add_detection(1)
    odd = {"id": "odd", "userId": {}, "detectedDateTime": [1], "riskLevel": ["low"]}
    tenant.detections = [*tenant.detections, odd]
    assert set(ids(tenant.detect(filters={"risk_level": ["medium"]}))) == {"detection-0"}
