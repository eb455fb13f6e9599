# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Whose risk changed since it was last seen, and from when on to ask. Pure: pages in, changes out.

Graph has no change feed for risk, so a list is asked for over and over: everything that changed at some time or later.
That time trails behind what was seen, so that a record which shows up late, or two with one time, are not missed; what
is known already is told from what is new by remembering it. Only the times of the records count, not our clock, and
the service's only where nothing else tells.
"""

from __future__ import annotations

import dataclasses
import sys
import typing as t

from .._timestamps import TICKS_PER_SECOND
from .resources import Record

# So far back is asked for, counted from the newest change that is known, where it costs no second page.
FARTHEST = 24 * 3600 * TICKS_PER_SECOND
# So late may a record show up. Where that is more than a page, it is read only so often, and one page in between.
LOOKBACK = 3600 * TICKS_PER_SECOND
WHOLE_EVERY = 300 * TICKS_PER_SECOND
# A change that was made while the list was read has a time not much earlier than the service's clock at its beginning.
# And when the newest change is so old, nobody else shows up with its very time.
_OVERLAP = 10 * TICKS_PER_SECOND
# Of the page that is asked for, so much may be known already: the rest is for what is new.
_KNOWN_PART = 0.8


class Seen(t.NamedTuple):
    """What the risk was when it was last seen. `updated` is in ticks; None where Graph gave no time one can read."""

    updated: int | None
    state: str | None
    level: str | None

    @classmethod
    def of(cls, record: Record) -> Seen:
        # The same few words, tens of thousands of times.
        state, level = (text and sys.intern(text) for text in (record.state, record.level))
        return cls(record.updated_ticks, state, level)


@dataclasses.dataclass(frozen=True)
class Change:
    """A record whose risk changed. `before` is None where it was not seen before."""

    record: Record
    seen: Seen
    before: Seen | None


@dataclasses.dataclass(frozen=True)
class Window:
    """What a reading asks for: all that changed at `start` or later. `whole` when that is as far back as is needed."""

    start: int
    whole: bool


@dataclasses.dataclass
class Watched:
    """What is known of the risk of a tenant: about 300 bytes for each of its users. All times are in ticks.

    :param floor: the first reading asked from here on. Who changed earlier and is not known is no news.
    :param since: until the first reading is complete, only who changed at this time or later is news. Then None.
    :param settled: the service's time when the last complete reading began.
    :param page_size: how many records fit on a page.
    """

    floor: int
    since: int | None
    settled: int
    page_size: int
    known: dict[str, Seen] = dataclasses.field(default_factory=dict)
    _whole_at: int = 0
    _readings: int = 0
    # Copies that are older than what is known, and the number of the reading that had them first.
    _older: dict[str, tuple[Seen, int]] = dataclasses.field(default_factory=dict)

    def window(self) -> Window:
        """What the next reading has to ask for.

        One page, as far as nothing can be missed that way.
        """
        if self.since is not None:
            return Window(self.floor, True)
        newest = max((seen.updated for seen in self.known.values() if seen.updated is not None), default=self.floor)
        anchor = min(newest, self.settled)
        farthest, needed = (max(self.floor, anchor - span) for span in (FARTHEST, LOOKBACK))
        times = [seen.updated for seen in self.known.values() if seen.updated is not None and seen.updated >= farthest]
        times.sort(reverse=True)
        room = max(1, int(self.page_size * _KNOWN_PART))
        if len(times) <= room:
            return Window(farthest, True)
        # Graph is asked in whole seconds. One that is too much for the page is left out.
        page = _second(times[room - 1], after=times[room] >= _second(times[room - 1]))
        if page <= needed:
            return Window(page, True)
        quiet = self.settled - newest
        if self.settled - self._whole_at >= WHOLE_EVERY and quiet <= LOOKBACK:
            return Window(needed, True)
        # The second of the newest change is over, or has to be asked for again.
        edge = min(_second(newest, after=quiet > _OVERLAP), self.settled - _OVERLAP)
        return Window(max(needed, min(edge, page)), False)

    def changes(self, records: t.Iterable[Record]) -> t.Iterator[Change]:
        """Those of a page whose risk changed. Each one counts as known only when it is given to `remember`."""
        for record in records:
            seen, before = Seen.of(record), self.known.get(record.id)
            if seen == before:
                self._older.pop(record.id, None)
                continue
            if before is not None and self._is_older_copy(record.id, seen, before):
                continue
            change = Change(record, seen, before)
            if before is None and not self._is_news(seen):
                self.remember(change)
            else:
                yield change

    def remember(self, change: Change) -> None:
        """This was told, or is nothing to tell."""
        self.known[change.record.id] = change.seen
        self._older.pop(change.record.id, None)

    def complete(self, window: Window, began: int) -> None:
        """A reading came to its end without a gap.

        :param began: the service's time when it began.
        """
        self.settled, self.since = began, None
        self._readings += 1
        if window.whole:
            self._whole_at = began

    def _is_news(self, seen: Seen) -> bool:
        """Whether somebody who was never seen changed lately. Without a time, whoever is new counts as changed."""
        if self.since is not None:
            return seen.updated is not None and seen.updated >= self.since
        return seen.updated is None or seen.updated >= self.floor

    def _is_older_copy(self, object_id: str, seen: Seen, before: Seen) -> bool:
        """Whether this is what was so before: parts of the service lag behind others.

        What two readings in a row show is no copy that lags behind, but the present state with a strange time.
        """
        if seen.updated is None or before.updated is None or seen.updated >= before.updated:
            return False
        copy, reading = self._older.setdefault(object_id, (seen, self._readings))
        if copy != seen:
            self._older[object_id] = (seen, self._readings)
        return copy != seen or reading == self._readings


def _second(ticks: int, *, after: bool = False) -> int:
    """The second that a time lies in, or the one after it."""
    return (ticks // TICKS_PER_SECOND + after) * TICKS_PER_SECOND
