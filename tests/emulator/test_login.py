"""Logins through the unmodified MSAL, and what a forged one gets."""

from __future__ import annotations

import base64
import time
import typing as t
import uuid
from pathlib import Path

import jwt
import msal
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


@pytest.fixture
def login(emulator: Emulator, tenant: Tenant, app: App) -> t.Callable[..., dict[str, t.Any]]:
    """Log in with MSAL; gives its result."""
    session = requests.Session()
    session.trust_env = False
    session.verify = emulator.ca_path

    def log_in(
        credential: t.Any,
        *,
        client_id: str = app.client_id,
        tenant_name: str = tenant.id,
        scope: str = f"{emulator.graph_url}/.default",
    ) -> dict[str, t.Any]:
        client = msal.ConfidentialClientApplication(
            client_id,
            authority=f"{emulator.login_url}/{tenant_name}",
            client_credential=credential,
            instance_discovery=False,
            http_client=session,
        )
        result: dict[str, t.Any] = client.acquire_token_for_client([scope])
        return result

    return log_in


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


def post(emulator: Emulator, tenant: Tenant, **fields: str) -> requests.Response:
    """A token request made by hand."""
    form = {"grant_type": "client_credentials", "scope": f"{emulator.graph_url}/.default", **fields}
    client = Client(emulator.login_url, emulator.ca_path)
    try:
        return client.send("POST", f"/{tenant.id}/oauth2/v2.0/token", data=form)
    finally:
        client.close()


CREDENTIALS: t.Mapping[str, t.Callable[[App, ClientCertificate, Tenant, Path], t.Any]] = {
    "secret": lambda app, pair, tenant, path: app.secret,
    "pem and certificate (PS256, x5t#S256)": lambda app, pair, tenant, path: {
        "private_key": pair.key_pem(),
        "public_certificate": pair.certificate_pem(),
    },
    "pem and thumbprint (RS256, x5t)": lambda app, pair, tenant, path: {
        "private_key": pair.key_pem(),
        "thumbprint": pair.thumbprint,
    },
    "encrypted pem": lambda app, pair, tenant, path: {
        "private_key": pair.pem("pass phrase"),
        "passphrase": "pass phrase",
        "public_certificate": pair.pem("pass phrase"),
    },
    "pfx": lambda app, pair, tenant, path: {"private_key_pfx_path": str(path)},
    "oidc token": lambda app, pair, tenant, path: {"client_assertion": lambda: tenant.mint_oidc(SUBJECT)},
}


@pytest.mark.parametrize("form", CREDENTIALS)
def test_every_credential_logs_in(
    form: str,
    login: t.Callable[..., dict[str, t.Any]],
    app: App,
    key_pair: ClientCertificate,
    tenant: Tenant,
    emulator: Emulator,
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.pfx"
    path.write_bytes(key_pair.pfx())

    result = login(CREDENTIALS[form](app, key_pair, tenant, path))

    assert "access_token" in result, result
    claims = jwt.decode(result["access_token"], options={"verify_signature": False})
    assert claims["aud"] == emulator.graph_url
    assert (claims["tid"], claims["appid"], claims["idtyp"]) == (tenant.id, app.client_id, "app")
    assert claims["roles"] == list(app.roles)
    # A login is two requests, and the journal keeps no secret of them.
    assert [entry["method"] for entry in tenant.journal.entries] == ["GET", "POST"]
    body = tenant.journal.entries[1]["body"]
    assert {body.get("client_secret", "********"), body.get("client_assertion", "********")} == {"********"}


def test_the_domain_name_stands_for_the_tenant(
    login: t.Callable[..., dict[str, t.Any]], app: App, tenant: Tenant
) -> None:
    assert "access_token" in login(app.secret, tenant_name=tenant.domain)


@pytest.mark.parametrize(
    ("credential", "arguments", "error", "code"),
    [
        ("wrong", {}, "invalid_client", 7000215),
        ("wrong", {"client_id": str(uuid.UUID(int=7))}, "unauthorized_client", 700016),
        (None, {"scope": "https://other.example/.default"}, "invalid_resource", 500011),
        (None, {"scope": "https://other.example/Read"}, "invalid_scope", 1002012),
        ({"client_assertion": lambda: "garbage"}, {}, "invalid_client", 50027),
    ],
)
def test_a_wrong_login_gets_the_usual_error(
    credential: t.Any,
    arguments: dict[str, str],
    error: str,
    code: int,
    login: t.Callable[..., dict[str, t.Any]],
    app: App,
) -> None:
    result = login(app.secret if credential is None else credential, **arguments)

    assert result["error"] == error
    assert result["error_codes"] == [code]
    assert result["error_description"].startswith(f"AADSTS{code}: ")
    assert f"Trace ID: {result['trace_id']}" in result["error_description"]
    assert result["error_uri"].endswith(str(code))
    assert result["correlation_id"] and result["timestamp"]


def test_an_expired_secret(login: t.Callable[..., dict[str, t.Any]], tenant: Tenant) -> None:
    app = tenant.add_app(secret_expired=True)

    assert login(app.secret, client_id=app.client_id)["error_codes"] == [7000222]
    assert login("wrong", client_id=app.client_id)["error_codes"] == [7000215]


@pytest.mark.parametrize(
    ("subject", "arguments", "code"),
    [
        ("repo:somebody/else", {}, 700213),
        (SUBJECT, {"audience": "api://other"}, 700212),
        (SUBJECT, {"issuer": "https://other.example"}, 700211),
        (SUBJECT, {"expires_in": -600}, 700024),
    ],
)
def test_a_foreign_oidc_token(
    subject: str, arguments: dict[str, t.Any], code: int, login: t.Callable[..., dict[str, t.Any]], tenant: Tenant
) -> None:
    token = tenant.mint_oidc(subject, **arguments)

    assert login({"client_assertion": lambda: token})["error_codes"] == [code]


def test_a_forged_oidc_token(login: t.Callable[..., dict[str, t.Any]], emulator: Emulator) -> None:
    claims = {"iss": emulator.oidc.url, "sub": SUBJECT, "aud": "api://AzureADTokenExchange", "exp": time.time() + 60}
    token = jwt.encode(claims, ClientCertificate().key_pem(), algorithm="RS256")

    assert login({"client_assertion": lambda: token})["error_codes"] == [50027]


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

    answer = post(
        emulator, tenant, client_id=app.client_id, client_assertion=given, client_assertion_type=ASSERTION_TYPE
    )

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
        answer = post(
            emulator, tenant, client_id=app.client_id, client_assertion=given, client_assertion_type=ASSERTION_TYPE
        )
        assert answer.json()["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"grant_type": ""}, 400, 900144),
        ({"client_id": ""}, 400, 900144),
        ({"scope": ""}, 400, 900144),
        ({"grant_type": "password"}, 400, 70003),
        ({"scope": "a/.default b/.default"}, 400, 70011),
        ({"client_secret": ""}, 401, 7000216),
        ({"client_assertion": "x.y.z"}, 400, 900144),
    ],
)
def test_a_malformed_token_request(
    fields: dict[str, str], status: int, code: int, emulator: Emulator, tenant: Tenant, app: App
) -> None:
    answer = post(emulator, tenant, **{"client_id": app.client_id, "client_secret": app.secret or "", **fields})

    assert (answer.status_code, answer.json()["error_codes"]) == (status, [code])


def test_a_token_endpoint_takes_posts_only(emulator: Emulator, tenant: Tenant) -> None:
    client = Client(emulator.login_url, emulator.ca_path)
    answer = client.get(f"/{tenant.id}/oauth2/v2.0/token")
    client.close()

    assert answer.json()["error_codes"] == [900561]


def test_an_unknown_tenant(emulator: Emulator, login: t.Callable[..., dict[str, t.Any]]) -> None:
    client = Client(emulator.login_url, emulator.ca_path)
    answer = client.get("/nobody.example/v2.0/.well-known/openid-configuration")
    client.close()

    assert answer.status_code == 400
    assert (answer.json()["error"], answer.json()["error_codes"]) == ("invalid_tenant", [90002])
    with pytest.raises(ValueError, match="authority"):
        login("secret", tenant_name="nobody.example")


def test_discovery_keeps_the_origin_that_was_called(emulator: Emulator, tenant: Tenant) -> None:
    origin = emulator.login_url.replace("localhost", "127.0.0.1")
    client = Client(origin, emulator.ca_path)
    configuration = client.get(f"/{tenant.domain}/v2.0/.well-known/openid-configuration").json()
    instance = client.get("/common/discovery/instance").json()
    keys = client.get(f"/{tenant.id}/discovery/v2.0/keys").json()
    elsewhere = client.get(f"/{tenant.id}/oauth2/v2.0/authorize")
    client.close()

    assert configuration["token_endpoint"] == f"{origin}/{tenant.domain}/oauth2/v2.0/token"
    assert instance["metadata"][0]["aliases"] == [origin[len("https://") :]]
    assert keys["keys"][0]["kty"] == "RSA"
    assert elsewhere.status_code == 404
