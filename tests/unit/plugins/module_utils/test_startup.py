"""What a login does not need is not loaded: most of the time of a short task goes into imports."""

from __future__ import annotations

import subprocess
import sys
import typing as t

import pytest

PACKAGE = "ansible_collections.identityops.entra_risk.plugins.module_utils"
LOGIN = {"tenant": "contoso.example", "client_id": "8f2b8c1a-0e64-4a6e-9d0f-8f3f0c5e7b22", "secret": "x"}
SCRIPT = f"""
import sys
from {PACKAGE} import _module
from {PACKAGE}._tasks import change
from {PACKAGE}._graph.client import connect
from {PACKAGE}._login.connection import resolve
from {PACKAGE}._redact import Redactor
connect(resolve({{params}}, {{{{}}}}, Redactor()), Redactor())
print(*sorted(name.rpartition("{PACKAGE}.")[2] for name in sys.modules))
"""
CERTIFICATES = {"_login.certificate", "_login.encodings", "cryptography"}
# What failures, proxies and writes need.
LATER = {"_tls", "_proxies", "_login.claims", "_risk.guards", "_risk.writer", "_risk.wait", "_graph.roles"}
LOGINS = {"_login.msal_login", "_login.msal_http", "_login.aadsts", "_login.files", "msal"}


@pytest.mark.parametrize(
    ("params", "unneeded"),
    [({"access_token": "x"}, CERTIFICATES | LOGINS | LATER), (LOGIN, CERTIFICATES | LATER)],
    ids=["token", "secret"],
)
def test_what_is_not_needed_is_not_loaded(params: dict[str, t.Any], unneeded: set[str]) -> None:
    script = SCRIPT.format(params=params)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert unneeded & set(done.stdout.split()) == set()
