"""Every YAML file of the examples: it can be read, it is of a known kind, and what it says fits the modules."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

from .arguments import Modules
from .conftest import EXAMPLES, PROJECT, ROOT, VARIABLES, Ansible

FILES = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in (".yml", ".yaml"))
# Keywords of a task; what is left is the module.
KEYWORDS = frozenset(
    {
        "always",
        "changed_when",
        "delegate_to",
        "failed_when",
        "ignore_errors",
        "loop",
        "loop_control",
        "module_defaults",
        "name",
        "no_log",
        "register",
        "rescue",
        "run_once",
        "vars",
        "when",
    }
)
SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers")


def load(path: Path) -> t.Any:
    """The content of a file, read as Ansible reads it."""
    return DataLoader().load_from_file(str(path))


def is_playbook(path: Path) -> bool:
    """Whether the file is a list of plays."""
    content = load(path)
    return isinstance(content, list) and all("hosts" in play or _imported(play) for play in content)


def _imported(play: t.Mapping[str, t.Any]) -> str | None:
    return play.get("ansible.builtin.import_playbook")


def tasks_of(items: t.Iterable[t.Mapping[str, t.Any]]) -> t.Iterator[t.Mapping[str, t.Any]]:
    """All tasks, those in blocks too."""
    for item in items:
        inner = [item[name] for name in ("block", "rescue", "always") if name in item]
        if inner:
            for section in inner:
                yield from tasks_of(section)
        else:
            yield item


PLAYBOOKS = [path for path in FILES if is_playbook(path)]
# What reads the files that are no playbooks, and so checks them.
READERS = {
    "aap_configuration/*.yml": "test_variables.py",
    "awx/project/collections/requirements.yml": "test_the_project_asks_for_the_collection",
    "credential_type/*.yml": "tests/awx/test_credential_type.py",
    "execution-environment.yml": "tests/awx/test_execution_environment.py",
    "many_tenants/group_vars/*.yml": "tests/tenants",
    "many_tenants/inventory.yml": "tests/tenants",
}


def test_there_are_playbooks() -> None:
    assert len(PLAYBOOKS) >= 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_each_file_is_of_a_known_kind(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8")) is not None
    name = path.relative_to(EXAMPLES)
    assert path in PLAYBOOKS or any(name.match(pattern) for pattern in READERS), f"nothing checks {name}"


def test_each_reader_has_something_to_read() -> None:
    assert [pattern for pattern in READERS if not list(EXAMPLES.glob(pattern))] == []


@pytest.fixture(scope="session")
def modules(ansible: Ansible) -> Modules:
    return Modules(ansible)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_the_tasks_fit_their_modules(path: Path, modules: Modules) -> None:
    complaints: list[str] = []
    for play in load(path):
        for task in tasks_of(task for section in SECTIONS for task in play.get(section, [])):
            (module,) = set(task) - KEYWORDS
            assert module.count(".") >= 2, f"{module} has no collection in its name"
            arguments = dict(task[module] or {})
            complaints += modules.complaints(module, arguments | _defaults(play, modules, module, arguments))
    assert complaints == []


def _defaults(
    play: t.Mapping[str, t.Any], modules: Modules, module: str, arguments: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """What `module_defaults` adds. A whole of templates cannot be known, so its names are checked by the runs."""
    found: dict[str, t.Any] = {}
    for target, values in (play.get("module_defaults") or {}).items():
        group = target.removeprefix("group/").rpartition(".")[0]
        if isinstance(values, dict) and module in (target, f"{group}.{module.rpartition('.')[2]}"):
            found.update({key: value for key, value in values.items() if key not in arguments})
    return found


def test_a_wrong_task_is_found(modules: Modules) -> None:
    name = "identityops.entra_risk.risky_user"
    good: dict[str, t.Any] = {"state": "dismissed", "filters": {"risk_level": ["low"]}, "max_changes": 5}
    assert modules.complaints(name, good) == []
    for change in (
        {"stat": "dismissed"},
        {"state": "gone"},
        {"max_changes": "many"},
        {"filters": {"risk_level": ["lowest"]}},
        {"filters": {"level": ["low"]}},
    ):
        assert modules.complaints(name, {**good, **change})
    assert modules.complaints(name, {"users": "{{ nobody }}"})
    assert modules.complaints("awx.awx.job_template", {"name": "x", "job_type": "look"})
    assert modules.complaints("awx.awx.job_template", {"job_type": "{{ type }}"})


def test_ansible_lint_has_nothing_to_say(ansible: Ansible, tmp_path: Path) -> None:
    """About the one playbook that the linter of the collection leaves out, because it needs awx.awx."""
    config = tmp_path / "lint.yml"
    config.write_text("profile: production\noffline: true\n", encoding="utf-8")

    ansible.run("ansible-lint", "--strict", "--config-file", config, EXAMPLES / "awx" / "configure.yml")


@pytest.mark.parametrize("path", sorted(PROJECT.glob("*.yml")), ids=lambda path: path.stem)
def test_each_playbook_of_the_project_stands_for_one_of_the_collection(path: Path) -> None:
    (play,) = load(path)
    assert _imported(play) == f"identityops.entra_risk.{path.stem}"
    assert (ROOT / "playbooks" / path.name).is_file()


def test_the_project_asks_for_the_collection() -> None:
    wanted = load(PROJECT / "collections" / "requirements.yml")
    assert [entry["name"] for entry in wanted["collections"]] == ["identityops.entra_risk"]
    version = load(ROOT / "galaxy.yml")["version"]
    assert wanted["collections"][0]["version"] == f">={version}"


def test_no_example_holds_a_secret() -> None:
    for path in [*FILES, *VARIABLES.iterdir()]:
        text = path.read_text(encoding="utf-8")
        for value in re.findall(r"(?m)^\s*\w*(?:secret|password|token)\w*: (\S.*)$", text):
            assert value in ("true", "false") or "{{" in value or value.startswith("!vault"), f"{path.name}: {value}"
