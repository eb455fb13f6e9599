"""Time that passes only when somebody sleeps, so that hours of waiting take milliseconds."""

from __future__ import annotations

import random

from ansible_collections.identityops.entra_risk.plugins.module_utils._retry import Clock

# 2026-11-22T12:00:00Z: what the wall clock shows when a simulation begins.
START = 1_795_348_800.0


class SimulatedTime:
    """A clock of its own for one test. `naps` holds every sleep, in seconds."""

    def __init__(self, seed: int = 0) -> None:
        self.now = 0.0
        self.naps: list[float] = []
        self.clock = Clock(
            wall=lambda: START + self.now,
            monotonic=lambda: self.now,
            sleep=self.sleep,
            random=random.Random(seed).random,
        )

    def sleep(self, seconds: float) -> None:
        assert seconds > 0, "a sleep of nothing is a call too many"
        self.naps.append(seconds)
        self.now += seconds
