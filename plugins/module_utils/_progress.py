# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""How far a task is, for the action plugin that shows it while the module runs.

One line of JSON for each step, numbers only, into a file that the controller made. Without one, nothing happens; and
whatever goes wrong with it is no reason for a task to fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from ._retry import Clock

# Names the file. Set by the action plugin alone, where the module runs on the controller itself.
VARIABLE = "ENTRA_RISK_PROGRESS_FILE"


class ProgressFile:
    """Takes note of each step of the work.

    :param path: a file that exists; None where nobody follows.
    """

    def __init__(self, path: str | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._file: int | None = None
        with contextlib.suppress(OSError, ValueError):
            # Neither made here nor reached by a link: another module may have left the variable behind.
            flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(path, flags) if path else None

    def read(self, number: int, what: str, total: int | None = None) -> None:
        """So many objects are read; `what` is the plural that people call them by."""
        self._step("read", number, what, total)

    def written(self, number: int, total: int, what: str) -> None:
        """So many of all that are due have an answer."""
        self._step("written", number, what, total)

    def confirmed(self, number: int, total: int, what: str) -> None:
        """So many of those that were written to show the new state."""
        self._step("confirmed", number, what, total)

    @contextlib.contextmanager
    def waiting(self, why: str) -> t.Iterator[None]:
        """Within this block the task waits.

        :param why: a text of this collection.
        """
        self._note(waiting=why)
        try:
            yield
        finally:
            self._note(waiting="")

    def _step(self, step: str, done: int, what: str, total: int | None) -> None:
        self._note(step=step, done=done, total=total, what=what, at=round(self._clock.monotonic(), 3))

    def _note(self, **note: t.Any) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.write(self._file, f"{json.dumps(note)}\n".encode())
