# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""A `filters` value as the OData text for the service and as the predicate that says the same.

The service may ignore a filter or know only half of it, so the text is a request and the predicate is the decision.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import RequestError
from .._graph.odata import quoted
from .resources import RISK_LEVELS, RISK_STATES, Record

FILTER_SPEC: dict[str, dict[str, t.Any]] = {
    "risk_state": {"type": "list", "elements": "str", "choices": list(RISK_STATES)},
    "risk_level": {"type": "list", "elements": "str", "choices": list(RISK_LEVELS)},
    "updated_after": {"type": "str"},
    "updated_before": {"type": "str"},
}


@dataclasses.dataclass(frozen=True)
class TimeRange:
    """The times after one moment and before another, in ticks; both stand outside. None is open."""

    after: int | None = None
    before: int | None = None

    def holds(self, ticks: int | None) -> bool:
        """Whether a time lies inside. An unknown time does so only where every time does."""
        if self.after is None and self.before is None:
            return True
        return (
            ticks is not None
            and (self.after is None or ticks > self.after)
            and (self.before is None or ticks < self.before)
        )

    def odata(self, name: str) -> list[str]:
        """The clauses for a property, widened to whole seconds."""
        second = _timestamps.TICKS_PER_SECOND
        clauses = []
        if self.after is not None:
            clauses.append(f"{name} ge {_timestamps.render(self.after // second * second)}")
        if self.before is not None:
            clauses.append(f"{name} le {_timestamps.render(-(-self.before // second) * second)}")
        return clauses


ALWAYS = TimeRange()


@dataclasses.dataclass(frozen=True)
class RiskFilter:
    """Chooses records. None means that a property does not matter."""

    states: tuple[str, ...]
    levels: tuple[str, ...] | None = None
    updated: TimeRange = ALWAYS

    def matches(self, record: Record) -> bool:
        """The decision, on what Graph answered. What Graph does not tell (null) matches nothing."""
        if record.state not in self.states or (self.levels is not None and record.level not in self.levels):
            return False
        return self.updated.holds(record.updated_ticks)

    def odata(self) -> str:
        """The `$filter`. It can ask for a record too many, never for one too few."""
        clauses = [any_of("riskState", self.states)]
        if self.levels is not None:
            clauses.append(any_of("riskLevel", self.levels))
        return " and ".join([*clauses, *self.updated.odata("riskLastUpdatedDateTime")])

    def states_only(self) -> RiskFilter:
        """The part that Graph documents, for a service that refuses the rest."""
        return RiskFilter(self.states)


def parse(value: t.Mapping[str, t.Any], default_states: t.Sequence[str], now: int) -> RiskFilter:
    """A checked filter from the option's value. An empty value means the default states.

    :param now: ticks from which an age such as `90d` counts back.
    :raises RequestError: an empty list, a value that Graph does not know, a time that cannot be read.
    """
    return RiskFilter(
        states=choices(value, "risk_state", RISK_STATES) or tuple(default_states),
        levels=choices(value, "risk_level", RISK_LEVELS),
        updated=time_range(value, "updated", now),
    )


def parse_limit(params: t.Mapping[str, t.Any]) -> int | None:
    """The option `limit`.

    :raises RequestError: it is below 1.
    """
    limit: int | None = params["limit"]
    if limit is not None and limit < 1:
        raise RequestError(f"limit is {limit}; it must be 1 or more.")
    return limit


def choices(value: t.Mapping[str, t.Any], key: str, known: t.Collection[str] | None) -> tuple[str, ...] | None:
    """The values of a key, None when it is not given. With `known`, only those are allowed.

    :raises RequestError: an empty list, or a value that is not known.
    """
    wanted = value.get(key)
    if wanted is None:
        return None
    if not wanted:
        raise RequestError(f"filters.{key} is an empty list, which would match nothing. Leave it out, or name values.")
    for item in wanted:
        if known is not None and item not in known:
            raise RequestError(f"filters.{key}: {item!r} is none of {', '.join(known)}.")
    return tuple(dict.fromkeys(wanted))


def time_range(value: t.Mapping[str, t.Any], what: str, now: int) -> TimeRange:
    """The range of the keys `<what>_after` and `<what>_before`.

    :raises RequestError: a text that is neither a time nor an age, or a range that is empty.
    """
    found = TimeRange(_moment(value, f"{what}_after", now), _moment(value, f"{what}_before", now))
    if found.after is not None and found.before is not None and found.after >= found.before:
        raise RequestError(
            f"filters: {what}_after is not earlier than {what}_before, so no record can match. "
            f"Ages count back from now: {what}_before=30d with {what}_after=90d means 30 to 90 days old."
        )
    return found


def _moment(value: t.Mapping[str, t.Any], key: str, now: int) -> int | None:
    text = value.get(key)
    if text is None or not text.strip():
        return None
    age = _timestamps.parse_age(text)
    if age is not None:
        return now - age * _timestamps.TICKS_PER_SECOND
    try:
        return _timestamps.parse(text)
    except ValueError:
        raise RequestError(
            f"filters.{key}: {text!r} is neither a time in ISO 8601 with an offset (2026-01-31T00:00:00Z) "
            "nor an age (30m, 12h, 90d, 8w)."
        ) from None


def any_of(name: str, values: t.Sequence[str]) -> str:
    """The OData text for a property that has one of the values."""
    terms = [f"{name} eq {quoted(value)}" for value in values]
    return terms[0] if len(terms) == 1 else f"({' or '.join(terms)})"
