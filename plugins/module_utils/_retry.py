# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Time, sleep and chance in one place, and how long to wait before a retry."""

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
