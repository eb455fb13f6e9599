"""What must hold for any tenant, any task and any single fault."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    KINDS,
    LOST,
    LOST_AFTER,
    PEOPLE,
    Failure,
    LocalGraph,
    entries,
    upn,
    user_id,
)

MOST = 12
ACTIVE = ("atRisk", "confirmedCompromised")
QUIET = ("dismissed", "remediated", "confirmedSafe", "none")
AFTER = {"dismissed": "dismissed", "compromised": "confirmedCompromised", "safe": "confirmedSafe"}
MOODS = ("honour", "ignore", "refuse")


@dataclasses.dataclass
class Person:
    """`present` is the risk state, or "without_record", or "ghost" for an id that nobody has."""

    number: int
    present: str
    deleted: bool
    rejected: bool
    excluded: bool
    by_name: bool
    asked: bool

    @property
    def id(self) -> str:
        return user_id(self.number)

    def due(self, state: str) -> bool:
        """Whether the contract wants this user written to, exclusions and refusals left aside."""
        if self.present in ("ghost", "somethingNew"):
            return False
        if self.deleted and self.present != "without_record":
            return False
        if state == "compromised":
            return self.present != "confirmedCompromised"
        return self.present in ACTIVE


PERSON = st.builds(
    Person,
    number=st.just(0),
    present=st.sampled_from([*ACTIVE, *ACTIVE, *QUIET, "somethingNew", "without_record", "ghost"]),
    deleted=st.sampled_from([False, False, False, True]),
    rejected=st.sampled_from([False, False, False, True]),
    excluded=st.sampled_from([False, False, False, True]),
    by_name=st.booleans(),
    asked=st.sampled_from([True, True, True, False]),
)


@st.composite
def worlds(draw: t.Any) -> tuple[LocalGraph, list[Person]]:
    people = draw(st.lists(PERSON, min_size=1, max_size=MOST))
    tenant = LocalGraph(kind=draw(st.sampled_from(KINDS)), page_size=draw(st.sampled_from([1, 3, 500])))
    for number, person in enumerate(people):
        person.number = number
        if tenant.kind is not PEOPLE:
            # Nothing else has a name to be asked by, and nothing else keeps its record when it is deleted.
            person.by_name = person.deleted = False
        if person.present == "without_record":
            tenant.add_unlisted(number)
        elif person.present != "ghost":
            tenant.add(number, person.present, **({"isDeleted": True} if person.deleted else {}))
    mood = draw(st.tuples(*[st.sampled_from(MOODS)] * 3))
    tenant.filters = lambda text: mood[("riskState", "id", "userPrincipalName").index(text.lstrip("(").split()[0])]
    tenant.switches.reject_ids = [person.id for person in people if person.rejected]
    return tenant, people


STATES = st.sampled_from(["dismissed", "compromised", "safe"])


def spelled(person: Person) -> str:
    return upn(person.number) if person.by_name else person.id


def consistent(report: ModuleResult, tenant: LocalGraph) -> None:
    """The report agrees with itself and with what the tenant saw."""
    data = report.data
    counted = dict.fromkeys(("changed", "unchanged", "skipped", "failed"), 0)
    for user in entries(report):
        counted[user["outcome"]] += 1
    assert counted == data["summary"]
    assert data["changed"] is bool(tenant.written)
    assert {user["id"] for user in entries(report) if user["outcome"] == "changed"} == set(tenant.written)
    assert len(set(tenant.written)) == len(tenant.written)
    assert data["requests"]["sent"] == len(tenant.log)
    assert data["requests"]["throttled"] <= data["requests"]["retried"] + 1
    assert (report.error is not None) >= bool(counted["failed"])


@given(worlds(), STATES, st.randoms(use_true_random=False))
def test_what_is_written_is_what_the_contract_says(
    world: tuple[LocalGraph, list[Person]], state: str, chance: t.Any
) -> None:
    tenant, people = world
    assume(state in tenant.kind.resource.actions)
    asked = [person for person in people if person.asked]
    chance.shuffle(asked)
    protected = [person for person in people if person.excluded]
    # A protection for nobody stops everything, which has a test of its own.
    assume(all(not person.by_name or (person.present != "ghost" and not person.deleted) for person in protected))
    before = copy.deepcopy(tenant.records)
    task: dict[str, t.Any] = {
        "state": state,
        "users": [spelled(person) for person in asked] * 2,
        "exclude_users": [spelled(person).upper() for person in protected],
    }

    planned = tenant.run(check_mode=True, **task)
    assert tenant.bodies == [] and tenant.records == before

    tenant.tenant.journal.clear()
    report = tenant.run(**task)
    due = {person.id for person in asked if person.due(state) and not person.excluded}
    assert set(tenant.written) == due - set(tenant.switches.reject_ids)
    assert {user["id"] for user in entries(planned) if user["outcome"] == "changed"} == due
    assert planned.data["changed"] is bool(due)
    never = {person.id for person in protected} | {person.id for person in people if not person.asked}
    assert never.isdisjoint(key for body in tenant.bodies for key in body)
    consistent(report, tenant)
    assert [user["reason"] for user in entries(report) if user["outcome"] == "failed"].count("rejected") == len(
        due & set(tenant.switches.reject_ids)
    )
    for key, record in tenant.records.items():
        assert record["riskState"] == (
            AFTER[state] if key in due - set(tenant.switches.reject_ids) else before[key]["riskState"]
        )

    # Whoever runs it again finds nothing to do but what was refused.
    tenant.tenant.journal.clear()
    again = tenant.run(**task)
    assert not again.data["changed"]
    assert tenant.written == []


@given(worlds(), STATES, st.lists(st.sampled_from([*ACTIVE, *QUIET]), min_size=1, unique=True), st.integers(0, MOST))
def test_a_filter_chooses_exactly_and_the_brake_holds(
    world: tuple[LocalGraph, list[Person]], state: str, wanted: list[str], most: int
) -> None:
    tenant, people = world
    assume(state in tenant.kind.resource.actions)
    protected = [person for person in people if person.excluded]
    assume(all(not person.by_name or (person.present != "ghost" and not person.deleted) for person in protected))
    report = tenant.run(
        state=state,
        filters={"risk_state": wanted},
        max_changes=most,
        exclude_users=[spelled(person) for person in protected],
    )
    chosen = [person for person in people if person.present in wanted]
    due = {person.id for person in chosen if person.due(state) and not person.excluded}
    if len(due) > most:
        assert report.error is not None and report.error.kind == "limit"
        assert tenant.bodies == []
        due = set()
    assert set(tenant.written) == due - set(tenant.switches.reject_ids)
    assert {user["id"] for user in entries(report)} == {person.id for person in chosen}
    assert {key for body in tenant.bodies for key in body} == due
    consistent(report, tenant)


FAULTS: st.SearchStrategy[Failure] = st.sampled_from(
    [LOST, LOST_AFTER, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504, 200, 302,
     (200, "<html>"), (202, "{}"), (200, "[]"), (403, "<html>"), (429, "not json")]
)  # fmt: skip


@given(
    st.integers(1, 8),
    FAULTS,
    STATES,
    st.sampled_from([1, 3, 70]),
    st.sampled_from([2, 500]),
    st.booleans(),
)
def test_one_fault_anywhere_leaves_a_true_report(
    number: int, fault: Failure, state: str, count: int, page_size: int, unlisted_too: bool
) -> None:
    tenant = LocalGraph(page_size=page_size)
    users = [tenant.add(number, ACTIVE[number % 2], isDeleted=False) for number in range(count)]
    if unlisted_too:
        users.append(tenant.add_unlisted(500))
        users.append(upn(501))
        tenant.add_unlisted(501)
    protected = tenant.add(600, userPrincipalName="old@contoso.example")
    tenant.rename(protected, "bg@contoso.example")
    before = copy.deepcopy(tenant.records)
    tenant.faults = {number: fault}
    report = tenant.run(state=state, users=[*users, protected], exclude_users=["bg@contoso.example"])

    assert protected not in {key for body in tenant.bodies for key in body}
    by_id = {user["id"]: user for user in entries(report) if user["id"] is not None}
    for key, user in by_id.items():
        if user["outcome"] == "changed":
            assert tenant.state_of(key) == AFTER[state]
            assert key in tenant.written
        elif user["outcome"] in ("unchanged", "skipped"):
            assert key not in tenant.written
    # Nobody was written to without being told as changed.
    assert set(tenant.written) <= {key for key, user in by_id.items() if user["outcome"] == "changed"}
    assert len(set(tenant.written)) == len(tenant.written)
    assert report.data["changed"] is bool(tenant.written)
    # Nothing at risk is taken for settled: whoever is still due was told as failed, or the task failed before.
    for key in users:
        present = before.get(key, {}).get("riskState")
        due = present is not None and (
            present in ACTIVE if state != "compromised" else present != "confirmedCompromised"
        )
        if due and key not in tenant.written:
            assert report.error is not None
            assert key not in by_id or by_id[key]["outcome"] == "failed"


@given(
    STATES,
    st.sampled_from([1, 2, 61]),
    st.sampled_from([0.0, 7.0, 200.0, 2000.0]),
    st.booleans(),
    st.dictionaries(
        st.integers(2, 12), st.sampled_from([LOST, LOST_AFTER, 429, 500, 503, (200, "<html>")]), max_size=3
    ),
    st.integers(0, 3),
)
def test_waiting_tells_the_truth(
    state: str, count: int, delay: float, vanish: bool, faults: dict[int, Failure], stuck: int
) -> None:
    tenant = LocalGraph(effect_delay=delay, vanish_after_dismiss=vanish, faults=faults)
    other = {"dismissed": "atRisk", "safe": "confirmedCompromised", "compromised": "atRisk"}[state]
    ids = [tenant.add(number, other) for number in range(count)]
    tenant.switches.stuck_ids = ids[:stuck]
    report = tenant.run(state=state, users=ids, wait=True, wait_timeout=400)
    assert report.data["changed"] is True
    for user in entries(report):
        shown = tenant.state_of(user["id"])
        if user["outcome"] == "changed" and report.data["verified"]:
            assert shown == AFTER[state] or (shown is None and state != "compromised")
            assert user["after"]["risk_state"] in (shown, None)
        if user["id"] in tenant.switches.stuck_ids:
            assert user["outcome"] == "failed"
