"""The rules that decide for one object, and those for all together."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import LimitError, RequestError
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.decisions import (
    Decision,
    DirectoryStatus,
    Outcome,
    Protected,
    Rules,
    Target,
    apply_limit,
    check_max_changes,
    listing,
    parse_selection,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import (
    RISK_STATES,
    RISKY_SERVICE_PRINCIPALS,
    RISKY_USERS,
    Record,
)

ID = "04487ee0-f4f6-4e7f-8999-facc5a30e232"
NAME = "adele@contoso.example"
UPDATED = "2026-11-01T00:00:00.0000001Z"
TICKS = _timestamps.parse(UPDATED)
RECORD = Record(ID, NAME, "atRisk", "low", UPDATED, False, False)
ACTIVE = {"atRisk", "confirmedCompromised"}
LABELS = RISKY_USERS.labels


def rules(state: str = "dismissed", **more: t.Any) -> Rules:
    return Rules(RISKY_USERS, RISKY_USERS.actions[state], **more)


def target(**changes: t.Any) -> Target:
    return Target(ID, NAME, dataclasses.replace(RECORD, **changes))


def told(decision: Decision) -> tuple[str, str | None]:
    return decision.outcome.value, decision.reason


@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
@pytest.mark.parametrize("present", RISK_STATES)
def test_writes_only_where_the_state_is_another(state: str, present: str) -> None:
    due = present != "confirmedCompromised" if state == "compromised" else present in ACTIVE
    assert told(rules(state).decide(target(state=present))) == ("changed" if due else "unchanged", None)


@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
@pytest.mark.parametrize("present", [None, "unknownFutureValue", "AtRisk"])
def test_never_guesses_at_an_unknown_state(state: str, present: str | None) -> None:
    decision = rules(state).decide(target(state=present))
    assert told(decision) == ("failed", "unknown_state")
    assert (repr(present) in (decision.message or "")) is (present is not None)


@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
@pytest.mark.parametrize("present", ["atRisk", "dismissed", "quarantined"])
def test_never_writes_to_the_deleted(state: str, present: str) -> None:
    assert told(rules(state).decide(target(state=present, deleted=True))) == ("skipped", "deleted")


@pytest.mark.parametrize(
    ("since", "updated", "words"),
    [
        (TICKS, UPDATED, None),
        (TICKS - 1, UPDATED, "changed at 2026-11-01"),
        (TICKS, None, "does not say when"),
        (TICKS, "99:99", "'99:99', which is not a time"),
        (None, None, None),
    ],
)
def test_refuses_what_changed_since(since: int | None, updated: str | None, words: str | None) -> None:
    decision = rules(unmodified_since=since).decide(target(updated=updated))
    assert told(decision) == (("failed", "modified_since") if words else ("changed", None))
    assert (words or "") in (decision.message or "")
    assert told(rules(unmodified_since=since).decide(target(updated=updated, state="dismissed"))) == ("unchanged", None)


OTHER, GROUP = "13387ee0-f4f6-4e7f-8999-facc5120e345", "5d3e7c10-0000-4000-8000-00000000a001"
NOBODY = Target(ID, NAME)


# The last column is the option that protects, and what else the message says.
@pytest.mark.parametrize(
    ("protected", "subject", "words"),
    [
        (Protected(frozenset({ID})), target(), "exclude_users"),
        (Protected(names=frozenset({NAME})), target(), "exclude_users"),
        (Protected(names=frozenset({NAME})), Target(ID, "ADELE@contoso.example"), "exclude_users"),
        (Protected(names=frozenset({"old@x.example"})), target(name="old@x.example"), "exclude_users"),
        (Protected(names=frozenset({NAME})), NOBODY, "exclude_users"),
        (Protected(frozenset({OTHER})), target(properties={"appId": OTHER.upper()}), "exclude_users"),
        (Protected(frozenset({OTHER}), frozenset({"b@x.example"})), target(properties={"appId": None}), ""),
        (Protected(names=frozenset({"strasse@x.example"})), target(name="stra\u00dfe@x.example"), ""),
        (Protected(members={ID: GROUP}), NOBODY, f"exclude_groups {GROUP}"),
        (Protected(role_holders={ID: "Has-a-role"}), NOBODY, "exclude_role_holders Has-a-role"),
        (Protected(members={ID: GROUP}, role_holders={ID: "x"}), target(), "exclude_groups"),
        (Protected(frozenset({ID}), members={ID: GROUP}), target(), "exclude_users"),
        (Protected(members={OTHER: GROUP}, role_holders={OTHER: "x"}), NOBODY, ""),
    ],
)
@pytest.mark.parametrize("state", ["dismissed", "compromised"])
def test_protection_comes_first(protected: Protected, subject: Target, words: str, state: str) -> None:
    decision = rules(state, protected=protected, unmodified_since=0).decide(subject)
    if not words:
        assert decision.reason not in ("excluded", "privileged")
        return
    assert told(decision) == ("skipped", "privileged" if "role" in words else "excluded")
    assert all(word in (decision.message or "") for word in words.split())


LATER = "2026-11-01T00:00:01Z"


@pytest.mark.parametrize(
    ("times", "updated", "words"),
    [
        ({ID: LATER}, UPDATED, None),
        ({ID: UPDATED}, UPDATED, "not after the last change of the risk"),
        ({ID: "2026-11-01T00:00:00Z"}, UPDATED, "2026-11-01T00:00:00Z, which is not after"),
        ({}, UPDATED, "does not show the user"),
        ({OTHER: LATER}, UPDATED, "does not show the user"),
        ({ID: None}, UPDATED, "does not say when the password"),
        ({ID: "soon"}, UPDATED, "'soon', which is not a time"),
        ({ID: {"at": LATER}}, UPDATED, "which is not a time"),
        ({ID: "9" * 500}, UPDATED, "..."),
        ({ID: LATER}, None, "does not say when the risk changed"),
        ({ID: LATER}, "99:99", "'99:99', which is not a time"),
    ],
)
def test_writes_only_where_the_password_was_changed_after_the_risk(
    times: dict[str, t.Any], updated: str | None, words: str | None
) -> None:
    decision = rules(password_times=times).decide(target(updated=updated))
    assert told(decision) == (("skipped", "password_unchanged") if words else ("changed", None))
    assert (words or "") in (decision.message or "") and len(decision.message or "") < 400
    for present in ("dismissed", "quarantined"):
        assert rules(password_times={}).decide(target(state=present)).reason != "password_unchanged"


@pytest.mark.parametrize(
    ("status", "state", "expected", "words"),
    [
        ("UNCHECKED", "dismissed", ("unchanged", "not_listed"), ""),
        ("CONFIRMED", "safe", ("unchanged", "not_listed"), ""),
        ("UNCHECKED", "compromised", ("changed", None), ""),
        ("CONFIRMED", "compromised", ("changed", None), ""),
        ("ABSENT", "dismissed", ("failed", "unknown_user"), "The directory has no such user"),
        ("ABSENT", "compromised", ("failed", "unknown_user"), "Check the spelling"),
        ("FORBIDDEN", "dismissed", ("unchanged", "not_listed"), "User.Read.All"),
        ("FORBIDDEN", "compromised", ("failed", "unknown_user"), "User.Read.All"),
        ("AMBIGUOUS", "dismissed", ("failed", "unknown_user"), "Several risky users"),
        ("AMBIGUOUS", "compromised", ("failed", "unknown_user"), "User.Read.All"),
    ],
)
def test_without_a_record_the_directory_decides(status: str, state: str, expected: t.Any, words: str) -> None:
    decision = rules(state).decide(Target(ID, NAME, None, DirectoryStatus[status]))
    assert told(decision) == expected
    assert words in (decision.message or "") and bool(decision.message) is bool(words)


def test_reads_a_selection() -> None:
    found = parse_selection([f" {ID.upper()} ", "Adele@X.example", "aDELE@x.example", ID], "users", RISKY_USERS)
    assert (found.order, found.ids, found.names) == ((ID, "Adele@X.example"), (ID,), ("Adele@X.example",))
    assert found.as_given[ID] == ID.upper()


@pytest.mark.parametrize("value", ["", None, "adele", "None", '["a@x.example"]', f"{ID},{OTHER}", "a@x.example."])
def test_rejects_a_value_that_is_nobody(value: object) -> None:
    with pytest.raises(RequestError, match=r"users: .* is neither an object ID") as caught:
        parse_selection([ID, value], "users", RISKY_USERS)
    assert caught.value.kind == "request"


def test_rejects_names_of_service_principals_and_shows_little_of_them() -> None:
    with pytest.raises(RequestError) as caught:
        parse_selection(["x" * 5000, *(f"app{number}" for number in range(9))], "these", RISKY_SERVICE_PRINCIPALS)
    assert "and 5 more are not an object ID" in caught.value.message and len(caught.value.message) < 400


def due(number: int, updated: str | None) -> Decision:
    key = f"{number:08x}-0000-4000-8000-000000000000"
    return Decision(Target(key, f"u{number}@x.example", dataclasses.replace(RECORD, updated=updated)), Outcome.CHANGED)


@pytest.mark.parametrize(
    ("limit", "kept"),
    [(None, {1, 2, 3, 4, 5}), (5, {1, 2, 3, 4, 5}), (4, {1, 2, 3, 4}), (3, {2, 3, 4}), (2, {2, 3}), (1, {3})],
)
def test_a_limit_takes_the_oldest_changes_first(limit: int | None, kept: set[int]) -> None:
    # 1 is the newest, 3 the oldest, 2 and 4 changed at one time, and nobody knows when 5 did.
    times = {5: None, 1: "2026-03-01T00:00:00Z", 4: "2026-02-01T00:00:00Z", 2: "2026-02-01T00:00:00Z"}
    decisions = [due(number, updated) for number, updated in {**times, 3: "2026-01-01T00:00:00Z"}.items()]
    skipped = Decision(target(), Outcome.SKIPPED, "excluded")
    found = apply_limit([skipped, *decisions], limit, LABELS)
    assert [each.target for each in found] == [each.target for each in (skipped, *decisions)]
    assert {int(each.target.id[:8], 16) for each in found if each.is_due and each.target.id} == kept
    rest = [each for each in found[1:] if not each.is_due]
    assert all(told(each) == ("skipped", "over_limit") and f"limit is {limit}" in str(each.message) for each in rest)


@pytest.mark.parametrize(
    ("count", "most", "fails"), [(2, 2, False), (3, 2, True), (1, 0, True), (0, 0, False), (9, None, False)]
)
def test_max_changes_is_a_brake(count: int, most: int | None, fails: bool) -> None:
    decisions = [due(number, None) for number in range(count)] + [Decision(target(), Outcome.UNCHANGED)]
    if not fails:
        check_max_changes(decisions, most, LABELS)
        return
    with pytest.raises(LimitError, match=f"{count} users? would change, but max_changes is {most}: u0@x.example"):
        check_max_changes(decisions, most, LABELS)


def test_lists_the_first_few() -> None:
    assert listing(["a", "b"]) == "a, b"
    assert listing(list("abcdefg")) == "a, b, c, d, e and 2 more"
