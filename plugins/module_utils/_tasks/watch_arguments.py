# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The arguments of the event source: the options of the connection, and what to watch."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from .. import _timestamps
from .._errors import RequestError
from .._login.options import argument_spec as connection_spec
from .._login.shapes import is_path
from .._risk import filters
from .._risk.filters import RiskFilter

SHORTEST_INTERVAL = 5
SOURCE_SPEC: dict[str, dict[str, t.Any]] = {
    "filters": {"type": "dict", "options": filters.FILTER_SPEC},
    "interval": {"type": "int", "default": 60},
    "since": {"type": "str", "default": "now"},
    "checkpoint_path": {"type": "path"},
}
# What ansible-rulebook adds itself where a source asks for feedback.
_FROM_OUTSIDE = frozenset({"eda_feedback_queue"})
# A clock that is set wrong by less is no reason to refuse a time.
_MOST_AHEAD = 300 * _timestamps.TICKS_PER_SECOND


@dataclasses.dataclass(frozen=True)
class Job:
    """What to watch, checked.

    :param connection: the options of the connection, as they were given.
    :param shown_filters: the filters in a form that is the same for the same choice.
    :param since: ticks; `since_age` in seconds instead. Neither of them: from now on.
    """

    connection: dict[str, t.Any]
    risk_filter: RiskFilter
    shown_filters: dict[str, t.Any]
    interval: int
    since: int | None
    since_age: int | None
    checkpoint_path: str | None


def parse(args: t.Any, now: int) -> Job:
    """The job of a source's arguments.

    :param now: ticks by the clock here.
    :raises RequestError: an argument that does not exist, or makes no sense.
    """
    if not isinstance(args, t.Mapping):
        raise RequestError("The arguments of the source must be a dictionary.")
    connection = connection_spec()
    aliases = {alias for option in connection.values() for alias in option.get("aliases", ())}
    spellings = {*SOURCE_SPEC, *connection, *aliases}
    unknown = sorted(str(name) for name in args if name not in spellings | _FROM_OUTSIDE)
    if unknown:
        raise RequestError(
            f"{', '.join(unknown)}: the source has no such argument. It has {', '.join(SOURCE_SPEC)}, and the "
            "connection options of the modules."
        )
    chosen = _filters(args.get("filters"))
    since, since_age = _since(args.get("since"), now)
    return Job(
        connection={name: value for name, value in args.items() if name in spellings and name not in SOURCE_SPEC},
        risk_filter=filters.parse(chosen, None, now),
        shown_filters={key: sorted(set(value)) if isinstance(value, list) else value for key, value in chosen.items()},
        interval=_interval(args.get("interval")),
        since=since,
        since_age=since_age,
        checkpoint_path=_path(args.get("checkpoint_path")),
    )


def _filters(value: t.Any) -> dict[str, t.Any]:
    """The option `filters`, in the types of its table."""
    if value is None:
        return {}
    if not isinstance(value, t.Mapping):
        raise RequestError(f"filters must be a dictionary of {', '.join(filters.FILTER_SPEC)}.")
    chosen: dict[str, t.Any] = {}
    for key, given in value.items():
        option = filters.FILTER_SPEC.get(key)
        if option is None:
            raise RequestError(f"filters.{key}: there is no such filter. There are {', '.join(filters.FILTER_SPEC)}.")
        if option["type"] == "list":
            if given is not None:
                chosen[key] = _words(key, given)
        elif isinstance(given, str) and given.strip():
            chosen[key] = given.strip()
        else:
            raise RequestError(
                f"filters.{key} is given, but is null, blank or not a text. Give it a time or an age in quotes, or "
                "leave it out."
            )
    return chosen


def _words(key: str, given: t.Any) -> list[str]:
    words = [word.strip() for word in given.split(",")] if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise RequestError(f"filters.{key} must be a list of words.")
    return words


def _interval(value: t.Any) -> int:
    text = str(SOURCE_SPEC["interval"]["default"] if value is None else value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or int(text) < SHORTEST_INTERVAL:
        raise RequestError(f"interval must be a whole number of seconds, {SHORTEST_INTERVAL} or more.")
    return int(text)


def _since(value: t.Any, now: int) -> tuple[int | None, int | None]:
    """The ticks of a time, or the seconds of an age; neither for `now`."""
    text = value.strip() if isinstance(value, str) else value
    if text is None or text == "now":
        return None, None
    if isinstance(text, str):
        age = _timestamps.parse_age(text)
        if age is not None:
            return None, age
        ticks = _timestamps.parse_or_none(text)
        if ticks is not None and ticks <= now + _MOST_AHEAD:
            return ticks, None
        if ticks is not None:
            raise RequestError("since lies in the future. Give a time that has passed, or leave it out.")
    raise RequestError(
        "since is neither now, nor a time in ISO 8601 with an offset in quotes ('2026-01-31T00:00:00Z'), nor an age "
        "(30m, 12h)."
    )


def _path(value: t.Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or not is_path(value.strip()):
        raise RequestError("checkpoint_path is given, but is no path. Give the path of a file, or leave it out.")
    return os.path.expanduser(os.path.expandvars(value.strip()))
