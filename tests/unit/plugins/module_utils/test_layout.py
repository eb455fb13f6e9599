"""How the files of the collection hang together: imports point down, and each library has one door."""

from __future__ import annotations

import ast
import pathlib
import re
import sys
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._http import COLLECTION_VERSION

ROOT = pathlib.Path(__file__).resolve().parents[4]
MODULE_UTILS = ROOT / "plugins" / "module_utils"
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))

# The floors of the house, top first, as CONTRIBUTING.md draws them. The files at the top of the folder are the ground.
FLOORS = ("_tasks", "_risk", "_graph", "_login", ".")

# Libraries that one file alone may import.
DOORS = {
    "ansible": "_module.py",
    "requests": "_http.py",
    "msal": "_login/msal_login.py",
    "cryptography": "_login/certificate.py",
}

# How a module speaks to Ansible.
ANSIBLE_CALLS = frozenset({"exit_json", "fail_json", "warn", "deprecate"})

TREES: t.Mapping[pathlib.Path, ast.Module] = {
    path: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sorted(MODULE_UTILS.rglob("*.py"))
}
FILES = pytest.mark.parametrize("path", TREES, ids=lambda path: path.relative_to(MODULE_UTILS).as_posix())


def imports(nodes: t.Iterable[ast.AST], path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """The files of the collection that relative imports name."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            if folder.with_suffix(".py") in TREES:
                yield folder.with_suffix(".py")
            else:
                yield from (folder / f"{alias.name}.py" for alias in node.names)


def libraries(tree: ast.AST) -> set[str]:
    """The first part of the names of all absolute imports, those inside functions too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).partition(".")[0])
    return names


def calls(tree: ast.AST) -> set[str]:
    """The last part of the names of everything that is called."""
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        *(function.attr for function in functions if isinstance(function, ast.Attribute)),
        *(function.id for function in functions if isinstance(function, ast.Name)),
    }


def floor(path: pathlib.Path) -> int:
    """The floor that a file lies on; `_module.py` is the roof."""
    if path == MODULE_UTILS / "_module.py":
        return -1
    return FLOORS.index(path.parent.relative_to(MODULE_UTILS).as_posix())


@FILES
def test_imports_point_down(path: pathlib.Path) -> None:
    assert [str(other) for other in imports(ast.walk(TREES[path]), path) if floor(other) < floor(path)] == []


def test_imports_form_no_circle() -> None:
    done: list[pathlib.Path] = []
    rest = {path: set(imports(ast.walk(tree), path)) for path, tree in TREES.items()}
    while free := [path for path, needed in rest.items() if needed <= set(done)]:
        done += free
        for path in free:
            del rest[path]
    assert rest == {}


@FILES
def test_relative_imports_are_static(path: pathlib.Path) -> None:
    """Ansible packs for the target what it can find by reading, also within functions."""
    tree = TREES[path]
    assert set(imports(ast.walk(tree), path)) <= set(TREES)
    assert calls(tree).isdisjoint({"__import__", "import_module"})
    assert libraries(tree).isdisjoint({"ansible_collections", "importlib"})


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    users = [path.relative_to(MODULE_UTILS).as_posix() for path, tree in TREES.items() if library in libraries(tree)]
    assert users == [DOORS[library]]


def test_nothing_else_is_needed() -> None:
    """msal brings along cryptography, and without socks a message says so."""
    needed = {name for tree in TREES.values() for name in libraries(tree)}
    assert needed - set(sys.stdlib_module_names) == {*DOORS, "socks"}


def test_one_file_alone_speaks_to_ansible() -> None:
    speakers = [path.name for path, tree in TREES.items() if not calls(tree).isdisjoint(ANSIBLE_CALLS)]
    assert speakers == ["_module.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_leaves_ansible_to_that_file(path: pathlib.Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    assert libraries(tree) == {"__future__", "ansible_collections"}
    assert calls(tree).isdisjoint(ANSIBLE_CALLS)


def test_the_version_is_that_of_the_collection() -> None:
    text = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
    assert re.findall(r"^version: (\S+)$", text, re.MULTILINE) == [COLLECTION_VERSION]
