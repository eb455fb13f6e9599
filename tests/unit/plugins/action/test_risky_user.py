"""What people see of a task while it runs: the module writes its steps to a file, the action plugin tells them."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import threading
import time
import types
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible import constants

from ansible_collections.identityops.entra_risk.plugins.action import risky_user as action
from ansible_collections.identityops.entra_risk.plugins.module_utils._progress import VARIABLE, ProgressFile
from ansible_collections.identityops.entra_risk.plugins.module_utils._retry import Clock

Step = tuple[t.Any, ...]


def written(*counts: int) -> Step:
    return "written", *counts, "users"


def take(path: Path, steps: t.Iterable[Step]) -> contextlib.ExitStack:
    """Note the steps, five seconds apart, as the module does. Gives the waiting that goes on."""
    seconds = itertools.count(0.0, 5.0)
    file = ProgressFile(str(path), Clock(monotonic=lambda: next(seconds)))
    goes_on = contextlib.ExitStack()
    for name, *values in steps:
        if name == "waits":
            goes_on.enter_context(file.waiting(*values))
        else:
            getattr(file, name)(*values)
    return goes_on


@pytest.mark.parametrize(
    ("steps", "sentences"),
    [
        ([], []),
        ([("read", 3500, "users")], ["read 3,500 users"]),
        ([("read", 12, "histories", 40)], ["read 12 of 40 histories"]),
        ([written(0, 6000)], ["written 0 of 6,000 users"]),
        ([written(0, 6000), written(1200, 6000)], ["written 1,200 of 6,000 users, about 20 seconds left"]),
        ([written(0, 90000), written(60, 90000)], ["written 60 of 90,000 users, about 125 minutes left"]),
        ([("read", 9000, "users"), written(60, 120)], ["written 60 of 120 users"]),
        ([("confirmed", 10, 60, "users")], ["confirmed 10 of 60 users"]),
        ([("waits", "no connection")], ["waiting: no connection"]),
        ([("read", 5, "users"), ("waits", "too many requests")], ["read 5 users", "waiting: too many requests"]),
        ([("waits", "too many requests"), ("read", 5, "users")], ["read 5 users"]),
    ],
)
def test_says_how_far_a_task_is(steps: list[Step], sentences: list[str], tmp_path: Path) -> None:
    path = tmp_path / "steps"
    path.touch()
    with contextlib.closing(take(path, steps)):
        whole = path.read_bytes()
    assert list(action.Progress().after(whole).sentences()) == sentences
    # A line that is not whole yet does no harm.
    assert list(action.Progress().after(whole + b'{"step": "wri').sentences()) == sentences


@pytest.mark.parametrize("path", ["missing", "directory", "link", "nul\0"])
def test_a_file_that_cannot_be_used_is_no_reason_to_fail(path: str, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    take(tmp_path / path, [("written", 1, 2, "users")])
    assert not (tmp_path / "missing").exists()
    assert not (tmp_path / "target").read_bytes()


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> t.Callable[..., str]:
    """Run the action around something that stands in for the module's process. Gives what was displayed."""
    monkeypatch.setattr(action, "SILENCE", 0.01)
    monkeypatch.setattr(action, "INTERVAL", 0.01)

    def module(self: t.Any, *dummy: object) -> dict[str, t.Any]:
        for path in [Path(each[VARIABLE]) for each in self._task.environment if VARIABLE in each]:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            # What is left there after an interruption, Ansible removes.
            assert str(path.parent) == constants.DEFAULT_LOCAL_TMP
            take(path, [("written", 60, 120, "users")])
            time.sleep(0.1)
        return {"changed": True}

    monkeypatch.setattr(action.NormalAction, "run", module)

    def play(transport: str = "local", async_val: int = 0) -> str:
        plugin = object.__new__(action.ActionModule)
        plugin._task = types.SimpleNamespace(
            action="identityops.entra_risk.risky_user", async_val=async_val, environment=[{"PATH": "/bin"}]
        )
        plugin._connection = types.SimpleNamespace(transport=transport)
        assert plugin.run(None, {}) == {"changed": True}
        left = [each[VARIABLE] for each in plugin._task.environment if VARIABLE in each]
        assert not any(map(os.path.exists, left))
        assert not [each.name for each in threading.enumerate() if "follow" in each.name]
        return capsys.readouterr().err

    return play


def test_shows_the_progress_while_the_module_runs_here(play: t.Callable[..., str]) -> None:
    assert "risky_user: written 60 of 120 users\n" in play()


@pytest.mark.parametrize(
    ("switch", "task"), [("0", {}), (" 0 ", {}), ("", {"transport": "ssh"}), ("", {"async_val": 60})]
)
def test_is_silent_where_nobody_can_follow_or_wants_to(
    switch: str, task: dict[str, t.Any], play: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(action.SWITCH, switch)
    assert play(**task) == ""


def test_every_module_has_this_action() -> None:
    plugins = Path(action.__file__).parents[1]
    modules = {path.stem for path in (plugins / "modules").glob("*.py")}
    runtime = yaml.safe_load((plugins.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert set(runtime["action_groups"]["all"]) == modules
    name = "identityops.entra_risk.risky_user"
    assert runtime["plugin_routing"]["modules"] == {
        module: {"action_plugin": name} for module in modules - {"risky_user"}
    }
