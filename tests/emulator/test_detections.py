"""Risk detections: the list and its order, one detection, and what writes to their users do to them."""

from __future__ import annotations

import json
import re
import typing as t

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISK_DETECTIONS, RISKY_USERS, UNKNOWN_ID, Client

ADELE = "adele.vance@contoso.example"
PATHS = [RISK_DETECTIONS, "/beta/identityProtection/riskDetections", "/beta/riskDetections"]


def days(*numbers: int) -> list[str]:
    """Days of a month, at noon."""
    return [f"2026-01-{number:02d}T12:00:00.0000000Z" for number in numbers]


def listed(graph: Client, **query: t.Any) -> list[str]:
    """When the detections of the list were detected, in its order, over all pages."""
    return [item["detectedDateTime"] for page in graph.everybody(RISK_DETECTIONS, **query) for item in page]


@pytest.mark.parametrize("path", PATHS)
def test_the_list_and_one_detection_show_the_same(path: str, tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user(ADELE)
    added = tenant.add_detection(
        ADELE,
        risk_event_type="unlikelyTravel",
        risk_level="high",
        detected="2026-01-02T03:04:05.1234567Z",
        activity="2026-01-02T03:00:00Z",
        ip_address="198.51.100.9",
    )

    page = graph.get(path).json()
    single = graph.get(f"{path}/{added['id'].upper()}").json()

    (item,) = page["value"]
    context = page["@odata.context"]
    assert context.endswith(f"/$metadata#{path.partition('/')[2].partition('/')[2]}")
    assert single == {"@odata.context": f"{context}/$entity", **item}
    assert re.fullmatch("[0-9a-f]{64}", item["id"])
    additional = json.loads(item.pop("additionalInfo"))
    assert additional[0]["Key"] == "userAgent"
    beta = {"mitreTechniqueId": "T1078", "riskType": "unlikelyTravel"} if path.startswith("/beta") else {}
    assert item == {
        "id": added["id"],
        "requestId": added["requestId"],
        "correlationId": added["correlationId"],
        "riskEventType": "unlikelyTravel",
        "riskState": "atRisk",
        "riskLevel": "high",
        "riskDetail": "none",
        "source": "IdentityProtection",
        "detectionTimingType": "realtime",
        "activity": "signin",
        "tokenIssuerType": "AzureAD",
        "ipAddress": "198.51.100.9",
        "location": {
            "city": "Lisbon",
            "state": "Lisboa",
            "countryOrRegion": "PT",
            "geoCoordinates": {"latitude": 38.7223, "longitude": -9.1393},
        },
        "activityDateTime": "2026-01-02T03:00:00.0000000Z",
        "detectedDateTime": "2026-01-02T03:04:05.1234567Z",
        "lastUpdatedDateTime": "2026-01-02T03:04:05.1234567Z",
        "userId": user.id,
        "userDisplayName": "Adele Vance",
        "userPrincipalName": ADELE,
        **beta,
    }


def test_an_id_can_be_given(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)

    added = tenant.add_detection(ADELE, id="ABCDEF-0001")

    assert added["id"] == "abcdef-0001"
    for spelling in ("ABCDEF-0001", "abcdef-0001"):
        assert graph.get(f"{RISK_DETECTIONS}/{spelling}").json()["id"] == "abcdef-0001"


def test_one_that_does_not_exist(graph: Client) -> None:
    answer = graph.get(f"{RISK_DETECTIONS}/{'0' * 64}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ResourceNotFound")


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    ("method", "suffix", "status"),
    [
        ("POST", "", 405),
        ("POST", "/dismiss", 405),
        ("PATCH", "/x", 405),
        ("GET", "/$count", 404),
        ("GET", "/{ID}/history", 400),
    ],
)
def test_detections_are_only_read(method: str, suffix: str, status: int, tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    added = tenant.add_detection(ADELE)

    assert graph.send(method, RISK_DETECTIONS + suffix.replace("{ID}", added["id"])).status_code == status
    assert tenant.detections == [added]


@pytest.mark.breaks_contract
def test_v1_has_only_the_long_path(graph: Client) -> None:
    assert graph.get("/v1.0/riskDetections").status_code == 400


def test_a_detection_without_sign_in_has_no_place(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    tenant.add_detection(ADELE, risk_event_type="leakedCredentials")

    (item,) = graph.get(RISK_DETECTIONS).json()["value"]

    assert item["ipAddress"] is item["location"] is item["requestId"] is item["correlationId"] is None
    assert (item["activity"], item["detectionTimingType"]) == ("user", "offline")


def test_anything_can_be_null(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    fields = (
        "risk_level risk_state risk_detail risk_event_type detected activity last_updated location ip_address "
        "additional_info upn display_name activity_type token_issuer_type"
    )
    tenant.add_detection(ADELE, **dict.fromkeys(fields.split()))

    (item,) = graph.get(RISK_DETECTIONS).json()["value"]

    # The document knows nulls, so the answers are still held against it.
    assert not tenant.off_contract
    known = {name for name, value in item.items() if value is not None}
    assert known == {"id", "userId", "requestId", "correlationId", "source", "detectionTimingType"}


def test_a_place_may_be_half_known(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    place = {"city": None, "state": None, "countryOrRegion": "PT", "geoCoordinates": None}
    tenant.add_detection(ADELE, location=place)

    assert graph.get(RISK_DETECTIONS).json()["value"][0]["location"] == place


def test_a_new_state_can_be_put_in(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    tenant.add_detection(ADELE, risk_state="newerThanThis", risk_event_type="newerThanThis")

    (item,) = graph.get(RISK_DETECTIONS).json()["value"]

    assert (item["riskState"], item["riskEventType"]) == ("newerThanThis", "newerThanThis")
    assert tenant.off_contract


def test_detections_belong_to_somebody(tenant: Tenant) -> None:
    unlisted = tenant.add_user("unlisted@contoso.example", listed=False)
    renamed = tenant.add_user("old@contoso.example", directory_upn="new@contoso.example")

    assert tenant.add_detection(unlisted.id)["userPrincipalName"] == "unlisted@contoso.example"
    detection = tenant.add_detection("new@contoso.example")
    # It keeps the name that the risk record has.
    assert (detection["userId"], detection["userPrincipalName"]) == (renamed.id, "old@contoso.example")
    with pytest.raises(LookupError):
        tenant.add_detection("nobody@contoso.example")
    with pytest.raises(ValueError, match="colour"):
        tenant.add_detection(unlisted.id, colour="red")
    with pytest.raises(ValueError, match="not a time"):
        tenant.add_detection(unlisted.id, detected="yesterday")
    assert len(tenant.detections) == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, days(3, 1, 2)),
        ({"orderby": "detectedDateTime desc"}, days(3, 2, 1)),
        ({"orderby": "detectedDateTime asc"}, days(1, 2, 3)),
        ({"orderby": "detectedDateTime"}, days(1, 2, 3)),
        ({"orderby": "detectedDateTime desc", "filter": "riskLevel eq 'low'"}, days(2, 1)),
    ],
)
@pytest.mark.parametrize("top", [1, 2, 500])
def test_the_order_of_the_list(
    query: dict[str, str], expected: list[str], top: int, tenant: Tenant, graph: Client
) -> None:
    tenant.add_user(ADELE)
    for moment in days(3, 1, 2):
        tenant.add_detection(ADELE, detected=moment, risk_level="medium" if moment == days(3)[0] else "low")

    assert listed(graph, top=top, **query) == expected


def test_equal_times_keep_everybody(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    ids = [tenant.add_detection(ADELE, detected=days(1)[0])["id"] for dummy in range(5)]

    for orderby in ("detectedDateTime", "detectedDateTime desc"):
        pages = graph.everybody(RISK_DETECTIONS, top=2, orderby=orderby)
        assert [item["id"] for page in pages for item in page] == ids


def test_what_was_not_detected_at_any_time(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    for moment in (days(1)[0], None, days(2)[0]):
        tenant.add_detection(ADELE, detected=moment)

    assert listed(graph, orderby="detectedDateTime") == [None, *days(1, 2)]
    assert listed(graph, orderby="detectedDateTime desc") == [*days(2, 1), None]


def test_an_order_survives_changes_between_pages(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    for moment in days(1, 2, 3, 4):
        tenant.add_detection(ADELE, detected=moment)
    first = graph.get(RISK_DETECTIONS, top=2, orderby="detectedDateTime desc").json()
    tenant.add_detection(ADELE, detected=days(5)[0])

    second = graph.send("GET", first["@odata.nextLink"][len(graph.origin) :]).json()

    assert [item["detectedDateTime"] for item in first["value"] + second["value"]] == days(4, 3, 2, 1)


@pytest.mark.parametrize(("mode", "expected"), [("honour", days(2, 1)), ("ignore", days(1, 2)), ("refuse", None)])
def test_an_order_may_be_refused_or_ignored(
    mode: str, expected: list[str] | None, tenant: Tenant, graph: Client
) -> None:
    tenant.switches.orderby_mode = mode
    tenant.add_user(ADELE)
    for moment in days(1, 2):
        tenant.add_detection(ADELE, detected=moment)

    answer = graph.get(RISK_DETECTIONS, orderby="detectedDateTime desc")

    if expected is None:
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    else:
        assert [item["detectedDateTime"] for item in answer.json()["value"]] == expected
    # The order that nobody asked for is not refused.
    assert listed(graph) == days(1, 2)


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    "query",
    ["$orderby=id", "$orderby=", "$orderby=detectedDateTime down", "$orderby=detectedDateTime desc,id", "$count=true",
     "$top=501", "$skip=1", "$select=riskType", "$orderby=activityDateTime"],
)  # fmt: skip
def test_unknown_and_malformed_options(query: str, graph: Client) -> None:
    answer = graph.send("GET", f"{RISK_DETECTIONS}?{query}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("riskEventType eq 'passwordSpray'", [1]),
        ("riskEventType eq 'neverHeardOf'", []),
        ("riskState eq 'atRisk' and riskLevel eq 'high'", [2]),
        ("riskLevel in ('low','high')", [1, 2]),
        (f"userId eq '{UNKNOWN_ID}'", [1]),
        (f"userPrincipalName eq '{ADELE}'", [0, 1]),
        ("userDisplayName eq 'Megan Bowen'", [2]),
        ("detectedDateTime ge 2026-01-02T12:00:00Z", [1, 2]),
        ("detectedDateTime gt 2026-01-02T12:00:00Z", [2]),
        ("detectedDateTime le 2026-01-02T12:00:00Z", [0, 1]),
        ("detectedDateTime lt 2026-01-02T12:00:00Z", [0]),
        ("activityDateTime ge 2026-01-03T11:00:00Z and activityDateTime le 2026-01-03T12:00:00Z", [2]),
        ("not (activityDateTime lt 2026-01-03T00:00:00Z)", [2]),
        ("ipAddress eq null", [0]),
        ("location eq null", None),
        ("additionalInfo eq", None),
        ("riskType eq 'passwordSpray'", None),
    ],
)
def test_filters(text: str, found: list[int] | None, tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE, id=UNKNOWN_ID)
    tenant.add_user("former@contoso.example", directory_upn="same.one@contoso.example")
    tenant.add_user("megan.bowen@contoso.example")
    first, second, third = days(1, 2, 3)
    ids = [
        tenant.add_detection(
            "same.one@contoso.example", upn=ADELE, risk_event_type="leakedCredentials", detected=first
        ),
        tenant.add_detection(ADELE, risk_event_type="passwordSpray", risk_level="low", detected=second),
        tenant.add_detection("megan.bowen@contoso.example", risk_level="high", detected=third),
    ]

    answer = graph.get(RISK_DETECTIONS, filter=text)

    if found is None:
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, "Invalid filter clause")
    else:
        assert [item["id"] for item in answer.json()["value"]] == [ids[place]["id"] for place in found]


@pytest.mark.parametrize(
    ("switches", "found"),
    [
        ({"filter_mode": "ignore"}, 2),
        ({"filter_mode": "refuse"}, None),
        ({"filter_ignore": ["riskLevel"]}, 2),
        ({"filter_refuse": ["riskLevel"]}, None),
        ({"filter_refuse": ["userId"]}, 1),
    ],
)
def test_filters_may_be_refused_or_ignored(
    switches: dict[str, t.Any], found: int | None, tenant: Tenant, graph: Client
) -> None:
    tenant.switches.update(switches)
    tenant.add_user(ADELE)
    tenant.add_detection(ADELE, risk_level="high")
    tenant.add_detection(ADELE, risk_level="low")

    answer = graph.get(RISK_DETECTIONS, filter="riskLevel eq 'high'")

    assert answer.status_code == (400 if found is None else 200)
    assert found is None or len(answer.json()["value"]) == found


def test_many_over_many_pages(tenant: Tenant, graph: Client) -> None:
    tenant.add_user(ADELE)
    ids = tenant.add_detections(1200, ADELE, detected="2026-01-02T00:00:00.0000001Z", risk_event_type="passwordSpray")

    pages = graph.everybody(RISK_DETECTIONS, top=500, select="id,detectedDateTime", orderby="detectedDateTime desc")

    assert [len(page) for page in pages] == [500, 500, 200]
    assert [item["id"] for page in pages for item in page] == ids[::-1]
    assert pages[0][0]["detectedDateTime"] == "2026-01-02T00:00:00.0000001Z"
    assert pages[0][1]["detectedDateTime"] == "2026-01-01T23:59:59.0000001Z"


@pytest.mark.parametrize(("switches", "broken"), [({"break_page": 2}, 2), ({"break_last_page": True}, 3)])
def test_pages_may_break(switches: dict[str, t.Any], broken: int, tenant: Tenant, graph: Client) -> None:
    tenant.switches.update({"page_size": 2, **switches})
    tenant.add_user(ADELE)
    tenant.add_detections(5, ADELE)
    statuses = []
    answer = graph.get(RISK_DETECTIONS, orderby="detectedDateTime desc")
    statuses.append(answer.status_code)
    while "@odata.nextLink" in answer.json():
        answer = graph.send("GET", answer.json()["@odata.nextLink"][len(graph.origin) :])
        statuses.append(answer.status_code)

    assert statuses == [200] * (broken - 1) + [400]


def test_a_dismissal_closes_the_active_ones_of_the_user(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user(ADELE)
    tenant.add_user("other@contoso.example")
    active = [tenant.add_detection(ADELE, risk_state=state) for state in ("atRisk", "confirmedCompromised")]
    done = tenant.add_detection(ADELE, risk_state="remediated")
    other = tenant.add_detection("other@contoso.example")

    graph.act("dismiss", user.id)

    first, second, *rest = tenant.detections
    for before, after in zip(active, (first, second)):
        assert (after["riskState"], after["riskDetail"]) == ("dismissed", "adminDismissedAllRiskForUser")
        assert after["riskLevel"] == before["riskLevel"]
        assert after["lastUpdatedDateTime"] > before["lastUpdatedDateTime"]
        assert after["detectedDateTime"] == before["detectedDateTime"]
    assert rest == [done, other]


def test_confirming_as_safe_closes_them_too(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user(ADELE)
    tenant.add_detection(ADELE)

    graph.act("confirmSafe", user.id)

    assert [item["riskState"] for item in tenant.detections] == ["confirmedSafe"]


def test_confirming_as_compromised_adds_one(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user(ADELE)
    before = tenant.add_detection(ADELE)

    graph.act("confirmCompromised", user.id)

    kept, added = graph.get(RISK_DETECTIONS).json()["value"]
    assert kept["id"] == before["id"] and kept["riskState"] == "atRisk"
    assert (added["riskEventType"], added["riskState"], added["riskLevel"], added["riskDetail"]) == (
        "adminConfirmedUserCompromised",
        "confirmedCompromised",
        "high",
        "adminConfirmedUserCompromised",
    )
    assert (added["userId"], added["userPrincipalName"]) == (user.id, ADELE)
    assert added["requestId"] is added["location"] is added["ipAddress"] is None
    assert added["detectedDateTime"] > kept["detectedDateTime"]


def test_detections_follow_when_the_write_takes_effect(tenant: Tenant, graph: Client) -> None:
    tenant.switches.effect_delay = 900
    user = tenant.add_user(ADELE)
    tenant.add_detection(ADELE)
    graph.act("dismiss", user.id)

    assert graph.get(RISK_DETECTIONS).json()["value"][0]["riskState"] == "atRisk"
    tenant.hurry()
    assert graph.get(RISK_DETECTIONS).json()["value"][0]["riskState"] == "dismissed"


def test_detections_outlive_a_record_that_vanishes(tenant: Tenant, graph: Client) -> None:
    tenant.switches.vanish_after_dismiss = True
    user = tenant.add_user(ADELE)
    tenant.add_detection(ADELE)

    graph.act("dismiss", user.id)

    assert graph.get(f"{RISKY_USERS}/{user.id}").status_code == 404
    assert [item["riskState"] for item in tenant.detections] == ["dismissed"]


def test_service_principals_have_no_detections_here(tenant: Tenant, graph: Client) -> None:
    workload = tenant.add_service_principal("Payroll Sync")
    prefix = "/v1.0/identityProtection/riskyServicePrincipals"

    assert graph.act("confirmCompromised", workload.id, prefix=prefix).status_code == 204
    assert graph.act("dismiss", workload.id, prefix=prefix).status_code == 204
    assert tenant.detections == []
