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
import re
import typing as t
import uuid
from urllib.parse import urlsplit

from . import _pace, _timestamps
from ._auth import TokenSource, token_source
from ._errors import (
    EntraRiskError,
    LicenceError,
    LoginError,
    NetworkError,
    PermissionDeniedError,
    RequestError,
    ServiceError,
    ThrottledError,
)
from ._http import Answer, Transport
from ._options import Connection
from ._secrets import Scrubber

# Tries for answers that may pass; "too many requests" alone is repeated until the deadline.
MOST_TRIES = 8
# An answer that is no answer of Graph (an HTML page, an empty 200) seldom gets better.
_MOST_TRIES_MALFORMED = 3
# A host that takes connections but has never answered is hardly Graph.
_MOST_TRIES_UNKNOWN = 3
_MOST_EMPTY_PAGES = 10

_TOO_MANY = 429
# Not carried out for sure: these may be repeated whatever the request was.
_REFUSED_FOR_NOW = frozenset({_TOO_MANY, 503})
_PASSING = frozenset({408, 429, 500, 502, 503, 504, 509})


@dataclasses.dataclass(frozen=True)
class Access:
    """What a call needs, for the error text when Graph says no."""

    permission: str
    role: str | None = None
    licence: str | None = None
    # Identity Protection has one request a second; the directory has other limits and is paced on its own.
    scope: str = "identityProtection"


@dataclasses.dataclass(frozen=True)
class Reply:
    """A good answer of Graph. `date` is the service's clock in ticks."""

    status: int
    data: t.Any
    request_id: str | None
    date: int | None


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
        return self._request("GET", f"{self._origin}{path}", access, params=params, accept=accept)

    def post(self, path: str, body: t.Any, *, access: Access) -> Reply:
        """POST an action that answers 204.

        Repeated only when the service surely did not carry it out. Any other end without a clear answer is raised with
        `maybe_done`, so that the caller reads back before it sends again.
        """
        return self._request("POST", f"{self._origin}{path}", access, body=body, writes=True)

    def query(self, path: str, body: t.Any, *, access: Access) -> Reply:
        """POST that only reads (such as `getByIds`): repeated like a GET."""
        return self._request("POST", f"{self._origin}{path}", access, body=body)

    def pages(self, path: str, params: t.Mapping[str, str], *, access: Access) -> t.Iterator[Page]:
        """The pages of a list, one request each.

        A 400 on a later page is a known fault of the service: what was read counts, and the last page says `broken`.

        :raises ServiceError: a link that leads to another host or back, or pages without an end.
        """
        url: str | None = f"{self._origin}{path}"
        query: t.Mapping[str, str] | None = params
        followed: set[str] = set()
        empty = 0
        while url is not None:
            try:
                reply = self._request("GET", url, access, params=query)
            except RequestError as exc:
                if not followed or exc.status != 400:
                    raise
                yield Page(items=(), last=True, broken=exc)
                return
            data = reply.data if isinstance(reply.data, dict) else {}
            items = data.get("value")
            if not isinstance(items, list):
                raise self._service_error("Graph answered a list without a value", reply)
            empty = 0 if items else empty + 1
            link = data.get("@odata.nextLink")
            url, query = self._checked_link(link, followed, reply) if link else None, None
            if url is not None and empty >= _MOST_EMPTY_PAGES:
                raise self._service_error(f"Graph answered {empty} empty pages in a row", reply)
            yield Page(items=items, last=url is None, date=reply.date)

    def _checked_link(self, link: t.Any, followed: set[str], reply: Reply) -> str:
        if not isinstance(link, str) or _origin(link) != _origin(self._origin):
            raise self._service_error(
                f"The list goes on at another place ({_host(link) or 'nowhere'}), where the token must not go",
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
        )

    def _request(
        self,
        method: str,
        url: str,
        access: Access,
        *,
        params: t.Mapping[str, str] | None = None,
        body: t.Any = None,
        writes: bool = False,
        accept: t.Sequence[int] = (),
    ) -> Reply:
        call_id = str(uuid.uuid4())
        headers = {"Accept": "application/json", "client-request-id": call_id}
        if method == "GET":
            # Without it, enum values newer than the API version are hidden behind "unknownFutureValue".
            headers["Prefer"] = "include-unknown-enum-members"
        pacer = self._pacers.setdefault(access.scope, _pace.Pacer(self.clock))
        first_fault: float | None = None
        faults = 0
        renewed = False
        while True:
            token = self._token()
            self.pause(pacer.delay())
            pacer.sent()
            self.counts.sent += 1
            answer: Answer | None = None
            asked_wait: float | None = None
            error: EntraRiskError
            try:
                answer = self._transport.send(method, url, params=params, json_body=body, headers=headers, bearer=token)
            except NetworkError as exc:
                # A host that has never answered will not do so in five minutes; say it now.
                if not (self._reached or exc.maybe_done) or (writes and exc.maybe_done):
                    exc.client_request_id = call_id
                    raise
                error = exc
            else:
                self._reached = True
                if answer.status != _TOO_MANY:
                    pacer.answered()
                if self._is_good(answer, writes, accept):
                    return self._reply(answer)
                if answer.status == 401 and not renewed and self._renew():
                    renewed = True
                    self.counts.retried += 1
                    continue
                error = self._error(answer, access, call_id, writes)
                if not self._may_pass(answer) or error.maybe_done:
                    raise error
                said = answer.headers
                asked_wait = _pace.retry_after(said.get("retry-after"), said.get("date"), self.clock)

            faults += 1
            now = self.clock.monotonic()
            first_fault = now if first_fault is None else first_fault
            if answer is not None and answer.status == _TOO_MANY:
                self.counts.throttled += 1
                wait = pacer.refused()
                most_tries = None
            else:
                wait = _pace.backoff(faults, self.clock)
                most_tries = MOST_TRIES
                if not self._reached:
                    most_tries = _MOST_TRIES_UNKNOWN
                elif answer is not None and answer.status == 200:
                    most_tries = _MOST_TRIES_MALFORMED
            if asked_wait is not None:
                wait = max(wait, asked_wait + min(1.0, asked_wait) * 0.1 * self.clock.random())
            end = first_fault + self.retry_timeout
            if self._end is not None:
                end = min(end, self._end)
            if now + wait > end or (most_tries is not None and faults >= most_tries):
                raise error
            self.pause(wait)
            self.counts.retried += 1

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

    @staticmethod
    def _is_good(answer: Answer, writes: bool, accept: t.Sequence[int]) -> bool:
        if writes:
            return answer.status == 204
        if answer.status in accept:
            # The page of a proxy must not pass for Graph's word.
            return not answer.is_html
        return answer.status == 200 and isinstance(answer.json(), dict)

    @staticmethod
    def _may_pass(answer: Answer) -> bool:
        return answer.status in _PASSING or answer.status == 200

    @staticmethod
    def _reply(answer: Answer) -> Reply:
        return Reply(
            status=answer.status,
            data=answer.json(),
            request_id=answer.headers.get("request-id"),
            date=_timestamps.parse_http_date(answer.headers.get("date")),
        )

    def _error(self, answer: Answer, access: Access, call_id: str, writes: bool) -> EntraRiskError:
        """The error that says what an answer means. The order of the rules matters: the first that fits counts."""
        said = _ErrorBody.read(answer)
        facts: dict[str, t.Any] = {
            "status": answer.status,
            "code": self._scrubber.clean(said.code) if said.code else None,
            "request_id": answer.headers.get("request-id") or said.request_id,
            "client_request_id": call_id,
        }
        quote = f"Graph answered {answer.status}"
        if said.code or said.message:
            quote += ": " + self._scrubber.clean(" - ".join(filter(None, (said.code, said.message))))
        quote += f"{named_request(facts['request_id'])}."

        if 300 <= answer.status < 400:
            host = self._scrubber.clean(_host(answer.headers.get("location")) or "another path")
            return ServiceError(
                f"{_host(self._origin)} redirects to {host}, where the token must not go. {quote} "
                "Check graph_url and the proxy.",
                **facts,
            )
        if answer.status == 401:
            return LoginError(
                f"Graph refused the access token. {quote} "
                "Check that the token is not expired and was issued for this Graph host and tenant.",
                **facts,
            )
        if answer.status in (400, 403):
            for marker, build in _REFUSALS:
                if marker.search(f"{said.code} {said.message} {answer.headers.get('www-authenticate', '')}"):
                    return build(quote, access, facts)
        no_clear_answer = answer.status < 300 or answer.status == 408 or answer.status >= 500
        maybe_done = writes and no_clear_answer and answer.status not in _REFUSED_FOR_NOW
        if answer.is_html and answer.status not in _PASSING:
            return ServiceError(
                f"{_host(self._origin)} answered with a web page in the place of Graph's answer. {quote} "
                "A proxy or gateway on the way may be the cause: check HTTPS_PROXY, NO_PROXY and graph_url.",
                maybe_done=maybe_done,
                **facts,
            )
        if answer.status == 403:
            return _no_role(quote, access, facts)
        if answer.status == _TOO_MANY:
            return ThrottledError(
                f"Graph kept answering that there are too many requests. {quote} Identity Protection allows one "
                "request a second for the whole tenant and all its apps: try again later, or raise retry_timeout.",
                **facts,
            )
        if 400 <= answer.status < 500 and answer.status not in _PASSING:
            return RequestError(f"Graph refused the request. {quote}", **facts)
        if answer.status < 300:
            return ServiceError(
                f"Graph's answer could not be understood. {quote} A proxy on the way may have replaced or cut it.",
                maybe_done=maybe_done,
                **facts,
            )
        return ServiceError(f"Graph failed. {quote} Try again later.", maybe_done=maybe_done, **facts)


@dataclasses.dataclass(frozen=True)
class _ErrorBody:
    code: str
    message: str
    request_id: str | None

    @classmethod
    def read(cls, answer: Answer) -> _ErrorBody:
        """What Graph said, from a body that may be anything. Both spellings of `innerError` occur."""
        data = answer.json()
        error = data.get("error") if isinstance(data, dict) else None
        if not isinstance(error, dict):
            return cls(_short(error), "", None)
        inner = error.get("innerError") or error.get("innererror")
        request_id = inner.get("request-id") if isinstance(inner, dict) else None
        return cls(_short(error.get("code")), _short(error.get("message")), _short(request_id) or None)


def named_request(request_id: str | None) -> str:
    """What Microsoft's support asks for, behind a sentence; nothing where it is not known."""
    return f" (request-id {request_id})" if request_id else ""


def _short(text: t.Any) -> str:
    """One line of at most 300 characters: enough to understand, too little to flood a log."""
    line = " ".join(text.split()) if isinstance(text, str) else ""
    return line if len(line) <= 300 else f"{line[:297]}..."


def _no_licence(quote: str, access: Access, facts: dict[str, t.Any]) -> EntraRiskError:
    return LicenceError(
        f"The tenant is not licensed for Entra ID Protection. {quote} "
        f"These calls need {access.licence or 'Microsoft Entra ID P2'}. Check that the task names the right tenant.",
        **facts,
    )


def _no_permission(quote: str, access: Access, facts: dict[str, t.Any]) -> EntraRiskError:
    return PermissionDeniedError(
        f"The token lacks the Graph permission {access.permission}. {quote} "
        f"Grant the app the application permission {access.permission} and give admin consent, then run again.",
        **facts,
    )


def _conditional_access(quote: str, access: Access, facts: dict[str, t.Any]) -> EntraRiskError:
    return PermissionDeniedError(
        f"Conditional Access refuses this token. {quote} Ask the tenant's administrator to look at the sign-in log "
        "of the app (service principal sign-ins) for the policy that blocks it.",
        **facts,
    )


def _no_role(quote: str, access: Access, facts: dict[str, t.Any]) -> EntraRiskError:
    role = f"With a delegated token the user needs the Entra role {access.role}; " if access.role else ""
    return PermissionDeniedError(
        f"Graph does not allow this. {quote} {role}with an app-only token the app needs the application permission "
        f"{access.permission} with admin consent.",
        **facts,
    )


_REFUSALS: tuple[tuple[re.Pattern[str], t.Callable[[str, Access, dict[str, t.Any]], EntraRiskError]], ...] = (
    (
        re.compile(
            r"not licensed|premium license|AadPremiumLicenseRequired|Authentication_RequestFromNonPremiumTenant", re.I
        ),
        _no_licence,
    ),
    (re.compile(r"insufficient_claims", re.I), _conditional_access),
    (re.compile(r"required scopes|scopes are missing|Authorization_RequestDenied", re.I), _no_permission),
)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port; None for what is no URL."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme))
    except ValueError:
        return None


def _host(url: t.Any) -> str:
    """Host and port of a URL for a message, empty for anything else."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] if isinstance(url, str) else ""
    except ValueError:
        return ""


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
