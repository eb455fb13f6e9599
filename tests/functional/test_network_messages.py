"""What stands between a module and the service: proxies of the environment, and CA certificates."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ..entra_emulator.emulator import Emulator
from ..entra_emulator.tenant import Tenant
from .people import ID
from .running import Run

PROXY = "http://user:pa[ss]word-Canary1@proxy.example:3128"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("login", [True, False])
def test_names_the_variable_of_a_proxy_that_cannot_be_used(
    tenant: Tenant, run: Run, variable: str, login: bool
) -> None:
    app = tenant.add_app()
    options = {"access_token": None, "tenant": tenant.id, "client_id": app.client_id, "secret": app.secret}
    ended = run("risky_user", state="dismissed", user=ID["adele"], env={variable: PROXY}, **(options if login else {}))
    assert ended.kind == "network" and ended.msg.startswith(f"The proxy in {variable} cannot be used")
    assert "Percent-encode" in ended.msg and "Canary1" not in ended.output and ended.journal == []


@pytest.mark.parametrize("no_proxy", ["127.0.0.1,localhost", "*"])
def test_a_proxy_that_is_not_used_does_not_matter(tenant: Tenant, run: Run, no_proxy: str) -> None:
    ended = run("risky_user_info", users=[ID["adele"]], env={"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy})
    assert not ended.failed


def _write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


CA_PATHS: t.Mapping[str, tuple[t.Callable[[Path, Path], str], str]] = {
    "missing file": (lambda folder, ca: "/no/such/ca.pem", "ca_path (/no/such/ca.pem) cannot be used: No such file"),
    "folder without hashes": (lambda folder, ca: _write(folder / "ca.pem", ca.read_bytes())[:-7], "openssl rehash"),
    "no certificate": (lambda folder, ca: _write(folder / "ca.txt", b"nothing"), "no certificate in PEM format"),
    "UTF-16": (
        lambda folder, ca: _write(folder / "ca.pem", ca.read_text().encode("utf-16")),
        "It is text in UTF-16",
    ),
    "DER": (lambda folder, ca: _write(folder / "ca.cer", b"\x30\x82\x01\x0a"), "openssl x509 -inform der"),
    "content of the file": (lambda folder, ca: ca.read_text(), "its value is not a path"),
}


@pytest.mark.parametrize("name", CA_PATHS)
def test_tells_what_is_wrong_with_ca_path(
    tenant: Tenant, run: Run, emulator: Emulator, tmp_path: Path, name: str
) -> None:
    make, words = CA_PATHS[name]
    ended = run("risky_user_info", users=[ID["adele"]], ca_path=make(tmp_path, Path(emulator.ca_path)))
    assert ended.kind == "tls" and words in ended.msg, ended.msg
    assert ended.journal == [] and "BEGIN CERTIFICATE" not in ended.msg
