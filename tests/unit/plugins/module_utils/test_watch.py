"""The event source over the socket-free Graph, in simulated time: each pause between two polls runs the next step."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import random
import typing as t

from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.watch import watch
from ansible_collections.identityops.entra_risk.tests.entra_emulator import timestamps
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import LocalGraph

Event = dict[str, t.Any]
Step = t.Callable[[], None]
CONNECTION = {
    "tenant": "contoso.example",
    "client_id": "00001111-aaaa-2222-bbbb-3333cccc4444",
    "secret": "canary-secret",
}


class _Queue:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def put(self, event: Event) -> None:
        self.events.append(event)


def follow(graph: LocalGraph, steps: t.Iterable[Step], queue: t.Any = None, **args: t.Any) -> list[Event]:
    """The events until the steps are used up, and the source is cancelled."""
    queue = queue or _Queue()
    rest = iter(steps)

    async def sleep(seconds: float) -> None:
        graph.time.now += seconds
        step = next(rest, None)
        if step is None:
            raise asyncio.CancelledError
        step()

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(
            watch(queue, {**CONNECTION, **args}, environ={}, clock=graph.time.clock, sleep=sleep, client=graph.client)
        )
    return t.cast("list[Event]", getattr(queue, "events", []))


def nothing() -> None:
    """A step in which nothing happens."""


FAULTS: t.Sequence[dict[str, t.Any]] = (
    {"status": 429},
    {"status": 429, "headers": {"Retry-After": "20"}},
    {"status": 500, "times": 9},
    {"status": 503, "times": 3},
    {"status": 400, "times": 1},
    {"status": 401, "times": 2},
    {"drop": "before", "times": 9},
    {"gateway": True, "status": 404, "body": "<html>no route</html>"},
    {"status": 200, "body": ""},
    {"nth": 2, "status": 400, "times": 1},
    {"nth": 2, "status": 502, "times": 9},
)


def test_reports_ten_thousand_changes_once_each_through_faults_and_restarts(tmp_path: pathlib.Path) -> None:
    graph = LocalGraph()
    chance = random.Random(14)
    keys = [graph.add(number) for number in range(300)]
    records = graph.records
    pending: dict[str, str] = {}
    reported = 0

    class Queue:
        async def put(self, event: Event) -> None:
            nonlocal reported
            if chance.random() < 0.001:
                raise asyncio.CancelledError
            user = event["risky_user"]
            assert pending.pop(user["id"]) == user["risk_last_updated_date_time"]
            reported += 1

    def step() -> None:
        graph.tenant.journal.clear()
        graph.tenant.clear_faults()
        if chance.random() < 0.3:
            graph.tenant.add_fault(**chance.choice(FAULTS))
        free = [key for key in keys if key not in pending]
        for key in chance.sample(free, min(len(free), chance.choice((0, 1, 2, 30, 100)))):
            pending[key] = timestamps.of(graph.time.clock.wall())
            records[key].update(riskState=chance.choice(("atRisk", "dismissed")), riskLastUpdatedDateTime=pending[key])

    while reported < 10_000:
        graph.tenant.switches.page_size = chance.choice((None, 40))
        follow(graph, [step] * chance.randint(1, 100), Queue(), checkpoint_path=str(tmp_path / "checkpoint.json"))
    graph.tenant.clear_faults()
    follow(graph, [nothing] * 10, Queue(), checkpoint_path=str(tmp_path / "checkpoint.json"))
    assert pending == {}
