"""What holds for every unit test: no connection leaves this machine, and the environment has no say."""

from __future__ import annotations

import pytest

from ansible_collections.identityops.entra_risk.tests import loopback

loopback.refuse_everything_else()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, proxies and CA bundles of the surroundings are out of sight."""
    loopback.hide_settings(monkeypatch)
