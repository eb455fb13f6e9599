"""Runs the commands of Ansible that belong to the Python of the tests, without the settings of whoever runs them."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@dataclasses.dataclass(frozen=True)
class Run:
    """What became of a command."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """How many tasks of a playbook changed something."""
        (number,) = re.findall(r" changed=(\d+) ", self.output)
        return int(number)


class Ansible:
    """Runs commands. The collection is found; those that came with Ansible are found anyway.

    :param home: a directory for what they leave behind.
    :param env: further variables.
    """

    def __init__(self, home: Path, **env: str) -> None:
        link = home / "collections" / "ansible_collections" / "identityops" / "entra_risk"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT, target_is_directory=True)
        self._env = {
            "ANSIBLE_COLLECTIONS_PATH": str(home / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
            "ANSIBLE_PIPELINING": "True",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
            **env,
        }

    def run(self, command: str, *words: str | Path, status: int | None = 0, cwd: Path = ROOT, **env: str) -> Run:
        """Run a command, which has to end with this status; None is for any."""
        line = [BIN / command, *words]
        everything = {**self._env, **env}
        done = subprocess.run(line, env=everything, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
        found = Run(done.returncode, done.stdout + done.stderr)
        assert status in (None, found.status), found.output
        return found
