from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import PermissionDeniedError
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.api import RiskApi
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.writer import ReadBack, Writer, Written
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    LOST,
    LOST_AFTER,
    LocalGraph,
    user_id,
)


def write(
    tenant: LocalGraph,
    ids: t.Sequence[str],
    read_back: t.Callable[[t.Sequence[str]], ReadBack] | None = None,
    retry_timeout: float = 300,
) -> Written:
    def look(asked: t.Sequence[str]) -> ReadBack:
        applied = set(tenant.written)
        return ReadBack(applied, set(asked) - applied)

    for key in ids:
        tenant.add(int(key[:8], 16))
    api = RiskApi(tenant.client(retry_timeout), RISKY_USERS)
    return Writer(api, RISKY_USERS.actions["dismissed"], read_back or look).write(ids)


@given(st.integers(0, 130), st.sets(st.integers(0, 129), max_size=9))
def test_exactly_the_culprits_are_rejected_and_each_other_id_is_written_once(count: int, culprits: set[int]) -> None:
    ids = [user_id(number) for number in range(count)]
    tenant = LocalGraph(reject_ids=list(map(user_id, culprits)))
    written = write(tenant, ids)
    assert written.stopped is None
    assert set(written.rejected) == set(tenant.switches.reject_ids).intersection(ids)
    assert written.accepted == set(ids) - set(tenant.switches.reject_ids)
    assert sorted(tenant.written) == sorted(written.accepted)
    assert written.uncertain == set()
    good = [body for body in tenant.bodies if not set(tenant.switches.reject_ids).intersection(body)]
    assert len(written.request_ids) == len(good)
    assert len(tenant.bodies) <= -(-count // 60) + 13 * len(culprits)


@pytest.mark.parametrize("status", [401, 403, 405, 429])
def test_a_refusal_that_concerns_everyone_is_not_searched_for_a_culprit(status: int) -> None:
    tenant = LocalGraph(every={"dismiss": status})
    written = write(tenant, [user_id(number) for number in range(61)], retry_timeout=0)
    assert written.stopped is not None and written.stopped.status == status
    assert (written.accepted, written.rejected) == (set(), {})
    assert len(tenant.log) == 1


def test_only_what_is_still_needed_is_sent_again() -> None:
    ids = [user_id(number) for number in range(4)]
    tenant = LocalGraph(faults={1: LOST})
    written = write(tenant, ids, read_back=lambda asked: ReadBack(applied=asked[:1], needed=asked[2:]))
    assert tenant.bodies == [ids[2:]]
    # The second one has not applied, and must not be written to any more.
    assert written.accepted == {ids[0], *ids[2:]}
    assert (written.rejected, written.uncertain) == ({}, set())


def test_a_chunk_of_which_nothing_is_needed_any_more_is_done() -> None:
    ids = [user_id(number) for number in range(4)]
    tenant = LocalGraph(faults={1: LOST_AFTER})
    written = write(tenant, ids)
    assert (written.accepted, written.request_ids, tenant.writes) == (set(ids), [], 1)


def test_the_search_for_a_culprit_survives_a_lost_answer() -> None:
    ids = [user_id(number) for number in range(8)]
    tenant = LocalGraph(reject_ids=ids[:1], faults={4: LOST_AFTER})
    written = write(tenant, ids)
    assert set(written.rejected) == {ids[0]}
    assert written.accepted == set(ids[1:])
    assert sorted(tenant.written) == ids[1:]


def test_a_write_that_is_lost_again_and_again_ends_at_the_deadline_of_repetitions() -> None:
    tenant = LocalGraph(every={"dismiss": LOST})
    written = write(tenant, [user_id(1), user_id(2)], retry_timeout=20)
    assert written.stopped is not None
    assert written.uncertain == {user_id(1), user_id(2)}
    assert tenant.time.now < 60


def test_when_the_reading_back_fails_the_first_cause_is_told() -> None:
    def look(dummy: t.Sequence[str]) -> ReadBack:
        raise PermissionDeniedError("may not read")

    written = write(LocalGraph(faults={1: 504}), [user_id(1)], read_back=look)
    assert written.stopped is not None and written.stopped.status == 504
    assert written.uncertain == {user_id(1)}


def test_an_answer_without_a_request_id() -> None:
    written = write(LocalGraph(every={"dismiss": {"headers": {"request-id": None}}}), [user_id(1)])
    assert (written.accepted, written.request_ids) == ({user_id(1)}, [])
