# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Ends the sessions of users: read, decide, write.

Check mode is the same path without the writes. Whatever happens, the report tells what was done and what was not.

https://learn.microsoft.com/graph/api/user-revokesigninsessions
"""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, RequestError
from .._graph.client import GraphClient
from .._graph.directory import USERS, Directory, DirectoryObject
from .._graph.names import fold, is_object_id
from .._progress import ProgressFile
from .._retry import Clock
from .._risk.attempts import Status
from .._risk.decisions import (
    NO_SELECTION,
    Decision,
    DirectoryStatus,
    Outcome,
    Protected,
    Selection,
    Target,
    check_max_changes,
    parse_selection,
)
from .._risk.filters import moment
from .._risk.guard_options import GUARD_SPEC, Guards, on_sight, parse_guards
from .._risk.guards import read_guards, resolve_exclusions
from .._risk.loader import RecordCache
from .._risk.resources import RISKY_USERS
from .result import ChangeResult, Ending, ModuleResult, rendered
from .session_writer import PROPERTIES, SessionProgress, SessionTarget, revoke_all, target_of

# What people call users, and how they name them, is the same for every module.
_USERS = RISKY_USERS
_LABELS = _USERS.labels

# So many are read between two notes of progress: ten requests.
_READ_TOGETHER = 150

# The options that hold a task back. Given, but empty, they stop it: a template may have come out empty.
BRAKES = ("exclude_users", *GUARD_SPEC, "max_changes", "revoked_since")

TASK_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["revoked"], "default": "revoked"},
    **_LABELS.option("users", type="list", elements="str", required=True),
    "exclude_users": {"type": "list", "elements": "str"},
    **GUARD_SPEC,
    "max_changes": {"type": "int"},
    "revoked_since": {"type": "str"},
    "return_users": {"type": "str", "choices": ["all", "exceptions"], "default": "all"},
}


@dataclasses.dataclass(frozen=True)
class Task:
    """What a task asks for, checked. `since` is in ticks, `since_age` in seconds; at most one of them is set."""

    selection: Selection
    excluded: Selection
    guards: Guards
    max_changes: int | None
    since: int | None
    since_age: int | None

    def since_at(self, now: int) -> int | None:
        """The ticks of `revoked_since`, None without it.

        :param now: ticks by the clock of the service.
        :raises RequestError: it is still to come, so that nobody could ever be done.
        """
        if self.since_age is not None:
            return now - self.since_age * _timestamps.TICKS_PER_SECOND
        # The service tells whole seconds, and its present one is not over.
        if self.since is not None and self.since >= now + _timestamps.TICKS_PER_SECOND:
            raise RequestError(
                f"revoked_since is {_timestamps.render(self.since)}, which is still to come: by the clock of the "
                f"service it is {_timestamps.render(now)}. Give the time of the incident, or the evaluated_at of an "
                "earlier task."
            )
        return self.since


def parse_task(params: t.Mapping[str, t.Any]) -> Task:
    """The task of a module's parameters.

    :raises RequestError: a value that makes no sense, or can be no user.
    """
    max_changes = params["max_changes"]
    if max_changes is not None and max_changes < 0:
        raise RequestError(f"max_changes is {max_changes}; it must be 0 or more.")
    since, since_age = moment(params["revoked_since"], "revoked_since")
    return Task(
        selection=parse_selection(params["users"], "users", _USERS),
        excluded=parse_selection(params["exclude_users"] or (), "exclude_users", _USERS),
        guards=parse_guards(params),
        max_changes=max_changes,
        since=since,
        since_age=since_age,
    )


def run(
    params: t.Mapping[str, t.Any],
    *,
    check_mode: bool,
    diff: bool,
    connect: t.Callable[[], GraphClient],
    clock: Clock | None = None,
) -> ModuleResult:
    """Carry out a task from its module parameters. Failures are part of the report; none is raised.

    :param connect: gives the client; checks the connection options before anything is sent.
    """
    return_all = params["return_users"] == "all"
    result = SessionResult(params["state"], _USERS, return_all=return_all, check_mode=check_mode, diff=diff)
    with result.capture():
        task = parse_task(params)
        if task.selection == NO_SELECTION:
            return result.report()
        result.client = connect()
        directory = Directory(result.client, USERS, fold, more=PROPERTIES)
        targets = _resolve(task.selection, directory, result.client.progress)
        here = _timestamps.from_seconds((clock or Clock()).wall())
        now = here if result.client.first_date is None else result.client.first_date
        rules = Rules(task.since_at(now), on_sight(task.excluded))
        result.decisions = list(map(rules.decide, targets))
        if due := [decision for decision in result.decisions if decision.is_due]:
            # Read only now: whoever is excluded does not matter while nobody is written to.
            protected = resolve_exclusions(task.excluded, due, _USERS, directory, RecordCache())
            protected = read_guards(
                task.guards,
                result.client,
                protected,
                lambda now: any(rules.protecting(now).decide(target).is_due for target in targets),
            )
            rules = rules.protecting(protected)
            result.decisions = list(map(rules.decide, targets))
        check_max_changes(result.decisions, task.max_changes, _LABELS)
        due_targets = [target for target, decision in zip(targets, result.decisions) if decision.is_due]
        _warn_of_times(due_targets, rules, result.warnings)
        if not check_mode:
            revoke_all(result.client, directory, due_targets, result.progress)
    return result.report()


def refused(params: t.Mapping[str, t.Any], error: EntraRiskError) -> ModuleResult:
    """The result of a task that failed before it began."""
    state = params.get("state")
    return SessionResult(state if state == "revoked" else None, _USERS, error=error).report()


def _resolve(selection: Selection, directory: Directory, progress: ProgressFile) -> list[SessionTarget]:
    """One target for each user that is named, in that order; two spellings of one user are one target.

    :raises PermissionDeniedError: the directory may not be asked. Then nobody can be told apart.
    """
    by_name: dict[str, DirectoryObject] = {}
    by_id: dict[str, DirectoryObject] = {}
    for start in range(0, len(selection.order), _READ_TOGETHER):
        part = Selection(selection.order[start : start + _READ_TOGETHER])
        by_name.update(directory.having(part.names))
        by_id.update(directory.read(part.ids))
        progress.read(start + len(part.order), _LABELS.many, len(selection.order))
    targets: dict[str, SessionTarget] = {}
    for item in selection.order:
        given = selection.as_given.get(item, item)
        is_id = is_object_id(item)
        found = by_id.get(item) if is_id else by_name.get(fold(item))
        if found is not None:
            targets.setdefault(found.id, target_of(found, given))
        else:
            absent = SessionTarget(
                id=item if is_id else None,
                name=None if is_id else item,
                directory_status=DirectoryStatus.ABSENT,
                given=given,
            )
            targets.setdefault(fold(item), absent)
    return list(targets.values())


@dataclasses.dataclass(frozen=True)
class Rules:
    """What decides: who is protected, and the ticks since when ended sessions are ended well enough."""

    since: int | None
    protected: Protected

    def protecting(self, protected: Protected) -> Rules:
        """The same rules with these who are protected."""
        return dataclasses.replace(self, protected=protected)

    def decide(self, target: SessionTarget) -> Decision:
        """The decision for one user. The order of the rules is the contract: protection first."""
        if protected := self.protected.decide(target, _LABELS):
            return protected
        if target.directory_status is DirectoryStatus.ABSENT:
            message = f"The directory has no such user. {_LABELS.remedy} Deleted users have no sessions."
            return Decision(target, Outcome.FAILED, _LABELS.unknown, message)
        ended = target.valid_from_ticks
        if self.since is not None and ended is not None and ended >= self.since:
            return Decision(target, Outcome.UNCHANGED)
        # Without a time that can be read as well: ending sessions once more does no harm, leaving them may.
        return Decision(target, Outcome.CHANGED)


def _warn_of_times(due: t.Iterable[SessionTarget], rules: Rules, warnings: list[str]) -> None:
    unreadable = sum(target.valid_from_ticks is None for target in due) if rules.since is not None else 0
    if unreadable:
        warnings.append(
            f"The time since when sessions are valid is missing or cannot be read: {_LABELS.count(unreadable)}. So "
            "nobody can tell whether they were ended since revoked_since, and they are ended now."
        )


@dataclasses.dataclass
class SessionResult(ChangeResult):
    """What is gathered in the course of a task that ends sessions."""

    progress: SessionProgress = dataclasses.field(default_factory=SessionProgress)

    def done(self) -> str:
        return "Would end the sessions of {}" if self.check_mode else "Ended the sessions of {}"

    def before(self, target: Target) -> dict[str, t.Any]:
        return {"sessions_valid_from": target.valid_from if isinstance(target, SessionTarget) else None}

    def after(self, ending: Ending) -> dict[str, t.Any]:
        target = ending.decision.target
        if self.progress.status(target.id) is Status.UNKNOWN:
            return {"sessions_valid_from": None}
        if not self.is_touched(ending):
            return self.before(target)
        # In check mode, the write would come after the reading.
        ticks = self.client.last_date if self.check_mode and self.client else None
        return {"sessions_valid_from": rendered(self.progress.valid_from.get(target.id or "", ticks))}

    def diff_text(self, shown: t.Mapping[str, t.Any]) -> str:
        return str(shown["sessions_valid_from"] or "unknown")
