# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Reads the risk records of given objects with few requests.

There are two ways to a record: lists of 500 a page, which bring many at once but nobody knows how many pages there are,
and direct questions, whose number is known. The reader starts with the cheaper guess and changes over as soon as the
pages have cost as much as the direct questions would: so it never makes more than about twice the requests of the
better way. What the service leaves out is never taken as an answer unless the call that left it out is trustworthy.
"""

from __future__ import annotations

import typing as t

from .._errors import RequestError
from .._graph.errors import FILTER_REFUSED
from .._graph.odata import quoted
from .api import RiskApi
from .decisions import Selection
from .resources import ACTIVE_STATES, Record

# Long `or` filters are undocumented; these sizes are in use in the field and keep the URL below 2,000 characters.
_CLAUSES = 15
_FILTER_LENGTH = 1500

ACTIVE = " or ".join(f"riskState eq '{state}'" for state in ACTIVE_STATES)
EVERYTHING = None


class RecordCache:
    """What was read so far."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.first_date: int | None = None
        self.newest_change: int | None = None
        # True when everything that is listed was read, so that what is not here is not listed.
        self.complete = False
        # The ids that were seen under a name, as keys, in the order of reading.
        self._by_name: dict[str, dict[str, None]] = {}

    def add(self, records: t.Iterable[Record], date: int | None) -> None:
        """Take in an answer; `date` is the service's clock."""
        if self.first_date is None:
            self.first_date = date
        for record in records:
            known = self.records.get(record.id)
            if known is None or _counts_more(record, known):
                self.records[record.id] = record
            if record.name is not None:
                self._by_name.setdefault(record.name.casefold(), {})[record.id] = None
            updated = record.updated_ticks
            if updated is not None and (self.newest_change is None or updated > self.newest_change):
                self.newest_change = updated

    def named(self, name: str, *, deleted: bool = False) -> list[Record]:
        """The records that were seen with this name; a deleted user's name may have gone to somebody else."""
        records = [self.records[key] for key in self._by_name.get(name.casefold(), ())]
        return [record for record in records if record.deleted == deleted]


def _counts_more(record: Record, known: Record) -> bool:
    """Which of two answers about one object counts: that of the newer change; of two as new, the more careful one."""
    if record.updated_ticks is None or known.updated_ticks is None or record.updated_ticks == known.updated_ticks:
        return record.deleted or not known.deleted
    return record.updated_ticks > known.updated_ticks


class RecordLoader:
    """Fills a `RecordCache` until every asked object is known to be listed or not listed.

    :param lists: the `$filter` of each list to read, the most promising first.
    """

    def __init__(self, api: RiskApi, cache: RecordCache, lists: t.Sequence[str | None] = (ACTIVE, EVERYTHING)) -> None:
        self._api = api
        self._cache = cache
        self._pages = self._read_lists(lists)
        self._pages_read = 0
        self._lists_left = True
        self._filter_trusted = {"id": True, self._api.resource.name_property: True}
        self._without_record: set[str] = set()
        # Whether a question for a single id has borne out what a filter left out.
        self._left_out_rightly = False
        # Names that no list has shown so far, and for which the service has no answer that can be relied on.
        self._unsettled: set[str] = set()

    def read(self, asked: Selection) -> None:
        """Read until all that are asked for are settled.

        Afterwards an id without a record is not listed; a name without one has no record under this name.
        """
        while True:
            ids = [item for item in asked.ids if self._is_open(item, self._cache.records)]
            names = [name for name in asked.names if not self._cache.named(name) and self._is_open(name, ())]
            if not ids and not names:
                return
            if self._lists_left and self._direct_cost(ids, names) > max(1, self._pages_read):
                self._lists_left = next(self._pages, None) is not None
            elif ids:
                self._ask_ids(ids)
            else:
                self._ask_names(names)

    def read_on(self, name: str, *, absent: bool = False) -> bool:
        """Read what is left of the lists for a name that was not settled, since nobody else can tell it either.

        False when there is nothing more to learn about the name.

        :param absent: the directory does not have the name. Then an answer to a filter that the service understands is
            enough: what is left is a deleted or renamed one whose name was written in another case.
        """
        if name not in self._unsettled or (absent and self._filter_trusted[self._api.resource.name_property]):
            return False
        self._unsettled.discard(name)
        while self._lists_left and not self._cache.named(name):
            self._lists_left = next(self._pages, None) is not None
        return True

    def _is_open(self, key: str, known: t.Container[str]) -> bool:
        return key not in known and key not in self._without_record and not self._cache.complete

    def _direct_cost(self, ids: t.Sequence[str], names: t.Sequence[str]) -> int:
        """Requests that the direct way needs now. A name whose filter does not work costs a look-up and a question."""
        by_id = -(-len(ids) // _CLAUSES) if self._filter_trusted["id"] else len(ids)
        by_name = (
            -(-len(names) // _CLAUSES) if self._filter_trusted[self._api.resource.name_property] else 2 * len(names)
        )
        return by_id + by_name

    def _read_lists(self, lists: t.Sequence[str | None]) -> t.Iterator[bool]:
        """One step is one page."""
        for odata in lists:
            try:
                for page in self._api.pages(odata):
                    self._pages_read += 1
                    self._cache.add(self._api.records(page), page.date)
                    if page.last and page.broken is None and odata is EVERYTHING:
                        self._cache.complete = True
                    yield True
            except RequestError as exc:
                if odata is EVERYTHING or exc.status not in FILTER_REFUSED:
                    raise
                # The filter is refused: the next list asks for less.
                self._pages_read += 1
                yield True

    def _ask_ids(self, ids: t.Sequence[str]) -> None:
        if len(ids) == 1 or not self._filter_trusted["id"]:
            self._ask_id(ids[0])
        else:
            self._ask_by_filter("id", ids)

    def _ask_id(self, object_id: str) -> None:
        record, reply = self._api.get(object_id)
        self._cache.add([record] if record else (), reply.date)
        # A record under another id than the asked one would be no answer to the question.
        if object_id not in self._cache.records:
            self._without_record.add(object_id)

    def _ask_names(self, names: t.Sequence[str]) -> None:
        name_property = self._api.resource.name_property
        if self._filter_trusted[name_property]:
            self._ask_by_filter(name_property, names)
        else:
            # Only the directory can tell now; the engine asks it for every name that is left.
            self._without_record.update(names)
            self._unsettled.update(names)

    def _ask_by_filter(self, name_property: str, keys: t.Sequence[str]) -> None:
        chunk = filter_chunk(name_property, keys)
        asked = {key.casefold() for key in chunk}
        honoured = True
        try:
            for page in self._api.pages(" or ".join(f"{name_property} eq {quoted(key)}" for key in chunk)):
                records = self._api.records(page)
                self._cache.add(records, page.date)
                values = ((record.id if name_property == "id" else record.name) or "" for record in records)
                if page.broken is not None or any(value.casefold() not in asked for value in values):
                    honoured = False
                    break
        except RequestError as exc:
            if exc.status not in FILTER_REFUSED:
                raise
            honoured = False
        if honoured and name_property == "id":
            honoured = self._verify([key for key in chunk if key not in self._cache.records])
        if honoured:
            self._without_record.update(chunk)
            if name_property != "id":
                # The service may mind upper and lower case, which names do not.
                self._unsettled.update(chunk)
        else:
            self._filter_trusted[name_property] = False

    def _verify(self, left_out: t.Sequence[str]) -> bool:
        """Ask once for an id that a filter left out: the service may have understood the filter in part only."""
        if left_out and not self._left_out_rightly:
            self._ask_id(left_out[0])
            self._left_out_rightly = left_out[0] in self._without_record
            return self._left_out_rightly
        return True


def filter_chunk(name_property: str, keys: t.Sequence[str]) -> list[str]:
    """As many keys as one filter may hold, at least one."""
    chunk: list[str] = []
    length = 0
    for key in keys[:_CLAUSES]:
        # Quotes, blanks and letters outside ASCII grow when the URL is encoded.
        length += len(f"{name_property} eq  or ") + 3 * len(key.encode()) if "@" in key else 60
        if chunk and length > _FILTER_LENGTH:
            break
        chunk.append(key)
    return chunk
