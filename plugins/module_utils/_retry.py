# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Time, sleep and chance in one place, and the one loop that tries again."""

from __future__ import annotations

import dataclasses
import math
import random
import time
import typing as t

from . import _timestamps
from ._errors import EntraRiskError


@dataclasses.dataclass(frozen=True)
class Clock:
    """Time, sleep and chance, in one place so that tests can replace them."""

    wall: t.Callable[[], float] = time.time
    monotonic: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep
    random: t.Callable[[], float] = random.random


def backoff(attempt: int, clock: Clock) -> float:
    """Seconds to wait before repetition number `attempt` (from 1): 1, 2, 4 ... 30, half of it by chance."""
    ceiling = min(30.0, 2.0 ** (attempt - 1))
    return ceiling * (0.5 + clock.random() / 2)


def retry_after(header: str | None, date_header: str | None, clock: Clock) -> float | None:
    """Seconds that a Retry-After asks for: a number, a fraction or a date. None when it is missing or no use.

    A date is measured against the server's own `Date`, since the clocks may differ.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        moment = _timestamps.parse_http_date(header)
        if moment is None:
            return None
        now = _timestamps.parse_http_date(date_header) or _timestamps.from_seconds(clock.wall())
        seconds = (moment - now) / _timestamps.TICKS_PER_SECOND
    # Zero, less than zero, "nan" and "inf" ask for nothing; the own rule is better then.
    return seconds if 0 < seconds < math.inf else None


class Retry:
    """The attempts at one piece of work. Every attempt that fails is told, and ends the loop or leads to the next one:

        for attempt in Retry(clock, 300, tries=8):
            try:
                return ask()
            except NetworkError as exc:
                attempt.failed(exc)

    :param seconds: how long after the first failure an attempt may still begin.
    :param tries: so many attempts at most.
    :param end: no attempt begins after it, on the monotonic clock.
    :param pause: sleeps instead of the clock.
    """

    def __init__(
        self,
        clock: Clock,
        seconds: float,
        *,
        tries: float = math.inf,
        end: float = math.inf,
        pause: t.Callable[[float], None] | None = None,
    ) -> None:
        self.failures = 0
        self._clock = clock
        self._seconds = seconds
        self._tries = tries
        self._end = end
        self._pause = pause or clock.sleep

    def __iter__(self) -> t.Iterator[Retry]:
        while True:
            yield self

    def failed(self, error: EntraRiskError, *, wait: float | None = None, tries: float | None = None) -> None:
        """An attempt failed: sleep until the next one, at least for as long as the service asks for.

        :param wait: seconds, instead of our own rule.
        :param tries: how many attempts are worth it after such a failure.
        :raises EntraRiskError: the error, when no attempt is left.
        """
        self.failures += 1
        now = self._clock.monotonic()
        if self.failures == 1:
            self._end = min(self._end, now + self._seconds)
        seconds = max(backoff(self.failures, self._clock) if wait is None else wait, error.retry_after)
        if now + seconds > self._end or self.failures >= (self._tries if tries is None else tries):
            raise error
        self._pause(seconds)
