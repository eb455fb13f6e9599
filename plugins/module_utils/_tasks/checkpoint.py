# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The file in which the event source keeps what it has reported, so that a restart goes on where it ended."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import typing as t

from .._errors import RequestError
from .._login.shapes import path_for_message
from .._retry import Clock
from .._risk.changes import Seen, Watched

_FORMAT = 1
_ANOTHER: t.Mapping[str, str] = {"tenant": "another tenant", "graph_url": "another Graph", "filters": "other filters"}
_DELETE_IT = "Name another file, or delete this one to begin anew."


class Checkpoint:
    """One file, for one source alone.

    :param path: where it is; its folder must exist.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._shown = f"checkpoint_path{path_for_message(path)}"

    def check_writable(self) -> None:
        """:raises RequestError: the file could not be written, or read, later on."""
        try:
            if os.path.lexists(self._path) and not os.path.isfile(self._path):
                raise RequestError(
                    f"{self._shown} is not a regular file. Name a file, which is made when it is missing."
                )
            if os.path.exists(self._path):
                with open(self._path, "rb"):
                    pass
            os.unlink(self._write_beside(b""))
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or type(exc).__name__
        else:
            return
        raise RequestError(
            f"{self._shown} cannot be used: {reason}. The file must be readable and its folder writable for the user "
            "that ansible-rulebook runs as."
        )

    def load(self, owner: t.Mapping[str, t.Any], page_size: int, clock: Clock) -> tuple[Watched | None, str | None]:
        """What was kept, and a warning. A damaged file is set aside.

        :param owner: what the source watches: `tenant`, `graph_url` and `filters`.
        :raises RequestError: the file belongs to a source that watches something else, or cannot be set aside.
        """
        try:
            with open(self._path, encoding="utf-8") as stream:
                data = json.load(stream)
            kept, watched = data["watches"], _watched(data, page_size)
        except FileNotFoundError:
            return None, None
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None, self._set_aside(clock)
        for what, value in owner.items():
            if kept.get(what) != value:
                raise RequestError(
                    f"{self._shown} was written for {_ANOTHER[what]} ({json.dumps(kept.get(what))} "
                    f"instead of {json.dumps(value)}), so it says nothing of this one. {_DELETE_IT}"
                )
        return watched, None

    def save(self, owner: t.Mapping[str, t.Any], watched: Watched) -> None:
        """Replace the file as a whole.

        :raises OSError: it cannot be written. The old one is still there then.
        """
        data = {
            "format": _FORMAT,
            "watches": owner,
            "floor": watched.floor,
            "since": watched.since,
            "settled": watched.settled,
            "known": watched.known,
        }
        written = self._write_beside(json.dumps(data, separators=(",", ":")).encode())
        try:
            os.replace(written, self._path)
        except OSError:
            os.unlink(written)
            raise

    def _write_beside(self, content: bytes) -> str:
        """A new file in the same folder, readable for its owner alone, with this content safely on disk."""
        folder, name = os.path.split(os.path.abspath(self._path))
        descriptor, path = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        return path

    def _set_aside(self, clock: Clock) -> str:
        aside = f"{self._path}.damaged-{int(clock.wall())}"
        try:
            os.replace(self._path, aside)
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
        else:
            return (
                f"{self._shown} is damaged. It was renamed to {os.path.basename(aside)}, and the source begins anew, "
                "with what since says."
            )
        raise RequestError(f"{self._shown} is damaged and cannot be renamed: {reason}. {_DELETE_IT}")


def _watched(data: t.Mapping[str, t.Any], page_size: int) -> Watched:
    """:raises ValueError, TypeError, KeyError, AttributeError: this is not what `save` writes."""
    if data["format"] != _FORMAT or not isinstance(data["watches"], dict):
        raise ValueError("another format")
    known = {str(key): Seen(_ticks(updated), *map(_word, rest)) for key, (updated, *rest) in data["known"].items()}
    floor, settled = _ticks(data["floor"]), _ticks(data["settled"])
    if floor is None or settled is None:
        raise ValueError("no time")
    return Watched(floor, _ticks(data["since"]), settled, page_size, known)


def _ticks(value: t.Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError("not a number of ticks")
    return value


def _word(value: t.Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("not a text")
    return value
