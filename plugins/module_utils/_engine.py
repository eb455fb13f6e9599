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

from . import _filters, _timestamps
from ._directory import PERMISSION, Directory, DirectoryUser
from ._errors import EntraRiskError, PermissionDeniedError, RequestError, UnexpectedError, UsersError
from ._filters import RiskFilter
from ._graph import GraphClient, RequestCounts
from ._pace import Clock
from ._plan import (
    Asked,
    Decision,
    Existence,
    Outcome,
    Target,
    check_limit,
    decide,
    is_name,
    listing,
    parse_users,
    users,
)
from ._reader import Knowledge, Reader
from ._result import Account, Report
from ._risk import ACTIVE_STATES, Action, Resource, RiskApi
from ._waiter import has_arrived, read_again, wait_for
from ._writer import Writer, Written

# The modules that write choose users at risk unless told otherwise: who was confirmed as compromised stays that way.
_DEFAULT_STATES = ACTIVE_STATES[:1]


@dataclasses.dataclass(frozen=True)
class Task:
    """What a task asks for, checked. Exactly one of `asked` and `risk_filter` is set."""

    asked: Asked | None
    risk_filter: RiskFilter | None
    excluded: Asked
    max_changes: int | None
    since: int | None
    wait: bool
    wait_timeout: int


def parse_task(params: t.Mapping[str, t.Any], now: int) -> Task:
    """The task of a module's parameters.

    :param now: ticks, for ages in `filters`.
    :raises RequestError: a value that makes no sense.
    :raises UsersError: a value that is no user.
    """
    max_changes = params["max_changes"]
    if max_changes is not None and max_changes < 0:
        raise RequestError(f"max_changes is {max_changes}; it must be 0 or more.")
    if params["wait_timeout"] < 1:
        raise RequestError(f"wait_timeout is {params['wait_timeout']}; it must be 1 second or more.")
    named = params["users"] is not None
    if named == (params["filters"] is not None):
        raise RequestError(f"Give exactly one of users and filters; the task gives {'both' if named else 'neither'}.")
    if max_changes is None and not named:
        raise RequestError(
            "With filters, max_changes is required: the number of users that you expect to change at most."
        )
    return Task(
        asked=parse_users(params["users"], "users") if named else None,
        risk_filter=None if named else _filters.parse(params["filters"], _DEFAULT_STATES, now),
        excluded=parse_users(params["exclude_users"] or (), "exclude_users"),
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
) -> Report:
    """Carry out a task from its module parameters. Failures are part of the report; none is raised.

    :param connect: gives the client; checks the connection options before anything is sent.
    """
    action = resource.actions[params["state"]]
    account = Account(state=params["state"], action=action, check_mode=check_mode)
    counts = RequestCounts()
    error: EntraRiskError | None = None
    try:
        now = (clock or Clock()).wall()
        task = parse_task(params, _timestamps.from_seconds(now))
        client = connect()
        counts = client.counts
        work = _Work(task, RiskApi(client, resource), account)
        work.decide()
        if not check_mode:
            work.write()
    except EntraRiskError as exc:
        error = exc
    except Exception as exc:  # a bug of ours: what was done before it must be reported all the same
        error = UnexpectedError(exc)
    return account.report(counts, return_users=params["return_users"], diff=diff, error=error)


class _Work:
    """One task in the making. Everything that may stop it comes before the first write."""

    def __init__(self, task: Task, api: RiskApi, account: Account) -> None:
        self._task = task
        self._api = api
        self._account = account
        self._action: Action = account.action
        self._knowledge = Knowledge()
        self._reader = Reader(api, self._knowledge)
        self._directory = Directory(api.client)

    # Reading and deciding

    def decide(self) -> None:
        """Read what is needed and decide for each user. Raises what must stop the task before the first write."""
        try:
            targets = self._find_named() if self._task.asked is not None else self._find_filtered()
        finally:
            self._account.evaluated_at = self._evaluated_at()
        excluded = {item.casefold() for item in self._task.excluded.order}
        decisions = self._decide(targets, excluded)
        checked = self._check_existence(decisions)
        if checked:
            targets = [checked.get(target.id or "", target) for target in targets]
            decisions = self._decide(targets, excluded)
        self._account.decisions = decisions
        try:
            if any(decision.outcome is Outcome.CHANGED for decision in decisions):
                resolved = self._resolve_excluded(targets)
                if resolved:
                    self._account.decisions = self._decide(targets, excluded | resolved)
            check_limit(self._account.decisions, self._task.max_changes)
        except EntraRiskError as exc:
            self._hold_back(set(), exc.kind)
            raise
        finally:
            self._warn(self._account.decisions)

    def _decide(self, targets: t.Sequence[Target], excluded: t.Container[str]) -> list[Decision]:
        return [decide(target, self._action, excluded=excluded, since=self._task.since) for target in targets]

    def _evaluated_at(self) -> int | None:
        # The first answer counts: what changed while the later ones were read must look newer than this.
        known = [ticks for ticks in (self._knowledge.first_date, self._knowledge.newest_change) if ticks is not None]
        return max(known, default=None)

    def _find_named(self) -> list[Target]:
        asked = self._task.asked or Asked(())
        self._reader.read(asked)
        found = [self._by_name(item) if is_name(item) else self._by_id(item) for item in asked.order]
        # Names that only the directory knew: their records may be listed under an older name.
        new_ids = tuple(target.id for target in found if target.id is not None and target.record is None)
        self._reader.read(Asked(new_ids))
        targets: dict[str, Target] = {}
        for target in found:
            if target.id is not None and target.record is None:
                target = dataclasses.replace(target, record=self._knowledge.records.get(target.id))
            targets.setdefault(target.id or f"name {target.name}", target)
        return list(targets.values())

    def _by_id(self, object_id: str) -> Target:
        record = self._knowledge.records.get(object_id)
        return Target(object_id, record.name if record else None, record)

    def _by_name(self, name: str) -> Target:
        live = self._knowledge.named(name)
        if len(live) == 1:
            return Target(live[0].id, live[0].name, live[0])
        deleted = self._knowledge.named(name, deleted=True)
        try:
            user = self._directory.find(name)
        except PermissionDeniedError:
            if self._reader.read_on(name):
                return self._by_name(name)
            user = None
        if user is not None:
            return Target(user.id, user.name or name, existence=Existence.CONFIRMED)
        if live:
            return Target(None, name, existence=Existence.AMBIGUOUS)
        if deleted:
            return Target(deleted[0].id, deleted[0].name, deleted[0])
        return Target(None, name, existence=Existence.FORBIDDEN if self._directory.forbidden else Existence.ABSENT)

    def _find_filtered(self) -> list[Target]:
        wanted = self._task.risk_filter
        if wanted is None:
            return []
        self._list(wanted)
        matching = [record for record in self._knowledge.records.values() if wanted.matches(record)]
        matching.sort(key=lambda record: (record.name is None, (record.name or "").casefold(), record.id))
        return [Target(record.id, record.name, record) for record in matching]

    def _list(self, wanted: RiskFilter) -> None:
        """Read a list that holds everything wanted: the narrow one, or a wider one where the service refuses that."""
        for odata in dict.fromkeys((wanted.odata(), wanted.states_only().odata(), None)):
            try:
                for page in self._api.pages(odata):
                    self._knowledge.add(self._api.records(page), page.date)
                    if page.broken is not None:
                        self._account.warnings.append(
                            "Graph broke off the list of risky users before its end (a known fault of its last page). "
                            f"{users(len(self._knowledge.records))} were read; run the task again to see whether more "
                            "are found."
                        )
                return
            except RequestError as exc:
                if odata is None or exc.status != 400:
                    raise

    def _check_existence(self, decisions: t.Sequence[Decision]) -> dict[str, Target]:
        """Targets with what the directory says, for users without a record who are about to be written to."""
        unlisted = [
            decision.target
            for decision in decisions
            if decision.outcome is Outcome.CHANGED
            and decision.target.record is None
            and decision.target.existence is Existence.UNCHECKED
        ]
        ids = [target.id for target in unlisted if target.id is not None]
        if not ids:
            return {}
        try:
            existing: dict[str, DirectoryUser] = self._directory.existing(ids)
        except PermissionDeniedError:
            self._account.warnings.append(
                f"{users(len(ids))} without a risk record could not be looked up in the directory: the token lacks the "
                f"Graph permission {PERMISSION}. So a typing error in an object ID shows only if Graph refuses it."
            )
            return {}
        return {
            item: Target(item, existing[item].name, existence=Existence.CONFIRMED)
            if item in existing
            else Target(item, None, existence=Existence.ABSENT)
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
            if target.name is not None and target.existence is Existence.CONFIRMED
        }
        open_names = [
            name
            for name in self._task.excluded.names
            if name.casefold() not in seen and not self._knowledge.named(name)
        ]
        ids: set[str] = set()
        missing: list[str] = []
        for name in open_names:
            try:
                user = self._directory.find(name)
            except PermissionDeniedError as exc:
                raise PermissionDeniedError(
                    f"exclude_users: {listing(open_names)} could not be looked up in the directory, so nobody can tell "
                    f"whether a user about to be written to is meant. {exc.message} Or use object IDs.",
                    status=exc.status,
                    code=exc.code,
                    request_id=exc.request_id,
                    client_request_id=exc.client_request_id,
                ) from None
            if user is None:
                missing.append(name)
            else:
                ids.add(user.id)
        if missing:
            raise UsersError(
                f"exclude_users: the directory has no user {listing(missing)}, so nobody can tell whether a user about "
                "to be written to is meant (a renamed account, a typing error). Correct the name, or use the "
                "object ID."
            )
        return ids

    def _warn(self, decisions: t.Sequence[Decision]) -> None:
        if self._task.asked is None:
            return
        not_listed = sum(decision.reason == "not_listed" for decision in decisions)
        if not_listed:
            self._account.warnings.append(
                f"No risk record, so nothing to do: {not_listed} of {users(len(decisions))} (reason not_listed). "
                "A typing error in an object ID looks the same."
            )
        deleted = sum(decision.reason == "deleted" for decision in decisions)
        if deleted:
            self._account.warnings.append(
                f"Deleted, so skipped: {deleted} of {users(len(decisions))} (reason deleted)."
            )

    # Writing

    def write(self) -> None:
        """Write what was decided, and wait for it if asked. Notes what was done, then raises what stopped the work."""
        ids = [
            decision.target.id
            for decision in self._account.decisions
            if decision.outcome is Outcome.CHANGED and decision.target.id is not None
        ]
        writer = Writer(self._api, self._action, self._still_needed)
        written = writer.written
        # Shared with the account before the first write: even a crash must not hide what was done.
        self._account.written = written.accepted
        self._account.write_request_ids = written.request_ids
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
            lambda dummy: "No clear answer came, so it is not known whether this user was written to. Run again.",
        )
        self._hold_back(written.accepted, written.stopped.kind if written.stopped else UnexpectedError.kind)

    def _still_needed(self, ids: t.Sequence[str]) -> list[str]:
        """Those of the ids that a write without an answer has not reached."""
        busy_before = {
            decision.target.id
            for decision in self._account.decisions
            if decision.target.record is not None and decision.target.record.processing
        }
        needed = []
        for item, record in read_again(self._api, self._action, ids).items():
            # Graph works on a user who was idle before: the write has arrived, only its effect does not show yet.
            under_way = record is not None and record.processing and item not in busy_before
            if not under_way and not has_arrived(record, self._action):
                needed.append(item)
        return needed

    def _wait(self, ids: t.Sequence[str]) -> None:
        after = wait_for(self._api, self._action, ids, self._task.wait_timeout)
        self._account.after = after
        self._replace(
            lambda decision: (
                decision.target.id in self._account.written
                and (decision.target.id not in after or not has_arrived(after[decision.target.id], self._action))
            ),
            "pending",
            lambda dummy: (
                f"Graph accepted the change, but it did not show within {self._task.wait_timeout} seconds. "
                "Look again later, or raise wait_timeout."
            ),
        )

    def _hold_back(self, written: t.Container[str], why: str) -> None:
        """Note that the task stopped before it came to some users."""
        message = f"Not written: the task stopped before (error kind {why})."
        self._account.decisions = [
            Decision(decision.target, Outcome.FAILED, message=message, held_back=True)
            if decision.outcome is Outcome.CHANGED and decision.target.id not in written
            else decision
            for decision in self._account.decisions
        ]

    def _replace(
        self,
        chosen: t.Callable[[Decision], bool],
        reason: str,
        message: t.Callable[[Decision], str],
    ) -> None:
        """Turn the chosen decisions into failures."""
        self._account.decisions = [
            Decision(decision.target, Outcome.FAILED, reason, message(decision)) if chosen(decision) else decision
            for decision in self._account.decisions
        ]
