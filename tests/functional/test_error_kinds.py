"""Every kind of error: what Graph answers, what stands on the way to it, libraries that are missing or do not work."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

import pytest

from ..entra_emulator.emulator import Emulator
from ..entra_emulator.tenant import Tenant
from .clock import FastClock
from .people import ID
from .running import Run
from .test_refusals import MODULES, arguments

each = pytest.mark.parametrize("module", MODULES)


def graph_error(code: str, message: str) -> dict[str, t.Any]:
    return {"error": {"code": code, "message": message}}


# What Graph answers to everything: the fault, the kind, parts of the message.
ANSWERS: t.Sequence[tuple[dict[str, t.Any], str, list[str]]] = (
    ({"status": 401, "body": graph_error("InvalidAuthenticationToken", "expired")}, "login", ["expired"]),
    ({"status": 403, "body": graph_error("Forbidden", "required scopes are missing")}, "permission", ["consent"]),
    ({"status": 404, "body": "<html>Nothing here</html>"}, "service", []),
    ({"status": 405, "body": graph_error("BadRequest", "no such method")}, "request", ["no such method"]),
    ({"status": 429}, "throttled", ["too many requests"]),
    ({"status": 500}, "service", ["500"]),
    ({"status": 200, "body": "<html>Welcome to the Wi-Fi</html>"}, "service", ["web page"]),
    ({"redirect": "https://graph.contoso.example/elsewhere"}, "service", ["redirects to graph.contoso.example"]),
)


@pytest.mark.parametrize(("fault", "kind", "words"), ANSWERS, ids=str)
@each
def test_graph_refuses(
    tenant: Tenant, run: Run, module: str, fault: dict[str, t.Any], kind: str, words: list[str]
) -> None:
    tenant.add_fault(listener="graph", **fault)
    key, an_id, dummy = MODULES[module]
    ended = run(module, **arguments(module, {"ids": [an_id]}))
    error = ended.result["error"]
    assert (error["kind"], error["status"]) == (kind, fault.get("status", 307)), ended.msg
    assert error["request_id"] and error["client_request_id"]
    assert [word for word in words if word not in ended.msg] == [], ended.msg
    assert not ended.changed and ended.result["risk_detections" if "detection" in module else key] == []


@each
def test_the_license_is_missing(tenant: Tenant, run: Run, module: str) -> None:
    tenant.switches.update({"licensed": False, "workload_licensed": False})
    key, an_id, dummy = MODULES[module]
    ended = run(module, **arguments(module, {"ids": [an_id]}))
    product = "Microsoft Entra ID P2" if key == "users" else "Microsoft Entra Workload ID Premium"
    assert (ended.kind, ended.result["error"]["status"]) == ("license", 403)
    assert "not licensed" in ended.msg and product in ended.msg
    assert ended.result["requests"]["sent"] == 1


PERMISSIONS = {
    "risky_user": "IdentityRiskyUser.Read.All",
    "risky_user_info": "IdentityRiskyUser.Read.All",
    "risk_detection_info": "IdentityRiskEvent.Read.All",
    "service_principal_risk_detection_info": "IdentityRiskEvent.Read.All",
    "risky_service_principal": "IdentityRiskyServicePrincipal.Read.All",
    "risky_service_principal_info": "IdentityRiskyServicePrincipal.Read.All",
}


@each
def test_the_permission_to_read_is_missing_and_suffices(tenant: Tenant, run: Run, module: str) -> None:
    args = arguments(module, {"ids": [MODULES[module][1]]})
    foreign = {*PERMISSIONS.values()} - {PERMISSIONS[module]}
    ended = run(module, **args, access_token=tenant.mint_token(roles=[*foreign, "User.Read.All"]))
    assert (ended.kind, ended.result["error"]["status"]) == ("permission", 403)
    assert PERMISSIONS[module] in ended.msg and "admin consent" in ended.msg
    assert not run(module, **args, access_token=tenant.mint_token(roles=[PERMISSIONS[module]]), check=True).failed


def test_the_permission_to_write_is_missing(workloads: Tenant, run: Run) -> None:
    token = workloads.mint_token(roles=["IdentityRiskyServicePrincipal.Read.All"])
    principals = [workload.id for workload in workloads.service_principals]
    ended = run("risky_service_principal", state="dismissed", service_principals=principals, access_token=token)
    assert ended.kind == "permission" and "IdentityRiskyServicePrincipal.ReadWrite.All" in ended.msg
    assert not ended.changed and ended.written == []


# What stands on the way. Nobody listens on port 9.
UNREACHABLE: t.Mapping[str, tuple[dict[str, t.Any], str, list[str]]] = {
    "no Graph": ({"graph_url": "https://localhost:9"}, "network", ["localhost:9", "graph_url"]),
    "no login service": (
        {"secret": "some-secret-1", "authority_host": "https://localhost:9"},
        "network",
        ["localhost:9", "authority_host"],
    ),
    "no managed identity": (
        {"auth_source": "msi", "env": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://localhost:9"}},
        "network",
        ["managed identity", "auth_source: msi"],
    ),
    "no proxy": ({"env": {"HTTPS_PROXY": "http://operator:proxy-password-1@localhost:9"}}, "network", ["proxy"]),
    "a proxy of no use, at the login": (
        {"secret": "some-secret-1", "env": {"ALL_PROXY": "http://operator:proxy-password-1]@localhost:9"}},
        "network",
        ["The proxy in ALL_PROXY cannot be used", "Percent-encode"],
    ),
    "a CA that nobody named, at the login": ({"ca_path": "", "secret": "some-secret-1"}, "tls", ["ca_path"]),
    "a CA bundle that is not there": ({"ca_path": "/nonexistent.pem"}, "tls", ["ca_path", "No such file"]),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_nobody_can_be_reached(people: Tenant, run: Run, name: str) -> None:
    options, kind, words = UNREACHABLE[name]
    if "secret" in options:
        options = {**options, "tenant": people.id, "client_id": people.add_app().client_id}
    if "secret" in options or "auth_source" in options:
        options = {**options, "access_token": None}
    ended = run("risky_user", state="dismissed", user=ID["adele"], **options)
    assert ended.kind == kind and not ended.changed, ended.msg
    assert [word for word in words if word not in ended.msg] == [], ended.msg
    assert ended.result["error"]["status"] is None and ended.journal == []
    assert "proxy-password-1" not in ended.output


@pytest.mark.parametrize("function", ["wall", "monotonic"])
@each
def test_a_bug_of_the_collection_is_told_without_secrets(
    tenant: Tenant, run: Run, clock: FastClock, monkeypatch: pytest.MonkeyPatch, module: str, function: str
) -> None:
    token = tenant.mint_token()

    def explode() -> float:
        raise ZeroDivisionError(f"with Authorization: Bearer {token} in the text")

    monkeypatch.setattr(clock, function, explode)
    clock.install(monkeypatch)
    filters: dict[str, t.Any] = {"filters": {"updated_after": "1d"}}
    args = {"ids": [MODULES[module][1]]} if "detection" in module or function == "monotonic" else filters
    ended = run(module, **arguments(module, args), access_token=token)
    assert ended.failed and "ZeroDivisionError" in ended.msg and "bug" in ended.msg


@pytest.fixture
def login(tenant: Tenant) -> dict[str, t.Any]:
    app = tenant.add_app()
    return {"access_token": None, "tenant": tenant.id, "client_id": app.client_id, "secret": app.secret}


@each
def test_says_where_it_went_and_as_whom(
    tenant: Tenant, run: Run, emulator: Emulator, login: dict[str, t.Any], module: str
) -> None:
    connection = {"tenant": tenant.id, "client_id": login["client_id"], "auth": "secret"}
    connection.update({"authority": emulator.login_url, "graph_url": emulator.graph_url})
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


WITHOUT_REQUESTS = """
import sys
sys.modules["requests"] = None
from ansible_collections.identityops.entra_risk.tests.functional.running import load, patch_module_args
user = "13387ee0-f4f6-4e7f-8999-facc5120e345"
with patch_module_args({"state": "dismissed", "users": [user], "access_token": "ready-token-1"}):
    load("risky_user").main()
"""


def test_requests_is_missing(emulator: Emulator) -> None:
    """In a process of its own: the library is imported where the module begins."""
    command = [sys.executable, "-c", WITHOUT_REQUESTS]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    result = json.loads(ended.stdout)
    assert result["failed"] and result["error"]["kind"] == "credentials"
    assert "requests" in result["msg"] and result["users"] == []
