"""Every kind of error: what Graph answers, what stands on the way to it, libraries that are missing or do not work."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from unittest import mock

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
    ended = run(module, **arguments(module))
    error = ended.result["error"]
    assert (error["kind"], error["status"]) == (kind, fault.get("status", 307)), ended.msg
    assert error["request_id"] and error["client_request_id"]
    assert [word for word in words if word not in ended.msg] == [], ended.msg
    assert not ended.changed and ended.entries == []


@each
def test_the_license_is_missing(tenant: Tenant, run: Run, module: str) -> None:
    tenant.switches.update({"licensed": False, "workload_licensed": False})
    ended = run(module, **arguments(module))
    product = "Microsoft Entra ID P2" if MODULES[module][0] == "users" else "Microsoft Entra Workload ID Premium"
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
    args = arguments(module)
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


NOBODY = "https://localhost:9"
# What stands on the way.
UNREACHABLE: t.Mapping[str, tuple[dict[str, t.Any], str, list[str]]] = {
    "no Graph": ({"graph_url": NOBODY}, "network", ["localhost:9", "graph_url"]),
    "no login service": ({"login": True, "authority_host": NOBODY}, "network", ["localhost:9", "authority_host"]),
    "no managed identity": (
        {"access_token": None, "auth_source": "msi", "env": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://localhost:9"}},
        "network", ["managed identity", "auth_source: msi"],
    ),
    "no proxy": ({"env": {"HTTPS_PROXY": "http://operator:proxy-password-1@localhost:9"}}, "network", ["proxy"]),
    "a proxy of no use, at the login": (
        {"login": True, "env": {"ALL_PROXY": "http://operator:proxy-password-1]@localhost:9"}},
        "network", ["The proxy in ALL_PROXY cannot be used", "Percent-encode"],
    ),
    "a CA that nobody named, at the login": ({"login": True, "ca_path": ""}, "tls", ["ca_path"]),
    "a CA bundle that is not there": ({"ca_path": "/nonexistent.pem"}, "tls", ["ca_path", "No such file"]),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREACHABLE)
def test_nobody_can_be_reached(run: Run, login: dict[str, t.Any], name: str) -> None:
    given, kind, words = UNREACHABLE[name]
    options = {**(login if "login" in given else {}), **given}
    options.pop("login", None)
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
    bug = ZeroDivisionError(f"with Authorization: Bearer {token} in the text")
    monkeypatch.setattr(clock, function, mock.Mock(side_effect=bug))
    clock.install(monkeypatch)
    args = None if "detection" in module or function == "monotonic" else {"filters": {"updated_after": "1d"}}
    ended = run(module, **arguments(module, args), access_token=token)
    assert ended.failed and "ZeroDivisionError" in ended.msg and "bug" in ended.msg


@each
def test_says_where_it_went_and_as_whom(
    tenant: Tenant, run: Run, emulator: Emulator, login: dict[str, t.Any], module: str
) -> None:
    places = {"authority": emulator.login_url, "graph_url": emulator.graph_url}
    connection = {"tenant": tenant.id, "client_id": login["client_id"], "auth": "secret", **places}
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


@each
def test_a_panic_in_the_middle_leaves_a_result(
    tenant: Tenant, run: Run, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    class PanicException(BaseException):  # its name in pyo3
        """What the parts of libraries that are written in Rust raise."""

    monkeypatch.setattr("requests.Session.prepare_request", mock.Mock(side_effect=PanicException("It failed")))
    ended = run(module, **arguments(module))
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
