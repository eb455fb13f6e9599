# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What a task says of who is protected. `guards.py` asks, as soon as somebody is about to be written to."""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import RequestError
from .._graph.names import fold, is_object_id
from .decisions import Protected, Selection, listing, shortened

# The options that protect users by what the directory says. They are brakes as well.
GUARD_SPEC: dict[str, dict[str, t.Any]] = {
    "exclude_groups": {"type": "list", "elements": "str"},
    "exclude_role_holders": {"type": "bool", "default": False},
}
PASSWORD_PROPERTY = "lastPasswordChangeDateTime"


@dataclasses.dataclass(frozen=True)
class Guards:
    """What a task asks for: the groups whose members, and whether those with a role, are never written to."""

    groups: tuple[str, ...] = ()
    role_holders: bool = False


def parse_guards(params: t.Mapping[str, t.Any]) -> Guards:
    """The guards of a module's parameters; none where the module has no such options.

    :raises RequestError: a group that is not an object ID.
    """
    groups = [text.strip() for text in params.get("exclude_groups") or ()]
    wrong = [text for text in groups if not is_object_id(text)]
    if wrong:
        raise RequestError(
            f"exclude_groups: {listing(list(map(shortened, wrong)))} {'is' if len(wrong) == 1 else 'are'} not an "
            "object ID (a GUID). Names of groups are not unique, so give the object ID that the Entra admin center "
            "shows for the group."
        )
    return Guards(tuple(dict.fromkeys(map(str.lower, groups))), bool(params.get("exclude_role_holders")))


def on_sight(excluded: Selection) -> Protected:
    """What an exclusion says by itself, before anybody is asked."""
    return Protected(frozenset(excluded.ids), frozenset(map(fold, excluded.names)))
