"""The example for service providers, on twenty local tenants at once. Two of them are broken."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests import loopback
from tests.entra_emulator.apps import App
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

loopback.refuse_everything_else()

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "many_tenants"
COUNT = 20
WRONG_SECRET, NOT_LICENSED = "tenant-04", "tenant-13"
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
        """Who was written to in this tenant."""
        found: list[str] = self.tenant.journal.summary()["written"]
        return found

    @property
    def variables(self) -> dict[str, t.Any]:
        """What the inventory says about the tenant."""
        return {
            "entra_tenant": self.tenant.id,
            "entra_client_id": self.app.client_id,
            "vault_entra_client_secret": f"not-{self.app.secret}" if self.name == WRONG_SECRET else self.app.secret,
            "entra_break_glass": [f"emergency@{self.tenant.domain}"],
        }


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of the playbook."""

    status: int
    output: str
    page: str
    customers: dict[str, Customer]

    @property
    def result(self) -> dict[str, t.Any]:
        """What it hands on."""
        (line,) = re.findall(r"^\s*RUN: (\{.*\})$", self.output, re.MULTILINE)
        found: dict[str, t.Any] = json.loads(line)["entra_risk_tenants"]
        return found

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The counts of each host."""
        lines = re.findall(r"^(tenant-\d\d) +: (.*)$", self.output, re.MULTILINE)
        return {name: {word: int(n) for word, n in re.findall(r"(\w+)=(\d+)", counts)} for name, counts in lines}


@pytest.fixture(scope="module")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running


@pytest.fixture(scope="module")
def customers(emulator: Emulator) -> dict[str, Customer]:
    made = {}
    for number in range(COUNT):
        name = f"tenant-{number:02}"
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


class Playbook:
    """Runs the playbook of the example over the tenants."""

    def __init__(
        self, emulator: Emulator, bystander: Customer, customers: dict[str, Customer], directory: Path
    ) -> None:
        self._customers = customers
        self._directory = directory
        link = directory / "collections" / "ansible_collections" / "identityops" / "entra_risk"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT, target_is_directory=True)
        self._hosts = {name: customer.variables for name, customer in customers.items()}
        self._inventory = directory / "inventory.json"
        self._env = {
            "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
            "ANSIBLE_SHOW_CUSTOM_STATS": "True",
            "AZURE_AUTHORITY_HOST": emulator.login_url,
            "AZURE_CLIENT_ID": bystander.app.client_id,
            "AZURE_SECRET": str(bystander.app.secret),
            "AZURE_TENANT": bystander.tenant.id,
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "MSGRAPH_URL": emulator.graph_url,
            "NO_COLOR": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "REQUESTS_CA_BUNDLE": emulator.ca_path,
        }

    def forget(self, host: str, variable: str) -> None:
        """Take a variable out of the inventory."""
        del self._hosts[host][variable]

    def run(self, *words: str, **answers: t.Any) -> Run:
        """Run it with these answers of a survey."""
        page = self._directory / "page.html"
        page.unlink(missing_ok=True)
        self._inventory.write_text(json.dumps({"entra_tenants": {"hosts": self._hosts}}), encoding="utf-8")
        extra = json.dumps({"entra_risk_page_path": str(page), **answers})
        tool = Path(sys.executable).parent / "ansible-playbook"
        command: list[str | Path] = [tool, "-i", self._inventory, "--forks", str(COUNT)]
        done = subprocess.run(
            [*command, EXAMPLE / "dismiss_stale_risk.yml", "-e", extra, *words],
            env=self._env,
            cwd=self._directory,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        text = page.read_text(encoding="utf-8") if page.exists() else ""
        return Run(done.returncode, done.stdout + done.stderr, text, self._customers)


@pytest.fixture(scope="module")
def playbook(
    emulator: Emulator,
    bystander: Customer,
    customers: dict[str, Customer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Playbook:
    return Playbook(emulator, bystander, customers, tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="module")
def run(playbook: Playbook) -> Run:
    """All tenants at once."""
    return playbook.run()


def good(run: Run) -> list[Customer]:
    """The tenants that are not broken."""
    return [customer for name, customer in run.customers.items() if name not in BROKEN]


def test_all_others_are_done(run: Run) -> None:
    for customer in good(run):
        assert sorted(customer.written) == sorted(customer.stale)
        assert run.recap[customer.name]["changed"] == 1
        states = {user.id: (user.risk or {})["riskState"] for user in customer.tenant.users}
        assert {state for user_id, state in states.items() if user_id not in customer.stale} == {"atRisk"}


def test_the_broken_ones_fail_for_themselves(run: Run) -> None:
    assert run.status == 2
    assert {name for name, counts in run.recap.items() if counts["failed"]} == set(BROKEN)
    assert len(run.recap) == COUNT
    for name, kind in BROKEN.items():
        assert run.customers[name].written == []
        assert re.search(rf'fatal: \[{name}\]: FAILED! => .*"msg": "{kind}: ', run.output)


def test_one_result_sums_them_up(run: Run) -> None:
    result = run.result
    assert (result["count"], result["done"], result["failed"]) == (COUNT, COUNT - len(BROKEN), len(BROKEN))
    assert result["check_mode"] is False
    assert result["users"]["changed"] == sum(len(customer.stale) for customer in good(run))
    tenants = {item["tenant"]: item for item in result["tenants"]}
    assert set(tenants) == set(run.customers)
    assert {name: item["kind"] for name, item in tenants.items() if not item["done"]} == BROKEN
    assert "AADSTS7000215" in tenants[WRONG_SECRET]["msg"]
    for customer in good(run):
        # The break-glass account is stale as well.
        expected = {"changed": len(customer.stale), "unchanged": 0, "skipped": 1, "failed": 0}
        assert tenants[customer.name]["summary"] == expected


def test_one_page_sums_them_up(run: Run) -> None:
    assert len(re.findall("<tr", run.page)) == COUNT + 1
    assert run.page.count('<tr class="failed">') == len(BROKEN)
    assert run.page.index(WRONG_SECRET) < run.page.index("tenant-00")
    # Nothing is loaded from anywhere.
    assert not re.search(r"(?:src|href)=|@import|url\(", run.page)


def test_nothing_of_one_tenant_reaches_another(run: Run, emulator: Emulator, bystander: Customer) -> None:
    assert bystander.tenant.journal.entries == []
    assert emulator.journal.entries == []
    assert emulator.violations == []
    for customer in run.customers.values():
        logins = customer.tenant.journal.select(listener="login", method="POST")
        assert {entry["body"]["client_id"] for entry in logins} == {customer.app.client_id}
        known = {user.id for user in customer.tenant.users}
        assert set(customer.written) <= known


def test_they_were_worked_on_at_the_same_time(run: Run) -> None:
    spans = []
    for customer in good(run):
        times = [entry["time"] for entry in customer.tenant.journal.entries]
        spans.append((times[0], times[-1]))
    overlaps = [
        sum(start <= other_end and other_start <= end for other_start, other_end in spans) for start, end in spans
    ]
    assert max(overlaps) > 2


def test_no_secret_is_shown(run: Run) -> None:
    for customer in run.customers.values():
        secret = str(customer.variables["vault_entra_client_secret"])
        assert secret not in run.output
        assert secret not in run.page
    assert "eyJ" not in run.output


def test_a_part_of_the_tenants_again(run: Run, playbook: Playbook) -> None:
    """As with a limit, or with job slicing: only those are worked on, and summed up; nothing is left to change."""
    again = playbook.run("--limit", "tenant-00,tenant-01", entra_risk_levels="low\nmedium", entra_risk_age="")

    assert again.status == 0
    assert [item["tenant"] for item in again.result["tenants"]] == ["tenant-00", "tenant-01"]
    assert again.result["users"] == {"changed": 0, "unchanged": 0, "skipped": 2, "failed": 0}
    assert {name: counts["changed"] for name, counts in again.recap.items()} == {"tenant-00": 0, "tenant-01": 0}


def test_high_risk_is_refused_for_all(run: Run, playbook: Playbook) -> None:
    before = {name: len(customer.tenant.journal.entries) for name, customer in run.customers.items()}

    refused = playbook.run("--check", entra_risk_levels="low, high")

    assert refused.status == 2
    assert "nothing was done in any tenant" in refused.output
    assert {name: len(customer.tenant.journal.entries) for name, customer in run.customers.items()} == before


def test_a_tenant_whose_variables_are_not_complete(run: Run, playbook: Playbook) -> None:
    playbook.forget("tenant-02", "entra_break_glass")

    incomplete = playbook.run("--check", "--limit", "tenant-02,tenant-03")

    assert incomplete.status == 2
    done = {item["tenant"]: (item["done"], item["kind"]) for item in incomplete.result["tenants"]}
    assert done == {"tenant-02": (False, "variables"), "tenant-03": (True, None)}
    assert "entra_break_glass" in incomplete.result["tenants"][0]["msg"]


def test_the_inventory_of_the_example_has_all_variables() -> None:
    tool = Path(sys.executable).parent / "ansible-inventory"
    command: list[str | Path] = [tool, "-i", EXAMPLE / "inventory.yml", "--list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    hosts = json.loads(done.stdout)["_meta"]["hostvars"]
    assert len(hosts) == 2
    wanted = {"entra_tenant", "entra_client_id", "entra_client_secret", "entra_break_glass", "ansible_connection"}
    assert all(wanted <= set(variables) for variables in hosts.values())
