# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The Graph client: bearer token, pacing, retries with a deadline, typed errors, request counts.

It knows HTTP and Graph, not risk.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import typing as t
import uuid

from .. import _timestamps
from .._errors import EntraRiskError, InternalError, NetworkError
from .._http import Response, Transport, host_of
from .._interruption import Interruption
from .._login.connection import Connection
from .._login.tokens import TokenSource, token_source
from .._progress import ProgressFile
from .._redact import Redactor
from .._retry import Clock, Retry, retry_after
from .errors import TOO_MANY, graph_error, is_from_graph, is_transient, request_id
from .permissions import RequiredPermission
from .throttle import Pacer

if t.TYPE_CHECKING:
    from .._login.claims import Claims

# Tries for answers that may pass; "too many requests" alone is repeated until the deadline.
MOST_TRIES = 8
# An answer that is no answer of Graph (an HTML page, an empty 200) seldom gets better.
_MOST_TRIES_MALFORMED = 3
# A host that takes connections but has never answered is hardly Graph.
_MOST_TRIES_UNKNOWN = 3
# Where the time of the whole work is over, the request that is sent all the same has this much, in seconds.
_LEAST_TIMEOUT = 1.0


@dataclasses.dataclass(frozen=True)
class GraphResponse:
    """A good answer of Graph. `date` is the service's clock in ticks."""

    status: int
    data: t.Any
    request_id: str | None
    date: int | None
    client_request_id: str


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
    :param retry_timeout: seconds that one request may spend on retries.
    :param interruption: asked before each request whether the work has to end.
    :param progress: told of each step, also by those who work with the client.
    """

    def __init__(
        self,
        transport: Transport,
        tokens: TokenSource,
        origin: str,
        *,
        api_version: str,
        retry_timeout: float,
        redactor: Redactor,
        clock: Clock | None = None,
        interruption: Interruption | None = None,
        progress: ProgressFile | None = None,
    ) -> None:
        self.progress = progress or ProgressFile()
        self.counts = RequestCounts()
        self.api_version = api_version
        self.retry_timeout = retry_timeout
        self.clock = clock or Clock()
        self._transport = transport
        self._tokens = tokens
        self.origin = origin
        self.redactor = redactor
        self._interruption = interruption or Interruption()
        self._pacers: dict[str, Pacer] = {}
        # Ticks of the service's clock in its first good answer that tells them, and in the latest.
        self.first_date: int | None = None
        self.last_date: int | None = None
        self._reached = False

    def claims(self) -> Claims:
        """Log in, if that was not done yet, and read what the token says of itself."""
        from .._login.claims import read_claims

        return read_claims(self._token())

    def get(
        self,
        path: str,
        params: t.Mapping[str, str] | None = None,
        *,
        required: RequiredPermission,
        accept: t.Sequence[int] = (),
        end: float = math.inf,
    ) -> GraphResponse:
        """GET, retried after every transient failure.

        :param accept: statuses that come back as a reply, as far as they are Graph's word.
        :param end: no request starts after it, on the monotonic clock.
        """
        return self._request(_Call("GET", f"{self.origin}{path}", required, params=params, accept=accept), end)

    def post(
        self, path: str, body: t.Any, *, required: RequiredPermission, accept: t.Sequence[int] = ()
    ) -> GraphResponse:
        """POST an action that answers 204, or one of the statuses in `accept` with a JSON object.

        Retried only when the service surely did not carry it out. Any other end without a clear answer is raised with
        `outcome_unknown`, so that the caller reads back before it sends again.

        :raises StoppedError: the work has to end before this is sent.
        """
        try:
            call = _Call("POST", f"{self.origin}{path}", required, body=body, writes=True, accept=accept)
            return self._request(call)
        except EntraRiskError:
            raise
        except Exception as exc:
            bug = InternalError(exc, outcome_unknown=True)
        # Outside of the except block: an exception may hold the request with its token.
        raise bug

    def query(self, path: str, body: t.Any, *, required: RequiredPermission) -> GraphResponse:
        """POST that only reads (such as `getByIds`): repeated like a GET."""
        return self._request(_Call("POST", f"{self.origin}{path}", required, body=body))

    def _request(self, call: _Call, end: float = math.inf) -> GraphResponse:
        """Send until there is a good answer, or an error that no retry helps."""
        pacer = self._pacers.setdefault(call.required.rate_limit_group, Pacer(self.clock))
        renewed = False
        for attempt in Retry(self.clock, self.retry_timeout, end=end, pause=self.pause):
            outcome = self._send(call, pacer, end)
            if isinstance(outcome, Response):
                if call.is_answered_by(outcome):
                    reply = call.reply(outcome, self.redactor)
                    if reply.date is not None:
                        self.first_date = reply.date if self.first_date is None else self.first_date
                        self.last_date = reply.date
                    return reply
                if outcome.status == 401 and is_from_graph(outcome) and not renewed and self.renew():
                    renewed = True
                    self.counts.retried += 1
                    continue
            error = self._transient_error(call, outcome)
            throttled = isinstance(outcome, Response) and outcome.status == TOO_MANY
            with self.progress.waiting(_waits_for(outcome)):
                attempt.failed(error, wait=pacer.refused() if throttled else None, tries=self._most_tries(outcome))
            self.counts.retried += 1
        raise AssertionError("the loop ends by an answer or an error")

    def _send(self, call: _Call, pacer: Pacer, end: float) -> Response | NetworkError:
        """Send once, when the pace allows it."""
        token = self._token()
        self.pause(pacer.delay())
        self._interruption.check()
        left = end - self.clock.monotonic()
        if left < 0:
            raise NetworkError("The time for this work is over.", client_request_id=call.id)
        pacer.sent()
        self.counts.sent += 1
        try:
            # A write that is under way is waited for: its answer says what was done.
            with contextlib.nullcontext() if call.writes else self._interruption.interruptible():
                answer = self._transport.send(
                    call.method,
                    call.url,
                    params=call.params,
                    json_body=call.body,
                    headers=call.headers(),
                    bearer=token,
                    timeout=max(left, _LEAST_TIMEOUT),
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

    def _transient_error(self, call: _Call, outcome: Response | NetworkError) -> EntraRiskError:
        """What went wrong, where it may be gone the next time.

        :raises EntraRiskError: it stays, or a write may have been carried out.
        """
        if isinstance(outcome, NetworkError):
            # A host that has never answered will not do so in five minutes; say it now.
            passes = self._reached or outcome.outcome_unknown
            error: EntraRiskError = outcome
        else:
            passes = is_transient(outcome)
            error = graph_error(
                outcome,
                host=host_of(self.origin),
                required=call.required,
                call_id=call.id,
                writes=call.writes,
                redactor=self.redactor,
            )
            error.retry_after = self.asked_wait(outcome)
        if not passes or (call.writes and error.outcome_unknown):
            raise error
        return error

    def asked_wait(self, answer: Response) -> float:
        """Seconds that the service asks us to wait, a little more by chance; 0 where it does not ask."""
        said = answer.headers
        asked = retry_after(said.get("retry-after"), said.get("date"), self.clock) or 0.0
        return asked + min(1.0, asked) * 0.1 * self.clock.random()

    def _most_tries(self, outcome: Response | NetworkError) -> float:
        if isinstance(outcome, Response):
            return {TOO_MANY: math.inf, 200: _MOST_TRIES_MALFORMED}.get(outcome.status, MOST_TRIES)
        return MOST_TRIES if self._reached else _MOST_TRIES_UNKNOWN

    def _token(self) -> str:
        with _nothing_sent(), self._interruption.interruptible():
            return self._tokens.token()

    def renew(self) -> bool:
        """Log in anew after the token was refused. False where the token was given ready."""
        with _nothing_sent(), self._interruption.interruptible():
            return self._tokens.renew()

    def pause(self, seconds: float) -> None:
        """Sleep, and count it."""
        if seconds > 0:
            self.counts.waited_seconds += seconds
            with self._interruption.interruptible():
                self.clock.sleep(seconds)


@dataclasses.dataclass(frozen=True)
class _Call:
    """One request to Graph, however often it is sent."""

    method: str
    url: str
    required: RequiredPermission
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

    def is_answered_by(self, answer: Response) -> bool:
        if self.writes:
            return answer.status == 204 or (answer.status in self.accept and isinstance(answer.json(), dict))
        if answer.status in self.accept:
            # What a gateway answers must not pass for Graph's word.
            return is_from_graph(answer)
        return answer.status == 200 and isinstance(answer.json(), dict)

    def reply(self, answer: Response, redactor: Redactor) -> GraphResponse:
        return GraphResponse(
            status=answer.status,
            data=answer.json(),
            request_id=request_id(answer, redactor),
            date=_timestamps.parse_http_date(answer.headers.get("date")),
            client_request_id=self.id,
        )


def _waits_for(outcome: Response | NetworkError) -> str:
    if isinstance(outcome, NetworkError):
        return "no connection"
    return "too many requests" if outcome.status == TOO_MANY else f"the service answered {outcome.status}"


@contextlib.contextmanager
def _nothing_sent() -> t.Iterator[None]:
    """A login whose end is not known says nothing of the request that waits for it: that one has not left."""
    try:
        yield
    except EntraRiskError as exc:
        exc.outcome_unknown = False
        raise


def connect(
    connection: Connection,
    redactor: Redactor,
    clock: Clock | None = None,
    interruption: Interruption | None = None,
    progress: ProgressFile | None = None,
) -> GraphClient:
    """A client for a connection. Files of the credential are read and checked; nothing is sent yet."""
    clock = clock or Clock()
    transport = Transport(verify=connection.verify, timeout=connection.timeout, redactor=redactor)
    tokens = token_source(connection, transport, redactor, clock)
    return GraphClient(
        transport,
        tokens,
        connection.graph_url,
        api_version=connection.api_version,
        retry_timeout=connection.retry_timeout,
        redactor=redactor,
        clock=clock,
        interruption=interruption,
        progress=progress,
    )
