"""Points in time as the service writes them: UTC, seven fraction digits, `Z`.

All texts of this form have the same length, so comparing the texts compares the times.
"""

from __future__ import annotations

import datetime
import re
import time

_SHAPE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?(Z|[+-]\d\d:\d\d)")


def of(seconds: float) -> str:
    ticks = round(seconds * 10_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ticks // 10_000_000))}.{ticks % 10_000_000:07d}Z"


def ago(**span: float) -> str:
    """The time this long before the present; takes the arguments of `datetime.timedelta`."""
    return of(time.time() - datetime.timedelta(**span).total_seconds())


def earlier(text: str, **span: float) -> str:
    """A time of the service's own form, moved back; takes the arguments of `datetime.timedelta`."""
    moment = datetime.datetime.fromisoformat(text[:26]) - datetime.timedelta(**span)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}{text[26:]}"


def normalize(text: str) -> str:
    """An ISO 8601 time with offset in the service's own form."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time with offset: {text!r}")
    minute, second, fraction, offset = match.groups()
    moment = datetime.datetime.fromisoformat(
        f"{minute}:{second or '00'}{'+00:00' if offset == 'Z' else offset}"
    ).astimezone(datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction or '')[:7]:0<7}Z"
