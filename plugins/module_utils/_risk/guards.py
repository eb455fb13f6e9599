# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Who is protected. Each guard fails closed: what cannot be told stops the task before its first write."""

from __future__ import annotations

import typing as t

from .._errors import PermissionDeniedError, RequestError
from .._graph.directory import Directory
from .._graph.names import fold
from .decisions import Decision, Protected, Selection, listing
from .loader import RecordCache
from .resources import Resource


def on_sight(excluded: Selection) -> Protected:
    """What an exclusion says by itself, before anybody is asked."""
    return Protected(frozenset(excluded.ids), frozenset(map(fold, excluded.names)))


def resolve_exclusions(
    excluded: Selection, due: t.Sequence[Decision], resource: Resource, directory: Directory, cache: RecordCache
) -> Protected:
    """Everybody who is meant by an exclusion, by what the directory says and by what any record shows.

    The name on a record may have gone to somebody else, so the directory is asked for every name. An application may
    be named by either of its two ids.

    :param due: the decisions to write, as far as they are known; asked only when there are some.
    :raises PermissionDeniedError: the directory may not be asked, and it matters.
    :raises RequestError: an entry that nobody has. It protects nobody then, and whom it was meant for is not known.
    """
    protected = on_sight(excluded)
    keys = excluded.names
    if not resource.asked_by_name:
        keys = _open_ids(excluded, cache)
    if not keys:
        return protected
    option = f"exclude_{resource.labels.key}"
    try:
        known = directory.having(keys)
        by_id = {} if resource.asked_by_name else directory.existing([key for key in keys if key not in known])
    except PermissionDeniedError as exc:
        if not resource.asked_by_name and all(map(_shows_both_ids, due)):
            # The records show every id that one about to be written to has, and none of them is excluded.
            return protected
        raise PermissionDeniedError(
            f"{option}: {listing(keys)} could not be looked up in the directory, so nobody can tell whether a "
            f"{resource.labels.one} about to be written to is meant. {exc.message}"
            + (" Or use object IDs." if resource.asked_by_name else ""),
            status=exc.status,
            code=exc.code,
            request_id=exc.request_id,
            client_request_id=exc.client_request_id,
        ) from None
    missing = [key for key in keys if fold(key) not in known and key not in by_id]
    if missing:
        raise RequestError(
            f"{option}: the directory has no {resource.labels.one} {listing(missing)}, so nobody can tell whether a "
            f"{resource.labels.one} about to be written to is meant (a renamed account, a typing error). "
            "Correct the entry, or use the object ID."
        )
    seen = {record.id for name in excluded.names for record in cache.named(name)}
    return Protected(protected.ids | seen | {item.id for item in known.values()}, protected.names)


def _open_ids(excluded: Selection, cache: RecordCache) -> tuple[str, ...]:
    """The excluded ids that no record shows, as the one id or the other."""
    shown = {str(record.properties.get("appId")).lower() for record in cache.records.values()} | cache.records.keys()
    return tuple(item for item in excluded.ids if item not in shown)


def _shows_both_ids(decision: Decision) -> bool:
    record = decision.target.record
    return record is not None and isinstance(record.properties.get("appId"), str)
