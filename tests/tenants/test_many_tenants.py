"""The example for service providers, on several local tenants at once. Two of them are broken."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from tests import loopback
from tests.commands import ROOT, Ansible, Run
from tests.entra_emulator.apps import App
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

loopback.refuse_everything_else()

EXAMPLE = ROOT / "docs" / "examples" / "many_tenants"
COUNT = 6
WRONG_SECRET, NOT_LICENSED = "tenant-1", "tenant-3"
BROKEN = {WRONG_SECRET: "login", NOT_LICENSED: "license"}
OLD = "2026-01-01T00:00:00Z"


@dataclasses.dataclass(frozen=True)
class Customer:
    """A tenant, its app, and those of its users whose risk is stale."""

    name: str
    tenant: Tenant
    app: App
    stale: list[str]

    @property
    def written(self) -> list[str]:
        return sorted(self.tenant.journal.summary()["written"])

    @property
    def secret(self) -> str:
        return f"not-{self.app.secret}" if self.name == WRONG_SECRET else str(self.app.secret)


class Sum(dict[str, t.Any]):
    """What the playbook hands on."""

    def __init__(self, run: Run) -> None:
        (line,) = re.findall(r"^\s*RUN: (\{.*\})$", run.output, re.MULTILINE)
        super().__init__(json.loads(line)["entra_risk_tenants"])
        self.tenants: dict[str, dict[str, t.Any]] = {item["tenant"]: item for item in self["tenants"]}


@pytest.fixture(scope="module")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running
        assert running.violations == []


@pytest.fixture(scope="module")
def customers(emulator: Emulator) -> dict[str, Customer]:
    made = {}
    for number in range(COUNT):
        name = f"tenant-{number}"
        tenant = emulator.add_tenant(rate_limit=1, licensed=name != NOT_LICENSED)
        # Another number of users in each, so that mixed-up results would be seen.
        stale = tenant.add_users(number + 1, prefix=f"stale{number}", risk_level="low", risk_last_updated=OLD)
        tenant.add_user(f"fresh@{tenant.domain}", risk_level="low")
        tenant.add_user(f"high@{tenant.domain}", risk_level="high", risk_last_updated=OLD)
        tenant.add_user(f"emergency@{tenant.domain}", risk_level="low", risk_last_updated=OLD)
        made[name] = Customer(name, tenant, tenant.add_app(), sorted(stale))
    return made


@pytest.fixture(scope="module")
def bystander(emulator: Emulator) -> Customer:
    """A tenant whose credentials are in the environment, where nobody has any business with them."""
    tenant = emulator.add_tenant()
    return Customer("bystander", tenant, tenant.add_app(), tenant.add_users(3, risk_last_updated=OLD))


class Project:
    """The files of the example, with an inventory and encrypted secrets of its own."""

    def __init__(self, path: Path, emulator: Emulator, bystander: Customer, customers: dict[str, Customer]) -> None:
        self.path = path / "project"
        shutil.copytree(EXAMPLE, self.path)
        (path / "password").write_text("correct horse", encoding="utf-8")
        vault = VaultLib([("default", VaultSecret(b"correct horse"))])
        (self.path / "host_vars").mkdir()
        self.hosts: dict[str, dict[str, t.Any]] = {}
        for name, customer in customers.items():
            tenant = customer.tenant
            self.hosts[name] = {"entra_tenant": tenant.id, "entra_client_id": customer.app.client_id}
            self.hosts[name]["entra_break_glass"] = [f"emergency@{tenant.domain}"]
            secret = vault.encrypt(json.dumps({"vault_entra_client_secret": customer.secret}))
            (self.path / "host_vars" / f"{name}.yml").write_bytes(secret)
        self._ansible = Ansible(
            path,
            ANSIBLE_SHOW_CUSTOM_STATS="True",
            AZURE_AUTHORITY_HOST=emulator.login_url,
            AZURE_CLIENT_ID=bystander.app.client_id,
            AZURE_SECRET=bystander.secret,
            AZURE_TENANT=bystander.tenant.id,
            MSGRAPH_URL=emulator.graph_url,
            REQUESTS_CA_BUNDLE=emulator.ca_path,
        )

    def run(self, command: str, *words: str, status: int) -> Run:
        """Run a command of Ansible in the project."""
        inventory = {"entra_tenants": {"hosts": self.hosts}}
        (self.path / "inventory" / "tenants.yml").write_text(json.dumps(inventory), encoding="utf-8")
        return self._ansible.run(command, "-i", "inventory/tenants.yml", *words, status=status, cwd=self.path)

    def play(self, *words: str, **answers: t.Any) -> Run:
        """Run the playbook with these answers of a survey. Somewhere it has to fail."""
        options = ("--vault-password-file", "../password", "--forks", str(COUNT), "-e", json.dumps(answers))
        return self.run("ansible-playbook", "dismiss_stale_risk.yml", *options, *words, status=2)

    @property
    def page(self) -> str:
        return (self.path / "page.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(
    emulator: Emulator, bystander: Customer, customers: dict[str, Customer], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    return Project(tmp_path_factory.mktemp("many"), emulator, bystander, customers)


@pytest.fixture(scope="module")
def run(project: Project) -> Run:
    """All tenants at once. Where the page is to be, a link leads to another file."""
    (project.path / "other").write_text("precious", encoding="utf-8")
    (project.path / "page.html").symlink_to("other")
    return project.play(entra_risk_page_path="page.html")


def test_awx_reads_the_inventory_without_the_vault_password(project: Project, customers: dict[str, Customer]) -> None:
    """The command is that of AWX's inventory update. It takes the directory of the inventory for that of a playbook."""
    synced = project.run("ansible-inventory", "--list", "--export", "--playbook-dir", "inventory", status=0)

    assert set(json.loads(synced.output)["_meta"]["hostvars"]) == set(customers)
    assert "secret" not in synced.output


def test_each_tenant_is_done_or_fails_for_itself(run: Run, customers: dict[str, Customer]) -> None:
    failed = dict(re.findall(r'fatal: \[(tenant-\d)\]: FAILED! => .*"msg": "(\w+): ', run.output))
    assert failed == BROKEN
    for name, customer in customers.items():
        assert customer.written == ([] if name in BROKEN else customer.stale)


def test_one_result_sums_them_up(run: Run, customers: dict[str, Customer]) -> None:
    result = Sum(run)
    tenants = result.tenants
    assert (result["count"], result["done"], result["failed"]) == (COUNT, COUNT - len(BROKEN), len(BROKEN))
    assert result["check_mode"] is False
    assert result["users"]["changed"] == sum(len(customer.written) for customer in customers.values())
    assert {name: item["kind"] for name, item in tenants.items() if not item["done"]} == BROKEN
    assert "AADSTS7000215" in tenants[WRONG_SECRET]["msg"]
    for name, customer in customers.items():
        # The break-glass account is stale as well. Zeros would look like nothing to do.
        summary = {"changed": len(customer.stale), "unchanged": 0, "skipped": 1, "failed": 0}
        assert tenants[name]["summary"] == (None if name in BROKEN else summary)
        assert tenants[name]["truncated"] is False
    assert len(re.findall("failed, .*; nothing was decided", run.output)) == len(BROKEN)


def test_one_page_sums_them_up(run: Run, project: Project) -> None:
    assert len(re.findall("<tr", project.page)) == COUNT + 1
    assert project.page.count('<tr class="failed">') == project.page.count("nothing was decided") == len(BROKEN)
    assert project.page.index(NOT_LICENSED) < project.page.index("tenant-0")
    # Nothing is loaded from anywhere.
    assert not re.search(r"(?:src|href)=|@import|url\(", project.page)
    assert (project.path / "other").read_text(encoding="utf-8") == "precious"


def test_nothing_of_one_tenant_reaches_another(
    run: Run, project: Project, emulator: Emulator, bystander: Customer, customers: dict[str, Customer]
) -> None:
    assert bystander.tenant.journal.entries == emulator.journal.entries == []
    for customer in customers.values():
        logins = customer.tenant.journal.select(listener="login", method="POST")
        assert {entry["body"]["client_id"] for entry in logins} == {customer.app.client_id}
        assert customer.secret not in run.output + project.page
    assert "eyJ" not in run.output + project.page


def test_they_are_worked_on_at_the_same_time(run: Run, customers: dict[str, Customer]) -> None:
    times = [[entry["time"] for entry in customer.tenant.journal.entries] for customer in customers.values()]
    spans = [(found[0], found[-1]) for found in times]
    overlaps = [sum(start <= others and other <= end for other, others in spans) for start, end in spans]
    # Each overlaps itself.
    assert max(overlaps) > 2


def test_a_part_of_the_tenants_again(run: Run, project: Project, customers: dict[str, Customer]) -> None:
    """As with a limit, or with job slicing. Blank answers switch no brake off, and what fails late loses no numbers."""
    del project.hosts["tenant-2"]["entra_break_glass"]
    # The list of this tenant breaks off.
    broken = customers["tenant-4"].tenant
    broken.add_users(3, prefix="late", risk_level="low", risk_last_updated=OLD)
    broken.switches.update({"page_size": 1, "break_last_page": True})

    again = project.play(
        *("--limit", "tenant-0,tenant-2,tenant-4"),
        entra_risk_levels='["low", "medium"]',
        entra_risk_age=" ",
        entra_risk_max_changes=" \n",
        entra_risk_page_path="missing/page.html",
    )

    result = Sum(again)
    kinds = {name: item["kind"] for name, item in result.tenants.items()}
    assert kinds == {"tenant-0": None, "tenant-2": "variables", "tenant-4": None}
    assert "entra_break_glass" in result.tenants["tenant-2"]["msg"]
    assert {name: item["truncated"] for name, item in result.tenants.items()} == {
        "tenant-0": False,
        "tenant-2": False,
        "tenant-4": True,
    }
    assert "the list broke off" in again.output
    assert result.tenants["tenant-0"]["summary"] == {"changed": 0, "unchanged": 0, "skipped": 1, "failed": 0}
    for name in ("tenant-0", "tenant-2"):
        assert customers[name].written == customers[name].stale


@pytest.mark.parametrize("levels", ["low, high", "[high]", ["low", None]])
def test_levels_that_need_a_person_are_refused_for_all(
    levels: t.Any, run: Run, project: Project, customers: dict[str, Customer]
) -> None:
    before = {name: len(customer.tenant.journal.entries) for name, customer in customers.items()}

    refused = project.play("--check", entra_risk_levels=levels)

    assert "nothing was done in any tenant" in refused.output
    assert {name: len(customer.tenant.journal.entries) for name, customer in customers.items()} == before


def test_the_inventory_of_the_example_has_all_variables(tmp_path: Path) -> None:
    listed = Ansible(tmp_path).run("ansible-inventory", "-i", "inventory", "--list", "--playbook-dir", ".", cwd=EXAMPLE)
    hosts = json.loads(listed.output)["_meta"]["hostvars"]
    assert len(hosts) == 2
    wanted = {"entra_tenant", "entra_client_id", "entra_client_secret", "entra_break_glass", "ansible_connection"}
    assert all(wanted <= set(variables) for variables in hosts.values())
