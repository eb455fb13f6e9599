# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Lists of Graph, page by page."""

from __future__ import annotations

import dataclasses
import math
import typing as t
from urllib.parse import urlsplit

from .._errors import EntraRiskError, RequestError, ServiceError
from .._http import host_of
from .._text import printable
from .client import GraphClient, GraphResponse
from .errors import named_request
from .permissions import RequiredPermission

# Pages may be empty; so many in a row are a list without an end.
_MOST_EMPTY_PAGES = 10
# Ten times the largest list that was ever seen; at one page a second, more than an hour.
MOST_RECORDS = 500_000
MOST_PAGES = 5_000


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a list. `broken` tells why the list ended before its end."""

    items: t.Sequence[t.Any]
    last: bool
    date: int | None = None
    broken: EntraRiskError | None = None


def pages(
    client: GraphClient,
    path: str,
    params: t.Mapping[str, str],
    *,
    required: RequiredPermission,
    end: float = math.inf,
) -> t.Iterator[Page]:
    """The pages of a list, one request each.

    A 400 on a later page is a known fault of the service: what was read counts, and the last page says `broken`.

    :param end: no request starts after it, on the monotonic clock.
    :raises ServiceError: a link that leads to another host or back, or pages without an end.
    """
    where: str | None = path
    query: t.Mapping[str, str] | None = params
    followed: set[str] = set()
    records = empty = 0
    while where is not None:
        try:
            reply = client.get(where, query, required=required, end=end)
        except RequestError as exc:
            if not followed or exc.status != 400:
                raise
            yield Page(items=(), last=True, broken=exc)
            return
        items = reply.data.get("value")
        if not isinstance(items, list):
            raise _list_error(client, reply, "Graph answered a list without a value")
        records += len(items)
        empty = 0 if items else empty + 1
        link = reply.data.get("@odata.nextLink")
        where, query = _checked_link(client, link, followed, reply) if link else None, None
        if where is not None and empty >= _MOST_EMPTY_PAGES:
            raise _list_error(client, reply, f"Graph answered {empty} empty pages in a row")
        if where is not None and (records >= MOST_RECORDS or len(followed) >= MOST_PAGES):
            raise _list_error(
                client, reply, f"The list had no end after {records:,} records on {len(followed):,} pages"
            )
        yield Page(items=items, last=where is None, date=reply.date)


def _checked_link(client: GraphClient, link: t.Any, followed: set[str], reply: GraphResponse) -> str:
    """Path and query of a next link that was not followed yet."""
    if not isinstance(link, str) or _origin(link) != _origin(client.origin):
        target = printable(client.redactor.redact(host_of(link)), 100)
        raise _list_error(
            client,
            reply,
            f"The list goes on at another place ({target or 'nowhere'}), where the token must not go",
            "If Graph is reached through a proxy that rewrites host names, name that in graph_url.",
        )
    # Parsers of URLs disagree on where a host ends. So the host is ours, and only the rest comes from the link.
    parts = urlsplit(link)
    where = f"{parts.path}?{parts.query}"
    if where in followed:
        raise _list_error(client, reply, "The list leads back to a page that was read already")
    followed.add(where)
    return where


def _list_error(client: GraphClient, reply: GraphResponse, text: str, remedy: str = "Try again later.") -> ServiceError:
    return ServiceError(
        client.redactor.redact(f"{text}{named_request(reply.request_id)}. {remedy}"),
        status=reply.status,
        request_id=reply.request_id,
        client_request_id=reply.client_request_id,
    )


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port; None for what is no URL."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme))
    except ValueError:
        return None
