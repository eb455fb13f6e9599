"""Runs commands, shows how they go, and counts what they checked."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

# A command that takes longer than this hangs.
STEP_LIMIT = 30 * 60
# A sign of life on long steps, for people and for the logs of CI.
HEARTBEAT = 20


@dataclasses.dataclass(frozen=True)
class Count:
    """How many checks passed and failed."""

    passed: int
    failed: int = 0
    note: str = ""


Command = list[t.Union[str, Path]]
# Takes the exit code and the output of a command.
Counter = t.Callable[[int, str], Count]


def one_check(code: int, output: str) -> Count:
    """The command as a whole is one check."""
    return Count(int(code == 0), int(code != 0))


class StopError(Exception):
    """The work cannot go on, for a reason that a person can repair."""


class Console:
    """Prints progress and keeps the score. The output of each command goes to a file in `logs`.

    :param verbose: also show the output while it comes.
    """

    def __init__(self, logs: Path, *, verbose: bool) -> None:
        self.passed = 0
        self.failures: list[str] = []
        self.left_out: list[str] = []
        self._failed = 0
        self._logs = logs
        self._verbose = verbose
        self._heading = ""

    def say(self, text: str) -> None:
        """Print a line at once."""
        print(text, flush=True)

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._heading = text
        self.say(f"\n== {text}")

    def count(self, name: str, count: Count, seconds: float = 0.0) -> bool:
        """Add to the score and say so. A check that checked nothing has failed."""
        failed = count.failed if count.passed or count.failed else 1
        note = count.note if count.passed or count.failed else "nothing was checked"
        self.passed += count.passed
        self._failed += failed
        score = f"{count.passed} passed" + (f", {failed} FAILED" if failed else "")
        self.say(f"   {name}: {score}, {seconds:.0f} s" + (f" ({note})" if note else ""))
        if failed:
            self.failures.append(f"{self._heading}: {name}")
        return not failed

    def leave_out(self, text: str) -> None:
        """Something that cannot be done on this machine. The summary says so again."""
        self.left_out.append(f"{self._heading}: {text}")
        self.say(f"   left out: {text}")

    def step(
        self,
        name: str,
        command: t.Sequence[str | Path],
        *,
        cwd: Path,
        env: t.Mapping[str, str],
        counter: Counter | None = one_check,
    ) -> bool:
        """Run a command to its end. True when it passed; when not, its whole output has been shown.

        :param counter: None for preparations, which count only when they fail.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / (re.sub(r"[^\w.-]+", "-", f"{self._heading} {name}") + ".log")
        start = time.monotonic()
        code = self._run(name, [str(word) for word in command], cwd, env, log)
        seconds = time.monotonic() - start
        output = log.read_text(encoding="utf-8", errors="replace")
        if counter is None and code == 0:
            self.say(f"   {name}: done, {seconds:.0f} s")
            return True
        count = (counter or one_check)(code, output)
        if code != 0 and not count.failed:
            count = dataclasses.replace(count, failed=1)
        passed = self.count(name, count, seconds)
        if not passed and not self._verbose:
            self.say(f"--- output of {name} (exit code {code}, {log})\n{output.rstrip()}\n---")
        return passed

    def summary(self) -> int:
        """Print the score as the last line. The exit code of the whole."""
        self.say("")
        for text in self.left_out:
            self.say(f"left out: {text}")
        for failure in self.failures:
            self.say(f"failed: {failure}")
        self.say(f"{self.passed} passed, {self._failed} failed")
        return 0 if self.passed and not self._failed else 1

    def _run(self, name: str, command: list[str], cwd: Path, env: t.Mapping[str, str], log: Path) -> int:
        start = time.monotonic()
        beat = start + HEARTBEAT
        shown = 0
        with log.open("wb") as stream:
            # A session of its own, so that children of children end with it.
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                while True:
                    try:
                        code: int | None = process.wait(timeout=0.5)
                    except subprocess.TimeoutExpired:
                        code = None
                    if self._verbose:
                        shown = self._show(log, shown)
                    if code is not None:
                        return code
                    now = time.monotonic()
                    if now > start + STEP_LIMIT:
                        stream.write(f"\nStopped: no end after {STEP_LIMIT} seconds.\n".encode())
                        return 124
                    if now > beat:
                        beat += HEARTBEAT
                        self.say(f"   {name}: {now - start:.0f} s ...")
            finally:
                end(process)

    @staticmethod
    def _show(log: Path, shown: int) -> int:
        with log.open("rb") as stream:
            stream.seek(shown)
            text = stream.read()
        sys.stdout.write(text.decode("utf-8", "replace"))
        sys.stdout.flush()
        return shown + len(text)


def end(process: subprocess.Popen[t.Any]) -> None:
    """End a process that leads its own session, and all that it started: first asked, then forced."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
