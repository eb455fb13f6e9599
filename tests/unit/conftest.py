"""What holds for every unit test: no connection leaves this machine, and the environment has no say."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from ansible_collections.identityops.entra_risk.tests import loopback

loopback.refuse_everything_else()
loopback.hear_hangups()
# The same examples in every run, and no clock that decides. `--hypothesis-profile=large` draws more of them.
settings.register_profile(
    "small",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("large", settings.get_profile("small"), max_examples=200)
settings.load_profile("small")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, proxies and CA bundles of the surroundings are out of sight."""
    loopback.hide_settings(monkeypatch)
