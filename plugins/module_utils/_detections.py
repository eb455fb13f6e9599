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
# So many in a row from the newest to the oldest are no accident: the service does sort.
_SORTED_FOR_SURE = 100


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
        _Reading(client, query, gathered).read()

    return gathered.report(failure_of(work))


@dataclasses.dataclass
class _Gathered:
    """What was read so far; `truncated` when there is, or may be, more than was read."""

    chosen: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)
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
                {**{snake_case(name): None for name in _PROPERTIES}, **with_snake_case(item)} for item in detections
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
        self._ids_seen: dict[str, set[str]] = {}

    def read(self) -> None:
        """Read the detections with few requests: by user where that is cheaper, by list where it is not."""
        if self._query.asked is None:
            self._read_list()
            return
        self._resolve(self._query.asked)
        spellings = sorted({*self._names, *self._names.values()})
        questions = len(_chunks("userId", sorted(self._ids))) + len(_chunks("userPrincipalName", spellings))
        # The number of questions is known, that of the pages is not. So the list may cost as much as the questions.
        if questions > 1 and self._read_list(most_pages=questions):
            return
        if any(self._ask("userPrincipalName", chunk) for chunk in _chunks("userPrincipalName", spellings)):
            return
        if any(name not in self._ids_seen for name in self._names):
            # Nobody knows the name, but the service may mind upper and lower case, which names do not.
            self._read_list()
            return
        for name in self._names:
            self._ids.update(self._ids_seen[name])
        for chunk in _chunks("userId", sorted(self._ids)):
            if self._ask("userId", chunk):
                return

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

    def _ask(self, name: str, keys: t.Sequence[str]) -> bool:
        """Ask for the detections of some users. True when the whole list was read, so that there is no more to ask.

        The rest of the filter stays out: it would make the question longer, and it is decided here anyway.
        """
        asked = {key.casefold() for key in keys}
        honoured = True
        try:
            for page in self._pages(" or ".join(f"{name} eq {quoted(key)}" for key in keys)):
                values = [item.get(name) for item in self._take(page)]
                honoured = honoured and all(isinstance(value, str) and value.casefold() in asked for value in values)
        except RequestError as exc:
            if exc.status != 400:
                raise
            return self._read_list()
        return not honoured

    def _read_list(self, most_pages: int | None = None) -> bool:
        """Read a list that holds everything wanted, or a wider one where the service refuses that.

        :return: False when there is more than `most_pages`.
        """
        odata = self._query.wanted.odata()
        order = None if self._query.limit is None else "detectedDateTime desc"
        for choice, sorting in dict.fromkeys(((odata, order), (odata, None), (None, None))):
            try:
                return self._read_pages(self._pages(choice, sorting), most_pages)
            except RequestError as exc:
                if exc.status != 400 or (choice, sorting) == (None, None):
                    raise
        return True

    def _read_pages(self, pages: t.Iterator[Page], most_pages: int | None) -> bool:
        last: int | None = None
        in_order = True
        seen = 0
        for number, page in enumerate(pages, 1):
            for detection in self._take(page):
                ticks = detected_ticks(detection)
                in_order = in_order and ticks is not None and (last is None or ticks <= last)
                last = ticks
                seen += 1
            if page.last:
                return True
            # The limit is for the newest. Whether the service sorts as it was asked to shows in what it sends.
            limit = self._query.limit
            if limit is not None and len(self._gathered.chosen) >= limit and in_order and seen >= _SORTED_FOR_SURE:
                self._gathered.truncated = True
                return True
            if number == most_pages:
                return False
        return True

    def _pages(self, odata: str | None, order: str | None = None) -> t.Iterator[Page]:
        version = self._client.api_version
        properties = _PROPERTIES + (_BETA_PROPERTIES if version == "beta" else ())
        params = {"$select": ",".join(properties), "$top": str(_PAGE_SIZE)}
        if odata is not None:
            params["$filter"] = odata
        if order is not None:
            params["$orderby"] = order
        return self._client.pages(_PATHS[version], params, access=_ACCESS)

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
            user_id = str(detection.get("userId") or "").lower()
            name = str(detection.get("userPrincipalName") or "").casefold()
            self._ids_seen.setdefault(name, set()).add(user_id)
            is_asked = self._query.asked is None or user_id in self._ids or name in self._names
            if is_asked and self._query.wanted.matches(detection):
                gathered.chosen[detection["id"]] = detection
        return detections


def _chunks(name: str, keys: t.Sequence[str]) -> list[list[str]]:
    """As few lists as possible, of which each fits into one `$filter`."""
    chunks: list[list[str]] = []
    while keys:
        chunks.append(filter_chunk(name, keys))
        keys = keys[len(chunks[-1]) :]
    return chunks
