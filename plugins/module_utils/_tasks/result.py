# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The result of a task as plain data: what the playbook gets, and the sentence that a person reads."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, InternalError, UsersError
from .._graph.client import GraphClient, RequestCounts
from .._risk.attempts import Progress, Status
from .._risk.decisions import Decision, Outcome, Target
from .._risk.resources import Labels, Resource

# Where only the exceptions are returned, so many of those whom a stopped task did not come to, and of those whom
# `limit` left for later: they share one cause.
_MOST_ALIKE_SHOWN = 20
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
    client: GraphClient | None,
    warnings: t.Sequence[str],
    error: EntraRiskError | None,
    *,
    extra: t.Mapping[str, int] | None = None,
) -> ModuleResult:
    """The report on a task that only reads. Its data are complete but for what all such tasks have in common.

    :param one: what people call one of the things that were read.
    :param many: the same for several.
    :param extra: how many others there are, by what is to be said of them.
    """
    count = data["count"]
    found = [f"Found {count} {one if count == 1 else many}{' (there may be more)' if data['truncated'] else ''}"]
    found += [f"{number} {what}" for what, number in (extra or {}).items() if number]
    *some, last = found
    sentence = f"{', '.join(some)}{',' if len(some) > 1 else ''} and {last}." if some else f"{last}."
    if error:
        sentence = f"{error.message} {sentence}" if count else error.message
    common = {
        "evaluated_at": rendered(client.first_date if client else None),
        "requests": requests_made(client.counts if client else RequestCounts()),
    }
    return ModuleResult({"changed": False, **data, **common}, sentence, tuple(warnings), error)


# Why somebody was not written to, by the kind of the error that stopped the task.
_STOPS = {
    "limit": "max_changes stopped the task",
    "throttled": "the requests were throttled until the deadline",
}


@dataclasses.dataclass(frozen=True)
class Ending:
    """What a task says of one object in the end.

    `alike` is set for those of whom a few are enough where only the exceptions are returned.
    """

    decision: Decision
    outcome: Outcome
    reason: str | None = None
    message: str | None = None
    written: bool = False
    not_attempted: bool = False

    @property
    def is_alike(self) -> bool:
        return self.not_attempted or self.reason == "over_limit"


@dataclasses.dataclass
class ChangeResult(abc.ABC):
    """What is gathered in the course of a task that changes something. The report merges decisions and progress.

    Each kind of task says by methods of its own how its objects look before and after.

    Without a `state` the task failed before it began.
    """

    state: str | None
    resource: Resource
    return_all: bool = True
    check_mode: bool = False
    diff: bool = False
    client: GraphClient | None = None
    decisions: t.Sequence[Decision] = ()
    progress: Progress = dataclasses.field(default_factory=Progress)
    warnings: list[str] = dataclasses.field(default_factory=list)
    error: EntraRiskError | None = None

    # What the kinds of tasks differ in

    @abc.abstractmethod
    def done(self) -> str:
        """What was done, or would be, as a sentence with a gap for the number of objects."""

    @abc.abstractmethod
    def before(self, target: Target) -> dict[str, t.Any]:
        """The part `before` of an entry."""

    @abc.abstractmethod
    def after(self, ending: Ending) -> dict[str, t.Any]:
        """The part `after` of an entry."""

    @abc.abstractmethod
    def diff_text(self, shown: t.Mapping[str, t.Any]) -> str:
        """How the diff shows one of these two parts."""

    def more_of(self, target: Target) -> dict[str, t.Any]:
        """What tells a person which object is meant, besides its id and its name."""
        return {}

    def more(self, endings: t.Sequence[Ending], error: EntraRiskError | None) -> dict[str, t.Any]:
        """What the result holds besides that of every task."""
        return {}

    def accepted(self, decision: Decision) -> Ending:
        """How it ended for an object whose write Graph accepted."""
        return Ending(decision, Outcome.CHANGED, written=True)

    # What they have in common

    @property
    def labels(self) -> Labels:
        return self.resource.labels

    @contextlib.contextmanager
    def capture(self) -> t.Iterator[None]:
        """An error ends the block and becomes part of the report, a bug of ours too: what was done must be told."""
        try:
            yield
        except EntraRiskError as exc:
            self.error = exc
        except Exception as exc:
            self.error = InternalError(exc)

    def report(self) -> ModuleResult:
        """The report on the present state of affairs."""
        endings = list(map(self._ending, self.decisions))
        summary = {outcome.value: 0 for outcome in Outcome}
        for ending in endings:
            summary[ending.outcome.value] += 1
        error = self.error or self._error_of_failed(endings)
        message = self._message(endings, summary, error)
        shown = endings
        if not self.return_all:
            shown = _exceptions(endings)[:_MOST_EXCEPTIONS_SHOWN]
            total = summary["skipped"] + summary["failed"]
            if len(shown) < total:
                message += f" The result holds {len(shown):,} of the {total:,} that were skipped or failed."
        counts = self.client.counts if self.client else RequestCounts()
        data: dict[str, t.Any] = {
            "changed": any(map(self.is_touched, endings)),
            "state": self.state,
            self.labels.key: list(map(self._entry, shown)),
            "summary": summary,
            "evaluated_at": rendered(self.client.first_date if self.client else None),
            "requests": requests_made(counts, self.progress.request_ids),
            **self.more(endings, error),
        }
        if self.diff:
            data["diff"] = self._diff(endings)
        return ModuleResult(data, message, tuple(self.warnings), error)

    def is_touched(self, ending: Ending) -> bool:
        """Whether the object was written to, or would be in check mode."""
        return ending.written or ending.outcome is Outcome.CHANGED

    def _ending(self, decision: Decision) -> Ending:
        if not decision.is_due:
            return Ending(decision, decision.outcome, decision.reason, decision.message)
        attempt = self.progress.attempts.get(decision.target.id or "")
        if attempt is None:
            return self._not_attempted(decision)
        if attempt.decision is not None:
            anew = attempt.decision
            return Ending(anew, anew.outcome, anew.reason, anew.message)
        if attempt.error is not None:
            return Ending(decision, Outcome.FAILED, "rejected", attempt.error.message)
        if attempt.status is Status.UNKNOWN:
            one = self.labels.one
            message = f"No clear answer came, so it is not known whether this {one} was written to. Run again."
            return Ending(decision, Outcome.FAILED, "pending", message)
        return self.accepted(decision)

    def _not_attempted(self, decision: Decision) -> Ending:
        if self.error is None:
            return Ending(decision, Outcome.CHANGED)
        kind = self.error.kind
        message = f"Not written: {_STOPS.get(kind, 'the task stopped first')} (error kind {kind})."
        return Ending(decision, Outcome.FAILED, message=message, not_attempted=True)

    def _entry(self, ending: Ending) -> dict[str, t.Any]:
        target = ending.decision.target
        entry: dict[str, t.Any] = {"id": target.id, self.resource.name_key: target.name, **self.more_of(target)}
        entry.update(outcome=ending.outcome.value, reason=ending.reason, written=ending.written)
        if ending.message:
            entry["message"] = ending.message
        return {**entry, "before": self.before(target), "after": self.after(ending)}

    def _diff(self, endings: t.Iterable[Ending]) -> dict[str, dict[str, str]]:
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for ending in filter(self.is_touched, endings):
            target = ending.decision.target
            name = target.label if target.label not in before else f"{target.label} ({target.id})"
            before[name] = self.diff_text(self.before(target))
            after[name] = self.diff_text(self.after(ending))
        return {"before": before, "after": after}

    def _error_of_failed(self, endings: t.Iterable[Ending]) -> EntraRiskError | None:
        failed = [ending for ending in endings if ending.outcome is Outcome.FAILED]
        if not failed:
            return None
        reasons = [f"{item.decision.target.label} ({item.reason}: {item.message})" for item in failed[:3]]
        rest = len(failed) - len(reasons)
        more = f" And {rest} more, see the {self.labels.many} with outcome failed." if rest else ""
        total = self.labels.count(len(self.decisions))
        return UsersError(f"{len(failed)} of {total} failed: {'; '.join(reasons)}.{more}")

    def _message(self, endings: t.Sequence[Ending], summary: t.Mapping[str, int], error: EntraRiskError | None) -> str:
        touched = sum(map(self.is_touched, endings))
        not_attempted = sum(ending.not_attempted for ending in endings)
        unknown = len(self.progress.having(Status.UNKNOWN))
        counts = {
            "not written": not_attempted,
            "unchanged": summary["unchanged"],
            "skipped": summary["skipped"],
            # The error about them says it already.
            "failed": 0 if isinstance(error, UsersError) else summary["failed"] - not_attempted,
        }
        others = [f"{count} {what}" for what, count in counts.items() if count]
        if unseen := sum(ending.written and ending.outcome is Outcome.FAILED for ending in endings):
            others.insert(0, f"{unseen} of them not seen in the new state yet")
        if touched:
            sentence = self.done().format(self.labels.count(touched))
        elif unknown:
            sentence = f"It is not known whether anything was written to {self.labels.count(unknown)}"
        else:
            sentence = "Nothing was written" if error else "Nothing to change"
        sentence += f" ({', '.join(others)})." if others else "."
        return f"{error.message} {sentence}" if error else sentence


def _exceptions(endings: t.Iterable[Ending]) -> list[Ending]:
    """Those that were skipped or failed; of thousands for one and the same cause, the first few are enough."""
    chosen: list[Ending] = []
    alike = 0
    for ending in endings:
        if ending.outcome in (Outcome.SKIPPED, Outcome.FAILED):
            alike += ending.is_alike
            if not ending.is_alike or alike <= _MOST_ALIKE_SHOWN:
                chosen.append(ending)
    return chosen
