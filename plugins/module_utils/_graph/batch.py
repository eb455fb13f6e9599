# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Several writes in one request. Graph answers each part by itself, in any order.

https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from .._errors import EntraRiskError, ServiceError
from .._http import Response, host_of
from .client import GraphClient, GraphResponse
from .errors import TOO_MANY, graph_error, named_request, request_id
from .permissions import RequiredPermission

PARTS_PER_BATCH = 20


@dataclasses.dataclass(frozen=True)
class Part:
    """How one part ended: accepted, or with an error. `date` is the service's clock in ticks, after the part."""

    error: EntraRiskError | None
    request_id: str | None = None
    date: int | None = None


def post_all(client: GraphClient, paths: t.Sequence[str], *, required: RequiredPermission) -> list[Part]:
    """POST without a body to up to 20 paths, which are without the API version. One request; repeats no part.

    :raises EntraRiskError: the request as a whole failed; with `outcome_unknown` any part may have been carried out.
    """
    parts = [{"id": str(number), "method": "POST", "url": path} for number, path in enumerate(paths, 1)]
    reply = client.post(f"/{client.api_version}/$batch", {"requests": parts}, required=required, accept=(200,))
    answers = _answers(reply)
    return [_part(client, reply, answers.get(part["id"]), required) for part in parts]


def _answers(reply: GraphResponse) -> dict[str, t.Mapping[str, t.Any]]:
    """What is an answer to a part, by the id of the part. Two answers to one part are none."""
    responses = reply.data.get("responses") if isinstance(reply.data, dict) else None
    answers: dict[str, t.Mapping[str, t.Any]] = {}
    twice = set()
    for item in responses if isinstance(responses, list) else ():
        status = item.get("status") if isinstance(item, dict) else None
        if isinstance(status, int) and not isinstance(status, bool) and isinstance(item.get("id"), str):
            if item["id"] in answers:
                twice.add(item["id"])
            answers[item["id"]] = item
    return {key: item for key, item in answers.items() if key not in twice}


def _part(
    client: GraphClient, reply: GraphResponse, item: t.Mapping[str, t.Any] | None, required: RequiredPermission
) -> Part:
    if item is None:
        error = ServiceError(
            f"Graph's answer to a batch says nothing clear about one of its parts{named_request(reply.request_id)}. "
            "Try again later.",
            status=reply.status,
            request_id=reply.request_id,
            client_request_id=reply.client_request_id,
            outcome_unknown=True,
        )
        return Part(error)
    said = item.get("headers")
    headers = {str(name).lower(): str(value) for name, value in (said if isinstance(said, dict) else {}).items()}
    # Not every part has one of its own.
    headers.setdefault("request-id", reply.request_id or "")
    answer = Response(item["status"], headers, _error_text(item.get("body")))
    if 200 <= answer.status < 300:
        return Part(None, request_id(answer, client.redactor), reply.date)
    client.counts.throttled += answer.status == TOO_MANY
    failure = graph_error(
        answer,
        host=host_of(client.origin),
        required=required,
        call_id=reply.client_request_id,
        writes=True,
        redactor=client.redactor,
    )
    failure.retry_after = client.asked_wait(answer)
    return Part(failure)


def _error_text(body: t.Any) -> str:
    """What a body says of an error, in Graph's own form: nobody on the way knows the parts."""
    error = body.get("error") if isinstance(body, dict) else None
    said = error if isinstance(error, dict) else {}
    texts = {key: said[key] for key in ("code", "message") if isinstance(said.get(key), str)}
    return json.dumps({"error": {"code": "", **texts}})
