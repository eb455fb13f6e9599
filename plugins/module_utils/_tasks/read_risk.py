# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Reads risky objects with everything that Graph tells of them. Writes nothing."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, RequestError, failure_of
from .._graph.client import GraphClient, RequestCounts
from .._retry import Clock
from .._risk import filters as _filters
from .._risk.api import RiskApi
from .._risk.decisions import NO_SELECTION, DirectoryStatus, Selection, listing, parse_selection
from .._risk.filters import RiskFilter, parse_limit
from .._risk.resolver import TargetResolver
from .._risk.resources import ACTIVE_STATES, Record, Resource
from .result import ModuleResult, read_report, rendered
from .snake_case import snake_case, with_snake_case


@dataclasses.dataclass(frozen=True)
class Query:
    """What a task asks for, checked. Exactly one of `asked` and `risk_filter` is set."""

    asked: Selection | None
    risk_filter: RiskFilter | None
    limit: int | None
    include_history: bool


@dataclasses.dataclass
class _Gathered:
    """What was read so far; `truncated` when there is, or may be, more."""

    resource: Resource
    entries: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    not_listed: list[str] = dataclasses.field(default_factory=list)
    truncated: bool = False
    evaluated_at: int | None = None
    counts: RequestCounts = dataclasses.field(default_factory=RequestCounts)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def report(self, error: EntraRiskError | None) -> ModuleResult:
        """The report on the present state of affairs."""
        labels = self.resource.labels
        data = {
            labels.key: self.entries,
            "count": len(self.entries),
            "not_listed": self.not_listed,
            # Whatever ended the work early, there may be more.
            "truncated": self.truncated or error is not None,
            "evaluated_at": rendered(self.evaluated_at),
        }
        return read_report(data, f"risky {labels.one}", f"risky {labels.many}", self.counts, self.warnings, error)


def query_spec(resource: Resource) -> dict[str, dict[str, t.Any]]:
    """The options of a module that reads objects of a resource."""
    return {
        **resource.labels.option(resource.labels.key, type="list", elements="str"),
        "filters": {"type": "dict", "options": _filters.FILTER_SPEC},
        "limit": {"type": "int"},
        "include_history": {"type": "bool", "default": False},
    }


def parse_query(params: t.Mapping[str, t.Any], resource: Resource, now: int) -> Query:
    """The query of a module's parameters. Without a choice, it is for every active object.

    :param now: ticks, for ages in `filters`.
    :raises RequestError: a value that makes no sense.
    :raises UsersError: a value that can be no object of the resource.
    """
    key = resource.labels.key
    values, filters = params[key], params["filters"]
    if values is not None and filters is not None:
        raise RequestError(f"Give {key} or filters, not both. Without either, every active one is returned.")
    return Query(
        asked=None if values is None else parse_selection(values, key, resource),
        risk_filter=_filters.parse(filters or {}, ACTIVE_STATES, now) if values is None else None,
        limit=parse_limit(params),
        include_history=params["include_history"],
    )


def read(
    params: t.Mapping[str, t.Any],
    resource: Resource,
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
    gathered = _Gathered(resource)

    def work() -> None:
        query = parse_query(params, resource, _timestamps.from_seconds((clock or Clock()).wall()))
        if query.asked == NO_SELECTION:
            return
        client = connect()
        gathered.counts = client.counts
        api = RiskApi(client, resource, in_full=True)
        resolver = TargetResolver(api, gathered.warnings)
        try:
            records = _find(query, resolver, gathered)
        except EntraRiskError:
            # What was read until then is worth something, and the report says that there may be more.
            records = resolver.chosen(query.risk_filter) if query.risk_filter is not None else []
            gathered.entries = [_entry(record, api.properties) for record in records[: query.limit]]
            raise
        finally:
            gathered.truncated = resolver.truncated
            gathered.evaluated_at = resolver.evaluated_at()
        if query.limit is not None and len(records) > query.limit:
            gathered.truncated = True
        records = records[: query.limit]
        gathered.entries = [_entry(record, api.properties) for record in records]
        if query.include_history:
            for record, entry in zip(records, gathered.entries):
                entry["history"] = _history(api, record, gathered)

    return gathered.report(failure_of(work))


def refused(dummy: t.Mapping[str, t.Any], resource: Resource, error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began."""
    return _Gathered(resource).report(error)


def _find(query: Query, resolver: TargetResolver, gathered: _Gathered) -> list[Record]:
    if query.risk_filter is not None:
        resolver.read_list(query.risk_filter, query.limit)
        return resolver.chosen(query.risk_filter)
    records: dict[str, Record] = {}
    targets = resolver.named(query.asked or NO_SELECTION)
    forbidden = [target.asked or "" for target in targets if target.directory_status is DirectoryStatus.FORBIDDEN]
    if forbidden:
        gathered.warnings.append(
            f"{listing(forbidden)} could not be looked up in the directory: the token lacks the Graph permission "
            f"{gathered.resource.directory.permission}. A record under an older name is not found so."
        )
    for target in targets:
        meant = [target.record] if target.record is not None else []
        if target.directory_status is DirectoryStatus.AMBIGUOUS and target.name is not None:
            # Nothing is written here, so there is no need to know which one is meant.
            meant = resolver.cache.named(target.name)
        records.update((record.id, record) for record in meant if record.id not in records)
        if not meant:
            gathered.not_listed.append(target.asked or "")
    return list(records.values())


def _entry(record: Record, properties: t.Sequence[str]) -> dict[str, t.Any]:
    """All properties, those that Graph left out as null, and those that are newer than this collection as well."""
    return {**{snake_case(name): None for name in properties}, **with_snake_case(record.properties)}


def _history(api: RiskApi, record: Record, gathered: _Gathered) -> list[dict[str, t.Any]]:
    """The history of one record, newest first."""
    items: list[dict[str, t.Any]] = []
    for page in api.history(record.id):
        items.extend(with_snake_case(item) for item in page.items if isinstance(item, dict))
        if page.broken is not None:
            gathered.truncated = True
            gathered.warnings.append(
                f"Graph broke off the history of {record.name or record.id} before its end (a known fault of its last "
                f"page). {len(items)} of its entries were read."
            )
    items.sort(key=lambda item: _timestamps.parse_or_none(item.get("risk_last_updated_date_time")) or 0, reverse=True)
    return items
