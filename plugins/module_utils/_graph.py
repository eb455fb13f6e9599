# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The Graph client: bearer token, pacing, repetitions with a deadline, paging, typed errors, request counts.

It knows HTTP and Graph, not risk.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import typing as t
import uuid
from urllib.parse import urlsplit

from . import _pace, _timestamps
from ._auth import TokenSource, token_source
from ._errors import EntraRiskError, NetworkError, RequestError, ServiceError
from ._graph_error import TOO_MANY, Access, graph_error, may_pass, named_request
from ._http import Answer, Transport, host_of
from ._options import Connection
from ._secrets import Scrubber

# Tries for answers that may pass; "too many requests" alone is repeated until the deadline.
MOST_TRIES = 8
# An answer that is no answer of Graph (an HTML page, an empty 200) seldom gets better.
_MOST_TRIES_MALFORMED = 3
# A host that takes connections but has never answered is hardly Graph.
_MOST_TRIES_UNKNOWN = 3
# Pages may be empty, or repeat what moved in the meantime; so many in a row are a list without an end.
_MOST_STALE_PAGES = 10


@dataclasses.dataclass(frozen=True)
class Reply:
    """A good answer of Graph. `date` is the service's clock in ticks."""

    status: int
    data: t.Any
    request_id: str | None
    date: int | None
    client_request_id: str


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a list. `broken` tells why the list ended before its end."""

    items: t.Sequence[t.Any]
    last: bool
    date: int | None = None
    broken: EntraRiskError | None = None


@dataclasses.dataclass
class RequestCounts:
    """What went over the line to Graph; logins are not counted."""

    sent: int = 0
    retried: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0


class GraphClient:
    """Talks to one Graph origin; the token goes nowhere else.

    :param origin: `https://host[:port]`.
    :param retry_timeout: seconds that one request may spend on repetitions.
    """

    def __init__(
        self,
        transport: Transport,
        tokens: TokenSource,
        origin: str,
        *,
        api_version: str,
        retry_timeout: float,
        scrubber: Scrubber,
        clock: _pace.Clock | None = None,
    ) -> None:
        self.counts = RequestCounts()
        self.api_version = api_version
        self.retry_timeout = retry_timeout
        self.clock = clock or _pace.Clock()
        self._transport = transport
        self._tokens = tokens
        self._origin = origin
        self._scrubber = scrubber
        self._pacers: dict[str, _pace.Pacer] = {}
        self._reached = False
        self._end: float | None = None

    @contextlib.contextmanager
    def until(self, end: float) -> t.Iterator[None]:
        """Within this block no repetition starts after `end` (on the monotonic clock)."""
        self._end = end
        try:
            yield
        finally:
            self._end = None

    def get(
        self, path: str, params: t.Mapping[str, str] | None = None, *, access: Access, accept: t.Sequence[int] = ()
    ) -> Reply:
        """GET; statuses in `accept` come back as a reply. A GET is repeated after every passing fault."""
        return self._request(_Call("GET", f"{self._origin}{path}", access, params=params, accept=accept))

    def post(self, path: str, body: t.Any, *, access: Access) -> Reply:
        """POST an action that answers 204.

        Repeated only when the service surely did not carry it out. Any other end without a clear answer is raised with
        `maybe_done`, so that the caller reads back before it sends again.
        """
        return self._request(_Call("POST", f"{self._origin}{path}", access, body=body, writes=True))

    def query(self, path: str, body: t.Any, *, access: Access) -> Reply:
        """POST that only reads (such as `getByIds`): repeated like a GET."""
        return self._request(_Call("POST", f"{self._origin}{path}", access, body=body))

    def pages(self, path: str, params: t.Mapping[str, str], *, access: Access) -> t.Iterator[Page]:
        """The pages of a list, one request each.

        A 400 on a later page is a known fault of the service: what was read counts, and the last page says `broken`.

        :raises ServiceError: a link that leads to another host or back, or pages without an end.
        """
        url: str | None = f"{self._origin}{path}"
        query: t.Mapping[str, str] | None = params
        followed: set[str] = set()
        seen: set[int] = set()
        stale = 0
        while url is not None:
            try:
                reply = self._request(_Call("GET", url, access, params=query))
            except RequestError as exc:
                if not followed or exc.status != 400:
                    raise
                yield Page(items=(), last=True, broken=exc)
                return
            data = reply.data if isinstance(reply.data, dict) else {}
            items = data.get("value")
            if not isinstance(items, list):
                raise self._service_error("Graph answered a list without a value", reply)
            fresh = {hash(repr(item)) for item in items} - seen
            stale = 0 if fresh else stale + 1
            seen |= fresh
            link = data.get("@odata.nextLink")
            url, query = self._checked_link(link, followed, reply) if link else None, None
            if url is not None and stale >= _MOST_STALE_PAGES:
                raise self._service_error(f"Graph answered {stale} pages in a row with nothing new on them", reply)
            yield Page(items=items, last=url is None, date=reply.date)

    def _checked_link(self, link: t.Any, followed: set[str], reply: Reply) -> str:
        if not isinstance(link, str) or _origin(link) != _origin(self._origin):
            raise self._service_error(
                f"The list goes on at another place ({host_of(link) or 'nowhere'}), where the token must not go",
                reply,
                "If Graph is reached through a proxy that rewrites host names, name that in graph_url.",
            )
        # Parsers of URLs disagree on where a host ends. So the host is ours, and only the rest comes from the link.
        parts = urlsplit(link)
        url = f"{self._origin}{parts.path}?{parts.query}"
        if url in followed:
            raise self._service_error("The list leads back to a page that was read already", reply)
        followed.add(url)
        return url

    def _service_error(self, text: str, reply: Reply, remedy: str = "Try again later.") -> ServiceError:
        return ServiceError(
            self._scrubber.clean(f"{text}{named_request(reply.request_id)}. {remedy}"),
            status=reply.status,
            request_id=reply.request_id,
            client_request_id=reply.client_request_id,
        )

    def _request(self, call: _Call) -> Reply:
        """Send until there is a good answer, or an error that no repetition helps."""
        pacer = self._pacers.setdefault(call.access.scope, _pace.Pacer(self.clock))
        end: float | None = None
        faults = 0
        renewed = False
        while True:
            outcome = self._send(call, pacer)
            if isinstance(outcome, Answer):
                if call.is_answered_by(outcome):
                    return call.reply(outcome)
                if outcome.status == 401 and not renewed and self._renew():
                    renewed = True
                    self.counts.retried += 1
                    continue
            error = self._passing_error(call, outcome)
            faults += 1
            now = self.clock.monotonic()
            if end is None:
                end = now + self.retry_timeout if self._end is None else min(now + self.retry_timeout, self._end)
            wait = self._wait(outcome, faults, pacer)
            if now + wait > end or faults >= self._most_tries(outcome):
                raise error
            self.pause(wait)
            self.counts.retried += 1

    def _send(self, call: _Call, pacer: _pace.Pacer) -> Answer | NetworkError:
        """Send once, when the pace allows it."""
        token = self._token()
        self.pause(pacer.delay())
        pacer.sent()
        self.counts.sent += 1
        try:
            answer = self._transport.send(
                call.method, call.url, params=call.params, json_body=call.body, headers=call.headers(), bearer=token
            )
        except NetworkError as exc:
            exc.client_request_id = call.id
            return exc
        self._reached = True
        if answer.status == TOO_MANY:
            self.counts.throttled += 1
        else:
            pacer.answered()
        return answer

    def _passing_error(self, call: _Call, outcome: Answer | NetworkError) -> EntraRiskError:
        """What went wrong, where it may be gone the next time.

        :raises EntraRiskError: it stays, or a write may have been carried out.
        """
        if isinstance(outcome, NetworkError):
            # A host that has never answered will not do so in five minutes; say it now.
            passes = self._reached or outcome.maybe_done
            error: EntraRiskError = outcome
        else:
            passes = may_pass(outcome)
            error = graph_error(
                outcome,
                host=host_of(self._origin),
                access=call.access,
                call_id=call.id,
                writes=call.writes,
                scrubber=self._scrubber,
            )
        if not passes or (call.writes and error.maybe_done):
            raise error
        return error

    def _wait(self, outcome: Answer | NetworkError, faults: int, pacer: _pace.Pacer) -> float:
        """Seconds until the repetition: by our own rule, or longer where the service asks for it."""
        throttled = isinstance(outcome, Answer) and outcome.status == TOO_MANY
        wait = pacer.refused() if throttled else _pace.backoff(faults, self.clock)
        if isinstance(outcome, Answer):
            said = outcome.headers
            asked = _pace.retry_after(said.get("retry-after"), said.get("date"), self.clock)
            if asked is not None:
                wait = max(wait, asked + min(1.0, asked) * 0.1 * self.clock.random())
        return wait

    def _most_tries(self, outcome: Answer | NetworkError) -> float:
        if isinstance(outcome, Answer):
            return {TOO_MANY: math.inf, 200: _MOST_TRIES_MALFORMED}.get(outcome.status, MOST_TRIES)
        return MOST_TRIES if self._reached else _MOST_TRIES_UNKNOWN

    def _token(self) -> str:
        with _nothing_sent():
            return self._tokens.token()

    def _renew(self) -> bool:
        with _nothing_sent():
            return self._tokens.renew()

    def pause(self, seconds: float) -> None:
        """Sleep, and count it."""
        if seconds > 0:
            self.counts.waited_seconds += seconds
            self.clock.sleep(seconds)


@dataclasses.dataclass(frozen=True)
class _Call:
    """One request to Graph, however often it is sent."""

    method: str
    url: str
    access: Access
    params: t.Mapping[str, str] | None = None
    body: t.Any = None
    writes: bool = False
    accept: t.Sequence[int] = ()
    id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))

    def headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "client-request-id": self.id}
        if self.method == "GET":
            # Without it, enum values newer than the API version are hidden behind "unknownFutureValue".
            headers["Prefer"] = "include-unknown-enum-members"
        return headers

    def is_answered_by(self, answer: Answer) -> bool:
        if self.writes:
            return answer.status == 204
        if answer.status in self.accept:
            # The page of a proxy must not pass for Graph's word.
            return not answer.is_html
        return answer.status == 200 and isinstance(answer.json(), dict)

    def reply(self, answer: Answer) -> Reply:
        return Reply(
            status=answer.status,
            data=answer.json(),
            request_id=answer.headers.get("request-id"),
            date=_timestamps.parse_http_date(answer.headers.get("date")),
            client_request_id=self.id,
        )


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port; None for what is no URL."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme))
    except ValueError:
        return None


@contextlib.contextmanager
def _nothing_sent() -> t.Iterator[None]:
    """A login whose end is not known says nothing of the request that waits for it: that one has not left."""
    try:
        yield
    except EntraRiskError as exc:
        exc.maybe_done = False
        raise


def connect(connection: Connection, scrubber: Scrubber, clock: _pace.Clock | None = None) -> GraphClient:
    """A client for a connection. Files of the credential are read and checked; nothing is sent yet."""
    clock = clock or _pace.Clock()
    transport = Transport(verify=connection.verify, timeout=connection.timeout, scrubber=scrubber)
    tokens = token_source(connection, transport, scrubber, clock=clock.wall, sleep=clock.sleep, rng=clock.random)
    return GraphClient(
        transport,
        tokens,
        connection.graph_url,
        api_version=connection.api_version,
        retry_timeout=connection.retry_timeout,
        scrubber=scrubber,
        clock=clock,
    )
