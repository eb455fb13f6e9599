"""What every result says about the connection, and libraries that do not work."""

from __future__ import annotations

import sys
import typing as t

import pytest

from ..entra_emulator.emulator import Emulator
from ..entra_emulator.tenant import Tenant
from .people import ID
from .running import Run
from .test_refusals import MODULES, arguments

each = pytest.mark.parametrize("module", MODULES)


@pytest.fixture
def login(tenant: Tenant) -> dict[str, t.Any]:
    app = tenant.add_app()
    return {"access_token": None, "tenant": tenant.id, "client_id": app.client_id, "secret": app.secret}


@each
def test_says_where_it_went_and_as_whom(
    tenant: Tenant, run: Run, emulator: Emulator, login: dict[str, t.Any], module: str
) -> None:
    connection = {
        "tenant": tenant.id,
        "client_id": login["client_id"],
        "auth": "secret",
        "authority": emulator.login_url,
        "graph_url": emulator.graph_url,
    }
    # Also where nothing was sent, where arguments are refused, and where the login fails.
    cases: list[dict[str, t.Any]] = [{}, {"ids": []}, {"no_such_option": 1}, {"secret": "wrong-secret-1"}]
    for more in cases:
        ended = run(module, **{**login, **arguments(module, {"ids": [MODULES[module][1]], **more})})
        assert ended.result["connection"] == connection


@pytest.mark.parametrize("value", [["not-a-secret-1"], {"value": "not-a-secret-1"}])
@pytest.mark.parametrize("option", ["secret", "client_secret", "tenant", "access_token", "ca_path", "graph_url"])
def test_a_list_is_not_sent_as_text(
    tenant: Tenant, run: Run, login: dict[str, t.Any], option: str, value: t.Any
) -> None:
    login = {name: given for name, given in login.items() if option != "client_secret" or name != "secret"}
    ended = run("risky_user", state="dismissed", user=ID["adele"], **{**login, option: value})
    assert ended.kind == "credentials" and ended.journal == []
    assert ended.msg.startswith(f"{option} must be a single value")


class PanicException(BaseException):  # its name in pyo3
    """What the parts of libraries that are written in Rust raise."""


@pytest.mark.parametrize("failure", [PanicException("Python API call failed"), AttributeError("x"), RuntimeError("y")])
def test_a_broken_msal_is_named(
    tenant: Tenant, run: Run, login: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    class Broken:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "msal":
                raise failure

    monkeypatch.delitem(sys.modules, "msal", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    ended = run("risky_user", state="dismissed", user=ID["adele"], **login)
    assert ended.kind == "credentials" and "The Python library msal is installed" in ended.msg
    assert "pip install --force-reinstall msal" in ended.msg and ended.journal == []


@each
def test_a_panic_in_the_middle_leaves_a_result(
    tenant: Tenant, run: Run, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    def fail(*dummy: t.Any, **dummy2: t.Any) -> None:
        raise PanicException("Python API call failed")

    monkeypatch.setattr("requests.Session.prepare_request", fail)
    ended = run(module, **arguments(module, {"ids": [MODULES[module][1]]}))
    assert ended.kind == "internal" and "PanicException" in ended.msg


def test_bytes_in_a_variable_that_are_no_text(tenant: Tenant, run: Run) -> None:
    env = {"AZURE_TENANT": tenant.id, "AZURE_CLIENT_ID": tenant.add_app().client_id, "AZURE_SECRET": "abc\udcffdefgh"}
    ended = run("risky_user_info", users=[ID["adele"]], access_token=None, env=env)
    assert ended.kind == "credentials" and ended.msg.startswith("AZURE_SECRET holds bytes that are not text")
