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
from .._errors import LimitError, UsersError
from .resources import RISK_STATES, Action, Labels, Record, Resource, is_object_id


class Outcome(str, enum.Enum):
    """What happens, or happened, to one object."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


class DirectoryStatus(enum.Enum):
    """What is known of an object that has no risk record."""

    UNCHECKED = "nobody asked, or nobody may ask"
    CONFIRMED = "the directory knows the object"
    ABSENT = "the directory does not know the object"
    FORBIDDEN = "a name that the directory may not be asked for"
    AMBIGUOUS = "a name that several objects have"


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
class Target:
    """One object, with everything that is known before the decision. `asked` is how the task spells it."""

    id: str | None
    name: str | None
    record: Record | None = None
    directory_status: DirectoryStatus = DirectoryStatus.UNCHECKED
    asked: str | None = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass(frozen=True)
class Decision:
    """What is to be done for one object, and why.

    `not_attempted` marks one that would have been written to, had the task not stopped before.
    """

    target: Target
    outcome: Outcome
    reason: str | None = None
    message: str | None = None
    not_attempted: bool = False

    @property
    def label(self) -> str:
        """What a person calls the object."""
        return self.target.name or self.target.id or "?"


def parse_selection(values: t.Iterable[object], option: str, resource: Resource) -> Selection:
    """The objects of an option, checked.

    :raises UsersError: a value that is neither an object ID nor, where names can be asked for, a name.
    """
    order: dict[str, str] = {}
    as_given: dict[str, str] = {}
    wrong: list[str] = []
    for value in values:
        text = str(value).strip()
        if is_object_id(text):
            order.setdefault(text.lower(), text.lower())
        elif resource.asked_by_name and is_name(text):
            order.setdefault(text.casefold(), text)
        else:
            wrong.append(text)
            continue
        as_given.setdefault(order[text.casefold()], text)
    if wrong:
        raise UsersError(
            f"{option}: {listing([repr(text) for text in wrong])} {'is' if len(wrong) == 1 else 'are'} "
            f"{resource.labels.wrong}. Correct it and run again."
        )
    return Selection(tuple(order.values()), as_given)


def is_name(text: str) -> bool:
    """True for what can be a user principal name: something, an `@`, something, and no blanks or control characters."""
    local, at, domain = text.rpartition("@")
    return bool(local and at and domain) and text.isprintable() and not any(char.isspace() for char in text)


def decide(
    target: Target, resource: Resource, action: Action, *, excluded: t.Container[str], since: int | None
) -> Decision:
    """The decision for one object. The order of the rules is the contract: protection first, then what is not known,
    then what is already there.

    :param excluded: ids and case-folded names that are never written to.
    :param since: ticks; an object whose risk changed later is not written to.
    """
    labels = resource.labels

    def result(outcome: Outcome, reason: str | None = None, message: str | None = None) -> Decision:
        return Decision(target, outcome, reason, message)

    record = target.record
    # The directory may know a newer name than the record; both protect. A display name that looks like an id does not.
    names = {name.casefold() for name in (target.name, record.name if record else None) if name and is_name(name)}
    if target.id in excluded or any(name in excluded for name in names):
        return result(Outcome.SKIPPED, "excluded")
    if record is None:
        return _decide_without_record(target, resource, action)
    if record.deleted:
        return result(
            Outcome.SKIPPED,
            "deleted",
            f"The {labels.one} is deleted; the risk of deleted {labels.many} cannot be changed.",
        )
    if record.state not in RISK_STATES:
        return result(
            Outcome.FAILED,
            "unknown_state",
            "Graph gives no risk state. Nothing is guessed."
            if record.state is None
            else f"Graph gives the risk state {record.state!r}, which this version of the collection does not know. "
            "Nothing is guessed.",
        )
    if record.state in action.satisfied_states:
        return result(Outcome.UNCHANGED)
    if since is not None and (record.updated_ticks is None or record.updated_ticks > since):
        when = f"changed at {record.updated}" if record.updated else "changed at a time that Graph does not tell"
        return result(
            Outcome.FAILED,
            "modified_since",
            f"The risk {when}, and if_unmodified_since is {_timestamps.render(since)}. "
            f"Look at the {labels.one} again before you decide.",
        )
    return result(Outcome.CHANGED)


def _decide_without_record(target: Target, resource: Resource, action: Action) -> Decision:
    labels = resource.labels

    def unknown(message: str) -> Decision:
        return Decision(target, Outcome.FAILED, labels.unknown, message)

    if target.directory_status is DirectoryStatus.ABSENT:
        return unknown(f"The directory has no such {labels.one}. {labels.remedy}")
    if target.directory_status is DirectoryStatus.AMBIGUOUS:
        return unknown(
            f"Several risky {labels.many} have this name and the directory did not tell which one is meant. "
            "Use the object ID."
        )
    if target.directory_status is DirectoryStatus.FORBIDDEN:
        message = (
            f"No risky {labels.one} has this name, and the name could not be looked up in the directory: the token "
            f"lacks the Graph permission {resource.directory.permission}. Grant it, or use the object ID."
        )
        if action.applies_without_record:
            return unknown(message)
        return Decision(target, Outcome.UNCHANGED, "not_listed", message)
    if action.applies_without_record:
        return Decision(target, Outcome.CHANGED)
    return Decision(target, Outcome.UNCHANGED, "not_listed")


def check_limit(decisions: t.Sequence[Decision], max_changes: int | None, labels: Labels) -> None:
    """:raises LimitError: more objects would change than the task allows."""
    changing = sum(decision.outcome is Outcome.CHANGED for decision in decisions)
    if max_changes is not None and changing > max_changes:
        who = listing([decision.label for decision in decisions if decision.outcome is Outcome.CHANGED])
        raise LimitError(
            f"{labels.count(changing)} would change, but max_changes is {max_changes}: {who}. To see all of them, "
            "raise max_changes in check mode, which writes nothing. Then narrow the selection, or raise it for good."
        )


def listing(items: t.Sequence[str], most: int = 5) -> str:
    """The first few of many, for a message that stays readable."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")
