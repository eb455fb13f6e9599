"""What the checks of a tenant find, by its licenses, its token, and the answers of Graph."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._http import Response
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.access import check_access
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.access_checks import CHECKS
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import LocalGraph

ALL = tuple(check.required.permission for check in CHECKS)
NAMES = " ".join(check.name for check in CHECKS)
READER, WRITER = "5d6b6bb7-de71-4623-b4af-96380a352509", "194ae4cb-b126-40b2-bd5b-6091b380977d"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
WRITES = "write_risky_users write_risky_service_principals"
WORKLOADS = "read_risky_service_principals write_risky_service_principals read_service_principal_risk_detections"
USERS = "read_risky_users write_risky_users"
RISK = f"{USERS} read_risk_detections {WORKLOADS}"


class Graph(LocalGraph):
    """A local Graph for a token with all permissions, before which something may exchange the token that it shows."""

    shown: str | None = None

    def __init__(self, **more: t.Any) -> None:
        super().__init__(**{"token": {"roles": ALL}, **more})

    def token(self) -> str:
        return self.shown or super().token()

    def send(self, *args: t.Any, bearer: str, **more: t.Any) -> Response:
        return super().send(*args, bearer=super().token(), **more)


def check(graph: LocalGraph) -> ModuleResult:
    result = check_access({}, connect=graph.client)
    for entry in result.data["checks"]:
        # Whatever does not work has a reason, and nothing else has one.
        assert bool(entry["message"]) is (entry["allowed"] is not True)
    assert {entry["method"] for entry in graph.tenant.journal.entries} <= {"GET"}
    return result


def found(result: ModuleResult, key: str = "allowed") -> dict[str, t.Any]:
    return {entry["name"]: entry[key] for entry in result.data["checks"]}


def marks(no: str = "", unknown: str = "") -> dict[str, bool | None]:
    """Every check passes but these."""
    return {**dict.fromkeys(NAMES.split(), True), **dict.fromkeys(no.split(), False), **dict.fromkeys(unknown.split())}


def person(*scopes: str, wids: t.Sequence[str]) -> dict[str, t.Any]:
    return {"scp": " ".join(scopes or ALL), "wids": wids}


def but(text: str, *gone: str) -> str:
    return " ".join(name for name in text.split() if name not in gone)


# The token, what it does not allow, what nobody can tell, and whether risky_user can work.
TOKENS: t.Sequence[tuple[dict[str, t.Any], str, str, bool]] = (
    ({"roles": ALL}, "", "", True),
    # Who may write may read.
    ({"roles": [ALL[1]]}, but(NAMES, *USERS.split()), "", True),
    ({"roles": [name for name in ALL if "ReadWrite" not in name]}, WRITES, "", False),
    # Whether a higher one does is documented for delegated tokens only.
    ({"roles": [*ALL[:-1], "User.ReadWrite.All"]}, "", "revoke_sessions", True),
    ({"roles": []}, NAMES, "", False),
    (person(wids=[WRITER]), "", "revoke_sessions", True),
    (person(wids=[READER]), WRITES, "revoke_sessions", False),
    (person(wids=[HELPDESK]), RISK, "revoke_sessions", False),
    (person(ALL[1], wids=[WRITER]), but(NAMES, *USERS.split()), "", True),
)


@pytest.mark.parametrize(("token", "no", "unknown", "ok"), TOKENS)
def test_tells_what_the_token_allows(token: dict[str, t.Any], no: str, unknown: str, ok: bool) -> None:
    result = check(Graph(token=token))
    assert found(result) == marks(no, unknown)
    assert (result.data["ok"], result.error) == (ok, None)
    messages = found(result, "message")
    assert all(permission in messages[name] for name, permission in found(result, "permission").items() if name in no)


def test_names_the_role_that_the_user_of_the_token_lacks() -> None:
    messages = found(check(Graph(token=person(wids=[HELPDESK]))), "message")
    assert "Security Reader" in messages["read_risky_users"]
    assert "delegated permission" in messages["write_risky_users"]
    assert "Security Administrator" in messages["write_risky_users"]


# What Graph is asked about.
ASKED = but(NAMES, "revoke_sessions")
# What the token that is shown says of itself, when everything is allowed, and when nothing is.
SHOWN: t.Sequence[tuple[t.Any, str, tuple[str, str], tuple[str, str]]] = (
    ("opaque", "unknown", ("", f"{WRITES} revoke_sessions"), (ASKED, "revoke_sessions")),
    # Roles that are not told, and permissions that Graph does not see.
    ({"scp": " ".join(ALL)}, "delegated", ("", f"{WRITES} revoke_sessions"), (ASKED, "revoke_sessions")),
    ({"roles": ALL}, "application", ("", ""), (ASKED, "")),
)


@pytest.mark.parametrize(("shown", "kind", "all_allowed", "none_allowed"), SHOWN)
def test_claims_only_explain(shown: t.Any, kind: str, all_allowed: t.Any, none_allowed: t.Any) -> None:
    for roles, expected in ((ALL, all_allowed), ((), none_allowed)):
        graph = Graph(token={"roles": roles})
        graph.shown = f"e30.{base64.urlsafe_b64encode(json.dumps(shown).encode()).decode().rstrip('=')}.c2ln"
        result = check(graph)
        assert found(result) == marks(*expected)
        assert result.data["identity"]["kind"] == kind
        assert result.data["ok"] is (expected == ("", ""))


@pytest.mark.parametrize(
    ("switches", "no"),
    [
        ({"licensed": False}, but(RISK, *WORKLOADS.split())),
        ({"workload_licensed": False}, WORKLOADS),
        ({"pim_licensed": False}, "read_eligible_roles"),
    ],
)
def test_a_missing_license_rules_out_writing(switches: dict[str, bool], no: str) -> None:
    result = check(Graph(**switches))
    assert found(result) == marks(no)
    licensed = found(result, "licensed")
    assert {name for name, value in licensed.items() if value is False} == set(no.split())
    assert all("licen" in message for name, message in found(result, "message").items() if name in no)


NO_SUCH_API = "Resource not found for the segment 'riskyUsers'."
# An answer to the first question, whether it means "no", and the status and code that are told of it.
FAULTS: t.Sequence[tuple[dict[str, t.Any], bool, tuple[int | None, str | None]]] = (
    ({"status": 403}, True, (403, "Forbidden")),
    ({"status": 404}, True, (404, "ResourceNotFound")),
    ({"status": 400, "code": "BadRequest", "message": NO_SUCH_API}, True, (400, "BadRequest")),
    ({"status": 404, "gateway": True, "body": "no"}, False, (404, None)),
    ({"status": 400, "code": "BadRequest"}, False, (400, "BadRequest")),
    ({"status": 429}, False, (429, "TooManyRequests")),
    ({"status": 500}, False, (500, "InternalServerError")),
    ({"drop": "before"}, False, (None, None)),
    # An answer that is none must not read as "yes".
    ({"status": 200, "body": {}}, False, (200, None)),
)


@pytest.mark.parametrize(("fault", "no", "said"), FAULTS, ids=str)
def test_only_an_answer_of_graph_counts(fault: dict[str, t.Any], no: bool, said: tuple[int | None, str | None]) -> None:
    graph = Graph()
    graph.tenant.add_fault(path="/riskyUsers", **fault)
    result = check(graph)
    assert found(result) == marks(**{"no" if no else "unknown": USERS})
    assert (found(result, "status")["read_risky_users"], found(result, "code")["read_risky_users"]) == said
    assert (result.data["ok"], result.error) == (False, None)


def test_an_outage_is_told_within_minutes() -> None:
    graph = Graph()
    graph.tenant.add_fault(status=503)
    started = graph.time.clock.monotonic()
    assert found(check(graph)) == marks(unknown=NAMES)
    assert graph.time.clock.monotonic() - started < 300


@pytest.mark.parametrize("after", [1, 3])
def test_fails_where_graph_refuses_the_token(after: int) -> None:
    graph = Graph()
    graph.tenant.add_fault(nth=after, status=401)
    result = check(graph)
    assert result.error is not None and result.error.kind == "login"
    assert (result.data["ok"], result.data["identity"]["kind"]) == (False, "application")
    assert list(found(result)) == NAMES.split()[: after - 1 and 3]


def test_asks_each_api_once_and_for_little() -> None:
    graph = Graph()
    result = check(graph)
    assert result.message == "risky_user has what it needs, for check mode and for writing."
    assert len(graph.tenant.journal) == sum(each.paths is not None for each in CHECKS)
    assert graph.reads <= 4
