"""Runs Ansible on the examples. Nothing but loopback can be reached."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests import commands, loopback

loopback.refuse_everything_else()

EXAMPLES = commands.ROOT / "docs" / "examples"
PROJECT = EXAMPLES / "awx" / "project"
VARIABLES = EXAMPLES / "aap_configuration"
# What the examples take from the environment. None of it may come out again.
TOKEN = "CanaryToken7h2Kd"
KEY = "CanaryKey5Rt1Lw"
CREDENTIALS = {
    "AZURE_CERTIFICATE": f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n",
    "AZURE_CLIENT_ID": "04487ee0-f4f6-4e7f-8999-facc5a30e232",
    "AZURE_SECRET": "CanarySecret~4Vq9z",
    "AZURE_TENANT": "contoso.example",
}


class Ansible(commands.Ansible):
    """Runs commands, and knows the variables of the directory aap_configuration."""

    def render(self, *names: str, **extra: t.Any) -> dict[str, t.Any]:
        """The values of variables."""
        more = {"entra_risk_examples": str(EXAMPLES), **extra}
        files = [word for path in sorted(VARIABLES.glob("*.yml")) for word in ("-e", f"@{path}")]
        message = f"{{{{ {{{', '.join(f'{name!r}: {name}' for name in names)}}} }}}}"
        words = ("-m", "ansible.builtin.debug", "-a", json.dumps({"msg": message}))
        run = self.run("ansible", "localhost", *words, *files, "-e", json.dumps(more))
        return dict(json.loads(run.output.partition(" => ")[2])["msg"])


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    return Ansible(tmp_path_factory.mktemp("home"), CONTROLLER_OAUTH_TOKEN=TOKEN, **CREDENTIALS)
