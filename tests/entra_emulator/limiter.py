"""The limit of requests a second that all clients of a tenant share."""

from __future__ import annotations

import collections
import threading
import time
import typing as t


class Limiter:
    """A sliding window. Refused requests count too, so hammering never gets through.

    :param clock: seconds, monotonic.
    """

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: collections.deque[float] = collections.deque()

    def allows(self, rate: float | None) -> bool:
        """Count one request; true when it is within `rate` requests a second. None is no limit."""
        if rate is None or rate <= 0:
            return True
        window, limit = (1.0, int(rate)) if rate >= 1 else (1.0 / rate, 1)
        with self._lock:
            now = self._clock()
            while self._seen and self._seen[0] <= now - window:
                self._seen.popleft()
            self._seen.append(now)
            return len(self._seen) <= limit
