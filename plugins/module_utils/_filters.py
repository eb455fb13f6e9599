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

from . import _timestamps
from ._errors import RequestError
from ._risk import RISK_LEVELS, RISK_STATES, Record

FILTER_SPEC: dict[str, dict[str, t.Any]] = {
    "risk_state": {"type": "list", "elements": "str", "choices": list(RISK_STATES)},
    "risk_level": {"type": "list", "elements": "str", "choices": list(RISK_LEVELS)},
    "updated_after": {"type": "str"},
    "updated_before": {"type": "str"},
}


@dataclasses.dataclass(frozen=True)
class RiskFilter:
    """Chooses records. None means that a property does not matter; times are ticks and stand outside the range."""

    states: tuple[str, ...]
    levels: tuple[str, ...] | None = None
    after: int | None = None
    before: int | None = None

    def matches(self, record: Record) -> bool:
        """The decision, on what Graph answered. What Graph does not tell (null) matches nothing."""
        if record.state not in self.states or (self.levels is not None and record.level not in self.levels):
            return False
        if self.after is None and self.before is None:
            return True
        updated = record.updated_ticks
        if updated is None:
            return False
        return (self.after is None or updated > self.after) and (self.before is None or updated < self.before)

    def odata(self) -> str:
        """The `$filter`. Times are widened to whole seconds: that can ask for a record too many, never one too few."""
        clauses = [_any_of("riskState", self.states)]
        if self.levels is not None:
            clauses.append(_any_of("riskLevel", self.levels))
        second = _timestamps.TICKS_PER_SECOND
        if self.after is not None:
            clauses.append(f"riskLastUpdatedDateTime ge {_timestamps.render(self.after // second * second)}")
        if self.before is not None:
            clauses.append(f"riskLastUpdatedDateTime le {_timestamps.render(-(-self.before // second) * second)}")
        return " and ".join(clauses)

    def states_only(self) -> RiskFilter:
        """The part that Graph documents, for a service that refuses the rest."""
        return RiskFilter(self.states)


def parse(value: t.Mapping[str, t.Any], default_states: t.Sequence[str], now: int) -> RiskFilter:
    """A checked filter from the option's value. An empty value means the default states.

    :param now: ticks from which an age such as `90d` counts back.
    :raises RequestError: an empty list, a value that Graph does not know, a time that cannot be read.
    """
    return _checked(
        RiskFilter(
            states=_choices(value, "risk_state", RISK_STATES) or tuple(default_states),
            levels=_choices(value, "risk_level", RISK_LEVELS),
            after=_moment(value, "updated_after", now),
            before=_moment(value, "updated_before", now),
        )
    )


def _checked(risk_filter: RiskFilter) -> RiskFilter:
    if risk_filter.after is not None and risk_filter.before is not None and risk_filter.after >= risk_filter.before:
        raise RequestError(
            "filters: updated_after is not earlier than updated_before, so no record can match. "
            "Ages count back from now: updated_before=30d with updated_after=90d means 30 to 90 days old."
        )
    return risk_filter


def _choices(value: t.Mapping[str, t.Any], key: str, known: t.Sequence[str]) -> tuple[str, ...] | None:
    wanted = value.get(key)
    if wanted is None:
        return None
    if not wanted:
        raise RequestError(f"filters.{key} is an empty list, which would match nobody. Leave it out, or name values.")
    for item in wanted:
        if item not in known:
            raise RequestError(f"filters.{key}: {item!r} is none of {', '.join(known)}.")
    return tuple(dict.fromkeys(wanted))


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


def _any_of(name: str, values: t.Sequence[str]) -> str:
    terms = [f"{name} eq '{value}'" for value in values]
    return terms[0] if len(terms) == 1 else f"({' or '.join(terms)})"
