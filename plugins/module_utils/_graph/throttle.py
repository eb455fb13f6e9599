# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""When to send the next request. Pure rules; time comes from outside.

The service gives Identity Protection one request a second for the whole tenant and all its apps, and its 429 has no
Retry-After. https://learn.microsoft.com/graph/throttling-limits
"""

from __future__ import annotations

from .._retry import Clock


class Pacer:
    """The distance between requests: none until the service says "too many", then what its limit allows.

    Each further refusal stretches the distance (other apps share the limit), each answer shortens it a little, so that
    several processes settle at a fair share. After a long quiet time the pacer tries without a distance again.
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
        self._quiet = 0
        return self._distance * (1 + self.SCATTER * self._clock.random())

    def answered(self) -> None:
        """The service answered something else."""
        self._quiet += 1
        if self._distance > self.STEADY:
            self._distance = max(self.STEADY, self._distance * self.SHRINK)
        elif self._distance and self._quiet >= self.QUIET_ANSWERS:
            self._distance = 0.0
