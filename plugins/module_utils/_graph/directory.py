# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Look-ups in the directory: who has a name, and which ids exist. They need a permission of their own.

https://learn.microsoft.com/graph/api/user-get
https://learn.microsoft.com/graph/api/serviceprincipal-get
"""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import quote

from .._errors import PermissionDeniedError, RequestError, ServiceError
from .client import GraphClient
from .permissions import RequiredPermission

_IDS_PER_CALL = 1000
_NOT_OFFERED = frozenset({404, 405, 501})


@dataclasses.dataclass(frozen=True)
class DirectorySet:
    """One kind of directory object: its path, its type for `getByIds`, and what reading it needs."""

    path: str
    type: str
    name_property: str
    permission: str


USERS = DirectorySet(path="users", type="user", name_property="userPrincipalName", permission="User.Read.All")
SERVICE_PRINCIPALS = DirectorySet(
    path="servicePrincipals",
    type="servicePrincipal",
    name_property="displayName",
    permission="Application.Read.All",
)


@dataclasses.dataclass(frozen=True)
class DirectoryObject:
    """An object that exists."""

    id: str
    name: str | None


class Directory:
    """The directory as far as the token may see it.

    After the first refusal `forbidden` holds the error, and nothing more is asked: it would be refused as well.
    """

    def __init__(self, client: GraphClient, kind: DirectorySet) -> None:
        self._client = client
        self._kind = kind
        self._required = RequiredPermission(kind.permission, rate_limit_group="directory")
        self._root = f"/{client.api_version}"
        self._found: dict[str, DirectoryObject | None] = {}
        self.forbidden: PermissionDeniedError | None = None

    def find(self, key: str) -> DirectoryObject | None:
        """The object with this name or id, None when there is none. At most one request for each key.

        :raises PermissionDeniedError: the token may not read these objects.
        """
        if self.forbidden is not None:
            raise self.forbidden
        folded = key.casefold()
        if folded not in self._found:
            try:
                reply = self._client.get(
                    f"{self._root}/{self._kind.path}/{quote(key, safe='')}",
                    {"$select": f"id,{self._kind.name_property}"},
                    required=self._required,
                    # 400: the directory finds that nobody can have such a name.
                    accept=(400, 404),
                )
            except PermissionDeniedError as exc:
                self.forbidden = exc
                raise
            self._found[folded] = self._object(reply.data) if reply.status == 200 else None
        return self._found[folded]

    def existing(self, ids: t.Sequence[str]) -> dict[str, DirectoryObject]:
        """Those of the ids that exist, by id. One request for 1,000 ids, or one each where that is refused.

        https://learn.microsoft.com/graph/api/directoryobject-getbyids

        :raises PermissionDeniedError: the token may not read these objects.
        """
        found: dict[str, DirectoryObject] = {}
        one_by_one = len(ids) == 1
        for start in range(0, len(ids), _IDS_PER_CALL):
            chunk = list(ids[start : start + _IDS_PER_CALL])
            if not one_by_one:
                try:
                    reply = self._client.query(
                        f"{self._root}/directoryObjects/getByIds",
                        {"ids": chunk, "types": [self._kind.type]},
                        required=self._required,
                    )
                except (PermissionDeniedError, RequestError):
                    # This call wants a wider permission in some tenants; the plain one may still be allowed.
                    one_by_one = True
                except ServiceError as exc:
                    # Not every gateway in front of Graph knows the call; it answers then with a page of its own.
                    if exc.status not in _NOT_OFFERED:
                        raise
                    one_by_one = True
                else:
                    items = reply.data.get("value")
                    known = map(self._object, items if isinstance(items, list) else ())
                    found.update((item.id, item) for item in known if item is not None)
            if one_by_one:
                known = map(self.find, chunk)
                found.update((item.id, item) for item in known if item is not None)
        return found

    def _object(self, item: t.Any) -> DirectoryObject | None:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            return None
        name = item.get(self._kind.name_property)
        return DirectoryObject(item["id"].lower(), name if isinstance(name, str) else None)
