# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The members of groups, nested ones included.

https://learn.microsoft.com/graph/api/group-list-transitivemembers
"""

from __future__ import annotations

import typing as t

from .._errors import RequestError, ServiceError
from .client import GraphClient
from .names import is_object_id
from .paging import pages
from .permissions import RequiredPermission

GROUP_MEMBERS = RequiredPermission("GroupMember.Read.All", rate_limit_group="directory")
# More than anybody protects; and beyond it, reading takes minutes.
MOST_MEMBERS = 20_000
_PAGE_SIZE = 999


class UnknownGroupError(RequestError):
    """The directory has no group with this object ID."""


def object_id(item: t.Any, name: str = "id") -> str:
    """The object ID of an entry, in lower case.

    :raises ServiceError: it has none, so nobody can tell who is meant.
    """
    value = item.get(name) if isinstance(item, dict) else None
    if not is_object_id(value):
        raise ServiceError("Graph listed an entry without an object ID (a GUID). Try again later.")
    return str(value).lower()


class Groups:
    """Groups as far as the token may see them. Each is read once."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._members: dict[str, frozenset[str]] = {}

    def members(self, group_id: str) -> frozenset[str]:
        """The ids of all members in lower case, of whatever type, through nested groups as well; perhaps none.

        Without a cast to users: that would be answered from an index that lags behind.

        :raises UnknownGroupError: there is no such group.
        :raises RequestError: it has too many members.
        :raises ServiceError: the list broke off, or holds something without an id.
        """
        if group_id not in self._members:
            self._members[group_id] = frozenset(self._read(group_id))
        return self._members[group_id]

    def _read(self, group_id: str) -> set[str]:
        members: set[str] = set()
        path = f"/{self._client.api_version}/groups/{group_id}/transitiveMembers"
        params = {"$select": "id", "$top": str(_PAGE_SIZE)}
        begun = False
        try:
            for page in pages(self._client, path, params, required=GROUP_MEMBERS):
                begun = True
                if page.broken is not None:
                    raise ServiceError(f"Graph broke off the list. {page.broken.message}", **page.broken.facts())
                members.update(map(object_id, page.items))
                if len(members) > MOST_MEMBERS:
                    raise RequestError(
                        f"The group has more than {MOST_MEMBERS:,} members, which is too many to read. Name a smaller "
                        "group."
                    )
        except RequestError as exc:
            if begun or exc.status != 404:
                raise
            raise UnknownGroupError(
                f"The directory has no group with this object ID. {exc.message}", **exc.facts()
            ) from None
        return members
