# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What was asked and what is known, turned into one decision for each user. No I/O, no clock, no Ansible."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from ._errors import LimitError, UsersError
from ._risk import RISK_STATES, Action, Record, is_object_id


class Outcome(str, enum.Enum):
    """What happens, or happened, to one user."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


class Existence(enum.Enum):
    """What is known of a user who has no risk record."""

    UNCHECKED = "nobody asked, or nobody may ask"
    CONFIRMED = "the directory knows the user"
    ABSENT = "the directory does not know the user"
    FORBIDDEN = "a name that the directory may not be asked for"
    AMBIGUOUS = "a name that several users have"


@dataclasses.dataclass(frozen=True)
class Asked:
    """The users that a task names: object ids in lower case, and names as they were written; no user twice.

    `order` holds both kinds in the order of the task.
    """

    order: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(item for item in self.order if "@" not in item)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item for item in self.order if "@" in item)


@dataclasses.dataclass(frozen=True)
class Target:
    """One user, with everything that is known before the decision."""

    id: str | None
    name: str | None
    record: Record | None = None
    existence: Existence = Existence.UNCHECKED


@dataclasses.dataclass(frozen=True)
class Decision:
    """What is to be done for one user, and why.

    `held_back` marks a user who would have been written to, had the task not stopped before.
    """

    target: Target
    outcome: Outcome
    reason: str | None = None
    message: str | None = None
    held_back: bool = False

    @property
    def label(self) -> str:
        """What a person calls the user."""
        return self.target.name or self.target.id or "?"


def parse_users(values: t.Iterable[object], option: str) -> Asked:
    """The users of an option, checked.

    :raises UsersError: a value that is neither an object ID nor a user principal name.
    """
    order: dict[str, str] = {}
    wrong: list[str] = []
    for value in values:
        text = str(value).strip()
        if is_object_id(text):
            order.setdefault(text.lower(), text.lower())
        elif is_name(text):
            order.setdefault(text.casefold(), text)
        else:
            wrong.append(text)
    if wrong:
        raise UsersError(
            f"{option}: {listing([repr(text) for text in wrong])} {'is' if len(wrong) == 1 else 'are'} neither an "
            "object ID (a GUID) nor a user principal name (name@domain). Correct it and run again."
        )
    return Asked(tuple(order.values()))


def is_name(text: str) -> bool:
    """True for what can be a user principal name: something, an `@`, something, and no blanks or control characters."""
    local, at, domain = text.rpartition("@")
    return bool(local and at and domain) and text.isprintable() and not any(char.isspace() for char in text)


def decide(target: Target, action: Action, *, excluded: t.Container[str], since: int | None) -> Decision:
    """The decision for one user. The order of the rules is the contract: protection first, then what is not known,
    then what is already there.

    :param excluded: ids and case-folded names that are never written to.
    :param since: ticks; a user whose risk changed later is not written to.
    """

    def result(outcome: Outcome, reason: str | None = None, message: str | None = None) -> Decision:
        return Decision(target, outcome, reason, message)

    record = target.record
    # The directory may know a newer name than the record; both protect.
    names = {name.casefold() for name in (target.name, record.name if record else None) if name is not None}
    if target.id in excluded or any(name in excluded for name in names):
        return result(Outcome.SKIPPED, "excluded")
    if record is None:
        return _decide_unlisted(target, action)
    if record.deleted:
        return result(Outcome.SKIPPED, "deleted", "The user is deleted; the risk of deleted users cannot be changed.")
    if record.state not in RISK_STATES:
        return result(
            Outcome.FAILED,
            "unknown_state",
            f"Graph gives the risk state {record.state!r}, which this version of the collection does not know; "
            "it does not guess.",
        )
    if record.state in action.already:
        return result(Outcome.UNCHANGED)
    if since is not None and (record.updated_ticks is None or record.updated_ticks > since):
        when = f"changed at {record.updated}" if record.updated else "changed at a time that Graph does not tell"
        return result(
            Outcome.FAILED,
            "modified_since",
            f"The risk {when}, which is not covered by if_unmodified_since. Look at the user again before you decide.",
        )
    return result(Outcome.CHANGED)


def _decide_unlisted(target: Target, action: Action) -> Decision:
    if target.existence is Existence.ABSENT:
        return Decision(target, Outcome.FAILED, "unknown_user", "The directory has no such user. Check the spelling.")
    if target.existence is Existence.AMBIGUOUS:
        return Decision(
            target,
            Outcome.FAILED,
            "unknown_user",
            "Several risky users have this name and the directory did not tell which one is meant. Use the object ID.",
        )
    if target.existence is Existence.FORBIDDEN:
        message = (
            "No risky user has this name, and the name could not be looked up in the directory: the token lacks the "
            "Graph permission User.Read.All. Grant it, or use the object ID."
        )
        if action.writes_unlisted:
            return Decision(target, Outcome.FAILED, "unknown_user", message)
        return Decision(target, Outcome.UNCHANGED, "not_listed", message)
    if action.writes_unlisted:
        return Decision(target, Outcome.CHANGED)
    return Decision(target, Outcome.UNCHANGED, "not_listed")


def check_limit(decisions: t.Sequence[Decision], max_changes: int | None) -> None:
    """:raises LimitError: more users would change than the task allows."""
    changing = sum(decision.outcome is Outcome.CHANGED for decision in decisions)
    if max_changes is not None and changing > max_changes:
        raise LimitError(
            f"{users(changing)} would change, but max_changes is {max_changes}. "
            "Look at who they are in check mode, then narrow the selection or raise max_changes."
        )


def users(count: int) -> str:
    """`1 user`, `2 users`."""
    return f"{count} user" if count == 1 else f"{count} users"


def listing(items: t.Sequence[str], most: int = 5) -> str:
    """The first few of many, for a message that stays readable."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")
