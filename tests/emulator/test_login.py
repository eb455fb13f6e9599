"""What a login that is not right gets. Right ones are made by the functional tests, through the unmodified MSAL."""

from __future__ import annotations

import base64
import time
import typing as t
import uuid

import jwt
import pytest

from tests.entra_emulator.apps import App
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.login import ASSERTION_TYPE
from tests.entra_emulator.pki import ClientCertificate
from tests.entra_emulator.tenant import Tenant

from .client import Client

SUBJECT = "repo:contoso/playbooks:ref:refs/heads/main"
Post = t.Callable[..., t.Any]


@pytest.fixture(scope="module")
def key_pair() -> ClientCertificate:
    return ClientCertificate()


@pytest.fixture(scope="module")
def stranger() -> ClientCertificate:
    return ClientCertificate()


@pytest.fixture
def app(emulator: Emulator, tenant: Tenant, key_pair: ClientCertificate) -> App:
    return tenant.add_app(
        certificate=key_pair.certificate_pem(), federated=[{"issuer": emulator.oidc.url, "subject": SUBJECT}]
    )


@pytest.fixture
def post(emulator: Emulator, tenant: Tenant, app: App) -> t.Iterator[Post]:
    """A token request made by hand."""
    form = {"grant_type": "client_credentials", "scope": f"{emulator.graph_url}/.default", "client_id": app.client_id}
    client = Client(emulator.login_url, emulator.ca_path)
    yield lambda **fields: client.send("POST", f"/{tenant.id}/oauth2/v2.0/token", data={**form, **fields})
    client.close()


# Columns: claims; whether the registered certificate is named, and whether its key signed; the code of the refusal.
@pytest.mark.parametrize(
    ("claims", "named", "signed", "code"),
    [
        ({}, True, True, None),
        ({}, False, False, 700027),
        ({}, True, False, 700027),
        ({"aud": "https://other.example/token"}, True, True, 700023),
        ({"sub": "somebody else"}, True, True, 700021),
        ({"exp": 1}, True, True, 700024),
        ({"nbf": time.time() + 3600}, True, True, 700024),
        ({"exp": None}, True, True, 50027),
    ],
)
def test_a_client_assertion_is_verified(
    claims: dict[str, t.Any],
    named: bool,
    signed: bool,
    code: int | None,
    tenant: Tenant,
    app: App,
    key_pair: ClientCertificate,
    stranger: ClientCertificate,
    post: Post,
) -> None:
    now = int(time.time())
    right = {"iss": app.client_id, "sub": app.client_id, "aud": f"{tenant.authority}/oauth2/v2.0/token",
             "exp": now + 300, "nbf": now, "jti": str(uuid.uuid4())}  # fmt: skip
    headers = {"x5t": base64.urlsafe_b64encode(bytes.fromhex((key_pair if named else stranger).thumbprint)).decode()}
    signer = key_pair if signed else stranger
    given = jwt.encode({**right, **claims}, signer.key_pem(), algorithm="PS256", headers=headers)
    answer = post(client_assertion=given, client_assertion_type=ASSERTION_TYPE)
    assert answer.json().get("error_codes", [None]) == [code]
    assert answer.status_code == (200 if code is None else 401)


def test_a_token_that_the_issuer_has_not_signed_is_refused(
    tenant: Tenant, stranger: ClientCertificate, post: Post
) -> None:
    claims = jwt.decode(tenant.mint_oidc(SUBJECT), options={"verify_signature": False})
    forged = jwt.encode(claims, stranger.key_pem(), algorithm="RS256")
    answer = post(client_assertion=forged, client_assertion_type=ASSERTION_TYPE)
    assert answer.json()["error_codes"] == [50027]
