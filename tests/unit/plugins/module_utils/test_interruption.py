"""When the work has to end early, and where it may. What becomes of a task then: tests/functional/test_stopping.py."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _interruption
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import StoppedError
from ansible_collections.identityops.entra_risk.plugins.module_utils._interruption import listening


@pytest.fixture
def pipe() -> t.Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for descriptor in ends:
        with contextlib.suppress(OSError):
            os.close(descriptor)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_sleep_at_once(pipe: tuple[int, int], number: signal.Signals) -> None:
    began = time.monotonic()
    with listening(pipe[1]) as interruption, pytest.raises(StoppedError), interruption.interruptible():
        os.kill(os.getpid(), number)
        time.sleep(10)
    assert time.monotonic() - began < 5


def test_a_signal_before_a_sleep_keeps_it_from_beginning(pipe: tuple[int, int]) -> None:
    with listening(pipe[1]) as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError), interruption.interruptible():
            raise AssertionError("it began")


def test_the_handlers_are_put_back_and_ignored_signals_stay_ignored(pipe: tuple[int, int]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        usual = signal.getsignal(signal.SIGTERM)
        with listening(pipe[1]) as interruption:
            assert signal.getsignal(signal.SIGTERM) != usual
            os.kill(os.getpid(), signal.SIGHUP)
            interruption.check()
        assert signal.getsignal(signal.SIGTERM) == usual
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("closed", [0, 1], ids=["reader", "writer"])
def test_stops_when_nobody_reads_any_more(pipe: tuple[int, int], closed: int) -> None:
    with listening(pipe[1]) as interruption:
        interruption.check()
        os.close(pipe[closed])
        with pytest.raises(StoppedError, match="nobody is left to read its result"):
            interruption.check()


def test_a_file_and_a_terminal_take_a_result_at_any_time(tmp_path: pathlib.Path) -> None:
    main, terminal = os.openpty()
    with (tmp_path / "result").open("wb") as file, open(os.devnull, "wb") as nowhere, open(terminal, "wb") as shown:
        for stream in (file, nowhere, shown):
            with listening(stream.fileno()) as interruption:
                interruption.check()
    os.close(main)


def test_stops_when_its_parent_has_ended(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(pipe[1]) as interruption:
        monkeypatch.setattr(os, "getppid", lambda: 1)
        with pytest.raises(StoppedError):
            interruption.check()


# A controller, its worker (a copy of it), a shell, and the module, which says whether it may go on.
_FAMILY = """
import os, subprocess, sys, time
if os.fork():
    time.sleep(60)
subprocess.run(["/bin/sh", "-c", f"{sys.executable} {sys.argv[1]}; true"])
"""
_MODULE = """
import os, sys, time
from ansible_collections.identityops.entra_risk.plugins.module_utils import _interruption
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import StoppedError
with _interruption.listening() as interruption:
    print(_interruption._controller(), flush=True)
    for dummy in range(200):
        try:
            interruption.check()
        except StoppedError:
            sys.exit("stopped")
        time.sleep(0.05)
"""


@pytest.mark.skipif(not pathlib.Path("/proc/self/stat").exists(), reason="only Linux tells who is whose child")
def test_stops_when_the_controller_is_killed_although_its_worker_lives(tmp_path: pathlib.Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(_MODULE)
    command, env = [sys.executable, "-c", _FAMILY, str(module)], {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as controller:
        assert controller.stdout is not None
        assert controller.stdout.readline().strip() == str(controller.pid)
        controller.kill()
        assert controller.stdout.readline().strip() == "stopped"


def test_without_a_table_of_processes_the_parent_alone_counts(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(self: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr(pathlib.Path, "read_bytes", unreadable)
    assert _interruption._controller() is None
    with listening(pipe[1]) as interruption:
        interruption.check()
