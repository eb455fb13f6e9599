from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import LimitError, UsersError
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk import decisions as _plan
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.decisions import (
    Decision,
    DirectoryStatus,
    Outcome,
    Target,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS, Record

ID = "04487ee0-f4f6-4e7f-8999-facc5a30e232"
OTHER = "13387ee0-f4f6-4e7f-8999-facc5120e345"
NAME = "Adele.Vance@contoso.example"
RECORD = Record(ID, NAME, "atRisk", "high", "2026-11-01T10:00:00.1234567Z", False, False)
CHANGED = (Outcome.CHANGED, None)
UNCHANGED = (Outcome.UNCHANGED, None)
NOT_LISTED = (Outcome.UNCHANGED, "not_listed")
UNKNOWN_STATE = (Outcome.FAILED, "unknown_state")
UNKNOWN_USER = (Outcome.FAILED, "unknown_user")


def decide(
    target: Target, state: str = "dismissed", excluded: frozenset[str] = frozenset(), since: str | None = None
) -> Decision:
    ticks = None if since is None else _timestamps.parse(since)
    return _plan.decide(target, RISKY_USERS, RISKY_USERS.actions[state], excluded=excluded, since=ticks)


def listed(**changes: object) -> Target:
    record = dataclasses.replace(RECORD, **changes)
    return Target(record.id, record.name, record)


@pytest.mark.parametrize(
    ("present", "dismissed", "safe", "compromised"),
    [
        ("atRisk", CHANGED, CHANGED, CHANGED),
        ("confirmedCompromised", CHANGED, CHANGED, UNCHANGED),
        ("dismissed", UNCHANGED, UNCHANGED, CHANGED),
        ("remediated", UNCHANGED, UNCHANGED, CHANGED),
        ("confirmedSafe", UNCHANGED, UNCHANGED, CHANGED),
        ("none", UNCHANGED, UNCHANGED, CHANGED),
        ("not listed", NOT_LISTED, NOT_LISTED, CHANGED),
        ("unknownFutureValue", UNKNOWN_STATE, UNKNOWN_STATE, UNKNOWN_STATE),
        ("atrisk", UNKNOWN_STATE, UNKNOWN_STATE, UNKNOWN_STATE),
        (None, UNKNOWN_STATE, UNKNOWN_STATE, UNKNOWN_STATE),
    ],
)
def test_already_there(
    present: str | None,
    dismissed: tuple[Outcome, str | None],
    safe: tuple[Outcome, str | None],
    compromised: tuple[Outcome, str | None],
) -> None:
    target = Target(ID, NAME) if present == "not listed" else listed(state=present)
    for state, expected in {"dismissed": dismissed, "safe": safe, "compromised": compromised}.items():
        decision = decide(target, state)
        assert (decision.outcome, decision.reason) == expected, state


@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
@pytest.mark.parametrize("present", ["atRisk", "dismissed", "confirmedCompromised", "unknownFutureValue", None])
def test_a_deleted_user_is_never_written_to(state: str, present: str | None) -> None:
    decision = decide(listed(state=present, deleted=True), state)
    assert (decision.outcome, decision.reason) == (Outcome.SKIPPED, "deleted")


@pytest.mark.parametrize(
    ("directory_status", "state", "expected", "words"),
    [
        (DirectoryStatus.ABSENT, "dismissed", UNKNOWN_USER, "spelling"),
        (DirectoryStatus.ABSENT, "compromised", UNKNOWN_USER, "spelling"),
        (DirectoryStatus.AMBIGUOUS, "safe", UNKNOWN_USER, "object ID"),
        (DirectoryStatus.AMBIGUOUS, "compromised", UNKNOWN_USER, "object ID"),
        (DirectoryStatus.FORBIDDEN, "dismissed", NOT_LISTED, "User.Read.All"),
        (DirectoryStatus.FORBIDDEN, "safe", NOT_LISTED, "User.Read.All"),
        (DirectoryStatus.FORBIDDEN, "compromised", UNKNOWN_USER, "User.Read.All"),
        (DirectoryStatus.CONFIRMED, "dismissed", NOT_LISTED, ""),
        (DirectoryStatus.CONFIRMED, "compromised", CHANGED, ""),
        (DirectoryStatus.UNCHECKED, "safe", NOT_LISTED, ""),
        (DirectoryStatus.UNCHECKED, "compromised", CHANGED, ""),
    ],
)
def test_users_without_a_record(
    directory_status: DirectoryStatus, state: str, expected: tuple[Outcome, str | None], words: str
) -> None:
    decision = decide(Target(None, NAME, directory_status=directory_status), state)
    assert (decision.outcome, decision.reason) == expected
    assert words in (decision.message or "")
    assert bool(words) == bool(decision.message)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("2026-11-01T10:00:00.1234568Z", CHANGED),
        ("2026-11-01T10:00:00.1234567Z", CHANGED),
        ("2026-11-01T12:00:00.1234567+02:00", CHANGED),
        ("2026-11-01T10:00:00.1234566Z", (Outcome.FAILED, "modified_since")),
        ("2026-11-01T10:00:00Z", (Outcome.FAILED, "modified_since")),
    ],
)
def test_if_unmodified_since(since: str, expected: tuple[Outcome, str | None]) -> None:
    decision = decide(listed(), since=since)
    assert (decision.outcome, decision.reason) == expected


@pytest.mark.parametrize("updated", [None, "", "soon"])
def test_a_change_at_an_unknown_time_is_not_covered_by_a_decision(updated: str | None) -> None:
    decision = decide(listed(updated=updated), since="2999-01-01T00:00:00Z")
    assert (decision.outcome, decision.reason) == (Outcome.FAILED, "modified_since")
    assert "None" not in (decision.message or "")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"deleted": True}, "The user is deleted; the risk of deleted users cannot be changed."),
        ({"state": None}, "Graph gives no risk state. Nothing is guessed."),
        (
            {"state": "new"},
            "Graph gives the risk state 'new', which this version of the collection does not know. Nothing is guessed.",
        ),
        (
            {},
            "The risk changed at 2026-11-01T10:00:00.1234567Z, and if_unmodified_since is 2020-01-01T00:00:00Z. "
            "Look at the user again before you decide.",
        ),
        (
            {"updated": None},
            "The risk changed at a time that Graph does not tell, and if_unmodified_since is 2020-01-01T00:00:00Z. "
            "Look at the user again before you decide.",
        ),
    ],
)
def test_tells_why_nothing_is_written(changes: dict[str, object], message: str) -> None:
    assert decide(listed(**changes), since="2020-01-01T00:00:00Z").message == message


@pytest.mark.parametrize(("state", "present"), [("dismissed", "dismissed"), ("compromised", "confirmedCompromised")])
def test_who_needs_no_write_is_unchanged_whatever_has_happened_since(state: str, present: str) -> None:
    decision = decide(listed(state=present), state, since="2020-01-01T00:00:00Z")
    assert (decision.outcome, decision.reason) == UNCHANGED


def test_an_unlisted_user_has_no_newer_risk() -> None:
    assert decide(Target(ID, None), "compromised", since="2020-01-01T00:00:00Z").outcome is Outcome.CHANGED


@pytest.mark.parametrize(
    "target",
    [
        listed(),
        listed(deleted=True),
        listed(state="unknownFutureValue"),
        listed(state="dismissed"),
        Target(ID, None),
        Target(ID, "Other@contoso.example"),
        Target(None, NAME.upper(), directory_status=DirectoryStatus.ABSENT),
        Target(OTHER, NAME),
        # The directory's name is new, the record still has the old one: both are names of this user.
        Target(OTHER, "new.name@contoso.example", RECORD),
    ],
)
@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
def test_protection_comes_before_everything(target: Target, state: str) -> None:
    decision = decide(target, state, frozenset({ID, NAME.casefold()}))
    assert (decision.outcome, decision.reason, decision.message) == (Outcome.SKIPPED, "excluded", None)


def test_protecting_one_does_not_protect_the_others() -> None:
    assert decide(listed(), excluded=frozenset({OTHER, "other@contoso.example"})).outcome is Outcome.CHANGED
    assert decide(Target(None, None), excluded=frozenset({ID})).reason == "not_listed"


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ([], ()),
        ([ID], (ID,)),
        ([ID.upper(), ID], (ID,)),
        ([f"  {ID}\n"], (ID,)),
        ([NAME, NAME.lower(), NAME.upper()], (NAME,)),
        ([OTHER, NAME, ID, OTHER.upper()], (OTHER, NAME, ID)),
        (["guest_example.org#EXT#@contoso.example"], ("guest_example.org#EXT#@contoso.example",)),
        (["o'neil@contoso.example"], ("o'neil@contoso.example",)),
        (["STRASSE@x.example", "stra\u00dfe@x.example"], ("STRASSE@x.example",)),
        (["\u00e9va@contoso.example"], ("\u00e9va@contoso.example",)),
    ],
)
def test_parse_asked(values: list[str], order: tuple[str, ...]) -> None:
    asked = _plan.parse_selection(values, "users", RISKY_USERS)
    assert asked.order == order
    assert asked.ids + asked.names == tuple(sorted(order, key=lambda item: "@" in item))


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "adele",
        "adele.vance",
        f"{{{ID}}}",
        ID[:-1],
        ID + "0",
        ID.replace("-", ""),
        ID.replace("0", "g"),
        "0448\u0667ee0-f4f6-4e7f-8999-facc5a30e232",
        "@contoso.example",
        "adele@",
        "adele vance@contoso.example",
        "adele@contoso.example\nother@contoso.example",
        "adele@contoso.example\u00a0x",
        "adele\x00@contoso.example",
        None,
        42,
    ],
)
def test_a_value_that_is_no_user_names_itself_and_the_option(value: object) -> None:
    with pytest.raises(UsersError) as caught:
        _plan.parse_selection([ID, value, NAME], "exclude_users", RISKY_USERS)
    assert caught.value.message.startswith(f"exclude_users: {str(value).strip()!r} is neither")


def test_many_wrong_values_keep_the_message_short() -> None:
    with pytest.raises(UsersError) as caught:
        _plan.parse_selection([f"wrong{number}" for number in range(2000)], "users", RISKY_USERS)
    assert "'wrong4' and 1995 more are neither" in caught.value.message
    assert len(caught.value.message) < 400


NAMES = st.text(alphabet="abCD\u00e9\u00df'#._", min_size=1, max_size=4).map("{}@contoso.example".format)


@given(st.lists(st.uuids().map(str) | NAMES, max_size=12), st.randoms(use_true_random=False))
def test_no_user_is_asked_for_twice(values: list[str], chance: random.Random) -> None:
    shuffled = [variant for value in values for variant in (value, value.upper())]
    chance.shuffle(shuffled)
    asked = _plan.parse_selection(shuffled, "users", RISKY_USERS)
    folded = [item.casefold() for item in asked.order]
    assert len(folded) == len(set(folded))
    assert set(folded) == {value.casefold() for value in values}


@pytest.mark.parametrize(
    ("changing", "limit", "words"),
    [(0, 0, None), (2, 2, None), (2, None, None), (1, 0, "1 user would change"), (3, 2, "3 users would change")],
)
def test_check_limit(changing: int, limit: int | None, words: str | None) -> None:
    decisions = [Decision(listed(), Outcome.CHANGED)] * changing + [
        Decision(listed(), outcome) for outcome in Outcome if outcome is not Outcome.CHANGED
    ]
    if words is None:
        _plan.check_limit(decisions, limit, RISKY_USERS.labels)
        return
    with pytest.raises(LimitError) as caught:
        _plan.check_limit(decisions, limit, RISKY_USERS.labels)
    assert words in caught.value.message
    assert f"max_changes is {limit}" in caught.value.message
    assert caught.value.message.endswith(" Then narrow the selection, or raise it for good.")


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a, b"),
        (list("abcde"), "a, b, c, d, e"),
        (list("abcdef"), "a, b, c, d, e and 1 more"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
    ],
)
def test_listing(items: list[str], text: str) -> None:
    assert _plan.listing(items) == text


def test_labels() -> None:
    assert Decision(Target(ID, NAME), Outcome.CHANGED).label == NAME
    assert Decision(Target(ID, None), Outcome.CHANGED).label == ID
    assert Decision(Target(None, None), Outcome.FAILED).label == "?"
