"""Where the cache goes, and which interpreters count."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.identityops.entra_risk.tests.dev import machine
from ansible_collections.identityops.entra_risk.tests.dev.console import StopError


def test_the_cache_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENTRA_RISK_CACHE", raising=False)
    monkeypatch.setattr(machine, "ROOT", Path("/plain/checkout"))

    assert machine.cache_directory() == (Path("/plain/checkout/.cache"), "")


def test_a_checkout_with_blanks_gets_its_cache_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ENTRA_RISK_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(machine, "ROOT", Path("/my checkout"))

    cache, remark = machine.cache_directory()

    assert cache.parent == tmp_path / ".cache"
    assert str(cache) in remark


def test_the_environment_chooses_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTRA_RISK_CACHE", "/somewhere")

    assert machine.cache_directory() == (Path("/somewhere"), "")


def test_a_chosen_cache_with_blanks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTRA_RISK_CACHE", "/some where")

    with pytest.raises(StopError, match="letters"):
        machine.cache_directory()


def test_a_shim_that_cannot_run_is_no_interpreter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for minor in range(9, 16):
        shim = tmp_path / f"python3.{minor}"
        shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    machine.interpreters.cache_clear()

    found = machine.interpreters()
    machine.interpreters.cache_clear()

    assert machine.OWN in found
    assert not [path for path in found.values() if path.parent == tmp_path]
