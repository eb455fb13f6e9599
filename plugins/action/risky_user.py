# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows how far a task is while its module runs. All modules of the collection have this action, by meta/runtime.yml.

The module appends a line to a file for each step (see `plugins/module_utils/_progress.py`); a thread here reads it and
displays a sentence every few seconds. The module does its work the same without it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import tempfile
import threading
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ansible_collections.identityops.entra_risk.plugins.module_utils._progress import VARIABLE

# In the environment of Ansible: 0 switches the display off.
SWITCH = "ENTRA_RISK_PROGRESS"
# Seconds of silence at the beginning, and from one sentence to the next.
SILENCE = 10.0
INTERVAL = 5.0
# Longer times are told in minutes.
_MOST_SECONDS = 180
# A step is a line of some eighty characters, and the last ones count.
_MOST_READ = 1_000_000


# ansible-core has no types for them.
_NormalAction: t.Any = NormalAction
_constants: t.Any = constants


class ActionModule(_NormalAction):
    """Runs the module as Ansible always does. `run` gives its result."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        with contextlib.ExitStack() as stack:
            if self._is_followed():
                stack.enter_context(self._following())
            result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result

    def _is_followed(self) -> bool:
        """A file can be followed where the module runs here, and while it runs."""
        here = self._connection.transport == "local" and not self._task.async_val
        return here and os.environ.get(SWITCH, "").strip() != "0"

    @contextlib.contextmanager
    def _following(self) -> t.Iterator[None]:
        try:
            # In the directory that Ansible removes at its end, also after an interruption.
            number, name = tempfile.mkstemp(prefix="entra_risk_progress_", dir=_constants.DEFAULT_LOCAL_TMP)
        except OSError:
            yield
            return
        os.close(number)
        given = self._task.environment or []
        self._task.environment = [*(given if isinstance(given, list) else [given]), {VARIABLE: name}]
        over = threading.Event()
        thread = threading.Thread(target=follow, args=(Path(name), self._task.action, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            with contextlib.suppress(OSError):
                os.unlink(name)


def follow(path: Path, action: str, over: threading.Event) -> None:
    """Display the sentences about a task until it is `over`."""
    display, name = Display(), action.rpartition(".")[2]
    progress, silence = Progress(), SILENCE
    with contextlib.suppress(OSError), path.open("rb") as steps:
        while not over.wait(silence):
            progress = progress.after(steps.read(_MOST_READ))
            for sentence in progress.sentences():
                display.display(f"{name}: {sentence}", stderr=True)
            silence = INTERVAL


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a task is.

    :param first: the first note of the present step.
    :param last: the latest one: `step`, `done`, `total` (perhaps null), `what`, and `at` in seconds.
    :param waiting: what the task waits for, empty when it does not.
    """

    first: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    last: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    waiting: str = ""

    def after(self, lines: bytes) -> Progress:
        """The progress when these lines were read. The last one may not be whole yet, and is lost then."""
        progress = self
        for line in lines.splitlines():
            with contextlib.suppress(ValueError):
                progress = progress._after_note(json.loads(line))
        return progress

    def _after_note(self, note: t.Mapping[str, t.Any]) -> Progress:
        if "waiting" in note:
            return dataclasses.replace(self, waiting=note["waiting"])
        same = note["step"] == self.last.get("step")
        return Progress(first=self.first if same else note, last=note)

    def sentences(self) -> t.Iterator[str]:
        """What to say now: how far the task is, and what it waits for."""
        if self.last:
            total, what = self.last["total"], self.last["what"]
            of_all = f" of {total:,}" if total is not None else ""
            yield f"{self.last['step']} {self.last['done']:,}{of_all} {what}{self._left()}"
        if self.waiting:
            yield f"waiting: {self.waiting}"

    def _left(self) -> str:
        """The time that is left, by the pace since the step began."""
        done = self.last["done"] - self.first["done"]
        if self.last["total"] is None or done <= 0:
            return ""
        pace = (self.last["at"] - self.first["at"]) / done
        seconds = math.ceil(pace * (self.last["total"] - self.last["done"]))
        number, unit = (seconds, "seconds") if seconds <= _MOST_SECONDS else (round(seconds / 60), "minutes")
        return f", about {number:,} {unit} left"
