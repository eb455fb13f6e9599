"""The example for service providers, on several local tenants at once. Two of them are broken."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from tests import loopback
from tests.entra_emulator.apps import App
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

loopback.refuse_everything_else()

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
COUNT = 6
WRONG_SECRET, NOT_LICENSED = "tenant-1", "tenant-3"
BROKEN = {WRONG_SECRET: "login", NOT_LICENSED: "license"}
OLD = "2026-01-01T00:00:00Z"
SUMMARY = ("changed", "unchanged", "skipped", "failed")


@dataclasses.dataclass(frozen=True)
class Customer:
    """A tenant, its app, and those of its users whose risk is stale."""

    name: str
    tenant: Tenant
    app: App
    stale: list[str]

    @property
    def written(self) -> list[str]:
        """Who was written to in this tenant."""
        found: list[str] = self.tenant.journal.summary()["written"]
        return found

    @property
    def secret(self) -> str:
        """The client secret as the inventory has it."""
        return f"not-{self.app.secret}" if self.name == WRONG_SECRET else str(self.app.secret)


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of the playbook."""

    status: int
    output: str

    @property
    def result(self) -> dict[str, t.Any]:
        """What it hands on."""
        (line,) = re.findall(r"^\s*RUN: (\{.*\})$", self.output, re.MULTILINE)
        found: dict[str, t.Any] = json.loads(line)["entra_risk_tenants"]
        return found

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The counts of each host."""
        lines = re.findall(r"^(tenant-\d) +: (.*)$", self.output, re.MULTILINE)
        return {name: {word: int(n) for word, n in re.findall(r"(\w+)=(\d+)", counts)} for name, counts in lines}


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
        made[name] = Customer(name, tenant, tenant.add_app(), stale)
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
        shutil.copytree(ROOT / "docs" / "examples" / "many_tenants", self.path)
        link = path / "collections" / "ansible_collections" / "identityops" / "entra_risk"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT, target_is_directory=True)
        (path / "password").write_text("correct horse", encoding="utf-8")
        vault = VaultLib([("default", VaultSecret(b"correct horse"))])
        (self.path / "host_vars").mkdir()
        self._hosts: dict[str, dict[str, t.Any]] = {}
        for name, customer in customers.items():
            tenant = customer.tenant
            self._hosts[name] = {"entra_tenant": tenant.id, "entra_client_id": customer.app.client_id}
            self._hosts[name]["entra_break_glass"] = [f"emergency@{tenant.domain}"]
            secret = vault.encrypt(json.dumps({"vault_entra_client_secret": customer.secret}))
            (self.path / "host_vars" / f"{name}.yml").write_bytes(secret)
        self._env = {
            "ANSIBLE_COLLECTIONS_PATH": str(path / "collections"),
            "ANSIBLE_SHOW_CUSTOM_STATS": "True",
            "AZURE_AUTHORITY_HOST": emulator.login_url,
            "AZURE_CLIENT_ID": bystander.app.client_id,
            "AZURE_SECRET": str(bystander.app.secret),
            "AZURE_TENANT": bystander.tenant.id,
            "HOME": str(path),
            "LC_ALL": "C.UTF-8",
            "MSGRAPH_URL": emulator.graph_url,
            "NO_COLOR": "1",
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
            "REQUESTS_CA_BUNDLE": emulator.ca_path,
        }

    def forget(self, host: str, variable: str) -> None:
        """Take a variable out of the inventory."""
        del self._hosts[host][variable]

    def command(self, *words: str) -> Run:
        """Run a command of Ansible in the project."""
        inventory = {"entra_tenants": {"hosts": self._hosts}}
        (self.path / "inventory" / "tenants.yml").write_text(json.dumps(inventory), encoding="utf-8")
        command: list[str | Path] = [BIN / words[0], "-i", "inventory/tenants.yml", *words[1:]]
        done = subprocess.run(
            command, env=self._env, cwd=self.path, capture_output=True, text=True, timeout=300, check=False
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def play(self, *words: str, **answers: t.Any) -> Run:
        """Run the playbook with these answers of a survey."""
        words = ("--vault-password-file", "../password", "--forks", str(COUNT), "-e", json.dumps(answers), *words)
        return self.command("ansible-playbook", "dismiss_stale_risk.yml", *words)


@pytest.fixture(scope="module")
def project(
    emulator: Emulator,
    bystander: Customer,
    customers: dict[str, Customer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    return Project(tmp_path_factory.mktemp("many"), emulator, bystander, customers)


@pytest.fixture(scope="module")
def run(project: Project) -> Run:
    """All tenants at once. Where the page is to be, a link leads to another file."""
    (project.path / "other").write_text("precious", encoding="utf-8")
    (project.path / "page.html").symlink_to("other")
    return project.play(entra_risk_page_path="page.html")


@pytest.fixture
def good(run: Run, customers: dict[str, Customer]) -> list[Customer]:
    """The tenants that are not broken, after the run."""
    return [customer for name, customer in customers.items() if name not in BROKEN]


def test_awx_reads_the_inventory_without_the_vault_password(project: Project, customers: dict[str, Customer]) -> None:
    """The command is that of AWX's inventory update. It takes the directory of the inventory for that of a playbook."""
    synced = project.command("ansible-inventory", "--list", "--export", "--playbook-dir", "inventory")

    assert synced.status == 0, synced.output
    assert set(json.loads(synced.output)["_meta"]["hostvars"]) == set(customers)
    assert "secret" not in synced.output


def test_all_others_are_done(run: Run, good: list[Customer]) -> None:
    for customer in good:
        assert sorted(customer.written) == sorted(customer.stale)
        assert run.recap[customer.name]["changed"] == 1


def test_the_broken_ones_fail_for_themselves(run: Run, customers: dict[str, Customer]) -> None:
    assert run.status == 2
    assert {name for name, counts in run.recap.items() if counts["failed"]} == set(BROKEN)
    assert len(run.recap) == COUNT
    for name, kind in BROKEN.items():
        assert customers[name].written == []
        assert re.search(rf'fatal: \[{name}\]: FAILED! => .*"msg": "{kind}: ', run.output)


def test_one_result_sums_them_up(run: Run, good: list[Customer]) -> None:
    result = run.result
    assert (result["count"], result["done"], result["failed"]) == (COUNT, COUNT - len(BROKEN), len(BROKEN))
    assert result["check_mode"] is False
    assert result["users"]["changed"] == sum(len(customer.stale) for customer in good)
    tenants = {item["tenant"]: item for item in result["tenants"]}
    assert len(tenants) == COUNT
    assert {name: item["kind"] for name, item in tenants.items() if not item["done"]} == BROKEN
    assert "AADSTS7000215" in tenants[WRONG_SECRET]["msg"]
    for customer in good:
        # The break-glass account is stale as well.
        assert tenants[customer.name]["summary"] == dict(zip(SUMMARY, (len(customer.stale), 0, 1, 0)))
        assert tenants[customer.name]["truncated"] is False


def test_no_zeros_where_nothing_was_decided(run: Run, project: Project) -> None:
    """They would look like nothing to do."""
    tenants = {item["tenant"]: item["summary"] for item in run.result["tenants"]}
    assert [tenants[name] for name in BROKEN] == [None, None]
    assert len(re.findall("failed, .*; nothing was decided", run.output)) == len(BROKEN)
    assert "0 changed, 0 unchanged, 0 skipped" not in run.output
    assert (project.path / "page.html").read_text(encoding="utf-8").count("nothing was decided") == len(BROKEN)


def test_one_page_sums_them_up(run: Run, project: Project) -> None:
    page = (project.path / "page.html").read_text(encoding="utf-8")
    assert len(re.findall("<tr", page)) == COUNT + 1
    assert page.count('<tr class="failed">') == len(BROKEN)
    assert page.index(NOT_LICENSED) < page.index("tenant-0")
    # Nothing is loaded from anywhere.
    assert not re.search(r"(?:src|href)=|@import|url\(", page)
    assert (project.path / "other").read_text(encoding="utf-8") == "precious"


def test_nothing_of_one_tenant_reaches_another(
    run: Run, emulator: Emulator, bystander: Customer, customers: dict[str, Customer]
) -> None:
    assert bystander.tenant.journal.entries == []
    assert emulator.journal.entries == []
    for customer in customers.values():
        logins = customer.tenant.journal.select(listener="login", method="POST")
        assert {entry["body"]["client_id"] for entry in logins} == {customer.app.client_id}
        assert set(customer.written) <= {user.id for user in customer.tenant.users}


def test_they_were_worked_on_at_the_same_time(good: list[Customer]) -> None:
    spans = []
    for customer in good:
        times = [entry["time"] for entry in customer.tenant.journal.entries]
        spans.append((times[0], times[-1]))
    overlaps = [
        sum(start <= other_end and other_start <= end for other_start, other_end in spans) for start, end in spans
    ]
    assert max(overlaps) > 1


def test_no_secret_is_shown(run: Run, project: Project, customers: dict[str, Customer]) -> None:
    text = run.output + (project.path / "page.html").read_text(encoding="utf-8")
    assert not [customer.secret for customer in customers.values() if customer.secret in text]
    assert "eyJ" not in text


def test_a_part_of_the_tenants_again(run: Run, project: Project, customers: dict[str, Customer]) -> None:
    """As with a limit, or with job slicing. Blank answers switch no brake off, and what fails late loses no numbers."""
    project.forget("tenant-2", "entra_break_glass")

    again = project.play(
        *("--limit", "tenant-0,tenant-2,tenant-4"),
        entra_risk_levels='["low", "medium"]',
        entra_risk_age=" ",
        entra_risk_max_changes=" \n",
        entra_risk_page_path="missing/page.html",
    )

    assert again.status == 2
    found = {item["tenant"]: item for item in again.result["tenants"]}
    assert {name: item["kind"] for name, item in found.items()} == {
        "tenant-0": None,
        "tenant-2": "variables",
        "tenant-4": None,
    }
    assert "entra_break_glass" in found["tenant-2"]["msg"]
    assert again.result["users"] == dict(zip(SUMMARY, (0, 0, 2, 0)))
    for name in found:
        assert sorted(customers[name].written) == sorted(customers[name].stale)


@pytest.mark.parametrize("levels", ["low, high", "[high]", "None", ["low", None]])
def test_levels_that_need_a_person_are_refused_for_all(
    levels: t.Any, run: Run, project: Project, customers: dict[str, Customer]
) -> None:
    before = {name: len(customer.tenant.journal.entries) for name, customer in customers.items()}

    refused = project.play("--check", entra_risk_levels=levels)

    assert refused.status == 2
    assert "nothing was done in any tenant" in refused.output
    assert {name: len(customer.tenant.journal.entries) for name, customer in customers.items()} == before


def test_the_inventory_of_the_example_has_all_variables() -> None:
    example = ROOT / "docs" / "examples" / "many_tenants"
    command: list[str | Path] = [BIN / "ansible-inventory", "-i", "inventory", "--list", "--playbook-dir", "."]
    done = subprocess.run(command, cwd=example, capture_output=True, text=True, timeout=60, check=True)
    hosts = json.loads(done.stdout)["_meta"]["hostvars"]
    assert len(hosts) == 2
    wanted = {"entra_tenant", "entra_client_id", "entra_client_secret", "entra_break_glass", "ansible_connection"}
    assert all(wanted <= set(variables) for variables in hosts.values())
