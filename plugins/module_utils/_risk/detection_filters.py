# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The `filters` of risk detections, as the OData text and as the predicate that says the same."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .filters import ALWAYS, TimeRange, any_of, choices, time_range
from .resources import RISK_LEVELS, RISK_STATES

DETECTION_FILTER_SPEC: dict[str, dict[str, t.Any]] = {
    "risk_event_type": {"type": "list", "elements": "str"},
    "risk_level": {"type": "list", "elements": "str", "choices": list(RISK_LEVELS)},
    "risk_state": {"type": "list", "elements": "str", "choices": list(RISK_STATES)},
    "detected_after": {"type": "str"},
    "detected_before": {"type": "str"},
}


@dataclasses.dataclass(frozen=True)
class DetectionFilter:
    """Chooses detections. `values` maps a property of Graph to the values that it may have."""

    values: t.Mapping[str, tuple[str, ...]]
    detected: TimeRange = ALWAYS

    def matches(self, detection: t.Mapping[str, t.Any]) -> bool:
        """The decision, on what Graph answered. What Graph does not tell (null) matches nothing."""
        return all(detection.get(name) in values for name, values in self.values.items()) and self.detected.holds(
            detected_ticks(detection)
        )

    def odata(self) -> str | None:
        """The `$filter`, None for all detections. It can ask for one too many, never for one too few."""
        clauses = [any_of(name, values) for name, values in self.values.items()]
        return " and ".join([*clauses, *self.detected.odata("detectedDateTime")]) or None


def parse(value: t.Mapping[str, t.Any], now: int) -> DetectionFilter:
    """A checked filter from the option's value. An empty value means all detections.

    :param now: ticks from which an age such as `90d` counts back.
    :raises RequestError: an empty list, a value that Graph does not know, a time that cannot be read.
    """
    # Types of detections are texts that Microsoft adds to all the time: any is allowed.
    given = {
        "riskEventType": choices(value, "risk_event_type", None),
        "riskLevel": choices(value, "risk_level", RISK_LEVELS),
        "riskState": choices(value, "risk_state", RISK_STATES),
    }
    return DetectionFilter(
        values={name: values for name, values in given.items() if values is not None},
        detected=time_range(value, "detected", now),
    )


def detected_ticks(detection: t.Mapping[str, t.Any]) -> int | None:
    """When it was detected; None when Graph does not tell."""
    return _timestamps.parse_or_none(detection.get("detectedDateTime"))
