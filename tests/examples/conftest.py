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


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    path = tmp_path_factory.mktemp("collections")
    link = path / "ansible_collections" / "identityops" / "entra_risk"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT, target_is_directory=True)
    return Ansible(tmp_path_factory.mktemp("home"), path)


_RENDER = """\
- hosts: localhost
  gather_facts: false
  vars_files: {files}
  tasks:
    - ansible.builtin.copy:
        content: "{{{{ dict(names | zip(names | map('extract', vars))) | to_json }}}}"
        dest: {target}
        mode: "0600"
      vars:
        names: {names}
"""


class Variables:
    """The variables of the directory aap_configuration."""

    def __init__(self, ansible: Ansible, directory: Path) -> None:
        self._ansible = ansible
        self._directory = directory
        self._files = [str(path) for path in sorted((EXAMPLES / "aap_configuration").glob("*.yml"))]

    @property
    def names(self) -> list[str]:
        """What they are called."""
        text = "".join(Path(path).read_text(encoding="utf-8") for path in self._files)
        return re.findall(r"^(\w+):", text, re.MULTILINE)

    def render(self, names: t.Sequence[str], status: int = 0, **extra: t.Any) -> tuple[dict[str, t.Any], str]:
        """Their values, and what Ansible printed."""
        target = self._directory / "values.json"
        target.unlink(missing_ok=True)
        playbook = self._directory / "render.yml"
        values = {"files": self._files, "target": str(target), "names": names}
        text = _RENDER.format(**{key: json.dumps(value) for key, value in values.items()})
        playbook.write_text(text, encoding="utf-8")
        extra = {"entra_risk_examples": str(EXAMPLES), **extra}
        run = self._ansible.run("ansible-playbook", playbook, "-e", json.dumps(extra), status=status)
        return json.loads(target.read_text(encoding="utf-8")) if status == 0 else {}, run.output


@pytest.fixture(scope="session")
def variables(ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Variables:
    return Variables(ansible, tmp_path_factory.mktemp("render"))
