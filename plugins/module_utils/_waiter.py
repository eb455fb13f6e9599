# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Waits until what was written shows. Graph takes minutes for that and promises nothing."""

from __future__ import annotations

import typing as t

from ._errors import NetworkError, ServiceError, ThrottledError
from ._plan import Asked
from ._reader import ACTIVE, EVERYTHING, Knowledge, Reader
from ._risk import Action, Record, RiskApi

_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 30.0
_GROWTH = 1.5


def has_arrived(record: Record | None, action: Action) -> bool:
    """Whether a record shows the state that was asked for. A record that is gone has no risk left."""
    if record is None:
        return not action.writes_unlisted
    return record.state in action.already and not record.processing


def read_again(api: RiskApi, action: Action, ids: t.Sequence[str]) -> dict[str, Record | None]:
    """The present records of ids that were written to; None for those that are not listed."""
    # After a dismissal the records are no longer among the active ones: reading those first would be for nothing.
    lists = (ACTIVE, EVERYTHING) if action.writes_unlisted else (EVERYTHING,)
    knowledge = Knowledge()
    Reader(api, knowledge, lists).read(Asked(tuple(ids)))
    return {item: knowledge.records.get(item) for item in ids}


def wait_for(api: RiskApi, action: Action, ids: t.Sequence[str], timeout: float) -> dict[str, Record | None]:
    """Poll until all ids show the state, or the time is over. Gives the last record of each id that could be read.

    Who has arrived once is not asked for again: a list page may be older than the one before. Faults that may pass cost
    time only.

    :param timeout: seconds.
    """
    client = api.client
    end = client.clock.monotonic() + timeout
    latest: dict[str, Record | None] = {}
    pending = list(ids)
    pause = _FIRST_PAUSE
    while pending:
        try:
            with client.until(end):
                latest.update(read_again(api, action, pending))
        except (NetworkError, ServiceError, ThrottledError):
            pass
        pending = [item for item in pending if item not in latest or not has_arrived(latest[item], action)]
        left = end - client.clock.monotonic()
        if not pending or left <= 0:
            break
        client.pause(min(pause, left))
        pause = min(_LONGEST_PAUSE, pause * _GROWTH)
    return latest
