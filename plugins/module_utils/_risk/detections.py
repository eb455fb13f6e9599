# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Reads risk detections with few requests.

https://learn.microsoft.com/graph/api/riskdetection-list
"""

from __future__ import annotations

import typing as t

from .. import _timestamps
from .._errors import PermissionDeniedError, RequestError
from .._graph.client import GraphClient
from .._graph.directory import USERS, Directory
from .._graph.errors import FILTER_REFUSED
from .._graph.odata import quoted
from .._graph.paging import Page, pages
from .._graph.permissions import RequiredPermission
from .decisions import Selection, listing
from .detection_filters import DetectionFilter, detected_ticks
from .loader import filter_chunk

_PATHS = {"v1.0": "/v1.0/identityProtection/riskDetections", "beta": "/beta/riskDetections"}
_ACCESS = RequiredPermission(
    "IdentityRiskEvent.Read.All",
    role="Security Reader",
    license="Microsoft Entra ID P2, or P1 with fewer details",
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
_NEWEST_FIRST = "detectedDateTime desc"
# So many steps from the newer to the older, and none back, are no accident: the service does sort.
_SORTED_FOR_SURE = 100

# A way to the detections. It pauses before each request.
_Way = t.Iterator[None]
_OVER = object()


class _UnansweredError(Exception):
    """The service refuses or ignores the question for certain users."""


class DetectionReader:
    """Reads the detections that a filter chooses, of all users or of those who are asked for.

    With a limit, the newest ones count. What was read is there at every moment, whatever happens in the course of it.

    :param warnings: where to add what people should know of the reading.
    """

    def __init__(
        self,
        client: GraphClient,
        asked: Selection | None,
        wanted: DetectionFilter,
        limit: int | None,
        warnings: list[str],
    ) -> None:
        self.properties = _PROPERTIES + (_BETA_PROPERTIES if client.api_version == "beta" else ())
        self.chosen: dict[str, dict[str, t.Any]] = {}
        self.truncated = False
        self.first_date: int | None = None
        self.newest_change: int | None = None
        self._client = client
        self._asked = asked
        self._wanted = wanted
        self._limit = limit
        self._warnings = warnings
        self._complete = False
        # Who is asked for: by id, and by name where nobody knows the id. The owners are who had such a name.
        self._ids: set[str] = set()
        self._names: dict[str, str] = {}
        self._owners: dict[str, set[str]] = {}

    def read(self) -> None:
        """Read by user where that is cheaper, by list where it is not.

        Nobody knows how long either way is. So both are gone by turns, a page each, until one comes to its end: that is
        at most twice the shorter one.
        """
        ways = [self._by_list()]
        if self._asked is not None:
            self._resolve(self._asked)
            # A single question goes first: it is seldom more than a page. Several give the first turn to the list.
            questions = len(_chunks("userId", self._ids)) + len(self._names)
            ways.insert(0 if questions == 1 else 1, self._by_user())
        while ways:
            way = ways.pop(0)
            if next(way, _OVER) is not _OVER:
                ways.append(way)
            elif self._complete:
                return
        self._break_off("the list of risk detections")

    def _resolve(self, asked: Selection) -> None:
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
        if not self._names:
            return
        why = "The directory does not know {}."
        if directory.forbidden:
            why = f"{{}} could not be looked up: the token lacks the Graph permission {USERS.permission}."
        names = listing(list(self._names.values()))
        self._warnings.append(f"{why.format(names)} So the detections are found by the name that they had at the time.")

    def _by_user(self) -> _Way:
        """Ask for the users, as many in a question as it can hold."""
        try:
            yield from self._ask("userPrincipalName", {*self._names, *self._names.values()})
            if self._names.keys() - self._owners.keys():
                # The name may be wrong, or only in the wrong case for the service. The list tells.
                return
            # Those who had the name may have more detections under another one.
            yield from self._ask("userId", self._ids.union(*self._owners.values()) - {""})
        except _UnansweredError:
            return
        self._complete = True

    def _ask(self, name: str, keys: t.Collection[str]) -> _Way:
        """Ask for the detections whose property has one of these values.

        The rest of the filter stays out: it would make the question longer, and it is decided here anyway.
        """
        for chunk in _chunks(name, keys):
            asked = {key.casefold() for key in chunk}
            yield
            try:
                for page in self._pages(" or ".join(f"{name} eq {quoted(key)}" for key in chunk)):
                    if any(str(item.get(name)).casefold() not in asked for item in self._take(page)):
                        raise _UnansweredError
                    if page.broken is not None:
                        self._break_off("the list of risk detections of some of the users")
                    elif not page.last:
                        yield
            except RequestError as exc:
                if exc.status not in FILTER_REFUSED:
                    raise
                raise _UnansweredError from None

    def _by_list(self) -> _Way:
        """Read a list that holds everything wanted, or a wider one where the service refuses that."""
        odata = self._wanted.odata()
        order = None if self._limit is None else _NEWEST_FIRST
        lists = list(dict.fromkeys(((odata, order), (odata, None), (None, order), (None, None))))
        while lists:
            try:
                yield from self._list(*lists.pop(0))
                return
            except RequestError as exc:
                if exc.status not in FILTER_REFUSED or not lists:
                    raise

    def _list(self, odata: str | None, order: str | None) -> _Way:
        last: int | None = None
        in_order = True
        steps_down = 0
        yield
        for page in self._pages(odata, order):
            for detection in self._take(page):
                ticks = detected_ticks(detection) or 0
                in_order = in_order and (last is None or ticks <= last)
                steps_down += last is not None and ticks < last
                last = ticks
            if page.last:
                self._complete = page.broken is None
                return
            # The limit is for the newest. Whether the service sorts as it was asked to shows in what it sends.
            if in_order and steps_down >= _SORTED_FOR_SURE and self._has_enough(last):
                self._complete = self.truncated = True
                return
            yield

    def _has_enough(self, oldest: int | None) -> bool:
        """Whether the limit is reached by detections that are not older than the oldest of a list."""
        if self._limit is None or oldest is None:
            return False
        return sum((detected_ticks(item) or 0) >= oldest for item in self.chosen.values()) >= self._limit

    def _pages(self, odata: str | None, order: str | None = None) -> t.Iterator[Page]:
        params = {"$top": str(_PAGE_SIZE)}
        if odata is not None:
            params["$filter"] = odata
        if order is not None:
            params["$orderby"] = order
        return pages(self._client, _PATHS[self._client.api_version], params, required=_ACCESS)

    def _take(self, page: Page) -> list[dict[str, t.Any]]:
        """Keep what is wanted of a page. Gives all detections that are on it."""
        if self.first_date is None:
            self.first_date = page.date
        detections = [item for item in page.items if isinstance(item, dict) and isinstance(item.get("id"), str)]
        for detection in detections:
            changes = map(
                _timestamps.parse_or_none, (detection.get("lastUpdatedDateTime"), detection.get("detectedDateTime"))
            )
            known = [ticks for ticks in (*changes, self.newest_change) if ticks is not None]
            self.newest_change = max(known, default=None)
            if self._is_asked(detection) and self._wanted.matches(detection):
                self.chosen[detection["id"]] = detection
            else:
                # Read again, in another state.
                self.chosen.pop(detection["id"], None)
        return detections

    def _is_asked(self, detection: t.Mapping[str, t.Any]) -> bool:
        if self._asked is None:
            return True
        user_id = str(detection.get("userId") or "").lower()
        name = str(detection.get("userPrincipalName")).casefold()
        if name in self._names:
            self._owners.setdefault(name, set()).add(user_id)
            return True
        return user_id in self._ids

    def _break_off(self, what: str) -> None:
        self.truncated = True
        self._warnings.append(
            f"Graph broke off {what} before its end (a known fault of its last page). "
            "Run the task again to see whether more are found."
        )


def _chunks(name: str, keys: t.Collection[str]) -> list[list[str]]:
    """As few lists as possible, of which each fits into one `$filter`."""
    chunks: list[list[str]] = []
    left = sorted(keys)
    while left:
        chunks.append(filter_chunk(name, left))
        left = left[len(chunks[-1]) :]
    return chunks
