"""The local tenant, and Microsoft's own client for it. Nothing else on the network can be reached."""

from __future__ import annotations

import typing as t

import pytest

from tests import loopback
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

loopback.refuse_everything_else()


def pytest_configure(config: pytest.Config) -> None:
    # The client warns of its own generated code, a page of it for each test.
    for text in ("This class is deprecated", "GetQueryParameters is deprecated"):
        config.addinivalue_line("filterwarnings", f"ignore:{text}:DeprecationWarning")


@pytest.fixture(scope="session")
def emulator() -> t.Iterator[Emulator]:
    with Emulator(validate=True) as running:
        yield running


@pytest.fixture
def tenant(emulator: Emulator) -> t.Iterator[Tenant]:
    tenant = emulator.add_tenant()
    yield tenant
    emulator.remove_tenant(tenant)
    assert emulator.violations == []
