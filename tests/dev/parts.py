# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of `dev.py test`."""

from __future__ import annotations

import typing as t
from pathlib import Path

from . import counting
from .console import Counter, one_check
from .workspace import Venv, Workspace

DEVELOPMENT = ("-r", "requirements-dev.txt")


def units(space: Workspace) -> None:
    """The unit tests, and how much of the plugins they run."""
    venv = space.venv("main", DEVELOPMENT)
    if not ansible_test(space, venv, "unit tests", "units", "--python", venv.version, "--coverage"):
        return
    tool(space, venv, "combine coverage", *venv.tool("ansible-test", "coverage", "combine"), counter=None)
    tool(space, venv, "report coverage", *venv.tool("ansible-test", "coverage", "xml"), counter=None)
    report = space.tree / "tests" / "output" / "reports" / "coverage.xml"
    count, details = counting.branch_coverage(report, space.tree / "plugins")
    if details:
        space.console.say(details)
    space.console.count("branch coverage", count)


def sanity(space: Workspace) -> None:
    """The sanity tests of ansible-core, with the Python that runs this."""
    venv = space.venv("main", DEVELOPMENT)
    ansible_test(space, venv, "sanity", "sanity", "--python", venv.version, "--junit")


def lint(space: Workspace) -> None:
    """Style, types, YAML, changelog, licences."""
    venv = space.venv("main", DEVELOPMENT)
    checks: dict[str, tuple[str, ...]] = {
        "ruff check": ("ruff", "check"),
        "ruff format": ("ruff", "format", "--diff"),
        "mypy plugins": ("mypy", "plugins"),
        "mypy tests": ("mypy", "dev.py", "tests/dev", "tests/entra_emulator"),
        "yamllint": ("yamllint", "--strict", "."),
        "ansible-lint": ("ansible-lint", "--offline", "--profile", "production", "--strict"),
        "antsibull-changelog": ("antsibull-changelog", "lint"),
        "reuse": ("reuse", "lint", "--lines"),
    }
    for name, command in checks.items():
        tool(space, venv, name, *venv.tool(*command))


PARTS: dict[str, t.Callable[[Workspace], None]] = {
    "units": units,
    "sanity": sanity,
    "lint": lint,
}
# Left out unless they are asked for: they take longer and install more.
ON_REQUEST = ("sdk", "matrix")


def ansible_test(space: Workspace, venv: Venv, name: str, *words: str) -> bool:
    """Run `ansible-test` in the copy of the collection, and count its reports."""
    reports = space.tree / "tests" / "output" / "junit"
    for old in reports.glob("*.xml"):
        old.unlink()
    counter = counting.sanity(reports) if words[0] == "sanity" else counting.junit(reports)
    return tool(space, venv, name, *venv.tool("ansible-test", *words, "--color", "no"), counter=counter)


def tool(space: Workspace, venv: Venv, name: str, *command: str | Path, counter: Counter | None = one_check) -> bool:
    """Run a tool in the copy of the collection."""
    return space.console.step(name, command, cwd=space.tree, env=space.environment(venv), counter=counter)
