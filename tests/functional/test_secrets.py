"""No secret comes out, whatever way it went in, and whoever repeats it.

`run` looks for the secrets of each case in all that the module printed. Here are the cases in which they are repeated.
"""

from __future__ import annotations

import typing as t
from urllib.parse import quote

import pytest

from ..entra_emulator.resources import ALL_ROLES
from ..entra_emulator.tenant import Tenant
from .people import ID
from .running import Run
from .test_refusals import MODULES, WRITING, arguments

# The unmistakable part of a secret; the rest is what makes secrets hard to mask.
CANARY = "CanarySecret9Zt4bW"
SECRET = f"Zz8Q~{CANARY}~+/&= %41"
TOKEN = f"eyJhbGciOiJSUzI1NiJ9.eyJ{CANARY}.c2lnbmF0dXJl"
KEY = f"-----BEGIN PRIVATE KEY-----\nMIIEvQ{CANARY}\nAgEAAoIBAQ{CANARY}\n-----END PRIVATE KEY-----\n"
CLIENT_SECRET = f"abc8Q~{CANARY}MnOpQrStUvWxY_"

each = pytest.mark.parametrize("module", MODULES)


# What the login service or the machine answers, and the login that it is about.
ECHOES: t.Sequence[tuple[t.Any, dict[str, t.Any]]] = (
    (
        {"error": "invalid_client", "error_codes": [7000215],
         "error_description": f"AADSTS7000215: Invalid client secret {SECRET} or {quote(SECRET)} provided."},
        {"secret": SECRET},
    ),
    (f"<html>client_secret={quote(SECRET)}</html>", {"secret": SECRET}),
    (
        {"error": TOKEN, "error_description": f"{TOKEN} is malformed.", "trace_id": TOKEN},
        {"secret": None, "oidc_token": TOKEN},
    ),
    (
        {"error": "invalid_request", "error_description": f"{{'access_token': '{TOKEN}', 'token_type': 'Bearer'}}"},
        {"secret": None, "auth_source": "msi", "client_id": None},
    ),
)  # fmt: skip


@pytest.mark.parametrize(("body", "given"), ECHOES, ids=["an error", "a web page", "every field", "a machine"])
def test_the_login_service_repeats_a_secret(
    tenant: Tenant, run: Run, login: dict[str, t.Any], body: t.Any, given: dict[str, t.Any]
) -> None:
    fault = {"listener": "plain"} if "auth_source" in given else {"listener": "login", "method": "POST"}
    tenant.add_fault(**fault, status=200 if isinstance(body, str) else 400, body=body)
    machine = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": tenant.machine_url}
    ended = run("risky_user", **{"state": "dismissed", "user": ID["adele"], **login, **given}, env=machine)
    assert ended.kind in ("login", "service") and CANARY not in ended.output
    assert ended.journal[-1]["fault"]


# What Graph says with the token in it.
@pytest.mark.parametrize("status", [200, 401, 403, 404, 405, 500])
@pytest.mark.parametrize("form", ["json", "html"])
@each
def test_graph_repeats_the_token(tenant: Tenant, run: Run, module: str, form: str, status: int) -> None:
    token = tenant.mint_token()
    body = f"<html>Bearer {token}</html>" if form == "html" else {"error": {"code": token, "message": f"bad {token}"}}
    headers = {"request-id": token, "client-request-id": token}
    tenant.add_fault(listener="graph", status=status, body=body, headers=headers)
    ended = run(module, **arguments(module), access_token=token)
    # An error object with a 404 is Graph's word that there is no such record.
    assert ended.failed or (status, form) == (404, "json")
    assert ended.journal[-1]["fault"]


@each
def test_the_token_stands_in_a_record(tenant: Tenant, run: Run, module: str) -> None:
    token = tenant.mint_token(roles=ALL_ROLES)
    user = tenant.add_user(f"{token}@contoso.example", display_name=token).id
    tenant.add_detection(user, additional_info=token)
    workload = tenant.add_service_principal(token).id
    tenant.add_service_principal_detection(workload, additional_info=token)
    key, dummy, dummy2 = MODULES[module]
    ended = run(module, **arguments(module, {"ids": [user if key == "users" else workload]}), access_token=token)
    assert not ended.failed and len(ended.entries) == 1


# Secrets repeated where nobody looks for them: in arguments that are refused, before any connection is made.
ARGUMENTS: t.Sequence[dict[str, t.Any]] = (
    {"ids": [SECRET]},
    {"ids": [f"{SECRET}@contoso.example"]},
    {"ids": [ID["adele"]], "filters": {"risk_level": [SECRET]}},
    {"filters": {SECRET: ["high"]}},
    {"filters": {"updated_after": SECRET, "detected_after": SECRET}},
    {"ids": [], "limit": SECRET, "max_changes": SECRET},
    {"ids": [], "timeout": SECRET},
    {"ids": [], "validate_certs": SECRET},
    {"ids": [], "send_certificate_chain": SECRET},
    {"ids": [], SECRET: 1},
    {"ids": {SECRET: SECRET}},
)


VARIABLES: t.Mapping[str, str] = {
    **dict.fromkeys(("AZURE_SECRET", "AZURE_PASSWORD", "IDENTITY_HEADER", "MSI_SECRET", "AZURE_CLIENT_ID"), SECRET),
    "AZURE_CLIENT_CERTIFICATE_PASSWORD": SECRET,
    "AZURE_FEDERATED_TOKEN": TOKEN,
    "HTTPS_PROXY": f"http://user:{SECRET}@proxy.example:3128",
    "AZURE_CLIENT_CERTIFICATE_PATH": KEY,
}
APP = {"tenant": ID["adele"], "client_id": ID["adele"], "secret": "x" * 9}
APP_ENV = {"AZURE_CLIENT_SECRET": SECRET, "AZURE_CLIENT_ID": ID["adele"], "AZURE_TENANT": ID["adele"]}
OPTIONS = ("ids", "if_unmodified_since", "tenant", "client_id", "x509_certificate_path", "ca_path", "graph_url")
PASS_WORD = f"Pass word-{CANARY}"
MASKED: t.Sequence[tuple[str, dict[str, t.Any], dict[str, str]]] = (
    *((module, given, APP_ENV) for module in MODULES for given in ARGUMENTS),
    # Each secret of the environment.
    *(("risky_user", {"ids": [SECRET if "proxy" in value else value]}, {name: value})
      for name, value in VARIABLES.items()),
    # What looks like a secret, in any option.
    *(("risky_user", {**APP, "ids": [ID["adele"]], option: [value] if option == "ids" else value}, {})
      for option in OPTIONS
      for value in (KEY, KEY.replace("\n", " "), TOKEN, CLIENT_SECRET, f"Bearer {CANARY}")),
    # Secrets in forms in which no login can use them.
    *(("risky_user", {**APP, "secret": None, "ids": [ID["adele"]], **option}, {})
      for option in (
          {"secret": [SECRET]}, {"access_token": {"token": TOKEN}}, {"access_token": f"{TOKEN}\n{TOKEN}"},
          {"access_token": f"Bearer {TOKEN}"}, {"secret": SECRET, "oidc_token": TOKEN})),
    # Options of other collections.
    *(("risky_user", {"ids": [SECRET], option: SECRET}, {})
      for option in ("password", "ad_password", "api_key", "private_key", "client_token")),
    # What is none of the choices.
    *(("risky_user", {"ids": [], option: PASS_WORD}, {}) for option in ("state", "return_users", "wait")),
    *(("risky_user_info", {option: PASS_WORD}, {}) for option in ("validate_certs", "limit")),
    ("risky_user_info", {"filters": {"risk_level": [PASS_WORD]}}, {}),
    ("risk_detection_info", {"filters": {"risk_state": [PASS_WORD]}}, {}),
)  # fmt: skip


@pytest.mark.parametrize(("module", "given", "env"), MASKED)
def test_masks_secrets_in_arguments(
    tenant: Tenant, run: Run, module: str, given: dict[str, t.Any], env: dict[str, str]
) -> None:
    ended = run(module, **{"access_token": None, **arguments(module, given)}, env=env)
    assert ended.kind in ("users", "request", "credentials", "tls"), ended.msg
    assert CANARY not in ended.output and ended.journal == []


@pytest.mark.parametrize("module", WRITING)
def test_names_of_people_stay_legible_beside_plain_words_in_the_wrong_place(
    tenant: Tenant, run: Run, module: str
) -> None:
    key = MODULES[module][0]
    env = {"AZURE_CLIENT_ID": "contoso-application", "AZURE_TENANT": "contoso-tenant"}
    ended = run(module, state="dismissed", **{key: ["contoso-application-contoso-tenant"]}, env=env)
    assert "contoso-application-contoso-tenant" in ended.msg


@pytest.mark.parametrize("secret", ["s", "msg", "changed", "users"])
def test_a_secret_that_is_a_word_takes_no_key_away(tenant: Tenant, run: Run, secret: str) -> None:
    ended = run("risky_user", state="dismissed", users=[], secret=secret)
    assert {"msg", "changed", "users", "summary"} <= ended.result.keys()
