# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Ends the sessions of users: one request for each, or a batch for twenty where there are more."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from .. import _timestamps
from .._errors import EntraRiskError, LoginError, PermissionDeniedError, RequestError, ThrottledError
from .._graph.batch import PARTS_PER_BATCH, Part, post_all
from .._graph.client import MOST_TRIES, GraphClient
from .._graph.directory import Directory, DirectoryObject
from .._graph.permissions import RequiredPermission
from .._retry import Retry
from .._risk.attempts import Attempt, Progress, Status
from .._risk.decisions import DirectoryStatus, Target

VALID_FROM = "signInSessionsValidFromDateTime"
WRITE = RequiredPermission(
    "User.RevokeSessions.All",
    rate_limit_group="directory",
    other_causes="this user is out of its reach (an administrator, a guest, synchronized from on-premises, in a "
    "restricted management administrative unit)",
)

# What is read of each user besides the name.
PROPERTIES = (VALID_FROM, "userType")

# Refusals that concern one user. All others stop the work.
_OF_ONE_USER = (PermissionDeniedError, RequestError)
# Not carried out for sure, and worth another attempt.
_REFUSED_FOR_NOW = (429, 503)


@dataclasses.dataclass(frozen=True)
class SessionTarget(Target):
    """One user. `valid_from` is the time before which all sessions are ended, as Graph wrote it."""

    valid_from: str | None = None
    guest: bool = False

    @property
    def valid_from_ticks(self) -> int | None:
        """None when Graph gave no time, or none that can be read."""
        return _timestamps.parse_or_none(self.valid_from)


@dataclasses.dataclass
class SessionProgress(Progress):
    """What happened so far.

    :param valid_from: when the sessions were ended, as well as it is known: what was read back, else the time of the
        answer. In ticks.
    """

    valid_from: dict[str, int | None] = dataclasses.field(default_factory=dict)


def revoke_all(
    client: GraphClient, directory: Directory, due: t.Sequence[SessionTarget], progress: SessionProgress
) -> None:
    """End the sessions of everybody who is due, and note in `progress` what became of each.

    :param directory: reads `PROPERTIES` too.
    :raises EntraRiskError: what stopped the work. Whoever is not in `progress` by then was not written to.
    """
    _Writer(client, directory, due, progress).write()


class _Writer:
    def __init__(
        self, client: GraphClient, directory: Directory, due: t.Sequence[SessionTarget], progress: SessionProgress
    ) -> None:
        self._client = client
        self._directory = directory
        self._due = {target.id: target for target in due if target.id is not None}
        self._progress = progress
        self._size = PARTS_PER_BATCH if len(self._due) > PARTS_PER_BATCH else 1
        # What the latest users have in common who got no clear answer to the end; None after one who did.
        self._unclear: EntraRiskError | None = None

    def write(self) -> None:
        ids = list(self._due)
        for start in range(0, len(ids), self._size):
            self._send(ids[start : start + self._size])
            written = len(self._progress.having(Status.ACCEPTED))
            self._client.progress.written(written, len(ids), "users")
            self._check_permission(at_least=PARTS_PER_BATCH)
        self._check_permission(at_least=1)
        if self._unclear is not None and not self._progress.having(Status.ACCEPTED):
            raise self._unclear

    def _send(self, chunk: t.Sequence[str]) -> None:
        """Send one chunk until each of its users is accepted or rejected."""
        client = self._client
        before = client.last_date
        renewed = False
        for attempt in Retry(client.clock, client.retry_timeout, pause=client.pause):
            failed = self._note(self._post(chunk))
            refused = [error for error in failed.values() if isinstance(error, LoginError)]
            if refused:
                if renewed or not client.renew():
                    raise refused[0]
                renewed = True
            last = self._wait(attempt, [error for error in failed.values() if not isinstance(error, LoginError)])
            lost = {key: error for key, error in failed.items() if error.outcome_unknown}
            left = self._still_due(lost, before)
            if len(failed) < len(chunk) or len(left) < len(lost):
                self._unclear = None
            chunk = [key for key in failed if key not in lost or key in left]
            if not chunk:
                return
            if last is not None:
                self._give_up(chunk, failed, last)
                return
            client.counts.retried += 1

    def _give_up(self, chunk: t.Sequence[str], failed: t.Mapping[str, EntraRiskError], last: EntraRiskError) -> None:
        """Leave one user without a clear answer, as long as others get one.

        :raises EntraRiskError: more than that one are concerned.
        """
        if self._unclear is not None or len(chunk) > 1 or not failed[chunk[0]].outcome_unknown:
            raise last
        self._unclear = last

    def _post(self, chunk: t.Sequence[str]) -> dict[str, Part]:
        """How the request ended for each user, once."""
        paths = [f"/users/{key}/revokeSignInSessions" for key in chunk]
        try:
            if self._size > 1:
                return dict(zip(chunk, post_all(self._client, paths, required=WRITE)))
            # Documented as 200 with a value that says nothing, announced as 204.
            path = f"/{self._client.api_version}{paths[0]}"
            reply = self._client.post(path, None, required=WRITE, accept=(200, 201, 202))
            return {chunk[0]: Part(None, reply.request_id, reply.date)}
        except EntraRiskError as exc:
            of_one_user = self._size == 1 and isinstance(exc, _OF_ONE_USER)
            if not of_one_user and not exc.outcome_unknown:
                raise
            return dict.fromkeys(chunk, Part(exc))

    def _note(self, parts: t.Mapping[str, Part]) -> dict[str, EntraRiskError]:
        """Note what became of each. Gives those for whom it is worth another attempt, with what went wrong.

        :raises EntraRiskError: what concerns everybody.
        """
        failed: dict[str, EntraRiskError] = {}
        stops: list[EntraRiskError] = []
        for key, part in parts.items():
            error = part.error
            if error is None:
                self._accept(key, part.date)
                if part.request_id is not None and part.request_id not in self._progress.request_ids[-len(parts) :]:
                    self._progress.request_ids.append(part.request_id)
            elif error.outcome_unknown:
                # Until a reading has told, nobody knows; that is what the result says if there is no time for it.
                self._progress.attempts[key] = Attempt(Status.UNKNOWN)
                failed[key] = error
            elif isinstance(error, _OF_ONE_USER):
                self._progress.attempts[key] = Attempt(Status.REJECTED, error=error)
            elif isinstance(error, LoginError) or error.status in _REFUSED_FOR_NOW:
                failed[key] = error
            else:
                stops.append(error)
        if stops:
            raise stops[0]
        return failed

    def _accept(self, key: str, valid_from: int | None) -> None:
        self._progress.attempts[key] = Attempt(Status.ACCEPTED)
        self._progress.valid_from[key] = valid_from

    def _wait(self, attempt: Retry, errors: t.Sequence[EntraRiskError]) -> EntraRiskError | None:
        """Wait before the next attempt, if anything failed that needs it. Gives the error when no attempt is left."""
        if not errors:
            return None
        cause = max(errors, key=lambda error: error.retry_after)
        throttled = isinstance(cause, ThrottledError)
        try:
            with self._client.progress.waiting("too many requests" if throttled else "an answer of the service"):
                attempt.failed(cause, tries=math.inf if throttled else MOST_TRIES)
        except EntraRiskError as last:
            if last is not cause:
                raise
            return last
        return None

    def _still_due(self, lost: t.Mapping[str, EntraRiskError], before: int | None) -> set[str]:
        """Those who still need a write whose answer was lost.

        :param before: the service's clock before the first attempt, in ticks.
        """
        if not lost:
            return set()
        try:
            found = self._directory.read(list(lost))
        except EntraRiskError:
            # What went wrong first explains more than why the reading failed too.
            raise next(iter(lost.values())) from None
        left = set()
        for key in lost:
            seen = target_of(found[key]).valid_from_ticks if key in found else None
            moved = seen is not None and seen != self._due[key].valid_from_ticks
            if moved and (before is None or (seen or 0) >= before):
                self._accept(key, seen)
            else:
                # Unknown until the next answer: Graph may carry out the first write late. A second one does no harm.
                left.add(key)
        return left

    def _check_permission(self, at_least: int) -> None:
        """Nobody accepted, and members of the tenant refused: that is hardly a matter of single users.

        :raises PermissionDeniedError: so many were refused.
        """
        attempts = self._progress.attempts
        errors = [
            attempt.error
            for key, attempt in attempts.items()
            if isinstance(attempt.error, PermissionDeniedError) and not self._due[key].guest
        ]
        if len(errors) < at_least or self._progress.having(Status.ACCEPTED):
            return
        claims = self._client.claims()
        if claims.kind == "application" and WRITE.permission in (claims.permissions or ()):
            # So Graph refuses these users, whoever they are, and may accept the next ones.
            return
        last = errors[-1]
        raise PermissionDeniedError(
            f"Graph refused each user that was tried ({len(attempts)}), so the token probably lacks the Graph "
            f"permission {WRITE.permission}. {last.message}",
            **last.facts(),
        )


def target_of(item: DirectoryObject, given: str | None = None) -> SessionTarget:
    """A user as the directory shows it."""
    valid_from = item.properties.get(VALID_FROM)
    return SessionTarget(
        id=item.id,
        name=item.name,
        directory_status=DirectoryStatus.CONFIRMED,
        given=given,
        valid_from=valid_from if isinstance(valid_from, str) else None,
        guest=item.properties.get("userType") == "Guest",
    )
