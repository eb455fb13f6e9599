# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Finds the objects of a task, with all that is known of them: those that are named, or those a filter chooses."""

from __future__ import annotations

import dataclasses

from .._errors import PermissionDeniedError, RequestError
from .._graph.directory import Directory
from .._graph.errors import FILTER_REFUSED
from .api import RiskApi
from .decisions import DirectoryStatus, Selection, Target, is_name
from .filters import RiskFilter
from .loader import RecordCache, RecordLoader
from .resources import Record


class TargetResolver:
    """Reads what is needed to tell who is meant, and keeps it in `cache`.

    :param warnings: where to add what people should know of the reading.
    """

    def __init__(self, api: RiskApi, warnings: list[str]) -> None:
        self.cache = RecordCache()
        self.directory = Directory(api.client, api.resource.directory)
        # True when there are, or may be, matching records that were not read.
        self.truncated = False
        self._api = api
        self._labels = api.resource.labels
        self._reader = RecordLoader(api, self.cache)
        self._warnings = warnings

    def named(self, asked: Selection) -> list[Target]:
        """One target for each object that is asked for, in that order; two spellings of one object are one target."""
        self._reader.read(asked)
        found = [self._by_name(item) if is_name(item) else self._by_id(item) for item in asked.order]
        # Names that only the directory knew: their records may be listed under an older name.
        new_ids = tuple(target.id for target in found if target.id is not None and target.record is None)
        self._reader.read(Selection(new_ids))
        targets: dict[str, Target] = {}
        for item, target in zip(asked.order, found):
            record = target.record or self.cache.records.get(target.id or "")
            target = dataclasses.replace(target, record=record, asked=asked.as_given.get(item, item))
            targets.setdefault(target.id or f"name {target.name}", target)
        return list(targets.values())

    def _by_id(self, object_id: str) -> Target:
        record = self.cache.records.get(object_id)
        return Target(object_id, record.name if record else None, record)

    def _by_name(self, name: str) -> Target:
        live = self.cache.named(name)
        if len(live) == 1:
            return Target(live[0].id, live[0].name, live[0])
        deleted = self.cache.named(name, deleted=True)
        try:
            known = self.directory.find(name)
        except PermissionDeniedError:
            known = None
        if known is not None:
            return Target(known.id, known.name or name, directory_status=DirectoryStatus.CONFIRMED)
        if self._reader.read_on(name, absent=self.directory.forbidden is None):
            return self._by_name(name)
        if live:
            return Target(None, name, directory_status=DirectoryStatus.AMBIGUOUS)
        if deleted:
            return Target(deleted[0].id, deleted[0].name, deleted[0])
        return Target(
            None,
            name,
            directory_status=DirectoryStatus.FORBIDDEN if self.directory.forbidden else DirectoryStatus.ABSENT,
        )

    def filtered(self, wanted: RiskFilter) -> list[Target]:
        """The objects that a filter chooses, by name."""
        self.read_list(wanted)
        return [Target(record.id, record.name, record) for record in self.chosen(wanted)]

    def chosen(self, wanted: RiskFilter) -> list[Record]:
        """Those of the records read so far that a filter chooses, by name."""
        matching = [record for record in self.cache.records.values() if wanted.matches(record)]
        return sorted(matching, key=lambda record: (record.name is None, (record.name or "").casefold(), record.id))

    def read_list(self, wanted: RiskFilter, limit: int | None = None) -> None:
        """Read a list that holds everything wanted: the narrow one, or a wider one where the service refuses that.

        :param limit: stop as soon as that many are found.
        """
        for odata in dict.fromkeys((wanted.odata(), wanted.states_only().odata(), None)):
            try:
                # By id: records move between pages while they are read.
                found: set[str] = set()
                for page in self._api.pages(odata):
                    records = self._api.records(page)
                    self.cache.add(records, page.date)
                    if page.broken is not None:
                        self.truncated = True
                        self._warnings.append(
                            f"Graph broke off the list of risky {self._labels.many} before its end (a known fault of "
                            f"its last page). Read so far: {self._labels.count(len(self.cache.records))}. Run the task "
                            "again to see whether more are found."
                        )
                    found.update(record.id for record in records if wanted.matches(record))
                    if limit is not None and (len(found) > limit or (len(found) == limit and not page.last)):
                        self.truncated = True
                        return
                return
            except RequestError as exc:
                if odata is None or exc.status not in FILTER_REFUSED:
                    raise

    def evaluated_at(self) -> int | None:
        """Ticks of the time that the cache is of; None before the first answer.

        The first answer counts: what changed while the later ones were read must look newer than this.
        """
        known = [ticks for ticks in (self.cache.first_date, self.cache.newest_change) if ticks is not None]
        return max(known, default=None)
