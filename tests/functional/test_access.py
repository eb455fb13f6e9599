"""The module that tells what works in a tenant. What it finds is in tests/unit, in test_access.py."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .running import Run

MODULE = "access_info"

LOGINS: t.Mapping[str, tuple[dict[str, t.Any], str]] = {
    "no credentials": ({"access_token": None}, "credentials"),
    "wrong secret": ({"access_token": None, "secret": "wrong"}, "login"),
    "login away": ({"access_token": None, "secret": "wrong", "authority_host": "https://localhost:1"}, "network"),
    "unknown CA": ({"access_token": None, "secret": "wrong", "ca_path": None}, "tls"),
}


@pytest.mark.parametrize(("options", "kind"), LOGINS.values(), ids=LOGINS)
def test_fails_only_where_the_login_does(tenant: Tenant, run: Run, options: dict[str, t.Any], kind: str) -> None:
    if "secret" in options:
        options = {"tenant": tenant.id, "client_id": tenant.add_app().client_id, **options}
    ended = run(MODULE, **options)
    assert (ended.kind, ended.result["ok"], ended.result["checks"]) == (kind, False, [])
    assert ended.result["identity"] == {
        **dict.fromkeys(("tenant_id", "client_id", "object_id", "permissions", "directory_roles", "expires_at")),
        "kind": "unknown",
    }


def test_an_expired_token_fails_and_shows_when_it_ended(tenant: Tenant, run: Run) -> None:
    ended = run(MODULE, access_token=tenant.mint_token(expires_in=-60))
    assert (ended.kind, ended.result["ok"], ended.result["checks"]) == ("login", False, [])
    assert ended.result["identity"]["expires_at"] is not None
