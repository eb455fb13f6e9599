"""Rules that break requests on purpose."""

from __future__ import annotations

import codecs
import dataclasses
import json
import re
import threading
import typing as t
from urllib.parse import unquote_plus

from .web import Answer, Request

BEFORE = "before"
AFTER = "after"


@dataclasses.dataclass
class Fault:
    """Which requests are hit, and what happens to them. See the table in README.md.

    A rule that gives an answer (`status`, `raw`, `redirect`, `drop="before"`) keeps the request from having an effect
    unless `effect` is true; the others change the answer that the service gives.
    """

    # Which requests.
    listener: str | None = None
    method: str | None = None
    path: str = ""
    nth: int | list[int] | None = None
    times: int | None = None
    seconds: float | None = None
    # What happens.
    drop: str | None = None
    status: int | None = None
    headers: dict[str, str | None] = dataclasses.field(default_factory=dict)
    code: str | None = None
    message: str | None = None
    body: t.Any = None
    gateway: bool = False
    raw: str | None = None
    redirect: str | None = None
    next_link: str | None = None
    cut: bool = False
    drip: float | None = None
    bom: bool = False
    change: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)
    effect: bool = False
    name: str = ""
    # How often it was met.
    seen: int = dataclasses.field(default=0, init=False)
    fired: int = dataclasses.field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.drop not in (None, BEFORE, AFTER):
            raise ValueError("drop is before or after")
        self._pattern = re.compile(self.path)
        self._lock = threading.Lock()
        self._ends: float | None = None

    def hits(self, request: Request, now: float) -> bool:
        """Count a matching request; true when it is its turn to break.

        :param now: seconds of a clock that is never set.
        """
        if self.listener not in (None, request.listener) or self.method not in (None, request.method):
            return False
        if not self._pattern.search(unquote_plus(request.target)):
            return False
        with self._lock:
            self.seen += 1
            turns = [self.nth] if isinstance(self.nth, int) else self.nth
            if turns is not None and self.seen not in turns:
                return False
            if self.times is not None and self.fired >= self.times:
                return False
            if self.seconds is not None:
                self._ends = now + self.seconds if self._ends is None else self._ends
                if now >= self._ends:
                    return False
            self.fired += 1
            return True

    @property
    def label(self) -> str:
        return self.name or f"{self.drop or self.status or 'changed'} {self.path}".strip()

    @property
    def _answers(self) -> bool:
        return self.status is not None or self.raw is not None or self.redirect is not None or self.drop == BEFORE

    def apply(self, request: Request, serve: t.Callable[[], Answer], fail: t.Callable[[int], Answer]) -> Answer:
        """The broken answer.

        :param serve: gives the right answer, and has its effect.
        :param fail: gives the usual answer of a service in trouble.
        """
        answer = serve() if self.effect or not self._answers else Answer(status=500)
        if self.redirect is not None:
            answer = Answer(status=self.status or 307, headers={"Location": self.redirect})
        elif self.status is not None:
            answer = Answer(status=self.status) if self.gateway else fail(self.status)
        self._bend_error(answer)
        if self.body is not None:
            text = self.body if isinstance(self.body, str) else json.dumps(self.body)
            answer.data = text.encode("utf-8", "surrogatepass")
            answer.headers["Content-Type"] = "text/html" if text.lstrip()[:1] == "<" else "application/json"
        if self.next_link is not None:
            self._bend_next_link(request, answer)
        # Graph is behind a gateway, and what that says itself has none of the marks of Graph.
        answer.gateway = self.gateway
        answer.changes = self.headers
        if self.bom:
            answer.data = codecs.BOM_UTF8 + answer.data
        answer.raw = None if self.raw is None else self.raw.encode("latin-1", "replace")
        answer.cut = self.cut
        answer.drip = self.drip
        answer.drop = self.drop is not None
        return answer

    def _bend_error(self, answer: Answer) -> None:
        data = answer.json_data()
        error = data.get("error") if isinstance(data, dict) else None
        if isinstance(error, dict) and (self.code is not None or self.message is not None):
            given = {"code": self.code, "message": self.message}
            error.update({name: text for name, text in given.items() if text is not None})
            answer.data = json.dumps(data).encode()

    def _bend_next_link(self, request: Request, answer: Answer) -> None:
        page = answer.json_data()
        if isinstance(page, dict) and "value" in page:
            itself = f"https://{request.host}{request.target}"
            page["@odata.nextLink"] = itself if self.next_link == "self" else self.next_link
            answer.data = json.dumps(page).encode()
