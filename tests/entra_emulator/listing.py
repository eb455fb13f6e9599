"""Pages of a list."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import typing as t

from .odata import Filter, Order

Values = dict[str, t.Any]


@dataclasses.dataclass
class Entry:
    """An object with its Graph properties. Its `number` grows with each one that is added, and never changes."""

    number: int
    values: Values


@dataclasses.dataclass(frozen=True)
class Query:
    """Which page is asked for: at most `size` entries after the one with the number `after`; 0 is the beginning."""

    size: int
    after: int = 0
    matching: Filter | None = None
    order: Order | None = None


@dataclasses.dataclass(frozen=True)
class Page:
    """The properties of the entries, and the number to go on after; None at the end."""

    values: list[Values]
    last: int | None


def cut(entries: t.Iterable[Entry], query: Query) -> Page:
    """A page. Without an order the entries come as they were added."""
    ordered = list(entries)
    if query.order is not None:
        order = query.order
        ordered.sort(key=lambda entry: order.key(entry.values), reverse=order.descending)
    numbers = [entry.number for entry in ordered]
    # The entry to go on after may be gone by now; then those that were added before it tell where it stood.
    start = numbers.index(query.after) + 1 if query.after in numbers else sum(each < query.after for each in numbers)
    holds = query.matching.matches if query.matching is not None else lambda values: True
    rest = (entry for entry in itertools.islice(ordered, start, None) if holds(entry.values))
    shown = list(itertools.islice(rest, query.size))
    more = next(rest, None) is not None
    return Page([copy.copy(entry.values) for entry in shown], shown[-1].number if shown and more else None)
