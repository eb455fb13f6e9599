"""Many users, and a service in trouble."""

from __future__ import annotations

import pytest

from ..entra_emulator.tenant import Tenant
from .clock import FastClock
from .people import ids
from .running import Ended, Options, Run


def writes(ended: Ended) -> list[list[str]]:
    """The ids of each write that took effect."""
    return [entry["written"] for entry in ended.journal if entry["written"]]


def test_keeps_to_one_request_a_second(tenant: Tenant, run: Run, clock: FastClock) -> None:
    tenant.switches.rate_limit = 1
    users = tenant.add_users(130)
    ended = run("risky_user", state="dismissed", users=users)
    counts = ended.result["requests"]
    assert ended.result["summary"]["changed"] == 130
    assert [len(chunk) for chunk in writes(ended)] == [60, 60, 10]
    assert 1 <= counts["throttled"] == counts["retried"] <= 3
    assert counts["sent"] == len(ended.graph)
    assert counts["waited_seconds"] == pytest.approx(sum(clock.sleeps), abs=0.01) and 2 <= sum(clock.sleeps) <= 15


@pytest.mark.parametrize(("status", "kind"), [(401, "login"), (403, "permission"), (429, "throttled")])
def test_tells_who_was_written_to_where_the_work_stops(tenant: Tenant, run: Run, status: int, kind: str) -> None:
    users = tenant.add_users(125)
    why = "the requests were throttled until the deadline" if status == 429 else "the task stopped first"
    tenant.add_fault(method="POST", path="/dismiss$", nth=list(range(2, 100)), status=status)
    ended = run("risky_user", state="dismissed", users=users, retry_timeout=2, diff=True)
    error = ended.result["error"]
    assert (error["kind"], error["status"], ended.changed) == (kind, status, True)
    assert error["request_id"]
    assert writes(ended) == [users[:60]]
    assert ended.result["summary"] == {"changed": 60, "unchanged": 0, "skipped": 0, "failed": 65}
    assert ended.outcomes == ["changed"] * 60 + ["failed"] * 65
    for entry in ended.entries[60:]:
        assert entry["message"] == f"Not written: {why} (error kind {kind})."
        assert entry["after"]["risk_state"] == "atRisk"
    assert len(ended.result["diff"]["before"]) == 60
    counts = ended.result["requests"]
    assert len(counts["write_request_ids"]) == 1
    assert counts["throttled"] == (counts["retried"] + 1 if kind == "throttled" else 0)


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "POST", "drop": "before"},
        {"method": "POST", "drop": "after"},
        {"method": "POST", "status": 500, "effect": True},
        {"method": "POST", "status": 503, "headers": {"Retry-After": "7"}, "body": "<html>Come back later</html>"},
        {"method": "GET", "status": 500, "body": "<html>Something went wrong</html>"},
        {"method": "GET", "cut": True},
    ],
    ids=str,
)
def test_gets_over_what_passes_and_writes_to_nobody_twice(people: Tenant, run: Run, fault: Options) -> None:
    people.add_fault(listener="graph", times=1, **fault)
    ended = run("risky_user", state="dismissed", users=ids("adele", "alex"))
    assert ended.outcomes == ["changed", "changed"]
    assert writes(ended) == [ids("adele", "alex")]
    counts = ended.result["requests"]
    assert counts["sent"] == len(ended.graph)
    assert counts["waited_seconds"] >= (7 if "headers" in fault else 0.1)


ELSEWHERE = "https://graph.contoso.example/v1.0/identityProtection/riskyUsers?$skiptoken=1"


@pytest.mark.parametrize(
    ("fault", "status", "decided"),
    [
        ({"method": "POST", "redirect": ELSEWHERE}, 307, 4),
        ({"method": "GET", "status": 302, "redirect": ELSEWHERE}, 302, 0),
        ({"method": "GET", "next_link": ELSEWHERE}, 200, 0),
    ],
    ids=["redirected write", "redirected list", "list that goes on elsewhere"],
)
def test_sends_the_token_nowhere_else(tenant: Tenant, run: Run, fault: Options, status: int, decided: int) -> None:
    tenant.add_users(4)
    tenant.switches.page_size = 2
    tenant.add_fault(listener="graph", **fault)
    ended = run("risky_user", state="dismissed", filters={}, max_changes=10)
    assert (ended.kind, ended.result["error"]["status"]) == ("service", status)
    assert "graph.contoso.example" in ended.msg
    assert not ended.changed and ended.written == [] and ended.result["requests"]["retried"] == 0
    assert ended.result["summary"]["failed"] == decided


@pytest.mark.parametrize("module", ["risky_user", "risky_service_principal"])
def test_exceptions_keep_the_whole_result_small(tenant: Tenant, run: Run, module: str) -> None:
    key, add = {
        "risky_user": ("users", tenant.add_users),
        "risky_service_principal": ("service_principals", tenant.add_service_principals),
    }[module]
    ended = run(module, state="dismissed", **{key: add(600)}, return_users="exceptions", wait=True)
    assert ended.result["summary"]["changed"] == 600 and ended.result["verified"] is True
    assert ended.entries == [] and len(ended.output) < 10_000
