# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The HTTP client that MSAL works with: our transport, with retries, and without the traps of the default one.

Left alone, MSAL follows redirects with the secret in the body, posts to whatever host a discovery document names,
prints bodies that are no JSON, and never retries a request.
"""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import urlsplit

from .._errors import EntraRiskError, LoginError, NetworkError, ServiceError, ThrottledError
from .._http import Response, Transport, host_of
from .._redact import Redactor
from .._retry import Clock, Retry, retry_after
from .aadsts import first_line, login_error, named_ids, plain_error, plain_id

_TOO_MANY = 429
# What the metadata service of a virtual machine answers while it is updated: 410 ("gone") for up to 70 seconds, and
# 404 in passing.
_GONE, _NOT_FOUND = 410, 404
_TRANSIENT = frozenset({408, _TOO_MANY, 500, 502, 503, 504})
_MOST_TRIES = 5
# Ten tries take 75 seconds or more. Other machines answer 404 for ever, so that one is not waited for long.
_MOST_TRIES_BY_STATUS = {_GONE: 10, _NOT_FOUND: 3}

_TOKEN_KEYS = ("access_token", "refresh_token", "id_token")
# What every good answer of Entra has: to the question for its endpoints, and to that for a token.
_EXPECTED: t.Mapping[str, str] = {"GET": "token_endpoint", "POST": "access_token"}
# Headers in which the machine proves to its identity endpoint that it may ask.
_SECRET_HEADERS = ("secret", "x-identity-header", "authorization")


@dataclasses.dataclass(frozen=True)
class MsalResponse:
    """An answer in the form that MSAL expects."""

    status_code: int
    text: str
    headers: t.Mapping[str, str]

    def raise_for_status(self) -> None:
        """Part of the form. Answers that MSAL should not see have been turned into our errors before."""


class LoginHttp:
    """`get`, `post` and `close`, as MSAL calls them. Remembers every token that comes along.

    :param retry_timeout: seconds that one request may spend on retries.
    """

    transient: t.ClassVar[frozenset[int]] = _TRANSIENT

    def __init__(self, transport: Transport, redactor: Redactor, clock: Clock, retry_timeout: float) -> None:
        self._transport = transport
        self._redactor = redactor
        self._clock = clock
        self._retry_timeout = retry_timeout
        # Status of the last answer: MSAL gives back bodies only.
        self.status: int | None = None

    def get(self, url: str, params: t.Any = None, headers: t.Any = None, **dummy: t.Any) -> MsalResponse:
        """Ask for something, such as where the token endpoint is."""
        return self._send("GET", url, params=params, headers=headers)

    def post(
        self, url: str, params: t.Any = None, data: t.Any = None, headers: t.Any = None, **dummy: t.Any
    ) -> MsalResponse:
        """Ask for a token."""
        return self._send("POST", url, params=params, headers=headers, data=data)

    def close(self) -> None:
        """Nothing to do: the transport is used for Graph afterwards."""

    def _send(self, method: str, url: str, *, headers: t.Any, **content: t.Any) -> MsalResponse:
        for name, value in (headers or {}).items():
            if name.lower() in _SECRET_HEADERS:
                self._redactor.add(str(value))
        for attempt in Retry(self._clock, self._retry_timeout, tries=_MOST_TRIES):
            try:
                answer = self._request(method, url, headers=headers, **content)
            except NetworkError as exc:
                # A host that cannot be reached at all will not be there in a minute either.
                if not exc.outcome_unknown:
                    raise
                attempt.failed(exc)
                continue
            self.status = answer.status
            body = answer.json()
            if isinstance(body, dict):
                for key in _TOKEN_KEYS:
                    self._redactor.add(str(body.get(key) or ""))
            if answer.status not in self.transient:
                self._check(method, url, answer, body)
                return MsalResponse(answer.status, answer.text, answer.headers)
            error = self._transient_error(url, answer, body)
            error.retry_after = (
                retry_after(answer.headers.get("retry-after"), answer.headers.get("date"), self._clock) or 0.0
            )
            attempt.failed(error, tries=_MOST_TRIES_BY_STATUS.get(answer.status))
        raise AssertionError("the loop ends by an answer or an error")

    def _request(self, method: str, url: str, **content: t.Any) -> Response:
        return self._transport.send(method, url, **content)

    def _check(self, method: str, url: str, answer: Response, body: t.Any) -> None:
        """Raise our error for what MSAL would follow, print, or take for something else."""
        host = urlsplit(url).netloc
        if 300 <= answer.status < 400:
            raise ServiceError(
                f"{host} redirects the login to {_target(answer)}, and no credential is sent there. "
                "Check authority_host and the proxy.",
                status=answer.status,
            )

    def _transient_error(self, url: str, answer: Response, body: t.Any) -> EntraRiskError:
        """What went wrong, where it may be gone the next time."""
        raise NotImplementedError  # each of the two clients below has its own


class EntraHttp(LoginHttp):
    """For logins at Entra: nothing leaves for another host than the one that was configured.

    :param authority: origin of the login service.
    :param who: whose login it is, for messages.
    """

    def __init__(
        self,
        transport: Transport,
        redactor: Redactor,
        clock: Clock,
        retry_timeout: float,
        *,
        authority: str,
        who: str,
    ) -> None:
        super().__init__(transport, redactor, clock, retry_timeout)
        self._authority = authority
        self._who = who
        # MSAL knows https alone. For a service on loopback it is told https, and the requests leave as http.
        self.shown_authority = "https://" + authority.partition("://")[2]

    def _request(self, method: str, url: str, **content: t.Any) -> Response:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}".lower() != self.shown_authority:
            raise ServiceError(
                f"The login service at {self._host} wants the login to go to another place "
                f"({parts.netloc.rpartition('@')[2]}), and no credential is sent there. Check authority_host."
            )
        answer = super()._request(method, self._authority + url[len(self.shown_authority) :], **content)
        return dataclasses.replace(answer, text=answer.text.replace(self._authority, self.shown_authority))

    @property
    def _host(self) -> str:
        return urlsplit(self._authority).netloc

    def _check(self, method: str, url: str, answer: Response, body: t.Any) -> None:
        super()._check(method, url, answer, body)
        is_refusal = isinstance(body, dict) and isinstance(body.get("error"), str)
        if is_refusal and method == "GET":
            # MSAL would keep the reason to itself: this is how an unknown tenant looks.
            raise login_error(body, status=answer.status, who=self._who, redactor=self._redactor)
        is_good = answer.status == 200 and isinstance(body, dict) and isinstance(body.get(_EXPECTED[method]), str)
        if not is_refusal and not is_good:
            kind = "a web page" if answer.is_html else "something that is not an answer of Entra"
            raise ServiceError(
                f"{self._host} answered the login with {kind} (HTTP {answer.status}). "
                "Check authority_host, and whether a proxy on the way (HTTPS_PROXY) answered in Entra's place.",
                status=answer.status,
                **_ids(answer),
            )

    def _transient_error(self, url: str, answer: Response, body: t.Any) -> EntraRiskError:
        body = body if isinstance(body, dict) and isinstance(body.get("error"), str) else {}
        said = first_line(self._redactor.redact(str(body.get("error_description") or "")))
        quote = f"{self._host} kept answering the login with HTTP {answer.status}"
        details: dict[str, t.Any] = {"status": answer.status, **_ids(answer)}
        if body:
            details = login_error(body, status=answer.status, who=self._who, redactor=self._redactor).details()
            del details["kind"]
        ids = named_ids(details["request_id"], details["client_request_id"])
        if answer.status == _TOO_MANY:
            message = (
                f"{quote} (too many requests){said and ': ' + said}. Try again later, or raise retry_timeout. {ids}"
            )
            return ThrottledError(message.rstrip(), **details)
        return ServiceError(f"{quote}{said and ': ' + said}. Try again later. {ids}".rstrip(), **details)


class MetadataHttp(LoginHttp):
    """For the identity endpoint of the machine, which answers at once or not at all.

    It is on the machine or link-local, so a short time to connect is enough, and tells "no Azure here" quickly.

    :param who: whose login it is, for messages.
    :param remedy: what to do about a refusal.
    """

    transient = _TRANSIENT | {_GONE, _NOT_FOUND}
    CONNECT_TIMEOUT = 3.0

    def __init__(
        self,
        transport: Transport,
        redactor: Redactor,
        clock: Clock,
        retry_timeout: float,
        *,
        who: str,
        remedy: str,
    ) -> None:
        super().__init__(transport, redactor, clock, retry_timeout)
        self._who = who
        self._remedy = remedy

    def _request(self, method: str, url: str, **content: t.Any) -> Response:
        return self._transport.send(method, url, connect_timeout=self.CONNECT_TIMEOUT, **content)

    def _check(self, method: str, url: str, answer: Response, body: t.Any) -> None:
        super()._check(method, url, answer, body)
        if answer.status == 401 and "www-authenticate" in answer.headers:
            # Azure Arc says in this header where the key is that it wants to be shown.
            return
        host = urlsplit(url).netloc
        if not isinstance(body, dict):
            raise ServiceError(
                f"{host} answered the managed identity with something that is not JSON (HTTP {answer.status}). Check "
                "that this machine has a managed identity, and that no proxy answers instead of its endpoint "
                "(NO_PROXY).",
                status=answer.status,
            )
        if not isinstance(body.get("access_token"), str):
            # What MSAL makes of it is lossy where the error is an object: "None, None".
            raise login_error(
                plain_error(body), status=answer.status, who=self._who, redactor=self._redactor, remedy=self._remedy
            )

    def _transient_error(self, url: str, answer: Response, body: t.Any) -> EntraRiskError:
        said = first_line(self._redactor.redact(plain_error(body).get("error_description", "")))
        host = urlsplit(url).netloc
        message = f"{host} kept answering the managed identity with HTTP {answer.status}{said and ': ' + said}."
        if answer.status == _TOO_MANY:
            return ThrottledError(f"{message} Try again later, or raise retry_timeout.", status=answer.status)
        if answer.status == _NOT_FOUND:
            return LoginError(f"{message} {self._remedy}", status=answer.status)
        return ServiceError(f"{message} Try again later.", status=answer.status)


def _ids(answer: Response) -> dict[str, t.Any]:
    """The trace ID and the correlation ID, from the headers, where the body has none."""
    headers = answer.headers
    return {
        "request_id": plain_id(headers.get("x-ms-request-id")),
        "client_request_id": plain_id(headers.get("client-request-id")),
    }


def _target(answer: Response) -> str:
    """The host of a redirect, without the rest of the URL."""
    return host_of(answer.headers.get("location")) or "another path"
