"""What keeps a task from writing: exclusions, a limit of changes, and decisions that rest on older data."""

from __future__ import annotations

import pytest

from ..entra_emulator.tenant import Tenant
from .people import ID, NAME, WORKLOAD, ids, states
from .running import Options, Run

READ_ONLY_RECORDS = ["IdentityRiskyUser.ReadWrite.All"]
BREAK_GLASS = "break.glass@contoso.example"


@pytest.mark.parametrize("chosen", [{"users": [NAME["alex"], BREAK_GLASS, ID["adele"]]}, {"filters": {}}], ids=str)
@pytest.mark.parametrize(
    ("exclude", "protected"),
    [(ID["adele"].upper(), "adele"), ("Alex.WILBER@contoso.example", "alex"), ("Break.Glass@contoso.example", "")],
)
def test_never_writes_to_the_excluded(people: Tenant, run: Run, exclude: str, protected: str, chosen: Options) -> None:
    emergency = people.add_user("emergency@contoso.example", directory_upn=BREAK_GLASS).id
    protected = ID.get(protected, emergency)
    ended = run("risky_user", state="dismissed", max_changes=2, **chosen, exclude_users=[exclude, ID["unknown"]])
    everybody = {*ids("adele", "alex"), emergency}
    outcomes = dict(zip([entry["id"] for entry in ended.entries], ended.outcomes))
    outcomes.pop(ID["deleted"], None)
    assert outcomes == {**dict.fromkeys(everybody, "changed"), protected: "skipped excluded"}
    assert set(ended.written) == everybody - {protected}
    assert people.user(protected).risk["riskState"] == "atRisk"  # type: ignore[index]  # everybody here is listed


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
def test_fails_closed_where_nobody_has_an_excluded_name(people: Tenant, run: Run, state: str, check: bool) -> None:
    exclude = [BREAK_GLASS, ID["alex"]]
    ended = run("risky_user", state=state, users=ids("adele", "alex"), exclude_users=exclude, check=check)
    assert ended.failed and not ended.changed and ended.written == []
    assert "exclude_users" in ended.msg and BREAK_GLASS in ended.msg


@pytest.mark.parametrize("check", [True, False])
def test_fails_closed_where_an_excluded_name_may_not_be_looked_up(people: Tenant, run: Run, check: bool) -> None:
    token = people.mint_token(roles=READ_ONLY_RECORDS)
    options = {"users": ids("adele"), "exclude_users": [BREAK_GLASS], "access_token": token}
    ended = run("risky_user", state="compromised", **options, check=check)
    error = ended.result["error"]
    assert (error["kind"], error["status"], error["code"]) == ("permission", 403, "Authorization_RequestDenied")
    assert error["request_id"] == ended.journal[-1]["request_id"] and error["client_request_id"]
    assert all(word in ended.msg for word in ("exclude_users", BREAK_GLASS, "User.Read.All", "Or use object IDs."))
    assert not ended.changed and ended.written == []
    (entry,) = ended.entries
    assert entry["message"] == "Not written: the task stopped first (error kind permission)."


def test_asks_the_directory_for_an_excluded_name_even_if_its_owner_is_chosen(people: Tenant, run: Run) -> None:
    ended = run("risky_user", state="compromised", users=ids("unlisted", "alex"), exclude_users=[NAME["unlisted"]])
    assert ended.outcomes == ["skipped excluded", "changed"] and ended.written == ids("alex")
    directory = [request for request in ended.graph if "identityProtection" not in request]
    assert directory == ["POST /v1.0/directoryObjects/getByIds", "GET /v1.0/users"]


@pytest.mark.parametrize(
    ("user", "exclude", "outcome"),
    [
        (ID["dismissed"], [BREAK_GLASS], "unchanged"),
        (ID["adele"], [BREAK_GLASS, ID["adele"]], "skipped excluded"),
        (ID["alex"], [ID["unknown"]], "changed"),
    ],
)
def test_looks_nobody_up_where_that_changes_nothing(
    people: Tenant, run: Run, user: str, exclude: list[str], outcome: str
) -> None:
    token = people.mint_token(roles=READ_ONLY_RECORDS)
    ended = run("risky_user", state="dismissed", user=user, exclude_users=exclude, access_token=token)
    assert ended.outcomes == [outcome]


def test_leaves_alone_what_has_changed_since_the_decision(people: Tenant, run: Run) -> None:
    whom = {"filters": {"risk_state": ["atRisk", "confirmedCompromised"]}, "exclude_users": [ID["megan"]]}
    plan = run("risky_user", state="dismissed", **whom, max_changes=10, check=True)
    users = [entry["id"] for entry in plan.entries if entry["outcome"] == "changed"]
    assert users == ids("adele", "alex")
    people.change_user(ID["adele"], risk_level="high")
    since = plan.result["evaluated_at"]
    # The second time the first write has moved the time of the other one.
    for other in ("changed", "unchanged"):
        ended = run("risky_user", state="dismissed", users=users, if_unmodified_since=since)
        assert (ended.kind, ended.changed) == ("users", other == "changed")
        assert ended.outcomes == ["failed modified_since", other]
        assert "if_unmodified_since" in ended.entries[0]["message"]
    assert states(people)["adele"] == "atRisk"


def test_compares_times_to_the_last_digit(people: Tenant, run: Run) -> None:
    for since, outcome in (
        ("2026-01-30T22:41:07Z", "failed modified_since"),
        ("2026-01-30T22:41:07.1234566Z", "failed modified_since"),
        ("2026-01-31T00:41:07.1234567+02:00", "changed"),
    ):
        assert run("risky_user", state="dismissed", user=ID["adele"], if_unmodified_since=since).outcomes == [outcome]


@pytest.mark.parametrize("other", [[], [WORKLOAD["pipeline"]]])
def test_drops_no_exclusion_that_is_given_under_two_names(workloads: Tenant, run: Run, other: list[str]) -> None:
    exclude = {"exclude_service_principals": [WORKLOAD["export"]], "exclude_users": other}
    ended = run("risky_service_principal", state="dismissed", filters={}, max_changes=9, **exclude)
    assert ended.kind == "request" and ended.graph == []
    assert "exclude_service_principals and exclude_users" in ended.msg


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("risky_user", ("users", "user")),
        ("risky_user", ("user", "user_ids")),
        ("risky_service_principal", ("service_principals", "service_principal")),
    ],
)
def test_drops_nobody_who_is_named_under_two_names(
    tenant: Tenant, run: Run, module: str, names: tuple[str, str]
) -> None:
    ended = run(module, state="dismissed", **{names[0]: ids("adele"), names[1]: ids("alex")})
    assert ended.kind == "request" and ended.graph == []
    assert " and ".join(names) in ended.msg


def test_an_alias_that_is_null_does_not_count(people: Tenant, run: Run) -> None:
    assert run("risky_user", state="dismissed", users=ids("adele"), user=None).written == ids("adele")
