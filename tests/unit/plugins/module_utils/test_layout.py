"""How the files of the collection hang together: imports point one way, and each library has one door."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._http import COLLECTION_VERSION

# Bottom first: a file imports only from those above its own line. CONTRIBUTING.md says what each one is for.
ORDER = (
    "_errors",
    "_timestamps",
    "_secrets",
    "_http",
    "_options",
    "_pace",
    "_login_error",
    "_certificate",
    "_login_http",
    "_auth",
    "_graph_error",
    "_graph",
    "_directory",
    "_risk",
    "_filters",
    "_detection_filter",
    "_plan",
    "_reader",
    "_detection_reader",
    "_finder",
    "_writer",
    "_waiter",
    "_snake_case",
    "_result",
    "_engine",
    "_info",
    "_detections",
    "_ansible",
)

# What the modules themselves use; they choose the work, and `_ansible` does not know which one it is.
ENTRIES = frozenset({"_ansible", "_engine", "_info", "_detections"})

# Libraries that one file alone may import.
DOORS = {
    "ansible": "_ansible",
    "requests": "_http",
    "msal": "_auth",
    "cryptography": "_certificate",
}

# How a module speaks to Ansible.
ANSIBLE_CALLS = frozenset({"exit_json", "fail_json", "warn", "deprecate"})

ROOT = pathlib.Path(__file__).resolve().parents[4]
MODULE_UTILS = ROOT / "plugins" / "module_utils"
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
TREES: t.Mapping[str, ast.Module] = {
    path.stem: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sorted(MODULE_UTILS.glob("*.py"))
}


def from_outside(tree: ast.AST) -> set[str]:
    """The first part of the names of all absolute imports, those inside functions too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).partition(".")[0])
    return names


def from_inside(nodes: t.Iterable[ast.AST]) -> list[str]:
    """The files that relative imports name: `from . import _pace` and `from ._pace import Clock` both name `_pace`."""
    names: list[str] = []
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            names.extend([node.module] if node.module else [alias.name for alias in node.names])
    return names


def calls(tree: ast.AST) -> set[str]:
    """The last part of the names of everything that is called."""
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        *(function.attr for function in functions if isinstance(function, ast.Attribute)),
        *(function.id for function in functions if isinstance(function, ast.Name)),
    }


def test_the_order_names_every_file() -> None:
    assert sorted(ORDER) == sorted(TREES)


def test_the_map_for_contributors_names_every_file_in_order() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^\| `(_\w+)\.py` \|", text, re.MULTILINE)) == ORDER


@pytest.mark.parametrize("name", ORDER)
def test_imports_point_one_way(name: str) -> None:
    below = ORDER[: ORDER.index(name)]
    assert [other for other in from_inside(ast.walk(TREES[name])) if other not in below] == []


def test_the_order_is_no_accident() -> None:
    """Every file is used by one above it or by a module: nothing lies around, and the picture is whole."""
    used = {other for tree in TREES.values() for other in from_inside(ast.walk(tree))}
    assert used | ENTRIES == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_chooses_one_work(path: pathlib.Path) -> None:
    names = re.findall(r"module_utils\.(_\w+) import", path.read_text(encoding="utf-8"))
    assert "_ansible" in names
    assert len(ENTRIES.intersection(names)) == 2


@pytest.mark.parametrize("name", ORDER)
def test_relative_imports_are_static(name: str) -> None:
    """At the top of the file, from the same directory: Ansible packs for the target what it can find by reading."""
    tree = TREES[name]
    assert from_inside(tree.body) == from_inside(ast.walk(tree))
    assert {node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} <= {0, 1}
    assert calls(tree).isdisjoint({"__import__", "import_module"})
    assert from_outside(tree).isdisjoint({"ansible_collections", "importlib"})


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    assert [name for name in ORDER if library in from_outside(TREES[name])] == [DOORS[library]]


@pytest.mark.parametrize("name", [name for name in ORDER if name != "_ansible"])
def test_only_one_file_speaks_to_ansible(name: str) -> None:
    assert calls(TREES[name]).isdisjoint(ANSIBLE_CALLS)


def test_that_file_does_speak_to_ansible() -> None:
    """The test above looks for the right thing."""
    assert {"exit_json", "fail_json", "warn"} <= calls(TREES["_ansible"])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_leaves_ansible_to_that_file(path: pathlib.Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    assert from_outside(tree) == {"__future__", "ansible_collections"}
    assert calls(tree).isdisjoint(ANSIBLE_CALLS)


def test_the_version_is_that_of_the_collection() -> None:
    text = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
    assert re.findall(r"^version: (\S+)$", text, re.MULTILINE) == [COLLECTION_VERSION]
