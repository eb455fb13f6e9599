# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The calls on one resource of Identity Protection."""

from __future__ import annotations

import math
import typing as t

from .._errors import RequestError, ServiceError
from .._graph.client import GraphClient
from .._graph.errors import named_request
from .._graph.names import is_object_id
from .._graph.paging import Page, pages
from .resources import Action, Record, Resource


class RiskApi:
    """The calls on one resource. Every method says how many requests it makes; none decides anything.

    :param in_full: read all properties, not only those that a decision needs.
    :param end: no reading starts after it, on the monotonic clock.
    """

    def __init__(
        self, client: GraphClient, resource: Resource, *, in_full: bool = False, end: float = math.inf
    ) -> None:
        self.resource = resource
        self.client = client
        self._end = end
        # Those that this version of the collection knows; who reads in full gets the newer ones as well.
        self.properties = resource.properties + (resource.beta_properties if client.api_version == "beta" else ())
        self._selected = None if in_full else ",".join(resource.deciding)
        self._path = resource.paths[client.api_version]
        # Entries of lists without an object ID: they are no records, and nobody can act on them.
        self.without_id: set[str] = set()
        self._read = 0

    def get(self, object_id: str) -> Record | None:
        """One record by id in lower case, None when Graph has none (404). One request.

        :raises ServiceError: the answer is no record, or that of somebody else.

        https://learn.microsoft.com/graph/api/riskyuser-get
        """
        reply = self.client.get(f"{self._path}/{object_id}", required=self.resource.read, accept=(404,), end=self._end)
        if reply.status == 404:
            return None
        record = self._record(reply.data)
        if record is None or record.id != object_id:
            raise ServiceError(
                f"Graph answered with something else than the risk record of {object_id}"
                f"{named_request(reply.request_id)}. Try again later.",
                status=reply.status,
                request_id=reply.request_id,
                client_request_id=reply.client_request_id,
            )
        return record

    def pages(self, odata: str | None) -> t.Iterator[Page]:
        """Pages of raw records, one request each. The service may ignore the `$filter` given in `odata`.

        https://learn.microsoft.com/graph/api/riskyuser-list
        """
        params = {"$top": str(self.resource.page_size)}
        if self._selected:
            params["$select"] = self._selected
        if odata:
            params["$filter"] = odata
        return pages(self.client, self._path, params, required=self.resource.read, end=self._end)

    def records(self, page: Page) -> list[Record]:
        """The records of a page. An entry without an object ID is no record, and is only noted."""
        records = []
        for item in page.items:
            record = self._record(item)
            if record is not None:
                records.append(record)
            else:
                self.without_id.add(repr(item.get("id") if isinstance(item, dict) else item)[:100])
        self._read += len(records)
        self.client.progress.read(self._read, self.resource.labels.many)
        return records

    def history(self, object_id: str) -> t.Iterator[Page]:
        """Pages of the raw history of one record, one request each; a record that is gone has none.

        https://learn.microsoft.com/graph/api/riskyuser-list-history
        """
        gone = True
        try:
            for page in pages(
                self.client, f"{self._path}/{object_id}/history", {}, required=self.resource.read, end=self._end
            ):
                gone = False
                yield page
        except RequestError as exc:
            if exc.status != 404:
                raise
            if not gone:
                yield Page(items=(), last=True, broken=exc)

    def act(self, action: Action, ids: t.Sequence[str]) -> str | None:
        """Write: one request for up to `ids_per_write` ids. Gives the service's request id.

        204 means accepted: the effect may take minutes to show.
        https://learn.microsoft.com/graph/api/riskyuser-dismiss
        """
        reply = self.client.post(
            f"{self._path}/{action.path}", {self.resource.ids_key: list(ids)}, required=self.resource.write
        )
        return reply.request_id

    def _record(self, item: t.Any) -> Record | None:
        if not isinstance(item, dict) or not is_object_id(item.get("id")):
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
            properties=item,
        )
