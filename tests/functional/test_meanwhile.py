"""What changes while a task reads, and what names, clocks and empty values must not do to it."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .clock import FastClock
from .people import ID, NAME, WORKLOAD, ids
from .running import Options, Run

ROLE = "IdentityRiskyUser.ReadWrite.All"
OLD = "2025-01-01T00:00:00Z"


def ago(clock: FastClock, **back: float) -> str:
    now = datetime.datetime.fromtimestamp(clock.wall(), datetime.timezone.utc)
    return (now - datetime.timedelta(**back)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_change_made_while_the_plan_is_read_is_refused(tenant: Tenant, run: Run, clock: FastClock) -> None:
    tenant.switches.page_size = 1
    first, second = (tenant.add_user(f"u{n}@x.example", risk_last_updated=OLD).id for n in range(2))
    soon = ago(clock, seconds=-30)
    # While page two is read, one changes whom page one showed, and then one whom page two shows.
    changed = {"risk_level": "high", "risk_last_updated": soon}
    tenant.add_fault(method="GET", path="riskyUsers", nth=1, change={first: changed, second: changed})
    plan = run("risky_user", state="dismissed", filters={}, max_changes=9, check=True)
    assert plan.outcomes == ["changed", "changed"]
    tenant.clear_faults()
    act = run("risky_user", state="dismissed", users=[first, second], if_unmodified_since=plan.result["evaluated_at"])
    assert act.outcomes == ["failed modified_since"] * 2 and act.written == []


def test_a_record_of_the_future_affects_nobody_but_itself(tenant: Tenant, run: Run) -> None:
    old = tenant.add_user("a@x.example", risk_last_updated=OLD).id
    future = tenant.add_user("b@x.example", risk_last_updated="2099-01-01T00:00:00Z").id
    plan = run("risky_user", state="dismissed", filters={}, max_changes=9, check=True)
    assert plan.result["evaluated_at"] < "2099"
    act = run("risky_user", state="dismissed", users=[old, future], if_unmodified_since=plan.result["evaluated_at"])
    assert act.outcomes == ["changed", "failed modified_since"] and act.written == [old]


@pytest.mark.parametrize("skew", [-95 * 86400, 0, 95 * 86400], ids=["behind", "right", "ahead"])
@pytest.mark.parametrize("module", ["risky_user", "risky_user_info"])
def test_ages_go_by_the_clock_of_graph(tenant: Tenant, run: Run, clock: FastClock, module: str, skew: int) -> None:
    # The clock of the service is the right one here, and that of the machine is off by as much the other way.
    tenant.switches.date_skew = skew
    old = tenant.add_user("old@x.example", risk_last_updated=ago(clock, seconds=-skew, days=91)).id
    tenant.add_user("new@x.example", risk_last_updated=ago(clock, seconds=-skew, minutes=5))
    more: Options = {"state": "dismissed", "max_changes": 9} if module == "risky_user" else {}
    ended = run(module, filters={"updated_before": "90d"}, **more)
    assert [entry["id"] for entry in ended.entries] == [old]


@pytest.mark.parametrize("state", ["dismissed", "compromised"])
def test_a_name_means_whom_the_directory_says(tenant: Tenant, run: Run, state: str) -> None:
    # Anna's record still carries what is Bert's name by now; Bert's carries an older one.
    anna = tenant.add_user("glass@x.example", directory_upn="anna@x.example").id
    bert = tenant.add_user("old@x.example", directory_upn="glass@x.example").id
    ended = run("risky_user", state=state, users=["anna@x.example", "glass@x.example"])
    assert [entry["id"] for entry in ended.entries] == [anna, bert] and sorted(ended.written) == sorted([anna, bert])
    assert [entry["user_principal_name"] for entry in ended.entries] == ["anna@x.example", "glass@x.example"]


@pytest.mark.parametrize("chosen", ["ids", "names", "filters"])
def test_who_has_an_excluded_name_and_who_carries_it_are_protected(tenant: Tenant, run: Run, chosen: str) -> None:
    anna = tenant.add_user("glass@x.example", directory_upn="anna@x.example").id
    bert = tenant.add_user("old@x.example", directory_upn="glass@x.example").id
    carl = tenant.add_user("carl@x.example").id
    selections: dict[str, Options] = {
        "ids": {"users": [anna, bert, carl]},
        "names": {"users": ["anna@x.example", "glass@x.example", "carl@x.example"]},
        "filters": {"filters": {}, "max_changes": 9},
    }
    ended = run("risky_user", state="compromised", **selections[chosen], exclude_users=["GLASS@x.example"])
    assert ended.written == [carl]
    assert {entry["id"]: entry["reason"] for entry in ended.entries} == {anna: "excluded", bert: "excluded", carl: None}
    assert all("exclude_users" in entry["message"] for entry in ended.entries if entry["reason"])


# The filter of the service minds the case, and so shows one of the last two only.
@pytest.mark.parametrize("names", [["same@x.example"] * 2, ["same@x.example", "SAME@x.example"]])
@pytest.mark.parametrize("page_size", [1, 500])
def test_two_people_with_one_name_are_never_guessed_at(
    tenant: Tenant, run: Run, page_size: int, names: list[str]
) -> None:
    tenant.switches.page_size = page_size
    for number, name in enumerate(names):
        tenant.add_user(name, directory_upn=f"other{number}@x.example")
    token = tenant.mint_token(roles=[ROLE])
    ended = run("risky_user", state="dismissed", users=["same@x.example"], access_token=token)
    assert ended.outcomes == ["failed unknown_user"] and ended.written == []
    assert any("User.Read.All" in warning for warning in ended.warnings)


def test_letters_outside_ascii_are_compared_exactly(tenant: Tenant, run: Run) -> None:
    tenant.add_user("stra\u00dfe@x.example")
    ended = run("risky_user", state="dismissed", users=["strasse@x.example"])
    assert ended.outcomes == ["failed unknown_user"] and ended.written == []


BLANKS = [None, "", " \n"]


LISTS, OTHERS = ("exclude_users", "exclude_groups"), ("max_changes", "if_unmodified_since")
GUARDS = ("exclude_role_holders", "if_password_changed")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *((option, value) for option in (*LISTS, *OTHERS, *GUARDS) for value in BLANKS),
        *((option, value) for option in LISTS for value in ([None], [""], ["a@x.example", " "])),
    ],
    ids=repr,
)
def test_a_brake_that_came_out_empty_stops_the_task(people: Tenant, run: Run, option: str, value: t.Any) -> None:
    ended = run("risky_user", state="dismissed", users=ids("adele"), **{option: value})
    assert (ended.kind, ended.graph) == ("request", [])
    assert f"{option}: it is given, but null or blank" in ended.msg


@pytest.mark.parametrize("value", BLANKS, ids=repr)
@pytest.mark.parametrize("key", ["updated_before", "updated_after"])
def test_an_empty_time_in_filters_stops_the_task(people: Tenant, run: Run, key: str, value: t.Any) -> None:
    for filters in ({key: value}, json.dumps({key: value})):
        ended = run("risky_user", state="dismissed", filters=filters, max_changes=9)
        assert (ended.kind, ended.graph) == ("request", []) and f"filters.{key}" in ended.msg


@pytest.mark.parametrize("option", LISTS)
@pytest.mark.parametrize("state", ["dismissed", "compromised"])
def test_an_empty_exclusion_of_a_confirmation_is_told(people: Tenant, run: Run, option: str, state: str) -> None:
    ended = run("risky_user", state=state, users=ids("adele"), **{option: []})
    assert ended.written == ids("adele")
    assert any(f"{option} is an empty list" in text for text in ended.warnings) is (state == "compromised")


@pytest.mark.parametrize("names", [False, True])
def test_an_application_is_protected_under_either_of_its_ids(workloads: Tenant, run: Run, names: bool) -> None:
    app_id = workloads.service_principal(WORKLOAD["pipeline"]).risk["appId"]  # type: ignore[index]  # it is listed
    whom: Options = {"filters": {}, "max_changes": 9}
    if names:
        whom = {"service_principals": [WORKLOAD["pipeline"], WORKLOAD["export"]]}
    ended = run("risky_service_principal", state="compromised", **whom, exclude_service_principals=[app_id.upper()])
    assert ended.written == [WORKLOAD["export"]]


def test_an_excluded_id_that_no_application_has_stops_the_task(workloads: Tenant, run: Run) -> None:
    who = {"service_principals": [WORKLOAD["export"]]}
    excluded = {"exclude_service_principals": [WORKLOAD["unlisted"], WORKLOAD["unknown"]]}
    ended = run("risky_service_principal", state="compromised", **who, **excluded)
    assert ended.kind == "request" and ended.written == [] and WORKLOAD["unknown"] in ended.msg
    assert WORKLOAD["unlisted"] not in ended.msg


@pytest.mark.parametrize("listed", [True, False])
def test_an_excluded_id_needs_the_directory_where_no_record_tells(workloads: Tenant, run: Run, listed: bool) -> None:
    who = WORKLOAD["export" if listed else "unlisted"]
    options = {"service_principals": [who], "exclude_service_principals": [WORKLOAD["unknown"]]}
    token = workloads.mint_token(roles=["IdentityRiskyServicePrincipal.ReadWrite.All"])
    ended = run("risky_service_principal", state="compromised", **options, access_token=token)
    assert ended.kind == (None if listed else "permission")
    assert ended.written == ([WORKLOAD["export"]] if listed else [])
    assert listed or "Application.Read.All" in ended.msg


def test_reading_gives_everybody_who_has_a_name_where_the_directory_is_closed(tenant: Tenant, run: Run) -> None:
    both = [tenant.add_user("same@x.example", directory_upn=f"other{number}@x.example").id for number in range(2)]
    ended = run("risky_user_info", users=["same@x.example"], access_token=tenant.mint_token(roles=[ROLE]))
    assert sorted(entry["id"] for entry in ended.entries) == sorted(both)


def test_a_history_that_breaks_off_is_told(people: Tenant, run: Run) -> None:
    people.add_fault(path="/history", nth=2, status=400)
    people.switches.page_size = 1
    people.change_user(ID["adele"], risk_state="dismissed")
    people.change_user(ID["adele"], risk_state="atRisk")
    ended = run("risky_user_info", users=ids("adele"), include_history=True)
    assert ended.result["truncated"] is True and len(ended.entries[0]["history"]) == 1
    assert any("broke off the history of" in warning for warning in ended.warnings)


@pytest.mark.parametrize(
    ("users", "warned"),
    [([ID["unlisted"]], True), ([NAME["unlisted"]], False), ([ID["unlisted"], NAME["unlisted"]], False)],
)
def test_warns_of_a_typing_error_where_there_can_be_one(
    people: Tenant, run: Run, users: list[str], warned: bool
) -> None:
    ended = run("risky_user", state="dismissed", users=users)
    assert ended.outcomes == ["unchanged not_listed"] and bool(ended.warnings) is warned


def test_a_batch_takes_the_oldest_and_counts_only_those_it_would_write_to(people: Tenant, run: Run) -> None:
    tenant_filters = {"risk_state": ["atRisk", "confirmedCompromised"]}
    options: Options = {"state": "dismissed", "filters": tenant_filters, "exclude_users": ids("megan")}
    ended = run("risky_user", **options, limit=1, max_changes=1)
    assert ended.written == ids("alex") and ended.result["summary"]["skipped"] == 3
    assert ended.entries[0]["reason"] == "over_limit" and "limit is 1" in ended.entries[0]["message"]
    again = run("risky_user", **options, limit=1, max_changes=1)
    assert again.written == ids("adele")


@pytest.mark.parametrize(("more", "words"), [({"users": ids("adele")}, "limit goes with filters"), ({}, "limit is 0")])
def test_rejects_a_batch_size_that_makes_no_sense(people: Tenant, run: Run, more: Options, words: str) -> None:
    whom: Options = more or {"filters": {}}
    ended = run("risky_user", state="dismissed", **whom, max_changes=9, limit=3 if more else 0)
    assert (ended.kind, ended.graph) == ("request", []) and words in ended.msg


@pytest.mark.parametrize(
    ("options", "check", "verified"),
    [
        ({"users": ids("adele"), "wait": True}, False, True),
        ({"users": ids("adele")}, False, False),
        ({"users": ids("adele"), "wait": True}, True, False),
        ({"users": ids("dismissed")}, False, True),
        ({"users": [*ids("adele"), NAME["unknown"]], "wait": True}, False, False),
    ],
)
def test_verified_means_seen(people: Tenant, run: Run, options: Options, check: bool, verified: bool) -> None:
    assert run("risky_user", state="dismissed", **options, check=check).result["verified"] is verified


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        ("DELETED@contoso.example", {}),
        ("deleted@contoso.example", {"filter_refuse": ["userPrincipalName"]}),
        ("deleted@contoso.example", {"filter_ignore": ["userPrincipalName"], "page_size": 1}),
    ],
    ids=["upper", "refused", "ignored"],
)
def test_a_deleted_user_is_found_by_name(people: Tenant, run: Run, name: str, switches: Options) -> None:
    people.switches.update(switches)
    ended = run("risky_user", state="dismissed", users=[name])
    assert ended.outcomes == ["skipped deleted"] and len(ended.warnings) == 1


@pytest.mark.parametrize(("limit", "shown"), [(1, 20), (5, 18)])
def test_says_so_where_not_all_exceptions_are_returned(tenant: Tenant, run: Run, limit: int, shown: int) -> None:
    tenant.add_users(23)
    options = {"limit": limit, "return_users": "exceptions"}
    ended = run("risky_user", state="dismissed", filters={}, max_changes=9, **options, check=True)
    assert len(ended.entries) == shown and ended.result["summary"]["skipped"] == 23 - limit
    assert ("The result holds 20 of the 22" in ended.msg) is (limit == 1)


@pytest.mark.parametrize(
    ("users", "found"),
    [
        ("adele", "1 risky user"),
        ("adele unlisted", "1 risky user and 1 without a risk record"),
        ("adele unlisted unknown", "1 risky user, 1 without a risk record, and 1 that the directory does not know"),
    ],
)
def test_counts_what_was_found_in_one_sentence(people: Tenant, run: Run, users: str, found: str) -> None:
    assert run("risky_user_info", users=[NAME[user] for user in users.split()]).msg == f"Found {found}."
