"""The machine's identity, through the unmodified MSAL."""

from __future__ import annotations

import typing as t

import jwt
import msal
import pytest
import requests

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import IDENTITY_HEADER, Tenant

from .client import Client

SOURCES: t.Mapping[str, t.Callable[[str], dict[str, str]]] = {
    "imds": lambda machine: {"AZURE_POD_IDENTITY_AUTHORITY_HOST": machine},
    "app service": lambda machine: {"IDENTITY_ENDPOINT": f"{machine}/msi/token", "IDENTITY_HEADER": IDENTITY_HEADER},
    "azure ml": lambda machine: {"MSI_ENDPOINT": f"{machine}/azureml/token", "MSI_SECRET": IDENTITY_HEADER},
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "MSI_ENDPOINT",
        "MSI_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)


def ask(emulator: Emulator, client_id: str | None = None, resource: str | None = None) -> dict[str, t.Any]:
    identity = (
        msal.UserAssignedManagedIdentity(client_id=client_id) if client_id else msal.SystemAssignedManagedIdentity()
    )
    session = requests.Session()
    session.trust_env = False
    client = msal.ManagedIdentityClient(identity, http_client=session)
    result: dict[str, t.Any] = client.acquire_token_for_client(resource=resource or emulator.graph_url)
    session.close()
    return result


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_a_token(
    source: str, emulator: Emulator, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tenant.add_identity(roles=["IdentityRiskyUser.Read.All"])
    assigned = tenant.add_identity(user_assigned=True)
    stranger = tenant.add_app()
    for name, value in SOURCES[source](tenant.machine_url).items():
        monkeypatch.setenv(name, value)
    for client_id, expected in ((None, system), (assigned.client_id, assigned)):
        claims = jwt.decode(ask(emulator, client_id)["access_token"], options={"verify_signature": False})
        assert (claims["appid"], claims["tid"]) == (expected.client_id, tenant.id)
        assert claims["roles"] == list(expected.roles)
        assert claims["aud"] == emulator.graph_url
    assert "error" in ask(emulator, stranger.client_id)
    assert "error" in ask(emulator, resource="https://other.example")


def test_a_machine_without_identity(emulator: Emulator, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", tenant.machine_url)
    assert ask(emulator)["error_description"] == "Identity not found"


@pytest.mark.parametrize("endpoint", ["metadata/identity/oauth2/token", "msi/token", "azureml/token"])
def test_the_header_of_a_local_process_is_required(
    endpoint: str, emulator: Emulator, tenant: Tenant, control: Client
) -> None:
    tenant.add_identity()
    path = f"/machine/{tenant.id}/{endpoint}?resource={emulator.graph_url}"
    assert control.send("GET", path).status_code == 400
    assert control.send("POST", path).status_code == 404
