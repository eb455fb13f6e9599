"""Who may ask what: tokens and permissions."""

from __future__ import annotations

import base64
import contextlib
import json
import typing as t

import jwt
import pytest

from tests.entra_emulator.apps import DEFAULT_ROLES
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.pki import ClientCertificate
from tests.entra_emulator.tenant import Tenant

from .client import GET_BY_IDS, RISKY_SERVICE_PRINCIPALS, RISKY_USERS, Client

Ask = t.Callable[..., t.Any]


@pytest.fixture
def client_for(emulator: Emulator) -> t.Iterator[Ask]:
    """A client for any token."""
    with contextlib.ExitStack() as clients:

        def make(token: str | None) -> Client:
            client = Client(emulator.graph_url, emulator.ca_path, token)
            clients.callback(client.close)
            return client

        yield make


def test_a_bad_token_is_refused(tenant: Tenant, client_for: Ask) -> None:
    claims = jwt.decode(tenant.mint_token(), options={"verify_signature": False})
    user = tenant.add_user("adele.vance@contoso.example")
    for token, message in (
        (tenant.mint_token(expires_in=-1), "Lifetime validation failed, the token is expired."),
        (
            tenant.mint_token(audience="https://graph.microsoft.com"),
            "Access token validation failure. Invalid audience.",
        ),
        (jwt.encode(claims, ClientCertificate().key_pem(), algorithm="RS256"), "Access token validation failure."),
        ("garbage", "Access token validation failure. Invalid signature."),
    ):
        answer = client_for(token).act("dismiss", user.id)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
        assert answer.json()["error"]["message"].startswith(message)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert tenant.user(user.id) == user


def test_a_revoked_token_gets_a_claims_challenge(tenant: Tenant, client_for: Ask) -> None:
    client = client_for(tenant.mint_token())
    assert client.get().status_code == 200
    tenant.revoke_tokens()
    challenge = client.get().headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in challenge
    claims = json.loads(base64.b64decode(challenge.rpartition('claims="')[2].rstrip('"')))
    assert claims["access_token"]["nbf"]["essential"] is True
    assert client_for(tenant.mint_token()).get().status_code == 200


def test_tenants_do_not_see_each_other(emulator: Emulator, tenant: Tenant, client_for: Ask) -> None:
    user, other = tenant.add_user("adele.vance@contoso.example"), emulator.add_tenant()
    client = client_for(other.mint_token())
    assert client.get().json()["value"] == []
    assert client.act("dismiss", user.id).status_code == 404
    assert tenant.user(user.id) == user
    assert tenant.journal.entries == []
    emulator.remove_tenant(other)
    assert client.get().status_code == 401


SCOPES = "You cannot perform the requested operation, required scopes are missing in the token."
DENIED = "Insufficient privileges to complete the operation."
USERS, WORKLOADS = (RISKY_USERS, "users"), (RISKY_SERVICE_PRINCIPALS, "servicePrincipals")
# Columns: where Graph has them, permissions, and the statuses of reading, writing and looking up in the directory.
PERMISSIONS = [
    (USERS, ["IdentityRiskyUser.Read.All"], 200, 403, 403),
    (USERS, ["User.Read.All"], 403, 403, 200),
    (USERS, ["Directory.Read.All", "IdentityRiskyUser.ReadWrite.All"], 200, 204, 200),
    (USERS, ["IdentityRiskyServicePrincipal.ReadWrite.All", "Application.Read.All"], 403, 403, 403),
    (WORKLOADS, ["IdentityRiskyServicePrincipal.Read.All"], 200, 403, 403),
    (WORKLOADS, ["IdentityRiskyServicePrincipal.ReadWrite.All", "Application.Read.All"], 200, 204, 200),
    (WORKLOADS, ["Directory.Read.All"], 403, 403, 200),
    # What an app has here without saying more.
    (WORKLOADS, list(DEFAULT_ROLES), 403, 403, 403),
]


@pytest.mark.parametrize(("where", "roles", "read", "write", "look_up"), PERMISSIONS)
def test_permissions(
    where: tuple[str, str], roles: list[str], read: int, write: int, look_up: int, tenant: Tenant, client_for: Ask
) -> None:
    path, name = where
    add = tenant.add_user if where is USERS else tenant.add_service_principal
    added = add("adele.vance@contoso.example")
    client = client_for(tenant.mint_token(roles=roles))
    by_type = {"ids": [added.id], "types": [name[:-1]]}
    risk, directory = ("Forbidden", SCOPES), ("Authorization_RequestDenied", DENIED)
    for answer, status, refusal in (
        (client.get(path), read, risk),
        (client.get(f"{path}/{added.id}/history"), read, risk),
        (client.act("dismiss", added.id, prefix=path), write, risk),
        (client.get(f"/v1.0/{name}/{added.id}"), look_up, directory),
        (client.get(f"/v1.0/{name}"), look_up, directory),
        (client.send("POST", GET_BY_IDS, json=by_type), look_up, directory),
    ):
        assert answer.status_code == status
        if status == 403:
            assert (answer.json()["error"]["code"], answer.json()["error"]["message"]) == refusal
