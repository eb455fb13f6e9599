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
VARIABLES = EXAMPLES / "aap_configuration"
PROJECT = EXAMPLES / "awx" / "project"
BIN = Path(sys.executable).parent
# What the examples take from the environment. None of it may come out again.
TOKEN = "CanaryToken7h2Kd"
SECRET = "CanarySecret~4Vq9z"
KEY = "CanaryKey5Rt1Lw"
CERTIFICATE = f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n"


@dataclasses.dataclass(frozen=True)
class Run:
    """What became of a playbook."""

    output: str

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
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
            "AZURE_CERTIFICATE": CERTIFICATE,
            "AZURE_CLIENT_ID": "04487ee0-f4f6-4e7f-8999-facc5a30e232",
            "AZURE_SECRET": SECRET,
            "AZURE_TENANT": "contoso.example",
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        }

    def run(self, command: str, *words: str | Path, **env: str) -> str:
        """What a command prints; it has to succeed."""
        done = subprocess.run(
            [BIN / command, *words], env={**self._env, **env}, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def play(self, playbook: Path, *words: str | Path, **env: str) -> Run:
        """Run a playbook."""
        return Run(self.run("ansible-playbook", playbook, *words, **env))


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    path = tmp_path_factory.mktemp("collections")
    link = path / "ansible_collections" / "identityops" / "entra_risk"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT, target_is_directory=True)
    return Ansible(tmp_path_factory.mktemp("home"), path)


@pytest.fixture(scope="session", params=["secret", "certificate"])
def login(request: pytest.FixtureRequest) -> str:
    """How the jobs are to log in."""
    kind: str = request.param
    return kind


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


@pytest.fixture(scope="session")
def variables(ansible: Ansible, login: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """The values of the variables in the directory aap_configuration."""
    files = sorted(VARIABLES.glob("*.yml"))
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    names = re.findall(r"^(\w+):", text, re.MULTILINE)
    directory = tmp_path_factory.mktemp("render")
    playbook, target = directory / "render.yml", directory / "values.json"
    values = {"files": [str(path) for path in files], "target": str(target), "names": names}
    playbook.write_text(_RENDER.format(**{key: json.dumps(value) for key, value in values.items()}), encoding="utf-8")
    ansible.play(playbook, "-e", f"entra_risk_login={login}", "-e", f"entra_risk_examples={EXAMPLES}")
    found: dict[str, t.Any] = json.loads(target.read_text(encoding="utf-8"))
    return found
