"""One request and one answer, independent of sockets."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from urllib.parse import parse_qsl, unquote


@dataclasses.dataclass(frozen=True)
class Request:
    """A request as it came in. Header names are lower case; `target` is the raw path with its query."""

    listener: str
    method: str
    target: str
    headers: t.Mapping[str, str]
    body: bytes

    @property
    def raw_path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)

    @property
    def segments(self) -> list[str]:
        """The parts of the path, each decoded by itself: an encoded slash separates nothing."""
        return [unquote(part) for part in self.raw_path.split("/")[1:]]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The decoded query in its order, empty values included."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def host(self) -> str:
        """Host and port that the client asked for."""
        return self.headers.get("host", "")

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def authorization_scheme(self) -> str | None:
        """`Bearer` and the like; None without the header. The rest of the header is nobody's business."""
        value = self.headers.get("authorization")
        return None if value is None else value.partition(" ")[0]

    @property
    def bearer(self) -> str:
        """The token, or an empty text."""
        scheme, dummy, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> t.Any:
        """The body as JSON.

        :raises ValueError: when it is none.
        """
        return json.loads(self.body)


@dataclasses.dataclass
class Answer:
    """What goes back. The last fields bend the wire on purpose; only faults set them."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    raw: bytes | None = None
    cut: bool = False
    drop: bool = False
    drip: float | None = None
    gateway: bool = False
    changes: dict[str, str | None] = dataclasses.field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, data: t.Any, headers: t.Mapping[str, str] | None = None) -> Answer:
        """An answer with a JSON body."""
        return cls(status, json.dumps(data).encode(), {"Content-Type": "application/json", **(headers or {})})

    def json(self) -> t.Any:
        """The body as data, None when it is empty or no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None
