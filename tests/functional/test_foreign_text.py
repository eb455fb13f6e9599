"""What the service and the task say is data: it reaches a result whole, and a message only in a form that is safe."""

from __future__ import annotations

import json
import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from . import conftest
from .running import Ended, Run

# A display name that was cut inside an emoji, one that forges a line of Ansible's output, and one that hides.
LONE = "Jörg \ud83d"
FORGED = "x\r\nok: [localhost] => all is well\x1b[2K\x1b[1A\u202e\u200b\x9b31m\u2028"
TOKENS = ("\n", "\r", "\x1b", "\x9b", "\u202e", "\u200b", "\u2028")


def encodable(ended: Ended) -> None:
    """What ansible-core does with a result on its way to the controller."""
    json.dumps(ended.result, ensure_ascii=False).encode()


def people_read(ended: Ended) -> list[str]:
    texts = [ended.msg, *ended.warnings, *(str(value) for value in ended.result.get("error", {}).values())]
    return texts + [str(entry["message"]) for entry in ended.entries if entry.get("message")]


def safe(ended: Ended) -> None:
    encodable(ended)
    for text in people_read(ended):
        assert text.isprintable(), ascii(text)


def answer_list(tenant: Tenant, more: str) -> None:
    """Graph's list is one active user, with these properties besides."""
    user = tenant.add_user("anna@contoso.example").id
    body = f'{{"value": [{{"id": "{user}", "riskState": "atRisk", "riskLevel": "high", {more}}}]}}'
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    tenant.add_fault(method="GET", path="riskyUsers", raw=f"{head}Content-Length: {len(body)}\r\n\r\n{body}")


@pytest.fixture
def more_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    """Properties that are newer than the documentation are returned too, so it is not compared."""
    monkeypatch.setattr(conftest, "check_ending", lambda *dummy, **dummy2: None)


@pytest.mark.usefixtures("more_properties")
@pytest.mark.parametrize("where", ["userDisplayName", "riskDetail", "aNew\udfffProperty", "nested"])
def test_a_lone_surrogate_costs_nobody_the_result(tenant: Tenant, run: Run, where: str) -> None:
    more = {where: {"deep": [LONE], LONE: 1} if where == "nested" else LONE}
    answer_list(tenant, json.dumps(more)[1:-1])
    ended = run("risky_user_info")
    encodable(ended)
    assert not ended.failed and "Jörg \ufffd" in json.dumps(ended.entries, ensure_ascii=False)


def test_a_lone_surrogate_in_a_name_does_not_hide_what_was_written(tenant: Tenant, run: Run) -> None:
    app = tenant.add_service_principal(LONE).id
    ended = run("risky_service_principal", state="compromised", service_principals=[app], diff=True)
    encodable(ended)
    assert ended.changed and ended.written == [app]
    assert ended.entries[0]["display_name"] == "Jörg \ufffd"
    assert [*ended.result["diff"]["before"]] == ["Jörg \ufffd"]


@pytest.mark.parametrize("module", ["risky_user", "risky_service_principal"])
def test_a_name_cannot_forge_a_line_or_steer_a_terminal(tenant: Tenant, run: Run, module: str) -> None:
    add = tenant.add_user if module == "risky_user" else tenant.add_service_principal
    key = {"risky_user": "users", "risky_service_principal": "service_principals"}[module]
    tenant.switches.reject_ids = [add(FORGED, id="11111111-0000-4000-8000-000000000000").id]
    ended = run(module, state="dismissed", diff=True, **{key: tenant.switches.reject_ids})
    assert ended.failed and ended.outcomes == ["failed rejected"]
    safe(ended)
    # Values keep it: there it is data, which Ansible encodes.
    assert FORGED in ended.entries[0].values()


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 400, "code": FORGED, "message": FORGED},
        {"status": 403, "code": LONE, "message": LONE},
        {"status": 429, "code": "x" * 5000, "message": "y" * 500_000},
        {"status": 500, "body": {"error": {"code": "c", "message": "m", "innerError": {"request-id": FORGED}}}},
        {"status": 307, "redirect": "https://evil\x1b[2K\u202e.example/"},
        {"next_link": "https://evil\x1b[2K\u202e.example/"},
        {"raw": "HTTP/1.1 400 x\r\nrequest-id: a\x1b[2Kb\x9b\xadc\r\nContent-Length: 0\r\n\r\n"},
        {"raw": "HTTP/1.1 500 x\r\nrequest-id: " + "r" * 9000 + "\r\nContent-Length: 0\r\n\r\n"},
        {"raw": "HTTP/1.1 400 \x1b[2K\r\nLocation: \x1b[2K\r\nContent-Length: 0\r\n\r\n"},
    ],
    ids=lambda fault: ascii(fault)[:60],
)
def test_an_error_of_the_service_is_told_in_plain_text(tenant: Tenant, run: Run, fault: dict[str, t.Any]) -> None:
    tenant.add_user("anna@contoso.example")
    tenant.add_fault(listener="graph", **fault)
    ended = run("risky_user_info", retry_timeout=1)
    assert ended.failed
    safe(ended)
    assert len(ended.msg) < 1200
    assert all(len(str(value)) <= 300 for value in ended.result["error"].values())


def test_the_request_id_of_a_write_is_told_in_plain_text(tenant: Tenant, run: Run) -> None:
    user = tenant.add_user("anna@contoso.example").id
    tenant.add_fault(method="POST", raw="HTTP/1.1 204 x\r\nrequest-id: a\x1b[2Kb\r\n\r\n", effect=True)
    ended = run("risky_user", state="dismissed", users=[user])
    assert ended.result["requests"]["write_request_ids"] == ["a\ufffd[2Kb"]


@pytest.mark.parametrize("value", [FORGED, LONE, "x" * 100_000])
@pytest.mark.parametrize("option", ["users", "if_unmodified_since", "state", "no_such_option", None])
def test_a_value_of_the_task_is_repeated_in_plain_text(
    tenant: Tenant, run: Run, option: str | None, value: str
) -> None:
    args = {"state": "dismissed", "users": ["11111111-0000-4000-8000-000000000000"], option or value: value}
    ended = run("risky_user", **args)
    assert ended.failed
    safe(ended)
    assert len(ended.msg) <= 10_100


@pytest.mark.usefixtures("more_properties")
@pytest.mark.parametrize("levels", [100, 400, 900])
def test_deep_nesting_leaves_a_result_that_says_so(tenant: Tenant, run: Run, levels: int) -> None:
    answer_list(tenant, f'"more": {"[" * levels}1{"]" * levels}')
    ended = run("risky_user_info")
    assert not ended.failed and ended.result["count"] == 1, ended.msg
    assert "nested too deeply" in json.dumps(ended.entries)
    assert any("left out of the result: 1" in warning for warning in ended.warnings)


@pytest.mark.usefixtures("more_properties")
@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 400, "1e999", "NaN", "-Infinity"])
def test_a_number_that_nobody_can_carry_costs_nobody_the_result(tenant: Tenant, run: Run, number: str) -> None:
    answer_list(tenant, f'"more": {number}')
    ended = run("risky_user_info")
    assert not ended.failed and ended.entries[0]["more"] is None, ended.msg
    assert any("left out of the result: 1" in warning for warning in ended.warnings)
