# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Carries out a task that reads risk detections: what makes users risky. Writes nothing."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, failure_of
from .._graph.client import GraphClient, RequestCounts
from .._retry import Clock
from .._risk import detection_filters as _detection_filter
from .._risk.decisions import NO_SELECTION, Selection, parse_selection
from .._risk.detection_filters import DetectionFilter, detected_ticks
from .._risk.detections import DetectionReader
from .._risk.filters import parse_limit
from .._risk.resources import RISKY_USERS
from .result import ModuleResult, read_report, rendered
from .snake_case import snake_case, with_snake_case

QUERY_SPEC: dict[str, dict[str, t.Any]] = {
    **RISKY_USERS.labels.option("users", type="list", elements="str"),
    "filters": {"type": "dict", "options": _detection_filter.DETECTION_FILTER_SPEC},
    "limit": {"type": "int"},
}


@dataclasses.dataclass(frozen=True)
class Query:
    """What a task asks for, checked. Without `asked`, the users do not matter."""

    asked: Selection | None
    wanted: DetectionFilter
    limit: int | None


def parse_query(params: t.Mapping[str, t.Any], now: int) -> Query:
    """The query of a module's parameters.

    :param now: ticks, for ages in `filters`.
    :raises RequestError: a value that makes no sense.
    :raises UsersError: a value that can be no user.
    """
    return Query(
        asked=None if params["users"] is None else parse_selection(params["users"], "users", RISKY_USERS),
        wanted=_detection_filter.parse(params["filters"] or {}, now),
        limit=parse_limit(params),
    )


@dataclasses.dataclass
class _Gathered:
    """What was read so far. Without a reader, nothing was."""

    reader: DetectionReader | None = None
    limit: int | None = None
    counts: RequestCounts = dataclasses.field(default_factory=RequestCounts)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def report(self, error: EntraRiskError | None) -> ModuleResult:
        """The report on the present state of affairs."""
        reader = self.reader
        chosen = list(reader.chosen.values()) if reader else []
        chosen.sort(key=lambda item: detected_ticks(item) or 0, reverse=True)
        detections = chosen[: self.limit]
        nothing = {snake_case(name): None for name in reader.properties} if reader else {}
        moments = (reader.first_date, reader.newest_change) if reader else ()
        data = {
            "risk_detections": [{**nothing, **with_snake_case(item)} for item in detections],
            "count": len(detections),
            "truncated": bool(reader and reader.truncated) or len(detections) < len(chosen) or error is not None,
            "evaluated_at": rendered(max((ticks for ticks in moments if ticks is not None), default=None)),
        }
        return read_report(data, "risk detection", "risk detections", self.counts, self.warnings, error)


def read(
    params: t.Mapping[str, t.Any],
    *,
    connect: t.Callable[[], GraphClient],
    check_mode: bool = False,
    diff: bool = False,
    clock: Clock | None = None,
) -> ModuleResult:
    """Carry out a task from its module parameters. Failures are part of the report; none is raised.

    Check mode and diff mode make no difference, since nothing changes.

    :param connect: gives the client; checks the connection options before anything is sent.
    """
    gathered = _Gathered()

    def work() -> None:
        query = parse_query(params, _timestamps.from_seconds((clock or Clock()).wall()))
        if query.asked == NO_SELECTION:
            return
        client = connect()
        gathered.counts = client.counts
        gathered.limit = query.limit
        gathered.reader = DetectionReader(client, query.asked, query.wanted, query.limit, gathered.warnings)
        gathered.reader.read()

    return gathered.report(failure_of(work))


def refused(dummy: t.Mapping[str, t.Any], error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began."""
    return _Gathered().report(error)
