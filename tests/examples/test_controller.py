"""The objects of the examples, made by the real modules of awx.awx in a stand-in for AWX."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

import pytest
import yaml

from tests.commands import ROOT, Run

from .conftest import CREDENTIALS, EXAMPLES, KEY, PROJECT, TOKEN, Ansible
from .controller import ENCRYPTED, Store, Values, serve

REST = ("execution_environments", "inventories", "projects", "schedules", "templates", "workflows")


@dataclasses.dataclass(frozen=True)
class Controller:
    """A stand-in for AWX, and the playbook that configures it."""

    ansible: Ansible
    store: Store
    url: str

    def configure(self, *, status: int = 0, env: t.Mapping[str, str] | None = None, **extra: t.Any) -> Run:
        """Run the playbook. Of `store.writes`, those of this run are left."""
        self.store.writes.clear()
        playbook = EXAMPLES / "awx" / "configure.yml"
        everything: t.Any = {"CONTROLLER_HOST": self.url, **(env or {})}
        return self.ansible.run("ansible-playbook", playbook, "-e", json.dumps(extra), status=status, **everything)

    def configure_credential(self, **extra: t.Any) -> Run:
        """Only the credential and its type: the rest takes its time."""
        nothing: Values = {f"controller_{name}": [] for name in REST}
        return self.configure(**nothing, **extra)


@pytest.fixture(scope="module")
def controller(ansible: Ansible) -> t.Iterator[Controller]:
    """The first update of the project fails in it."""
    store = Store("failed")
    with serve(store, TOKEN) as url:
        yield Controller(ansible, store, url)


@pytest.fixture(scope="module")
def runs(controller: Controller) -> list[Run]:
    """Three runs of the playbook. The first one stops when the update of the project has failed."""
    return [controller.configure(status=2 if number == 0 else 0) for number in range(3)]


@pytest.fixture
def store(controller: Controller, runs: list[Run]) -> Store:
    return controller.store


def test_recovers_from_a_failed_project_update_and_then_changes_nothing(runs: list[Run]) -> None:
    assert "Project update failed" in runs[0].output
    assert runs[1].changed > 0 == runs[2].changed
    text = "".join(run.output for run in runs)
    assert not [secret for secret in (TOKEN, KEY, CREDENTIALS["AZURE_SECRET"], ENCRYPTED) if secret in text]


@pytest.mark.parametrize(
    ("env", "extra", "missing"),
    [
        (dict.fromkeys(CREDENTIALS, ""), {}, "AZURE_TENANT, AZURE_CLIENT_ID, AZURE_SECRET"),
        ({"AZURE_SECRET": " "}, {}, "AZURE_SECRET"),
        ({}, {"entra_risk_client_secret": None, "entra_risk_tenant_id": "None"}, "AZURE_TENANT, AZURE_SECRET"),
        ({"AZURE_CERTIFICATE": "\n"}, {"entra_risk_login": "certificate"}, "AZURE_CERTIFICATE"),
        ({}, {"entra_risk_login": "Secret"}, None),
    ],
    ids=["all", "blank", "null", "certificate", "unknown login"],
)
def test_refuses_to_erase_the_stored_secret(
    env: dict[str, str], extra: Values, missing: str | None, controller: Controller, store: Store
) -> None:
    run = controller.configure(status=2, env=env, **extra)

    output = re.sub(r"\s+", " ", run.output)
    assert (f"Not given: {missing}. Set" if missing else "must be one of: secret, certificate.") in output
    assert "Nothing was changed." in output
    assert store.writes == []
    assert not [secret for secret in (TOKEN, KEY, CREDENTIALS["AZURE_SECRET"]) if secret in run.output]


def test_replaces_the_secret_only_when_asked_to(controller: Controller, store: Store) -> None:
    credential = store.all("credentials")["Entra risk, client secret"]

    assert controller.configure_credential(entra_risk_update_secrets=True).changed == 1
    assert store.writes == [f"PATCH {credential['url']}"]


def test_stores_what_the_login_needs(controller: Controller, store: Store) -> None:
    controller.configure_credential(entra_risk_login="certificate")

    types = {item["id"]: name for name, item in store.all("credential_types").items()}
    found = {types[item["credential_type"]]: item["inputs"] for item in store.all("credentials").values()}
    subject = {"tenant": CREDENTIALS["AZURE_TENANT"], "client": CREDENTIALS["AZURE_CLIENT_ID"]}
    assert found == {
        "Microsoft Azure Resource Manager": {
            **subject,
            "subscription": "not used",
            "secret": CREDENTIALS["AZURE_SECRET"],
        },
        "Microsoft Entra ID Protection": {
            **{f"{name}_id": value for name, value in subject.items()},
            "certificate": CREDENTIALS["AZURE_CERTIFICATE"],
            "cloud": "AzureCloud",
        },
    }
    made = store.all("credential_types")["Microsoft Entra ID Protection"]
    for name in ("inputs", "injectors"):
        text = (EXAMPLES / "credential_type" / f"{name}.yml").read_text(encoding="utf-8")
        assert made[name] == yaml.safe_load(text)


def test_each_template_has_all_that_a_launch_needs(store: Store) -> None:
    templates = store.all("job_templates").values()
    # Without an environment of its own, a job runs in one that lacks the Python packages.
    for kind, field in (
        ("projects", "project"),
        ("inventories", "inventory"),
        ("execution_environments", "execution_environment"),
    ):
        assert {template[field] for template in templates} == {store.all(kind)["Entra risk"]["id"]}
    credential = store.all("credentials")["Entra risk, client secret"]["id"]
    assert {tuple(template["credentials"]) for template in templates} == {(credential,)}
    assert sorted(template["playbook"] for template in templates) == sorted(path.name for path in PROJECT.glob("*.yml"))
    # Those that write offer check mode.
    asked = {template["playbook"] for template in templates if template["ask_job_type_on_launch"]}
    writing = "confirm_compromised contain_users dismiss_risk dismiss_secured dismiss_stale_risk"
    assert asked == {f"{name}.yml" for name in writing.split()}


@pytest.fixture
def surveys(store: Store) -> dict[str, list[Values]]:
    """The questions, by the playbooks that get the answers."""
    found = {
        item["playbook"]: item["survey_spec"]["spec"]
        for item in store.all("job_templates").values()
        if item["survey_enabled"]
    }
    (workflow,) = store.all("workflow_job_templates").values()
    return {**found, "plan_dismissal.yml act_on_plan.yml": workflow["survey_spec"]["spec"]}


def test_the_surveys_fit_their_playbooks(surveys: dict[str, list[Values]], store: Store) -> None:
    assert len(surveys) == 9
    for playbooks, questions in surveys.items():
        known = set().union(*(documented(name) for name in playbooks.split()))
        found = {question["variable"]: question for question in questions}
        assert len(found) == len(questions) and set(found) <= known - {"entra_risk_report_path"}
        for question in questions:
            default = question.get("default")
            # A schedule, and a launch over the API, must answer what is required, whether or not it has a default.
            assert not question["required"] or default is None
            # AWX drops a default that does not fit, and says nothing.
            if question["type"].startswith("multi"):
                assert set((default or question["choices"][0]).split("\n")) <= set(question["choices"])
            elif default is not None:
                size = default if question["type"] == "integer" else len(default)
                assert question["min"] <= size <= question["max"]
        if playbooks not in ("report_risk.yml", "check_access.yml"):
            assert 0 < found["entra_risk_max_changes"]["default"] <= 500
            # The playbooks want one of these answers, and nobody has answered it before.
            for name in ("entra_risk_exclude_users", "entra_risk_exclude_groups"):
                assert not found[name]["required"] and "default" not in found[name]
    (schedule,) = store.all("schedules").values()
    (ruleset,) = yaml.safe_load((ROOT / "extensions" / "eda" / "rulebooks" / "launch_containment.yml").read_bytes())
    launch = ruleset["rules"][0]["action"]["run_job_template"]
    assert re.findall("'(Entra .*?)'", launch["name"])[0] in store.all("job_templates")
    answered = {"report_risk.yml": schedule["extra_data"], "contain_users.yml": launch["job_args"]["extra_vars"]}
    for playbook, answers in answered.items():
        required = {question["variable"] for question in surveys[playbook] if question["required"]}
        assert required <= set(answers) <= {question["variable"] for question in surveys[playbook]}


def test_choices_are_those_of_the_module(ansible: Ansible, surveys: dict[str, list[Values]]) -> None:
    module = "identityops.entra_risk.risky_user"
    found = json.loads(ansible.run("ansible-doc", "--json", "--type", "module", module).output)
    options = found[module]["doc"]["options"]
    questions = {question["variable"]: question for spec in surveys.values() for question in spec}
    assert set(questions["entra_risk_state"]["choices"]) == set(options["state"]["choices"])
    levels = options["filters"]["suboptions"]["risk_level"]["choices"]
    assert set(questions["entra_risk_levels"]["choices"]) < set(levels)
    assert questions["entra_risk_wait"]["choices"] == ["false", "true"]


def test_the_workflow_acts_only_after_the_approval(store: Store) -> None:
    nodes = store.all("workflow_job_template_nodes")
    templates = store.all("job_templates")
    (approval,) = store.all("workflow_approval_templates").values()
    (workflow,) = store.all("workflow_job_templates").values()

    assert {node["workflow_job_template"] for node in nodes.values()} == {workflow["id"]}
    assert {name: (node["unified_job_template"], node.get("success_nodes", [])) for name, node in nodes.items()} == {
        "plan": (templates["Entra risk, plan"]["id"], [nodes["approve"]["id"]]),
        "approve": (approval["id"], [nodes["act"]["id"]]),
        "act": (templates["Entra risk, act on a plan"]["id"], []),
    }
    assert not [name for name, node in nodes.items() if node.get("always_nodes") or node.get("failure_nodes")]
    assert 0 < approval["timeout"] <= 7 * 86400
    assert "Read" in approval["description"]


def documented(playbook: str) -> set[str]:
    """The variables that the head of a playbook of the collection lists, and that it reads."""
    path = ROOT / "playbooks" / playbook
    text = path.read_text(encoding="utf-8")
    names = set(re.findall(r"^# {3}(entra_risk_\w+) +", text, re.MULTILINE))
    others = [path for name in ("vars", "tasks") for path in (ROOT / "playbooks" / name).glob("*.yml")]
    code = "".join(re.sub(r"(?m)^\s*#.*$", "", each.read_text(encoding="utf-8")) for each in (path, *others))
    return {name for name in names if name in code}
