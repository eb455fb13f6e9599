"""The local tenant's Graph in the place of the HTTP transport: no socket, and time passes only when somebody sleeps.

graph = LocalGraph(page_size=2)         # switches of the local tenant
key = graph.add(1)                      # a user at risk; `graph.tenant` has everything else
graph.break_request(2, 503)             # the second request from now on
report = graph.run(users=[key])         # also: read, detect, or a client of your own by `graph.client()`
assert graph.written == [key]
"""

from __future__ import annotations

import dataclasses
import functools
import json
import typing as t
from urllib.parse import quote, urlencode, urlsplit

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import NetworkError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.client import GraphClient
from ansible_collections.identityops.entra_risk.plugins.module_utils._http import Response
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import (
    RISKY_SERVICE_PRINCIPALS,
    RISKY_USERS,
    Resource,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import change as _engine
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import read_detections as _detections
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import read_risk as _info
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.entra_emulator.clock import Clock
from ansible_collections.identityops.entra_risk.tests.entra_emulator.graph import GraphService
from ansible_collections.identityops.entra_risk.tests.entra_emulator.resources import ALL_ROLES
from ansible_collections.identityops.entra_risk.tests.entra_emulator.tenant import Surroundings, Tenant
from ansible_collections.identityops.entra_risk.tests.entra_emulator.tokens import AccessTokens, OidcIssuer
from ansible_collections.identityops.entra_risk.tests.entra_emulator.traffic import Traffic
from ansible_collections.identityops.entra_risk.tests.entra_emulator.web import Request
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.simulated_time import SimulatedTime

GRAPH = "https://graph.example"
RISKY = "/v1.0/identityProtection/riskyUsers"
DETECTIONS = "/v1.0/identityProtection/riskDetections"
DIRECTORY_ROLES = ("User.Read.All", "Application.Read.All")
# When the risk of a record changed, and a detection was made, unless a test says otherwise.
CHANGED = "2026-11-01T10:00:00.1234567Z"
# Ways in which a request can go wrong: the connection breaks before the effect, or after it; a status, or a status
# with a body.
LOST, LOST_AFTER = "lost", "lost after the effect"
Failure = t.Union[str, int, "tuple[int, str]"]
# The options of the modules when a task gives none.
NOTHING_TO_READ: dict[str, t.Any] = {"users": None, "filters": None, "limit": None, "include_history": False}
NOTHING: dict[str, t.Any] = {
    "state": "dismissed",
    "users": None,
    "filters": None,
    "exclude_users": None,
    "max_changes": None,
    "if_unmodified_since": None,
    "wait": False,
    "wait_timeout": 300,
    "return_users": "all",
}


def user_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def upn(number: int) -> str:
    return f"user{number}@contoso.example"


def app_name(number: int) -> str:
    return f"app{number}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of risky object as the service and people call it, written down apart from the code under test.

    `key` is its word in options and results, `unknown` the reason when one does not exist.
    """

    resource: Resource
    path: str
    key: str
    ids_key: str
    name_property: str
    name: t.Callable[[int], str]
    directory: str
    directory_permission: str
    nouns: str
    unknown: str

    def options(self, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Options of the modules of users as the modules of this kind call them."""
        return {name.replace("users", self.key): value for name, value in given.items()}


PEOPLE = Kind(
    resource=RISKY_USERS,
    path=RISKY,
    key="users",
    ids_key="userIds",
    name_property="userPrincipalName",
    name=upn,
    directory="users",
    directory_permission="User.Read.All",
    nouns="users",
    unknown="unknown_user",
)
WORKLOADS = Kind(
    resource=RISKY_SERVICE_PRINCIPALS,
    path="/v1.0/identityProtection/riskyServicePrincipals",
    key="service_principals",
    ids_key="servicePrincipalIds",
    name_property="displayName",
    name=app_name,
    directory="servicePrincipals",
    directory_permission="Application.Read.All",
    nouns="service principals",
    unknown="unknown_service_principal",
)
KINDS = (PEOPLE, WORKLOADS)


def entries(report: ModuleResult) -> list[dict[str, t.Any]]:
    """What a report says of each object, whatever its kind."""
    found: list[dict[str, t.Any]] = next(report.data[kind.key] for kind in KINDS if kind.key in report.data)
    return found


@functools.cache
def _surroundings() -> Surroundings:
    """The keys that sign tokens take a moment to make: once for all tests."""
    return Surroundings(GRAPH, GRAPH, GRAPH, AccessTokens(), OidcIssuer(GRAPH))


class LocalGraph:
    """A tenant with objects of one kind, its Graph, and the clock that both it and the client read.

    Takes the switches of the local tenant as keywords.
    """

    def __init__(self, kind: Kind = PEOPLE, **switches: t.Any) -> None:
        self.kind = kind
        self.time = SimulatedTime()
        clock = self.time.clock
        self.tenant = Tenant(_surroundings(), clock=Clock(clock.wall, clock.monotonic, clock.sleep))
        self.tenant.switches.update(switches)
        self.token = self.mint()
        self._graph = GraphService(find_tenant=lambda dummy: self.tenant, tokens=_surroundings().tokens)
        self._traffic = Traffic()

    def mint(self, *without: str) -> str:
        """A token with all permissions but these. Assign it to `token` to use it."""
        roles = [role for role in ALL_ROLES if role not in without]
        return self.tenant.mint_token(roles=roles, audience=GRAPH, expires_in=1e9)

    def forbid_directory(self) -> None:
        """From now on the app may not read the directory."""
        self.token = self.mint(*DIRECTORY_ROLES)

    # Who is there

    def add(
        self,
        number: int,
        state: str | None = "atRisk",
        level: str | None = "medium",
        *,
        directory_name: str | None = None,
        **record: t.Any,
    ) -> str:
        """An object with a risk record, known to the directory too.

        :param directory_name: when the directory has another name for it than the record.
        :param record: properties of the record that differ, whatever they hold. Whoever `isDeleted`, or has no name, is
            not in the directory.
        """
        key = user_id(number)
        name = directory_name or record.get(self.kind.name_property, self.kind.name(number))
        known = name is not None and not record.get("isDeleted")
        add = self.tenant.add_user if self.kind is PEOPLE else self.tenant.add_service_principal
        add(name or "", id=key, risk_last_updated=CHANGED, in_directory=known)
        if directory_name is not None:
            record.setdefault(self.kind.name_property, self.kind.name(number))
        self.records[key].update(riskState=state, riskLevel=level, **record)
        return key

    def add_unlisted(self, number: int, name: str | None = None) -> str:
        """An object of the directory without a risk record."""
        add = self.tenant.add_user if self.kind is PEOPLE else self.tenant.add_service_principal
        return add(name or self.kind.name(number), id=user_id(number), listed=False).id

    def add_detection(self, user: int, detected: str | None = CHANGED, **detection: t.Any) -> str:
        """A detection of a user, who need not exist; gives its id. `detection` are properties that differ."""
        values = self.tenant.add_detection(None, id=f"detection-{len(self.tenant.live_detections())}")
        self.tenant.live_detections()[-1].update(
            {
                "userId": user_id(user),
                "userPrincipalName": upn(user),
                "detectedDateTime": detected,
                "lastUpdatedDateTime": detected,
                **detection,
            }
        )
        return str(detection.get("id", values["id"]))

    @property
    def records(self) -> t.Mapping[str, dict[str, t.Any]]:
        """The properties of the risk records, by id: those of the tenant, not a copy."""
        return self.tenant.live_records(self.kind.path.rpartition("/")[2])

    def state_of(self, key: str) -> str | None:
        return self.records[key]["riskState"] if key in self.records else None

    # What goes wrong

    def break_request(self, number: int, failure: Failure, **where: t.Any) -> None:
        """The request with this number from now on goes wrong."""
        self.tenant.add_fault(nth=number, **_FAULTS.get(failure) or _answer(failure), **where)

    def break_path(self, path: str, failure: Failure, **where: t.Any) -> None:
        """Each request whose path and query match an expression goes wrong."""
        self.tenant.add_fault(path=path, **_FAULTS.get(failure) or _answer(failure), **where)

    # What was asked

    @property
    def log(self) -> list[tuple[str, str, t.Any]]:
        """Method, path, and the query or else the body of each request."""
        return [(entry["method"], entry["path"], entry["query"] or entry["body"]) for entry in self._entries]

    @property
    def _entries(self) -> list[dict[str, t.Any]]:
        return self.tenant.journal.entries

    @property
    def bodies(self) -> list[list[str]]:
        """The ids of each write, whatever came of it."""
        return [
            entry["body"][self.kind.ids_key]
            for entry in self._entries
            if entry["method"] == "POST" and entry["path"].startswith(self.kind.path)
        ]

    @property
    def written(self) -> list[str]:
        """The ids that the service accepted, in order."""
        return [key for entry in self._entries for key in entry["written"]]

    @property
    def writes(self) -> int:
        return len(self.bodies)

    @property
    def reads(self) -> int:
        """Requests for risk records, their history and detections."""
        return sum(entry["method"] == "GET" and "/risk" in entry["path"] for entry in self._entries)

    @property
    def look_ups(self) -> int:
        """Requests to the directory."""
        return sum("/risk" not in entry["path"] for entry in self._entries)

    # Who asks

    def client(self, retry_timeout: float = 300, api_version: str = "v1.0") -> GraphClient:
        return GraphClient(
            t.cast(t.Any, self),
            t.cast(t.Any, _TokenSource(self)),
            GRAPH,
            api_version=api_version,
            retry_timeout=retry_timeout,
            redactor=Redactor(),
            clock=self.time.clock,
        )

    def run(
        self, *, check_mode: bool = False, diff: bool = False, retry_timeout: float = 300, **params: t.Any
    ) -> ModuleResult:
        """A task that changes risk, as AnsibleModule would hand it over. Takes the options of `risky_user`."""
        return _engine.run(
            self.kind.options({**NOTHING, **params}),
            self.kind.resource,
            check_mode=check_mode,
            diff=diff,
            connect=lambda: self.client(retry_timeout),
            clock=self.time.clock,
        )

    def read(self, *, api_version: str = "v1.0", **params: t.Any) -> ModuleResult:
        """A task that reads risk. Takes the options of `risky_user_info`."""
        return _info.read(
            self.kind.options({**NOTHING_TO_READ, **params}),
            self.kind.resource,
            connect=lambda: self.client(api_version=api_version),
            clock=self.time.clock,
        )

    def detect(self, *, api_version: str = "v1.0", **params: t.Any) -> ModuleResult:
        """A task that reads detections."""
        return _detections.read(
            {**NOTHING_TO_READ, **params},
            connect=lambda: self.client(api_version=api_version),
            clock=self.time.clock,
        )

    # The interface of the transport

    def send(
        self,
        method: str,
        url: str,
        *,
        params: t.Mapping[str, str] | None = None,
        json_body: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
        bearer: str | None = None,
        **dummy: t.Any,
    ) -> Response:
        parts = urlsplit(url)
        query = urlencode(params, quote_via=quote, safe="$,") if params else parts.query
        given = {"Host": parts.netloc, **(headers or {})}
        if bearer is not None:
            given["Authorization"] = f"Bearer {bearer}"
        body = b"" if json_body is None else json.dumps(json_body).encode()
        if body:
            given["Content-Type"] = "application/json"
        target = f"{parts.path}?{query}" if query else parts.path
        request = Request.of("graph", method, target, given.items(), body)
        assert len(self.tenant.journal) < 5000, "the client never comes to an end"
        answer = self._traffic.record(request, self.tenant, lambda entry: self._graph.serve(request, entry["written"]))
        if answer.drop or answer.cut or answer.raw is not None:
            raise NetworkError("The connection broke.", outcome_unknown=True)
        said = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, said, answer.get_data().decode("utf-8", "replace"))

    def close(self) -> None:
        """Nothing is open."""


_FAULTS: t.Mapping[t.Any, dict[str, t.Any]] = {LOST: {"drop": "before"}, LOST_AFTER: {"drop": "after"}}


def _answer(failure: t.Any) -> dict[str, t.Any]:
    """The fault that gives an answer. A bare status comes with Graph's error, or without a body if it is none."""
    status, body = failure if isinstance(failure, tuple) else (failure, None if failure >= 400 else "")
    return {"status": status, "body": body}


class _TokenSource:
    def __init__(self, graph: LocalGraph) -> None:
        self._graph = graph

    def token(self) -> str:
        return self._graph.token

    def renew(self) -> bool:
        return False
