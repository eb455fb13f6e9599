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
from .test_refusals import MODULES, arguments

# The unmistakable part of a secret; the rest is what makes secrets hard to mask.
CANARY = "CanarySecret9Zt4bW"
SECRET = f"Zz8Q~{CANARY}~+/&= %41"
TOKEN = f"eyJhbGciOiJSUzI1NiJ9.{CANARY}.c2lnbmF0dXJl"

each = pytest.mark.parametrize("module", MODULES)


# What the login service answers to a POST, and the login that it is about.
ECHOES: t.Mapping[str, tuple[dict[str, t.Any], dict[str, t.Any]]] = {
    "secret in an error of Entra": (
        {
            "status": 400,
            "body": {
                "error": "invalid_client",
                "error_description": f"AADSTS7000215: Invalid client secret {SECRET} or {quote(SECRET)} provided.",
                "error_codes": [7000215],
            },
        },
        {"secret": SECRET},
    ),
    "secret on a web page": (
        {"status": 200, "body": f"<html>client_secret={quote(SECRET)}</html>"},
        {"secret": SECRET},
    ),
    "OIDC token in every field": (
        {"status": 400, "body": {"error": TOKEN, "error_description": f"{TOKEN} is malformed.", "trace_id": TOKEN}},
        {"oidc_token": TOKEN},
    ),
}


@pytest.mark.parametrize("name", ECHOES)
def test_the_login_service_repeats_a_secret(tenant: Tenant, run: Run, name: str) -> None:
    fault, login = ECHOES[name]
    tenant.add_fault(listener="login", method="POST", **fault)
    app = {"tenant": tenant.id, "client_id": tenant.add_app().client_id, "access_token": None}
    ended = run("risky_user", state="dismissed", user=ID["adele"], **app, **login)
    assert ended.kind in ("login", "service") and CANARY not in ended.output
    assert ended.journal[-1]["fault"]


def test_a_machine_repeats_its_token(tenant: Tenant, run: Run) -> None:
    said = {"error": "invalid_request", "error_description": f"{{'access_token': '{TOKEN}', 'token_type': 'Bearer'}}"}
    tenant.add_fault(listener="plain", status=400, body=said)
    machine = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": tenant.machine_url}
    ended = run("risky_user", state="dismissed", user=ID["adele"], access_token=None, auth_source="msi", env=machine)
    assert ended.kind == "login" and CANARY not in ended.output and ended.journal[-1]["fault"]


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
