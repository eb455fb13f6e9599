"""Execution environment and decision environment: what ansible-builder finds in the collection, and makes of both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.commands import Ansible

from .conftest import EXAMPLES


def test_introspect_finds_what_the_collection_needs(collections: Path, ansible: Ansible) -> None:
    """Which libraries that are, tests/unit tells: test_layout."""
    found = yaml.safe_load(ansible.run("ansible-builder", "introspect", collections).output)
    assert {re.split(r"[^\w-]", line, maxsplit=1)[0] for line in found["python"]} == {"requests", "msal"}
    assert not found.get("system")


@pytest.mark.parametrize(("kind", "needs"), [("execution", []), ("decision", ["ansible-rulebook>=1.2"])])
def test_create_makes_a_build_context_of_the_example(
    kind: str, needs: list[str], ansible: Ansible, tmp_path: Path
) -> None:
    definition = EXAMPLES / f"{kind}-environment.yml"
    wanted = yaml.safe_load(definition.read_text(encoding="utf-8"))

    words = ("--file", definition, "--context", tmp_path, "--output-filename", "Containerfile")
    ansible.run("ansible-builder", "create", *words)

    containerfile = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert f'ARG EE_BASE_IMAGE="{wanted["images"]["base_image"]["name"]}"' in containerfile
    assert 'ARG PYCMD="/usr/bin/python3.12"' in containerfile
    collections = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in collections["collections"]] == ["identityops.entra_risk"]
    # The collection says itself which packages it needs: the example adds none of them.
    found = [line for path in tmp_path.rglob("requirements.txt") for line in path.read_text("utf-8").splitlines()]
    assert found == needs
