"""Checks the arguments of tasks against the documentation of their modules."""

from __future__ import annotations

import json
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .conftest import Ansible

Options = t.Mapping[str, t.Mapping[str, t.Any]]
# What ArgumentSpecValidator understands of a documented option.
_KEYS = ("aliases", "choices", "default", "elements", "required", "type")
# Whose arguments have names of one's own.
_FREE = ("ansible.builtin.set_fact",)


class Modules:
    """The options of modules, as ansible-doc shows them."""

    def __init__(self, ansible: Ansible) -> None:
        self._ansible = ansible
        self._known: dict[str, t.Mapping[str, t.Any]] = {}

    def doc(self, name: str) -> t.Mapping[str, t.Any]:
        """The documentation of a module; the test fails when there is none."""
        if name not in self._known:
            found = json.loads(self._ansible.run("ansible-doc", "--json", "--type", "module", name))
            self._known[name] = found[name]["doc"]
        return self._known[name]

    def complaints(self, name: str, arguments: t.Mapping[str, t.Any]) -> list[str]:
        """What is wrong with the arguments of a task: unknown names, wrong types and choices, what is missing.

        The value of a template is not known; such an argument counts as given, and right.
        """
        if name in _FREE:
            return []
        options: Options = self.doc(name).get("options", {})
        validator = ArgumentSpecValidator({key: _spec(option, arguments.get(key)) for key, option in options.items()})
        return [f"{name}: {message}" for message in validator.validate(arguments).error_messages]


def is_template(value: object) -> bool:
    """Whether Ansible makes the value out of a template."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _spec(option: t.Mapping[str, t.Any], value: object) -> dict[str, t.Any]:
    if is_template(value):
        return {"type": "raw", "required": option.get("required", False)}
    spec = {key: option[key] for key in _KEYS if key in option}
    if "suboptions" in option:
        given = value if isinstance(value, dict) else {}
        spec["options"] = {key: _spec(sub, given.get(key)) for key, sub in option["suboptions"].items()}
    # Not of texts alone: an element may be a template as well.
    if isinstance(value, list) and any(is_template(item) for item in value):
        spec.pop("choices", None)
    return spec
