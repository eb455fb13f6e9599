"""The execution environment: what ansible-builder finds in the collection is all that its plugins need."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import typing as t
from pathlib import Path

import yaml

from tests.commands import Ansible

from .conftest import EXAMPLES

# Ansible itself, and what only a SOCKS proxy needs: without it, a message says so.
WITHOUT = {"ansible", "ansible_collections", "socks"}


def test_introspect_finds_all_that_the_plugins_import(collections: Path, ansible: Ansible) -> None:
    found = yaml.safe_load(ansible.run("ansible-builder", "introspect", collections).output)
    plugins = collections / "ansible_collections" / "identityops" / "entra_risk" / "plugins"

    assert names(found["python"]) == {"requests", "msal"}
    assert not found.get("system")
    needed = {name for path in plugins.rglob("*.py") for name in imported(path)} - WITHOUT
    packages = importlib.metadata.packages_distributions()
    there = {*names(found["python"])}
    for package in sorted(there):
        # What they bring along themselves.
        there |= names(line for line in importlib.metadata.requires(package) or [] if "extra ==" not in line)
    assert {"requests", "msal"} <= needed
    assert not [name for name in needed if not there & names(packages.get(name, []))]


def test_create_makes_a_build_context_of_the_example(ansible: Ansible, tmp_path: Path) -> None:
    definition = EXAMPLES / "execution-environment.yml"
    wanted = yaml.safe_load(definition.read_text(encoding="utf-8"))

    words = ("--file", definition, "--context", tmp_path, "--output-filename", "Containerfile")
    ansible.run("ansible-builder", "create", *words)

    containerfile = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert f'ARG EE_BASE_IMAGE="{wanted["images"]["base_image"]["name"]}"' in containerfile
    assert 'ARG PYCMD="/usr/bin/python3.12"' in containerfile
    collections = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in collections["collections"]] == ["identityops.entra_risk"]
    # The collection says itself which packages it needs: the example adds none.
    assert not list(tmp_path.rglob("requirements.txt"))


def names(requirements: t.Iterable[str]) -> set[str]:
    """The packages that these lines ask for."""
    return {re.split(r"[^\w-]", line, maxsplit=1)[0].lower() for line in requirements}


def imported(path: Path) -> set[str]:
    """The packages outside the standard library that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names)
