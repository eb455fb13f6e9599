"""The local tenant's Graph instead of the HTTP transport: no socket, and time passes only when somebody sleeps.

tenant = LocalGraph(page_size=2)         # switches of the local tenant
key = tenant.add(1)                      # a user at risk
tenant.faults = {2: 503}                 # the second request goes wrong
result = tenant.run(users=[key])         # or a client of your own: `tenant.client()`
assert tenant.written == [key]

`tenant.tenant` is the whole tenant of tests/entra_emulator, with everything that its README tells.
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
DIRECTORY_ROLES = ("User.Read.All", "Application.Read.All")
APP_ID = "4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77"
# When the risk of a record changed, unless a test says otherwise.
CHANGED = "2026-11-01T10:00:00.1234567Z"
# Ways in which a request can go wrong: the connection breaks before the effect, or after it; a status, or a status
# with a body; or the fields of a fault of the local tenant.
LOST, LOST_AFTER = "lost", "lost after the effect"
Failure = t.Union[str, int, "tuple[int, str]", "dict[str, t.Any]"]
# The options of the modules when a task gives none.
NOTHING: dict[str, t.Any] = {
    "state": "dismissed",
    "users": None,
    "filters": None,
    "exclude_users": None,
    "max_changes": None,
    "limit": None,
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

    `key` is its word in options and results.
    """

    resource: Resource
    path: str
    key: str
    ids_key: str
    name_property: str
    name: t.Callable[[int], str]

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
)
WORKLOADS = Kind(
    resource=RISKY_SERVICE_PRINCIPALS,
    path="/v1.0/identityProtection/riskyServicePrincipals",
    key="service_principals",
    ids_key="servicePrincipalIds",
    name_property="displayName",
    name=app_name,
)


@functools.cache
def _surroundings() -> Surroundings:
    """The keys that sign tokens take a moment to make: once for all tests."""
    return Surroundings(GRAPH, GRAPH, GRAPH, AccessTokens(), OidcIssuer(GRAPH))


class LocalGraph:
    """A tenant with objects of one kind, its Graph, and the clock that both it and the client read.

    `faults` maps the number of a request (from 1) to what goes wrong with it; `every` goes wrong each time for the
    paths that end with its keys. `filters` and `orders` say what the service does with the text of a `$filter` and an
    `$orderby`: `honor`, `refuse` or `ignore` it. Takes the switches of the local tenant as further keywords.
    """

    def __init__(
        self,
        kind: Kind = PEOPLE,
        *,
        faults: t.Mapping[int, Failure] | None = None,
        every: t.Mapping[str, Failure] | None = None,
        filters: t.Callable[[str], str] = lambda dummy: "honor",
        directory_forbidden: bool = False,
        **switches: t.Any,
    ) -> None:
        self.kind = kind
        self.faults = dict(faults or {})
        self.every = dict(every or {})
        self.filters = filters
        self.orders: t.Callable[[str], str] = lambda dummy: "honor"
        self.time = SimulatedTime()
        clock = self.time.clock
        self.tenant = Tenant(_surroundings(), clock=Clock(clock.wall, clock.monotonic, clock.sleep))
        self.switches = self.tenant.switches
        self.switches.update(switches)
        self.directory_forbidden = directory_forbidden
        self._tokens: dict[bool, str] = {}
        self._set = kind.path.rpartition("/")[2]
        self._graph = GraphService(find_tenant=lambda dummy: self.tenant, tokens=_surroundings().tokens)
        self._traffic = Traffic()

    @property
    def token(self) -> str:
        """A token with all permissions, but those of the directory if that is forbidden."""
        roles = [role for role in ALL_ROLES if not self.directory_forbidden or role not in DIRECTORY_ROLES]
        if self.directory_forbidden not in self._tokens:
            minted = self.tenant.mint_token(roles=roles, audience=GRAPH, expires_in=1e9)
            self._tokens[self.directory_forbidden] = minted
        return self._tokens[self.directory_forbidden]

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
        given: dict[str, t.Any] = {"id": key, "risk_last_updated": CHANGED, "in_directory": known}
        if self.kind is PEOPLE:
            self.tenant.add_user(name or "", display_name="A Person", **given)
        else:
            self.tenant.add_service_principal(name or "", app_id=APP_ID, **given)
        if directory_name is not None:
            record.setdefault(self.kind.name_property, self.kind.name(number))
        self.tenant.live_record(self._set, key).update({"riskState": state, "riskLevel": level, **record})
        return key

    def add_unlisted(self, number: int, name: str | None = None) -> str:
        """An object of the directory without a risk record."""
        add = self.tenant.add_user if self.kind is PEOPLE else self.tenant.add_service_principal
        return add(name or self.kind.name(number), id=user_id(number), listed=False).id

    @property
    def records(self) -> t.Mapping[str, dict[str, t.Any]]:
        """The properties of the risk records, by id: those of the tenant, not a copy."""
        return self.tenant.live_records(self._set)

    def state_of(self, key: str) -> str | None:
        return self.records[key]["riskState"] if key in self.records else None

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
        """The ids of each write that reached the service."""
        return [
            entry["body"][self.kind.ids_key]
            for entry in self._entries
            if self.kind.ids_key in (entry["body"] or ()) and (entry["written"] or not entry["fault"])
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
        self._arrange(request)
        answer = self._traffic.record(request, self.tenant, lambda entry: self._graph.serve(request, entry["written"]))
        if answer.drop or answer.cut or answer.raw is not None:
            raise NetworkError("The connection broke.", outcome_unknown=True)
        said = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, said, answer.get_data().decode("utf-8", "replace"))

    def close(self) -> None:
        """Nothing is open."""

    def _arrange(self, request: Request) -> None:
        """Prepare the tenant for what is to become of the next request."""
        always = [failure for ending, failure in self.every.items() if request.path.endswith(ending)]
        failure = always[-1] if always else self.faults.get(len(self.tenant.journal) + 1)
        self.tenant.clear_faults()
        if failure is not None:
            self.tenant.add_fault(**_fields(failure))
        asked = request.args
        self.switches.filter_mode = self.filters(asked["$filter"]) if "$filter" in asked else "honor"
        self.switches.orderby_mode = self.orders(asked["$orderby"]) if "$orderby" in asked else "honor"


_LOST: t.Mapping[str, dict[str, t.Any]] = {LOST: {"drop": "before"}, LOST_AFTER: {"drop": "after"}}


def _fields(failure: Failure) -> dict[str, t.Any]:
    """The fault of the local tenant. A bare status comes with Graph's error, or without a body if it is none."""
    if isinstance(failure, dict):
        return failure
    if isinstance(failure, str):
        return _LOST[failure]
    status, body = failure if isinstance(failure, tuple) else (failure, None if failure >= 400 else "")
    return {"status": status, "body": body}


class _TokenSource:
    def __init__(self, graph: LocalGraph) -> None:
        self._graph = graph

    def token(self) -> str:
        return self._graph.token

    def renew(self) -> bool:
        return False
