# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The work of the event source: poll for changes of risk, and hand each one on once.

It ends only by an error that no waiting helps, or when it is cancelled.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import threading
import typing as t

from .. import _timestamps
from .._errors import (
    ENDINGS,
    CredentialsError,
    EntraRiskError,
    InternalError,
    LicenseError,
    LoginError,
    PermissionDeniedError,
    RequestError,
    StoppedError,
    TlsError,
    TokenRefusedError,
)
from .._graph.client import GraphClient, connect
from .._graph.errors import FILTER_REFUSED
from .._graph.paging import Page
from .._http import REQUESTS_ERROR
from .._interruption import Interruption
from .._login.connection import resolve
from .._login.known_secrets import known_secrets
from .._login.shapes import is_tenant
from .._redact import Redactor
from .._retry import Clock
from .._risk.api import RiskApi
from .._risk.changes import FARTHEST, Change, Watched, Window
from .._risk.filters import CLOCK_SLACK, TimeRange
from .._risk.resources import RISKY_USERS
from .._text import printable, printable_lines
from . import watch_arguments
from .checkpoint import Checkpoint
from .events import fit_for_rulebooks
from .read_risk import all_properties
from .watch_arguments import Job

LOG = logging.getLogger("identityops.entra_risk.risky_users")

# No waiting helps.
_PERMANENT = (CredentialsError, LoginError, PermissionDeniedError, LicenseError, InternalError)
# No waiting helps where it never went well. Later on it is a fault of whoever stands in between.
_PERMANENT_AT_FIRST = (RequestError, TlsError)
# Of a login that went well, Graph may refuse so many tokens in a row: it may not know yet what Entra knows.
_MOST_TOKENS_REFUSED = 3
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 300.0
_LONGEST_ASKED_PAUSE = 3600.0
# Seconds between two writings of the checkpoint while events are taken slowly.
_SAVE_EVERY = 1.0

Queue = t.Any
Sleep = t.Callable[[float], t.Awaitable[None]]


async def watch(
    queue: Queue,
    args: t.Any,
    *,
    environ: t.Mapping[str, str] | None = None,
    clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
    client: t.Callable[[], GraphClient] | None = None,
) -> None:
    """Put an event into the queue for each user whose risk changed. Never returns.

    :param queue: has a coroutine `put`.
    :param clock: time for everything but the pauses between two polls.
    :param sleep: those pauses.
    :param client: gives the client instead of the connection options.
    :raises EntraRiskError: it cannot go on. Its text is for people, and holds no secret.
    """
    redactor = Redactor()
    stop = _Stop()
    environ = os.environ if environ is None else environ
    error: EntraRiskError
    try:
        if isinstance(args, t.Mapping):
            args = {str(name): value for name, value in args.items()}
        for secret in known_secrets(args if isinstance(args, dict) else {}, environ):
            redactor.add(secret)
        clock = clock or Clock(sleep=stop.sleep)
        job = watch_arguments.parse(args, _ticks(clock))
        if client is None:
            if REQUESTS_ERROR is not None:
                raise REQUESTS_ERROR
            connection = resolve(job.connection, environ, redactor)
            client_now = await asyncio.to_thread(connect, connection, redactor, clock, stop)
        else:
            client_now = client()
        await _Watcher(queue, job, client_now, clock, sleep, redactor).run()
    except (*ENDINGS, asyncio.CancelledError):
        raise
    except EntraRiskError as exc:
        error = exc
    except BaseException as exc:  # libraries that are written in Rust panic with exceptions that are no Exception
        error = InternalError(exc)
    finally:
        stop.now()
    if error.trace is not None:
        LOG.error("%s", printable_lines(redactor.redact(error.trace)))
    error.message = printable(redactor.redact(error.message))
    error.args = (error.message,)
    # Outside of the except block: what is shown of an exception includes the one that it was raised from. And
    # ansible-rulebook shows each line that it came through, which is of use for bugs alone.
    raise error.with_traceback(None) from None


class _Stop(Interruption):
    """Ends what a thread does for a source that was cancelled: its sleep at once, and its next request."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> None:
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def check(self) -> None:
        """:raises StoppedError: the source was cancelled."""
        if self._stopped.is_set():
            raise StoppedError("The source was stopped.")


@dataclasses.dataclass
class _Reading:
    """One reading of the list. `began` is the service's time at its beginning; `broken` when it has a gap."""

    window: Window
    began: int
    broken: bool = False


class _Watcher:
    """Polls and reports, with what it knows between two polls."""

    def __init__(
        self, queue: Queue, job: Job, client: GraphClient, clock: Clock, sleep: Sleep, redactor: Redactor
    ) -> None:
        self._queue = queue
        self._job = job
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._redactor = redactor
        self._checkpoint = Checkpoint(job.checkpoint_path) if job.checkpoint_path else None
        self._owner: dict[str, t.Any] | None = None
        self._watched: Watched | None = None
        self._unsaved = False
        self._saved_at = 0.0
        self._page_size = RISKY_USERS.page_size
        self._went_well = False
        self._tokens_refused = 0
        self._told: set[str] = set()

    async def run(self) -> None:
        """Never returns."""
        if self._checkpoint is not None:
            self._checkpoint.check_writable()
        failures = 0
        try:
            while True:
                began = self._clock.monotonic()
                try:
                    await self._poll()
                except EntraRiskError as exc:
                    if self._is_permanent(exc):
                        raise
                    failures += 1
                    pause = self._pause_after(failures, exc)
                    self._warn(f"{exc.message} The source goes on in {pause:.0f} seconds.")
                else:
                    failures = self._tokens_refused = 0
                    pause = max(0.0, began + self._job.interval - self._clock.monotonic())
                await self._sleep(pause)
        finally:
            # Also when it is cancelled: what was reported must not be reported again.
            if self._unsaved:
                self._save()

    async def _poll(self) -> None:
        """One reading. A change is known as soon as it is in the queue, and only then."""
        if self._owner is None:
            await self._open()
        reading: _Reading | None = None
        pages = self._pages()
        while True:
            step = await asyncio.to_thread(next, pages, None)
            if step is None:
                break
            reading, page, api = step
            await self._report(reading, api, page)
        if reading is not None and self._watched is not None and not reading.broken:
            first = self._watched.since is not None
            self._watched.complete(reading.window, reading.began)
            self._unsaved |= first
        self._went_well = True
        if self._unsaved:
            await asyncio.to_thread(self._save)

    async def _open(self) -> None:
        """Read the checkpoint. It says what was reported in this tenant, so the login comes first."""
        claims = await asyncio.to_thread(self._client.claims)
        told = [claims.tenant_id, *map(self._job.connection.get, ("tenant", "tenant_id"))]
        owner = {
            # With a ready token nobody has looked at the options, and the file must not hold what slipped in there.
            "tenant": next((text.lower() for text in told if isinstance(text, str) and is_tenant(text)), "unknown"),
            "graph_url": self._client.origin,
            "filters": self._job.shown_filters,
        }
        if self._checkpoint is not None:
            self._watched, warning = await asyncio.to_thread(
                self._checkpoint.load, owner, RISKY_USERS.page_size, self._clock
            )
            if warning:
                self._warn(warning)
        self._owner = owner

    def _pages(self) -> t.Iterator[tuple[_Reading, Page, RiskApi]]:
        """The pages of one reading. Runs in a thread."""
        now = _ticks(self._clock)
        if self._watched is not None:
            yield from self._pages_of(self._watched.window(), now)
            return
        # Since when, only the first answer tells. A clock here that is ahead of the service's asks for too little.
        asked = self._begin_of_first(now, now) - CLOCK_SLACK
        pages = self._pages_of(Window(asked, True), now)
        for reading, page, api in pages:
            if self._watched is None:
                exact = self._begin_of_first(reading.began, now)
                since = self._since(reading.began, now)
                page_size = RISKY_USERS.page_size if page.last else max(1, len(page.items))
                self._watched = Watched(min(asked, exact), since, reading.began, page_size)
                if exact < asked:
                    yield from self._pages_of(self._watched.window(), now)
                    return
            yield reading, page, api

    def _pages_of(self, window: Window, now: int) -> t.Iterator[tuple[_Reading, Page, RiskApi]]:
        try:
            yield from self._read(window, now, TimeRange(after=window.start))
        except RequestError as exc:
            if exc.status not in FILTER_REFUSED:
                raise
            self._warn_once("filter", f"Graph refuses to filter by time, so the whole list is read. {exc}")
            yield from self._read(window, now, TimeRange())

    def _read(self, window: Window, now: int, asked: TimeRange) -> t.Iterator[tuple[_Reading, Page, RiskApi]]:
        reading: _Reading | None = None
        resource = dataclasses.replace(RISKY_USERS, page_size=self._page_size)
        api = RiskApi(self._client, resource, in_full=True)
        for page in api.pages(" and ".join(asked.odata("riskLastUpdatedDateTime")) or None):
            if reading is None:
                reading = _Reading(window, now if page.date is None else page.date)
            reading.broken = page.broken is not None
            if not page.last and page.items and self._watched is not None:
                self._watched.page_size = len(page.items)
            if page.broken is not None:
                # Graph does that when what is left is just a page: with another size it is not.
                self._page_size = RISKY_USERS.page_size - (self._page_size == RISKY_USERS.page_size)
                self._warn_once("broken", f"Graph broke off the list, so it is read again. {page.broken.message}")
            yield reading, page, api

    def _begin_of_first(self, service_time: int, now: int) -> int:
        """From when on the first reading asks. Of two clocks that disagree, the one that asks for more."""
        since = self._since(service_time, service_time)
        return min(since, service_time, now) - FARTHEST if self._starts_now else min(since, service_time - FARTHEST)

    def _since(self, service_time: int, now: int) -> int:
        """Who changed at this time or later is news at first."""
        if self._job.since is not None:
            return self._job.since
        if self._job.since_age is not None:
            return service_time - self._job.since_age * _timestamps.TICKS_PER_SECOND
        return max(service_time, now)

    @property
    def _starts_now(self) -> bool:
        return self._job.since is None and self._job.since_age is None

    async def _report(self, reading: _Reading, api: RiskApi, page: Page) -> None:
        records = api.records(page)
        watched, wanted = self._watched, self._job.risk_filter.at(reading.began)
        if watched is None:
            raise AssertionError("the first page makes it")
        if api.without_id:
            self._warn_once("id", "Graph lists entries whose id is not a GUID. They are no users and are left out.")
        if any(record.updated_ticks is None for record in records):
            self._warn_once(
                "time",
                "Graph lists users without a time of the last change of their risk, or with one that cannot be read. "
                "They are reported when their state or level changes, but not for since or the times in filters.",
            )
        reported = False
        for change in watched.changes(records):
            if wanted.matches(change.record):
                await self._queue.put(self._event(change, api))
                reported = True
            watched.remember(change)
            self._unsaved = True
            await asyncio.sleep(0)
            if reported and self._clock.monotonic() - self._saved_at >= _SAVE_EVERY:
                await asyncio.to_thread(self._save)
        if reported:
            await asyncio.to_thread(self._save)

    def _event(self, change: Change, api: RiskApi) -> dict[str, t.Any]:
        previous = change.before and {"risk_state": change.before.state, "risk_level": change.before.level}
        event = {"risky_user": all_properties(change.record, api.properties), "previous": previous}
        return fit_for_rulebooks(event, self._redactor.redact)

    def _save(self) -> None:
        """Keep what was reported. Where that fails, the next change is an occasion to try again."""
        if self._checkpoint is None or self._owner is None or self._watched is None:
            self._unsaved = False
            return
        self._saved_at = self._clock.monotonic()
        try:
            self._checkpoint.save(self._owner, self._watched)
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            self._warn(f"checkpoint_path cannot be written ({reason}). Until it can be, a restart repeats events.")
        else:
            self._unsaved = False

    def _is_permanent(self, error: EntraRiskError) -> bool:
        if isinstance(error, TokenRefusedError) and not self._has_given_token:
            self._tokens_refused += 1
            return self._tokens_refused > _MOST_TOKENS_REFUSED
        return isinstance(error, _PERMANENT) or (isinstance(error, _PERMANENT_AT_FIRST) and not self._went_well)

    @property
    def _has_given_token(self) -> bool:
        return bool(str(self._job.connection.get("access_token") or "").strip())

    def _pause_after(self, failures: int, error: EntraRiskError) -> float:
        """Seconds: 5, 10, 20 ... 300, up to half of it less by chance, and at least what the service asks for."""
        ceiling = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
        asked = min(error.retry_after, _LONGEST_ASKED_PAUSE)
        return max(ceiling * (0.5 + self._clock.random() / 2), asked)

    def _warn_once(self, what: str, text: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._warn(text)

    def _warn(self, text: str) -> None:
        LOG.warning("%s", printable(self._redactor.redact(text)))


def _ticks(clock: Clock) -> int:
    return _timestamps.from_seconds(clock.wall())
