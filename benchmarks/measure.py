"""Runs a command, and measures its time and its memory. The memory comes from /proc, so only on Linux."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

TIME_LIMIT = 30 * 60
_PAUSE = 0.02
# The tree costs more to look at than the one process.
_TREE_EVERY = 5
# How ansible-core calls the file that holds a module.
_MODULE = b"AnsiballZ_"
_MEGABYTE = 1024 * 1024

Command = list[t.Union[str, Path]]


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a command did. The memory is in MiB; None where there was nothing to see.

    :param tree_memory: the most that the process and all its children held together (proportional set size).
    :param module_memory: the most that the process of an Ansible module held (resident set size).
    """

    code: int
    output: str
    seconds: float
    tree_memory: float | None = None
    module_memory: float | None = None


def run(command: Command, *, cwd: Path, env: t.Mapping[str, str], watch_memory: bool = True) -> Measured:
    """Run a command to its end.

    :param watch_memory: off where the watching could be felt, since it takes a little of the machine.
    """
    with tempfile.TemporaryFile() as stream:
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        watch = _Watch(process.pid)
        try:
            if watch_memory:
                while process.poll() is None:
                    watch.look()
                    if time.monotonic() > start + TIME_LIMIT:
                        raise subprocess.TimeoutExpired(command, TIME_LIMIT)
                    time.sleep(_PAUSE)
            code = process.wait(TIME_LIMIT)
        finally:
            process.kill()
        seconds = time.monotonic() - start
        stream.seek(0)
        output = stream.read().decode("utf-8", "replace")
    return Measured(code, output, seconds, _megabytes(watch.tree), _megabytes(watch.module))


class _Watch:
    """The peaks so far, in bytes."""

    def __init__(self, pid: int) -> None:
        self.tree = 0
        self.module = 0
        self._pid = pid
        self._looks = 0

    def look(self) -> None:
        """Take one sample."""
        family = list(_family(self._pid))
        for pid in family:
            if _MODULE in _read(pid, "cmdline"):
                # The kernel keeps the peak, so only what comes after the last look is missed.
                self.module = max(self.module, _kilobytes(_read(pid, "status"), b"VmHWM"))
        if self._looks % _TREE_EVERY == 0:
            self.tree = max(self.tree, sum(_kilobytes(_read(pid, "smaps_rollup"), b"Pss") for pid in family))
        self._looks += 1


def _family(pid: int) -> t.Iterator[int]:
    yield pid
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for task in tasks:
        for child in _read(pid, f"task/{task}/children").split():
            yield from _family(int(child))


def _read(pid: int, name: str) -> bytes:
    """Nothing for a process that has ended meanwhile."""
    try:
        return Path("/proc", str(pid), name).read_bytes()
    except OSError:
        return b""


def _kilobytes(text: bytes, name: bytes) -> int:
    match = re.search(rb"^%s:\s+(\d+) kB" % name, text, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def _megabytes(size: int) -> float | None:
    return size / _MEGABYTE if size else None
