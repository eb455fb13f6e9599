# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What became of each id that was tried. The writing itself is in files that a task without a write does not load."""

from __future__ import annotations

import dataclasses
import enum

from .._errors import EntraRiskError
from .decisions import Decision
from .resources import Action, Record


class Status(enum.Enum):
    """What became of one id that was tried."""

    ACCEPTED = "Graph took the write, or shows its effect"
    REJECTED = "Graph refuses this id"
    UNKNOWN = "no clear answer came"
    SUPERSEDED = "no clear answer came, and by now the id must not be written to"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What became of one id, with Graph's error where it is rejected, and the new decision where it is superseded."""

    status: Status
    error: EntraRiskError | None = None
    decision: Decision | None = None


@dataclasses.dataclass
class Progress:
    """What happened so far, up to date at every moment. An id that is not among the attempts was not written to.

    :param seen: the records that were read back afterwards; None for those that are gone.
    """

    attempts: dict[str, Attempt] = dataclasses.field(default_factory=dict)
    request_ids: list[str] = dataclasses.field(default_factory=list)
    seen: dict[str, Record | None] = dataclasses.field(default_factory=dict)

    def status(self, object_id: str | None) -> Status | None:
        attempt = self.attempts.get(object_id or "")
        return attempt.status if attempt else None

    def having(self, status: Status) -> list[str]:
        """The ids that have a status, in the order of the attempts."""
        return [key for key, attempt in self.attempts.items() if attempt.status is status]


def is_applied(record: Record | None, action: Action) -> bool:
    """Whether a record shows the state that was asked for. A record that is gone has no risk left."""
    if record is None:
        return not action.applies_without_record
    return record.state in action.satisfied_states and not record.processing
