"""The files of the examples: each one is checked by something, and the guide tells the truth about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.commands import ROOT

from .conftest import EXAMPLES, PROJECT, Ansible

GUIDE = ROOT / "docs" / "docsite" / "rst" / "guide_awx.rst"
# What runs or reads the files, and so checks them.
CHECKS = {
    "aap_configuration/*.yml": "tests/examples/test_variables.py",
    "awx/configure.yml": "tests/examples/test_controller.py",
    "awx/project/*.yml": "tests/examples/test_files.py",
    "credential_type/*.yml": "tests/awx/test_credentials.py",
    "*-environment.yml": "tests/awx/test_execution_environment.py",
    "many_tenants/*": "tests/tenants/test_many_tenants.py",
    "many_tenants/*/*": "tests/tenants/test_many_tenants.py",
}


def test_something_checks_each_file() -> None:
    found = {path for pattern in CHECKS for path in EXAMPLES.glob(pattern) if path.is_file()}
    assert found == {path for path in EXAMPLES.rglob("*") if path.is_file()}
    assert [path for path in CHECKS.values() if not (ROOT / path).is_file()] == []


def test_ansible_lint_finds_nothing(ansible: Ansible, tmp_path: Path) -> None:
    """In the one playbook that the linter of the collection leaves out, because it needs awx.awx."""
    config = tmp_path / "lint.yml"
    config.write_text("profile: production\noffline: true\n", encoding="utf-8")

    ansible.run("ansible-lint", "--strict", "--config-file", config, EXAMPLES / "awx" / "configure.yml")


def test_the_project_holds_playbooks_of_the_collection_alone() -> None:
    """Requirements would make each project update fail where Galaxy cannot be reached."""
    files = [path for path in PROJECT.rglob("*") if path.is_file()]
    assert len(files) == 9
    for path in files:
        (play,) = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert play["ansible.builtin.import_playbook"] == f"identityops.entra_risk.{path.stem}"
        assert (ROOT / "playbooks" / path.name).is_file()


@pytest.mark.parametrize(
    ("playbook", "words"),
    [
        (PROJECT / "dismiss_risk.yml", "Could not find or access '{folder}/identityops.entra_risk"),
        (
            EXAMPLES / "many_tenants" / "dismiss_stale_risk.yml",
            "could not resolve the module_defaults group identityops.entra_risk.all",
        ),
    ],
    ids=lambda value: value.parent.name if isinstance(value, Path) else "",
)
def test_the_guide_knows_what_is_said_without_the_collection(
    playbook: Path, words: str, ansible: Ansible, tmp_path: Path
) -> None:
    run = ansible.run("ansible-playbook", playbook, status=None, ANSIBLE_COLLECTIONS_PATH=str(tmp_path))

    assert run.status != 0
    assert words.format(folder=playbook.parent) in re.sub(r"\s+", " ", run.output)
    assert words.format(folder="/runner/project") in GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        "The credentials are incomplete. Missing:",
        "More than one credential is given:",
        "Logging in as a user is not supported",
        "The token lacks the Graph permission",
        "The tenant is not licensed",
        "entra_risk_exclude_users is not answered.",
        "entra_risk_max_changes is required with entra_risk_filters",
        "Not given: ",
    ],
)
def test_the_guide_knows_the_messages_of_the_collection(words: str) -> None:
    folders = [ROOT / "plugins" / "module_utils", ROOT / "playbooks", EXAMPLES / "aap_configuration"]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".yml")]
    # A text may go on in the next line.
    sources = "".join(re.sub(r'"\s+f?"', "", path.read_text(encoding="utf-8")) for path in files)
    assert words in sources
    assert words in GUIDE.read_text(encoding="utf-8")


def test_no_example_holds_a_secret() -> None:
    for path in EXAMPLES.rglob("*.yml"):
        text = path.read_text(encoding="utf-8")
        for value in re.findall(r"(?m)^\s*\w*(?:secret|password|token)\w*: (\S.*)$", text):
            assert value in ("true", "false") or "{{" in value or value.startswith("!vault"), f"{path.name}: {value}"
