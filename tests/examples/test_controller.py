"""The objects of the examples, made by the real modules of awx.awx in a stand-in for AWX."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

import pytest
import yaml

from .conftest import CERTIFICATE, EXAMPLES, KEY, PROJECT, ROOT, SECRET, TOKEN, Ansible, Run
from .controller import ENCRYPTED, Server, Store

CONFIGURE = EXAMPLES / "awx" / "configure.yml"
REST = (
    "controller_execution_environments",
    "controller_inventories",
    "controller_projects",
    "controller_schedules",
    "controller_templates",
    "controller_workflows",
)


@dataclasses.dataclass(frozen=True)
class History:
    """What three runs of the playbook did to one AWX: the first, the second, and one that replaces the secret.

    :param writes: the requests of each run that were no reads.
    """

    store: Store
    runs: list[Run]
    writes: list[list[str]]


@pytest.fixture(scope="session")
def history(ansible: Ansible, login: str) -> History:
    store = Store([path.name for path in PROJECT.glob("*.yml")])
    runs, writes = [], []
    with Server(store, TOKEN) as server:
        for number in range(3):
            more = {"entra_risk_login": login, "entra_risk_update_secrets": number == 2}
            # All the rest is made once: it is the same however the jobs log in, and takes its time.
            if number == 2 or login == "certificate":
                more.update({name: [] for name in REST})
            runs.append(ansible.play(CONFIGURE, "-e", json.dumps(more), CONTROLLER_HOST=server.url))
            writes.append(list(store.writes))
            store.writes.clear()
    return History(store, runs, writes)


@pytest.fixture
def store(history: History) -> Store:
    """The AWX in the end."""
    return history.store


def test_the_first_run_makes_everything(history: History, login: str) -> None:
    assert history.runs[0].changed == (2 if login == "certificate" else 9)


def test_the_second_run_changes_nothing(history: History) -> None:
    assert history.runs[1].changed == 0
    assert not [write for write in history.writes[1] if not write.startswith("PATCH")]


def test_a_secret_is_replaced_when_that_is_asked_for(history: History) -> None:
    (credential,) = history.store.named("credentials").values()

    assert history.runs[2].changed == 1
    assert f"PATCH {credential['url']}" in history.writes[2]
    assert f"PATCH {credential['url']}" not in history.writes[1]


def test_no_secret_is_shown(history: History) -> None:
    text = "".join(run.output for run in history.runs)
    assert not [secret for secret in (TOKEN, SECRET, KEY) if secret in text]


def test_the_credential_holds_what_the_module_needs(store: Store, login: str) -> None:
    (credential,) = store.named("credentials").values()
    types = {item["id"]: name for name, item in store.named("credential_types").items()}
    if login == "secret":
        assert types[credential["credential_type"]] == "Microsoft Azure Resource Manager"
        assert {"tenant", "client", "secret"} <= set(credential["inputs"])
        assert credential["inputs"]["secret"] == ENCRYPTED
        assert len(types) == 1
    else:
        assert types[credential["credential_type"]] == "Microsoft Entra ID Protection"
        assert credential["inputs"]["certificate"] == ENCRYPTED
        assert CERTIFICATE not in str(credential)


def test_the_credential_type_is_that_of_the_files(store: Store, login: str) -> None:
    found = store.named("credential_types").get("Microsoft Entra ID Protection")
    if login == "secret":
        assert found is None
        return
    assert found is not None
    for name in ("inputs", "injectors"):
        text = (EXAMPLES / "credential_type" / f"{name}.yml").read_text(encoding="utf-8")
        assert found[name] == yaml.safe_load(text)


@pytest.mark.parametrize("login", ["secret"], indirect=True)
class TestTemplates:
    def test_each_has_all_that_a_launch_needs(self, store: Store) -> None:
        templates = store.named("job_templates")
        (credential,) = (item["id"] for item in store.named("credentials").values())
        # Without an environment of its own, a job runs in one that lacks the Python packages.
        for name in ("project", "inventory", "execution_environment"):
            assert all(template[name] for template in templates.values())
        assert {tuple(template["links"]["credentials"]) for template in templates.values()} == {(credential,)}

    def test_each_playbook_of_the_project_has_one(self, store: Store) -> None:
        used = sorted(template["playbook"] for template in store.named("job_templates").values())
        assert used == sorted(path.name for path in PROJECT.glob("*.yml"))

    def test_those_that_write_can_be_started_in_check_mode(self, store: Store) -> None:
        templates = store.named("job_templates").values()
        asked = {template["playbook"] for template in templates if template["ask_job_type_on_launch"]}
        assert asked == {"dismiss_risk.yml", "dismiss_stale_risk.yml", "confirm_compromised.yml"}

    def test_surveys_ask_for_variables_of_the_playbook(self, store: Store) -> None:
        for template in store.named("job_templates").values():
            survey = template["survey"] or {"spec": []}
            assert template["survey_enabled"] == bool(template["survey"])
            known = documented(template["playbook"])
            assert {question["variable"] for question in survey["spec"]} <= known - {"entra_risk_report_path"}
            assert {question["variable"] for question in survey["spec"] if question["required"]} or not survey["spec"]

    def test_the_survey_of_the_workflow_is_for_both_jobs(self, store: Store) -> None:
        (workflow,) = store.named("workflow_job_templates").values()
        both = documented("plan_dismissal.yml") | documented("act_on_plan.yml")
        assert {question["variable"] for question in workflow["survey"]["spec"]} <= both

    def test_choices_are_those_of_the_module(self, ansible: Ansible, store: Store) -> None:
        options = documentation(ansible, "identityops.entra_risk.risky_user")
        levels = options["filters"]["suboptions"]["risk_level"]["choices"]
        questions = {
            question["variable"]: question
            for template in store.named("job_templates").values()
            for question in (template["survey"] or {"spec": []})["spec"]
        }
        assert set(questions["entra_risk_state"]["choices"]) == set(options["state"]["choices"])
        assert set(questions["entra_risk_levels"]["choices"]) < set(levels)
        assert questions["entra_risk_wait"]["choices"] == ["false", "true"]

    def test_nobody_writes_without_naming_the_break_glass_accounts(self, store: Store) -> None:
        surveys = {item["playbook"]: item["survey"] for item in store.named("job_templates").values()}
        for playbook in ("confirm_compromised.yml", "dismiss_stale_risk.yml", "plan_dismissal.yml"):
            (question,) = (item for item in surveys[playbook]["spec"] if item["variable"] == "entra_risk_exclude_users")
            assert question["required"]
            assert "default" not in question


@pytest.mark.parametrize("login", ["secret"], indirect=True)
def test_the_workflow_acts_only_after_the_approval(store: Store) -> None:
    nodes = store.named("workflow_job_template_nodes")
    templates = store.named("job_templates")
    (approval,) = store.named("workflow_approval_templates").values()
    (workflow,) = store.named("workflow_job_templates").values()

    assert {node["workflow_job_template"] for node in nodes.values()} == {workflow["id"]}
    assert nodes["plan"]["unified_job_template"] == templates["Entra risk, plan"]["id"]
    assert nodes["approve"]["unified_job_template"] == approval["id"]
    assert nodes["act"]["unified_job_template"] == templates["Entra risk, act on a plan"]["id"]
    assert {name: node["links"] for name, node in nodes.items()} == {
        "plan": {"success_nodes": [nodes["approve"]["id"]]},
        "approve": {"success_nodes": [nodes["act"]["id"]]},
        "act": {},
    }
    assert 0 < approval["timeout"] <= 7 * 86400


def documented(playbook: str) -> set[str]:
    """The variables that the head of a playbook of the collection lists, and that it reads."""
    path = ROOT / "playbooks" / playbook
    text = path.read_text(encoding="utf-8")
    names = set(re.findall(r"^# {3}(entra_risk_\w+) {2,}", text, re.MULTILINE))
    others = [*(ROOT / "playbooks" / "vars").glob("*.yml"), *(ROOT / "playbooks" / "tasks").glob("*.yml")]
    code = "".join(re.sub(r"(?m)^\s*#.*$", "", each.read_text(encoding="utf-8")) for each in (path, *others))
    return {name for name in names if name in code}


def documentation(ansible: Ansible, module: str) -> dict[str, t.Any]:
    """The documented options of a module."""
    found = yaml.safe_load(ansible.run("ansible-doc", "--json", "--type", "module", module))
    options: dict[str, t.Any] = found[module]["doc"]["options"]
    return options
