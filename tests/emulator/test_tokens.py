# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may ask what: tokens, permissions, roles, licence."""

from __future__ import annotations

import base64
import json
import typing as t

import jwt
import pytest

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.pki import ClientCertificate
from tests.entra_emulator.resources import READER_ROLES, WRITER_ROLES
from tests.entra_emulator.tenant import Tenant

from .client import RISKY_USERS, UNKNOWN_ID, Client

Ask = t.Callable[..., t.Any]


@pytest.fixture
def client_for(emulator: Emulator) -> t.Iterator[t.Callable[[str | None], Client]]:
    """A client for any token."""
    clients: list[Client] = []

    def make(token: str | None) -> Client:
        clients.append(Client(emulator.graph_url, emulator.ca_path, token))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def forged(tenant: Tenant) -> str:
    claims = jwt.decode(tenant.mint_token(), options={"verify_signature": False})
    return jwt.encode(claims, ClientCertificate().key_pem(), algorithm="RS256")


REFUSED_TOKENS: t.Mapping[str, tuple[t.Callable[[Tenant], str], str]] = {
    "expired": (lambda tenant: tenant.mint_token(expires_in=-1), "Lifetime validation failed, the token is expired."),
    "audience": (
        lambda tenant: tenant.mint_token(audience="https://graph.microsoft.com"),
        "Access token validation failure. Invalid audience.",
    ),
    "forged": (forged, "Access token validation failure. Invalid signature."),
    "garbage": (lambda tenant: "garbage", "Access token validation failure. Invalid signature."),
}


@pytest.mark.parametrize("kind", REFUSED_TOKENS)
def test_a_bad_token_is_refused(kind: str, tenant: Tenant, client_for: Ask) -> None:
    make, message = REFUSED_TOKENS[kind]
    user = tenant.add_user("adele.vance@contoso.example")

    answer = client_for(make(tenant)).act("dismiss", user.id)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert answer.json()["error"]["message"] == message
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert tenant.user(user.id) == user


@pytest.mark.breaks_contract
def test_a_missing_token_is_refused(emulator: Emulator, client_for: Ask) -> None:
    emulator.journal.clear()

    answer = client_for(None).get()

    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "Access token is empty.")
    assert [entry["authorization"] for entry in emulator.journal.entries] == [None]


def test_a_revoked_token_gets_a_claims_challenge(tenant: Tenant, client_for: Ask) -> None:
    client = client_for(tenant.mint_token())
    assert client.get().status_code == 200

    tenant.revoke_tokens()

    answer = client.get()
    challenge = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in challenge
    claims = json.loads(base64.b64decode(challenge.rpartition('claims="')[2].rstrip('"')))
    assert claims["access_token"]["nbf"]["essential"] is True
    assert client_for(tenant.mint_token()).get().status_code == 200


def test_tenants_do_not_see_each_other(emulator: Emulator, tenant: Tenant, client_for: Ask) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    other = emulator.add_tenant()
    client = client_for(other.mint_token())

    assert client.get().json()["value"] == []
    assert client.act("dismiss", user.id).status_code == 404
    assert tenant.user(user.id) == user
    assert tenant.journal.entries == []
    emulator.remove_tenant(other)
    assert client.get().status_code == 401


READ = ["IdentityRiskyUser.Read.All"]
WRITE = ["IdentityRiskyUser.ReadWrite.All"]
DIRECTORY = ["User.Read.All"]
SCOPES = "You cannot perform the requested operation, required scopes are missing in the token."


@pytest.mark.parametrize(
    ("roles", "read", "write", "look_up"),
    [(READ, 200, 403, 403), (WRITE, 200, 204, 403), (DIRECTORY, 403, 403, 200), ([], 403, 403, 403),
     (["Directory.Read.All", *WRITE], 200, 204, 200)],
)  # fmt: skip
def test_permissions(roles: list[str], read: int, write: int, look_up: int, tenant: Tenant, client_for: Ask) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    client = client_for(tenant.mint_token(roles=roles))

    answers = [
        (client.get(), read),
        (client.get(f"{RISKY_USERS}/{user.id}/history"), read),
        (client.act("dismiss", user.id), write),
    ]
    directory = [
        client.get(f"/v1.0/users/{user.id}"),
        client.send("POST", "/v1.0/directoryObjects/getByIds", json={"ids": [user.id]}),
    ]

    for answer, status in answers:
        assert answer.status_code == status
        if status == 403:
            assert (answer.json()["error"]["code"], answer.json()["error"]["message"]) == ("Forbidden", SCOPES)
    for answer in directory:
        assert answer.status_code == look_up
        if look_up == 403:
            assert answer.json()["error"]["code"] == "Authorization_RequestDenied"


@pytest.mark.parametrize(
    ("roles", "read", "write"),
    [([], 403, 403), (READER_ROLES.values(), 200, 403), (WRITER_ROLES.values(), 200, 204)],
)
def test_a_person_needs_an_entra_role_besides(
    roles: t.Sequence[str], read: int, write: int, tenant: Tenant, client_for: Ask
) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    for role in list(roles) or ["00000000-0000-0000-0000-000000000000"]:
        client = client_for(tenant.mint_token(scp="openid IdentityRiskyUser.ReadWrite.All", wids=[role]))
        assert client.get().status_code == read
        assert client.act("dismiss", user.id).status_code == write


def test_a_person_without_the_permission(tenant: Tenant, client_for: Ask) -> None:
    client = client_for(tenant.mint_token(scp="User.Read.All", wids=list(WRITER_ROLES.values())))

    assert client.get().json()["error"]["message"] == SCOPES
    assert client.get("/v1.0/users/" + UNKNOWN_ID).status_code == 404


def test_a_tenant_without_licence(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    tenant.switches.licensed = False

    for answer in (graph.get(), graph.act("dismiss", user.id)):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "Forbidden"
        assert answer.json()["error"]["message"] == "Your tenant is not licensed for this feature."
    assert graph.get(f"/v1.0/users/{user.id}").status_code == 200
    assert tenant.user(user.id) == user
