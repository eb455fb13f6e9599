"""The event source as files: what it says of its arguments, and that it loads where Ansible cannot be imported."""

from __future__ import annotations

import json
import pathlib
import runpy
import shutil
import subprocess
import sys
import typing as t

import yaml

from ansible_collections.identityops.entra_risk.plugins.module_utils._login.options import argument_spec
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.watch_arguments import SOURCE_SPEC, parse

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = pathlib.Path("extensions/eda/plugins/event_source/risky_users.py")
DOCUMENTATION, EXAMPLES = map(runpy.run_path(str(ROOT / SOURCE)).get, ("DOCUMENTATION", "EXAMPLES"))
SPEC = {**SOURCE_SPEC, **argument_spec()}
SCHEMA_TYPES = {"str": "string", "path": "string", "int": "integer", "bool": "boolean", "dict": "object"}
# Loads the source of each collection that is named, as ansible-rulebook does. Nothing of Ansible can be imported.
LOAD = """
import runpy, sys
sys.modules.update(dict.fromkeys(("ansible", "ansible_collections")))
sources = [runpy.run_path(path) for path in sys.argv[1:]]
found = [source["_load"]("_tasks.watch").__file__ for source in sources]
assert [path.partition("/plugins")[0] for path in found] == [path.partition("/extensions")[0] for path in sys.argv[1:]]
"""


def schema_of(option: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    schema: dict[str, t.Any] = {"default": option["default"]} if "default" in option else {}
    if option["type"] == "list":
        return {"type": "array", "items": {"type": "string", "enum": option["choices"]}, "minItems": 1}
    schema["type"] = SCHEMA_TYPES[option["type"]]
    if option.get("no_log"):
        schema["format"] = "password"
    if "options" in option:
        schema["properties"] = {name: schema_of(inner) for name, inner in option["options"].items()}
        schema["additionalProperties"] = False
    return schema


def documented_as(option: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    said = {key: value for key, value in option.items() if key not in ("description", "suboptions")}
    if "suboptions" in option:
        said["options"] = {name: documented_as(inner) for name, inner in option["suboptions"].items()}
    return said


def test_documents_the_options_that_it_has() -> None:
    documented = yaml.safe_load(str(DOCUMENTATION))["options"]
    spec = {name: {key: value for key, value in option.items() if key != "no_log"} for name, option in SPEC.items()}
    assert {name: documented_as(option) for name, option in documented.items()} == spec


def test_has_a_schema_of_the_options_that_it_has() -> None:
    schema = json.loads((ROOT / SOURCE.parent / "schemas" / "risky_users.json").read_text(encoding="utf-8"))
    expected = {
        spelled: schema_of(option) for name, option in SPEC.items() for spelled in (name, *option.get("aliases", ()))
    }
    expected["interval"]["minimum"] = 5
    assert schema["properties"] == expected
    assert schema["additionalProperties"] is False


def test_takes_the_arguments_of_its_examples() -> None:
    for example in yaml.safe_load(str(EXAMPLES)):
        (args,) = example.values()
        assert parse(args, 0).interval >= 5


def test_loads_without_ansible_and_beside_another_copy(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "entra_risk"
    for folder in ("extensions", "plugins/module_utils"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", LOAD, ROOT / SOURCE, copy / SOURCE], check=True, cwd=tmp_path)
