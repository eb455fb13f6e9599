"""Ending the sign-in sessions of a person, and several requests in one (`$batch`)."""

from __future__ import annotations

import functools
import typing as t

from . import timestamps
from .journal import entry_of
from .principals import USERS
from .records import BadRequestError, RefusedError
from .tenant import Tenant
from .web import Answer, Request

REVOKE = "revokeSignInSessions"
ROLES = frozenset({"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"})
MAX_PARTS = 20


def revoke(request: Request, tenant: Tenant, permissions: frozenset[str], written: list[str]) -> Answer:
    key = request.segments[2]
    found = tenant.directory_object(USERS, key)
    refused = found is not None and (found["id"] in tenant.switches.reject_ids or found["userType"] == "Guest")
    if refused or not ROLES & permissions:
        # Graph says the same of a permission that is missing and of a person whom the app may not touch.
        raise RefusedError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    if found is None:
        raise RefusedError(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
    now = timestamps.of(tenant.clock.wall() + tenant.switches.date_skew)
    # Whole seconds, unlike the times of risk.
    tenant.change_user(found["id"], sessions_valid_from=f"{now[:19]}Z")
    written.append(found["id"])
    context = f"https://{request.host}/{request.segments[0]}/$metadata#Edm.Boolean"
    return Answer.of_json(200, {"@odata.context": context, "value": True})


def batch(
    request: Request,
    tenant: Tenant,
    body: t.Mapping[str, t.Any],
    serve: t.Callable[[Request, list[str]], Answer],
    fail: t.Callable[[Request, int], Answer],
) -> Answer:
    """The answer to `POST /$batch`: the parts are carried out in order, and answered in another one.

    Each has an entry of its own in the journal, of the listener `batch`. Faults whose path fits a part break that
    part; one that is dropped is missing in the answer.
    """
    parts = body["requests"] if body.keys() == {"requests"} else None
    if not isinstance(parts, list) or not 1 <= len(parts) <= MAX_PARTS or not all(map(_is_part, parts)):
        raise BadRequestError(f"A batch has 1 to {MAX_PARTS} requests.")
    responses: list[dict[str, t.Any]] = []
    for item in parts:
        target = f"/{request.segments[0]}{item['url']}"
        part = Request.of(request.listener, item["method"], target, request.headers.items())
        entry = {**entry_of(part, tenant.clock.wall()), "listener": "batch"}
        tenant.journal.add(entry)
        fault = next((fault for fault in tenant.faults if fault.hits(part, tenant.clock.monotonic())), None)
        if fault is None:
            answer = serve(part, entry["written"])
        else:
            right, wrong = functools.partial(serve, part, entry["written"]), functools.partial(fail, part)
            answer = fault.apply(part, right, wrong)
            tenant.change_anybody(fault.change)
            entry["fault"] = fault.label
        entry["status"] = None if answer.drop else answer.status_code
        if not answer.drop:
            said = {**dict(answer.headers), **answer.changes}
            responses.append(
                {
                    "id": item["id"],
                    "status": answer.status_code,
                    "headers": {name: text for name, text in said.items() if text is not None},
                    "body": answer.json_data(),
                }
            )
    return Answer.of_json(200, {"responses": responses[::-1]})


def _is_part(item: t.Any) -> bool:
    if not isinstance(item, dict) or item.keys() != {"id", "method", "url"}:
        return False
    texts = all(isinstance(text, str) and text for text in item.values())
    return texts and item["method"] in ("GET", "PATCH", "POST") and item["url"].startswith("/")
