# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""When to send the next request, and how long to wait before a repetition. Pure rules; time comes from outside.

The service gives Identity Protection one request a second for the whole tenant and all its apps, and its 429 has no
Retry-After. https://learn.microsoft.com/graph/throttling-limits
"""

from __future__ import annotations

import dataclasses
import math
import random
import time
import typing as t

from . import _timestamps


@dataclasses.dataclass(frozen=True)
class Clock:
    """Time, sleep and chance, in one place so that tests can replace them."""

    wall: t.Callable[[], float] = time.time
    monotonic: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep
    random: t.Callable[[], float] = random.random


class Pacer:
    """The distance between requests: none until the service says "too many", then what its limit allows.

    Each further refusal stretches the distance (other apps share the limit), each answer shortens it a little, so that
    several processes settle at a fair share. After a long quiet time the pacer tries without a distance again; each
    time that turns out wrong, it waits twice as long before the next try.
    """

    STEADY = 1.04
    LONGEST = 6.0
    STRETCH = 1.5
    SHRINK = 0.7
    JITTER = 0.01
    # Wide, so that processes that were refused together do not meet again.
    SCATTER = 0.6
    QUIET_ANSWERS = 120

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._distance = 0.0
        self._next = 0.0
        self._quiet = 0
        self._quiet_needed = self.QUIET_ANSWERS

    def delay(self) -> float:
        """Seconds until the next request may leave."""
        return max(0.0, self._next - self._clock.monotonic())

    def sent(self) -> None:
        """A request leaves now."""
        self._next = self._clock.monotonic() + self._distance * (1 + self.JITTER * self._clock.random())

    def refused(self) -> float:
        """The service said "too many requests". Gives the seconds to wait before the repetition."""
        if self._distance:
            self._distance = min(self.LONGEST, self._distance * self.STRETCH)
        else:
            self._distance = self.STEADY
            if self._quiet >= self._quiet_needed:
                self._quiet_needed *= 2
        self._quiet = 0
        return self._distance * (1 + self.SCATTER * self._clock.random())

    def answered(self) -> None:
        """The service answered something else."""
        self._quiet += 1
        if self._distance > self.STEADY:
            self._distance = max(self.STEADY, self._distance * self.SHRINK)
        elif self._distance and self._quiet >= self._quiet_needed:
            self._distance = 0.0


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
