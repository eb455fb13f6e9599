"""The machine's identity at its three endpoints. The functional tests ask them through the unmodified MSAL."""

from __future__ import annotations

import typing as t

import jwt
import pytest

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import IDENTITY_HEADER, Tenant

from .client import Client

# Columns: path, the header of a local process, how the endpoint calls a client id.
ENDPOINTS = [
    ("metadata/identity/oauth2/token", {"Metadata": "true"}, "client_id"),
    ("msi/token", {"X-IDENTITY-HEADER": IDENTITY_HEADER}, "client_id"),
    ("azureml/token", {"secret": IDENTITY_HEADER}, "clientid"),
]


@pytest.mark.parametrize(("endpoint", "headers", "client_id"), ENDPOINTS)
def test_an_endpoint_gives_tokens_of_the_machine(
    endpoint: str, headers: dict[str, str], client_id: str, emulator: Emulator, tenant: Tenant, control: Client
) -> None:
    path, resource = f"/machine/{tenant.id}/{endpoint}", emulator.graph_url

    def ask(**query: str) -> t.Any:
        return control.send("GET", path, params={"resource": resource, **query}, headers=headers)

    assert "Identity not found" in ask().text
    system = tenant.add_identity(roles=["IdentityRiskyUser.Read.All"])
    assigned = tenant.add_identity(user_assigned=True)
    for query, expected in (({}, system), ({client_id: assigned.client_id}, assigned)):
        claims = jwt.decode(ask(**query).json()["access_token"], options={"verify_signature": False})
        assert (claims["appid"], claims["tid"]) == (expected.client_id, tenant.id)
        assert (claims["aud"], claims["roles"]) == (resource, list(expected.roles))
    for query in ({client_id: tenant.add_app().client_id}, {"resource": "https://other.example"}):
        assert ask(**query).status_code == 400
    assert control.send("GET", path, params={"resource": resource}).status_code == 400
    assert control.send("POST", path, headers=headers).status_code == 404
