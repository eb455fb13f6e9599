"""A value that is not where it belongs is refused and never repeated; a path is named all the same."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import EntraRiskError
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.connection import resolve
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.known_secrets import known_secrets
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.shapes import path_for_message
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.tokens import token_source
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor

TENANT = "5fbf2be0-6a31-4b4e-a3b8-6e4b7d8f1c11"
CLIENT = "8f2b8c1a-0e64-4a6e-9d0f-8f3f0c5e7b22"
LOGIN = {"tenant": TENANT, "client_id": CLIENT}

# Secrets as they slip into the wrong place.
SLIPS: t.Mapping[str, str] = {
    "PEM": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n",
    "PEM on one line": "-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASC -----END PRIVATE KEY-----",
    "Base64": "MIIKcQIBAzCCCi0GCSqGSIb3DQEHAaCCCh4EggoaMIIKFjCCBg8GCSqGSIb3DQEHAaCCBgAEggX8MIIF" * 3,
    "Base64 that begins like a path": "/9j/4AAQSkZJRgABAQEASABIAAD/4gHYSUNDX1BST0ZJTEUAAQEAAAHIAAAAAAQwAABtbnRyUkdC",
    "token": "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJncmFwaCJ9.c2lnbmF0dXJl",
    "client secret": "abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789_",
    "password": "Corr3ct-Horse!Battery",
    "line break": "/tmp/x.pem\nMIIEvQIBADANBgkqhkiG9w0BAQ",
    "overlong": "a/" * 5000,
    "NUL": "/tmp/x.pem\x00MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
}
# Options and variables; `identity` stands for the client_id of a managed identity.
PLACES = (
    "tenant client_id identity AZURE_CLIENT_ID certificate_path AZURE_CLIENT_CERTIFICATE_PATH oidc_token_file_path "
    "AZURE_FEDERATED_TOKEN_FILE ca_path REQUESTS_CA_BUNDLE graph_url AZURE_AUTHORITY_HOST auth_source "
    "AZURE_CLOUD_ENVIRONMENT api_version validate_certs timeout"
)
FILES = ("certificate_path", "AZURE_CLIENT_CERTIFICATE_PATH", "oidc_token_file_path", "AZURE_FEDERATED_TOKEN_FILE")


def slipped(place: str, value: str) -> tuple[dict[str, t.Any], dict[str, str]]:
    """Options and variables of a login, with the value in this place."""
    if place == "identity":
        return {"auth_source": "msi", "client_id": value}, {}
    if place.isupper():
        secret = {} if place in FILES else {"AZURE_SECRET": "x"}
        return {}, {"AZURE_TENANT": TENANT, "AZURE_CLIENT_ID": CLIENT, **secret, place: value}
    return {**LOGIN, **({} if place in FILES else {"secret": "x"}), place: value}, {}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("place", PLACES.split())
def test_a_secret_in_the_wrong_place_is_refused_and_not_repeated(place: str, slip: str) -> None:
    params, environ = slipped(place, SLIPS[slip])
    with pytest.raises(EntraRiskError) as caught:
        # The message holds no secret by itself: nothing is masked here.
        token_source(resolve(params, environ, Redactor()), t.cast(t.Any, None), Redactor(), t.cast(t.Any, None))
    assert caught.value.kind == ("tls" if place in ("ca_path", "REQUESTS_CA_BUNDLE") else "credentials")
    message = str(caught.value)
    value = SLIPS[slip].strip()
    pieces = [value[start : start + 9] for start in range(0, min(len(value), 200), 3)]
    secret = [piece for piece in pieces if len(piece) == 9 and "-----" not in piece]
    assert not [piece for piece in secret if piece in message], message
    assert len(message) < 600 and "\n" not in message


@pytest.mark.parametrize("slip", sorted(set(SLIPS) - {"overlong"}))
def test_such_a_secret_is_masked_wherever_else_it_stands(slip: str) -> None:
    redactor = Redactor()
    for secret in known_secrets({"client_id": SLIPS[slip]}, {"AZURE_CLIENT_CERTIFICATE_PATH": SLIPS[slip]}):
        redactor.add(secret)
    assert SLIPS[slip].strip() not in redactor.redact(f"before {SLIPS[slip]} after")


def test_a_path_that_exists_or_looks_like_one_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789_"
    path.touch()
    plain = "/no/such/file ./app.pem app.pfx certs/app.p12 /run/secrets/kubernetes.io/token"
    for text in (str(path), *plain.split(), "/etc/ssl/Own CA.pem"):
        assert path_for_message(text) == f" ({text})"


@pytest.mark.parametrize("text", [TENANT, TENANT.upper(), " contoso.example\n", "x.onmicrosoft.com", "a-b.xn--p1ai"])
def test_tenants(text: str) -> None:
    assert resolve({**LOGIN, "secret": "x", "tenant": text}, {}, Redactor()).tenant == text.strip()


@pytest.mark.parametrize(("value", "hint"), [(f"\u200e{CLIENT}", True), (SLIPS["PEM"], False)])
def test_an_invisible_mark_is_named(value: str, hint: bool) -> None:
    with pytest.raises(EntraRiskError) as caught:
        resolve({**LOGIN, "client_id": value, "secret": "x"}, {}, Redactor())
    assert ("invisible characters" in str(caught.value)) is hint


def test_knows_all_secrets_of_options_and_environment_used_or_not() -> None:
    params = {"secret": "s-1", "client_secret": ["s-2", {"x": 3}], "password": "s-4", "users": ["u"], "limit": 5}
    environ = {"AZURE_SECRET": "s-5", "AZURE_PASSWORD": "s-6", "IDENTITY_HEADER": "s-7", "AZURE_TENANT": "x.example"}
    proxies = {"HTTPS_PROXY": "http://user:p%40ss@proxy.example:3128", "all_proxy": "socks5://user:pa[s@proxy.example"}
    known = set(known_secrets(params, {**environ, **proxies, "OTHER": "x"}))
    assert sorted(known) == ["3", "p%40ss", "p@ss", "pa[s", *(f"s-{number}" for number in (1, 2, 4, 5, 6, 7))]


def test_what_is_plain_is_no_secret_even_in_the_wrong_place() -> None:
    params = {"client_id": "my-application", "cloud_environment": "azurecloud", "tenant": "contoso"}
    environ = {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us", "AZURE_CLIENT_CERTIFICATE_PATH": "/no/such/file"}
    assert list(known_secrets(params, environ)) == []
