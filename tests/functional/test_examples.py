"""The examples of the modules run as they stand, those of the guides in the integration target `documentation`."""

from __future__ import annotations

import re
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from jinja2 import StrictUndefined
from jinja2.nativetypes import NativeEnvironment

from ansible_collections.identityops.entra_risk.plugins.module_utils._login.options import argument_spec

from ..entra_emulator.tenant import Tenant
from .people import WORKLOAD
from .running import Ended, Run, load
from .test_refusals import MODULES

PREFIX = "identityops.entra_risk."
ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("[CRS]*.md"), *ROOT.glob("docs/docsite/rst/*.rst")])
YAML = re.compile(r"(?ms)^```yaml\n(.*?)^```|^\.\. code-block:: yaml(?:\+jinja)?\n\n((?:(?: {2,}[^\n]*)?\n)+)")
OLD = {"risk_level": "low", "risk_last_updated": "2024-01-31T00:00:00Z"}


@pytest.fixture
def documented(tenant: Tenant) -> Tenant:
    """Everybody whom the examples name, and some whom they choose by their risk."""
    for name in ("adele.vance", "megan.bowen", "alex.wilber"):
        tenant.add_user(f"{name}@contoso.example")
        tenant.add_detection(f"{name}@contoso.example", risk_level="high", risk_event_type="leakedCredentials")
    tenant.add_user("somebody@contoso.example", id="04487ee0-f4f6-4e7f-8999-facc5a30e232")
    tenant.add_user("old.risk@contoso.example", **OLD)
    tenant.add_group(["somebody@contoso.example"], id="5d3e7c10-3c5a-4d0e-9a4b-2f6f0a1b2c3d")
    tenant.add_service_principal("nightly-export", id="9089a539-a539-9089-39a5-899039a58990")
    tenant.add_service_principal_detection("9089a539-a539-9089-39a5-899039a58990", risk_event_type="leakedCredentials")
    tenant.add_service_principal("pipeline", id=WORKLOAD["pipeline"])
    tenant.add_service_principal("old-export", **OLD)
    return tenant


@pytest.mark.parametrize("module", [*MODULES, "user_sessions", "access_info"])
def test_examples_do_what_they_say(documented: Tenant, run: Run, module: str) -> None:
    registered: dict[str, t.Any] = {}
    done: list[Ended] = []
    for task in yaml.safe_load(load(module).EXAMPLES):
        names = [key.removeprefix(PREFIX) for key in task if key.startswith(PREFIX)]
        if not names:
            # What is made of the result: the items are there, and have what is shown.
            items = _rendered(task["loop"], registered)
            assert items and all(_rendered(task["ansible.builtin.debug"], {"item": item}) for item in items)
            continue
        args = _rendered(task[PREFIX + names[0]] or {}, registered)
        ended = run(names[0], **args, check=task.get("check_mode", False))
        assert not ended.failed, f"{task['name']}: {ended.msg}"
        registered[task.get("register", "")] = ended.result
        done.append(ended)
    assert any(ended.changed or ended.result.get("count") or ended.result.get("ok") for ended in done)
    assert module.endswith("_info") or any(ended.written for ended in done)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_guides_use_only_what_exists(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules, options and choices in tasks; plugins, playbooks, their variables and our files in all of the text."""
    text = document.read_text(encoding="utf-8")
    for task in (
        task for found in YAML.findall(text) for task in _tasks(yaml.safe_load(textwrap.dedent("".join(found))))
    ):
        for name in (key.removeprefix(PREFIX) for key in task if key.startswith(PREFIX)):
            _check({**argument_spec(), **_own_spec(name, monkeypatch)}, task[PREFIX + name])
        _check(argument_spec(), task.get("module_defaults", {}).get(f"group/{PREFIX}all"))
    plugins = {
        path.stem
        for folder in ("plugins/modules", "playbooks", "extensions/eda")
        for path in ROOT.glob(f"{folder}/**/*.*")
    }
    links = re.findall(r"identityops/entra_risk/(?:blob|tree)?/?main/([^)>`#\s]+)", text)
    assert [path for path in links if not (ROOT / path).exists()] == []
    named = set(re.findall(rf"(?<!ansible_collections\.){re.escape(PREFIX)}(\w+)", text))
    assert named - plugins - {"all"} == set()
    folders = ("playbooks/**/*.*", "docs/examples/**/*.yml", "extensions/eda/rulebooks/*.yml")
    sources = "".join(path.read_text(encoding="utf-8") for folder in folders for path in ROOT.glob(folder))
    assert set(re.findall(r"entra_risk_\w+", text)) - set(re.findall(r"entra_risk_\w+", sources)) == set()


def _tasks(items: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """The tasks, and the plays and blocks that hold them."""
    for item in items if isinstance(items, list) else ():
        yield item
        for key in ("tasks", "block", "rescue", "always"):
            yield from _tasks(item.get(key))


def _own_spec(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    """The options of a module besides those of the connection."""
    specs: list[dict[str, t.Any]] = []
    module = load(name)
    monkeypatch.setattr(module, "run_module", lambda spec, *dummy, **more: specs.append(spec))
    module.main()
    return specs[0]


def _check(spec: dict[str, t.Any], args: dict[str, t.Any] | None) -> None:
    """What ansible-core would refuse, but for values that only a template gives."""
    # ansible-core 2.16 does not repeat the value that it refuses.
    given = {name: value for name, value in (args or {}).items() if not (isinstance(value, str) and "{{" in value)}
    messages = ArgumentSpecValidator(spec).validate(given).error_messages
    assert [message for message in messages if "{{" not in message and "required" not in message] == []


def _rendered(value: t.Any, variables: t.Mapping[str, t.Any]) -> t.Any:
    """The value with its templates filled in; what is not defined is an error."""
    if isinstance(value, dict):
        return {key: _rendered(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, variables) for item in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    return NativeEnvironment(undefined=StrictUndefined).from_string(value).render(**variables)
