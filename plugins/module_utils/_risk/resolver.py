# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Who is meant: the objects that a task names, or those that a filter chooses, with all that is known of them."""

from __future__ import annotations

import typing as t

from .._errors import PermissionDeniedError, RequestError
from .._graph.directory import Directory, DirectoryObject
from .._graph.errors import FILTER_REFUSED
from .._graph.names import fold, is_object_id
from .._graph.paging import Page
from .api import RiskApi
from .decisions import DirectoryStatus, Selection, Target, listing
from .filters import RiskFilter, pages_by_service_time
from .loader import RecordCache, RecordLoader
from .resources import Record


class TargetResolver:
    """Reads what is needed to tell who is meant, and keeps it in `cache`.

    :param warnings: where to add what people should know of the reading.
    """

    def __init__(self, api: RiskApi, directory: Directory, warnings: list[str]) -> None:
        self.cache = RecordCache()
        # True when there are, or may be, matching records that were not read.
        self.truncated = False
        # What a filter chose of the records read so far.
        self.chosen: list[Record] = []
        self._api = api
        self._labels = api.resource.labels
        self._directory = directory
        self._loader = RecordLoader(api, self.cache)
        self._warnings = warnings

    # By id and name

    def named(self, selection: Selection, *, confirm_absence: bool = False) -> list[Target]:
        """One target for each object that is named, in that order; two spellings of one object are one target.

        A name means whom the directory says. The name on a risk record may be an old one.

        :param confirm_absence: leave no doubt that those without a record have none: they may be written to.
        """
        known = self._look_up(selection.names)
        ids = [*selection.ids, *(item.id for item in known.values())]
        self._loader.read(ids)
        if confirm_absence:
            self._loader.confirm_absence(ids)
        targets: dict[str, Target] = {}
        for item in selection.order:
            given = selection.as_given.get(item, item)
            target = self._by_id(item, given) if is_object_id(item) else self._by_name(item, given, known)
            key = target.id or f"name {fold(item)}"
            if key not in targets or target.directory_status is DirectoryStatus.CONFIRMED:
                # Whom the directory knows by name is no typing error in an id.
                targets[key] = target
        self._warn_of_foreign_entries()
        return list(targets.values())

    def _look_up(self, names: t.Sequence[str]) -> dict[str, DirectoryObject]:
        """Who has the names, by folded name. Reads the records that have them where the directory cannot tell."""
        try:
            known = self._directory.having(names) if names else {}
        except PermissionDeniedError:
            self._loader.read_names(names, surely=True)
            self._warnings.append(
                f"{listing(names)} could not be looked up in the directory: the token lacks the Graph permission "
                f"{self._api.resource.directory.permission}. So the names on the risk records decide who is meant, and "
                "they may be old."
            )
            return {}
        # A deleted user has left the directory, and only the record still tells.
        self._loader.read_names([name for name in names if fold(name) not in known], surely=False)
        return known

    def _by_id(self, object_id: str, given: str) -> Target:
        record = self.cache.records.get(object_id)
        return Target(object_id, record.name if record else None, record, given=given)

    def _by_name(self, name: str, given: str, known: t.Mapping[str, DirectoryObject]) -> Target:
        found = known.get(fold(name))
        if found is not None:
            record = self.cache.records.get(found.id)
            return Target(found.id, found.name or name, record, DirectoryStatus.CONFIRMED, given)
        forbidden = self._directory.forbidden is not None
        live = self.cache.named(name) if forbidden else []
        if len(live) > 1:
            return Target(None, name, None, DirectoryStatus.AMBIGUOUS, given)
        for record in (*live, *self.cache.named(name, deleted=True)):
            return Target(record.id, record.name, record, given=given)
        return Target(None, name, None, DirectoryStatus.FORBIDDEN if forbidden else DirectoryStatus.ABSENT, given)

    # By filter

    def filtered(self, wanted: RiskFilter, now: int, limit: int | None = None) -> list[Record]:
        """The records that a filter chooses, by name.

        :param now: ticks by the clock here; ages count from the service's own.
        :param limit: stop as soon as that many are found.
        """
        exact = wanted.at(now)
        try:
            for exact, page in self._pages(wanted, now):
                self.cache.add(self._api.records(page))
                if page.broken is not None:
                    self._warn_of_break()
                found = sum(map(exact.matches, self.cache.records.values())) if limit is not None else 0
                if limit is not None and (found > limit or (found == limit and not page.last)):
                    self.truncated = True
                    break
        finally:
            self.chosen = _by_name(filter(exact.matches, self.cache.records.values()))
            self._warn_of_foreign_entries()
            self._warn_of_times(exact)
        return self.chosen

    def _pages(self, wanted: RiskFilter, now: int) -> t.Iterator[tuple[RiskFilter, Page]]:
        """A list that holds everything wanted: the narrow one, or a wider one where the service refuses that."""

        def narrow(asked: RiskFilter) -> t.Iterator[Page]:
            return self._api.pages(asked.odata())

        def by_state(asked: RiskFilter) -> t.Iterator[Page]:
            return self._api.pages(asked.states_only().odata())

        def everything(dummy: RiskFilter) -> t.Iterator[Page]:
            return self._api.pages(None)

        for read in (narrow, by_state, everything):
            try:
                yield from pages_by_service_time(wanted, now, read)
                return
            except RequestError as exc:
                if read is everything or exc.status not in FILTER_REFUSED:
                    raise

    # What people should know

    def _warn_of_break(self) -> None:
        self.truncated = True
        self._warnings.append(
            f"Graph broke off the list of risky {self._labels.many} before its end (a known fault of its last page). "
            f"Read so far: {self._labels.count(len(self.cache.records))}. Run the task again to see whether more are "
            "found."
        )

    def _warn_of_foreign_entries(self) -> None:
        count = len(self._api.without_id)
        if count:
            self._warnings.append(
                f"Graph listed {count} {'entry' if count == 1 else 'entries'} without an object ID (a GUID) among the "
                f"risky {self._labels.many}. They were left out, since nobody can tell who is meant."
            )

    def _warn_of_times(self, wanted: RiskFilter) -> None:
        undecided = sum(map(wanted.is_undecided, self.cache.records.values()))
        if undecided:
            self._warnings.append(
                f"{self._labels.count(undecided)} not chosen: the time of the last change of the risk is missing or "
                "cannot be read, so nobody can tell whether it lies in the range that filters asks for."
            )


def _by_name(records: t.Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record.name is None, fold(record.name or ""), record.id))
