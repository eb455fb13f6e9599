"""One emulator for all tests, a fresh tenant for each. The traffic has to fit the OpenAPI document."""

from __future__ import annotations

import typing as t

import pytest

from tests import loopback
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.resources import ALL_ROLES
from tests.entra_emulator.tenant import Tenant

from .client import Client

loopback.refuse_everything_else()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "breaks_contract: the test asks on purpose what the document forbids")


@pytest.fixture(scope="session")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running


@pytest.fixture
def tenant(emulator: Emulator) -> t.Iterator[Tenant]:
    tenant = emulator.add_tenant()
    yield tenant
    emulator.remove_tenant(tenant)


@pytest.fixture
def graph(emulator: Emulator, tenant: Tenant) -> t.Iterator[Client]:
    """Graph, asked by an app that may do everything."""
    client = Client(emulator.graph_url, emulator.ca_path, tenant.mint_token(roles=ALL_ROLES))
    yield client
    client.close()


@pytest.fixture
def control(emulator: Emulator) -> t.Iterator[Client]:
    client = Client(emulator.plain_url, emulator.ca_path)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def contract(request: pytest.FixtureRequest, emulator: Emulator) -> t.Iterator[None]:
    """A test whose traffic breaks the document fails, unless it is marked to do so: then it has to."""
    emulator.clear_violations()
    yield
    texts = [text for entry in emulator.violations for text in entry["violations"]]
    if request.node.get_closest_marker("breaks_contract"):
        assert texts
        assert not [text for text in texts if text.startswith("answer:") and "not found" not in text]
    else:
        assert texts == []
