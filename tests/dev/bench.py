"""`dev.py bench`: the measurements of benchmarks/, in an environment of their own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from .console import Command, Count, end
from .machine import ROOT
from .workspace import Workspace

_REQUIREMENTS = ("-r", "benchmarks/requirements.txt")


def bench(space: Workspace, *options: str, report: Path = ROOT / "docs") -> int:
    """Measure and show how it goes. Gives the exit code: not zero when a count is wrong.

    :param options: `--quick`, `--startup`, `--render`.
    :param report: where benchmark.md and benchmark.svg go.
    """
    env = space.environment(space.venv("bench", _REQUIREMENTS))
    # A session of its own, so that the local tenant and the playbooks end with it.
    process = subprocess.Popen(_command(space, report, options), cwd=space.tree, env=env, start_new_session=True)
    try:
        return process.wait()
    finally:
        end(process)


def smoke(space: Workspace) -> None:
    """The quick measurements, of which only the counts matter."""
    venv = space.venv("bench", _REQUIREMENTS)
    command = _command(space, space.cache / "bench", ("--quick",))
    space.console.step("counts", command, cwd=space.tree, env=space.environment(venv), counter=_score)


def _command(space: Workspace, report: Path, options: tuple[str, ...]) -> Command:
    python = space.venv("bench", _REQUIREMENTS).python
    places: Command = ["--scratch", space.cache / "bench", "--report", report]
    return [python, "-m", "benchmarks", *places, *options]


def _score(code: int, output: str) -> Count:
    match = re.search(r"(\d+) passed, (\d+) failed$", output.rstrip())
    return Count(int(match[1]), int(match[2])) if match else Count(0, 1)
