"""Who is protected by groups, roles and passwords, and what Graph may answer that stops a task."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import sessions
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    GRAPH,
    LocalGraph,
    user_id,
)

GROUP = "5d3e7c10-0000-4000-8000-00000000a001"
OTHER = "5d3e7c10-0000-4000-8000-00000000a002"
MEMBERS, OTHER_MEMBERS = f"groups/{GROUP}/transitiveMembers", f"groups/{OTHER}/transitiveMembers"
ACTIVE, ELIGIBLE = "directory/roleAssignments", "directory/roleEligibilityScheduleInstances"
FIRST, SECOND, THIRD = map(user_id, (1, 2, 3))
GROUPS = {"exclude_groups": [GROUP]}
ROLES = {"exclude_role_holders": True}


def ids(*keys: t.Any) -> dict[str, t.Any]:
    return {"value": [{"id": key} for key in keys]}


def holders(*keys: str, kind: str | None = "user") -> dict[str, t.Any]:
    """A list of roles, with the type of the principals; None where Graph tells nothing of them."""
    return {
        "value": [
            {"principalId": key, "principal": kind and {"id": key, "@odata.type": f"#microsoft.graph.{kind}"}}
            for key in keys
        ]
    }


NOBODY = holders()
ADMIN = holders(user_id(99))


def graph_of(answers: t.Mapping[str, t.Any]) -> LocalGraph:
    """Three users at risk, and what Graph answers by path: a body, or a fault."""
    graph = LocalGraph()
    for number in (1, 2, 3):
        graph.add(number)
    for path, answer in answers.items():
        graph.tenant.add_fault(path=path, **(answer if "value" not in answer else {"status": 200, "body": answer}))
    return graph


def end_sessions(graph: LocalGraph, *, check_mode: bool = False, **params: t.Any) -> ModuleResult:
    """A task of `user_sessions`, where `LocalGraph.run` is one of `risky_user`."""
    given = {**dict.fromkeys(sessions.TASK_SPEC), "state": "revoked", "return_users": "all", **params}
    return sessions.run(given, check_mode=check_mode, diff=False, connect=graph.client)


TASKS = (LocalGraph.run, end_sessions)
MISSING = {"status": 404, "code": "Request_ResourceNotFound"}
FORBIDDEN = {"status": 403, "code": "Authorization_RequestDenied"}
UNLICENSED = {"status": 400, "code": "AadPremiumLicenseRequired"}


UNTYPED = {
    ACTIVE: holders(GROUP, THIRD, kind=None), ELIGIBLE: NOBODY, MEMBERS: ids(FIRST), f"/groups/{THIRD}": MISSING,
}  # fmt: skip
PROTECTED: t.Sequence[tuple[dict[str, t.Any], dict[str, t.Any], dict[str, str]]] = (
    (GROUPS, {MEMBERS: ids(FIRST.upper(), OTHER)}, {FIRST: "excluded"}),
    ({"exclude_groups": [GROUP.upper(), GROUP]}, {MEMBERS: ids(FIRST)}, {FIRST: "excluded"}),
    ({"exclude_groups": [GROUP, OTHER], **ROLES},
     {MEMBERS: ids(FIRST), OTHER_MEMBERS: ids(FIRST, SECOND), ACTIVE: holders(FIRST, THIRD), ELIGIBLE: NOBODY},
     {FIRST: "excluded", SECOND: "excluded", THIRD: "privileged"}),
    (ROLES, {ACTIVE: ADMIN, ELIGIBLE: holders(SECOND)}, {SECOND: "privileged"}),
    (ROLES, {ACTIVE: holders(FIRST, kind="agentUser"), ELIGIBLE: NOBODY, "/groups/": MISSING}, {FIRST: "privileged"}),
    # Groups are opened: active, eligible, without a type, and empty ones.
    (ROLES,
     {ACTIVE: holders(GROUP, kind="group"), ELIGIBLE: holders(OTHER, kind="group"), MEMBERS: ids(FIRST),
      OTHER_MEMBERS: ids(SECOND)},
     {FIRST: "privileged", SECOND: "privileged"}),
    (ROLES, UNTYPED, {FIRST: "privileged", THIRD: "privileged"}),
    # A list that does not take $expand.
    (ROLES, {rf"{ACTIVE}\?": {"status": 400}, **UNTYPED}, {FIRST: "privileged", THIRD: "privileged"}),
    (ROLES, {ACTIVE: holders(GROUP, kind="group"), ELIGIBLE: NOBODY, MEMBERS: ids()}, {}),
    (ROLES, {ACTIVE: holders(GROUP, kind="servicePrincipal"), ELIGIBLE: NOBODY}, {}),
)  # fmt: skip


@pytest.mark.parametrize(("options", "answers", "expected"), PROTECTED)
@pytest.mark.parametrize("task", TASKS)
def test_protects(task: t.Any, options: dict[str, t.Any], answers: dict[str, t.Any], expected: dict[str, str]) -> None:
    graph = graph_of(answers)
    result = task(graph, users=[FIRST, SECOND, THIRD], **options)
    assert result.error is None, result.message
    assert {entry["id"]: entry["reason"] for entry in result.data["users"] if entry["outcome"] == "skipped"} == expected
    assert set(graph.written) == {FIRST, SECOND, THIRD} - expected.keys()


def part(body: dict[str, t.Any], link: str = f"{GRAPH}/v1.0/next?$skiptoken=2") -> dict[str, t.Any]:
    """A page that others follow."""
    return {**body, "@odata.nextLink": link}


BROKEN_OFF = {"skiptoken": {"status": 400}}
GROUP_ROLE = {ACTIVE: holders(GROUP, kind="group"), ELIGIBLE: NOBODY}
TWO_IDS = {"principalId": FIRST, "principal": {"id": GROUP}}
PASSWORD = {"if_password_changed": True}
STOPS: t.Sequence[tuple[dict[str, t.Any], dict[str, t.Any], str, list[str]]] = (
    (GROUPS, {MEMBERS: MISSING}, "request", ["no group with this object ID", GROUP, "GroupMember.Read.All"]),
    (GROUPS, {MEMBERS: ids()}, "request", ["shows no member", GROUP, "Member.Read.Hidden"]),
    (GROUPS, {MEMBERS: FORBIDDEN}, "permission", [GROUP, "lacks the Graph permission GroupMember.Read.All"]),
    (GROUPS, {MEMBERS: ids(*map(user_id, range(20_001)))}, "request", [GROUP, "more than 20,000 members"]),
    (GROUPS, {MEMBERS: ids(FIRST, None)}, "service", [GROUP, "without an object ID"]),
    (GROUPS, {MEMBERS: {"value": [FIRST]}}, "service", [GROUP, "without an object ID"]),
    (GROUPS, {MEMBERS: {"value": None}}, "service", [GROUP, "a list without a value"]),
    (GROUPS, {MEMBERS: {"gateway": True, "status": 404}}, "service", [GROUP, "proxy or gateway"]),
    (GROUPS, {**BROKEN_OFF, MEMBERS: part(ids(FIRST))}, "service", [GROUP, "broke off"]),
    (GROUPS, {"skiptoken": MISSING, MEMBERS: part(ids(FIRST))}, "request", [GROUP, "refused"]),
    (GROUPS, {MEMBERS: part(ids(FIRST), "https://other.example/x")}, "service", [GROUP, "another place"]),
    ({"exclude_groups": [GROUP, OTHER]}, {MEMBERS: ids(FIRST), OTHER_MEMBERS: MISSING}, "request", [OTHER]),
    (ROLES, {ACTIVE: FORBIDDEN}, "permission", ["active", "RoleManagement.Read.Directory"]),
    (ROLES, {ACTIVE: MISSING}, "request", ["active", "RoleManagement.Read.Directory"]),
    (ROLES, {ACTIVE: ADMIN, ELIGIBLE: MISSING}, "request", ["eligible", "RoleEligibilitySchedule.Read.Directory"]),
    (ROLES, {ACTIVE: NOBODY, ELIGIBLE: NOBODY}, "service", ["every tenant has an administrator"]),
    (ROLES, {ACTIVE: ADMIN, ELIGIBLE: FORBIDDEN}, "permission", ["RoleEligibilitySchedule.Read.Directory"]),
    (ROLES, {ACTIVE: ADMIN, ELIGIBLE: UNLICENSED}, "license", ["eligible", "ID Governance"]),
    (ROLES, {ACTIVE: {"value": [{"id": FIRST}]}}, "service", ["without an object ID"]),
    (ROLES, {ACTIVE: {"value": [TWO_IDS]}}, "service", ["two different"]),
    (ROLES, {**BROKEN_OFF, ACTIVE: part(ADMIN)}, "service", ["broke off"]),
    (ROLES, {**GROUP_ROLE, MEMBERS: MISSING}, "request", [GROUP, "no group"]),
    (ROLES, {**GROUP_ROLE, MEMBERS: FORBIDDEN}, "permission", [GROUP, "GroupMember"]),
    (PASSWORD, {r"/users\?": FORBIDDEN}, "permission", ["User.Read.All"]),
    (PASSWORD, {r"/users": {"status": 500}}, "service", ["User.Read.All"]),
    (PASSWORD, {r"/users": {"status": 400}}, "request", ["User.Read.All"]),
    (PASSWORD, {r"/users": {"status": 404}}, "request", ["User.Read.All"]),
)  # fmt: skip


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("task", "options", "answers", "kind", "words"),
    [(task, *stop) for task in TASKS for stop in STOPS if task is LocalGraph.run or stop[0] is not PASSWORD],
)
def test_stops_before_the_first_write(
    task: t.Any, options: dict[str, t.Any], answers: dict[str, t.Any], kind: str, words: list[str], check: bool
) -> None:
    graph = graph_of(answers)
    result = task(graph, users=[FIRST, SECOND], check_mode=check, **options)
    assert result.error is not None and result.error.kind == kind, result.message
    assert next(iter(options)) in result.message and all(word in result.message for word in words), result.message
    assert result.data["changed"] is False
    assert not [entry for entry in graph.tenant.journal.select(method="POST") if "getByIds" not in entry["path"]]
    assert [entry["outcome"] for entry in result.data["users"]] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"exclude_groups": ["Break Glass"]}, "'Break Glass' is not an object ID"),
        ({"exclude_groups": [GROUP, "a@x.example", ""]}, "'a@x.example', '' are not"),
        ({"if_password_changed": True, "state": "compromised"}, "state dismissed only"),
        ({"if_password_changed": True, "state": "safe"}, "state dismissed only"),
    ],
)
def test_refuses_before_any_request(options: dict[str, t.Any], words: str) -> None:
    graph = graph_of({})
    result = graph.run(users=[FIRST], **options)
    assert result.error is not None and result.error.kind == "request" and words in result.message
    assert graph.tenant.journal.entries == []


def test_reads_no_guard_that_nobody_needs() -> None:
    guards = {"exclude_groups": [GROUP], **ROLES, "if_password_changed": True}
    graph = graph_of({MEMBERS: ids(FIRST, SECOND, THIRD)})
    assert graph.run(users=[FIRST], exclude_users=[FIRST], **guards).error is None
    # The members are all of those that would be written to, so nobody asks for roles and passwords.
    assert graph.run(users=[FIRST, SECOND], **guards).error is None
    asked = [entry["path"] for entry in graph.tenant.journal.entries if "identityProtection" not in entry["path"]]
    assert asked == [f"/v1.0/{MEMBERS}"]


@pytest.mark.parametrize("left_alone", [{"exclude_users": [FIRST]}, {"revoked_since": "2020-01-01T00:00:00Z"}])
def test_reads_no_guard_where_no_session_is_due(left_alone: dict[str, t.Any]) -> None:
    graph = graph_of({})
    assert end_sessions(graph, users=[FIRST], **GROUPS, **ROLES, **left_alone).error is None
    assert {entry["path"] for entry in graph.tenant.journal.entries} == {"/v1.0/users"}


def test_protection_holds_after_a_write_whose_answer_was_lost() -> None:
    changed = {"risk_state": "atRisk", "risk_last_updated": "2026-11-20T00:00:00Z"}
    graph = graph_of({MEMBERS: ids(FIRST)})
    passwords = [{"id": key, "lastPasswordChangeDateTime": "2026-11-02T00:00:00Z"} for key in (SECOND, THIRD)]
    graph.tenant.add_fault(path=r"/users\?", status=200, body={"value": passwords})
    graph.tenant.add_fault(method="POST", times=1, drop="before", change={SECOND: changed})
    result = graph.run(users=[FIRST, SECOND, THIRD], **GROUPS, if_password_changed=True)
    assert [entry["reason"] for entry in result.data["users"]] == ["excluded", "password_unchanged", None]
    assert graph.written == [THIRD]
