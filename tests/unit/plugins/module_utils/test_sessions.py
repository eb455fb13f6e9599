"""Guards of the task that ends sessions: whom groups and roles protect, and what stops it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import sessions
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import LocalGraph, user_id

GROUP = user_id(900)
MEMBERS, ACTIVE, ELIGIBLE = "transitiveMembers", "roleAssignments", "roleEligibilityScheduleInstances"


def run(graph: LocalGraph, users: t.Sequence[str], **params: t.Any) -> ModuleResult:
    given = {**dict.fromkeys(sessions.TASK_SPEC), "state": "revoked", "return_users": "all", "users": users, **params}
    return sessions.run(given, check_mode=False, diff=False, connect=graph.client)


def answer(graph: LocalGraph, path: str, *items: t.Mapping[str, t.Any]) -> None:
    graph.tenant.add_fault(path=path, status=200, body={"value": items})


def test_never_writes_to_members_of_groups_and_role_holders() -> None:
    graph = LocalGraph()
    member, active, eligible, other = users = [graph.add_unlisted(number) for number in range(4)]
    answer(graph, MEMBERS, {"id": member})
    answer(graph, ACTIVE, {"principalId": active, "principal": {"@odata.type": "#microsoft.graph.user", "id": active}})
    answer(graph, ELIGIBLE, {"principalId": eligible})
    result = run(graph, users, exclude_groups=[GROUP], exclude_role_holders=True)
    reasons = [entry["reason"] for entry in result.data["users"]]
    assert reasons == ["excluded", "privileged", "privileged", None] and graph.written == [other]


def test_reads_no_guard_where_nobody_is_due() -> None:
    graph = LocalGraph()
    users = [graph.add_unlisted(1)]
    run(graph, users, exclude_groups=[GROUP], exclude_role_holders=True, exclude_users=users)
    run(graph, users, exclude_groups=[GROUP], exclude_role_holders=True, revoked_since="2020-01-01T00:00:00Z")
    assert {entry["path"] for entry in graph.tenant.journal.entries} == {"/v1.0/users"}


@pytest.mark.parametrize("broken", [MEMBERS, ACTIVE, ELIGIBLE])
@pytest.mark.parametrize(("status", "kind"), [(403, "permission"), (404, "request")])
def test_a_guard_that_cannot_be_read_stops_the_task(broken: str, status: int, kind: str) -> None:
    graph = LocalGraph()
    users = [graph.add_unlisted(number) for number in range(2)]
    graph.tenant.add_fault(path=broken, status=status)
    for path in (MEMBERS, ACTIVE, ELIGIBLE):
        answer(graph, path, {"id": GROUP, "principalId": GROUP})
    result = run(graph, users, exclude_groups=[GROUP], exclude_role_holders=True)
    assert result.error is not None and result.error.kind == kind and graph.written == []
