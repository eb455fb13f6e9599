# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Reads the risk records of given objects with few requests.

There are two ways to a record: lists of 500 a page, which bring many at once but nobody knows how many pages there are,
and direct questions, whose number is known. The loader starts with the cheaper guess and changes over as soon as the
pages have cost as much as the direct questions would: so it never makes more than about twice the requests of the
better way.
"""

from __future__ import annotations

import string
import typing as t

from .._errors import RequestError
from .._graph.errors import FILTER_REFUSED
from .._graph.names import fold
from .._graph.odata import any_of, chunks
from .api import RiskApi
from .resources import ACTIVE_STATES, Record

ACTIVE = any_of("riskState", ACTIVE_STATES)
EVERYTHING = None
_OTHER_CASE = str.maketrans(string.ascii_letters, string.ascii_letters.swapcase())


class RecordCache:
    """What was read so far."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        # True when everything that is listed was read, so that what is not here is not listed.
        self.complete = False
        # The ids that were seen under a name, as keys, in the order of reading.
        self._by_name: dict[str, dict[str, None]] = {}

    def add(self, records: t.Iterable[Record]) -> None:
        """Take in an answer."""
        for record in records:
            known = self.records.get(record.id)
            if known is None or _supersedes(record, known):
                self.records[record.id] = record
            if record.name is not None:
                self._by_name.setdefault(fold(record.name), {})[record.id] = None

    def named(self, name: str, *, deleted: bool = False) -> list[Record]:
        """The records that were seen with this name, in any copy."""
        records = [self.records[key] for key in self._by_name.get(fold(name), ())]
        return [record for record in records if record.deleted == deleted]


def _supersedes(record: Record, known: Record) -> bool:
    """Which of two answers about one object counts: that of the newer change; of two as new, the more careful one."""
    if record.updated_ticks is None or known.updated_ticks is None or record.updated_ticks == known.updated_ticks:
        return record.deleted or not known.deleted
    return record.updated_ticks > known.updated_ticks


class RecordLoader:
    """Fills a cache until each object that is asked for is known to be listed or not listed.

    :param lists: the `$filter` of each list to read, the most promising first.
    """

    def __init__(self, api: RiskApi, cache: RecordCache, lists: t.Sequence[str | None] = (ACTIVE, EVERYTHING)) -> None:
        self._api = api
        self._cache = cache
        self._pages = self._read_lists(lists)
        self._pages_read = 0
        # True when one answer held everything, so that no record could move while the pages were read.
        self._in_one_page = False
        self._lists_left = True
        self._filter_works = {"id": True, api.resource.name_property: True}
        self._not_listed: set[str] = set()

    def read(self, ids: t.Sequence[str]) -> None:
        """Read until all ids are settled. Afterwards an id without a record is not listed."""
        while left := [item for item in ids if self._is_open(item)]:
            questions = sum(1 for dummy in chunks("id", left)) if self._filter_works["id"] else len(left)
            if self._lists_left and questions > max(1, self._pages_read):
                self._lists_left = next(self._pages, None) is not None
            elif len(left) == 1 or not self._filter_works["id"]:
                self._read_one(left[0])
            else:
                chunk = next(chunks("id", left))
                if self._read_by_filter("id", chunk, str.lower):
                    self._not_listed.update(chunk)

    def confirm_absence(self, ids: t.Sequence[str]) -> None:
        """Ask directly for the ids that no page showed, one request for 15; none where one page held everything.

        A record whose risk changes while a list is read may move to a page that was read before. Whoever is written to
        without a record must not be such a one.
        """
        if self._cache.complete and not self._in_one_page:
            self._cache.complete = self._lists_left = False
            self.read(ids)

    def read_names(self, names: t.Sequence[str], *, surely: bool) -> None:
        """Read the records that have these names, by a filter, or everything that is listed where that does not work.

        :param surely: read every record that has one of the names in any case. A filter that finds a name by another
            spelling of it does not mind the case; without that proof, everything is read.
        """
        name_property = self._api.resource.name_property
        asked = [name.translate(_OTHER_CASE) for name in names] if surely else [*names, *map(fold, names)]
        for chunk in chunks(name_property, list(dict.fromkeys(asked))):
            if self._cache.complete or not self._filter_works[name_property]:
                break
            self._read_by_filter(name_property, chunk, fold)
        settled = self._filter_works[name_property] and not (surely and any(map(self._may_be_missed, names)))
        while not settled and self._lists_left:
            self._lists_left = next(self._pages, None) is not None

    def _may_be_missed(self, name: str) -> bool:
        """Whether somebody could have a name that was asked for in the other case, and not have been found."""
        return not any(record.name != name.translate(_OTHER_CASE) for record in self._cache.named(name))

    def _is_open(self, object_id: str) -> bool:
        return not (object_id in self._cache.records or object_id in self._not_listed or self._cache.complete)

    def _read_lists(self, lists: t.Sequence[str | None]) -> t.Iterator[bool]:
        """One step is one page."""
        for odata in lists:
            try:
                for number, page in enumerate(self._api.pages(odata)):
                    self._pages_read += 1
                    self._cache.add(self._api.records(page))
                    if page.last and page.broken is None and odata is EVERYTHING:
                        self._cache.complete = True
                        self._in_one_page = number == 0
                    yield True
            except RequestError as exc:
                if odata is EVERYTHING or exc.status not in FILTER_REFUSED:
                    raise
                # The filter is refused: the next list asks for less.
                self._pages_read += 1
                yield True

    def _read_one(self, object_id: str) -> None:
        record = self._api.get(object_id)
        if record is None:
            self._not_listed.add(object_id)
        else:
            self._cache.add([record])

    def _read_by_filter(self, name: str, values: t.Sequence[str], same: t.Callable[[str], str]) -> bool:
        """Ask for the records with these values. False when it is refused, ignored, or broken off."""
        wanted = {same(value) for value in values}
        try:
            for page in self._api.pages(any_of(name, values)):
                records = self._api.records(page)
                self._cache.add(records)
                found = ((record.id if name == "id" else record.name) or "" for record in records)
                if page.broken is not None or any(same(value) not in wanted for value in found):
                    self._filter_works[name] = False
                    return False
        except RequestError as exc:
            if exc.status not in FILTER_REFUSED:
                raise
            self._filter_works[name] = False
        return self._filter_works[name]
