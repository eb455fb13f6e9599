"""The variables of the directory aap_configuration, as the roles of infra.aap_configuration take them."""

from __future__ import annotations

import importlib
import json
import re
import typing as t

import pytest
import yaml

from .conftest import EXAMPLES, VARIABLES, Ansible

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
# A key of an item that is no option of the module, but the role knows it.
NODES = "simplified_workflow_nodes"


@pytest.fixture(scope="module")
def values(ansible: Ansible) -> dict[str, t.Any]:
    """The variables, with the login that uses all of them."""
    return ansible.render(*LISTS, "entra_risk_report_rule", entra_risk_login="certificate")


def test_the_lists_are_those_of_the_roles() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in VARIABLES.glob("*.yml"))
    assert set(re.findall(r"^(?!entra_risk_)(\w+):", text, re.MULTILINE)) == set(LISTS)


def test_each_key_is_an_option_of_the_module_behind_the_role(values: dict[str, t.Any], ansible: Ansible) -> None:
    node = "workflow_job_template_node"
    items = {module: values[name] for name, module in LISTS.items()}
    items[node] = [item for workflow in values["controller_workflows"] for item in workflow[NODES]]
    names = [f"awx.awx.{module}" for module in items]
    documents = json.loads(ansible.run("ansible-doc", "--json", "--type", "module", *names).output)
    for module, found in items.items():
        assert found, module
        known = set(documents[f"awx.awx.{module}"]["doc"]["options"]) | ({NODES} if "workflow" in module else set())
        assert [set(item) - known for item in found] == [set()] * len(found), module


def test_the_schedule_is_the_one_of_the_lookup_plugin(values: dict[str, t.Any]) -> None:
    plugin = importlib.import_module("ansible_collections.awx.awx.plugins.lookup.schedule_rrule")
    mondays = {"start_date": "2027-01-04 07:00:00", "timezone": "Europe/Berlin", "on_days": "monday"}
    assert values["entra_risk_report_rule"] == plugin.LookupModule().get_rrule("week", mondays)


def test_the_role_finds_the_injectors_of_the_file(values: dict[str, t.Any]) -> None:
    """The role credential_types takes out what keeps Ansible from rendering the templates."""
    (made,) = values["controller_credential_types"]
    restored = re.sub(r"{ {2}([{%])", r"{\1", json.dumps(made["injectors"]))
    file = EXAMPLES / "credential_type" / "injectors.yml"
    assert json.loads(restored) == yaml.safe_load(file.read_text(encoding="utf-8"))
    assert "{{" not in json.dumps(made)
