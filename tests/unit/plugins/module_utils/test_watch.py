"""The event source over the socket-free Graph, in simulated time: each pause between two polls runs the next step."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import json
import pathlib
import random
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import EntraRiskError
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.watch import watch
from ansible_collections.identityops.entra_risk.tests.entra_emulator import timestamps
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import LocalGraph, user_id

Event = dict[str, t.Any]
Step = t.Callable[[], object]
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
CONNECTION = {"tenant": "contoso.example", "client_id": APP, "secret": "canary-secret"}


class _Queue:
    """Takes everything. `polls` holds the events of each poll."""

    def __init__(self) -> None:
        self.polls: list[list[Event]] = [[]]

    async def put(self, event: Event) -> None:
        self.polls[-1].append(event)

    @property
    def names(self) -> list[list[str]]:
        """The first part of the name of each user, poll by poll, and the state that it had before."""

        def named(event: Event) -> str:
            name, before = event["risky_user"]["user_principal_name"], event["previous"] or {"risk_state": "unseen"}
            return f"{name.partition('@')[0]} {before['risk_state']}"

        return [[named(event) for event in poll] for poll in self.polls]


def follow(graph: LocalGraph, steps: t.Iterable[Step], queue: t.Any = None, **args: t.Any) -> _Queue:
    """Poll, run a step, poll again, and so on. After the last poll the source is cancelled.

    :param steps: one fewer than there are polls.
    """
    queue = _Queue() if queue is None else queue
    rest = iter(steps)

    async def sleep(seconds: float) -> None:
        graph.time.now += seconds
        step = next(rest, None)
        if step is None:
            raise asyncio.CancelledError
        if isinstance(queue, _Queue):
            queue.polls.append([])
        step()

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(
            watch(queue, {**CONNECTION, **args}, environ={}, clock=graph.time.clock, sleep=sleep, client=graph.client)
        )
    return t.cast(_Queue, queue)


def nothing() -> None:
    """A step in which nothing happens."""


def changing(graph: LocalGraph, number: int, state: str = "atRisk", *, ago: float = 0, **record: t.Any) -> Step:
    """A step in which the risk of a user changes; who has no record gets one.

    :param ago: seconds between the time that the record shows and the present.
    """

    def step() -> None:
        key = user_id(number)
        if key not in graph.records:
            graph.add(number)
        changed = timestamps.of(graph.time.clock.wall() - ago)
        graph.records[key].update({"riskState": state, "riskLastUpdatedDateTime": changed, **record})

    return step


def both(*steps: Step) -> Step:
    """Several steps as one."""

    def all_of_them() -> None:
        for step in steps:
            step()

    return all_of_them


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


def test_reports_every_change_with_all_that_graph_tells_and_what_was_before() -> None:
    graph = LocalGraph()
    graph.add(1, "atRisk")
    graph.add(2, "remediated")
    compromised = changing(graph, 1, "confirmedCompromised", riskDetail="hidden", userDisplayName="{{ lookup('x') }}")
    queue = follow(graph, [compromised, changing(graph, 1, "dismissed")])
    assert queue.names == [[], ["user1 unseen"], ["user1 confirmedCompromised"]]
    (event,) = queue.polls[1]
    assert event["previous"] is None
    assert event["risky_user"] == {
        "id": user_id(1),
        "user_principal_name": "user1@contoso.example",
        "user_display_name": "\N{REPLACEMENT CHARACTER}{ lookup('x') }}",
        "risk_state": "confirmedCompromised",
        "risk_level": "medium",
        "risk_detail": "hidden",
        "risk_last_updated_date_time": "2026-11-22T12:01:00.0000000Z",
        "is_deleted": False,
        "is_processing": False,
    }
    assert queue.polls[2][0]["previous"] == {"risk_state": "confirmedCompromised", "risk_level": "medium"}


def happen(graph: LocalGraph, what: str) -> None:
    """`1, 2 dismissed @60`: user 1 is at risk as of now, and user 2 was dismissed 60 seconds ago, says the record."""
    for change in filter(None, what.split(", ")):
        number, *state = change.partition(" @")[0].split()
        changing(graph, int(number), *state, ago=float(change.partition(" @")[2] or 0))()


def three_change_and_one_meanwhile(graph: LocalGraph) -> None:
    """The first changes once more after the next page of Graph was read."""
    happen(graph, "1, 2, 3")
    graph.tenant.add_fault(method="GET", times=1, change={user_id(1): {"risk_state": "dismissed"}})


def graph_mends(graph: LocalGraph) -> None:
    graph.tenant.switches.break_last_page = False


def graph_works_on_the_first(graph: LocalGraph) -> None:
    graph.records[user_id(1)].update(isProcessing=True)


Happening = t.Union[str, t.Callable[[LocalGraph], None]]
IN_TURN = (["1", "2", "1 dismissed"], ["1 unseen", "2 unseen", "1 atRisk"])
# The switches of Graph, what happens between the polls, and what each poll but the first reports.
CASES: t.Mapping[str, tuple[dict[str, t.Any], t.Sequence[Happening], t.Sequence[str]]] = {
    "two users with one time, the second shows up later": ({}, ["1", "2 @60", ""], ["1 unseen", "2 unseen", ""]),
    "a record shows up with a time long before the newest": ({}, ["1", "2 @1800", ""], ["1 unseen", "2 unseen", ""]),
    "the service's clock is ahead of its records": ({"date_skew": 7000.0}, *IN_TURN),
    "the service's clock is behind its records": ({"date_skew": -7000.0}, *IN_TURN),
    "the clock here is days ahead": (
        {"date_skew": -200_000.0}, ["1 @200000", "1 dismissed @200000"], ["1 unseen", "1 atRisk"]),
    "graph refuses the filter": ({"filters": "refuse"}, ["1", "2 @1800", ""], ["1 unseen", "2 unseen", ""]),
    "graph ignores the filter": ({"filters": "ignore"}, ["9", "2 @1800", ""], ["9 atRisk", "2 unseen", ""]),
    "graph breaks off the list": (
        {"page_size": 1, "break_last_page": True}, ["1, 2", graph_mends, ""], ["1 unseen", "2 unseen", ""]),
    "a user changes while the list is read": (
        {"page_size": 1}, [three_change_and_one_meanwhile, "", ""], ["1 unseen, 2 unseen, 3 unseen", "1 atRisk", ""]),
    "an older copy comes from a part of the service that lags behind": (
        {}, ["1 dismissed", "1 atRisk @300", "1 dismissed @120"], ["1 unseen", "", ""]),
    "copies that lag behind come in turns with the present state": (
        {}, ["1 dismissed", "1 atRisk @300", "1 dismissed @120", "1 atRisk @420", "1 dismissed @240", "1 atRisk @540"],
        ["1 unseen", "", "", "", "", ""]),
    "the time goes back for good": ({}, ["1", "1 dismissed @300", "", ""], ["1 unseen", "", "1 atRisk", ""]),
    "only the time changes": ({}, ["1", "1", ""], ["1 unseen", "1 atRisk", ""]),
    "what is not the risk changes": ({}, ["1", graph_works_on_the_first, ""], ["1 unseen", "", ""]),
    "a state that nobody knows": ({}, ["1 newState", "1"], ["1 unseen", "1 newState"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_misses_nothing_and_repeats_nothing_when(name: str) -> None:
    switches, happenings, reported = CASES[name]
    graph = LocalGraph(**switches)
    graph.add(9)
    steps = [
        functools.partial(happen, graph, it) if isinstance(it, str) else functools.partial(it, graph)
        for it in happenings
    ]
    assert [", ".join(poll).replace("user", "") for poll in follow(graph, steps).names] == ["", *reported]


@pytest.mark.parametrize("users", [0, 3, 600])
def test_asks_once_a_poll_when_nothing_changes(users: int) -> None:
    graph = LocalGraph(filters="honor")
    asked: list[int] = []

    def many() -> None:
        for number in range(users):
            changing(graph, number)()

    def count() -> None:
        asked.append(graph.reads)
        graph.tenant.journal.clear()

    follow(graph, [count, both(many, count), *[count] * 8], interval=30)
    # What changed in the very second of the reading is asked for again.
    assert asked == [1, 1, *([2, 2] if users > 500 else [1, 1]), *[1] * 6]


@pytest.mark.parametrize(("skew", "ago"), [(0.0, 1000), (7000.0, -3000), (-7000.0, 1000), (-200_000.0, 201_000)])
def test_leaves_alone_what_changed_before_now_by_either_clock(skew: float, ago: float) -> None:
    graph = LocalGraph(date_skew=skew)
    changing(graph, 1, ago=ago)()
    assert follow(graph, [nothing]).names == [[], []]


def test_takes_a_list_that_was_broken_off_for_the_beginning_of_one() -> None:
    graph = LocalGraph(page_size=1, break_last_page=True)
    both(changing(graph, 1, ago=1000), changing(graph, 2, ago=1000))()
    assert follow(graph, [lambda: graph_mends(graph), nothing]).names == [[], [], []]
    queries = [entry["query"] for entry in graph.tenant.journal.entries]
    # Graph does it where what is left is just one page, so another size is asked for.
    assert [query["$top"] for query in queries if "$skiptoken" not in query] == ["500", "499", "499"]


def test_begins_a_poll_each_interval_however_long_one_takes() -> None:
    graph = LocalGraph()
    graph.tenant.add_fault(status=429, headers={"Retry-After": "20"}, times=1)
    began: list[int] = []
    follow(graph, [lambda: began.append(round(graph.time.now))] * 3, interval=60)
    assert began == [60, 120, 180]


def test_reads_the_whole_list_only_while_the_filter_is_refused() -> None:
    graph = LocalGraph(page_size=1)
    for number in range(3):
        graph.add(number)
    asked: list[int] = []

    def count() -> None:
        asked.append(graph.reads)
        graph.tenant.journal.clear()

    steps: list[Step] = [count, lambda: graph.tenant.add_fault(nth=1, status=400), count, count]
    steps += [lambda: setattr(graph, "filters", "refuse"), graph.tenant.journal.clear, count, count, count]
    follow(graph, steps)
    assert asked == [1, 5, 1, 4, 4, 4]


SINCE: t.Mapping[str, tuple[dict[str, t.Any], list[str]]] = {
    "now": ({}, []),
    "an age": ({"since": "90m"}, ["user1 unseen", "user2 unseen"]),
    "a time": ({"since": "2026-11-22T11:00:00Z"}, ["user1 unseen"]),
    "an age, and filters": ({"since": "90m", "filters": {"risk_level": ["high"]}}, ["user2 unseen"]),
    "an age, and filters as text": ({"since": "90m", "filters": {"risk_state": "dismissed, atRisk"}}, ["user1 unseen"]),
    "an age, and an older time": ({"since": "90m", "filters": {"updated_before": "1h"}}, ["user2 unseen"]),
}


@pytest.mark.parametrize("name", SINCE)
def test_begins_with_what_changed_since(name: str) -> None:
    args, expected = SINCE[name]
    graph = LocalGraph()
    changing(graph, 1, ago=1800)()
    changing(graph, 2, "remediated", ago=4000, riskLevel="high")()
    changing(graph, 3, ago=8000)()
    assert follow(graph, [nothing], **args).names == [expected, []]


def test_remembers_the_state_that_the_filters_leave_out() -> None:
    graph = LocalGraph()
    steps = [changing(graph, 1), changing(graph, 1, "dismissed"), changing(graph, 1)]
    queue = follow(graph, steps, filters={"risk_state": ["atRisk"]})
    assert queue.names == [[], ["user1 unseen"], [], ["user1 dismissed"]]


def test_tells_once_of_records_that_it_cannot_read(caplog: pytest.LogCaptureFixture) -> None:
    graph = LocalGraph(filters="ignore")
    graph.add(1, riskLastUpdatedDateTime="soon")
    graph.add(2, id="../b")
    steps = [lambda: graph.records[user_id(1)].update(riskState="dismissed"), nothing]
    assert follow(graph, steps).names == [[], ["user1 atRisk"], []]
    (ids, times) = sorted(record.getMessage() for record in caplog.records)
    assert "whose id is not a GUID" in ids
    assert "without a time" in times


TRANSIENT: t.Sequence[dict[str, t.Any]] = (*FAULTS, {"status": 500, "times": 100}, {"drop": "before", "times": 12})


@pytest.mark.parametrize("fault", TRANSIENT, ids=str)
def test_outlives_faults_that_pass(fault: dict[str, t.Any]) -> None:
    graph = LocalGraph()
    graph.tenant.add_fault(**{"times": 4, **fault})
    queue = follow(graph, [nothing] * 15 + [changing(graph, 1), nothing])
    assert [name for poll in queue.names for name in poll] == ["user1 unseen"]
    assert all(nap <= 30 for nap in graph.time.naps)


ENDS: t.Mapping[str, tuple[dict[str, t.Any], str]] = {
    "a missing license": ({"status": 403, "message": "Your tenant is not licensed for this feature."}, "not licensed"),
    "a missing permission": ({"status": 403, "message": "required scopes are missing"}, "IdentityRiskyUser.Read.All"),
    "tokens that Graph refuses again and again": ({"status": 401}, "Graph refused the access token"),
}


@pytest.mark.parametrize("name", ENDS)
def test_ends_with_a_message_after(name: str) -> None:
    fault, message = ENDS[name]
    graph = LocalGraph()
    with pytest.raises(EntraRiskError, match=message):
        follow(graph, [nothing, nothing, functools.partial(graph.tenant.add_fault, **fault), *[nothing] * 9])


ARGUMENTS: t.Mapping[str, tuple[t.Any, str]] = {
    "an unknown argument": ({"intervall": 60, 5: 1}, "5, intervall: the source has no such argument"),
    "no dictionary": (["interval"], "must be a dictionary"),
    "a short interval": ({"interval": 4}, "interval must be a whole number of seconds, 5 or more"),
    "a fraction as interval": ({"interval": 7.5}, "interval must be"),
    "true as interval": ({"interval": True}, "interval must be"),
    "a blank since": ({"since": " "}, "since is neither now, nor a time"),
    "a since without an offset": ({"since": "2026-01-31T00:00:00"}, "since is neither"),
    "a since that YAML took for a time": ({"since": datetime.datetime.now(datetime.timezone.utc)}, "in quotes"),
    "a since to come": ({"since": "2027-01-31T00:00:00Z"}, "since lies in the future"),
    "filters as text": ({"filters": "atRisk"}, "filters must be a dictionary"),
    "an unknown filter": ({"filters": {"state": ["atRisk"]}}, "filters.state: there is no such filter"),
    "an unknown state": ({"filters": {"risk_state": ["bad"]}}, "filters.risk_state: 'bad' is none of"),
    "an empty list of states": ({"filters": {"risk_state": []}}, "filters.risk_state is an empty list"),
    "a number as level": ({"filters": {"risk_level": [1]}}, "filters.risk_level must be a list of words"),
    "a blank time": ({"filters": {"updated_after": ""}}, "filters.updated_after is given, but is null, blank"),
    "a null time": ({"filters": {"updated_after": None}}, "filters.updated_after is given, but is null, blank"),
    "no time": ({"filters": {"updated_after": "soon"}}, "filters.updated_after: 'soon' is neither a time"),
    "a blank path": ({"checkpoint_path": ""}, "checkpoint_path is given, but is no path"),
    "a key as path": ({"checkpoint_path": "-----BEGIN PRIVATE KEY-----"}, "checkpoint_path is given, but is no path"),
    "a folder that is missing": ({"checkpoint_path": "/missing/file"}, r"\(/missing/file\) cannot be used: No such"),
    "a folder as path": ({"checkpoint_path": "/tmp"}, r"\(/tmp\) is not a regular file"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_refuses_in_one_sentence(name: str) -> None:
    args, message = ARGUMENTS[name]
    args = {**args, "secret": "canary"} if isinstance(args, dict) else args
    graph = LocalGraph()
    with pytest.raises(EntraRiskError, match=message) as caught:
        asyncio.run(watch(_Queue(), args, environ={}, clock=graph.time.clock, client=graph.client))
    assert "canary" not in str(caught.value)
    assert not graph.tenant.journal.entries


# The checkpoint


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "checkpoint.json"


def test_goes_on_where_it_was_stopped(path: pathlib.Path) -> None:
    graph = LocalGraph()
    assert follow(graph, [changing(graph, 1)], checkpoint_path=str(path)).names == [[], ["user1 unseen"]]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*path.parent.iterdir()] == [path]
    graph.time.now += 86_400
    both(changing(graph, 2, ago=40_000), changing(graph, 1, "dismissed"))()
    restarted = follow(graph, [nothing], checkpoint_path=str(path), since="90d")
    assert restarted.names == [["user1 atRisk", "user2 unseen"], []]


def test_goes_on_with_the_same_filters_in_other_words(path: pathlib.Path) -> None:
    graph = LocalGraph()
    follow(graph, [], checkpoint_path=str(path), filters={"risk_state": ["dismissed", "atRisk", "atRisk"]})
    changing(graph, 1)()
    restarted = follow(graph, [], checkpoint_path=str(path), filters={"risk_state": "atRisk, dismissed"})
    assert restarted.names == [["user1 unseen"]]


def test_reports_at_the_first_poll_what_it_could_not_hand_on(path: pathlib.Path) -> None:
    graph = LocalGraph()
    follow(graph, [], checkpoint_path=str(path))
    changing(graph, 1)()

    class Full:
        async def put(self, event: Event) -> None:
            raise asyncio.CancelledError

    follow(graph, [], Full(), checkpoint_path=str(path))
    assert follow(graph, [nothing], checkpoint_path=str(path)).names == [["user1 unseen"], []]


def test_writes_each_second_while_events_are_taken_slowly(path: pathlib.Path) -> None:
    graph = LocalGraph()
    taken: list[str] = []

    class Slow:
        async def put(self, event: Event) -> None:
            graph.time.now += 2
            kept = json.loads(path.read_text(encoding="utf-8"))["known"] if path.exists() else {}
            assert [*kept] == taken
            taken.append(event["risky_user"]["id"])

    both(*(changing(graph, number) for number in range(5)))()
    follow(graph, [], Slow(), since="1h", checkpoint_path=str(path))
    assert len(taken) == 5


GOOD = {"format": 1, "watches": {}, "floor": 1, "settled": 1, "since": None, "known": {}}
BAD_PARTS = [{"format": 2}, {"watches": None}, {"since": "x"}, {"floor": None}]
BAD_PARTS += [{"known": {"a": user}} for user in ([1, 2, "low"], [True, "atRisk", "low"], [1])]
DAMAGED = ["", "{", "[]", "null", *(json.dumps({**GOOD, **part}) for part in BAD_PARTS)]


@pytest.mark.parametrize("content", DAMAGED)
def test_sets_a_damaged_checkpoint_aside(path: pathlib.Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text(content, encoding="utf-8")
    graph = LocalGraph()
    changing(graph, 1)()
    assert follow(graph, [], checkpoint_path=str(path), since="1h").names == [["user1 unseen"]]
    (aside,) = path.parent.glob("*.damaged-*")
    assert aside.read_text(encoding="utf-8") == content
    assert f"is damaged. It was renamed to {aside.name}" in caplog.text


@pytest.mark.parametrize(
    ("other", "message"),
    [({"filters": {"risk_state": ["atRisk"]}}, "for other filters"), ({"tenant": "x.example"}, "for another tenant")],
)
def test_refuses_a_checkpoint_of_something_else(path: pathlib.Path, other: dict[str, t.Any], message: str) -> None:
    graph = LocalGraph()
    follow(graph, [], checkpoint_path=str(path))
    content = path.read_bytes()
    if "tenant" in other:
        graph = LocalGraph()
    with pytest.raises(EntraRiskError, match=message):
        follow(graph, [], checkpoint_path=str(path), **other)
    assert path.read_bytes() == content


def test_ends_where_a_damaged_checkpoint_cannot_be_renamed(path: pathlib.Path) -> None:
    graph = LocalGraph()
    path.write_text("{", encoding="utf-8")
    path.with_name(f"{path.name}.damaged-{int(graph.time.clock.wall())}").mkdir()
    with pytest.raises(EntraRiskError, match="is damaged and cannot be renamed: Is a directory"):
        follow(graph, [], checkpoint_path=str(path))


BLOCKS: t.Mapping[str, t.Callable[[pathlib.Path], list[Step]]] = {
    "No such file or directory": lambda path: [
        lambda: path.parent.rename(path.parent.with_name("aside")),
        lambda: path.parent.with_name("aside").rename(path.parent),
    ],
    "Is a directory": lambda path: [both(path.unlink, path.mkdir), path.rmdir],
}


@pytest.mark.parametrize("reason", BLOCKS)
def test_goes_on_while_the_checkpoint_cannot_be_written(
    path: pathlib.Path, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    graph = LocalGraph()
    block, unblock = BLOCKS[reason](path)
    steps = [both(block, changing(graph, 1)), both(unblock, changing(graph, 2))]
    assert follow(graph, steps, checkpoint_path=str(path)).names == [[], ["user1 unseen"], ["user2 unseen"]]
    assert f"checkpoint_path cannot be written ({reason})" in caplog.text
    assert follow(graph, [], checkpoint_path=str(path)).names == [[]]
    assert [*path.parent.iterdir()] == [path]


def test_ends_with_a_bug_without_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def put(self, event: Event) -> None:
            raise RuntimeError(f"no room for {CONNECTION['secret']}")

    graph = LocalGraph()
    changing(graph, 1)()
    message = r"Unexpected error RuntimeError .* no room for \*+\. This is a bug"
    with pytest.raises(EntraRiskError, match=message) as caught:
        follow(graph, [], Broken(), since="1h")
    assert "in put" in caplog.text
    assert CONNECTION["secret"] not in caplog.text + repr(caught.value)
