"""A local tenant, and ansible-rulebook with an application that may do everything in it."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from tests import loopback
from tests.commands import BIN, Ansible
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.resources import ALL_ROLES
from tests.entra_emulator.tenant import Tenant

loopback.refuse_everything_else()

Values = dict[str, t.Any]
Rulebook = t.Callable[..., str]
# That of the guide: the modules run with the Python that has their libraries.
LOCALHOST = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@pytest.fixture(scope="module")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running
        assert running.violations == []


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return emulator.add_tenant()


@pytest.fixture
def run(emulator: Emulator, tenant: Tenant, tmp_path: Path) -> Rulebook:
    """Runs a rule set, or a rulebook of this name, until it ends, and gives what it printed."""
    app = tenant.add_app(roles=ALL_ROLES)
    ansible = Ansible(
        tmp_path / "home",
        AZURE_AUTHORITY_HOST=emulator.login_url,
        AZURE_CLIENT_ID=app.client_id,
        AZURE_SECRET=app.secret or "",
        AZURE_TENANT=tenant.id,
        MSGRAPH_URL=emulator.graph_url,
        # Java may be anywhere.
        PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}",
        REQUESTS_CA_BUNDLE=emulator.ca_path,
    )

    def run(rulebook: Values | str, variables: Values, *words: str | Path) -> str:
        for name, content in {
            "inventory.yml": {"all": {"hosts": {"localhost": LOCALHOST}}},
            "rulebook.yml": [rulebook],
            "vars.yml": variables,
        }.items():
            # JSON is YAML, too.
            (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
        name = rulebook if isinstance(rulebook, str) else "rulebook.yml"
        line = ("--rulebook", name, "--vars", "vars.yml", "--inventory", "inventory.yml", *words)
        output = ansible.run("ansible-rulebook", *line, cwd=tmp_path).output
        assert (app.secret or "") not in output
        return output

    return run
