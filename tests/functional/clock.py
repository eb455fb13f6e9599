"""Time in which nobody waits: a sleep returns at once, and both sides find the clock moved on."""

from __future__ import annotations

import dataclasses
import time
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils import _retry

from ..entra_emulator.clock import Clock


@dataclasses.dataclass
class FastClock:
    """The real time, and what was slept through.

    :param chance: what `random` gives.
    """

    skipped: float = 0.0
    sleeps: list[float] = dataclasses.field(default_factory=list)
    chance: float = 0.5

    def wall(self) -> float:
        return time.time() + self.skipped

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.skipped += max(0.0, seconds)

    def random(self) -> float:
        return self.chance

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Give this clock to the collection, which makes its own wherever none is handed down."""
        fields: tuple[dataclasses.Field[t.Any], ...] = dataclasses.fields(_retry.Clock)
        patch.setattr(_retry.Clock.__init__, "__defaults__", tuple(getattr(self, field.name) for field in fields))

    def of_tenant(self) -> Clock:
        """The same time for the local tenant, which sleeps in earnest: for a slow answer nobody else can."""
        return Clock(wall=self.wall, monotonic=self.monotonic)
