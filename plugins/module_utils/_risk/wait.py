# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Waits until what was written shows. Graph takes minutes for that and promises nothing."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import NetworkError, ServiceError, ThrottledError
from .api import RiskApi
from .attempts import is_applied
from .loader import ACTIVE, EVERYTHING, RecordCache, RecordLoader
from .resources import Action, Record

_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 30.0
_GROWTH = 1.5
# The last reading begins when the time is over, and has this long.
_LAST_LOOK = 5.0


def read_again(api: RiskApi, action: Action, ids: t.Sequence[str]) -> dict[str, Record | None]:
    """The present records of ids that were written to; None for those that are not listed."""
    # After a dismissal the records are no longer among the active ones: reading those first would be for nothing.
    lists = (ACTIVE, EVERYTHING) if action.applies_without_record else (EVERYTHING,)
    cache = RecordCache()
    RecordLoader(api, cache, lists).read(ids)
    return {item: cache.records.get(item) for item in ids}


def wait_for(
    api: RiskApi, action: Action, ids: t.Sequence[str], timeout: float, seen: dict[str, Record | None]
) -> None:
    """Poll until all ids show the state, or the time is over.

    Who shows it once is not asked for again: a list page may be older than the one before. Faults that may pass cost
    time only.

    :param timeout: seconds.
    :param seen: takes the last record of each id that could be read.
    """
    client = api.client
    end = client.clock.monotonic() + timeout
    pending = list(ids)
    pause = _FIRST_PAUSE
    while pending:
        with contextlib.suppress(NetworkError, ServiceError, ThrottledError):
            seen.update(read_again(RiskApi(client, api.resource, end=end + _LAST_LOOK), action, pending))
        pending = [item for item in pending if item not in seen or not is_applied(seen[item], action)]
        client.progress.confirmed(len(ids) - len(pending), len(ids), api.resource.labels.many)
        left = end - client.clock.monotonic()
        if not pending or left <= 0:
            break
        client.pause(min(pause, left))
        pause = min(_LONGEST_PAUSE, pause * _GROWTH)
