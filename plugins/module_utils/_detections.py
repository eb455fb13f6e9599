# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Reads risk detections: what makes users risky. Writes nothing.

https://learn.microsoft.com/graph/api/riskdetection-list
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import _detection_filter, _timestamps
from ._detection_filter import DetectionFilter, detected_ticks
from ._directory import USERS, Directory
from ._errors import EntraRiskError, PermissionDeniedError, RequestError
from ._graph import Access, GraphClient, Page, RequestCounts
from ._info import parse_limit
from ._pace import Clock
from ._plan import Asked, listing, parse_asked
from ._reader import filter_chunk
from ._result import Report, failure_of, found, rendered, requests_made
from ._risk import RISKY_USERS, quoted
from ._snake_case import snake_case, with_snake_case

_PATHS = {"v1.0": "/v1.0/identityProtection/riskDetections", "beta": "/beta/riskDetections"}
_ACCESS = Access(
    "IdentityRiskEvent.Read.All",
    role="Security Reader",
    licence="Microsoft Entra ID P2, or P1 with fewer details",
)
_PROPERTIES = (
    "id",
    "userId",
    "userPrincipalName",
    "userDisplayName",
    "riskEventType",
    "riskState",
    "riskLevel",
    "riskDetail",
    "source",
    "detectionTimingType",
    "activity",
    "tokenIssuerType",
    "ipAddress",
    "location",
    "activityDateTime",
    "detectedDateTime",
    "lastUpdatedDateTime",
    "requestId",
    "correlationId",
    "additionalInfo",
)
_BETA_PROPERTIES = ("riskType", "mitreTechniqueId")
_PAGE_SIZE = 500
# So many steps from the newer to the older, and none back, are no accident: the service does sort.
_SORTED_FOR_SURE = 100
# A way to the detections. It pauses before each request; its value tells whether all is known at its end.
_Way = t.Generator[None, None, bool]


QUERY_SPEC: dict[str, dict[str, t.Any]] = {
    **RISKY_USERS.noun.option("users", type="list", elements="str"),
    "filters": {"type": "dict", "options": _detection_filter.DETECTION_FILTER_SPEC},
    "limit": {"type": "int"},
}


@dataclasses.dataclass(frozen=True)
class Query:
    """What a task asks for, checked. Without `asked`, the users do not matter."""

    asked: Asked | None
    wanted: DetectionFilter
    limit: int | None


def parse_query(params: t.Mapping[str, t.Any], now: int) -> Query:
    """The query of a module's parameters.

    :param now: ticks, for ages in `filters`.
    :raises RequestError: a value that makes no sense.
    :raises UsersError: a value that can be no user.
    """
    return Query(
        asked=None if params["users"] is None else parse_asked(params["users"], "users", RISKY_USERS),
        wanted=_detection_filter.parse(params["filters"] or {}, now),
        limit=parse_limit(params),
    )


def read(
    params: t.Mapping[str, t.Any],
    *,
    connect: t.Callable[[], GraphClient],
    clock: Clock | None = None,
    **dummy: t.Any,
) -> Report:
    """Carry out a task from its module parameters. Failures are part of the report; none is raised.

    Check mode and diff mode make no difference, since nothing changes.

    :param connect: gives the client; checks the connection options before anything is sent.
    """
    gathered = _Gathered()

    def work() -> None:
        query = parse_query(params, _timestamps.from_seconds((clock or Clock()).wall()))
        client = connect()
        gathered.counts = client.counts
        gathered.limit = query.limit
        if client.api_version == "beta":
            gathered.properties += _BETA_PROPERTIES
        _Reading(client, query, gathered).read()

    return gathered.report(failure_of(work))


@dataclasses.dataclass
class _Gathered:
    """What was read so far; `truncated` when there is, or may be, more than was read."""

    chosen: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)
    properties: tuple[str, ...] = _PROPERTIES
    limit: int | None = None
    truncated: bool = False
    first_date: int | None = None
    newest_change: int | None = None
    counts: RequestCounts = dataclasses.field(default_factory=RequestCounts)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def report(self, error: EntraRiskError | None) -> Report:
        newest_first = sorted(self.chosen.values(), key=lambda item: detected_ticks(item) or 0, reverse=True)
        detections = newest_first[: self.limit]
        moments = [ticks for ticks in (self.first_date, self.newest_change) if ticks is not None]
        truncated = self.truncated or len(detections) < len(newest_first) or error is not None
        data = {
            "changed": False,
            "risk_detections": [
                {**{snake_case(name): None for name in self.properties}, **with_snake_case(item)} for item in detections
            ],
            "count": len(detections),
            "truncated": truncated,
            "evaluated_at": rendered(max(moments, default=None)),
            "requests": requests_made(self.counts),
        }
        sentence = f"{found(len(detections), 'risk detection', 'risk detections', truncated)}."
        return Report(data, f"{error.message} {sentence}" if error else sentence, tuple(self.warnings), error)


class _Reading:
    """One task in the making."""

    def __init__(self, client: GraphClient, query: Query, gathered: _Gathered) -> None:
        self._client = client
        self._query = query
        self._gathered = gathered
        # Who is asked for: by id, and by name where nobody knows the id.
        self._ids: set[str] = set()
        self._names: dict[str, str] = {}

    def read(self) -> None:
        """Read the detections with few requests: by user where that is cheaper, by list where it is not.

        Nobody knows how long either way is. So both are gone by turns, a page each, until one is at its end: that is at
        most twice the shorter one.
        """
        ways = [self._read_list()]
        if self._query.asked is not None:
            self._resolve(self._query.asked)
            if not self._ids and not self._names:
                return
            # A single question goes first: it is seldom more than a page. Several give the first turn to the list.
            questions = len(_chunks("userId", sorted(self._ids))) + len(self._names)
            ways.insert(0 if questions == 1 else 1, self._read_by_user())
        while ways:
            way = ways.pop(0)
            try:
                next(way)
            except StopIteration as end:
                if end.value is True:
                    return
            else:
                ways.append(way)

    def _resolve(self, asked: Asked) -> None:
        """Who is meant by the names. A detection keeps the name of its day, an id stays the same."""
        directory = Directory(self._client, USERS)
        self._ids.update(asked.ids)
        for name in asked.names:
            try:
                user = directory.find(name)
            except PermissionDeniedError:
                user = None
            if user is None:
                self._names[name.casefold()] = name
            else:
                self._ids.add(user.id)
        if directory.forbidden:
            self._gathered.warnings.append(
                f"{listing(list(self._names.values()))} could not be looked up in the directory: the token lacks the "
                f"Graph permission {USERS.permission}. So their detections are found by the name of that time."
            )

    def _read_by_user(self) -> _Way:
        ids_of: dict[str, set[str]] = {}
        spellings = sorted({*self._names, *self._names.values()})
        for chunk in _chunks("userPrincipalName", spellings):
            if not (yield from self._ask("userPrincipalName", chunk, ids_of)):
                return False
        if self._names.keys() - ids_of.keys():
            # Nobody knows the name, but the service may mind upper and lower case, which names do not.
            return False
        # The same users may have other detections under the name, in another spelling.
        for chunk in _chunks("userId", sorted(self._ids.union(*ids_of.values()) - {""})):
            if not (yield from self._ask("userId", chunk, {})):
                return False
        return True

    def _ask(self, name: str, keys: t.Sequence[str], ids_of: dict[str, set[str]]) -> _Way:
        """Ask for the detections of some users. False when the service does not answer such a question.

        The rest of the filter stays out: it would make the question longer, and it is decided here anyway.

        :param ids_of: where to note who the detections with each key belong to.
        """
        asked = {key.casefold() for key in keys}
        yield
        try:
            for page in self._pages(" or ".join(f"{name} eq {quoted(key)}" for key in keys)):
                for detection in self._take(page):
                    key = str(detection.get(name)).casefold()
                    if key not in asked:
                        return False
                    ids_of.setdefault(key, set()).add(_user_id(detection))
                if not page.last:
                    yield
        except RequestError as exc:
            if exc.status != 400:
                raise
            return False
        return True

    def _read_list(self) -> _Way:
        """Read a list that holds everything wanted, or a wider one where the service refuses that."""
        odata = self._query.wanted.odata()
        order = None if self._query.limit is None else "detectedDateTime desc"
        lists = list(dict.fromkeys(((odata, order), (odata, None), (None, None))))
        while True:
            try:
                yield from self._read_pages(self._pages(*lists.pop(0)))
                return True
            except RequestError as exc:
                if exc.status != 400 or not lists:
                    raise

    def _read_pages(self, pages: t.Iterator[Page]) -> t.Iterator[None]:
        last: int | None = None
        in_order = True
        steps_down = 0
        yield
        for page in pages:
            for detection in self._take(page):
                ticks = detected_ticks(detection) or 0
                in_order = in_order and (last is None or ticks <= last)
                steps_down += last is not None and ticks < last
                last = ticks
            if page.last:
                return
            # The limit is for the newest. Whether the service sorts as it was asked to shows in what it sends.
            if in_order and steps_down >= _SORTED_FOR_SURE and self._has_enough(last):
                self._gathered.truncated = True
                return
            yield

    def _has_enough(self, oldest: int | None) -> bool:
        """Whether the limit is reached by detections that are not older than the oldest of a list."""
        limit = self._query.limit
        if limit is None or oldest is None:
            return False
        return sum((detected_ticks(item) or 0) >= oldest for item in self._gathered.chosen.values()) >= limit

    def _pages(self, odata: str | None, order: str | None = None) -> t.Iterator[Page]:
        params = {"$select": ",".join(self._gathered.properties), "$top": str(_PAGE_SIZE)}
        if odata is not None:
            params["$filter"] = odata
        if order is not None:
            params["$orderby"] = order
        return self._client.pages(_PATHS[self._client.api_version], params, access=_ACCESS)

    def _take(self, page: Page) -> list[dict[str, t.Any]]:
        """Keep what is wanted of a page. Gives all detections that are on it."""
        gathered = self._gathered
        if gathered.first_date is None:
            gathered.first_date = page.date
        if page.broken is not None:
            gathered.truncated = True
            gathered.warnings.append(
                "Graph broke off the list of risk detections before its end (a known fault of its last page). "
                "Run the task again to see whether more are found."
            )
        detections = [item for item in page.items if isinstance(item, dict) and isinstance(item.get("id"), str)]
        for detection in detections:
            changes = map(
                _timestamps.parse_or_none, (detection.get("lastUpdatedDateTime"), detection.get("detectedDateTime"))
            )
            known = [ticks for ticks in (*changes, gathered.newest_change) if ticks is not None]
            gathered.newest_change = max(known, default=None)
            name = str(detection.get("userPrincipalName")).casefold()
            is_asked = self._query.asked is None or _user_id(detection) in self._ids or name in self._names
            if is_asked and self._query.wanted.matches(detection):
                gathered.chosen[detection["id"]] = detection
        return detections


def _user_id(detection: t.Mapping[str, t.Any]) -> str:
    """Whose detection it is, empty when Graph does not tell."""
    return str(detection.get("userId") or "").lower()


def _chunks(name: str, keys: t.Sequence[str]) -> list[list[str]]:
    """As few lists as possible, of which each fits into one `$filter`."""
    chunks: list[list[str]] = []
    while keys:
        chunks.append(filter_chunk(name, keys))
        keys = keys[len(chunks[-1]) :]
    return chunks
