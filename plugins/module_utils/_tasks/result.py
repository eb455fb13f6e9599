# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The result of a task as plain data: what the playbook gets, and the sentence that a person reads."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, UsersError
from .._graph.client import RequestCounts
from .._risk.decisions import Decision, Outcome
from .._risk.resources import Action, Record, Resource
from .snake_case import snake_case

# Where only the exceptions are returned, so many of those whom a stopped task did not come to.
_MOST_HELD_BACK_SHOWN = 20
# And so many of all: AWX drops a result of more than 700,000 characters.
_MOST_EXCEPTIONS_SHOWN = 1000


@dataclasses.dataclass(frozen=True)
class ModuleResult:
    """How a task ended. With `error` it failed, and `data` tells what was done all the same."""

    data: dict[str, t.Any]
    message: str
    warnings: tuple[str, ...] = ()
    error: EntraRiskError | None = None


def requests_made(counts: RequestCounts, write_request_ids: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """The part `requests` of every result."""
    return {
        "sent": counts.sent,
        "retried": counts.retried,
        "throttled": counts.throttled,
        "waited_seconds": round(counts.waited_seconds, 3),
        "write_request_ids": list(write_request_ids),
    }


def rendered(ticks: int | None) -> str | None:
    """A time for a result, None when it is not known."""
    return None if ticks is None else _timestamps.render(ticks)


def read_report(
    data: dict[str, t.Any],
    one: str,
    many: str,
    counts: RequestCounts,
    warnings: t.Sequence[str],
    error: EntraRiskError | None,
) -> ModuleResult:
    """The report on a task that only reads. Its data are complete but for what all such tasks have in common.

    :param one: what people call one of the things that were read.
    :param many: the same for several.
    """
    count = data["count"]
    sentence = f"Found {count} {one if count == 1 else many}{' (there may be more)' if data['truncated'] else ''}"
    if data.get("not_listed"):
        sentence += f", and {len(data['not_listed'])} without a risk record"
    sentence += "."
    if error:
        sentence = f"{error.message} {sentence}" if count else error.message
    return ModuleResult({"changed": False, **data, "requests": requests_made(counts)}, sentence, tuple(warnings), error)


@dataclasses.dataclass
class ChangeResult:
    """What is gathered in the course of a task. `after` holds the records that were read back after the writes.

    Without a `state` the task failed before it began.
    """

    state: str | None
    resource: Resource
    check_mode: bool = False
    counts: RequestCounts = dataclasses.field(default_factory=RequestCounts)
    decisions: list[Decision] = dataclasses.field(default_factory=list)
    written: set[str] = dataclasses.field(default_factory=set)
    write_request_ids: list[str] = dataclasses.field(default_factory=list)
    after: dict[str, Record | None] | None = None
    evaluated_at: int | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    @property
    def action(self) -> Action:
        """What brings an object to the state."""
        return self.resource.actions[self.state or ""]

    def report(self, *, return_all: bool, diff: bool, error: EntraRiskError | None = None) -> ModuleResult:
        """The report on the present state of affairs.

        :param return_all: return every object, not only those that were skipped or failed.
        """
        summary = {outcome.value: 0 for outcome in Outcome}
        for decision in self.decisions:
            summary[decision.outcome.value] += 1
        error = error or self._error_of_failed()
        message = self._message(summary, error)
        shown = self.decisions
        if not return_all:
            exceptions = _exceptions(self.decisions)
            shown = exceptions[:_MOST_EXCEPTIONS_SHOWN]
            if len(shown) < len(exceptions):
                message += f" The result holds the first {len(shown):,} of those that were skipped or failed."
        data: dict[str, t.Any] = {
            "changed": self._changed(),
            "state": self.state,
            self.resource.labels.key: list(map(self._entry, shown)),
            "summary": summary,
            "verified": self.after is not None and self.written <= self.after.keys(),
            "evaluated_at": rendered(self.evaluated_at),
            "requests": requests_made(self.counts, self.write_request_ids),
        }
        if diff:
            data["diff"] = self._diff()
        return ModuleResult(data, message, tuple(self.warnings), error)

    def _changed(self) -> bool:
        if self.check_mode:
            return any(decision.outcome is Outcome.CHANGED for decision in self.decisions)
        return bool(self.written)

    def _touched(self, decision: Decision) -> bool:
        """Whether the object was written to, or would be in check mode."""
        return decision.outcome is Outcome.CHANGED or decision.target.id in self.written

    def _uncertain(self) -> int:
        """How many were sent to the service without a clear answer."""
        return sum(item.reason == "pending" and item.target.id not in self.written for item in self.decisions)

    def _entry(self, decision: Decision) -> dict[str, t.Any]:
        record = decision.target.record
        entry: dict[str, t.Any] = {"id": decision.target.id, self.resource.name_key: decision.target.name}
        for name in self.resource.shown:
            entry[snake_case(name)] = record.properties.get(name) if record else None
        entry["outcome"] = decision.outcome.value
        entry["reason"] = decision.reason
        if decision.message:
            entry["message"] = decision.message
        entry["before"] = {
            "risk_state": record.state if record else None,
            "risk_level": record.level if record else None,
            "risk_last_updated": record.updated if record else None,
        }
        state, level = self._state_after(decision)
        entry["after"] = {"risk_state": state, "risk_level": level}
        return entry

    def _state_after(self, decision: Decision) -> tuple[str | None, str | None]:
        if self._touched(decision):
            if self.after is not None and decision.target.id in self.after:
                record = self.after[decision.target.id]
                return (record.state, record.level) if record else (None, None)
            if decision.outcome is Outcome.CHANGED:
                return self.action.state_after, self.action.level_after
        record = decision.target.record
        return (record.state, record.level) if record else (None, None)

    def _diff(self) -> dict[str, dict[str, str]]:
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for decision in self.decisions:
            if self._touched(decision):
                name = decision.label if decision.label not in before else f"{decision.label} ({decision.target.id})"
                record = decision.target.record
                before[name] = _shown(record.state, record.level) if record else "not listed"
                after[name] = _shown(*self._state_after(decision))
        return {"before": before, "after": after}

    def _error_of_failed(self) -> EntraRiskError | None:
        failed = [decision for decision in self.decisions if decision.outcome is Outcome.FAILED]
        if not failed:
            return None
        reasons = [f"{decision.label} ({decision.reason}: {decision.message})" for decision in failed[:3]]
        rest = len(failed) - len(reasons)
        labels = self.resource.labels
        more = f" And {rest} more, see the {labels.many} with outcome failed." if rest else ""
        return UsersError(f"{len(failed)} of {labels.count(len(self.decisions))} failed: {'; '.join(reasons)}.{more}")

    def _message(self, summary: t.Mapping[str, int], error: EntraRiskError | None) -> str:
        touched = sum(map(self._touched, self.decisions))
        not_attempted = sum(decision.not_attempted for decision in self.decisions)
        counts = {
            "not written": not_attempted,
            "unchanged": summary["unchanged"],
            "skipped": summary["skipped"],
            # The error about them says it already.
            "failed": 0 if isinstance(error, UsersError) else summary["failed"] - not_attempted,
        }
        others = [f"{count} {what}" for what, count in counts.items() if count]
        if touched:
            verb = self.action.would_do if self.check_mode else self.action.done
            sentence = f"{verb} {self.resource.labels.count(touched)}"
        elif self._uncertain():
            sentence = (
                f"It is not known whether anything was written to {self.resource.labels.count(self._uncertain())}"
            )
        else:
            sentence = "Nothing was written" if error else "Nothing to change"
        sentence += f" ({', '.join(others)})." if others else "."
        return f"{error.message} {sentence}" if error else sentence


def _exceptions(decisions: t.Iterable[Decision]) -> list[Decision]:
    """Those that were skipped or failed.

    A task that stops leaves thousands behind. They share one cause, which the error tells: the first few are enough.
    """
    chosen: list[Decision] = []
    not_attempted = 0
    for decision in decisions:
        not_attempted += decision.not_attempted
        if decision.outcome in (Outcome.SKIPPED, Outcome.FAILED) and (
            not decision.not_attempted or not_attempted <= _MOST_HELD_BACK_SHOWN
        ):
            chosen.append(decision)
    return chosen


def _shown(state: str | None, level: str | None) -> str:
    return f"{state} ({level})" if state else "not listed"
