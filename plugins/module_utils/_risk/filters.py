# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""A `filters` value of records or detections: the OData text for the service, and the predicate that says the same.

The service may ignore a filter or know only half of it, so the text is a request and the predicate is the decision.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import RequestError
from .._graph.odata import any_of
from .._graph.paging import Page
from .resources import RISK_LEVELS, RISK_STATES, Record

# Names of types as Graph spells them, since nobody knows whether its filter minds the case. Microsoft adds more at any
# time: those are compared here alone. https://learn.microsoft.com/graph/api/resources/riskdetection
EVENT_TYPES = (
    "adminConfirmedServicePrincipalCompromised",
    "adminConfirmedUserCompromised",
    "anomalousServicePrincipalActivity",
    "anomalousToken",
    "anomalousUserActivity",
    "anonymizedIPAddress",
    "attackerinTheMiddle",
    "generic",
    "impossibleTravel",
    "investigationsThreatIntelligence",
    "leakedCredentials",
    "maliciousApplication",
    "maliciousIPAddress",
    "malwareInfectedIPAddress",
    "mcasFinSuspiciousFileAccess",
    "mcasSuspiciousInboxManipulationRules",
    "nationStateIP",
    "newCountry",
    "passwordSpray",
    "riskyIPAddress",
    "suspiciousAPITraffic",
    "suspiciousApplication",
    "suspiciousBrowser",
    "suspiciousInboxForwarding",
    "suspiciousIPAddress",
    "suspiciousSendingPatterns",
    "suspiciousSignins",
    "tokenIssuerAnomaly",
    "unfamiliarFeatures",
    "unlikelyTravel",
    "userReportedSuspiciousActivity",
)
_EVENT_TYPE_BY_FOLDED = {name.lower(): name for name in EVENT_TYPES}

FILTER_SPEC: dict[str, dict[str, t.Any]] = {
    "risk_state": {"type": "list", "elements": "str", "choices": list(RISK_STATES)},
    "risk_level": {"type": "list", "elements": "str", "choices": list(RISK_LEVELS)},
    "updated_after": {"type": "str"},
    "updated_before": {"type": "str"},
}


@dataclasses.dataclass(frozen=True)
class TimeRange:
    """The times after one moment and before another, in ticks; both stand outside. None is open.

    An age (seconds) stands for a moment until `at` is told the time; nothing can be decided before.

    :param slack: ticks by which the question to the service is wider, since its clock is not known before it answers.
    """

    after: int | None = None
    before: int | None = None
    after_age: int | None = None
    before_age: int | None = None
    slack: int = 0

    @property
    def has_ages(self) -> bool:
        return self.after_age is not None or self.before_age is not None

    @property
    def is_open(self) -> bool:
        """Whether every time lies inside."""
        return self.after is None and self.before is None and not self.has_ages

    def at(self, now: int) -> TimeRange:
        """The same range with its ages counted back from a time."""
        if not self.has_ages:
            return self
        second = _timestamps.TICKS_PER_SECOND
        return TimeRange(
            after=self.after if self.after_age is None else now - self.after_age * second,
            before=self.before if self.before_age is None else now - self.before_age * second,
            slack=CLOCK_SLACK,
        )

    def holds(self, ticks: int | None) -> bool:
        """Whether a time lies inside. An unknown time does so only where every time does."""
        if self.is_open:
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
            clauses.append(f"{name} ge {_timestamps.render((self.after - self.slack) // second * second)}")
        if self.before is not None:
            clauses.append(f"{name} le {_timestamps.render(-(-(self.before + self.slack) // second) * second)}")
        return clauses


ALWAYS = TimeRange()
# How far the clock here may be off before a question that holds an age has to be asked anew.
CLOCK_SLACK = 60 * _timestamps.TICKS_PER_SECOND


@dataclasses.dataclass(frozen=True)
class RiskFilter:
    """Chooses records. None means that a property does not matter."""

    states: tuple[str, ...] | None = None
    levels: tuple[str, ...] | None = None
    updated: TimeRange = ALWAYS

    @property
    def has_ages(self) -> bool:
        return self.updated.has_ages

    def at(self, now: int) -> RiskFilter:
        """The same filter with its ages counted back from a time."""
        return dataclasses.replace(self, updated=self.updated.at(now))

    def matches(self, record: Record) -> bool:
        """The decision, on what Graph answered. What Graph does not tell (null) matches nothing."""
        return self._matches_risk(record) and self.updated.holds(record.updated_ticks)

    def is_undecided(self, record: Record) -> bool:
        """Whether only a time that is missing, or cannot be read, keeps a record from being chosen."""
        return self._matches_risk(record) and not self.updated.is_open and record.updated_ticks is None

    def _matches_risk(self, record: Record) -> bool:
        return (self.states is None or record.state in self.states) and (
            self.levels is None or record.level in self.levels
        )

    def odata(self) -> str | None:
        """The `$filter`, None for all records. It can ask for a record too many, never for one too few."""
        wanted = {"riskState": self.states, "riskLevel": self.levels}
        clauses = [any_of(name, values) for name, values in wanted.items() if values is not None]
        return " and ".join([*clauses, *self.updated.odata("riskLastUpdatedDateTime")]) or None

    def states_only(self) -> RiskFilter:
        """The part that Graph documents, for a service that refuses the rest."""
        return RiskFilter(self.states)


DETECTION_FILTER_SPEC: dict[str, dict[str, t.Any]] = {
    "risk_event_type": {"type": "list", "elements": "str"},
    "risk_level": FILTER_SPEC["risk_level"],
    "risk_state": FILTER_SPEC["risk_state"],
    "detected_after": {"type": "str"},
    "detected_before": {"type": "str"},
}


@dataclasses.dataclass(frozen=True)
class DetectionFilter:
    """Chooses detections. None means that a property does not matter. `event_types` are as the task spells them."""

    event_types: tuple[str, ...] | None = None
    levels: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    detected: TimeRange = ALWAYS

    @property
    def has_ages(self) -> bool:
        return self.detected.has_ages

    def at(self, now: int) -> DetectionFilter:
        """The same filter with its ages counted back from a time."""
        return dataclasses.replace(self, detected=self.detected.at(now))

    def matches(self, detection: t.Mapping[str, t.Any]) -> bool:
        """The decision, on what Graph answered. What Graph does not tell (null) matches nothing."""
        return self._matches_risk(detection) and self.detected.holds(detected_ticks(detection))

    def is_undecided(self, detection: t.Mapping[str, t.Any]) -> bool:
        """Whether only a time that is missing, or cannot be read, keeps a detection from being chosen."""
        return self._matches_risk(detection) and not self.detected.is_open and detected_ticks(detection) is None

    def _matches_risk(self, detection: t.Mapping[str, t.Any]) -> bool:
        return (
            (self.event_types is None or _is_among(detection.get("riskEventType"), self.event_types))
            and (self.levels is None or detection.get("riskLevel") in self.levels)
            and (self.states is None or detection.get("riskState") in self.states)
        )

    def odata(self) -> str | None:
        """The `$filter`, None for all detections. It can ask for one too many, never for one too few."""
        given = self.event_types or ()
        spelled = [_EVENT_TYPE_BY_FOLDED.get(name.lower()) for name in given]
        wanted = {
            # Both spellings: the service may have another one than this list.
            "riskEventType": tuple(dict.fromkeys(filter(None, (*spelled, *given)))) if all(spelled) else (),
            "riskLevel": self.levels,
            "riskState": self.states,
        }
        clauses = [any_of(name, values) for name, values in wanted.items() if values]
        return " and ".join([*clauses, *self.detected.odata("detectedDateTime")]) or None


def _is_among(event_type: object, wanted: t.Iterable[str]) -> bool:
    return isinstance(event_type, str) and event_type.lower() in map(str.lower, wanted)


def detected_ticks(detection: t.Mapping[str, t.Any]) -> int | None:
    """When it was detected; None when Graph does not tell."""
    return _timestamps.parse_or_none(detection.get("detectedDateTime"))


class _HasAges(t.Protocol):
    @property
    def has_ages(self) -> bool:
        """Whether a range counts back from now."""

    def at(self: F, now: int) -> F:
        """The same filter with its ages counted back from a time."""


F = t.TypeVar("F", bound=_HasAges)


def pages_by_service_time(wanted: F, now: int, read: t.Callable[[F], t.Iterator[Page]]) -> t.Iterator[tuple[F, Page]]:
    """Pages, each with the filter whose ages count from the service's clock.

    The first answer tells what time it is there. Where that is far from `now`, the question was the wrong one, and is
    asked anew. Without a `Date`, the clock here has to do.

    :param now: ticks by the clock here.
    """
    exact: F | None = None
    for page in read(wanted.at(now)):
        if exact is None:
            service_time = now if page.date is None else page.date
            exact = wanted.at(service_time)
            if wanted.has_ages and abs(service_time - now) > CLOCK_SLACK:
                yield from ((exact, right_page) for right_page in read(exact))
                return
        yield exact, page


def parse(value: t.Mapping[str, t.Any], default_states: t.Sequence[str] | None, now: int) -> RiskFilter:
    """A checked filter from the option's value. An empty value means the default states.

    :param default_states: None for all states, also those that Graph has and this collection does not know.
    :param now: ticks by the clock here, to find a range that holds nothing.
    :raises RequestError: an empty list, a value that Graph does not know, a time that cannot be read.
    """
    return RiskFilter(
        states=choices(value, "risk_state", RISK_STATES) or (tuple(default_states) if default_states else None),
        levels=choices(value, "risk_level", RISK_LEVELS),
        updated=time_range(value, "updated", now),
    )


def parse_detections(value: t.Mapping[str, t.Any], now: int) -> DetectionFilter:
    """A checked filter of detections from the option's value. An empty value means all detections.

    :param now: ticks by the clock here, to find a range that holds nothing.
    :raises RequestError: an empty list, a value that Graph does not know, a time that cannot be read.
    """
    event_types = choices(value, "risk_event_type", None)
    if event_types is not None and not all(map(str.strip, event_types)):
        raise RequestError("filters.risk_event_type holds a blank entry, which would match nothing. Take it out.")
    return DetectionFilter(
        event_types=None if event_types is None else tuple(name.strip() for name in event_types),
        levels=choices(value, "risk_level", RISK_LEVELS),
        states=choices(value, "risk_state", RISK_STATES),
        detected=time_range(value, "detected", now),
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

    :param now: ticks by the clock here, to find a range that holds nothing.
    :raises RequestError: a text that is neither a time nor an age, or a range that is empty.
    """
    after, after_age = moment(value.get(f"{what}_after"), f"filters.{what}_after")
    before, before_age = moment(value.get(f"{what}_before"), f"filters.{what}_before")
    found = TimeRange(after, before, after_age, before_age)
    exact = found.at(now)
    if exact.after is not None and exact.before is not None and exact.after >= exact.before:
        raise RequestError(
            f"filters: {what}_after is not earlier than {what}_before, so no record can match. "
            f"Ages count back from now: {what}_before=30d with {what}_after=90d means 30 to 90 days old."
        )
    return found


def moment(text: str | None, option: str) -> tuple[int | None, int | None]:
    """The ticks of a time, or the seconds of an age. A text that came out empty is not taken for "any time".

    :raises RequestError: it is neither.
    """
    if text is None:
        return None, None
    age = _timestamps.parse_age(text)
    if age is not None:
        return None, age
    try:
        return _timestamps.parse(text), None
    except ValueError:
        raise RequestError(
            f"{option}: {'an empty text' if not text.strip() else repr(text)} is neither a time in ISO 8601 with "
            "an offset (2026-01-31T00:00:00Z) nor an age (30m, 12h, 90d, 8w)."
        ) from None
