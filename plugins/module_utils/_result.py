# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The result of a task as plain data: what the playbook gets, and the sentence that a person reads."""

from __future__ import annotations

import dataclasses
import typing as t

from . import _timestamps
from ._errors import EntraRiskError, UsersError
from ._graph import RequestCounts
from ._plan import Decision, Outcome, users
from ._risk import Action, Record


@dataclasses.dataclass(frozen=True)
class Report:
    """How a task ended. With `error` it failed, and `data` tells what was done all the same."""

    data: dict[str, t.Any]
    message: str
    warnings: tuple[str, ...] = ()
    error: EntraRiskError | None = None


@dataclasses.dataclass
class Account:
    """What is gathered in the course of a task. `after` holds the records that were read back after the writes."""

    state: str
    action: Action
    check_mode: bool = False
    decisions: list[Decision] = dataclasses.field(default_factory=list)
    written: set[str] = dataclasses.field(default_factory=set)
    write_request_ids: list[str] = dataclasses.field(default_factory=list)
    after: dict[str, Record | None] | None = None
    evaluated_at: int | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    def report(
        self, counts: RequestCounts, *, return_users: str, diff: bool, error: EntraRiskError | None = None
    ) -> Report:
        """The report on the present state of affairs."""
        summary = {outcome.value: 0 for outcome in Outcome}
        for decision in self.decisions:
            summary[decision.outcome.value] += 1
        error = error or self._error_of_users()
        all_users = return_users == "all"
        data: dict[str, t.Any] = {
            "changed": self._changed(),
            "state": self.state,
            "users": [self._user(decision) for decision in self.decisions if all_users or _is_exception(decision)],
            "summary": summary,
            "verified": self.after is not None and self.written <= self.after.keys(),
            "evaluated_at": None if self.evaluated_at is None else _timestamps.render(self.evaluated_at),
            "requests": {
                "sent": counts.sent,
                "retried": counts.retried,
                "throttled": counts.throttled,
                "waited_seconds": round(counts.waited_seconds, 3),
                "write_request_ids": list(self.write_request_ids),
            },
        }
        if diff:
            data["diff"] = self._diff()
        return Report(data, self._message(summary, error), tuple(self.warnings), error)

    def _changed(self) -> bool:
        if self.check_mode:
            return any(decision.outcome is Outcome.CHANGED for decision in self.decisions)
        return bool(self.written)

    def _touched(self, decision: Decision) -> bool:
        """Whether the user was written to, or would be in check mode."""
        return decision.outcome is Outcome.CHANGED or decision.target.id in self.written

    def _user(self, decision: Decision) -> dict[str, t.Any]:
        record = decision.target.record
        user: dict[str, t.Any] = {
            "id": decision.target.id,
            "user_principal_name": decision.target.name,
            "outcome": decision.outcome.value,
            "reason": decision.reason,
        }
        if decision.message:
            user["message"] = decision.message
        user["before"] = {
            "risk_state": record.state if record else None,
            "risk_level": record.level if record else None,
            "risk_last_updated": record.updated if record else None,
        }
        state, level = self._state_after(decision)
        user["after"] = {"risk_state": state, "risk_level": level}
        return user

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

    def _error_of_users(self) -> EntraRiskError | None:
        failed = [decision for decision in self.decisions if decision.outcome is Outcome.FAILED]
        if not failed:
            return None
        reasons = [f"{decision.label} ({decision.reason}: {decision.message})" for decision in failed[:3]]
        rest = len(failed) - len(reasons)
        more = f" And {rest} more, see the users with outcome failed." if rest else ""
        return UsersError(f"{len(failed)} of {users(len(self.decisions))} failed: {'; '.join(reasons)}.{more}")

    def _message(self, summary: t.Mapping[str, int], error: EntraRiskError | None) -> str:
        touched = sum(map(self._touched, self.decisions))
        held_back = sum(decision.held_back for decision in self.decisions)
        counts = {
            "not written": held_back,
            "unchanged": summary["unchanged"],
            "skipped": summary["skipped"],
            # The error about users says it already.
            "failed": 0 if isinstance(error, UsersError) else summary["failed"] - held_back,
        }
        others = [f"{count} {what}" for what, count in counts.items() if count]
        if touched:
            verb = self.action.would_do if self.check_mode else self.action.done
            sentence = f"{verb} {users(touched)}"
        else:
            sentence = "Nothing was written" if error else "Nothing to change"
        sentence += f" ({', '.join(others)})." if others else "."
        return f"{error.message} {sentence}" if error else sentence


def _is_exception(decision: Decision) -> bool:
    """Whether a user is returned even if only the exceptions are.

    A task that stops leaves thousands behind. They share one cause, which the error tells, and they are counted.
    """
    return decision.outcome in (Outcome.SKIPPED, Outcome.FAILED) and not decision.held_back


def _shown(state: str | None, level: str | None) -> str:
    return f"{state} ({level})" if state else "not listed"
