# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Who is protected. Each guard fails closed: what cannot be told stops the task before its first write."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._errors import EntraRiskError, PermissionDeniedError, RequestError
from .._graph.client import GraphClient
from .._graph.directory import Directory
from .._graph.groups import GROUP_MEMBERS, Groups, UnknownGroupError
from .._graph.names import fold
from .._graph.roles import ROLE_ASSIGNMENTS, ROLE_ELIGIBILITY, principals
from .decisions import Decision, Protected, Selection, listing
from .guard_options import PASSWORD_PROPERTY, Guards, on_sight
from .loader import RecordCache
from .resources import Resource


def read_guards(
    guards: Guards, client: GraphClient, protected: Protected, is_needed: t.Callable[[Protected], bool]
) -> Protected:
    """Those who are protected, with the members of groups and the role holders. Each list is read once.

    :param protected: who is protected without the guards.
    :param is_needed: whether anybody would still be written to if these were protected. Asked before each guard, so
        that nothing is read for nobody.
    :raises EntraRiskError: a guard could not be read in full, so nobody may be written to.
    """
    groups = Groups(client)
    if guards.groups and is_needed(protected):
        protected = dataclasses.replace(protected, members=_members(guards.groups, groups))
    if guards.role_holders and is_needed(protected):
        protected = dataclasses.replace(protected, role_holders=_role_holders(client, groups))
    return protected


def read_password_times(directory: Directory, ids: t.Sequence[str]) -> dict[str, object]:
    """When the password of each was last changed, as the directory says it. One request for 15.

    :param directory: users, with `PASSWORD_PROPERTY`.
    :raises EntraRiskError: the directory could not be asked.
    """
    with _explained(
        "if_password_changed: the times of the last password changes could not be read (Graph permission "
        "User.Read.All), so nobody can tell whose password was changed."
    ):
        found = directory.read(ids)
    return {key: item.properties.get(PASSWORD_PROPERTY) for key, item in found.items()}


def _members(group_ids: t.Sequence[str], groups: Groups) -> dict[str, str]:
    """The group of each member; of several, the one that is listed first."""
    found: dict[str, str] = {}
    for group_id in group_ids:
        with _explained(
            f"exclude_groups: the members of the group {group_id} could not be read in full (Graph permission "
            f"{GROUP_MEMBERS.permission}), so nobody can tell who is protected."
        ):
            members = groups.members(group_id)
            if not members:
                raise RequestError(
                    "The group shows no member. Check the object ID. If its membership is hidden, the app also needs "
                    "the permission Member.Read.Hidden; if the group is empty on purpose, leave it out."
                )
        found.update(dict.fromkeys(members - found.keys(), group_id))
    return found


def _role_holders(client: GraphClient, groups: Groups) -> dict[str, str]:
    """What is true of each role holder. Groups that have a role are opened, and so is what may be a group."""
    found: dict[str, str] = {}
    may_be_groups: dict[str, tuple[str, bool]] = {}
    for which in (ROLE_ASSIGNMENTS, ROLE_ELIGIBILITY):
        with _explained(
            f"exclude_role_holders: {which.name} could not be read in full (Graph permission "
            f"{which.required.permission}), so nobody can tell who is protected."
        ):
            for principal in principals(client, which):
                found.setdefault(principal.id, which.holds)
                if principal.is_group is not False:
                    holds, is_group = may_be_groups.get(principal.id, (which.holds, False))
                    may_be_groups[principal.id] = holds, is_group or principal.is_group is True
    for key, (holds, is_group) in may_be_groups.items():
        with _explained(
            f"exclude_role_holders: the members of the group {key}, which has a role, could not be read in full (Graph "
            f"permission {GROUP_MEMBERS.permission}), so nobody can tell who is protected."
        ):
            try:
                members = groups.members(key)
            except UnknownGroupError:
                if is_group:
                    raise
                # A user, or something else that has no members.
                continue
        for member in members:
            found.setdefault(member, f"{holds} through the group {key}")
    return found


@contextlib.contextmanager
def _explained(text: str) -> t.Iterator[None]:
    """An error says first what it means for the task."""
    try:
        yield
    except EntraRiskError as exc:
        exc.message = f"{text} {exc.message}"
        raise


def resolve_exclusions(
    excluded: Selection, due: t.Sequence[Decision], resource: Resource, directory: Directory, cache: RecordCache
) -> Protected:
    """Everybody who is meant by an exclusion, by what the directory says and by what any record shows.

    The name on a record may have gone to somebody else, so the directory is asked for every name. An application may
    be named by either of its two ids.

    :param due: the decisions to write, as far as they are known; asked only when there are some.
    :raises PermissionDeniedError: the directory may not be asked, and it matters.
    :raises RequestError: an entry that nobody has. It protects nobody then, and whom it was meant for is not known.
    """
    protected = on_sight(excluded)
    keys = excluded.names
    if not resource.asked_by_name:
        keys = _open_ids(excluded, cache)
    if not keys:
        return protected
    option = f"exclude_{resource.labels.key}"
    try:
        known = directory.having(keys)
        by_id = {} if resource.asked_by_name else directory.existing([key for key in keys if key not in known])
    except PermissionDeniedError as exc:
        if not resource.asked_by_name and all(map(_shows_both_ids, due)):
            # The records show every id that one about to be written to has, and none of them is excluded.
            return protected
        raise PermissionDeniedError(
            f"{option}: {listing(keys)} could not be looked up in the directory, so nobody can tell whether a "
            f"{resource.labels.one} about to be written to is meant. {exc.message}"
            + (" Or use object IDs." if resource.asked_by_name else ""),
            **exc.facts(),
        ) from None
    missing = [key for key in keys if fold(key) not in known and key not in by_id]
    if missing:
        raise RequestError(
            f"{option}: the directory has no {resource.labels.one} {listing(missing)}, so nobody can tell whether a "
            f"{resource.labels.one} about to be written to is meant (a renamed account, a typing error). "
            "Correct the entry, or use the object ID."
        )
    seen = {record.id for name in excluded.names for record in cache.named(name)}
    return dataclasses.replace(protected, ids=protected.ids | seen | {item.id for item in known.values()})


def _open_ids(excluded: Selection, cache: RecordCache) -> tuple[str, ...]:
    """The excluded ids that no record shows, as the one id or the other."""
    shown = {str(record.properties.get("appId")).lower() for record in cache.records.values()} | cache.records.keys()
    return tuple(item for item in excluded.ids if item not in shown)


def _shows_both_ids(decision: Decision) -> bool:
    record = decision.target.record
    return record is not None and isinstance(record.properties.get("appId"), str)
