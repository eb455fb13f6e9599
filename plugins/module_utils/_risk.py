# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The resources of Identity Protection as data, and the calls on them.

A second resource is a second `Resource`; nothing here or above knows which one it works on.
https://learn.microsoft.com/graph/api/resources/riskyuser
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import _timestamps
from ._errors import ServiceError
from ._graph import Access, GraphClient, Page, Reply

# Written down here once: a state that is not among these is newer than the collection and is never guessed at.
RISK_STATES = ("none", "confirmedSafe", "remediated", "dismissed", "atRisk", "confirmedCompromised")
RISK_LEVELS = ("low", "medium", "high", "hidden", "none")
ACTIVE_STATES = ("atRisk", "confirmedCompromised")
_INACTIVE_STATES = frozenset(RISK_STATES) - frozenset(ACTIVE_STATES)

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Action:
    """What brings an object to a state.

    `already` are the states in which nothing has to be written; `writes_unlisted` says whether an object without a
    risk record is written to; `state_after` and `level_after` are what Graph sets.
    """

    path: str
    already: frozenset[str]
    writes_unlisted: bool
    state_after: str
    level_after: str
    done: str
    would_do: str


@dataclasses.dataclass(frozen=True)
class Resource:
    """One kind of risky object. `paths` maps the API version to the collection's path."""

    noun: str
    paths: t.Mapping[str, str]
    ids_key: str
    name_property: str
    properties: tuple[str, ...]
    actions: t.Mapping[str, Action]
    read: Access
    write: Access
    ids_per_write: int = 60
    page_size: int = 500


_ROLES_READ = "Security Reader"
_ROLES_WRITE = "Security Administrator (Microsoft's pages also name Security Operator)"

RISKY_USERS = Resource(
    noun="user",
    paths={"v1.0": "/v1.0/identityProtection/riskyUsers", "beta": "/beta/riskyUsers"},
    ids_key="userIds",
    name_property="userPrincipalName",
    properties=(
        "id",
        "userPrincipalName",
        "riskState",
        "riskLevel",
        "riskLastUpdatedDateTime",
        "isDeleted",
        "isProcessing",
    ),
    read=Access("IdentityRiskyUser.Read.All", role=_ROLES_READ, licence="Microsoft Entra ID P2"),
    write=Access("IdentityRiskyUser.ReadWrite.All", role=_ROLES_WRITE, licence="Microsoft Entra ID P2"),
    actions={
        "dismissed": Action(
            path="dismiss",
            already=_INACTIVE_STATES,
            writes_unlisted=False,
            state_after="dismissed",
            level_after="none",
            done="Dismissed the risk of",
            would_do="Would dismiss the risk of",
        ),
        "compromised": Action(
            path="confirmCompromised",
            already=frozenset({"confirmedCompromised"}),
            writes_unlisted=True,
            state_after="confirmedCompromised",
            level_after="high",
            done="Confirmed as compromised",
            would_do="Would confirm as compromised",
        ),
        "safe": Action(
            path="confirmSafe",
            already=_INACTIVE_STATES,
            writes_unlisted=False,
            state_after="confirmedSafe",
            level_after="none",
            done="Confirmed as safe",
            would_do="Would confirm as safe",
        ),
    },
)


@dataclasses.dataclass(frozen=True)
class Record:
    """A risk record as Graph gave it. Every value but the id may be unknown (None)."""

    id: str
    name: str | None
    state: str | None
    level: str | None
    updated: str | None
    deleted: bool
    processing: bool

    @property
    def updated_ticks(self) -> int | None:
        """The time of the last change of the risk, or None when Graph gave none that can be read."""
        return _timestamps.parse_or_none(self.updated)


def is_object_id(text: str) -> bool:
    """True for an object ID (a GUID)."""
    return _GUID.fullmatch(text) is not None


def quoted(text: str) -> str:
    """An OData string literal: single quotes around it, and those inside doubled."""
    return "'" + text.replace("'", "''") + "'"


class RiskApi:
    """The calls on one resource. Every method says how many requests it makes; none decides anything."""

    def __init__(self, client: GraphClient, resource: Resource) -> None:
        self.resource = resource
        self.client = client
        self._path = resource.paths[client.api_version]

    def get(self, object_id: str) -> tuple[Record | None, Reply]:
        """One record by id in lower case, None when Graph has none (404). One request.

        :raises ServiceError: the answer is no record, or that of somebody else.

        https://learn.microsoft.com/graph/api/riskyuser-get
        """
        reply = self.client.get(f"{self._path}/{object_id}", access=self.resource.read, accept=(404,))
        if reply.status == 404:
            return None, reply
        record = self._record(reply.data)
        if record is None or record.id != object_id:
            raise ServiceError(
                f"Graph answered with something else than the risk record of {object_id} "
                f"(request-id {reply.request_id}). Try again later.",
                status=reply.status,
                request_id=reply.request_id,
            )
        return record, reply

    def pages(self, odata: str | None) -> t.Iterator[Page]:
        """Pages of raw records, one request each. The service may ignore the `$filter` given in `odata`.

        https://learn.microsoft.com/graph/api/riskyuser-list
        """
        params = {"$select": ",".join(self.resource.properties), "$top": str(self.resource.page_size)}
        if odata:
            params["$filter"] = odata
        return self.client.pages(self._path, params, access=self.resource.read)

    def records(self, page: Page) -> list[Record]:
        """The records of a page; an entry without an id is of no use and is left out."""
        return [record for record in map(self._record, page.items) if record is not None]

    def act(self, action: Action, ids: t.Sequence[str]) -> str | None:
        """Write: one request for up to `ids_per_write` ids. Gives the service's request id.

        204 means accepted: the effect may take minutes to show.
        https://learn.microsoft.com/graph/api/riskyuser-dismiss
        """
        reply = self.client.post(
            f"{self._path}/{action.path}", {self.resource.ids_key: list(ids)}, access=self.resource.write
        )
        return reply.request_id

    def _record(self, item: t.Any) -> Record | None:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            return None

        def text(key: str) -> str | None:
            value = item.get(key)
            return value if isinstance(value, str) and value else None

        return Record(
            id=item["id"].lower(),
            name=text(self.resource.name_property),
            state=text("riskState"),
            level=text("riskLevel"),
            updated=text("riskLastUpdatedDateTime"),
            deleted=item.get("isDeleted") is True,
            processing=item.get("isProcessing") is True,
        )
