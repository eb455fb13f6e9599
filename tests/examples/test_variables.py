"""The variables of the directory aap_configuration fit the roles of infra.aap_configuration and the rules of AWX."""

from __future__ import annotations

import datetime
import json
import typing as t
from pathlib import Path

import pytest
import yaml

from .arguments import Modules
from .conftest import EXAMPLES, TOKEN, VARIABLES, Ansible
from .controller import Server, Store
from .rules import first_run, rule_complaints, survey_complaints

# The lists, after the READMEs of the roles, and the module that each role hands the items to.
LISTS = {
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_inventories": "inventory",
    "controller_projects": "project",
    "controller_schedules": "schedule",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
}
# Keys of an item that are no options of the module, but the role knows them.
NODES = "simplified_workflow_nodes"


@pytest.fixture(scope="module")
def modules(ansible: Ansible) -> Modules:
    return Modules(ansible)


def test_the_lists_are_those_of_the_roles(variables: dict[str, t.Any]) -> None:
    assert {name for name in variables if not name.startswith("entra_risk_")} == set(LISTS)


def test_the_items_fit_the_modules_behind_the_roles(variables: dict[str, t.Any], modules: Modules) -> None:
    complaints: list[str] = []
    for name, module in LISTS.items():
        for item in variables[name]:
            arguments = {key: value for key, value in item.items() if key != NODES}
            complaints += modules.complaints(f"awx.awx.{module}", arguments)
    for workflow in variables["controller_workflows"]:
        for node in workflow[NODES]:
            arguments = {**node, "workflow_job_template": workflow["name"]}
            complaints += modules.complaints("awx.awx.workflow_job_template_node", arguments)
    assert complaints == []


def test_the_surveys_keep_the_rules(variables: dict[str, t.Any]) -> None:
    items = [*variables["controller_templates"], *variables["controller_workflows"]]
    surveys = [item["survey_spec"] for item in items if "survey_spec" in item]
    assert len(surveys) == len(variables["entra_risk_surveys"])
    assert [survey_complaints(survey) for survey in surveys] == [[]] * len(surveys)


def test_the_schedule_runs_on_mondays_at_seven(variables: dict[str, t.Any]) -> None:
    (schedule,) = variables["controller_schedules"]
    assert rule_complaints(schedule["rrule"]) == []
    first = first_run(schedule["rrule"])
    assert (first.isoweekday(), first.hour, first.minute) == (1, 7, 0)
    assert first.utcoffset() == datetime.timedelta(hours=1)


def test_names_lead_to_objects_that_are_there(variables: dict[str, t.Any]) -> None:
    names = {key: {item["name"] for item in variables[key]} for key in LISTS}
    for template in variables["controller_templates"]:
        assert template["project"] in names["controller_projects"]
        assert template["inventory"] in names["controller_inventories"]
        assert template["execution_environment"] in names["controller_execution_environments"]
        assert set(template["credentials"]) <= names["controller_credentials"]
    for workflow in variables["controller_workflows"]:
        nodes = {node["identifier"] for node in workflow[NODES]}
        for node in workflow[NODES]:
            assert node.get("unified_job_template") in {None, *names["controller_templates"]}
            assert set(node.get("success_nodes", [])) <= nodes
    for schedule in variables["controller_schedules"]:
        assert schedule["unified_job_template"] in names["controller_templates"]


# How the role credential_types hands its items to the module.
_ROLE = """\
- hosts: localhost
  gather_facts: false
  vars_files: {files}
  tasks:
    - awx.awx.credential_type:
        name: "{{{{ item.name }}}}"
        kind: "{{{{ item.kind }}}}"
        inputs: "{{{{ item.inputs }}}}"
        injectors: "{{{{ item.injectors | regex_replace('{{  {{', '{{_~~remove~~_{{')
          | regex_replace('{{  %', '{{_~~remove~~_%') | regex_replace('_~~remove~~_', '') }}}}"
      loop: "{{{{ controller_credential_types }}}}"
"""


def test_the_role_makes_the_credential_type_of_the_files(ansible: Ansible, tmp_path: Path) -> None:
    files = [str(VARIABLES / name) for name in ("settings.yml", "credentials.yml")]
    playbook = tmp_path / "role.yml"
    playbook.write_text(_ROLE.format(files=json.dumps(files)), encoding="utf-8")
    store = Store([])
    more = {"entra_risk_login": "certificate", "entra_risk_examples": str(EXAMPLES)}

    with Server(store, TOKEN) as server:
        ansible.play(playbook, "-e", json.dumps(more), CONTROLLER_HOST=server.url)

    made = store.named("credential_types")["Microsoft Entra ID Protection"]
    for name in ("inputs", "injectors"):
        text = (EXAMPLES / "credential_type" / f"{name}.yml").read_text(encoding="utf-8")
        assert made[name] == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("RRULE:FREQ=DAILY;INTERVAL=1", "DTSTART"),
        ("DTSTART:20270104T070000 RRULE:FREQ=DAILY;INTERVAL=1", "time zone"),
        ("DTSTART;TZID=Mars/Base:20270104T070000 RRULE:FREQ=DAILY;INTERVAL=1", "Mars/Base"),
        ("DTSTART:20270104T070000Z", "a rule is needed"),
        ("DTSTART:20270104T070000Z RRULE:FREQ=DAILY", "INTERVAL"),
        ("DTSTART:20270104T070000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1;UNTIL=20280101T000000Z", "COUNT or UNTIL"),
        ("DTSTART:20270104T070000Z RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1MO", "BYDAY"),
        ("DTSTART:20270104T070000Z RRULE:FREQ=SECONDLY;INTERVAL=1", "SECONDLY"),
        ("DTSTART:20270104T070000Z RRULE:FREQ=SOMETIMES;INTERVAL=1", "SOMETIMES"),
    ],
)
def test_a_wrong_rule_is_found(text: str, complaint: str) -> None:
    assert complaint in "; ".join(rule_complaints(text))


QUESTION = {"question_name": "Age", "variable": "age", "type": "text", "required": True}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"type": "number"}, "there is no type number"),
        ({"required": "yes"}, "required is not a boolean"),
        ({"type": "multiplechoice"}, "choices must be texts"),
        ({"type": "multiplechoice", "choices": [True, False]}, "choices must be texts"),
        ({"type": "multiplechoice", "choices": ["a"], "default": "b"}, "not one of the choices"),
        ({"type": "multiselect", "choices": ["a", "b"], "default": "a\nc"}, "not one of the choices"),
        ({"type": "integer", "default": "5"}, "the default is not a int"),
        ({"type": "integer", "default": True}, "the default is not a int"),
        ({"type": "integer", "min": 6, "default": 5}, "between min and max"),
        ({"max": 2, "default": "90d"}, "between min and max"),
        ({"max": "2"}, "max is not a number"),
        ({"choices": ["a"]}, "choices are for choices only"),
        ({"question": "Age?"}, "question is no key"),
    ],
)
def test_a_wrong_question_is_found(change: dict[str, t.Any], complaint: str) -> None:
    survey = {"name": "Survey", "description": "", "spec": [{**QUESTION, **change}]}
    assert complaint in "; ".join(survey_complaints(survey))
    assert survey_complaints({**survey, "spec": [QUESTION]}) == []
    assert survey_complaints({**survey, "spec": [QUESTION, QUESTION]}) == ["age is asked twice"]
