"""Numbers are written in digits: what AnsibleModule would take for one is refused in every option of every module."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ..entra_emulator.tenant import Tenant
from .running import Run, load
from .test_refusals import MODULES, arguments


def _numbers(module: str) -> list[str]:
    """The options of a module whose type is int, besides those of the connection."""
    options = yaml.safe_load(load(module).DOCUMENTATION)["options"]
    return [name for name, option in options.items() if option["type"] == "int"]


OPTIONS = [(module, option) for module in MODULES for option in (*_numbers(module), "timeout", "retry_timeout")]


VALUES = ["1_0", True, False, "true", "0x10", "1e1", "10.0", 10.0, "\u0661\u0660", "+5", " 5", "5 0", "", [5], "9" * 30]


@pytest.mark.parametrize(
    ("module", "option", "value"),
    # All of them in one module, and in the others those that AnsibleModule itself takes for numbers.
    [(*option, value) for option in OPTIONS for value in (VALUES if option[0] == "risky_user" else VALUES[:8])],
)
def test_refuses_what_is_not_plain_digits(tenant: Tenant, run: Run, module: str, option: str, value: t.Any) -> None:
    if value == "" and option in ("timeout", "retry_timeout"):
        # An empty text counts as not given in all connection options.
        assert not run(module, **arguments(module, {"ids": []}), **{option: value}).failed
        return
    ended = run(module, **arguments(module, {"ids": []}), **{option: value})
    assert ended.kind == "request" and ended.journal == []
    assert ended.msg.startswith(f"{option} must be a whole number")


@pytest.mark.parametrize("value", [7, "7"])
@pytest.mark.parametrize(("module", "option"), OPTIONS)
def test_takes_digits(tenant: Tenant, run: Run, module: str, option: str, value: t.Any) -> None:
    assert not run(module, **arguments(module, {"ids": [], option: value})).failed
