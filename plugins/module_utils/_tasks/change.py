# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Brings risky objects to a state: read, decide, write, read back if asked.

Check mode is the same path without the writes. Whatever happens, the report tells what was done and what was not.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, InternalError, PermissionDeniedError, RequestError, UsersError, failure_of
from .._graph.client import GraphClient
from .._graph.directory import DirectoryObject
from .._retry import Clock
from .._risk import filters as _filters
from .._risk.api import RiskApi
from .._risk.decisions import (
    NO_SELECTION,
    Decision,
    DirectoryStatus,
    Outcome,
    Selection,
    Target,
    check_limit,
    decide,
    listing,
    parse_selection,
)
from .._risk.filters import RiskFilter
from .._risk.resolver import TargetResolver
from .._risk.resources import ACTIVE_STATES, Resource
from .._risk.wait import is_applied, read_again, wait_for
from .._risk.writer import ReadBack, Writer, Written
from .result import ChangeResult, ModuleResult

# The modules that write choose who is at risk unless told otherwise: who was confirmed as compromised stays that way.
_DEFAULT_STATES = ACTIVE_STATES[:1]


# Why somebody was not written to, by the kind of the error that stopped the task.
_STOPS = {
    "limit": "max_changes stopped the task",
    "throttled": "the requests were throttled to the deadline before",
}


@dataclasses.dataclass(frozen=True)
class Task:
    """What a task asks for, checked. Exactly one of `asked` and `risk_filter` is set."""

    asked: Selection | None
    risk_filter: RiskFilter | None
    excluded: Selection
    max_changes: int | None
    since: int | None
    wait: bool
    wait_timeout: int


def task_spec(resource: Resource) -> dict[str, dict[str, t.Any]]:
    """The options of a module that brings objects of a resource to a state."""
    labels = resource.labels
    return {
        "state": {"type": "str", "required": True, "choices": list(resource.actions)},
        **labels.option(labels.key, type="list", elements="str"),
        "filters": {"type": "dict", "options": _filters.FILTER_SPEC},
        **labels.option(f"exclude_{labels.key}", type="list", elements="str"),
        "max_changes": {"type": "int"},
        "if_unmodified_since": {"type": "str"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
        **labels.option(f"return_{labels.key}", type="str", choices=["all", "exceptions"], default="all"),
    }


def parse_task(params: t.Mapping[str, t.Any], resource: Resource, now: int) -> Task:
    """The task of a module's parameters. Options and messages say what the resource is called.

    :param now: ticks, for ages in `filters`.
    :raises RequestError: a value that makes no sense.
    :raises UsersError: a value that can be no object of the resource.
    """
    max_changes = params["max_changes"]
    if max_changes is not None and max_changes < 0:
        raise RequestError(f"max_changes is {max_changes}; it must be 0 or more.")
    if params["wait_timeout"] < 1:
        raise RequestError(f"wait_timeout is {params['wait_timeout']}; it must be 1 second or more.")
    labels = resource.labels
    named = params[labels.key] is not None
    if named == (params["filters"] is not None):
        raise RequestError(
            f"Give exactly one of {labels.key} and filters; the task gives {'both' if named else 'neither'}."
        )
    if max_changes is None and not named:
        raise RequestError(
            f"With filters, max_changes is required: the number of {labels.many} that you expect to change at most."
        )
    exclude = f"exclude_{labels.key}"
    return Task(
        asked=parse_selection(params[labels.key], labels.key, resource) if named else None,
        risk_filter=None if named else _filters.parse(params["filters"], _DEFAULT_STATES, now),
        excluded=parse_selection(params[exclude] or (), exclude, resource),
        max_changes=max_changes,
        since=_parse_since(params["if_unmodified_since"]),
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
    )


def _parse_since(text: str | None) -> int | None:
    if text is None or not text.strip():
        return None
    try:
        return _timestamps.parse(text)
    except ValueError:
        raise RequestError(
            f"if_unmodified_since: {text!r} is no time in ISO 8601 with an offset, such as 2026-01-31T08:15:00Z. "
            "Hand over the evaluated_at of an earlier task."
        ) from None


def run(
    params: t.Mapping[str, t.Any],
    resource: Resource,
    *,
    check_mode: bool,
    diff: bool,
    connect: t.Callable[[], GraphClient],
    clock: Clock | None = None,
) -> ModuleResult:
    """Carry out a task from its module parameters. Failures are part of the report; none is raised.

    :param connect: gives the client; checks the connection options before anything is sent.
    """
    result = ChangeResult(state=params["state"], resource=resource, check_mode=check_mode)

    def work() -> None:
        now = (clock or Clock()).wall()
        task = parse_task(params, resource, _timestamps.from_seconds(now))
        if task.asked == NO_SELECTION:
            return
        client = connect()
        result.counts = client.counts
        doing = _Work(task, RiskApi(client, resource), result)
        doing.decide()
        if not check_mode:
            doing.write()

    error = failure_of(work)
    return result.report(return_all=params[f"return_{resource.labels.key}"] == "all", diff=diff, error=error)


def refused(params: t.Mapping[str, t.Any], resource: Resource, error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began.

    :param params: not checked: any of them may be missing, or be anything.
    """
    state = params.get("state")
    known = state if isinstance(state, str) and state in resource.actions else None
    return ChangeResult(state=known, resource=resource).report(return_all=True, diff=False, error=error)


class _Work:
    """One task in the making. Everything that may stop it comes before the first write."""

    def __init__(self, task: Task, api: RiskApi, result: ChangeResult) -> None:
        self._task = task
        self._api = api
        self._result = result
        self._action = result.action
        self._labels = api.resource.labels
        self._resolver = TargetResolver(api, result.warnings)
        # Ids and case-folded names that are never written to.
        self._excluded: set[str] = set()

    # Reading and deciding

    def decide(self) -> None:
        """Read what is needed and decide for each object. Raises what must stop the task before the first write."""
        try:
            targets = self._find()
        finally:
            self._result.evaluated_at = self._resolver.evaluated_at()
        self._excluded.update(item.casefold() for item in self._task.excluded.order)
        # Whoever was seen under an excluded name, even if a later page shows another one.
        for name in self._task.excluded.names:
            self._excluded.update(record.id for record in self._resolver.cache.named(name))
        decisions = self._decide(targets)
        checked = self._check_existence(decisions)
        if checked:
            targets = [checked.get(target.id or "", target) for target in targets]
            decisions = self._decide(targets)
        self._result.decisions = decisions
        try:
            if any(decision.outcome is Outcome.CHANGED for decision in decisions):
                self._excluded.update(self._resolve_excluded(targets))
                self._result.decisions = self._decide(targets)
            check_limit(self._result.decisions, self._task.max_changes, self._labels)
        except EntraRiskError as exc:
            self._hold_back(set(), exc.kind)
            raise
        finally:
            self._warn(self._result.decisions)

    def _find(self) -> list[Target]:
        if self._task.risk_filter is not None:
            return self._resolver.filtered(self._task.risk_filter)
        return self._resolver.named(self._task.asked or NO_SELECTION)

    def _decide(self, targets: t.Sequence[Target]) -> list[Decision]:
        return [
            decide(target, self._api.resource, self._action, excluded=self._excluded, since=self._task.since)
            for target in targets
        ]

    def _check_existence(self, decisions: t.Sequence[Decision]) -> dict[str, Target]:
        """Targets with what the directory says, for objects without a record that are about to be written to."""
        unlisted = [
            decision.target
            for decision in decisions
            if decision.outcome is Outcome.CHANGED
            and decision.target.record is None
            and decision.target.directory_status is DirectoryStatus.UNCHECKED
        ]
        ids = [target.id for target in unlisted if target.id is not None]
        if not ids:
            return {}
        try:
            existing: dict[str, DirectoryObject] = self._resolver.directory.existing(ids)
        except PermissionDeniedError:
            self._result.warnings.append(
                f"{self._labels.count(len(ids))} without a risk record could not be looked up in the directory: the "
                f"token lacks the Graph permission {self._api.resource.directory.permission}. So a typing error in "
                "an object ID shows only if Graph refuses it."
            )
            return {}
        return {
            item: Target(item, existing[item].name, directory_status=DirectoryStatus.CONFIRMED)
            if item in existing
            else Target(item, None, directory_status=DirectoryStatus.ABSENT)
            for item in ids
        }

    def _resolve_excluded(self, targets: t.Sequence[Target]) -> set[str]:
        """The ids of the excluded names that belong to no listed record and to no target that the directory found.

        :raises PermissionDeniedError: a name cannot be looked up.
        :raises UsersError: a name does not exist. It protects nobody then, and whom it was meant for is not known.
        """
        seen = {
            target.name.casefold()
            for target in targets
            if target.name is not None and target.directory_status is DirectoryStatus.CONFIRMED
        }
        open_names = [
            name
            for name in self._task.excluded.names
            if name.casefold() not in seen and not self._resolver.cache.named(name)
        ]
        ids: set[str] = set()
        missing: list[str] = []
        for name in open_names:
            try:
                known = self._resolver.directory.find(name)
            except PermissionDeniedError as exc:
                raise PermissionDeniedError(
                    f"exclude_{self._labels.key}: {listing(open_names)} could not be looked up in the directory, so "
                    f"nobody can tell whether a {self._labels.one} about to be written to is meant. {exc.message} "
                    "Or use object IDs.",
                    status=exc.status,
                    code=exc.code,
                    request_id=exc.request_id,
                    client_request_id=exc.client_request_id,
                ) from None
            if known is None:
                missing.append(name)
            else:
                ids.add(known.id)
        if missing:
            raise UsersError(
                f"exclude_{self._labels.key}: the directory has no {self._labels.one} {listing(missing)}, so nobody "
                f"can tell whether a {self._labels.one} about to be written to is meant (a renamed account, a typing "
                "error). Correct the name, or use the object ID."
            )
        return ids

    def _warn(self, decisions: t.Sequence[Decision]) -> None:
        if self._task.asked is None:
            return
        not_listed = sum(decision.reason == "not_listed" for decision in decisions)
        if not_listed:
            self._result.warnings.append(
                f"No risk record, so nothing to do: {not_listed} of {self._labels.count(len(decisions))} "
                f"(reason not_listed). {self._labels.not_found_hint}"
            )
        deleted = sum(decision.reason == "deleted" for decision in decisions)
        if deleted:
            self._result.warnings.append(
                f"Deleted, so skipped: {deleted} of {self._labels.count(len(decisions))} (reason deleted)."
            )

    # Writing

    def write(self) -> None:
        """Write what was decided, and wait for it if asked. Notes what was done, then raises what stopped the work."""
        ids = [
            decision.target.id
            for decision in self._result.decisions
            if decision.outcome is Outcome.CHANGED and decision.target.id is not None
        ]
        writer = Writer(self._api, self._action, self._read_back)
        written = writer.written
        # Shared with the result before the first write: even a crash must not hide what was done.
        self._result.written = written.accepted
        self._result.write_request_ids = written.request_ids
        try:
            writer.write(ids)
        finally:
            self._settle(written)
        if written.stopped is not None:
            raise written.stopped
        if self._task.wait:
            self._wait([item for item in ids if item in written.accepted])

    def _settle(self, written: Written) -> None:
        """Decisions that were not carried out become failures."""
        self._replace(
            lambda decision: (decision.target.id or "") in written.rejected,
            "rejected",
            lambda decision: written.rejected[decision.target.id or ""].message,
        )
        self._replace(
            lambda decision: decision.outcome is Outcome.CHANGED and decision.target.id in written.uncertain,
            "pending",
            lambda dummy: (
                f"No clear answer came, so it is not known whether this {self._labels.one} was written to. Run again."
            ),
        )
        self._hold_back(written.accepted, written.stopped.kind if written.stopped else InternalError.kind)

    def _read_back(self, ids: t.Sequence[str]) -> ReadBack:
        """What became of a write without an answer. Who needs it still is decided anew, on the record of now."""
        records = read_again(self._api, self._action, ids)
        applied: set[str] = set()
        needed: set[str] = set()
        decisions: list[Decision] = []
        for decision in self._result.decisions:
            target = decision.target
            if target.id is not None and target.id in records:
                record = records[target.id]
                (anew,) = self._decide([dataclasses.replace(target, record=record)])
                was_busy = target.record is not None and target.record.processing
                # Graph works on one that was idle before: the write has applied, only its effect does not show yet.
                under_way = record is not None and record.processing and not was_busy
                if under_way or anew.outcome is Outcome.UNCHANGED:
                    applied.add(target.id)
                elif anew.outcome is Outcome.CHANGED:
                    needed.add(target.id)
                else:
                    # Deleted, or changed by somebody else in the meantime: the brakes hold here too.
                    decision = anew
            decisions.append(decision)
        self._result.decisions = decisions
        return ReadBack(applied, needed)

    def _wait(self, ids: t.Sequence[str]) -> None:
        after = wait_for(self._api, self._action, ids, self._task.wait_timeout)
        self._result.after = after
        self._replace(
            lambda decision: (
                decision.target.id in self._result.written
                and (decision.target.id not in after or not is_applied(after[decision.target.id], self._action))
            ),
            "pending",
            lambda dummy: (
                f"Graph accepted the change, but it did not show within {self._task.wait_timeout} seconds. "
                "Look again later, or raise wait_timeout."
            ),
        )

    def _hold_back(self, written: t.Container[str], why: str) -> None:
        """Note that the task stopped before it came to some of the objects."""
        message = f"Not written: {_STOPS.get(why, 'the task stopped before')} (error kind {why})."
        self._result.decisions = [
            Decision(decision.target, Outcome.FAILED, message=message, not_attempted=True)
            if decision.outcome is Outcome.CHANGED and decision.target.id not in written
            else decision
            for decision in self._result.decisions
        ]

    def _replace(
        self,
        chosen: t.Callable[[Decision], bool],
        reason: str,
        message: t.Callable[[Decision], str],
    ) -> None:
        """Turn the chosen decisions into failures."""
        self._result.decisions = [
            Decision(decision.target, Outcome.FAILED, reason, message(decision)) if chosen(decision) else decision
            for decision in self._result.decisions
        ]
