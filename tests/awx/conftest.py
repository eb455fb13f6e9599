"""A local tenant, and a controller that launches jobs. What the jobs leave behind is searched for their secrets."""

from __future__ import annotations

import functools
import os
import re
import shutil
import typing as t
from pathlib import Path

import pytest
import yaml

from tests import loopback
from tests.commands import BIN, ROOT, Ansible
from tests.entra_emulator.apps import App
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant
from tests.integration.targets.leaks.files.find_canaries import TOKEN, readings

from .credentials import AzureResourceManager, CredentialType
from .jobs import Controller, Job

loopback.refuse_everything_else()

EXAMPLES = ROOT / "docs" / "examples"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "leaks: the jobs of this test show their secrets on purpose")


@pytest.fixture(scope="session")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running
        assert running.violations == []


@pytest.fixture(scope="session")
def surroundings(emulator: Emulator, collections: Path) -> dict[str, str]:
    """The variables of an execution environment, and what leads to the local tenant instead of Microsoft's clouds.

    Credentials and settings of the person who runs the tests stay out.
    """
    return {
        **{name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TMPDIR") if name in os.environ},
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "AZURE_AUTHORITY_HOST": emulator.login_url,
        "LC_ALL": "C.UTF-8",
        "MSGRAPH_URL": emulator.graph_url,
        "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        "REQUESTS_CA_BUNDLE": emulator.ca_path,
    }


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return emulator.add_tenant()


@pytest.fixture
def app(tenant: Tenant) -> App:
    """An app that may log in with a secret and with a certificate."""
    return tenant.add_app(certificate=True)


@pytest.fixture
def credential(tenant: Tenant, app: App) -> AzureResourceManager:
    """The built-in credential, as most people fill it in."""
    return AzureResourceManager(tenant=tenant.id, client=app.client_id, secret=app.secret or "")


@pytest.fixture(scope="session")
def credential_type() -> CredentialType:
    """The custom type of the examples."""
    texts = [(EXAMPLES / "credential_type" / f"{name}.yml").read_text("utf-8") for name in ("inputs", "injectors")]
    return CredentialType(*(yaml.safe_load(text) for text in texts))


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    return Ansible(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def collections(ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the collection as it is published, so that no file may be missing in what is built."""
    path = tmp_path_factory.mktemp("collections")
    ansible.run("ansible-galaxy", "collection", "build", "--output-path", path)
    (archive,) = path.glob("*.tar.gz")
    shutil.unpack_archive(archive, path / "ansible_collections" / "identityops" / "entra_risk", filter="data")
    return path


@pytest.fixture
def awx(request: pytest.FixtureRequest, surroundings: dict[str, str], tmp_path: Path) -> t.Iterator[Controller]:
    controller = Controller({**surroundings, "HOME": str(tmp_path)}, tmp_path)
    yield controller
    if request.node.get_closest_marker("leaks") is None:
        assert [found_secrets(job, controller.secrets) for job in controller.jobs] == [set()] * len(controller.jobs)


def found_secrets(job: Job, secrets: t.Iterable[str]) -> set[str]:
    """Which secrets a job has left somewhere, in whatever form; "token" stands for any JSON web token."""
    found: set[str] = set()
    for text in job.traces:
        for reading in readings(text):
            found.update(secret for secret in secrets if _marker(secret) in reading)
        if TOKEN.search(text):
            found.add("token")
    return found


@functools.cache
def _marker(secret: str) -> str:
    """The longest run of letters and digits, which stays the same in every encoding. A certificate is no secret."""
    key = re.sub(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", "", secret, flags=re.DOTALL)
    return max(re.findall("[A-Za-z0-9]+", key), key=len)
