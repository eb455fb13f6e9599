# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Points in time as whole numbers of 100 nanoseconds since 1970 (UTC), which is the precision of Graph.

`datetime` stops at microseconds: with it, two different changes of one user could look like the same one.
"""

from __future__ import annotations

import datetime
import email.utils
import re

TICKS_PER_SECOND = 10_000_000

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d+))?\s?"
    r"(?P<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)",
    re.ASCII,
)
_AGE = re.compile(r"(?P<number>\d{1,9})(?P<unit>[mhdw])", re.ASCII)
_UNIT_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse(text: str) -> int:
    """Ticks of an ISO 8601 time with an offset; digits beyond 100 ns are dropped.

    :raises ValueError: no such time, or no offset.
    """
    match = _ISO_8601.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an ISO 8601 time with an offset")
    # Microsoft's own log stream writes hours of one digit.
    clock = match["time"].zfill(8 if match["time"].count(":") == 2 else 5)
    if clock.count(":") == 1:
        clock += ":00"
    offset = "+00:00" if match["offset"] in "Zz" else match["offset"]
    if ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:] or '00'}"
    moment = datetime.datetime.fromisoformat(f"{match['date']}T{clock}{offset}")
    fraction = (match["fraction"] or "")[:7].ljust(7, "0")
    return _to_ticks(moment) + int(fraction)


def parse_or_none(text: object) -> int | None:
    """Ticks of a time that a service sent, or None when it sent none or none that can be understood."""
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def parse_http_date(text: str | None) -> int | None:
    """Ticks of an HTTP `Date` (whole seconds), or None."""
    if not text:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return _to_ticks(moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc))


def parse_age(text: str) -> int | None:
    """Seconds of an age such as `30m`, `12h`, `90d` or `8w`; None when the text is no age."""
    match = _AGE.fullmatch(text.strip())
    return int(match["number"]) * _UNIT_SECONDS[match["unit"]] if match else None


def from_seconds(seconds: float) -> int:
    """Ticks of a Unix time in seconds."""
    return int(seconds * TICKS_PER_SECOND)


def render(ticks: int) -> str:
    """ISO 8601 in UTC, with seven digits after the second unless it is a whole second.

    What lies outside of the years 1 to 9999 (a great age, an offset at the edge) becomes the nearest time inside.
    """
    seconds, rest = divmod(min(max(ticks, _FIRST), _LAST), TICKS_PER_SECOND)
    moment = (_EPOCH + datetime.timedelta(seconds=seconds)).replace(tzinfo=None)
    fraction = f".{rest:07d}" if rest else ""
    # Not strftime: it leaves out the zeros in front of an early year.
    return f"{moment.isoformat()}{fraction}Z"


def _to_ticks(moment: datetime.datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86400 + passed.seconds) * TICKS_PER_SECOND


_FIRST = _to_ticks(datetime.datetime.min.replace(tzinfo=datetime.timezone.utc))
_LAST = _to_ticks(datetime.datetime.max.replace(tzinfo=datetime.timezone.utc))
