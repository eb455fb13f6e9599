"""What holds for every ending of every module, whatever the case is about."""

from __future__ import annotations

import functools
import re
import types
import typing as t

import yaml

from .running import Ended

# Ansible documents these for all modules.
_ANSIBLES = {"changed", "diff", "exception", "failed", "invocation", "msg", "warnings"}
_TYPES: t.Mapping[str, tuple[type, ...]] = {
    **{kind.__name__: (kind,) for kind in (bool, dict, int, list, str)},
    "float": (int, float),
}
_JWT = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}")


def check_ending(module: types.ModuleType, ended: Ended, *, check: bool, secrets: t.Iterable[str]) -> None:
    """Fail the test where an ending breaks a promise that holds for all."""
    _holds_no_secret(ended.output, secrets)
    _is_documented(module, ended)
    for entry in ended.journal:
        assert not entry["violations"], f"{entry['method']} {entry['path']}: {entry['violations']}"
    if check:
        assert ended.written == [], "check mode wrote"
    elif ended.written:
        assert ended.changed, "it was written to somebody, and the result says unchanged"


def _holds_no_secret(output: str, secrets: t.Iterable[str]) -> None:
    assert not _JWT.search(output), "a token is in the output"
    for secret in secrets:
        for line in secret.splitlines():
            # Short lines, and those that begin and end a key, are no secrets.
            assert len(line) < 8 or line.startswith("-----") or line not in output, "a secret is in the output"


def _is_documented(module: types.ModuleType, ended: Ended) -> None:
    documented = _returned(module)
    if ended.failed:
        assert ended.kind in re.findall(r"V\((\w+)\)", str(documented["error"]["contains"]["kind"]["description"]))
    assert ("error" in ended.result) is ended.failed
    assert ended.result.keys() <= documented.keys() | _ANSIBLES
    always = {key for key, value in documented.items() if value["returned"] == "always"}
    assert ended.result.keys() >= always | {"changed", "msg"}
    for key in ended.result.keys() & documented.keys():
        _fits(key, ended.result[key], documented[key])


@functools.cache
def _returned(module: types.ModuleType) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load(module.RETURN))


def _fits(name: str, value: t.Any, documented: t.Mapping[str, t.Any]) -> None:
    """The value has the documented type, and the documented keys at all depths."""
    if value is None:
        return
    assert isinstance(value, _TYPES[documented["type"]]), f"{name} is {value!r}, not {documented['type']}"
    contains = documented.get("contains")
    items: list[t.Any] = value if isinstance(value, list) else [value]
    for item in items:
        if "elements" in documented:
            assert isinstance(item, _TYPES[documented["elements"]]), f"{name} holds {item!r}"
        if contains is not None:
            optional = {key for key, inner in contains.items() if inner.get("returned", "always") != "always"}
            assert item.keys() <= contains.keys(), f"{name}: {item.keys() - contains.keys()} is not documented"
            assert item.keys() >= contains.keys() - optional, f"{name}: {contains.keys() - item.keys()} is missing"
            for key, inner in item.items():
                # The items of a history have the keys of the object too, all of them as far as Graph gives them.
                below = {**contains[key], "contains": _optional(contains)} if key == "history" else contains[key]
                _fits(f"{name}.{key}", inner, below)


def _optional(contains: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    every = {**contains, **contains["history"]["contains"]}
    return {key: {**inner, "returned": "where Graph gives it"} for key, inner in every.items()}
