# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Writes in chunks, and finds those that the service refuses without giving up the others."""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import EntraRiskError, RequestError
from .._graph.client import MOST_TRIES
from .._retry import backoff
from .api import RiskApi
from .resources import Action

# Refusals that may be the fault of a single id. All others concern everyone and stop the work.
_MAYBE_ONE_ID = frozenset({400, 404, 409, 410, 413, 422})


@dataclasses.dataclass
class Written:
    """What became of the ids. What is in none of the sets was not written, and `stopped` says why."""

    accepted: set[str] = dataclasses.field(default_factory=set)
    rejected: dict[str, EntraRiskError] = dataclasses.field(default_factory=dict)
    uncertain: set[str] = dataclasses.field(default_factory=set)
    request_ids: list[str] = dataclasses.field(default_factory=list)
    stopped: EntraRiskError | None = None


@dataclasses.dataclass(frozen=True)
class ReadBack:
    """What became of a write whose end was not clear. Who is in neither of the two must not be written to any more."""

    applied: t.Collection[str]
    needed: t.Collection[str]


class Writer:
    """Carries out one action.

    :param read_back: reads what became of some ids; asked after a write whose end is unknown.
    """

    def __init__(self, api: RiskApi, action: Action, read_back: t.Callable[[t.Sequence[str]], ReadBack]) -> None:
        self._api = api
        self._action = action
        self._read_back = read_back
        # Up to date at every moment, whatever happens in the course of the work.
        self.written = Written()

    def write(self, ids: t.Sequence[str]) -> Written:
        """Write all ids, chunk after chunk. Never raises an error of the service: it is in `stopped`."""
        size = self._api.resource.ids_per_write
        deferred: list[list[str]] = []
        try:
            for start in range(0, len(ids), size):
                refused = self._ask(ids[start : start + size])
                if len(refused) > 1:
                    if self._looks_all_refused():
                        deferred.append(refused)
                    else:
                        self._isolate(refused)
            if deferred and self._looks_all_refused():
                raise self._all_refused()
            for refused in deferred:
                self._isolate(refused)
        except EntraRiskError as exc:
            self.written.stopped = exc
        return self.written

    def _looks_all_refused(self) -> bool:
        """Two full chunks refused to the last one are hardly a matter of single ones.

        Halving costs two requests for each one, out of a tenant's one a second. So it goes on only when the service
        accepts somebody after all.
        """
        return not self.written.accepted and len(self.written.rejected) >= 2 * self._api.resource.ids_per_write

    def _all_refused(self) -> RequestError:
        last = list(self.written.rejected.values())[-1]
        refused = self._api.resource.labels.count(len(self.written.rejected))
        return RequestError(
            f"Graph refused each of {refused} and every chunk of the others, so the task stopped. {last.message}",
            status=last.status,
            code=last.code,
            request_id=last.request_id,
            client_request_id=last.client_request_id,
        )

    def _ask(self, chunk: t.Sequence[str]) -> list[str]:
        """Send one chunk. Gives the ids that were refused together, none when all was accepted.

        An id that was refused alone is rejected.
        """
        remaining = list(chunk)
        faults = 0
        end = self._api.client.clock.monotonic() + self._api.client.retry_timeout
        while remaining:
            try:
                request_id = self._api.act(self._action, remaining)
            except RequestError as exc:
                if exc.status not in _MAYBE_ONE_ID:
                    raise
                if len(remaining) == 1:
                    self.written.rejected[remaining[0]] = exc
                return remaining
            except EntraRiskError as exc:
                if not exc.outcome_unknown:
                    raise
                faults += 1
                # Until a reading has told, nobody knows; that is what the result says if there is no time for it.
                self.written.uncertain.update(remaining)
                if faults >= MOST_TRIES or self._api.client.clock.monotonic() > end:
                    raise
                self._api.client.pause(max(backoff(faults, self._api.client.clock), exc.retry_after))
                remaining = self._left_after(remaining, exc)
                self._api.client.counts.retried += bool(remaining)
            else:
                self.written.accepted.update(remaining)
                if request_id is not None:
                    self.written.request_ids.append(request_id)
                return []
        return []

    def _left_after(self, chunk: t.Sequence[str], cause: EntraRiskError) -> list[str]:
        """After a write without a clear answer: those of the chunk that have to be sent again."""
        try:
            found = self._read_back(chunk)
        except EntraRiskError:
            # What went wrong first explains more than why the reading failed too.
            raise cause from None
        self.written.uncertain.difference_update(chunk)
        self.written.accepted.update(found.applied)
        return [item for item in chunk if item in found.needed]

    def _isolate(self, refused: t.Sequence[str]) -> None:
        """A refused chunk has a culprit: halve it until that one stands alone, then send the others.

        Usually there is one culprit only. So what the search leaves aside is sent in one piece afterwards; only when
        that is refused as well is it halved thoroughly.
        """
        suspects = list(refused)
        aside: list[str] = []
        while len(suspects) > 1:
            first, second = _halves(suspects)
            still_refused = self._ask(first)
            if still_refused:
                suspects = still_refused
                aside = second + aside
            else:
                # The culprit is in the other half. There is no need to ask for it as a whole, unless it is one alone.
                suspects = second if len(second) > 1 else self._ask(second)
        if aside:
            refused = self._ask(aside)
            if len(refused) > 1:
                self._halve(refused)

    def _halve(self, refused: t.Sequence[str]) -> None:
        first, second = _halves(refused)
        refused_first = self._ask(first)
        if len(refused_first) > 1:
            self._halve(refused_first)
        # With nothing wrong in the first half, the second is known to be refused as a whole.
        refused_second = second if len(second) > 1 and not refused_first else self._ask(second)
        if len(refused_second) > 1:
            self._halve(refused_second)


def _halves(items: t.Sequence[str]) -> tuple[list[str], list[str]]:
    half = len(items) // 2
    return list(items[:half]), list(items[half:])
