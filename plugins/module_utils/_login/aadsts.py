# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What Entra says when it refuses a login, turned into one error with one cause and one remedy."""

from __future__ import annotations

import re
import typing as t

from .._errors import LoginError
from .._redact import Redactor

_LONGEST_CAUSE = 300

_TENANT = "Check tenant, and cloud_environment or authority_host if the tenant lives in another cloud."
_APPLICATION = "Check client_id, and that the application is registered in, or consented to by, this tenant."
_FEDERATION = (
    "Compare issuer, subject and audience (api://AzureADTokenExchange) of the application's federated credential "
    "with those of the token."
)
_RESOURCE = "Check graph_url and cloud_environment: both must name the Graph of the cloud that the tenant lives in."

# Text for people only. Microsoft warns against branching on these numbers, so nothing else looks at them.
_REMEDIES: t.Mapping[str, str] = {
    "AADSTS7000215": "Use the value of the client secret, not its ID, and check that it belongs to this application.",
    "AADSTS7000222": "Add a new client secret to the application (the old one expired) and use its value.",
    "AADSTS700016": _APPLICATION,
    "AADSTS7000229": _APPLICATION,
    "AADSTS7000112": "Ask an administrator to enable the application in this tenant.",
    "AADSTS90002": _TENANT,
    "AADSTS900023": _TENANT,
    "AADSTS700027": (
        "Upload the certificate (without its key) to the application, and check that it is the one in the file."
    ),
    "AADSTS700024": "Use a fresh token, and check this machine's clock: the assertion is not valid at this time.",
    "AADSTS50027": "Check that oidc_token or the token file holds one complete JSON web token and nothing else.",
    "AADSTS70021": _FEDERATION,
    "AADSTS700211": _FEDERATION,
    "AADSTS700212": _FEDERATION,
    "AADSTS700213": _FEDERATION,
    "AADSTS53003": "Ask an administrator which Conditional Access policy for workload identities blocks this sign-in.",
    "AADSTS500011": _RESOURCE,
    "AADSTS70011": _RESOURCE,
    "AADSTS1002012": _RESOURCE,
}


def login_error(
    data: t.Mapping[str, t.Any],
    *,
    status: int | None,
    who: str,
    redactor: Redactor,
    remedy: str | None = None,
    hint: str = "",
) -> LoginError:
    """The error for an OAuth error body.

    `request_id` is Entra's trace ID and `client_request_id` its correlation ID: support asks for these two.

    :param who: begins the message, such as "The login of application x".
    :param remedy: for codes that have none of their own.
    :param hint: one more sentence that may explain the refusal.
    """
    # What is secret goes first: cut in two, it could not be told any more.
    description = redactor.redact(_text(data.get("error_description")))
    code = _code(data, description)
    cause = _cause(description)
    trace_id = plain_id(data.get("trace_id"))
    correlation_id = plain_id(data.get("correlation_id"))
    sentences = [
        f"{who} was refused: {': '.join(filter(None, (code, cause)))}.",
        _REMEDIES.get(code) or remedy or _look_up(code),
        hint,
        named_ids(trace_id, correlation_id),
    ]
    return LoginError(
        " ".join(filter(None, sentences)),
        status=status,
        code=code,
        request_id=trace_id,
        client_request_id=correlation_id,
    )


def named_ids(trace_id: str | None, correlation_id: str | None) -> str:
    """What Microsoft's support asks for, in brackets; empty where nothing is known."""
    ids = [f"{name} {value}" for name, value in (("trace ID", trace_id), ("correlation ID", correlation_id)) if value]
    return f"({', '.join(ids)})" if ids else ""


def first_line(text: str) -> str:
    """The first line, without the IDs and times that Entra appends to it, and not longer than a message can bear.

    No full stop at its end, so that a sentence can be built around it.
    """
    line = re.split(r"[\r\n]|\s(?:Trace ID|Correlation ID|Timestamp):", text.strip(), maxsplit=1)[0].strip()
    return line.rstrip(". ") if len(line) <= _LONGEST_CAUSE else line[:_LONGEST_CAUSE].rstrip() + "..."


def plain_error(body: t.Any) -> dict[str, str]:
    """An error body of any form in that of OAuth: `error` and `error_description`.

    The endpoints of managed identities each have a form of their own: OAuth's, an object in `error`, or `statusCode`
    and `message`.
    """
    if not isinstance(body, dict):
        return {}
    error = body.get("error")
    inner = error if isinstance(error, dict) else body
    code = inner.get("code") if inner is error or not isinstance(error, str) else error
    return {
        "error": _text(code or inner.get("Code") or inner.get("statusCode")),
        "error_description": _text(
            next(filter(None, map(inner.get, ("error_description", "message", "Message", "description"))), None)
            or body.get("error_description")
            or body.get("message")
        ),
    }


def _text(value: t.Any) -> str:
    """A text or a number as text; of an object its message, and empty where it has none."""
    if isinstance(value, dict):
        value = next((value[name] for name in ("message", "value", "code") if name in value), None)
    return str(value) if isinstance(value, (str, int)) else ""


def _cause(description: str) -> str:
    """The first sentence of Entra's description, and the reason in brackets that some have."""
    text = re.sub(r"^AADSTS[0-9]{1,9}:\s*", "", description)
    sentence = first_line(re.split(r"\.\s", text, maxsplit=1)[0])
    reason = re.search(r"\[Reason - ([^.,\]\r\n]{1,100})", text)
    return f"{sentence} ({reason[1]})" if reason is not None else sentence


def _code(data: t.Mapping[str, t.Any], description: str) -> str:
    """Entra's own code where there is one, else the code of OAuth."""
    codes = data.get("error_codes")
    # True is a number of Python too, but not a code.
    if isinstance(codes, list) and codes and isinstance(codes[0], int) and 1 < codes[0] < 10**9:
        return f"AADSTS{codes[0]}"
    found = re.search(r"AADSTS[0-9]{1,9}", description)
    if found is not None:
        return found[0]
    error = str(data.get("error") or "")
    return error if re.fullmatch(r"[\w.-]{1,64}", error, re.ASCII) else "unknown_error"


def plain_id(value: object) -> str | None:
    """An ID that is safe to show; anything else in its place is no ID."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.-]{1,64}", value, re.ASCII) else None


def _look_up(code: str) -> str:
    if code.startswith("AADSTS"):
        return f"https://login.microsoftonline.com/error?code={code[len('AADSTS') :]} explains the code."
    return "Check tenant, client_id and the credential."
