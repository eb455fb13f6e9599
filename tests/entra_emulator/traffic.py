"""Every request on its way through the local tenant: answered, or broken by a fault, and kept in a journal."""

from __future__ import annotations

import copy
import threading
import typing as t
from email.utils import formatdate

from . import graph
from .clock import Clock
from .journal import Entry, Journal, entry_of
from .tenant import Tenant
from .web import Answer, Request

if t.TYPE_CHECKING:
    from .validation import Validator


class Traffic:
    """What is asked and answered. `journal` holds the requests that belong to no tenant.

    :param validator: checks the traffic of Graph; None for no checks.
    """

    def __init__(self, validator: Validator | None = None) -> None:
        self.journal = Journal()
        self._validator = validator
        self._lock = threading.Lock()
        self._violations: list[Entry] = []

    @property
    def violations(self) -> list[Entry]:
        """The journal entries of all requests that break the OpenAPI document or were answered so."""
        with self._lock:
            return copy.deepcopy(self._violations)

    def clear_violations(self) -> None:
        with self._lock:
            self._violations.clear()

    def record(self, request: Request, tenant: Tenant | None, serve: t.Callable[[Entry], Answer]) -> Answer:
        clock = tenant.clock if tenant else Clock()
        entry = entry_of(request, clock.wall())
        (tenant.journal if tenant else self.journal).add(entry)
        faults = list(tenant.faults) if tenant else []
        fault = next((fault for fault in faults if fault.hits(request, clock.monotonic())), None)
        if fault is None:
            answer = serve(entry)
        else:
            entry["fault"] = fault.label
            fail = graph.plain_failure if request.listener == "graph" else _plain_failure
            answer = fault.apply(request, lambda: serve(entry), lambda status: fail(request, status))
            if tenant:
                tenant.change_anybody(fault.change)
        entry["status"] = None if answer.drop else answer.status_code
        if request.listener == "graph":
            if not answer.gateway:
                graph.finish(request, answer)
            entry["request_id"] = answer.headers.get("request-id")
            # An answer that was bent on purpose proves nothing about the local tenant.
            bent = fault is not None or (tenant is not None and tenant.off_contract)
            self._validate(entry, request, None if bent else answer)
        answer.headers["Date"] = formatdate(clock.wall() + (tenant.switches.date_skew if tenant else 0), usegmt=True)
        # Last, so that a fault can replace and remove what every answer has.
        for name, value in answer.changes.items():
            answer.headers[name] = value or ""
            if value is None:
                del answer.headers[name]
        return answer

    def _validate(self, entry: Entry, request: Request, answer: Answer | None) -> None:
        if self._validator is None:
            return
        entry["violations"] = self._validator.request(request)
        if answer is not None:
            entry["violations"] += self._validator.answer(request, answer)
        if entry["violations"]:
            with self._lock:
                self._violations.append(entry)


def _plain_failure(request: Request, status: int) -> Answer:
    error = {"error": "temporarily_unavailable", "error_description": "The service is in trouble."}
    return Answer.of_json(status, error)
