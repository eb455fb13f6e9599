# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Reads risk detections: what makes somebody risky. Writes nothing."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, failure_of
from .._graph.client import GraphClient
from .._retry import Clock
from .._risk import filters
from .._risk.decisions import NO_SELECTION, Selection, parse_selection
from .._risk.detections import DetectionReader, DetectionSet
from .._risk.filters import DetectionFilter
from .result import ModuleResult, read_report
from .snake_case import snake_case, with_snake_case


@dataclasses.dataclass(frozen=True)
class Query:
    """What a task asks for, checked. Without a selection, the owners do not matter. `now` is in ticks."""

    selection: Selection | None
    wanted: DetectionFilter
    limit: int | None
    now: int


def query_spec(kind: DetectionSet) -> dict[str, dict[str, t.Any]]:
    """The options of a module that reads detections of a kind."""
    labels = kind.owner.labels
    return {
        **labels.option(labels.key, type="list", elements="str"),
        "filters": {"type": "dict", "options": filters.DETECTION_FILTER_SPEC},
        "limit": {"type": "int"},
    }


def parse_query(params: t.Mapping[str, t.Any], kind: DetectionSet, now: int) -> Query:
    """The query of a module's parameters.

    :param now: ticks by the clock here.
    :raises RequestError: a value that makes no sense, or can be nobody.
    """
    key = kind.owner.labels.key
    return Query(
        selection=None if params[key] is None else parse_selection(params[key], key, kind.owner),
        wanted=filters.parse_detections(params["filters"] or {}, now),
        limit=filters.parse_limit(params),
        now=now,
    )


@dataclasses.dataclass
class _Gathered:
    """What was read so far. Without a reader, nothing was."""

    reader: DetectionReader | None = None
    limit: int | None = None
    client: GraphClient | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    def report(self, error: EntraRiskError | None) -> ModuleResult:
        """The report on the present state of affairs."""
        chosen = self.reader.chosen if self.reader else []
        detections = chosen[: self.limit]
        nothing = {snake_case(name): None for name in self.reader.properties} if self.reader else {}
        data = {
            "risk_detections": [{**nothing, **with_snake_case(item)} for item in detections],
            "count": len(detections),
            "truncated": bool(self.reader and self.reader.truncated)
            or len(detections) < len(chosen)
            or error is not None,
        }
        return read_report(data, "risk detection", "risk detections", self.client, self.warnings, error)


def read(
    params: t.Mapping[str, t.Any],
    kind: DetectionSet,
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
        query = parse_query(params, kind, _timestamps.from_seconds((clock or Clock()).wall()))
        if query.selection == NO_SELECTION:
            return
        gathered.client = connect()
        gathered.limit = query.limit
        gathered.reader = DetectionReader(
            gathered.client, kind, query.selection, query.wanted, query.limit, query.now, gathered.warnings
        )
        gathered.reader.read()

    return gathered.report(failure_of(work))


def refused(dummy: t.Mapping[str, t.Any], kind: DetectionSet, error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began."""
    return _Gathered().report(error)
