"""What holds for every unit test: no connection leaves this machine, and the environment has no say."""

from __future__ import annotations

import os
import re

import pytest

from ansible_collections.identityops.entra_risk.tests import loopback

# What a person may have set for real work, and what the collection would read.
_FOREIGN = re.compile(
    r"^(AZURE_|ANSIBLE_AZURE_|MSGRAPH_|AD_USER$|IDENTITY_|IMDS_|MSI_)|^(REQUESTS|CURL)_CA_BUNDLE$|_PROXY$", re.I
)

loopback.refuse_everything_else()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, proxies and CA bundles of the surroundings are out of sight."""
    for name in [name for name in os.environ if _FOREIGN.search(name)]:
        monkeypatch.delenv(name)
