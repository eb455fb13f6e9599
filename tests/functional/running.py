"""Runs a module as Ansible does: arguments in, and what it prints at its end out."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import types
import typing as t

import pytest
from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.18

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> t.Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode())
            yield


_MODULES = "ansible_collections.identityops.entra_risk.plugins.modules"
# The lists of objects that a result can have.
_LISTS = ("users", "service_principals", "risk_detections")

Entry = dict[str, t.Any]
# Options of a module, switches of a tenant, or what else is given by name.
Options = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a module ended.

    :param output: all that it printed, without `internal`.
    :param internal: what ansible-core itself says to the controller (keys that begin with `_ansible_`).
    :param journal: the requests that it sent to the tenant, as in the tenant's journal.
    """

    result: dict[str, t.Any]
    output: str
    internal: t.Mapping[str, t.Any]
    journal: t.Sequence[Entry] = ()

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        return bool(self.result["changed"])

    @property
    def msg(self) -> str:
        return str(self.result["msg"])

    @property
    def kind(self) -> str | None:
        """The kind of the error; None without one."""
        return t.cast("str | None", self.result.get("error", {}).get("kind"))

    @property
    def warnings(self) -> list[str]:
        return [str(warning) for warning in self.result.get("warnings", [])]

    @property
    def entries(self) -> list[Entry]:
        """The users, service principals or detections of the result."""
        return t.cast("list[Entry]", next(self.result[name] for name in _LISTS if name in self.result))

    @property
    def outcomes(self) -> list[str]:
        """What became of each, in order: the outcome, and the reason if there is one: `skipped excluded`."""
        return [f"{entry['outcome']} {entry['reason'] or ''}".strip() for entry in self.entries]

    @property
    def graph(self) -> list[str]:
        """The requests to Graph, in order: `GET /v1.0/users`."""
        return [f"{entry['method']} {entry['path']}" for entry in self.journal if entry["listener"] == "graph"]

    @property
    def written(self) -> list[str]:
        """The ids that were written to, in order, once for each write."""
        return [written for entry in self.journal for written in entry["written"]]


Run = t.Callable[..., Ended]


def load(name: str) -> types.ModuleType:
    """The module of this name."""
    return importlib.import_module(f"{_MODULES}.{name}")


def run_main(
    main: t.Callable[[], None], args: t.Mapping[str, t.Any], *, check: bool, diff: bool, capsys: t.Any
) -> Ended:
    """Run the `main` of a module in this process."""
    _forget_warnings()
    capsys.readouterr()
    with patch_module_args({**args, "_ansible_check_mode": check, "_ansible_diff": diff}), pytest.raises(SystemExit):
        main()
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    internal = {key: result.pop(key) for key in [*result] if key.startswith("_ansible_")}
    return Ended(result, (json.dumps(result) if internal else captured.out) + captured.err, internal)


def _forget_warnings() -> None:
    """Those of the module that ran before: ansible-core collects them in the process."""
    with contextlib.suppress(ImportError):
        from ansible.module_utils.common import warnings

        for store in ("_global_warnings", "_global_deprecations"):
            if hasattr(warnings, store):
                getattr(warnings, store).clear()
