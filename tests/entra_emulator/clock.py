"""Where the local tenant gets its time from, so that a test can let hours pass in milliseconds."""

from __future__ import annotations

import dataclasses
import time
import typing as t


@dataclasses.dataclass(frozen=True)
class Clock:
    """Seconds since 1970, seconds of a clock that is never set, and a sleep."""

    wall: t.Callable[[], float] = time.time
    monotonic: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep
