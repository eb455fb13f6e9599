"""Whole modules in this process, against the local tenant: their own `main`, real MSAL and requests, real TLS.

How to write a case:

    def test_skips_excluded_users(tenant: Tenant, run: Run) -> None:
        anna, otto = tenant.add_user("anna@contoso.example").id, tenant.add_user("otto@contoso.example").id
        ended = run("risky_user", state="dismissed", users=[anna, otto], exclude_users=[otto])
        assert ended.outcomes == ["changed", "skipped excluded"]
        assert ended.written == [anna]
        assert tenant.user(otto).risk["riskState"] == "atRisk"

`tenant` is a fresh one for each test (tests/entra_emulator/README.md: people, service principals, detections, apps,
faults, switches, journal); `people` and `workloads` are the same with everybody of people.py in it. `run` gives the
connection options, with a token that may do everything; `access_token=None` leaves that out, and any option can be
given. `check=`, `diff=` and `env=` (variables for this run) are not arguments of the module. `clock` shows what was
slept: nobody waits, time moves on instead.

Every ending is checked in checks.py: no secret, the documented keys and types, requests that fit the API document.
"""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from .. import loopback
from ..entra_emulator.emulator import Emulator
from ..entra_emulator.resources import ALL_ROLES
from ..entra_emulator.tenant import IDENTITY_HEADER, Tenant
from .checks import check_ending
from .clock import FastClock
from .people import add_people, add_workloads
from .running import Ended, Run, load, run_main

loopback.refuse_everything_else()
loopback.hear_hangups()

_SECRET_ARGUMENTS = ("access_token", "secret", "client_secret", "certificate_password", "oidc_token")
_SECRET_VARIABLES = (
    "AZURE_SECRET",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_FEDERATED_TOKEN",
    "AZURE_PASSWORD",
)


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.hide_settings(monkeypatch)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> FastClock:
    """The time of the collection and of the tenant."""
    clock = FastClock()
    clock.install(monkeypatch)
    return clock


@pytest.fixture(scope="session")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running


@pytest.fixture
def tenant(emulator: Emulator, clock: FastClock) -> t.Iterator[Tenant]:
    tenant = emulator.add_tenant(clock=clock.of_tenant())
    yield tenant
    emulator.remove_tenant(tenant)


@pytest.fixture
def login(tenant: Tenant) -> dict[str, t.Any]:
    """The options of a login with a secret, instead of the token."""
    app = tenant.add_app()
    return {"access_token": None, "tenant": tenant.id, "client_id": app.client_id, "secret": app.secret}


@pytest.fixture
def people(tenant: Tenant) -> Tenant:
    """The tenant, with everybody of people.py."""
    add_people(tenant)
    return tenant


@pytest.fixture
def workloads(tenant: Tenant) -> Tenant:
    """The tenant, with the service principals of people.py."""
    add_workloads(tenant)
    return tenant


@pytest.fixture
def places(emulator: Emulator) -> dict[str, str]:
    """The options that say where the local tenant is."""
    return {"authority_host": emulator.login_url, "graph_url": emulator.graph_url, "ca_path": emulator.ca_path}


@pytest.fixture
def run(places: dict[str, str], tenant: Tenant, monkeypatch: pytest.MonkeyPatch, capsys: t.Any) -> Run:
    """Run a module by its name."""
    token = tenant.mint_token(roles=ALL_ROLES)

    def run(
        name: str, *, check: bool = False, diff: bool = False, env: t.Mapping[str, str] | None = None, **options: t.Any
    ) -> Ended:
        module = load(name)
        args = {"access_token": token, **places, **options}
        before = len(tenant.journal.entries)
        with monkeypatch.context() as patch:
            for variable, value in (env or {}).items():
                patch.setenv(variable, value)
            ended = run_main(module.main, args, check=check, diff=diff, capsys=capsys)
        ended = dataclasses.replace(ended, journal=tenant.journal.entries[before:])
        check_ending(module, ended, check=check, secrets=_secrets(tenant, args, env or {}))
        return ended

    return run


def _secrets(tenant: Tenant, args: t.Mapping[str, t.Any], env: t.Mapping[str, str]) -> t.Iterator[str]:
    yield IDENTITY_HEADER
    for app in tenant.apps.values():
        yield app.secret or ""
        yield app.key_pair.key_pem() if app.key_pair else ""
    yield from (str(args.get(name) or "") for name in _SECRET_ARGUMENTS)
    yield from (env.get(name, "") for name in _SECRET_VARIABLES)
