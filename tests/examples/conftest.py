"""Runs Ansible on the examples. Nothing but loopback can be reached."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests import loopback

loopback.refuse_everything_else()

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PROJECT = EXAMPLES / "awx" / "project"
VARIABLES = EXAMPLES / "aap_configuration"
BIN = Path(sys.executable).parent
# What the examples take from the environment. None of it may come out again.
TOKEN = "CanaryToken7h2Kd"
KEY = "CanaryKey5Rt1Lw"
CREDENTIALS = {
    "AZURE_CERTIFICATE": f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n",
    "AZURE_CLIENT_ID": "04487ee0-f4f6-4e7f-8999-facc5a30e232",
    "AZURE_SECRET": "CanarySecret~4Vq9z",
    "AZURE_TENANT": "contoso.example",
}


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
    """Runs the commands of Ansible.

    :param home: a directory of its own, for what they leave behind.
    :param collections: where the collection is found; those that came with Ansible are found anyway.
    """

    def __init__(self, home: Path, collections: Path) -> None:
        self._env = {
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
            "ANSIBLE_PIPELINING": "True",
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
            **CREDENTIALS,
        }

    def run(self, command: str, *words: str | Path, status: int | None = 0, **env: str) -> Run:
        """Run a command, which has to end with this status."""
        everything = {**self._env, **env}
        done = subprocess.run(
            [BIN / command, *words], env=everything, capture_output=True, text=True, timeout=300, check=False
        )
        found = Run(done.returncode, done.stdout + done.stderr)
        assert status in (None, found.status), found.output
        return found

    def render(self, *names: str, status: int = 0, **extra: t.Any) -> tuple[dict[str, t.Any], str]:
        """The values of variables in the directory aap_configuration, and what Ansible printed."""
        more = {"entra_risk_examples": str(EXAMPLES), **extra}
        files = [word for path in sorted(VARIABLES.glob("*.yml")) for word in ("-e", f"@{path}")]
        message = f"{{{{ {{{', '.join(f'{name!r}: {name}' for name in names)}}} }}}}"
        words = ("-m", "ansible.builtin.debug", "-a", json.dumps({"msg": message}))
        run = self.run("ansible", "localhost", *words, *files, "-e", json.dumps(more), status=status)
        return json.loads(run.output.partition(" => ")[2])["msg"] if status == 0 else {}, run.output


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    path = tmp_path_factory.mktemp("collections")
    link = path / "ansible_collections" / "identityops" / "entra_risk"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT, target_is_directory=True)
    return Ansible(tmp_path_factory.mktemp("home"), path)
