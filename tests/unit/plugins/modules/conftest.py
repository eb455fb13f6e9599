"""Runs a module as Ansible does: arguments in, and what it prints at its end out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

import pytest
import yaml
from ansible.module_utils import basic

from ansible_collections.identityops.entra_risk.plugins.module_utils import _http, _retry
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.fake_tenant import (
    GRAPH,
    PEOPLE,
    TOKEN,
    FakeTenant,
)

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.18

    @contextlib.contextmanager
    def patch_module_args(module_args: t.Mapping[str, t.Any]) -> t.Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": module_args}).encode())
            yield


ERROR_KEYS = {"kind", "status", "code", "request_id", "client_request_id"}
ERROR_KINDS = {"credentials", "login", "permission", "license", "throttled", "network", "tls", "request", "service",
               "limit", "users", "internal"}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a module ended. `output` is all that it printed."""

    result: dict[str, t.Any]
    output: str

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def warnings(self) -> list[str]:
        return [str(warning) for warning in self.result.get("warnings", [])]


RunModule = t.Callable[..., Ended]


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunModule:
    def run(main: t.Callable[[], None], *, check: bool = False, diff: bool = False, **args: t.Any) -> Ended:
        # Left over from the module before, in the same process.
        with contextlib.suppress(ImportError):
            from ansible.module_utils.common import warnings

            for store in ("_global_warnings", "_global_deprecations"):
                if hasattr(warnings, store):
                    getattr(warnings, store).clear()
        capsys.readouterr()
        arguments = {**args, "_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            main()
        captured = capsys.readouterr()
        return Ended(json.loads(captured.out), captured.out + captured.err)

    return run


@pytest.fixture
def tenant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FakeTenant:
    """A tenant in the place of the HTTP transport, whose users are at risk or what else a test is parametrized for."""
    tenant = FakeTenant(kind=getattr(request, "param", PEOPLE))

    def send(dummy: t.Any, method: str, url: str, **options: t.Any) -> _http.Response:
        assert options.pop("bearer") == TOKEN
        return tenant.send(method, url, **options)

    monkeypatch.setattr(_http.Transport, "send", send)
    monkeypatch.setattr(_retry, "Clock", lambda **dummy: tenant.time.clock)
    return tenant


@pytest.fixture
def run_any(run_module: RunModule, tenant: FakeTenant) -> RunModule:
    """A module with a ready token. Every ending is checked for the documented keys, and for the token."""

    def run(module: t.Any, **args: t.Any) -> Ended:
        ended = run_module(module.main, **{"access_token": TOKEN, "graph_url": GRAPH, **args})
        assert TOKEN not in ended.output
        if ended.failed:
            assert ended.result["error"].keys() == ERROR_KEYS
            assert ended.result["error"]["kind"] in ERROR_KINDS
        if ended.failed and "requests" not in ended.result:
            # The arguments were refused by their specification, before the module had its say.
            assert ended.result["error"]["kind"] == "request"
            return ended
        documented = yaml.safe_load(module.RETURN)
        always = {key for key, value in documented.items() if value["returned"] == "always"}
        # Ansible itself documents these two for all modules.
        assert ended.result.keys() >= always | {"changed", "msg"}
        assert ("error" in ended.result) is ended.failed
        return ended

    return run


@pytest.fixture
def run(run_any: RunModule, request: pytest.FixtureRequest) -> RunModule:
    """The `MODULE` of a file with tests, with the arguments `NEEDED` where a test does not give others."""

    def run(**args: t.Any) -> Ended:
        return run_any(request.module.MODULE, **{**getattr(request.module, "NEEDED", {}), **args})

    return run
