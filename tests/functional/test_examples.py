"""The examples of the modules run as they stand. Those of the guides run in the integration target `documentation`."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.nativetypes import NativeEnvironment

from ..entra_emulator.tenant import Tenant
from .people import WORKLOAD
from .running import Ended, Run, load
from .test_refusals import MODULES

PREFIX = "identityops.entra_risk."
OLD = {"risk_level": "low", "risk_last_updated": "2024-01-31T00:00:00Z"}


@pytest.fixture
def documented(tenant: Tenant) -> Tenant:
    """Everybody whom the examples name, and some whom they choose by their risk."""
    for name in ("adele.vance", "megan.bowen", "alex.wilber"):
        tenant.add_user(f"{name}@contoso.example")
        tenant.add_detection(f"{name}@contoso.example", risk_level="high", risk_event_type="leakedCredentials")
    tenant.add_user("somebody@contoso.example", id="04487ee0-f4f6-4e7f-8999-facc5a30e232")
    tenant.add_user("old.risk@contoso.example", **OLD)  # type: ignore[arg-type]  # texts, all of them
    tenant.add_service_principal("nightly-export", id="9089a539-a539-9089-39a5-899039a58990")
    tenant.add_service_principal("pipeline", id=WORKLOAD["pipeline"])
    tenant.add_service_principal("old-export", **OLD)  # type: ignore[arg-type]  # texts, all of them
    return tenant


@pytest.mark.parametrize("module", [*MODULES, "user_sessions"])
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
    assert any(ended.changed or ended.result.get("count") for ended in done)
    assert module.endswith("_info") or any(ended.written for ended in done)


def _rendered(value: t.Any, variables: t.Mapping[str, t.Any]) -> t.Any:
    """The value with its templates filled in; what is not defined is an error."""
    if isinstance(value, dict):
        return {key: _rendered(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, variables) for item in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    return NativeEnvironment(undefined=StrictUndefined).from_string(value).render(**variables)
