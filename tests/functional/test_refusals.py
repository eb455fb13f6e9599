"""Arguments that make no sense, in every module: refused before the first request."""

from __future__ import annotations

import itertools
import math
import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import ID, WORKLOAD
from .running import Run

# Each module, the option that names objects, an id for it, and what else the module needs.
MODULES: t.Mapping[str, tuple[str, str, dict[str, t.Any]]] = {
    "risky_user": ("users", ID["adele"], {"state": "dismissed"}),
    "risky_user_info": ("users", ID["adele"], {}),
    "risk_detection_info": ("users", ID["adele"], {}),
    "service_principal_risk_detection_info": ("service_principals", WORKLOAD["export"], {}),
    "risky_service_principal": ("service_principals", WORKLOAD["export"], {"state": "dismissed"}),
    "risky_service_principal_info": ("service_principals", WORKLOAD["export"], {}),
}
WRITING = ("risky_user", "risky_service_principal")
READING = tuple(name for name in MODULES if name not in WRITING)
each = pytest.mark.parametrize("module", MODULES)

Case = tuple[dict[str, t.Any], str]
# `ids` stands for the option that names objects. What AnsibleModule refuses by itself.
ARGUMENTS: t.Mapping[tuple[str, ...], t.Sequence[Case]] = {
    tuple(MODULES): (
        ({"filters": {"risk_level": ["High"]}}, "High"),
        ({"filters": {"riskLevel": ["high"]}}, "riskLevel"),
        ({"idz": []}, "idz"),
        ({"filters": "x"}, "dict"),
        ({"filters": {"risk_level": []}}, "empty list"),
        ({"filters": {"risk_state": []}}, "empty list"),
        ({"filters": {"risk_state": ["atrisk"]}}, "atrisk"),
    ),
    WRITING: (
        ({}, "neither"),
        ({"ids": None}, "neither"),
        ({"ids": [], "filters": {}, "max_changes": 1}, "both"),
        ({"filters": {}}, "max_changes"),
        ({"filters": {}, "max_changes": None}, "max_changes"),
        ({"filters": {}, "max_changes": -1}, "max_changes"),
        ({"ids": [], "max_changes": -1}, "max_changes"),
        ({"ids": [], "wait_timeout": 0}, "wait_timeout is 0; it must be 1 second or more."),
        ({"ids": [], "max_changes": "many"}, "max_changes"),
        ({"ids": [], "max_changes": math.nan}, "infinite, not a number"),
        ({"ids": [], "state": "gone"}, "value of state must be one of"),
        ({"ids": [], "state": ["dismissed"]}, "state"),
        ({"ids": [], "return_users": "none"}, "must be one of"),
        ({"filters": {"updated_before": "90 days"}}, "updated_before"),
        ({"filters": {"updated_after": "2026-01-31T00:00:00"}}, "updated_after"),
        ({"if_unmodified_since": math.inf}, "infinite, not a number"),
        ({"if_unmodified_since": "yesterday"}, "if_unmodified_since"),
        ({"if_unmodified_since": "2026-01-30T22:41:07"}, "if_unmodified_since"),
    ),
    READING: (({"limit": 0}, "limit is 0"),),
    ("risky_user_info", "risky_service_principal_info"): (
        ({"ids": [], "filters": {}}, "not both"),
        ({"filters": {"updated_after": "yesterday"}}, "updated_after"),
    ),
    ("risk_detection_info", "service_principal_risk_detection_info"): (
        ({"filters": {"risk_event_type": []}}, "risk_event_type is an empty list"),
        ({"filters": {"risk_event_type": ["leakedCredentials", " "]}}, "blank entry"),
        ({"filters": {"detected_after": "1d", "detected_before": "2d"}}, "not earlier"),
        ({"include_history": True}, "include_history"),
    ),
    ("risky_user",): (({"ids": [], "user": ["x"]}, "names of one option"),),
    ("risky_service_principal",): (
        ({"ids": [], "state": "safe"}, "value of state must be one of"),
        ({"users": []}, "users"),
        ({"filters": {}}, "max_changes is required: the number of service principals"),
        ({}, "exactly one of service_principals and filters"),
    ),
    ("risky_service_principal_info",): (({"ids": [], "filters": {}}, "service_principals or filters"),),
}
REFUSED = [(module, *case) for modules, cases in ARGUMENTS.items() for module in modules for case in cases]


def arguments(module: str, given: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    """What a task gives (one id if nothing is said), with the module's own word for the ids."""
    key, an_id, needed = MODULES[module]
    args = {**needed, **({"ids": [an_id]} if given is None else given)}
    if module in WRITING and args.get("filters"):
        args.setdefault("max_changes", 1)
    if "if_unmodified_since" in args:
        args["ids"] = [an_id]
    return {key if name == "ids" else name: value for name, value in args.items()}


@pytest.mark.parametrize(
    ("module", "given", "words"), REFUSED, ids=[f"{module} {given}" for module, given, _w in REFUSED]
)
def test_refuses_what_makes_no_sense(
    tenant: Tenant, run: Run, module: str, given: dict[str, t.Any], words: str
) -> None:
    ended = run(module, **arguments(module, given))
    assert ended.kind == "request" and words in ended.msg, ended.msg
    assert ended.journal == []
    if module in WRITING:
        # A state that is none is not repeated.
        assert ended.result["state"] == (None if "state" in given else "dismissed")


# A value that is neither an object ID nor a user principal name; for service principals, names are none either.
MALFORMED = ["adele", "04487ee0-f4f6-4e7f-8999-facc5a30e23", "", "emergency-access"]
NAMED = [("risky_service_principal", "adele.vance@contoso.example")]


@pytest.mark.parametrize(("module", "value"), [*itertools.product(MODULES, MALFORMED), *NAMED])
def test_refuses_a_value_that_is_nobody(tenant: Tenant, run: Run, module: str, value: str) -> None:
    key, an_id, dummy = MODULES[module]
    # Told before a missing credential, too.
    ended = run(module, **arguments(module, {"ids": [an_id, value]}), access_token=None)
    assert ended.kind in ("users", "request") and ended.journal == []
    assert f"{key}: " in ended.msg and value in ended.msg
    if module in WRITING:
        ended = run(module, **arguments(module), **{f"exclude_{key}": [value]})
        assert ended.kind in ("users", "request") and ended.journal == []
        assert f"exclude_{key}: " in ended.msg and value in ended.msg


@each
def test_nobody_needs_neither_request_nor_credential(tenant: Tenant, run: Run, module: str) -> None:
    ended = run(module, **arguments(module, {"ids": []}), access_token=None, diff=True)
    assert not ended.failed and not ended.changed and ended.entries == [] and ended.journal == []
    assert ended.result["evaluated_at"] is None
    counts = {"sent": 0, "retried": 0, "throttled": 0, "waited_seconds": 0, "write_request_ids": []}
    assert ended.result["requests"] == counts
    if module in WRITING:
        assert ended.result["summary"] == {"changed": 0, "unchanged": 0, "skipped": 0, "failed": 0}
        assert ended.result["diff"] == {"before": {}, "after": {}}


EMPTY = ("api_version", "timeout", "retry_timeout", "validate_certs", "tenant", "tenant_id", "secret")


@pytest.mark.parametrize(
    "nothing", [dict.fromkeys(EMPTY), dict.fromkeys(EMPTY, ""), {"filters": None}], ids=["null", "empty", "filters"]
)
@each
def test_what_is_null_or_empty_counts_as_not_given(
    tenant: Tenant, run: Run, module: str, nothing: dict[str, t.Any]
) -> None:
    key = MODULES[module][0]
    add = tenant.add_user if key == "users" else tenant.add_service_principal
    anybody = add("anna@contoso.example").id
    of_writes = dict.fromkeys(("wait", "wait_timeout", "return_users") if module == "risky_user" else ())
    ended = run(module, **arguments(module, {"ids": [anybody], **nothing, **of_writes}))
    assert not ended.failed and ended.written == ([anybody] if module in WRITING else []), ended.msg


@pytest.mark.parametrize("option", ["user", "user_ids", "service_principal", "service_principal_ids"])
@each
def test_takes_the_other_names_of_its_option_only(tenant: Tenant, run: Run, module: str, option: str) -> None:
    key, an_id, dummy = MODULES[module]
    ended = run(module, **arguments(module, {option: an_id.upper()}))
    if option.startswith(key[:4]):
        assert not ended.failed and len(ended.graph) > 0
    else:
        assert ended.kind == "request" and option in ended.msg
