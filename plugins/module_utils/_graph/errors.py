# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What Graph says when it does not do what it was asked, as one cause and one remedy."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._errors import (
    EntraRiskError,
    LicenseError,
    PermissionDeniedError,
    RequestError,
    ServiceError,
    ThrottledError,
    TokenRefusedError,
)
from .._http import Response, host_of
from .._redact import Redactor
from .._text import printable
from .permissions import RequiredPermission

TOO_MANY = 429
# Not carried out for sure: these may be repeated whatever the request was.
_REFUSED_FOR_NOW = frozenset({TOO_MANY, 503})
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504, 509})
# Graph answers these without a body too. Such an answer is told from a gateway's by its headers.
_SOMETIMES_EMPTY = frozenset({401, 403, TOO_MANY, 503})
_MARKS_OF_GRAPH = ("request-id", "www-authenticate")
# Without 303, which says that the request was carried out.
_REDIRECTS = frozenset({300, 301, 302, 304, 305, 307, 308})
# The URL is too long, which every server on the way may say: the same question in other words may be answered.
_TOO_LONG = frozenset({414, 431})
# With any of these the filter of a list may be what is wrong: another one may do.
FILTER_REFUSED = _TOO_LONG | {400}

# By the group of the requests.
_LIMITS = {
    "identityProtection": "Identity Protection allows one request a second for the whole tenant and all its apps",
}
_OTHER_LIMIT = "The directory has a limit for each app and one for the whole tenant"

# Enough to understand, too little to flood a log.
_LONGEST_QUOTE = 300
_LONGEST_ID = 100


def is_transient(answer: Response) -> bool:
    """True when the same request may be answered well later."""
    return answer.status in _TRANSIENT or answer.status == 200


def is_from_graph(answer: Response) -> bool:
    """True for an error that Graph itself gives, false for what somebody on the way (a proxy, a gateway) says.

    https://learn.microsoft.com/graph/errors
    """
    data = answer.json()
    error = data.get("error") if isinstance(data, dict) else None
    if isinstance(error, dict) and isinstance(error.get("code"), str):
        return True
    is_empty = not answer.text.strip() and answer.status in _SOMETIMES_EMPTY
    return is_empty and any(answer.headers.get(name) for name in _MARKS_OF_GRAPH)


def request_id(answer: Response, redactor: Redactor) -> str | None:
    """What Microsoft's support asks for, from the headers."""
    return printable(redactor.redact(answer.headers.get("request-id", "")), _LONGEST_ID) or None


def graph_error(
    answer: Response,
    *,
    host: str,
    required: RequiredPermission,
    call_id: str,
    writes: bool,
    redactor: Redactor,
) -> EntraRiskError:
    """The error that says what an answer means. The order of the rules matters: the first that fits counts.

    :param host: where the request went.
    :param call_id: the `client-request-id` of the request.
    """
    said = _ErrorBody.read(answer, redactor)
    facts: dict[str, t.Any] = {
        "status": answer.status,
        "code": said.code or None,
        "request_id": request_id(answer, redactor) or said.request_id,
        "client_request_id": call_id,
    }
    from_graph = is_from_graph(answer)
    quote = f"{'Graph answered' if from_graph else 'The answer was'} {answer.status}"
    if said.code or said.message:
        quote += ": " + " - ".join(filter(None, (said.code, said.message)))
    quote += f"{named_request(facts['request_id'])}."

    refused = (400 <= answer.status < 500 and answer.status != 408) or answer.status in _REFUSED_FOR_NOW
    # Whoever stands before Graph cannot know what Graph did; but who redirects did not hand the request on.
    outcome_unknown = writes and not (refused and from_graph) and answer.status not in _REDIRECTS

    if 300 <= answer.status < 400:
        target = printable(redactor.redact(host_of(answer.headers.get("location"))), _LONGEST_ID) or "another path"
        return ServiceError(
            f"{host} redirects to {target}, where the token must not go. {quote} Check graph_url and the proxy.",
            outcome_unknown=outcome_unknown,
            **facts,
        )
    if answer.status in _TOO_LONG and not writes:
        return RequestError(f"The request is too long. {quote} Give fewer or shorter values.", **facts)
    if (answer.status >= 400 or answer.is_html) and not from_graph and answer.status not in _TRANSIENT:
        what = "a web page" if answer.is_html else "something else"
        return ServiceError(
            f"{host} answered with {what} instead of Graph's answer. {quote} "
            "A proxy or gateway on the way may be the cause: check HTTPS_PROXY, NO_PROXY and graph_url.",
            outcome_unknown=outcome_unknown,
            **facts,
        )
    if answer.status == 401:
        return TokenRefusedError(
            f"Graph refused the access token. {quote} "
            "Check that the token is not expired and was issued for this Graph host and tenant.",
            **facts,
        )
    if answer.status in (400, 403):
        for marker, build in _REFUSALS:
            if marker.search(f"{said.code} {said.message} {answer.headers.get('www-authenticate', '')}"):
                return build(quote, required, facts)
    if answer.status == 403:
        return _no_role(quote, required, facts)
    if answer.status == TOO_MANY:
        limit = _LIMITS.get(required.rate_limit_group, _OTHER_LIMIT)
        return ThrottledError(
            f"Graph kept answering that there are too many requests. {quote} {limit}: try again later, or raise "
            "retry_timeout.",
            outcome_unknown=outcome_unknown,
            **facts,
        )
    if 400 <= answer.status < 500 and answer.status not in _TRANSIENT:
        return RequestError(
            f"Graph refused the request. {quote} Check the task; if it is right, ask Microsoft's support.",
            **facts,
        )
    if answer.status < 300:
        return ServiceError(
            f"Graph's answer could not be understood. {quote} A proxy on the way may have replaced or cut it.",
            outcome_unknown=outcome_unknown,
            **facts,
        )
    return ServiceError(f"Graph failed. {quote} Try again later.", outcome_unknown=outcome_unknown, **facts)


@dataclasses.dataclass(frozen=True)
class _ErrorBody:
    code: str
    message: str
    request_id: str | None

    @classmethod
    def read(cls, answer: Response, redactor: Redactor) -> _ErrorBody:
        """What Graph said, from a body that may be anything. Both spellings of `innerError` occur."""

        def short(text: t.Any, most: int = _LONGEST_QUOTE) -> str:
            # What is secret goes first: cut in two, it could not be told any more.
            return printable(redactor.redact(text), most) if isinstance(text, str) else ""

        data = answer.json()
        error = data.get("error") if isinstance(data, dict) else None
        if not isinstance(error, dict):
            return cls(short(error), "", None)
        inner = error.get("innerError") or error.get("innererror")
        inner_id = inner.get("request-id") if isinstance(inner, dict) else None
        return cls(short(error.get("code")), short(error.get("message")), short(inner_id, _LONGEST_ID) or None)


def named_request(request_id: str | None) -> str:
    """What Microsoft's support asks for, behind a sentence; nothing where it is not known."""
    return f" (request-id {request_id})" if request_id else ""


def _no_license(quote: str, required: RequiredPermission, facts: dict[str, t.Any]) -> EntraRiskError:
    return LicenseError(
        f"The tenant is not licensed for this: it takes {required.license or 'Microsoft Entra ID P2'}. {quote} "
        "Check that the task names the right tenant.",
        **facts,
    )


def _no_permission(quote: str, required: RequiredPermission, facts: dict[str, t.Any]) -> EntraRiskError:
    if required.other_causes:
        return PermissionDeniedError(
            f"Graph refuses this. {quote} Possible causes: the app lacks the Graph permission {required.permission} "
            f"with admin consent, or {required.other_causes}.",
            **facts,
        )
    return PermissionDeniedError(
        f"The token lacks the Graph permission {required.permission}. {quote} "
        f"Grant the app the application permission {required.permission} (for a user's token, the delegated one) and "
        "give admin consent, then run again.",
        **facts,
    )


def _conditional_access(quote: str, required: RequiredPermission, facts: dict[str, t.Any]) -> EntraRiskError:
    return PermissionDeniedError(
        f"Conditional Access refuses this token. {quote} Ask the tenant's administrator to look at the sign-in log "
        "of the app (service principal sign-ins) for the policy that blocks it.",
        **facts,
    )


def _no_role(quote: str, required: RequiredPermission, facts: dict[str, t.Any]) -> EntraRiskError:
    if required.other_causes:
        return _no_permission(quote, required, facts)
    role = f"With a delegated token the user needs the Entra role {required.role}; " if required.role else ""
    return PermissionDeniedError(
        f"Graph does not allow this. {quote} {role}with an app-only token the app needs the application permission "
        f"{required.permission} with admin consent.",
        **facts,
    )


_REFUSALS: tuple[
    tuple[re.Pattern[str], t.Callable[[str, RequiredPermission, dict[str, t.Any]], EntraRiskError]], ...
] = (
    (
        re.compile(
            r"not licensed|premium license|AadPremiumLicenseRequired|Authentication_RequestFromNonPremiumTenant", re.I
        ),
        _no_license,
    ),
    (re.compile(r"insufficient_claims", re.I), _conditional_access),
    (re.compile(r"required scopes|scopes are missing|Authorization_RequestDenied", re.I), _no_permission),
)
