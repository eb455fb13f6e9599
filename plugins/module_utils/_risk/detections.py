# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Reads risk detections with few requests.

https://learn.microsoft.com/graph/api/riskdetection-list
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import PermissionDeniedError, RequestError
from .._graph.client import GraphClient
from .._graph.directory import Directory
from .._graph.errors import FILTER_REFUSED
from .._graph.names import fold
from .._graph.odata import any_of, chunks
from .._graph.paging import Page, pages
from .._graph.permissions import RequiredPermission
from .decisions import Selection, listing
from .filters import DetectionFilter, detected_ticks, pages_by_service_time
from .resources import RISKY_SERVICE_PRINCIPALS, RISKY_USERS, Resource

_PAGE_SIZE = 500
_NEWEST_FIRST = "detectedDateTime desc"
# Up to so many questions for certain owners are cheaper than the list of all detections, whose length nobody knows.
_MOST_QUESTIONS = 10


@dataclasses.dataclass(frozen=True)
class DetectionSet:
    """One kind of detection: where it is, what reading it needs, and whose risk it is about."""

    owner: Resource
    owner_property: str
    name_property: str
    paths: t.Mapping[str, str]
    required: RequiredPermission
    properties: tuple[str, ...]
    beta_properties: tuple[str, ...] = ()


USER_DETECTIONS = DetectionSet(
    owner=RISKY_USERS,
    owner_property="userId",
    name_property="userPrincipalName",
    paths={"v1.0": "/v1.0/identityProtection/riskDetections", "beta": "/beta/riskDetections"},
    required=RequiredPermission(
        "IdentityRiskEvent.Read.All",
        role="Security Reader",
        license="Microsoft Entra ID P2, or P1 with fewer details",
    ),
    properties=(
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
    ),
    beta_properties=("riskType", "mitreTechniqueId"),
)
# https://learn.microsoft.com/graph/api/resources/serviceprincipalriskdetection
SERVICE_PRINCIPAL_DETECTIONS = DetectionSet(
    owner=RISKY_SERVICE_PRINCIPALS,
    owner_property="servicePrincipalId",
    name_property="servicePrincipalDisplayName",
    paths={version: f"/{version}/identityProtection/servicePrincipalRiskDetections" for version in ("v1.0", "beta")},
    required=RequiredPermission(
        "IdentityRiskEvent.Read.All",
        role="Security Reader",
        license="Microsoft Entra Workload ID Premium",
    ),
    properties=(
        "id",
        "servicePrincipalId",
        "servicePrincipalDisplayName",
        "appId",
        "keyIds",
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
    ),
    beta_properties=("mitreTechniqueId",),
)


class _UnansweredError(Exception):
    """The service refuses or ignores the question for certain owners."""


class DetectionReader:
    """Reads the detections that a filter chooses, of everybody or of those who are selected.

    With a limit, the newest ones count. What was read is there at every moment, whatever happens in the course of it.

    :param now: ticks by the clock here; ages count from the service's own.
    :param warnings: where to add what people should know of the reading.
    """

    def __init__(
        self,
        client: GraphClient,
        kind: DetectionSet,
        selection: Selection | None,
        wanted: DetectionFilter,
        limit: int | None,
        now: int,
        warnings: list[str],
    ) -> None:
        self.properties = kind.properties + (kind.beta_properties if client.api_version == "beta" else ())
        self.truncated = False
        self._client = client
        self._kind = kind
        self._selection = selection
        self._wanted = wanted
        self._exact = wanted.at(now)
        self._limit = limit
        self._now = now
        self._warnings = warnings
        self._read: dict[str, dict[str, t.Any]] = {}
        # Who is selected: by id, and by name where nobody knows the id.
        self._ids: set[str] = set()
        self._names: set[str] = set()

    def read(self) -> None:
        """Read by owner where that takes few questions, else by list."""
        try:
            if self._selection is None or not self._read_by_owner(self._selection):
                self._read_list()
            self._warn_of_nobody()
        finally:
            self._warn_of_times()

    @property
    def chosen(self) -> list[dict[str, t.Any]]:
        """The detections that were read and are wanted, newest first."""
        wanted = [item for item in self._read.values() if self._is_selected(item) and self._exact.matches(item)]
        return sorted(wanted, key=lambda item: detected_ticks(item) or 0, reverse=True)

    def _read_by_owner(self, selection: Selection) -> bool:
        """False where the list is the better way, or the only one."""
        self._ids.update(selection.ids)
        names = self._look_up(selection.names)
        self._names.update(map(fold, names))
        questions = [
            (name, chunk, same)
            for name, values, same in (
                # The service may mind upper and lower case.
                (self._kind.name_property, list(dict.fromkeys([*names, *map(fold, names)])), fold),
                (self._kind.owner_property, sorted(self._ids), str.lower),
            )
            for chunk in chunks(name, values)
        ]
        if len(questions) > _MOST_QUESTIONS:
            return False
        try:
            for name, chunk, same in questions:
                self._ask(name, chunk, same)
        except _UnansweredError:
            return False
        return True

    def _look_up(self, names: t.Sequence[str]) -> list[str]:
        """Note the ids of the names that the directory knows; give the others.

        A detection keeps the name of its day, an id stays the same.
        """
        if not names:
            return []
        kind = self._kind.owner.directory
        why = "The directory does not know {}."
        try:
            known = Directory(self._client, kind, fold).having(names)
        except PermissionDeniedError:
            known = {}
            why = f"{{}} could not be looked up: the token lacks the Graph permission {kind.permission}."
        self._ids.update(item.id for item in known.values())
        others = [name for name in names if fold(name) not in known]
        if others:
            self._warnings.append(
                f"{why.format(listing(others))} So the detections are found by the name that they had at the time."
            )
        return others

    def _ask(self, name: str, values: t.Sequence[str], same: t.Callable[[str], str]) -> None:
        """Ask for the detections whose property has one of these values.

        The rest of the filter stays out: it would make the question longer, and it is decided here anyway.
        """
        wanted = {same(value) for value in values}

        def read(dummy: DetectionFilter) -> t.Iterator[Page]:
            return self._pages(any_of(name, values))

        try:
            for exact, page in pages_by_service_time(self._wanted, self._now, read):
                self._exact = exact
                if any(same(str(item.get(name))) not in wanted for item in self._take(page)):
                    raise _UnansweredError
                if page.broken is not None:
                    self._warn_of_break("the list of risk detections of some of those who are selected")
        except RequestError as exc:
            if exc.status not in FILTER_REFUSED:
                raise
            raise _UnansweredError from None

    def _read_list(self) -> None:
        """Read a list that holds everything wanted, or a wider one where the service refuses that."""
        newest = None if self._limit is None else _NEWEST_FIRST
        ways = list(dict.fromkeys(((True, newest), (True, None), (False, newest), (False, None))))
        while ways:
            narrow, order = ways.pop(0)
            try:
                self._read_pages(narrow=narrow, order=order)
                return
            except RequestError as exc:
                if exc.status not in FILTER_REFUSED or not ways:
                    raise

    def _read_pages(self, *, narrow: bool, order: str | None) -> None:
        def read(asked: DetectionFilter) -> t.Iterator[Page]:
            return self._pages(asked.odata() if narrow else None, order)

        for exact, page in pages_by_service_time(self._wanted, self._now, read):
            self._exact = exact
            self._take(page)
            if page.broken is not None:
                self._warn_of_break("the list of risk detections")
            # Newest first: what comes later is older than all that is wanted.
            if order is not None and self._limit is not None and not page.last and len(self.chosen) >= self._limit:
                self.truncated = True
                return

    def _pages(self, odata: str | None, order: str | None = None) -> t.Iterator[Page]:
        params = {"$top": str(_PAGE_SIZE)}
        if odata is not None:
            params["$filter"] = odata
        if order is not None:
            params["$orderby"] = order
        return pages(self._client, self._kind.paths[self._client.api_version], params, required=self._kind.required)

    def _take(self, page: Page) -> list[dict[str, t.Any]]:
        """Keep what is on a page; read twice, the later copy counts. Gives the detections that are on it."""
        detections = [item for item in page.items if isinstance(item, dict) and isinstance(item.get("id"), str)]
        self._read.update((item["id"], item) for item in detections)
        self._client.progress.read(len(self._read), "risk detections")
        return detections

    def _is_selected(self, detection: t.Mapping[str, t.Any]) -> bool:
        if self._selection is None:
            return True
        owner = str(detection.get(self._kind.owner_property) or "").lower()
        return owner in self._ids or fold(str(detection.get(self._kind.name_property))) in self._names

    def _warn_of_break(self, what: str) -> None:
        self.truncated = True
        self._warnings.append(
            f"Graph broke off {what} before its end (a known fault of its last page). "
            "Run the task again to see whether more are found."
        )

    def _warn_of_nobody(self) -> None:
        """Where an object may be known by another id, that nothing was found proves little."""
        labels = self._kind.owner.labels
        found = {str(item.get(self._kind.owner_property)).lower() for item in self._read.values()}
        silent = sorted(self._ids - found)
        if silent and not self.truncated and not self._kind.owner.asked_by_name:
            self._warnings.append(f"{labels.key}: no risk detection of {listing(silent)}. {labels.not_found_hint}")

    def _warn_of_times(self) -> None:
        undecided = sum(self._is_selected(item) and self._exact.is_undecided(item) for item in self._read.values())
        if undecided:
            self._warnings.append(
                f"{undecided} risk detection{'' if undecided == 1 else 's'} not chosen: the time is missing or cannot "
                "be read, so nobody can tell whether it lies in the range that filters asks for."
            )
