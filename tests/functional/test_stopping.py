"""Signals, and a result that nobody reads: no write after them, and the account of what was written is whole."""

from __future__ import annotations

import os
import signal
import threading
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _interruption, _module

from ..entra_emulator.tenant import Tenant
from .clock import FastClock
from .running import Ended, Run


def written(tenant: Tenant) -> bool:
    return any(entry["written"] for entry in tenant.journal.entries)


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
AfterSleeps = t.Callable[[t.Callable[[], None]], None]


@pytest.fixture
def after_sleeps(clock: FastClock, monkeypatch: pytest.MonkeyPatch) -> AfterSleeps:
    """Let something happen after each sleep of the collection."""
    sleep = clock.sleep

    def install(happens: t.Callable[[], None]) -> None:
        def interrupted(seconds: float) -> None:
            sleep(seconds)
            happens()

        monkeypatch.setattr(clock, "sleep", interrupted)
        clock.install(monkeypatch)

    return install


def stop(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def check_account(ended: Ended, asked: int, done: int = 60) -> None:
    """The result says of each user what became of it in the tenant, where the first ones were written to."""
    assert ended.failed and ended.kind == "service" and "Run it again" in ended.msg, ended.msg
    assert len(ended.written) == done and ended.changed
    assert ended.result["summary"] == {"changed": done, "unchanged": 0, "skipped": 0, "failed": asked - done}
    for entry in ended.entries:
        assert (entry["outcome"] == "changed") is (entry["id"] in ended.written)
        if entry["outcome"] == "failed":
            assert entry["reason"] is None and "Not written" in entry["message"]


@pytest.mark.parametrize(
    ("number", "module", "done"),
    [*((number, "risky_user", 60) for number in SIGNALS), (signal.SIGTERM, "user_sessions", 20)],
)
def test_a_signal_during_a_pause_ends_the_work_with_its_result(
    tenant: Tenant, run: Run, after_sleeps: AfterSleeps, number: signal.Signals, module: str, done: int
) -> None:
    users = tenant.add_users(200)
    tenant.add_fault(path="dismiss|batch", nth=2, status=429)
    after_sleeps(lambda: stop(number) if written(tenant) else None)
    ended = run(module, users=users, **({"state": "dismissed"} if module == "risky_user" else {}))
    check_account(ended, 200, done)
    assert number.name in ended.msg


def test_a_signal_during_a_write_waits_for_its_answer(tenant: Tenant, run: Run) -> None:
    users = tenant.add_users(130)
    tenant.add_fault(method="POST", path="dismiss", nth=1, drip=0.004)
    signalled = threading.Event()

    def interrupt() -> None:
        while not tenant.journal.select(method="POST"):
            pass
        signalled.set()
        stop()

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    ended = run("risky_user", state="dismissed", users=users)
    thread.join(10)
    assert signalled.is_set()
    check_account(ended, 130)
    assert len(ended.result["requests"]["write_request_ids"]) == 1


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[list[int]]:
    """Who reads the result: close it, and nobody does."""
    reader, writer = os.pipe()
    monkeypatch.setattr(_module, "listening", lambda: _interruption.listening(writer))
    yield [reader]
    os.close(writer)


@pytest.mark.parametrize("state", ["dismissed", "compromised", "safe"])
def test_no_write_without_a_reader_of_the_result(
    tenant: Tenant, run: Run, after_sleeps: AfterSleeps, reader: list[int], state: str
) -> None:
    users = tenant.add_users(130)
    tenant.switches.rate_limit = 1
    after_sleeps(lambda: os.close(reader.pop()) if reader and written(tenant) else None)
    ended = run("risky_user", state=state, users=users)
    check_account(ended, 130)
    assert "nobody is left to read" in ended.msg


def test_a_signal_before_a_lost_write_is_read_back(tenant: Tenant, run: Run, after_sleeps: AfterSleeps) -> None:
    tenant.add_fault(method="POST", drop="before")
    after_sleeps(stop)
    ended = run("user_sessions", users=tenant.add_users(1))
    assert (ended.kind, ended.outcomes) == ("service", ["failed pending"]) and "SIGTERM" in ended.msg


def test_a_signal_while_waiting_leaves_what_was_written(tenant: Tenant, run: Run, after_sleeps: AfterSleeps) -> None:
    users = tenant.add_users(3)
    tenant.switches.effect_delay = 1000
    after_sleeps(stop)
    ended = run("risky_user", state="dismissed", users=users, wait=True)
    assert ended.failed and ended.kind == "service" and "SIGTERM" in ended.msg
    assert ended.changed and ended.written == users and ended.result["verified"] is False
    assert len(ended.result["requests"]["write_request_ids"]) == 1


def test_a_signal_stops_reading_as_well(tenant: Tenant, run: Run, after_sleeps: AfterSleeps) -> None:
    tenant.add_users(5)
    tenant.switches.update({"rate_limit": 0.1, "page_size": 1})
    after_sleeps(stop)
    ended = run("risky_user_info")
    assert ended.failed and "SIGTERM" in ended.msg
    assert ended.result["truncated"] is True and 0 < ended.result["count"] < 5
