"""User principal names: of every spelling, old and new, and where the directory may not be read."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import ID, NAME, ids, states
from .running import Options, Run

ROLE = "IdentityRiskyUser.ReadWrite.All"
# Columns: the name in the directory, how a task spells it, what becomes of the user; anything else.
SPELLED: t.Sequence[tuple[str, str, str, Options]] = (
    ("miles.o'brien@contoso.example", "miles.o'brien@contoso.example", "changed", {}),
    ("nestor_fabrikam.example#EXT#@contoso.example", "NESTOR_fabrikam.example#ext#@contoso.example", "changed", {}),
    ("björn.müller@contoso.example", "BJöRN.müller@contoso.example", "changed", {}),
    ("ops+100%@contoso.example", "ops+100%@contoso.example", "changed", {}),
    ("maiden@contoso.example", "married@contoso.example", "changed", {"directory_upn": "married@contoso.example"}),
    ("o'hara#EXT#@contoso.example", "o'hara#EXT#@contoso.example", "unchanged not_listed", {"listed": False}),
    ("left@contoso.example", "left@contoso.example", "skipped deleted", {"deleted": True}),
)


@pytest.mark.parametrize(("upn", "spelling", "outcome", "more"), SPELLED, ids=[case[0] for case in SPELLED])
def test_finds_names_of_every_spelling(
    tenant: Tenant, run: Run, upn: str, spelling: str, outcome: str, more: Options
) -> None:
    user = tenant.add_user(upn, **more)
    ended = run("risky_user", state="dismissed", users=[spelling, user.id, spelling.upper() if upn.isascii() else upn])
    assert ([entry["id"] for entry in ended.entries], ended.outcomes) == ([user.id], [outcome])
    assert ended.written == ([user.id] if outcome == "changed" else [])


@pytest.mark.parametrize("state", ["dismissed", "safe", "compromised"])
def test_fails_a_name_that_nobody_has(people: Tenant, run: Run, state: str) -> None:
    ended = run("risky_user", state=state, users=["Unknown'@contoso.example", ID["alex"]])
    assert ended.outcomes == ["failed unknown_user", "changed"]
    assert (ended.entries[0]["id"], ended.entries[0]["user_principal_name"]) == (None, "Unknown'@contoso.example")
    assert ended.kind == "users" and ended.written == ids("alex")


@pytest.mark.parametrize(
    ("state", "name", "key"),
    [
        *((state, "unchanged not_listed", "unchanged not_listed") for state in ("dismissed", "safe")),
        ("compromised", "failed unknown_user", "failed rejected"),
    ],
)
def test_goes_by_records_where_the_directory_is_closed(
    people: Tenant, run: Run, state: str, name: str, key: str
) -> None:
    users = [NAME["unlisted"], "Alex.wilber@contoso.example", NAME["unknown"], ID["unknown"]]
    ended = run("risky_user", state=state, users=users, access_token=people.mint_token(roles=[ROLE]))
    assert ended.outcomes == [name, "changed", name, key]
    assert [entry["id"] for entry in ended.entries] == [None, ID["alex"], None, ID["unknown"]]
    assert "User.Read.All" in ended.entries[0]["message"]
    assert ended.failed == (state == "compromised")
    assert ended.written == ids("alex")


def test_checks_who_exists_before_a_confirmation(people: Tenant, run: Run) -> None:
    ended = run("risky_user", state="compromised", users=[ID["unknown"], ID["unlisted"], NAME["unknown"]])
    assert ended.outcomes == ["failed unknown_user", "changed", "failed unknown_user"]
    assert [entry["id"] for entry in ended.entries] == [ID["unknown"], ID["unlisted"], None]
    assert ended.entries[1]["user_principal_name"] == NAME["unlisted"]
    assert ended.entries[1]["after"] == {"risk_state": "confirmedCompromised", "risk_level": "high"}
    # The id that nobody has is never in a write.
    writes = [entry["body"] for entry in ended.journal if entry["path"].endswith("/confirmCompromised")]
    assert writes == [{"userIds": ids("unlisted")}]
    assert states(people)["unlisted"] == "confirmedCompromised"
