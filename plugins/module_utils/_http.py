# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""One HTTP session, and the only file that uses requests.

It adds what requests leaves open: no redirect is followed, a netrc file never replaces our token, `verify` is not
overruled by the environment, and every failure becomes one of our errors, without the header and URL texts that the
exceptions of requests carry (they can hold the token).
"""

from __future__ import annotations

import dataclasses
import json
import ssl
import traceback
import typing as t
from urllib.parse import quote, urlencode, urlsplit

from ._errors import EntraRiskError, NetworkError, RequestError, TlsError
from ._redact import Redactor

REQUESTS_IMPORT_ERROR: str | None = None
try:
    import requests
    import requests.exceptions
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

COLLECTION_VERSION = "0.1.0"
USER_AGENT = f"identityops.entra_risk/{COLLECTION_VERSION}"
CONNECT_TIMEOUT = 10.0

# Plain http is for loopback and for the metadata service of a virtual machine. Through a proxy it would leave the
# machine unencrypted, or reach the metadata service of the proxy. An empty entry wins over the environment.
_NO_PROXY_FOR_HTTP = {"http": ""}


@dataclasses.dataclass(frozen=True)
class Response:
    """What a server answered. Header names are lower case."""

    status: int
    headers: t.Mapping[str, str]
    text: str

    def json(self) -> t.Any:
        """The body as data, or None when it is empty or no JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def is_html(self) -> bool:
        """True for the pages that proxies and gateways put in the place of the service's answer."""
        return "html" in self.headers.get("content-type", "").lower() or self.text.lstrip()[:1] == "<"


class Transport:
    """Sends single requests; repeats nothing.

    :param verify: True, False, or the path of a CA bundle.
    :param timeout: seconds to wait for an answer.
    """

    def __init__(self, *, verify: bool | str, timeout: float, redactor: Redactor) -> None:
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        # Even when told not to follow it, requests prepares the next request, and trips over a broken Location.
        self._session.get_redirect_target = _nowhere  # type: ignore[method-assign]  # there is no setting for it
        self._verify = verify
        self._timeout = timeout
        self._redactor = redactor
        if verify is False:
            # The person switched validation off and was told so once; a line on stderr for each request helps nobody.
            requests.packages.urllib3.disable_warnings(  # type: ignore[attr-defined]  # no stubs for this re-export
                requests.packages.urllib3.exceptions.InsecureRequestWarning  # type: ignore[attr-defined]  # the same
            )

    @property
    def session(self) -> requests.Session:
        """The bare session, for the one login (Service Fabric) whose library insists on it."""
        return self._session

    def send(
        self,
        method: str,
        url: str,
        *,
        params: t.Any = None,
        data: t.Any = None,
        json_body: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
        bearer: str | None = None,
        connect_timeout: float | None = None,
    ) -> Response:
        """Send one request and give back the answer, whatever its status.

        :raises NetworkError: unreachable, proxy failure, broken connection, timeout.
        :raises TlsError: the certificate cannot be verified.
        """

        def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
            # Given even without a token: it keeps requests from sending the password of a netrc file.
            if bearer is not None:
                request.headers["Authorization"] = f"Bearer {bearer}"
            return request

        failure: EntraRiskError
        try:
            response = self._session.request(
                method,
                url,
                params=_query(params),
                data=data,
                json=json_body,
                headers=dict(headers or {}),
                auth=authorise,
                verify=self._verify,
                timeout=(connect_timeout or min(CONNECT_TIMEOUT, self._timeout), self._timeout),
                allow_redirects=False,
                proxies=dict(_NO_PROXY_FOR_HTTP),
            )
            return Response(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                # Not response.text: without a charset in the header it guesses, slowly and sometimes wrong.
                text=response.content.decode("utf-8", "replace"),
            )
        except requests.exceptions.RequestException as exc:
            failure = self._translate(exc, url)
        except OSError as exc:
            # requests checks the CA bundle on its own before it connects, outside of its exceptions.
            reason = self._redactor.redact(exc.strerror or "the CA bundle cannot be read")
            failure = TlsError(f"TLS could not be set up: {reason}. Check ca_path and CURL_CA_BUNDLE.")
        # Raised outside of the except block: the exception of requests holds the request with its headers.
        raise failure

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _translate(self, exc: requests.exceptions.RequestException, url: str) -> EntraRiskError:
        host = host_of(url)
        causes = list(_causes(exc))
        reason = self._redactor.redact(_reason(causes))
        broken_tls = any(isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for cause in causes)
        if isinstance(exc, requests.exceptions.SSLError) and not broken_tls:
            return TlsError(
                f"The TLS connection to {host} failed: {reason}. "
                "If the server's certificate comes from a private CA (or a TLS-inspecting proxy), "
                "name its CA bundle in ca_path."
            )
        if isinstance(exc, requests.exceptions.ProxyError):
            return NetworkError(
                f"The proxy for {host} failed: {reason}. Check HTTPS_PROXY and NO_PROXY in the task's environment."
            )
        if isinstance(exc, requests.exceptions.ConnectTimeout):
            return NetworkError(
                f"No connection to {host} within the time limit. Check the network, the firewall and HTTPS_PROXY."
            )
        if isinstance(exc, requests.exceptions.ReadTimeout):
            return NetworkError(
                f"{host} did not answer within {self._timeout:g} seconds. Try again later, or raise timeout.",
                outcome_unknown=True,
            )
        if any(type(cause).__name__ in ("NewConnectionError", "NameResolutionError") for cause in causes):
            return NetworkError(
                f"{host} could not be reached: {reason}. Check the host name, DNS, the firewall and HTTPS_PROXY, "
                "and graph_url or authority_host if you set them."
            )
        if isinstance(
            exc,
            (
                requests.exceptions.ConnectionError,
                requests.exceptions.ChunkedEncodingError,
                requests.exceptions.ContentDecodingError,
            ),
        ):
            return NetworkError(
                f"The connection to {host} broke: {reason}. Try again; if it happens each time, look at what is on the "
                "way (proxy, firewall).",
                outcome_unknown=True,
            )
        return RequestError(f"The request to {host} could not be sent ({type(exc).__name__}).")


def host_of(url: t.Any) -> str:
    """Host and port of a URL for a message, without a password in it; empty for anything else."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] if isinstance(url, str) else ""
    except ValueError:
        return ""


def _nowhere(resp: object) -> str | None:
    return None


def _query(params: t.Any) -> t.Any:
    """Parameters as Graph's documentation writes them: a blank is %20. A plus sign means itself to some servers."""
    if not isinstance(params, t.Mapping):
        return params
    given = {name: value for name, value in params.items() if value is not None}
    return urlencode(given, quote_via=quote, safe="$,")


def _causes(exc: BaseException) -> t.Iterator[BaseException]:
    """The exception and everything that it wraps: urllib3 hides causes in args, in `reason` and in __cause__."""
    pending: list[object] = [exc]
    seen: set[int] = set()
    while pending:
        item = pending.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        pending.extend([*item.args, getattr(item, "reason", None), item.__cause__, item.__context__])


def _reason(causes: t.Sequence[BaseException]) -> str:
    """The shortest honest reason: what the operating system or the TLS library said; no URL, no header."""
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            # Those that are raised by Python code, not by OpenSSL, have neither attribute.
            return str(getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or "TLS error")
    for cause in causes:
        if (
            isinstance(cause, OSError)
            and cause.strerror
            and not isinstance(cause, requests.exceptions.RequestException)
        ):
            return cause.strerror
    # What http.client makes of a proxy's refusal, such as 407: the status is in the text alone.
    refused = [str(cause) for cause in causes if str(cause).startswith("Tunnel connection failed")]
    return refused[0] if refused else type(causes[-1]).__name__
