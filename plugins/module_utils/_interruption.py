# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""When to stop early: somebody says so by a signal, or nobody is left who would read the result.

A task that Ansible gave up must not go on writing: nobody would ever learn what it wrote.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import signal
import threading
import typing as t

from ._errors import StoppedError

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_STANDARD_OUTPUT = 1


class Interruption:
    """Asked before each request. This one never stops anything; `listening` gives one that does."""

    def check(self) -> None:
        """:raises StoppedError: the work has to end now."""

    @contextlib.contextmanager
    def interruptible(self) -> t.Iterator[None]:
        """Within this block the work may end at any moment: it sleeps, or waits for an answer that changes nothing."""
        yield


class _ProcessInterruption(Interruption):
    """For a module, which is a process of its own.

    :param output: where the result will go, as a file descriptor.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._signal: str | None = None
        self._anywhere = False
        self._parent = os.getppid()
        self._controller = _controller()

    def receive(self, number: int, dummy: object) -> None:
        """The handler of the signals. The work goes on until it is at a place where it may end."""
        self._signal = signal.Signals(number).name
        if self._anywhere:
            self.check()

    def check(self) -> None:
        """:raises StoppedError: a signal came, or nobody is left who reads the result."""
        if self._signal is not None:
            raise StoppedError(f"The task was stopped from outside ({self._signal}). {StoppedError.REMEDY}")
        if not _is_open(self._output) or self._is_orphan():
            raise StoppedError(
                "The task stopped because nobody is left to read its result: Ansible gave it up (timeout on the task), "
                f"or has ended. {StoppedError.REMEDY}"
            )

    def _is_orphan(self) -> bool:
        """Whether who waits for the result has ended.

        A worker of Ansible outlives an `ansible-playbook` that is killed: it can hand the result to nobody.
        """
        return os.getppid() != self._parent or (self._controller is not None and _controller() != self._controller)

    @contextlib.contextmanager
    def interruptible(self) -> t.Iterator[None]:
        """Within this block the work may end at any moment: it sleeps, or waits for an answer that changes nothing."""
        self._anywhere = True
        try:
            # A signal that came before the block is seen here, one that comes later by the handler.
            self.check()
            yield
        finally:
            self._anywhere = False


@contextlib.contextmanager
def listening(output: int = _STANDARD_OUTPUT) -> t.Iterator[Interruption]:
    """Take note of signals as long as the block lasts; those that are ignored (`nohup`) stay so.

    :param output: where the result will go, as a file descriptor.
    """
    interruption = _ProcessInterruption(output)
    before: dict[signal.Signals, t.Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, interruption.receive)
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_open(descriptor: int) -> bool:
    """Whether somebody is at the other end. A file always takes what is written."""
    try:
        poll = select.poll()
        poll.register(descriptor, 0)
        return not poll.poll(0)
    except (AttributeError, OSError):
        # No such call on this system, or not for this kind of descriptor.
        return True


def _controller() -> int | None:
    """The process ID of `ansible-playbook`, None where it cannot be told (not on this machine, or no Linux).

    Its workers are copies of it, so it is the nearest ancestor with the command line of its own child.
    """
    ancestor, command = os.getppid(), b""
    while ancestor > 1:
        try:
            folder = pathlib.Path("/proc", str(ancestor))
            parent_command = (folder / "cmdline").read_bytes()
            # pid (name) state ppid ...; the name may hold anything.
            parent = int((folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return None
        if command and parent_command == command:
            return ancestor
        ancestor, command = parent, parent_command
    return None
