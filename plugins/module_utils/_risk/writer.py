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
from .._retry import Retry
from .api import RiskApi
from .attempts import Attempt, Progress, Status
from .decisions import Decision, Outcome, Rules
from .wait import read_again

# Refusals that may be the fault of a single id. All others concern everyone and stop the work.
_MAYBE_ONE_ID = frozenset({400, 404, 409, 410, 413, 422})


def write_all(api: RiskApi, rules: Rules, due: t.Sequence[Decision], progress: Progress) -> None:
    """Write to everybody who is due, chunk after chunk, and note in `progress` what became of each.

    :raises EntraRiskError: what stopped the work. Whoever is not in `progress` by then was not written to.
    """
    _Writer(api, rules, due, progress).write()


class _Writer:
    def __init__(self, api: RiskApi, rules: Rules, due: t.Sequence[Decision], progress: Progress) -> None:
        self._api = api
        self._rules = rules
        self._due = {decision.target.id: decision for decision in due if decision.target.id is not None}
        self._progress = progress

    def write(self) -> None:
        ids = list(self._due)
        size = self._api.resource.ids_per_write
        deferred: list[t.Sequence[str]] = []
        self._show()
        for start in range(0, len(ids), size):
            refused = self._send(ids[start : start + size])
            if refused and self._all_refused():
                deferred.append(refused)
            else:
                self._halve(refused)
        if deferred and self._all_refused():
            raise self._refused_for_all()
        for refused in deferred:
            self._halve(refused)

    def _all_refused(self) -> bool:
        """Two full chunks refused to the last one are hardly a matter of single ones.

        Halving costs two requests for each one, out of a tenant's one a second. So it goes on only when the service
        accepts somebody after all.
        """
        rejected = self._progress.having(Status.REJECTED)
        return len(rejected) >= 2 * self._api.resource.ids_per_write and not self._progress.having(Status.ACCEPTED)

    def _refused_for_all(self) -> RequestError:
        errors = [attempt.error for attempt in self._progress.attempts.values() if attempt.error is not None]
        last = errors[-1]
        return RequestError(
            f"Graph refused each of {self._api.resource.labels.count(len(errors))} and every chunk of the others, so "
            f"the task stopped. {last.message}",
            **last.facts(),
        )

    def _halve(self, refused: t.Sequence[str]) -> None:
        """A chunk that was refused as a whole: halve it until those that Graph refuses stand alone."""
        if len(refused) < 2:
            return
        first, second = refused[: len(refused) // 2], refused[len(refused) // 2 :]
        refused_first = self._send(first)
        self._halve(refused_first)
        # With nothing wrong in the first half, the second is known to be refused as a whole.
        known = len(second) > 1 and not refused_first and self._nothing_rejected(first)
        self._halve(second if known else self._send(second))

    def _nothing_rejected(self, ids: t.Sequence[str]) -> bool:
        return all(self._progress.status(item) is Status.ACCEPTED for item in ids)

    def _send(self, chunk: t.Sequence[str]) -> t.Sequence[str]:
        """Send one chunk. Gives the ids that were refused together, none when all was accepted.

        An id that was refused alone is rejected.
        """
        client = self._api.client
        for attempt in Retry(client.clock, client.retry_timeout, tries=MOST_TRIES, pause=client.pause):
            if not chunk:
                break
            try:
                request_id = self._api.act(self._rules.action, chunk)
            except RequestError as exc:
                if exc.status not in _MAYBE_ONE_ID:
                    raise
                if len(chunk) == 1:
                    self._note(chunk, Attempt(Status.REJECTED, error=exc))
                return chunk
            except EntraRiskError as exc:
                if not exc.outcome_unknown:
                    raise
                # Until a reading has told, nobody knows; that is what the result says if there is no time for it.
                self._note(chunk, Attempt(Status.UNKNOWN))
                try:
                    attempt.failed(exc)
                except EntraRiskError as last:
                    # Another attempt would come too late, but what became of this one can still be read.
                    if last is not exc or self._still_due(chunk, exc):
                        raise
                    return ()
                chunk = self._still_due(chunk, exc)
                client.counts.retried += bool(chunk)
            else:
                self._note(chunk, Attempt(Status.ACCEPTED))
                if request_id is not None:
                    self._progress.request_ids.append(request_id)
                return ()
        return ()

    def _note(self, ids: t.Sequence[str], attempt: Attempt) -> None:
        self._progress.attempts.update(dict.fromkeys(ids, attempt))
        self._show()

    def _show(self) -> None:
        written = len(self._progress.having(Status.ACCEPTED))
        self._api.client.progress.written(written, len(self._due), self._api.resource.labels.many)

    def _still_due(self, chunk: t.Sequence[str], cause: EntraRiskError) -> list[str]:
        """Those who still need a write whose answer was lost. The rules hold for the record of now as for any other."""
        try:
            records = read_again(self._api, self._rules.action, chunk)
        except EntraRiskError:
            # What went wrong first explains more than why the reading failed too.
            raise cause from None
        left = []
        for item in chunk:
            before, record = self._due[item].target.record, records[item]
            decision = self._rules.decide(dataclasses.replace(self._due[item].target, record=record))
            # Graph works on one that was idle before: it has the write, only its effect does not show yet.
            under_way = record is not None and record.processing and not (before is not None and before.processing)
            if under_way or decision.outcome is Outcome.UNCHANGED:
                self._note([item], Attempt(Status.ACCEPTED))
            elif decision.is_due:
                # Unknown until the next answer: Graph may carry out the first write late.
                left.append(item)
            else:
                self._note([item], Attempt(Status.SUPERSEDED, decision=decision))
        return left
