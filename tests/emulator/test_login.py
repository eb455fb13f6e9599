"""What a login that is not right gets. Right ones are made by the functional tests, through the unmodified MSAL."""

from __future__ import annotations

import base64
import time
import typing as t
import uuid

import jwt
import pytest
import requests

from tests.entra_emulator.apps import App
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.login import ASSERTION_TYPE
from tests.entra_emulator.pki import ClientCertificate
from tests.entra_emulator.tenant import Tenant

from .client import Client

SUBJECT = "repo:contoso/playbooks:ref:refs/heads/main"


@pytest.fixture(scope="module")
def key_pair() -> ClientCertificate:
    return ClientCertificate()


@pytest.fixture
def app(emulator: Emulator, tenant: Tenant, key_pair: ClientCertificate) -> App:
    return tenant.add_app(
        certificate=key_pair.certificate_pem(), federated=[{"issuer": emulator.oidc.url, "subject": SUBJECT}]
    )


def assertion(key_pair: ClientCertificate, app: App, tenant: Tenant, **claims: t.Any) -> str:
    """A client assertion made by hand; the arguments replace its claims."""
    now = int(time.time())
    right = {
        "iss": app.client_id,
        "sub": app.client_id,
        "aud": f"{tenant.authority}/oauth2/v2.0/token",
        "exp": now + 300,
        "nbf": now,
        "jti": str(uuid.uuid4()),
    }
    thumbprint = base64.urlsafe_b64encode(bytes.fromhex(key_pair.thumbprint)).decode()
    return jwt.encode({**right, **claims}, key_pair.key_pem(), algorithm="PS256", headers={"x5t": thumbprint})


def post(emulator: Emulator, tenant: Tenant, app: App, **fields: str) -> requests.Response:
    """A token request made by hand."""
    form = {"grant_type": "client_credentials", "scope": f"{emulator.graph_url}/.default", "client_id": app.client_id}
    client = Client(emulator.login_url, emulator.ca_path)
    try:
        return client.send("POST", f"/{tenant.id}/oauth2/v2.0/token", data={**form, **fields})
    finally:
        client.close()


def test_a_forged_oidc_token(emulator: Emulator, tenant: Tenant, app: App) -> None:
    claims = {"iss": emulator.oidc.url, "sub": SUBJECT, "aud": "api://AzureADTokenExchange", "exp": time.time() + 60}
    token = jwt.encode(claims, ClientCertificate().key_pem(), algorithm="RS256")
    answer = post(emulator, tenant, app, client_assertion=token, client_assertion_type=ASSERTION_TYPE)
    assert answer.json()["error_codes"] == [50027]


def test_the_oidc_issuer_publishes_its_key(control: Client, tenant: Tenant, emulator: Emulator) -> None:
    configuration = control.get("/oidc/.well-known/openid-configuration").json()
    jwks = control.get(configuration["jwks_uri"][len(control.origin) :]).json()
    token = tenant.mint_oidc(SUBJECT)
    key = jwt.PyJWKSet.from_dict(jwks)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="api://AzureADTokenExchange")
    assert configuration["issuer"] == claims["iss"] == emulator.oidc.url


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({}, None),
        ({"aud": "https://other.example/token"}, 700023),
        ({"sub": "somebody else"}, 700021),
        ({"exp": 1}, 700024),
        ({"nbf": time.time() + 3600}, 700024),
        ({"exp": None}, 50027),
    ],
)
def test_the_claims_of_a_client_assertion_are_verified(
    claims: dict[str, t.Any],
    code: int | None,
    emulator: Emulator,
    tenant: Tenant,
    app: App,
    key_pair: ClientCertificate,
) -> None:
    given = assertion(key_pair, app, tenant, **claims)
    answer = post(emulator, tenant, app, client_assertion=given, client_assertion_type=ASSERTION_TYPE)
    assert answer.json().get("error_codes", [None]) == [code]
    assert answer.status_code == (200 if code is None else 401)


def test_the_signature_of_a_client_assertion_is_verified(
    emulator: Emulator, tenant: Tenant, app: App, key_pair: ClientCertificate
) -> None:
    stranger = ClientCertificate()
    unregistered = assertion(stranger, app, tenant)
    thumbprint = jwt.get_unverified_header(assertion(key_pair, app, tenant))["x5t"]
    claims = jwt.decode(unregistered, options={"verify_signature": False})
    forged = jwt.encode(claims, stranger.key_pem(), algorithm="PS256", headers={"x5t": thumbprint})
    for given in (unregistered, forged):
        answer = post(emulator, tenant, app, client_assertion=given, client_assertion_type=ASSERTION_TYPE)
        assert answer.json()["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [({"grant_type": ""}, 400, 900144), ({"client_id": ""}, 400, 900144), ({"scope": ""}, 400, 900144),
     ({"grant_type": "password"}, 400, 70003), ({"scope": "a/.default b/.default"}, 400, 70011),
     ({"client_secret": ""}, 401, 7000216), ({"client_assertion": "x.y.z"}, 400, 900144)],
)  # fmt: skip
def test_a_malformed_token_request(
    fields: dict[str, str], status: int, code: int, emulator: Emulator, tenant: Tenant, app: App
) -> None:
    answer = post(emulator, tenant, app, **{"client_secret": app.secret or "", **fields})
    assert (answer.status_code, answer.json()["error_codes"]) == (status, [code])


def test_discovery_keeps_the_origin_that_was_called(emulator: Emulator, tenant: Tenant) -> None:
    origin = emulator.login_url.replace("localhost", "127.0.0.1")
    client = Client(origin, emulator.ca_path)
    configuration = client.get(f"/{tenant.domain}/v2.0/.well-known/openid-configuration").json()
    instance = client.get("/common/discovery/instance").json()
    keys = client.get(f"/{tenant.id}/discovery/v2.0/keys").json()
    elsewhere = client.get(f"/{tenant.id}/oauth2/v2.0/authorize")
    read = client.get(f"/{tenant.id}/oauth2/v2.0/token")
    client.close()
    assert configuration["token_endpoint"] == f"{origin}/{tenant.domain}/oauth2/v2.0/token"
    assert instance["metadata"][0]["aliases"] == [origin[len("https://") :]]
    assert keys["keys"][0]["kty"] == "RSA"
    assert elsewhere.status_code == 404
    assert read.json()["error_codes"] == [900561]
