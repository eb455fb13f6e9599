"""Ending the sign-in sessions of a person, and several requests in one (`$batch`)."""

from __future__ import annotations

import functools
import typing as t

from . import timestamps
from .principals import USERS
from .records import RefusedError
from .tenant import Tenant
from .web import Answer, Request

REVOKE = ("revokeSignInSessions", "microsoft.graph.revokeSignInSessions")
ROLES = frozenset({"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"})
VALID_FROM = "signInSessionsValidFromDateTime"
MAX_PARTS = 20


def revoke(request: Request, tenant: Tenant, permissions: frozenset[str], written: list[str]) -> Answer:
    """The answer to `POST /users/{id or name}/revokeSignInSessions`."""
    key = request.segments[2]
    found = tenant.directory_object(USERS, key)
    if not ROLES & permissions or (found is not None and found["id"] in tenant.switches.reject_ids):
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
    serve: t.Callable[[Request], Answer],
    fail: t.Callable[[Request, int], Answer],
) -> Answer:
    """The answer to `POST /$batch`: the parts are carried out in order, and answered in another one.

    Faults whose path fits a part break that part; one that is dropped is missing in the answer.
    """
    parts = body["requests"] if body.keys() == {"requests"} else None
    if not isinstance(parts, list) or not 1 <= len(parts) <= MAX_PARTS or not all(map(_is_part, parts)):
        raise RefusedError(400, "BadRequest", f"A batch has 1 to {MAX_PARTS} requests without bodies.")
    responses = []
    for item in parts:
        target = f"/{request.segments[0]}{item['url']}"
        part = Request.of(request.listener, item["method"], target, request.headers.items())
        fault = next((fault for fault in tenant.faults if fault.hits(part, tenant.clock.monotonic())), None)
        if fault is None:
            answer = serve(part)
        else:
            right, wrong = functools.partial(serve, part), functools.partial(fail, part)
            answer = fault.apply(part, right, wrong, tenant.clock.sleep)
            tenant.change_anybody(fault.change)
        if not answer.drop:
            headers = {**dict(answer.headers), **answer.changes}
            responses.append(
                {
                    "id": item["id"],
                    "status": answer.status_code,
                    "headers": {name: text for name, text in headers.items() if text is not None},
                    "body": answer.json_data(),
                }
            )
    return Answer.of_json(200, {"responses": responses[::-1]})


def _is_part(item: t.Any) -> bool:
    """Whether it is a POST without a body: others are not asked for."""
    if not isinstance(item, dict) or item.keys() != {"id", "method", "url"}:
        return False
    texts = all(isinstance(text, str) and text for text in item.values())
    return texts and item["method"] == "POST" and item["url"].startswith("/")
