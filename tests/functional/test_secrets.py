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
ECHOES: t.Mapping[str, tuple[t.Any, dict[str, t.Any]]] = {
    "secret in an error of Entra": (
        {
            "error": "invalid_client",
            "error_description": f"AADSTS7000215: Invalid client secret {SECRET} or {quote(SECRET)} provided.",
            "error_codes": [7000215],
        },
        {"secret": SECRET},
    ),
    "secret on a web page": (f"<html>client_secret={quote(SECRET)}</html>", {"secret": SECRET}),
    "OIDC token in every field": (
        {"error": TOKEN, "error_description": f"{TOKEN} is malformed.", "trace_id": TOKEN},
        {"oidc_token": TOKEN},
    ),
    "token of a machine": (
        {"error": "invalid_request", "error_description": f"{{'access_token': '{TOKEN}', 'token_type': 'Bearer'}}"},
        {"auth_source": "msi", "client_id": None},
    ),
}


@pytest.mark.parametrize("name", ECHOES)
def test_the_login_service_repeats_a_secret(tenant: Tenant, run: Run, name: str) -> None:
    body, login = ECHOES[name]
    fault = {"listener": "plain"} if "auth_source" in login else {"listener": "login", "method": "POST"}
    tenant.add_fault(**fault, status=200 if isinstance(body, str) else 400, body=body)
    app = {"tenant": tenant.id, "client_id": tenant.add_app().client_id, "access_token": None}
    machine = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": tenant.machine_url}
    ended = run("risky_user", **{"state": "dismissed", "user": ID["adele"], **app, **login}, env=machine)
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
    ended = run(module, **arguments(module, {"ids": [MODULES[module][1]]}), access_token=token)
    # An error object with a 404 is Graph's word that there is no such record.
    assert ended.failed or (status, form) == (404, "json")
    assert ended.journal[-1]["fault"]


@each
def test_the_token_stands_in_a_record(tenant: Tenant, run: Run, module: str) -> None:
    token = tenant.mint_token(roles=ALL_ROLES)
    user = tenant.add_user(f"{token}@contoso.example", display_name=token).id
    tenant.add_detection(user, additional_info=token)
    workload = tenant.add_service_principal(token).id
    key, dummy, dummy2 = MODULES[module]
    ended = run(module, **arguments(module, {"ids": [user if key == "users" else workload]}), access_token=token)
    assert not ended.failed and len(ended.entries) == 1


# Secrets in forms in which no login can use them.
@pytest.mark.parametrize(
    "option",
    [
        {"secret": [SECRET]},
        {"access_token": {"token": TOKEN}},
        {"access_token": f"{TOKEN}\n{TOKEN}"},
        {"access_token": f"Bearer {TOKEN}"},
        {"secret": SECRET, "oidc_token": TOKEN},
    ],
    ids=str,
)
def test_a_secret_of_no_use(tenant: Tenant, run: Run, option: dict[str, t.Any]) -> None:
    app = {"tenant": tenant.id, "client_id": tenant.add_app().client_id}
    ended = run("risky_user", **{"state": "dismissed", "user": ID["adele"], "access_token": None, **app, **option})
    assert ended.kind in ("credentials", "login") and CANARY not in ended.output and ended.graph == []


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


@pytest.mark.parametrize("given", ARGUMENTS, ids=str)
@each
def test_masks_a_secret_of_the_environment_in_arguments(
    tenant: Tenant, run: Run, module: str, given: dict[str, t.Any]
) -> None:
    env = {"AZURE_CLIENT_SECRET": SECRET, "AZURE_CLIENT_ID": ID["adele"], "AZURE_TENANT": tenant.id}
    ended = run(module, **arguments(module, given), access_token=None, env=env)
    assert ended.failed and CANARY not in ended.output and ended.graph == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AZURE_SECRET", SECRET),
        ("AZURE_FEDERATED_TOKEN", TOKEN),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", SECRET),
        ("AZURE_PASSWORD", SECRET),
        ("IDENTITY_HEADER", SECRET),
        ("MSI_SECRET", SECRET),
        ("HTTPS_PROXY", f"http://user:{SECRET}@proxy.example:3128"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", KEY),
        ("AZURE_CLIENT_ID", SECRET),
    ],
)
def test_masks_each_secret_of_the_environment_without_a_connection(
    tenant: Tenant, run: Run, variable: str, value: str
) -> None:
    repeated = SECRET if "proxy" in value else value
    ended = run("risky_user", state="dismissed", users=[repeated], access_token=None, env={variable: value})
    assert ended.kind in ("users", "request") and CANARY not in ended.output


@pytest.mark.parametrize("value", [KEY, KEY.replace("\n", " "), TOKEN, CLIENT_SECRET, f"Bearer {CANARY}"])
@pytest.mark.parametrize(
    "option", ["ids", "if_unmodified_since", "tenant", "client_id", "x509_certificate_path", "ca_path", "graph_url"]
)
def test_masks_what_looks_like_a_secret_in_any_option(tenant: Tenant, run: Run, option: str, value: str) -> None:
    given = {"ids": [value]} if option == "ids" else {"ids": [ID["adele"]], option: value}
    login = {"tenant": tenant.id, "client_id": tenant.add_app().client_id, "secret": "x" * 9, "access_token": None}
    ended = run("risky_user", **{"state": "dismissed", **login, **arguments("risky_user", given)})
    assert ended.failed and CANARY not in ended.output and ended.journal == []


@pytest.mark.parametrize("option", ["password", "ad_password", "api_key", "private_key", "client_token"])
def test_masks_options_of_other_collections(tenant: Tenant, run: Run, option: str) -> None:
    ended = run("risky_user", state="dismissed", users=[SECRET], **{option: SECRET})
    assert ended.kind == "request" and CANARY not in ended.output


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


@pytest.mark.parametrize(
    ("module", "given"),
    [
        ("risky_user", {"state": f"Pass word-{CANARY}"}),
        ("risky_user", {"return_users": f"Pass word-{CANARY}"}),
        ("risky_user", {"wait": f"Pass word-{CANARY}"}),
        ("risky_user_info", {"filters": {"risk_level": [f"Pass word-{CANARY}"]}}),
        ("risk_detection_info", {"filters": {"risk_state": [f"Pass word-{CANARY}"]}}),
        ("risky_user_info", {"validate_certs": f"Pass word-{CANARY}"}),
        ("risky_user_info", {"limit": f"Pass word-{CANARY}"}),
    ],
    ids=str,
)
def test_does_not_repeat_what_is_none_of_the_choices(
    tenant: Tenant, run: Run, module: str, given: dict[str, t.Any]
) -> None:
    ended = run(module, **{"state": "dismissed", "users": [], **given} if module == "risky_user" else given)
    assert ended.kind == "request" and CANARY not in ended.output and ended.journal == []
