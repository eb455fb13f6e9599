"""One request and one answer, independent of sockets: those of werkzeug, and what this server needs besides."""

from __future__ import annotations

import io
import json
import typing as t
from urllib.parse import unquote

import werkzeug
from werkzeug.datastructures import Headers


class Request(werkzeug.Request):
    """A request as it came in."""

    @classmethod
    def of(
        cls, listener: str, method: str, target: str, headers: t.Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Request:
        """A request to a listener. `target` is the raw path with its query."""
        path, dummy, query = target.partition("?")
        # An encoded slash separates nothing, so it stays encoded until the path is taken apart.
        decoded = unquote(path.replace("%2F", "%252F").replace("%2f", "%252F"))
        environ = {
            "REQUEST_METHOD": method,
            "REQUEST_URI": target,
            "PATH_INFO": decoded.encode("utf-8", "surrogateescape").decode("latin-1"),
            "QUERY_STRING": query,
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http" if listener == "plain" else "https",
            "local.listener": listener,
        }
        if body:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in headers:
            key = name.upper().replace("-", "_")
            if key != "CONTENT_LENGTH":
                environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        return cls(environ)

    @property
    def listener(self) -> str:
        """`login`, `graph` or `plain`."""
        return str(self.environ["local.listener"])

    @property
    def target(self) -> str:
        return str(self.environ["REQUEST_URI"])

    @property
    def raw_path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def segments(self) -> list[str]:
        """The parts of the path, each decoded by itself."""
        return [unquote(part) for part in self.raw_path.split("/")[1:]]

    @property
    def bearer(self) -> str:
        given = self.authorization
        return (given.token or "") if given is not None and given.type == "bearer" else ""

    def json_data(self) -> t.Any:
        """The body as JSON, whatever its type is said to be."""
        return json.loads(self.get_data())


class Answer(werkzeug.Response):
    """What goes back. The attributes bend it on the wire; only faults set them.

    `changes` replaces headers, or removes those that are None. `raw` are the bytes of the whole answer, `cut` sends
    half of the body, `drop` breaks the connection, `drip` are seconds between any two bytes. `gateway`: it does not
    come from the service itself.
    """

    default_mimetype = None
    changes: t.Mapping[str, str | None] = {}
    raw: bytes | None = None
    cut = False
    drop = False
    drip: float | None = None
    gateway = False

    @classmethod
    def of_json(cls, status: int, data: t.Any, headers: t.Mapping[str, str] | None = None) -> Answer:
        return cls(json.dumps(data), status, Headers({"Content-Type": "application/json", **(headers or {})}))

    def json_data(self) -> t.Any:
        """The body as data, None when it is empty or no JSON."""
        try:
            return json.loads(self.get_data())
        except ValueError:
            return None
