# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Brings risky objects to a state: resolve, decide, write, read back if asked.

Check mode is the same path without the writes. Whatever happens, the report tells what was done and what was not.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, PermissionDeniedError, RequestError
from .._graph.client import GraphClient
from .._graph.directory import Directory
from .._graph.names import fold
from .._retry import Clock
from .._risk import filters
from .._risk.api import RiskApi
from .._risk.attempts import Status
from .._risk.decisions import (
    NO_SELECTION,
    Decision,
    DirectoryStatus,
    Protected,
    Rules,
    Selection,
    Target,
    apply_limit,
    check_max_changes,
    parse_selection,
)
from .._risk.filters import RiskFilter
from .._risk.guard_options import GUARD_SPEC, PASSWORD_PROPERTY, Guards, on_sight, parse_guards
from .._risk.resolver import TargetResolver
from .._risk.resources import ACTIVE_STATES, Resource
from .result import ModuleResult
from .risk_result import RiskChangeResult

# The modules that write choose who is at risk unless told otherwise: who was confirmed as compromised stays that way.
_DEFAULT_STATES = ACTIVE_STATES[:1]
# Ansible warns of a name with "password" in it unless it is told that this is no secret.
_PASSWORD_SPEC = {"type": "bool", "default": False, "no_log": False}


@dataclasses.dataclass(frozen=True)
class Task:
    """What a task asks for, checked. Exactly one of `selection` and `risk_filter` is set. `now` is in ticks."""

    selection: Selection | None
    risk_filter: RiskFilter | None
    excluded: Selection
    guards: Guards
    if_password_changed: bool
    max_changes: int | None
    limit: int | None
    since: int | None
    wait: bool
    wait_timeout: int
    now: int


def task_spec(resource: Resource) -> dict[str, dict[str, t.Any]]:
    """The options of a module that brings objects of a resource to a state."""
    labels = resource.labels
    return {
        "state": {"type": "str", "required": True, "choices": list(resource.actions)},
        **labels.option(labels.key, type="list", elements="str"),
        "filters": {"type": "dict", "options": filters.FILTER_SPEC},
        **labels.option(f"exclude_{labels.key}", type="list", elements="str"),
        **({**GUARD_SPEC, "if_password_changed": _PASSWORD_SPEC} if resource.has_guards else {}),
        "max_changes": {"type": "int"},
        "limit": {"type": "int"},
        "if_unmodified_since": {"type": "str"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
        **labels.option(f"return_{labels.key}", type="str", choices=["all", "exceptions"], default="all"),
    }


def brakes(resource: Resource) -> tuple[str, ...]:
    """The options that hold a task back. Given, but empty, they stop it: a template may have come out empty."""
    guards = (*GUARD_SPEC, "if_password_changed") if resource.has_guards else ()
    return f"exclude_{resource.labels.key}", *guards, "max_changes", "if_unmodified_since"


def parse_task(params: t.Mapping[str, t.Any], resource: Resource, now: int) -> Task:
    """The task of a module's parameters. Options and messages say what the resource is called.

    :param now: ticks by the clock here.
    :raises RequestError: a value that makes no sense, or can be no object of the resource.
    """
    labels = resource.labels
    named = params[labels.key] is not None
    if named == (params["filters"] is not None):
        raise RequestError(
            f"Give exactly one of {labels.key} and filters; the task gives {'both' if named else 'neither'}."
        )
    max_changes, limit = params["max_changes"], filters.parse_limit(params)
    if max_changes is not None and max_changes < 0:
        raise RequestError(f"max_changes is {max_changes}; it must be 0 or more.")
    if max_changes is None and not named:
        raise RequestError(
            f"With filters, max_changes is required: the number of {labels.many} that you expect to change at most."
        )
    if limit is not None and named:
        raise RequestError(f"limit goes with filters only: {labels.key} says already who is meant.")
    if params["wait_timeout"] < 1:
        raise RequestError(f"wait_timeout is {params['wait_timeout']}; it must be 1 second or more.")
    if_password_changed = bool(params.get("if_password_changed"))
    if if_password_changed and params["state"] != "dismissed":
        raise RequestError("if_password_changed goes with state dismissed only. Leave it out, or choose that state.")
    exclude = f"exclude_{labels.key}"
    return Task(
        selection=parse_selection(params[labels.key], labels.key, resource) if named else None,
        risk_filter=None if named else filters.parse(params["filters"], _DEFAULT_STATES, now),
        excluded=parse_selection(params[exclude] or (), exclude, resource),
        guards=parse_guards(params),
        if_password_changed=if_password_changed,
        max_changes=max_changes,
        limit=limit,
        since=_parse_since(params["if_unmodified_since"]),
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        now=now,
    )


def _parse_since(text: str | None) -> int | None:
    try:
        return None if text is None else _timestamps.parse(text)
    except ValueError:
        raise RequestError(
            f"if_unmodified_since: {text!r} is not a time in ISO 8601 with an offset, such as 2026-01-31T08:15:00Z. "
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
    return_all = params[f"return_{resource.labels.key}"] == "all"
    result = RiskChangeResult(params["state"], resource, return_all=return_all, check_mode=check_mode, diff=diff)
    with result.capture():
        task = parse_task(params, resource, _timestamps.from_seconds((clock or Clock()).wall()))
        if params["state"] == "compromised":
            result.warnings += [
                f"{option} is an empty list, so it protects nobody from being locked out."
                for option in (f"exclude_{resource.labels.key}", "exclude_groups")
                if params.get(option) == []
            ]
        if task.selection == NO_SELECTION:
            return result.report()
        result.client = connect()
        api = RiskApi(result.client, resource)
        more = (PASSWORD_PROPERTY,) if task.if_password_changed else ()
        directory = Directory(result.client, resource.directory, fold, more=more)
        resolver = TargetResolver(api, directory, result.warnings)
        try:
            targets = _resolve(task, resolver, confirm_absence=result.action.applies_without_record)
        finally:
            result.truncated = resolver.truncated
        rules = Rules(resource, result.action, task.since, on_sight(task.excluded))
        targets = _check_existence(targets, rules, directory, result.warnings)
        result.decisions = list(map(rules.decide, targets))
        if due := _due(result.decisions):
            # Read, and loaded, only now: whoever is protected does not matter while nobody is written to.
            from .._risk.guards import resolve_exclusions

            protected = resolve_exclusions(task.excluded, due, resource, directory, resolver.cache)
            rules = _guarded(dataclasses.replace(rules, protected=protected), task, targets, result.client, directory)
            result.decisions = apply_limit(list(map(rules.decide, targets)), task.limit, resource.labels)
        _warn(result)
        check_max_changes(result.decisions, task.max_changes, resource.labels)
        if not check_mode and _due(result.decisions):
            from .._risk.wait import wait_for
            from .._risk.writer import write_all

            write_all(api, rules, _due(result.decisions), result.progress)
            written = result.progress.having(Status.ACCEPTED)
            if task.wait and written:
                wait_for(api, result.action, written, task.wait_timeout, result.progress.seen)
                result.waited = task.wait_timeout
    return result.report()


def refused(params: t.Mapping[str, t.Any], resource: Resource, error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began.

    :param params: not checked: any of them may be missing, or be anything.
    """
    state = params.get("state")
    known = state if isinstance(state, str) and state in resource.actions else None
    return RiskChangeResult(known, resource, error=error).report()


def _due(decisions: t.Iterable[Decision]) -> list[Decision]:
    return [decision for decision in decisions if decision.is_due]


def _guarded(rules: Rules, task: Task, targets: t.Sequence[Target], client: GraphClient, directory: Directory) -> Rules:
    """The rules with what the guards say. None is read once nobody is left to write to."""
    from .._risk.guards import read_guards, read_password_times

    def due_with(protected: Protected) -> list[Decision]:
        return _due(map(dataclasses.replace(rules, protected=protected).decide, targets))

    protected = read_guards(task.guards, client, rules.protected, lambda now: bool(due_with(now)))
    due = [decision.target.id or "" for decision in due_with(protected)] if task.if_password_changed else []
    times = read_password_times(directory, due) if due else None
    return dataclasses.replace(rules, protected=protected, password_times=times)


def _resolve(task: Task, resolver: TargetResolver, *, confirm_absence: bool) -> list[Target]:
    if task.risk_filter is None:
        return resolver.named(task.selection or NO_SELECTION, confirm_absence=confirm_absence)
    return [Target(record.id, record.name, record) for record in resolver.filtered(task.risk_filter, task.now)]


def _check_existence(
    targets: t.Sequence[Target], rules: Rules, directory: Directory, warnings: list[str]
) -> list[Target]:
    """The targets, with what the directory says of those without a record that would be written to."""
    unchecked = [
        target.id
        for target in targets
        if target.id is not None
        and target.record is None
        and target.directory_status is DirectoryStatus.UNCHECKED
        and rules.decide(target).is_due
    ]
    if not unchecked:
        return list(targets)
    labels = rules.resource.labels
    try:
        existing = directory.existing(unchecked)
    except PermissionDeniedError:
        warnings.append(
            f"{labels.count(len(unchecked))} without a risk record could not be looked up in the directory: the token "
            f"lacks the Graph permission {rules.resource.directory.permission}. So a typing error in an object ID "
            "shows only if Graph refuses it."
        )
        return list(targets)
    checked = set(unchecked)

    def with_status(target: Target) -> Target:
        if target.id not in checked:
            return target
        found = existing.get(target.id)
        status = DirectoryStatus.ABSENT if found is None else DirectoryStatus.CONFIRMED
        return dataclasses.replace(target, name=found.name if found else None, directory_status=status)

    return list(map(with_status, targets))


def _warn(result: RiskChangeResult) -> None:
    labels = result.resource.labels
    total = labels.count(len(result.decisions))
    # A name that the directory knows cannot be a typing error, and of the others there is a warning already.
    by_id = sum(
        decision.reason == "not_listed" and decision.target.directory_status is DirectoryStatus.UNCHECKED
        for decision in result.decisions
    )
    if by_id:
        result.warnings.append(
            f"No risk record, so nothing to do: {by_id} of {total} (reason not_listed). {labels.not_found_hint}"
        )
    # What a filter chose was not named, so it is nothing to wonder about.
    deleted = sum(decision.reason == "deleted" and decision.target.given is not None for decision in result.decisions)
    if deleted:
        result.warnings.append(f"Deleted, so skipped: {deleted} of {total} (reason deleted).")
    unreadable = sum(map(_is_left_without_a_time, result.decisions))
    if unreadable:
        result.warnings.append(
            f"{labels.count(unreadable)} left for a later run: the time of the last change of the risk cannot be read, "
            "and limit takes the oldest changes first, so they come last."
        )


def _is_left_without_a_time(decision: Decision) -> bool:
    record = decision.target.record
    if decision.reason != "over_limit" or record is None:
        return False
    return record.updated is not None and record.updated_ticks is None
