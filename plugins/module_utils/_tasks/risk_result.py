# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The result of a task that brings risky objects to a state."""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import EntraRiskError
from .._risk.attempts import is_applied
from .._risk.decisions import Decision, Outcome, Target
from .._risk.resources import Action
from .result import ChangeResult, Ending
from .snake_case import snake_case


@dataclasses.dataclass
class RiskChangeResult(ChangeResult):
    """What is gathered in the course of such a task.

    :param waited: seconds that were waited for the new states; None when nobody waited.
    """

    waited: int | None = None
    truncated: bool = False

    @property
    def action(self) -> Action:
        """What brings an object to the state."""
        return self.resource.actions[self.state or ""]

    def done(self) -> str:
        return self.action.would_do if self.check_mode else self.action.done

    def before(self, target: Target) -> dict[str, t.Any]:
        record = target.record
        return {
            "risk_state": record.state if record else None,
            "risk_level": record.level if record else None,
            "risk_last_updated": record.updated if record else None,
        }

    def after(self, ending: Ending) -> dict[str, t.Any]:
        record = ending.decision.target.record
        if self.is_touched(ending):
            key = ending.decision.target.id or ""
            if key not in self.progress.seen:
                return {"risk_state": self.action.state_after, "risk_level": self.action.level_after}
            record = self.progress.seen[key]
        return {"risk_state": record.state if record else None, "risk_level": record.level if record else None}

    def diff_text(self, shown: t.Mapping[str, t.Any]) -> str:
        state = shown["risk_state"]
        return f"{state} ({shown['risk_level']})" if state else "not listed"

    def more_of(self, target: Target) -> dict[str, t.Any]:
        record = target.record
        return {snake_case(name): record.properties.get(name) if record else None for name in self.resource.shown}

    def more(self, endings: t.Sequence[Ending], error: EntraRiskError | None) -> dict[str, t.Any]:
        return {"verified": self._is_verified(endings, error), "truncated": self.truncated}

    def accepted(self, decision: Decision) -> Ending:
        if self.waited is not None and not self._is_seen(decision):
            message = (
                f"Graph accepted the change, but it did not show within {self.waited} seconds. "
                "Look again later, or raise wait_timeout."
            )
            return Ending(decision, Outcome.FAILED, "pending", message, written=True)
        return super().accepted(decision)

    def _is_seen(self, decision: Decision) -> bool:
        """Whether the new state was read back."""
        key = decision.target.id or ""
        return key in self.progress.seen and is_applied(self.progress.seen[key], self.action)

    def _is_verified(self, endings: t.Iterable[Ending], error: EntraRiskError | None) -> bool:
        if self.check_mode or error is not None or self.truncated:
            return False
        return all(self._is_seen(ending.decision) for ending in endings if ending.written)
