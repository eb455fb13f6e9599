# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module as Ansible does: arguments in, and what it prints at its end out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

import pytest
from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.18

    @contextlib.contextmanager
    def patch_module_args(module_args: t.Mapping[str, t.Any]) -> t.Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": module_args}).encode())
            yield


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
