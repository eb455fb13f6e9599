"""A tenant in memory that answers in the place of the HTTP transport: everything above it is the real thing."""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t
from urllib.parse import parse_qsl, unquote, urlsplit

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps
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
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.odata_reading import odata_holds
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.simulated_time import (
    START,
    SimulatedTime,
)

GRAPH = "https://graph.example"
# What must never show in anything that a module prints.
TOKEN = "canary-access-token-0123456789"
RISKY = "/v1.0/identityProtection/riskyUsers"
DETECTIONS = "/v1.0/identityProtection/riskDetections"
EFFECTS = {
    "dismiss": ("dismissed", "none"),
    "confirmCompromised": ("confirmedCompromised", "high"),
    "confirmSafe": ("confirmedSafe", "none"),
}
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
# Ways in which one request can go wrong. The first two are connections that break, before and after the effect.
LOST, LOST_AFTER = "lost", "lost after the effect"
Fault = t.Union[str, int, "tuple[int, str]"]


def user_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def request_id(number: int) -> str:
    """What the service calls its answer to a request, counted from 1."""
    return f"aaaaaaaa-0000-4000-8000-{number:012d}"


def upn(number: int) -> str:
    return f"user{number}@contoso.example"


def app_name(number: int) -> str:
    return f"app{number}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of risky object as the service and people call it, written down apart from the code under test.

    `key` is its word in options and results, `unknown` the reason when one does not exist, `usual` are the properties
    of a record that only this kind has.
    """

    resource: Resource
    path: str
    beta_path: str
    key: str
    ids_key: str
    name_property: str
    name: t.Callable[[int], str]
    directory: str
    directory_type: str
    directory_permission: str
    nouns: str
    unknown: str
    usual: t.Mapping[str, t.Any]

    def options(self, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Options of the modules of users as the modules of this kind call them."""
        return {name.replace("users", self.key): value for name, value in given.items()}


PEOPLE = Kind(
    resource=RISKY_USERS,
    path=RISKY,
    beta_path="/beta/riskyUsers",
    key="users",
    ids_key="userIds",
    name_property="userPrincipalName",
    name=upn,
    directory="users",
    directory_type="user",
    directory_permission="User.Read.All",
    nouns="users",
    unknown="unknown_user",
    usual={"userDisplayName": "A Person", "isDeleted": False},
)
WORKLOADS = Kind(
    resource=RISKY_SERVICE_PRINCIPALS,
    path="/v1.0/identityProtection/riskyServicePrincipals",
    beta_path="/beta/identityProtection/riskyServicePrincipals",
    key="service_principals",
    ids_key="servicePrincipalIds",
    name_property="displayName",
    name=app_name,
    directory="servicePrincipals",
    directory_type="servicePrincipal",
    directory_permission="Application.Read.All",
    nouns="service principals",
    unknown="unknown_service_principal",
    usual={
        "appId": "4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77",
        "servicePrincipalType": "Application",
        "isEnabled": True,
    },
)
KINDS = (PEOPLE, WORKLOADS)


def told(report: ModuleResult) -> list[dict[str, t.Any]]:
    """What a report says of each object, whatever its kind."""
    entries: list[dict[str, t.Any]] = next(report.data[kind.key] for kind in KINDS if kind.key in report.data)
    return entries


@dataclasses.dataclass
class FakeTenant:
    """Risk records of one kind with their history, a directory, detections, and the moods of the service.

    `filters` and `orders` say what the service does with the text of a `$filter` and an `$orderby`. `faults` maps the
    number of a request (from 1) to what goes wrong with it; `every` goes wrong each time for the paths that end with
    its keys.
    """

    kind: Kind = PEOPLE
    records: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)
    histories: dict[str, list[t.Any]] = dataclasses.field(default_factory=dict)
    detections: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    directory: dict[str, str] = dataclasses.field(default_factory=dict)
    page_size: int = 500
    filters: t.Callable[[str], str] = lambda dummy: "honoured"
    orders: t.Callable[[str], str] = lambda dummy: "honoured"
    last_page_breaks: bool = False
    directory_forbidden: bool = False
    by_ids_status: int = 200
    rejected: frozenset[str] = frozenset()
    delay: float = 0.0
    vanish: bool = False
    stuck: frozenset[str] = frozenset()
    faults: dict[int, Fault] = dataclasses.field(default_factory=dict)
    every: dict[str, Fault] = dataclasses.field(default_factory=dict)
    good_status: int = 204
    log: list[tuple[str, str, t.Any]] = dataclasses.field(default_factory=list)
    bodies: list[list[str]] = dataclasses.field(default_factory=list)
    applied: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.time = SimulatedTime()
        self._due: list[tuple[float, str, tuple[str, str]]] = []

    # Who is there

    def add(self, number: int, state: str | None = "atRisk", level: str | None = "medium", **more: t.Any) -> str:
        """An object with a risk record, known to the directory under the same name."""
        record = {
            "id": user_id(number),
            self.kind.name_property: self.kind.name(number),
            "riskState": state,
            "riskLevel": level,
            "riskDetail": "none",
            "riskLastUpdatedDateTime": "2026-11-01T10:00:00.1234567Z",
            "isProcessing": False,
            **self.kind.usual,
            **more,
        }
        self.records[record["id"]] = record
        name = record[self.kind.name_property]
        if name is not None and not record.get("isDeleted"):
            self.directory[record["id"]] = name
        return record["id"]

    def add_unlisted(self, number: int, name: str | None = None) -> str:
        self.directory[user_id(number)] = name or self.kind.name(number)
        return user_id(number)

    def add_detection(self, user: int, detected: str | None = "2026-11-01T10:00:00.1234567Z", **more: t.Any) -> str:
        """A detection of a user, who need not have a risk record. It tells the id unless `more` says otherwise."""
        detection = {
            "id": f"detection-{len(self.detections)}",
            "userId": user_id(user),
            "userPrincipalName": upn(user),
            "riskEventType": "unfamiliarFeatures",
            "riskState": "atRisk",
            "riskLevel": "medium",
            "detectedDateTime": detected,
            "lastUpdatedDateTime": detected,
            **more,
        }
        self.detections.append(detection)
        return str(detection["id"])

    def state_of(self, key: str) -> str | None:
        self._let_pass()
        return self.records[key]["riskState"] if key in self.records else None

    # What is asked of it

    @property
    def reads(self) -> int:
        """Requests for risk records, their history and detections."""
        places = (self.kind.path, DETECTIONS)
        return sum(method == "GET" and path.startswith(places) for method, path, dummy in self.log)

    @property
    def writes(self) -> int:
        return len(self.bodies)

    @property
    def look_ups(self) -> int:
        """Requests to the directory."""
        place = f"/{self.kind.directory}/"
        return sum(place in path or path.endswith("getByIds") for dummy, path, dummy2 in self.log)

    def client(self, retry_timeout: float = 300, api_version: str = "v1.0") -> GraphClient:
        return GraphClient(
            t.cast(t.Any, self),
            t.cast(t.Any, _Token()),
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

    # The place of the transport

    def send(self, method: str, url: str, *, params: t.Any = None, json_body: t.Any = None, **dummy: t.Any) -> Response:
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == GRAPH
        path = unquote(parts.path)
        query = {**dict(parse_qsl(parts.query)), **(params or {})}
        self.log.append((method, path, query or json_body))
        assert len(self.log) < 5000, "the client never comes to an end"
        self._let_pass()
        fault = self.faults.get(len(self.log))
        for ending, always in self.every.items():
            if path.endswith(ending):
                fault = always
        if fault == LOST:
            raise NetworkError("The connection broke.", outcome_unknown=True)
        if fault is not None and fault != LOST_AFTER:
            if isinstance(fault, tuple):
                return self._answer(*fault)
            status = t.cast(int, fault)
            return self._error(status, "Refused", "No.") if status >= 400 else self._answer(status, "")
        answer = self._serve(method, path, query, json_body)
        if fault == LOST_AFTER:
            raise NetworkError("The connection broke.", outcome_unknown=True)
        return answer

    def close(self) -> None:
        """Nothing is open."""

    def _serve(self, method: str, path: str, query: dict[str, str], body: t.Any) -> Response:
        beta = path.startswith("/beta/")
        path = path.replace(self.kind.beta_path, self.kind.path).replace("/beta/riskDetections", DETECTIONS)
        if path == DETECTIONS:
            return self._list(path, self.detections, query, beta)
        if path == self.kind.path:
            return self._list(path, self.records.values(), query, beta)
        if method == "POST" and path.startswith(self.kind.path):
            return self._act(path.rpartition("/")[2], body[self.kind.ids_key])
        if path.startswith(self.kind.path):
            key, dummy, history = path[len(self.kind.path) + 1 :].partition("/")
            if key not in self.records:
                return self._error(404, "NotFound", "Nobody like that is at risk.")
            if history:
                return self._list(path, self.histories.get(key, []), query, beta)
            return self._answer(200, self.records[key])
        if self.directory_forbidden:
            return self._error(403, "Authorization_RequestDenied", "Insufficient privileges.")
        if path.endswith("getByIds"):
            assert body["types"] == [self.kind.directory_type] and 1 <= len(body["ids"]) <= 1000
            if self.by_ids_status != 200:
                return self._error(self.by_ids_status, "Authorization_RequestDenied", "Insufficient privileges.")
            return self._answer(200, {"value": [self._person(key) for key in body["ids"] if key in self.directory]})
        wanted = path.rpartition("/")[2].casefold()
        for key, name in self.directory.items():
            if wanted in (key, name.casefold()):
                return self._answer(200, self._person(key))
        return self._error(404, "Request_ResourceNotFound", "Not found.")

    def _person(self, key: str) -> dict[str, str]:
        return {"id": key.upper(), self.kind.name_property: self.directory[key]}

    def _list(self, path: str, items: t.Iterable[t.Any], query: dict[str, str], beta: bool) -> Response:
        text = query.get("$filter", "")
        mood = self.filters(text) if text else "honoured"
        order = query.get("$orderby", "")
        order_mood = self.orders(order) if order else "ignored"
        if "refused" in (mood, order_mood):
            return self._error(400, "BadRequest", "Invalid filter clause")
        chosen = [item for item in items if not text or mood == "ignored" or odata_holds(text, item)]
        if order_mood == "honoured":
            assert order == "detectedDateTime desc"
            chosen.sort(key=lambda item: _timestamps.parse_or_none(item["detectedDateTime"]) or 0, reverse=True)
        start = int(query.get("$skiptoken", 0))
        size = min(self.page_size, int(query.get("$top", 500)))
        more = start + size < len(chosen)
        if start and not more and self.last_page_breaks:
            return self._error(400, "BadRequest", "The last page is out of reach.")
        page: dict[str, t.Any] = {"value": [_selected(item, query) for item in chosen[start : start + size]]}
        if more:
            rest = "&".join(f"{key}={value}" for key, value in {**query, "$skiptoken": str(start + size)}.items())
            shown = path.replace(self.kind.path, self.kind.beta_path) if beta else path
            page["@odata.nextLink"] = f"{GRAPH}{shown}?{rest}"
        return self._answer(200, page)

    def _act(self, action: str, ids: list[str]) -> Response:
        assert 1 <= len(ids) <= 60 and len(set(ids)) == len(ids)
        self.bodies.append(ids)
        if self.rejected.intersection(ids):
            return self._error(400, "BadRequest", "One of the ids cannot be changed.")
        for key in ids:
            self.applied.append(key)
            if key in self.stuck:
                continue
            if self.delay and key in self.records:
                self.records[key]["isProcessing"] = True
            self._due.append((self.time.now + self.delay, key, EFFECTS[action]))
        self._let_pass()
        return self._answer(self.good_status, "")

    def _let_pass(self) -> None:
        for due, key, (state, level) in list(self._due):
            if due <= self.time.now:
                self._due.remove((due, key, (state, level)))
                if self.vanish and state != "confirmedCompromised":
                    self.records.pop(key, None)
                    continue
                record = self.records.setdefault(
                    key, {**self.kind.usual, "id": key, self.kind.name_property: self.directory.get(key)}
                )
                updated = datetime.datetime.fromtimestamp(START + self.time.now, datetime.timezone.utc)
                record.update(
                    riskState=state,
                    riskLevel=level,
                    isProcessing=False,
                    riskLastUpdatedDateTime=f"{updated:%Y-%m-%dT%H:%M:%S}.5000000Z",
                )

    def _error(self, status: int, code: str, message: str) -> Response:
        return self._answer(status, {"error": {"code": code, "message": message}})

    def _answer(self, status: int, body: t.Any) -> Response:
        now = datetime.datetime.fromtimestamp(START + self.time.now, datetime.timezone.utc)
        headers = {"request-id": request_id(len(self.log)), "date": f"{now:%a, %d %b %Y %H:%M:%S} GMT"}
        return Response(status, headers, body if isinstance(body, str) else json.dumps(body))


def _selected(item: t.Any, query: dict[str, str]) -> t.Any:
    """The properties that are asked for, of those that there are."""
    names = query["$select"].split(",") if "$select" in query else None
    return {name: item[name] for name in names if name in item} if names and isinstance(item, dict) else item


class _Token:
    def token(self) -> str:
        return TOKEN

    def renew(self) -> bool:
        return False
