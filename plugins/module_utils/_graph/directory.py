# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Look-ups in the directory: who has a name, and which ids exist. They need a permission of their own.

https://learn.microsoft.com/graph/api/user-list
https://learn.microsoft.com/graph/api/serviceprincipal-list
"""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import quote

from .._errors import PermissionDeniedError, RequestError, ServiceError
from .client import GraphClient
from .names import is_object_id
from .odata import chunks, is_in, quoted
from .paging import pages
from .permissions import RequiredPermission

_IDS_PER_CALL = 1000
# What a gateway answers that does not know a call, and Graph where the call wants a wider permission.
_NOT_OFFERED = frozenset({404, 405, 501})
# A list that Graph may refuse because of one of its keys: it is not allowed, or all are too long for a URL.
_ODD_KEY = frozenset({400, 414})
# A single name that nobody has. An id is never odd.
_NO_OBJECT = _ODD_KEY | {404}


@dataclasses.dataclass(frozen=True)
class DirectorySet:
    """One kind of directory object: its path, its type for `getByIds`, and what reading it needs.

    `unique_property` tells one object from all others, beside the id.
    """

    path: str
    type: str
    name_property: str
    unique_property: str
    permission: str


USERS = DirectorySet(
    path="users",
    type="user",
    name_property="userPrincipalName",
    unique_property="userPrincipalName",
    permission="User.Read.All",
)
SERVICE_PRINCIPALS = DirectorySet(
    path="servicePrincipals",
    type="servicePrincipal",
    name_property="displayName",
    unique_property="appId",
    permission="Application.Read.All",
)


@dataclasses.dataclass(frozen=True)
class DirectoryObject:
    """An object that exists. `key` is its unique property: a user's name, an application (client) ID.

    `properties` holds all that was read of it, untouched.
    """

    id: str
    name: str | None
    key: str | None = None
    properties: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)


class Directory:
    """The directory as far as the token may see it. What was asked once is not asked again.

    After the first refusal `forbidden` holds the error, and nothing more is asked: it would be refused as well.

    :param same: gives the form in which two keys are compared.
    :param more: properties to read besides the id, the name and the key.
    """

    def __init__(
        self,
        client: GraphClient,
        kind: DirectorySet,
        same: t.Callable[[str], str] = str.lower,
        *,
        more: t.Sequence[str] = (),
    ) -> None:
        self._client = client
        self._kind = kind
        self._same = same
        self._required = RequiredPermission(kind.permission, rate_limit_group="directory")
        self._root = f"/{client.api_version}"
        self._path = f"{self._root}/{kind.path}"
        self._select = ",".join(dict.fromkeys(("id", kind.name_property, kind.unique_property, *more)))
        self._by_key: dict[str, DirectoryObject | None] = {}
        self.forbidden: PermissionDeniedError | None = None

    def having(self, keys: t.Sequence[str]) -> dict[str, DirectoryObject]:
        """The objects that have these values of the unique property, by value in the form that is compared.

        One request for 15 values.

        :raises PermissionDeniedError: the token may not read these objects.
        """
        new = [key for key in keys if self._same(key) not in self._by_key]
        found = self._look_up(self._kind.unique_property, new) if new else []
        known = {self._same(item.key): item for item in found if item.key is not None}
        self._by_key.update({self._same(key): known.get(self._same(key)) for key in new})
        wanted = ((self._same(key), self._by_key[self._same(key)]) for key in keys)
        return {key: item for key, item in wanted if item is not None}

    def read(self, ids: t.Sequence[str]) -> dict[str, DirectoryObject]:
        """The objects that have these ids, by id, with all properties. One request for 15 ids.

        Their keys are known from then on.

        :raises PermissionDeniedError: the token may not read these objects.
        """
        found = {item.id: item for item in self._look_up("id", ids)}
        self._by_key.update({self._same(item.key): item for item in found.values() if item.key is not None})
        return found

    def existing(self, ids: t.Sequence[str]) -> dict[str, DirectoryObject]:
        """Those of the ids that exist, by id. One request for 1,000 ids; for 15 where that is refused.

        https://learn.microsoft.com/graph/api/directoryobject-getbyids

        :raises PermissionDeniedError: the token may not read these objects.
        """
        if self.forbidden is not None:
            raise self.forbidden
        found: list[DirectoryObject] = []
        for start in range(0, len(ids), _IDS_PER_CALL):
            chunk = list(ids[start : start + _IDS_PER_CALL])
            try:
                reply = self._client.query(
                    f"{self._root}/directoryObjects/getByIds",
                    {"ids": chunk, "types": [self._kind.type]},
                    required=self._required,
                )
                found += self._objects(reply.data.get("value"))
            except (PermissionDeniedError, RequestError, ServiceError) as exc:
                # This call wants a wider permission in some tenants, and not every gateway knows it.
                if isinstance(exc, ServiceError) and exc.status not in _NOT_OFFERED:
                    raise
                found += self._look_up("id", chunk)
        return {item.id: item for item in found}

    def _look_up(self, name: str, values: t.Sequence[str]) -> list[DirectoryObject]:
        """The objects whose property has one of the values."""
        if self.forbidden is not None:
            raise self.forbidden
        found: list[DirectoryObject] = []
        try:
            for chunk in chunks(name, values):
                found += self._look_up_chunk(name, chunk)
        except PermissionDeniedError as exc:
            self.forbidden = exc
            raise
        return found

    def _look_up_chunk(self, name: str, values: t.Sequence[str]) -> list[DirectoryObject]:
        """Ask for all at once. Where Graph refuses that, for each by itself: one odd value must not hide the others."""
        params = {"$filter": is_in(name, values), "$select": self._select}
        found: list[DirectoryObject] = []
        try:
            for page in pages(self._client, self._path, params, required=self._required):
                if page.broken is not None:
                    raise page.broken
                found += self._objects(page.items)
            return found
        except RequestError as exc:
            if exc.status not in _ODD_KEY:
                raise
        return [item for value in values for item in self._look_up_one(name, value)]

    def _look_up_one(self, name: str, value: str) -> list[DirectoryObject]:
        """https://learn.microsoft.com/graph/api/user-get, which wants quotes for a name that begins with a dollar."""
        if name == "appId":
            key = f"(appId={quote(quoted(value))})"
        elif value.startswith("$"):
            key = f"({quote(quoted(value))})"
        else:
            key = f"/{quote(value, safe='')}"
        try:
            reply = self._client.get(f"{self._path}{key}", {"$select": self._select}, required=self._required)
        except RequestError as exc:
            if exc.status not in ({404} if name == "id" else _NO_OBJECT):
                raise
            return []
        return self._objects([reply.data])

    def _objects(self, items: t.Any) -> list[DirectoryObject]:
        """What is an object with an id that can be one; nothing else is told or asked for."""
        return [
            DirectoryObject(
                item["id"].lower(),
                _text(item, self._kind.name_property),
                _text(item, self._kind.unique_property),
                item,
            )
            for item in (items if isinstance(items, (list, tuple)) else ())
            if isinstance(item, dict) and is_object_id(item.get("id"))
        ]


def _text(item: t.Mapping[str, t.Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) and value else None
