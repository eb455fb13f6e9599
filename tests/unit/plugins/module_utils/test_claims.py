"""What a token says of itself. It is foreign data: whatever it holds, nothing fails, and nothing odd comes out."""

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.permissions import (
    HIGHER,
    includes,
    role_names,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.claims import Claims, read_claims

TENANT, APP, OBJECT = (f"{number}c0f5d2e-2b1f-4b5e-9a53-2f1f2f6c9d10" for number in range(3))
WRITE = "IdentityRiskyUser.ReadWrite.All"
WRITER = "194ae4cb-b126-40b2-bd5b-6091b380977d"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(payload: t.Any) -> str:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"{encoded(b'{}')}.{encoded(data)}.c2ln"


def test_reads_who_the_token_is_for() -> None:
    claims = {"tid": TENANT, "appid": APP, "oid": OBJECT, "idtyp": "app", "roles": [WRITE], "exp": 1767225600}
    assert read_claims(token({**claims, "wids": [WRITER.upper()]})) == Claims(
        "application", TENANT, APP, OBJECT, (WRITE,), (WRITER,), 1767225600 * 10**7
    )
    assert read_claims(token({"azp": APP})).client_id == APP


KINDS: t.Sequence[tuple[dict[str, t.Any], str, tuple[str, ...] | None]] = (
    ({"idtyp": "app"}, "application", ()),
    ({"idtyp": "app", "roles": [WRITE, WRITE]}, "application", (WRITE,)),
    ({"idtyp": "app", "roles": WRITE}, "application", None),
    ({"roles": []}, "application", ()),
    ({"oid": OBJECT, "sub": OBJECT}, "application", ()),
    ({"idtyp": "user", "scp": f"openid  {WRITE}"}, "delegated", ("openid", WRITE)),
    ({"scp": ""}, "delegated", ()),
    ({"idtyp": "user"}, "delegated", None),
    ({"scp": [WRITE]}, "unknown", None),
    ({"oid": OBJECT, "sub": APP}, "unknown", None),
    ({"idtyp": ["app"]}, "unknown", None),
)


@pytest.mark.parametrize(("claims", "kind", "permissions"), KINDS, ids=str)
def test_tells_applications_from_users(
    claims: dict[str, t.Any], kind: str, permissions: tuple[str, ...] | None
) -> None:
    read = read_claims(token(claims))
    assert (read.kind, read.permissions) == (kind, permissions)


UNREADABLE: t.Mapping[str, str] = {
    "nothing": "",
    "opaque": "EwBwA8l6BAAURSN",
    "encrypted": f"{token({'idtyp': 'app'})}.a.b",
    "bad base64": "e30.!!!!.c2ln",
    "wrong length": "e30.A.c2ln",
    "no ASCII": "e30.\u00e9\u00e9.c2ln",
    "no UTF-8": token(b'{"idtyp": "\xff"}'),
    "no JSON": token(b"{"),
    "a list": token([{"idtyp": "app"}]),
    "nested": token(b"[" * 70_000),
    "huge": token({"idtyp": "app", "x": "a" * 100_000}),
    "long number": token(b'{"exp": %s}' % (b"9" * 5000)),
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_unknown(text: str) -> None:
    assert read_claims(text) == Claims()


@pytest.mark.parametrize("exp", [None, "1767225600", True, -1, 10**15, float("nan"), float("inf"), [1]], ids=str)
def test_takes_no_other_value_for_a_time(exp: t.Any) -> None:
    assert read_claims(token({"exp": exp})).expires_at is None


def test_leaves_out_what_is_no_id_and_no_permission() -> None:
    odd = ["a b", "a\nb", "\u202ea", "", "a" * 200, None, 1, {}]
    claims = {"tid": "contoso\n", "appid": 1, "oid": {}, "idtyp": "app", "roles": [*odd, WRITE], "wids": [*odd, WRITER]}
    assert read_claims(token(claims)) == Claims("application", permissions=(WRITE,), role_ids=(WRITER,))


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4)


@given(st.dictionaries(st.sampled_from(["tid", "appid", "oid", "sub", "idtyp", "roles", "scp", "wids", "exp"]), JSON))
def test_whatever_a_token_holds_what_comes_out_is_plain(claims: dict[str, t.Any]) -> None:
    assert repr(dataclasses.astuple(read_claims(token(claims)))).isascii()


def test_names_the_roles_that_it_knows_and_leaves_out_what_is_none() -> None:
    ids = ["0997a1d0-0d1d-4acb-b408-d5ca73121e90", WRITER, OBJECT, "b79fbf4d-3ef9-4689-8143-76b194e85509"]
    assert role_names(ids) == ["Security Administrator", OBJECT]


def test_a_higher_permission_counts() -> None:
    assert includes([WRITE], "IdentityRiskyUser.Read.All") and not includes(["IdentityRiskyUser.Read.All"], WRITE)
    assert includes(["Group.Read.All"], "GroupMember.Read.All") and includes(["x"], "x")
    assert not includes([], "User.Read.All")
    # An entry that includes itself, or one that it includes, would be a mistake in the table.
    assert all(key not in HIGHER.get(higher, ()) and key != higher for key in HIGHER for higher in HIGHER[key])
