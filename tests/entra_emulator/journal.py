"""What was asked, in order. Never a secret: of `Authorization` only the scheme is kept."""

from __future__ import annotations

import collections
import copy
import threading
import typing as t

from .web import Request

MASK = "********"
_HEADERS = (
    "accept", "client-request-id", "connection", "consistencylevel", "content-length", "content-type", "host",
    "metadata", "prefer", "retry-attempt", "user-agent",
)  # fmt: skip
_SECRET_FIELDS = frozenset({"client_secret", "client_assertion", "assertion", "password", "refresh_token"})

Entry = dict[str, t.Any]


def entry_of(request: Request, now: float) -> Entry:
    """A new entry; what comes of the request is filled in when it is known."""
    return {
        "time": now,
        "listener": request.listener,
        "method": request.method,
        "path": request.path,
        "query": request.args.to_dict(),
        "headers": {name: request.headers[name] for name in _HEADERS if name in request.headers},
        "authorization": _scheme(request),
        "body": _body(request),
        "status": None,
        "request_id": None,
        "written": [],
        "fault": None,
        "violations": [],
    }


def _scheme(request: Request) -> str | None:
    given = request.headers.get("Authorization")
    return None if given is None else given.partition(" ")[0]


def _body(request: Request) -> t.Any:
    if not request.get_data():
        return None
    if request.mimetype == "application/x-www-form-urlencoded":
        return {name: MASK if name in _SECRET_FIELDS else value for name, value in request.form.items()}
    try:
        return request.json_data()
    except ValueError:
        # Only its size: nobody knows what is in there.
        return f"{len(request.get_data())} bytes, not JSON"


class Journal:
    """The requests of one tenant, or those that belong to no tenant."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> list[Entry]:
        """A copy of all entries, oldest first."""
        with self._lock:
            return copy.deepcopy(self._entries)

    def select(self, **wanted: t.Any) -> list[Entry]:
        """The entries whose fields have these values, such as `listener="graph", method="POST"`."""
        return [entry for entry in self.entries if all(entry[name] == value for name, value in wanted.items())]

    def summary(self) -> dict[str, t.Any]:
        """Counts by request and by status, and the ids that were written, once for each write."""
        entries = self.entries
        return {
            "requests": len(entries),
            "by_request": dict(
                collections.Counter(f"{entry['listener']} {entry['method']} {entry['path']}" for entry in entries)
            ),
            "by_status": dict(collections.Counter(str(entry["status"]) for entry in entries)),
            "written": [user_id for entry in entries for user_id in entry["written"]],
            "violations": [text for entry in entries for text in entry["violations"]],
        }
