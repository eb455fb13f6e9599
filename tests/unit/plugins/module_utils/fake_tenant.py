# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant in memory that answers in the place of the HTTP transport: everything above it is the real thing."""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t
from urllib.parse import parse_qsl, unquote, urlsplit

from ansible_collections.identityops.entra_risk.plugins.module_utils import _engine
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import NetworkError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph import GraphClient
from ansible_collections.identityops.entra_risk.plugins.module_utils._http import Answer
from ansible_collections.identityops.entra_risk.plugins.module_utils._result import Report
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk import RISKY_USERS
from ansible_collections.identityops.entra_risk.plugins.module_utils._secrets import Scrubber
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.odata_reading import odata_holds
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.simulated_time import (
    START,
    SimulatedTime,
)

GRAPH = "https://graph.example"
RISKY = "/v1.0/identityProtection/riskyUsers"
EFFECTS = {
    "dismiss": ("dismissed", "none"),
    "confirmCompromised": ("confirmedCompromised", "high"),
    "confirmSafe": ("confirmedSafe", "none"),
}
# The module's options when a task gives none.
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


@dataclasses.dataclass
class FakeTenant:
    """Risk records, a directory, and the moods of the service.

    `faults` maps the number of a request (from 1) to what goes wrong with it; `every` goes wrong each time for the
    paths that end with its keys.
    """

    records: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)
    directory: dict[str, str] = dataclasses.field(default_factory=dict)
    page_size: int = 500
    filters: t.Callable[[str], str] = lambda dummy: "honoured"
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
        """A user with a risk record, known to the directory under the same name."""
        record = {
            "id": user_id(number),
            "userPrincipalName": upn(number),
            "riskState": state,
            "riskLevel": level,
            "riskLastUpdatedDateTime": "2026-11-01T10:00:00.1234567Z",
            "isDeleted": False,
            "isProcessing": False,
            **more,
        }
        self.records[record["id"]] = record
        if record["userPrincipalName"] is not None and not record["isDeleted"]:
            self.directory[record["id"]] = record["userPrincipalName"]
        return record["id"]

    def add_unlisted(self, number: int, name: str | None = None) -> str:
        self.directory[user_id(number)] = name or upn(number)
        return user_id(number)

    def state_of(self, key: str) -> str | None:
        self._let_pass()
        return self.records[key]["riskState"] if key in self.records else None

    # What is asked of it

    @property
    def reads(self) -> int:
        """Requests for risk records."""
        return sum(method == "GET" and path.startswith(RISKY) for method, path, dummy in self.log)

    @property
    def writes(self) -> int:
        return len(self.bodies)

    @property
    def look_ups(self) -> int:
        """Requests to the directory."""
        return sum("/users/" in path or path.endswith("getByIds") for dummy, path, dummy2 in self.log)

    def client(self, retry_timeout: float = 300) -> GraphClient:
        return GraphClient(
            t.cast(t.Any, self),
            t.cast(t.Any, _Token()),
            GRAPH,
            api_version="v1.0",
            retry_timeout=retry_timeout,
            scrubber=Scrubber(),
            clock=self.time.clock,
        )

    def run(
        self, *, check_mode: bool = False, diff: bool = False, retry_timeout: float = 300, **params: t.Any
    ) -> Report:
        """The module's task, as AnsibleModule would hand it over."""
        return _engine.run(
            {**NOTHING, **params},
            RISKY_USERS,
            check_mode=check_mode,
            diff=diff,
            connect=lambda: self.client(retry_timeout),
            clock=self.time.clock,
        )

    # The place of the transport

    def send(self, method: str, url: str, *, params: t.Any = None, json_body: t.Any = None, **dummy: t.Any) -> Answer:
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
            raise NetworkError("The connection broke.", maybe_done=True)
        if fault is not None and fault != LOST_AFTER:
            status, body = fault if isinstance(fault, tuple) else (t.cast(int, fault), "")
            return self._answer(status, body)
        answer = self._serve(method, path, query, json_body)
        if fault == LOST_AFTER:
            raise NetworkError("The connection broke.", maybe_done=True)
        return answer

    def close(self) -> None:
        """Nothing is open."""

    def _serve(self, method: str, path: str, query: dict[str, str], body: t.Any) -> Answer:
        if path == RISKY:
            return self._list(query)
        if method == "POST" and path.startswith(RISKY):
            return self._act(path.rpartition("/")[2], body["userIds"])
        if path.startswith(RISKY):
            record = self.records.get(path.rpartition("/")[2])
            return self._answer(200, record) if record else self._error(404, "NotFound", "No such risky user.")
        if self.directory_forbidden:
            return self._error(403, "Authorization_RequestDenied", "Insufficient privileges.")
        if path.endswith("getByIds"):
            assert body["types"] == ["user"] and 1 <= len(body["ids"]) <= 1000
            if self.by_ids_status != 200:
                return self._error(self.by_ids_status, "Authorization_RequestDenied", "Insufficient privileges.")
            return self._answer(200, {"value": [self._person(key) for key in body["ids"] if key in self.directory]})
        wanted = path.rpartition("/")[2].casefold()
        for key, name in self.directory.items():
            if wanted in (key, name.casefold()):
                return self._answer(200, self._person(key))
        return self._error(404, "Request_ResourceNotFound", "Not found.")

    def _person(self, key: str) -> dict[str, str]:
        return {"id": key.upper(), "userPrincipalName": self.directory[key]}

    def _list(self, query: dict[str, str]) -> Answer:
        text = query.get("$filter", "")
        mood = self.filters(text) if text else "honoured"
        if mood == "refused":
            return self._error(400, "BadRequest", "Invalid filter clause")
        chosen = [
            record for record in self.records.values() if not text or mood == "ignored" or odata_holds(text, record)
        ]
        start = int(query.get("$skiptoken", 0))
        size = min(self.page_size, int(query.get("$top", 500)))
        page: dict[str, t.Any] = {"value": chosen[start : start + size]}
        if start + size < len(chosen):
            rest = "&".join(f"{key}={value}" for key, value in {**query, "$skiptoken": str(start + size)}.items())
            page["@odata.nextLink"] = f"{GRAPH}{RISKY}?{rest}"
        return self._answer(200, page)

    def _act(self, action: str, ids: list[str]) -> Answer:
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
                    key, {"id": key, "userPrincipalName": self.directory.get(key), "isDeleted": False}
                )
                updated = datetime.datetime.fromtimestamp(START + self.time.now, datetime.timezone.utc)
                record.update(
                    riskState=state,
                    riskLevel=level,
                    isProcessing=False,
                    riskLastUpdatedDateTime=f"{updated:%Y-%m-%dT%H:%M:%S}.5000000Z",
                )

    def _error(self, status: int, code: str, message: str) -> Answer:
        return self._answer(status, {"error": {"code": code, "message": message}})

    def _answer(self, status: int, body: t.Any) -> Answer:
        now = datetime.datetime.fromtimestamp(START + self.time.now, datetime.timezone.utc)
        headers = {"request-id": request_id(len(self.log)), "date": f"{now:%a, %d %b %Y %H:%M:%S} GMT"}
        return Answer(status, headers, body if isinstance(body, str) else json.dumps(body))


class _Token:
    def token(self) -> str:
        return "unused-token"

    def renew(self) -> bool:
        return False
