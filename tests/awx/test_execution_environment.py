"""The execution environment: what ansible-builder finds in the collection is all that the module needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.entra_emulator.tenant import Tenant

from .conftest import EXAMPLES, ROOT
from .credentials import AzureResourceManager
from .jobs import DISMISS_RISK

BUILDER = Path(sys.executable).parent / "ansible-builder"
NEEDED = {"requests", "msal"}


def run(*command: str | Path, env: t.Mapping[str, str] | None = None, cwd: Path = ROOT) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names(requirements: t.Iterable[str]) -> set[str]:
    """The packages that these lines ask for."""
    return {re.split(r"[^\w-]", line, maxsplit=1)[0] for line in requirements}


def test_introspect_finds_exactly_what_is_needed(collections: Path) -> None:
    found = yaml.safe_load(run(BUILDER, "introspect", collections))

    assert names(found["python"]) == NEEDED
    assert not found.get("system")


def test_create_makes_a_build_context_of_the_example(tmp_path: Path) -> None:
    definition = EXAMPLES / "execution-environment.yml"
    wanted = yaml.safe_load(definition.read_text(encoding="utf-8"))

    run(BUILDER, "create", "--file", definition, "--context", tmp_path, "--output-filename", "Containerfile")

    containerfile = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert f'ARG EE_BASE_IMAGE="{wanted["images"]["base_image"]["name"]}"' in containerfile
    assert 'ARG PYCMD="/usr/bin/python3.12"' in containerfile
    collections = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in collections["collections"]] == ["identityops.entra_risk"]
    # The collection says itself which packages it needs: the example adds none.
    assert not list(tmp_path.rglob("requirements.txt"))


@pytest.mark.slow
def test_what_introspect_finds_is_enough(
    collections: Path,
    tenant: Tenant,
    credential: AzureResourceManager,
    surroundings: dict[str, str],
    tmp_path: Path,
) -> None:
    """A fresh environment with ansible-core and the packages found; pip takes them from where it is set up to."""
    found, venv, installed = tmp_path / "found.txt", tmp_path / "venv", tmp_path / "installed"
    run(BUILDER, "introspect", f"--write-pip={found}", collections)
    run(sys.executable, "-m", "venv", venv)
    run(venv / "bin" / "python", "-m", "pip", "install", "--quiet", "ansible-core", "--requirement", found)
    galaxy: tuple[str | Path, ...] = (venv / "bin" / "ansible-galaxy", "collection")
    env = {
        **surroundings,
        **credential.inject(tmp_path).env,
        "ANSIBLE_COLLECTIONS_PATH": str(installed),
        "HOME": str(tmp_path),
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.defpath}",
    }
    run(*galaxy, "build", "--output-path", tmp_path, env=env)
    (archive,) = tmp_path.glob("identityops-entra_risk-*.tar.gz")
    run(*galaxy, "install", "--offline", "--collections-path", installed, archive, env=env)
    user = tenant.add_user("adele.vance@contoso.example")

    output = run(
        venv / "bin" / "ansible-playbook", DISMISS_RISK, "-e", f"entra_risk_users={user.id}", env=env, cwd=tmp_path
    )

    assert " changed=1 " in output
    assert tenant.user(user.id).risk_state == "dismissed"
