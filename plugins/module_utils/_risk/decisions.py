# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What was asked and what is known, turned into one decision for each object. No I/O, no clock, no Ansible."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from .. import _timestamps
from .._errors import LimitError, RequestError
from .._graph.names import fold, is_name, is_object_id
from .resources import RISK_STATES, Action, Labels, Record, Resource


class Outcome(str, enum.Enum):
    """What happens, or happened, to one object."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


class DirectoryStatus(enum.Enum):
    """What the directory says of an object."""

    UNCHECKED = "nobody asked, or nobody may ask"
    CONFIRMED = "the directory knows the object"
    ABSENT = "the directory does not know the object"
    FORBIDDEN = "a name that the directory may not be asked for"
    AMBIGUOUS = "a name that several records have, and that the directory may not be asked for"


@dataclasses.dataclass(frozen=True)
class Selection:
    """The objects that a task names: object ids in lower case, and names as they were written; none twice.

    `order` holds both kinds in the order of the task, `as_given` how the task spells each.
    """

    order: tuple[str, ...]
    as_given: t.Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(item for item in self.order if "@" not in item)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item for item in self.order if "@" in item)


# An empty list: nothing to do, and so nothing to ask for.
NO_SELECTION = Selection(())


@dataclasses.dataclass(frozen=True)
class Protected:
    """Who is never written to: by id, by any name that a record shows, and by application (client) id.

    `members` maps the ids of members to the group, `role_holders` those of role holders to what is true of them.
    """

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    members: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    role_holders: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def decide(self, target: Target, labels: Labels) -> Decision | None:
        """Why an object is never written to; None where it may be."""
        never = f"so this {labels.one} is never written to."
        key = target.id or ""
        if self._names(target):
            return Decision(target, Outcome.SKIPPED, "excluded", f"Listed in exclude_{labels.key}, {never}")
        if key in self.members:
            message = f"A member of the group {self.members[key]}, which is listed in exclude_groups, {never}"
            return Decision(target, Outcome.SKIPPED, "excluded", message)
        if key in self.role_holders:
            message = f"{self.role_holders[key]}, and exclude_role_holders is true, {never}"
            return Decision(target, Outcome.SKIPPED, "privileged", message)
        return None

    def _names(self, target: Target) -> bool:
        record = target.record
        app_id = record.properties.get("appId") if record else None
        if target.id in self.ids or (isinstance(app_id, str) and app_id.lower() in self.ids):
            return True
        # The directory may know a newer name than the record; both protect.
        names = (target.name, record.name if record else None)
        return any(name is not None and fold(name) in self.names for name in names)


@dataclasses.dataclass(frozen=True)
class Target:
    """One object, with everything that is known before the decision. `given` is how the task spells it."""

    id: str | None
    name: str | None
    record: Record | None = None
    directory_status: DirectoryStatus = DirectoryStatus.UNCHECKED
    given: str | None = dataclasses.field(default=None, compare=False)

    @property
    def label(self) -> str:
        """What a person calls the object."""
        return self.name or self.id or "?"


@dataclasses.dataclass(frozen=True)
class Decision:
    """What is to be done for one object, and why. Made once, never altered."""

    target: Target
    outcome: Outcome
    reason: str | None = None
    message: str | None = None

    @property
    def is_due(self) -> bool:
        """Whether the object is to be written to."""
        return self.outcome is Outcome.CHANGED


@dataclasses.dataclass(frozen=True)
class Rules:
    """What decides: the resource, the action, who is protected, and the ticks after which a change is too new.

    With `password_times`, only those are written to whose password was changed after the risk: what the directory says
    of it, by id.
    """

    resource: Resource
    action: Action
    unmodified_since: int | None = None
    protected: Protected = Protected()
    password_times: t.Mapping[str, object] | None = None

    def decide(self, target: Target) -> Decision:
        """The decision for one object. The order of the rules is the contract: protection first, then what is not
        known, then what is already there.
        """
        labels = self.resource.labels
        record = target.record
        if protected := self.protected.decide(target, labels):
            return protected
        if record is None:
            return self._decide_without_record(target)
        if record.deleted:
            return Decision(
                target,
                Outcome.SKIPPED,
                "deleted",
                f"The {labels.one} is deleted; the risk of deleted {labels.many} cannot be changed.",
            )
        if record.state not in RISK_STATES:
            return Decision(target, Outcome.FAILED, "unknown_state", _unknown_state(record.state))
        if record.state in self.action.satisfied_states:
            return Decision(target, Outcome.UNCHANGED)
        since = self.unmodified_since
        if since is not None and (record.updated_ticks is None or record.updated_ticks > since):
            return Decision(
                target,
                Outcome.FAILED,
                "modified_since",
                f"{_when_changed(record)}, and if_unmodified_since is {_timestamps.render(since)}. "
                f"Look at the {labels.one} again before you decide.",
            )
        if self.password_times is not None and (why := _not_secured(record, self.password_times)):
            message = f"{why} With if_password_changed, this {labels.one} is not written to."
            return Decision(target, Outcome.SKIPPED, "password_unchanged", message)
        return Decision(target, Outcome.CHANGED)

    def _decide_without_record(self, target: Target) -> Decision:
        labels = self.resource.labels
        applies = self.action.applies_without_record
        status = target.directory_status
        if status is DirectoryStatus.ABSENT:
            message = f"The directory has no such {labels.one}. {labels.remedy}"
            return Decision(target, Outcome.FAILED, labels.unknown, message)
        if status is DirectoryStatus.AMBIGUOUS:
            message = (
                f"Several risky {labels.many} have this name, and the directory could not be asked which one is meant: "
                f"the token lacks the Graph permission {self.resource.directory.permission}. Use the object ID."
            )
            return Decision(target, Outcome.FAILED, labels.unknown, message)
        if status is DirectoryStatus.FORBIDDEN:
            message = (
                f"No risky {labels.one} has this name, and it could not be looked up in the directory: the token lacks "
                f"the Graph permission {self.resource.directory.permission}. Grant it, or use the object ID."
            )
            if applies:
                return Decision(target, Outcome.FAILED, labels.unknown, message)
            return Decision(target, Outcome.UNCHANGED, "not_listed", message)
        if applies:
            return Decision(target, Outcome.CHANGED)
        return Decision(target, Outcome.UNCHANGED, "not_listed")


def _unknown_state(state: str | None) -> str:
    if state is None:
        return "Graph gives no risk state. Nothing is guessed."
    return (
        f"Graph gives the risk state {state!r}, which this version of the collection does not know. Nothing is guessed."
    )


def _when_changed(record: Record) -> str:
    if record.updated is None:
        return "Graph does not say when the risk changed"
    if record.updated_ticks is None:
        return f"Graph says that the risk changed at {record.updated!r}, which is not a time that can be read"
    return f"The risk changed at {record.updated}"


def _not_secured(record: Record, password_times: t.Mapping[str, object]) -> str | None:
    """Why nobody can say that the password was changed after the last change of the risk; None where it was."""
    if record.id not in password_times:
        return "The directory does not show the user, so it is not known when the password was changed."
    said = password_times[record.id]
    changed = _timestamps.parse_or_none(said)
    if said is None:
        return "The directory does not say when the password was changed."
    if changed is None:
        return (
            f"The directory says that the password was changed at {shortened(str(said))}, which is not a time that can "
            "be read."
        )
    if record.updated_ticks is None:
        return f"{_when_changed(record)}, so the time of the password ({said}) proves nothing."
    if changed > record.updated_ticks:
        return None
    return f"The password was last changed at {said}, which is not after the last change of the risk, {record.updated}."


def parse_selection(values: t.Iterable[object], option: str, resource: Resource) -> Selection:
    """The objects of an option, checked.

    :raises RequestError: a value that is neither an object ID nor, where names can be asked for, a name.
    """
    order: dict[str, str] = {}
    as_given: dict[str, str] = {}
    wrong: list[str] = []
    for value in values:
        text = str(value).strip()
        if is_object_id(text):
            key = order.setdefault(text.lower(), text.lower())
        elif resource.asked_by_name and is_name(text):
            key = order.setdefault(fold(text), text)
        else:
            wrong.append(text)
            continue
        as_given.setdefault(key, text)
    if wrong:
        is_or_are, it_or_them = ("is", "it") if len(wrong) == 1 else ("are", "them")
        hint = ""
        if resource.asked_by_name and any("@" in text for text in wrong):
            hint = "A name has one @ and no whitespace, quotes, brackets, separators or dot at an end. "
        raise RequestError(
            f"{option}: {listing(list(map(shortened, wrong)))} {is_or_are} {resource.labels.wrong}. "
            f"{hint}Correct {it_or_them} and run again."
        )
    return Selection(tuple(order.values()), as_given)


def shortened(text: str) -> str:
    """A value in quotes, for a message that stays readable."""
    return repr(text if len(text) <= 100 else f"{text[:97]}...")


def apply_limit(decisions: t.Sequence[Decision], limit: int | None, labels: Labels) -> list[Decision]:
    """The decisions with at most `limit` writes: the oldest changes first, of equal times the lower id.

    Changes without a time come last.
    """
    due = [decision for decision in decisions if decision.is_due]
    if limit is None or len(due) <= limit:
        return list(decisions)

    def age(decision: Decision) -> tuple[bool, int, str]:
        ticks = decision.target.record.updated_ticks if decision.target.record else None
        return ticks is None, ticks or 0, decision.target.id or ""

    kept = {decision.target.id for decision in sorted(due, key=age)[:limit]}
    message = f"Left for a later run: limit is {limit}, and {labels.many} whose risk changed earlier come first."
    return [
        Decision(decision.target, Outcome.SKIPPED, "over_limit", message)
        if decision.is_due and decision.target.id not in kept
        else decision
        for decision in decisions
    ]


def check_max_changes(decisions: t.Sequence[Decision], max_changes: int | None, labels: Labels) -> None:
    """:raises LimitError: more objects would change than the task allows."""
    due = [decision.target.label for decision in decisions if decision.is_due]
    if max_changes is not None and len(due) > max_changes:
        raise LimitError(
            f"{labels.count(len(due))} would change, but max_changes is {max_changes}: {listing(due)}. To see all of "
            "them, raise max_changes in check mode, which writes nothing. Then narrow the selection, or raise it for "
            "good."
        )


def listing(items: t.Sequence[str], most: int = 5) -> str:
    """The first few of many, for a message that stays readable."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")
