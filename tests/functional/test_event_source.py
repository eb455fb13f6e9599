"""The event source as ansible-rulebook runs it: loaded by its path, with a queue, real logins and real TLS.

What it reports when, and what it makes of arguments and checkpoints: the unit test test_watch.
"""

from __future__ import annotations

import asyncio
import pathlib
import runpy
import time
import typing as t

import pytest

from ..entra_emulator.apps import App
from ..entra_emulator.tenant import Tenant

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = runpy.run_path(str(ROOT / "extensions/eda/plugins/event_source/risky_users.py"))

Event = dict[str, t.Any]
Pause = t.Callable[[], None]


@pytest.fixture
def app(tenant: Tenant) -> App:
    return tenant.add_app(roles=["IdentityRiskyUser.Read.All"])


@pytest.fixture
def args(places: dict[str, str], tenant: Tenant, app: App) -> dict[str, t.Any]:
    return {**places, "tenant": tenant.id, "client_id": app.client_id, "secret": app.secret}


async def _cancelled(source: asyncio.Task[None]) -> None:
    source.cancel()
    with pytest.raises(asyncio.CancelledError):
        await source


def test_holds_back_while_the_queue_is_full(tenant: Tenant, args: dict[str, t.Any]) -> None:
    ids = tenant.add_users(5)

    async def take() -> list[str]:
        queue: asyncio.Queue[Event] = asyncio.Queue(maxsize=1)
        source = asyncio.create_task(SOURCE["main"](queue, {**args, "since": "2h"}))
        taken = [await queue.get()]
        await asyncio.sleep(0.1)
        assert queue.full()
        taken += [await queue.get() for dummy in range(4)]
        await _cancelled(source)
        assert queue.empty()
        return [event["risky_user"]["id"] for event in taken]

    assert asyncio.run(asyncio.wait_for(take(), 20)) == ids


def test_reports_through_revoked_tokens_what_changed_between_two_polls(
    tenant: Tenant, args: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tenant.add_user("anna@contoso.example")
    rest = iter(("dismissed", "atRisk"))
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        state = next(rest, None)
        if state is None:
            raise asyncio.CancelledError
        tenant.revoke_tokens()
        tenant.change_user(changed.id, risk_state=state)

    monkeypatch.setitem(SOURCE["_load"]("_tasks.watch").watch.__kwdefaults__, "sleep", sleep)
    queue: asyncio.Queue[Event] = asyncio.Queue()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(SOURCE["main"](queue, {**args, "interval": "30"}))
    events = [queue.get_nowait() for dummy in range(queue.qsize())]
    assert [(event["previous"] or {}).get("risk_state") for event in events] == ["atRisk", "dismissed"]
    assert [event["risky_user"]["risk_state"] for event in events] == ["dismissed", "atRisk"]
    assert all(29 < pause <= 30 for pause in pauses)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"secret": "wrong-canary"}, "AADSTS7000215"),
        ({"tenant": "nobody.example"}, "AADSTS90002"),
        ({"ca_path": ""}, "ca_path"),
        ({"access_token": "no-such-token"}, "Graph refused the access token"),
    ],
    ids=str,
)
def test_ends_at_once_with_the_message_of_the_modules(
    args: dict[str, t.Any], wrong: dict[str, t.Any], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Exception, match=message) as caught:
        asyncio.run(SOURCE["main"](asyncio.Queue(), {**args, **wrong}))
    for secret in (args["secret"], "wrong-canary", "no-such-token"):
        assert secret not in str(caught.value) + caplog.text


@pytest.mark.parametrize("fault", [{}, {"status": 429, "headers": {"Retry-After": "100"}}], ids=["idle", "throttled"])
def test_stops_at_once_when_it_is_cancelled(tenant: Tenant, args: dict[str, t.Any], fault: dict[str, t.Any]) -> None:
    if fault:
        tenant.add_fault(listener="graph", **fault)

    async def cancel() -> None:
        source = asyncio.create_task(SOURCE["main"](asyncio.Queue(), args))
        while not tenant.journal.select(listener="graph"):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        began.append(time.monotonic())
        await _cancelled(source)

    began: list[float] = []
    asyncio.run(asyncio.wait_for(cancel(), 20))
    assert time.monotonic() - began[0] < 1
