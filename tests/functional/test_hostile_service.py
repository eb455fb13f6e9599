"""Answers that no honest service gives: nothing of them becomes a wrong write, a lie, or a task without an end."""

from __future__ import annotations

import gzip
import json
import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .running import Run

_OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_BOMB = gzip.compress(bytes(40 * 1024 * 1024)).decode("latin-1")

# Bytes that a server may send. None of them is an answer that can be understood.
ODD_ANSWERS: t.Mapping[str, str] = {
    "nothing": "\r\n\r\n",
    "no status line": "hello\r\n\r\n",
    "a status that is no number": "HTTP/1.1 OK\r\n\r\n",
    "a status of nine digits": "HTTP/1.1 200000000 OK\r\n\r\n",
    "two lengths": "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "two lengths, a body": f'{_OK}Content-Length: 2\r\nContent-Length: 20\r\n\r\n{{"value": []}}',
    "a body that is cut": f'{_OK}Content-Length: 500\r\n\r\n{{"value": []}}',
    "no body": f"{_OK}Content-Length: 500\r\n\r\n",
    "a chunk without a size": f"{_OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{{}}\r\n0\r\n\r\n",
    "a chunk that is cut": f"{_OK}Transfer-Encoding: chunked\r\n\r\nff\r\n{{}}",
    "a chunk of less than nothing": f"{_OK}Transfer-Encoding: chunked\r\n\r\n-5\r\n{{}}\r\n0\r\n\r\n",
    "gzip that is none": f"{_OK}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "gzip that is cut": f"{_OK}Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n{_BOMB[:9]}",
    "a gzip bomb": f"{_OK}Content-Encoding: gzip\r\nContent-Length: {len(_BOMB)}\r\n\r\n{_BOMB}",
    "an encoding that nobody asked for": f"{_OK}Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{{}}",
    "a header without an end": f"{_OK}X: {'x' * 70_000}",
    "a header without a colon": "HTTP/1.1 200 OK\r\nthis is no header\r\n\r\n",
    "too many headers": _OK + "".join(f"X-{number}: x\r\n" for number in range(200)) + "\r\n",
    "text": f"{_OK}Content-Length: 5\r\n\r\nhello",
    "a list": f"{_OK}Content-Length: 2\r\n\r\n[]",
    "a number": f"{_OK}Content-Length: 1\r\n\r\n7",
    "nesting without an end": f"{_OK}Content-Length: 100000\r\n\r\n{'[' * 100_000}",
    "bytes that are no text": f"{_OK}Content-Length: 4\r\n\r\n\xff\xfe\x00\xd8",
    "202 with a page": "HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
    "a gateway's 502": "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
    "a gateway's 503": "HTTP/1.1 503 Unavailable\r\nContent-Length: 3\r\n\r\nbad",
    "a gateway's 429": "HTTP/1.1 429 Slow\r\nContent-Length: 4\r\n\r\nslow",
}
# It would be a refusal of a write if Graph gave it.
GATEWAY = {"a gateway's 404": "HTTP/1.1 404 x\r\nContent-Length: 13\r\n\r\nno such thing"}


def _is_legible(text: str) -> bool:
    return text.isprintable() and len(text) < 1500


@pytest.mark.parametrize("effect", [True, False], ids=["carried out", "not carried out"])
@pytest.mark.parametrize("odd", [*ODD_ANSWERS, *GATEWAY])
def test_a_write_with_an_odd_answer_is_read_back(tenant: Tenant, run: Run, odd: str, effect: bool) -> None:
    user = tenant.add_user("anna@contoso.example").id
    tenant.add_fault(method="POST", path="dismiss", times=1, raw={**ODD_ANSWERS, **GATEWAY}[odd], effect=effect)
    ended = run("risky_user", state="dismissed", users=[user])
    assert not ended.failed, ended.msg
    assert ended.changed and ended.outcomes == ["changed"]
    assert ended.written == [user]


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_a_write_that_nobody_can_read_back_is_not_told_as_not_written(tenant: Tenant, run: Run, odd: str) -> None:
    user = tenant.add_user("anna@contoso.example").id
    tenant.add_fault(method="POST", path="dismiss", raw=ODD_ANSWERS[odd])
    tenant.add_fault(method="GET", path="risk", nth=list(range(2, 99)), raw=ODD_ANSWERS[odd])
    ended = run("risky_user", state="dismissed", users=[user], retry_timeout=60)
    assert ended.failed and ended.outcomes == ["failed pending"], ended.msg
    assert "not known" in ended.msg and "Nothing was written" not in ended.msg
    assert "not known" in ended.entries[0]["message"]
    assert _is_legible(ended.msg), ended.msg


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_an_odd_answer_to_a_list_or_a_login_is_an_error_with_a_cause(
    tenant: Tenant, run: Run, login: dict[str, t.Any], odd: str
) -> None:
    tenant.add_user("anna@contoso.example")
    tenant.add_fault(method="GET", path="riskyUsers", times=1, raw=ODD_ANSWERS[odd])
    ended = run("risky_user_info")
    if odd == "202 with a page":
        # Clear enough not to be asked again.
        assert ended.kind == "service"
    else:
        assert not ended.failed and ended.result["count"] == 1, ended.msg
    for fault, options in (({"method": "GET", "path": "riskyUsers"}, {}), ({"listener": "login"}, login)):
        tenant.add_fault(**fault, raw=ODD_ANSWERS[odd])
        ended = run("risky_user_info", **options, retry_timeout=5)
        assert ended.failed and ended.kind in ("network", "service", "throttled", "login"), ended.msg
        assert _is_legible(ended.msg), ended.msg


@pytest.mark.parametrize("gateway", [True, False])
def test_a_write_is_read_back_even_where_there_is_no_time_for_another(tenant: Tenant, run: Run, gateway: bool) -> None:
    user = tenant.add_user("anna@contoso.example").id
    late = {"Retry-After": "100"}
    tenant.add_fault(method="POST", path="dismiss", status=504, effect=True, gateway=gateway, headers=late)
    ended = run("risky_user", state="dismissed", users=[user], retry_timeout=10)
    assert not ended.failed and ended.outcomes == ["changed"] and ended.written == [user], ended.msg


# A gateway's word is not Graph's


@pytest.mark.parametrize("module", ["risky_user", "risky_user_info"])
def test_a_404_of_a_gateway_is_a_failure_of_the_service(tenant: Tenant, run: Run, module: str) -> None:
    user = tenant.add_user("anna@contoso.example").id
    tenant.add_fault(method="GET", path="riskyUsers/", status=404, gateway=True, body={"error": {"code": 404}})
    ended = run(module, users=[user], **({"state": "dismissed"} if module == "risky_user" else {}))
    assert ended.kind == "service" and "instead of Graph's answer" in ended.msg, ended.result
    assert ended.written == []


def test_a_404_of_a_gateway_after_a_write_verifies_nothing(tenant: Tenant, run: Run) -> None:
    tenant.switches.stuck_ids = [tenant.add_user("anna@contoso.example").id]
    tenant.add_fault(method="GET", path="riskyUsers/", nth=list(range(2, 999)), status=404, gateway=True, body="gone")
    ended = run("risky_user", state="dismissed", users=tenant.switches.stuck_ids, wait=True)
    assert ended.failed and ended.outcomes == ["failed pending"]
    assert ended.result["verified"] is False


# Byte order marks


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_list_is_read_over_a_byte_order_mark(tenant: Tenant, run: Run, encoding: str) -> None:
    user = tenant.add_user("anna@contoso.example").id
    page = json.dumps({"value": [{"id": user, "riskState": "atRisk", "userPrincipalName": "ännä@contoso.example"}]})
    body = page.encode(encoding).decode("latin-1")
    tenant.add_fault(method="GET", path="riskyUsers", raw=f"{_OK}Content-Length: {len(body)}\r\n\r\n{body}")
    ended = run("risky_user_info")
    assert [entry["user_principal_name"] for entry in ended.entries] == ["ännä@contoso.example"]


def test_errors_and_logins_are_read_over_a_byte_order_mark(tenant: Tenant, run: Run, login: dict[str, t.Any]) -> None:
    tenant.add_identity()
    tenant.switches.licensed = False
    tenant.add_fault(bom=True)
    for options in (login, {"access_token": None, "auth_source": "msi"}):
        ended = run("risky_user_info", **options, env={"AZURE_POD_IDENTITY_AUTHORITY_HOST": tenant.machine_url})
        assert ended.kind == "license", ended.msg


def test_a_url_that_is_too_long_for_a_server_stops_nobody_else(tenant: Tenant, run: Run) -> None:
    tenant.add_fault(method="GET", path="filter=id eq", status=414, gateway=True, body="<html>URI Too Long</html>")
    tenant.switches.page_size = 1
    users = [tenant.add_user(f"user{number}@contoso.example").id for number in range(5)]
    ended = run("risky_user", state="dismissed", users=users[:3])
    assert ended.outcomes == ["changed"] * 3, ended.msg
