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
from .._errors import EntraRiskError, PermissionDeniedError, RequestError, failure_of
from .._graph.client import GraphClient
from .._graph.directory import Directory
from .._graph.names import fold
from .._retry import Clock
from .._risk import filters
from .._risk.api import RiskApi
from .._risk.decisions import NO_SELECTION, DirectoryStatus, Selection, Target, parse_selection
from .._risk.filters import RiskFilter
from .._risk.resolver import TargetResolver
from .._risk.resources import ACTIVE_STATES, Record, Resource
from .result import ModuleResult, read_report
from .snake_case import snake_case, with_snake_case


@dataclasses.dataclass(frozen=True)
class Query:
    """What a task asks for, checked. Exactly one of `selection` and `risk_filter` is set. `now` is in ticks."""

    selection: Selection | None
    risk_filter: RiskFilter | None
    limit: int | None
    include_history: bool
    now: int


@dataclasses.dataclass
class _Gathered:
    """What was read so far; `truncated` when there is, or may be, more."""

    resource: Resource
    entries: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    not_listed: list[str] = dataclasses.field(default_factory=list)
    unknown: list[str] = dataclasses.field(default_factory=list)
    truncated: bool = False
    client: GraphClient | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    def report(self, error: EntraRiskError | None) -> ModuleResult:
        """The report on the present state of affairs."""
        labels = self.resource.labels
        data = {
            labels.key: self.entries,
            "count": len(self.entries),
            "not_listed": self.not_listed,
            f"unknown_{labels.key}": self.unknown,
            # Whatever ended the work early, there may be more.
            "truncated": self.truncated or error is not None,
        }
        extra = {"without a risk record": len(self.not_listed), "that the directory does not know": len(self.unknown)}
        return read_report(
            data, f"risky {labels.one}", f"risky {labels.many}", self.client, self.warnings, error, extra=extra
        )


def query_spec(resource: Resource) -> dict[str, dict[str, t.Any]]:
    """The options of a module that reads objects of a resource."""
    return {
        **resource.labels.option(resource.labels.key, type="list", elements="str"),
        "filters": {"type": "dict", "options": filters.FILTER_SPEC},
        "limit": {"type": "int"},
        "include_history": {"type": "bool", "default": False},
    }


def parse_query(params: t.Mapping[str, t.Any], resource: Resource, now: int) -> Query:
    """The query of a module's parameters. Without a choice, it is for every active object.

    :param now: ticks by the clock here.
    :raises RequestError: a value that makes no sense, or can be no object of the resource.
    """
    key = resource.labels.key
    values, chosen = params[key], params["filters"]
    if values is not None and chosen is not None:
        raise RequestError(f"Give {key} or filters, not both. Without either, every active one is returned.")
    return Query(
        selection=None if values is None else parse_selection(values, key, resource),
        risk_filter=filters.parse(chosen or {}, ACTIVE_STATES, now) if values is None else None,
        limit=filters.parse_limit(params),
        include_history=params["include_history"],
        now=now,
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
        if query.selection == NO_SELECTION:
            return
        gathered.client = connect()
        api = RiskApi(gathered.client, resource, in_full=True)
        directory = Directory(gathered.client, resource.directory, fold)
        resolver = TargetResolver(api, directory, gathered.warnings)
        try:
            if query.risk_filter is not None:
                resolver.filtered(query.risk_filter, query.now, query.limit)
            else:
                resolver.chosen = _named(query.selection or NO_SELECTION, resolver, directory, gathered)
        finally:
            # What was read until an error is worth something, and the report says that there may be more.
            records = resolver.chosen[: query.limit]
            gathered.truncated = resolver.truncated or len(records) < len(resolver.chosen)
            gathered.entries = [all_properties(record, api.properties) for record in records]
        if query.include_history:
            for number, (record, entry) in enumerate(zip(records, gathered.entries), 1):
                entry["history"] = _history(api, record, gathered)
                api.client.progress.read(number, "histories", total=len(records))

    return gathered.report(failure_of(work))


def refused(dummy: t.Mapping[str, t.Any], resource: Resource, error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began."""
    return _Gathered(resource).report(error)


def _named(selection: Selection, resolver: TargetResolver, directory: Directory, gathered: _Gathered) -> list[Record]:
    """The records of those who are named. Who has none is noted: the directory tells whether they exist at all."""
    records: dict[str, Record] = {}
    without_record: list[Target] = []
    for target in resolver.named(selection):
        found = [target.record] if target.record is not None else []
        if target.directory_status is DirectoryStatus.AMBIGUOUS and target.name is not None:
            # Nothing is written here, so there is no need to know which one is meant.
            found = resolver.cache.named(target.name)
        records.update((record.id, record) for record in found)
        if not found:
            without_record.append(target)
    unknown = _unknown(without_record, directory, gathered)
    for target in without_record:
        (gathered.unknown if target in unknown else gathered.not_listed).append(target.given or "")
    return list(records.values())


def _unknown(targets: t.Sequence[Target], directory: Directory, gathered: _Gathered) -> list[Target]:
    """Those of the targets that do not exist, as far as the token may see that."""
    unchecked = [
        target.id
        for target in targets
        if target.id is not None and target.directory_status is DirectoryStatus.UNCHECKED
    ]
    existing: t.Collection[str] = unchecked
    try:
        existing = directory.existing(unchecked) if unchecked else ()
    except PermissionDeniedError:
        labels = gathered.resource.labels
        gathered.warnings.append(
            f"{labels.count(len(unchecked))} without a risk record could not be looked up in the directory: the token "
            f"lacks the Graph permission {gathered.resource.directory.permission}. So nobody could check whether they "
            "exist; a typing error in an object ID looks the same."
        )
    missing = set(unchecked) - set(existing)
    return [target for target in targets if target.id in missing or target.directory_status is DirectoryStatus.ABSENT]


def all_properties(record: Record, properties: t.Sequence[str]) -> dict[str, t.Any]:
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
