# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""One HTTP session, and the only file that uses requests.

It adds what requests leaves open: no redirect is followed, a netrc file never replaces our token, `verify` is not
overruled by the environment, an answer has an end (in time and in size), and every failure becomes one of our errors,
without the header and URL texts that the exceptions of requests carry (they can hold the token).
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import ssl
import typing as t
import zlib
from urllib.parse import quote, urlencode, urlsplit

from ._errors import CredentialsError, EntraRiskError, NetworkError, RequestError, StoppedError, TlsError
from ._libraries import working_library
from ._redact import Redactor
from ._text import printable
from ._wire import Wire

REQUESTS_ERROR: EntraRiskError | None = None
try:
    with working_library("requests"):
        import requests
        import requests.exceptions
except CredentialsError as exc:
    REQUESTS_ERROR = exc

COLLECTION_VERSION = "0.1.0"
USER_AGENT = f"identityops.entra_risk/{COLLECTION_VERSION}"
CONNECT_TIMEOUT = 10.0
# Sixty times the largest page that Graph sends.
LARGEST_ANSWER = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_WITHOUT_BODY = frozenset({204, 304})

# Plain http is for loopback and for the metadata service of a virtual machine. Through a proxy it would leave the
# machine unencrypted, or reach the metadata service of the proxy. An empty entry wins over the environment.
_NO_PROXY_FOR_HTTP = {"http": ""}


@dataclasses.dataclass(frozen=True)
class Response:
    """What a server answered. Header names are lower case."""

    status: int
    headers: t.Mapping[str, str]
    text: str

    @functools.cached_property
    def _data(self) -> t.Any:
        try:
            return json.loads(self.text, parse_int=_integer)
        except (ValueError, RecursionError):
            return None

    def json(self) -> t.Any:
        """The body as data, or None when it is empty or no JSON."""
        return self._data

    @property
    def is_html(self) -> bool:
        """True for the pages that proxies and gateways put instead of the service's answer."""
        return "html" in self.headers.get("content-type", "").lower() or self.text.lstrip()[:1] == "<"


class _UnreadableError(Exception):
    """The body of an answer is too large, damaged or incomplete. The text says which."""


class Transport:
    """Sends single requests; repeats nothing.

    :param verify: True, False, or the path of a CA bundle.
    :param timeout: seconds for one request as a whole, to the last byte of its answer.
    """

    def __init__(self, *, verify: bool | str, timeout: float, redactor: Redactor) -> None:
        self._wire = Wire()
        self._session = requests.Session()
        for adapter in self._session.adapters.values():
            self._wire.watch(adapter)
        self._session.headers["User-Agent"] = USER_AGENT
        # The one encoding that is decoded here, with a limit.
        self._session.headers["Accept-Encoding"] = "gzip"
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
        timeout: float | None = None,
    ) -> Response:
        """Send one request and give back the answer, whatever its status.

        :param timeout: seconds, where the request has less time than usual.
        :raises NetworkError: unreachable, proxy failure, broken connection, timeout, an answer that cannot be read.
        :raises TlsError: the certificate cannot be verified.
        """
        seconds = min(timeout or self._timeout, self._timeout)

        def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
            # Given even without a token: it keeps requests from sending the password of a netrc file.
            if bearer is not None:
                request.headers["Authorization"] = f"Bearer {bearer}"
            return request

        _check_proxy(url)
        failure: EntraRiskError
        try:
            request = self._session.prepare_request(
                requests.Request(
                    method,
                    url,
                    params=_query(params),
                    data=data,
                    json=json_body,
                    headers=dict(headers or {}),
                    auth=authorise,
                )
            )
            settings = self._session.merge_environment_settings(
                request.url or "", dict(_NO_PROXY_FOR_HTTP), stream=True, verify=self._verify, cert=None
            )
        except Exception as exc:  # requests lets those of Python and urllib3 through
            failure = RequestError(f"The request to {host_of(url)} could not be sent ({type(exc).__name__}).")
        else:
            limits = (min(connect_timeout or CONNECT_TIMEOUT, seconds), seconds)
            try:
                with self._wire.deadline(seconds):
                    answer = self._session.send(request, timeout=limits, allow_redirects=False, **settings)
                    return _response(answer)
            except StoppedError:
                # A signal in the middle of a request that changes nothing.
                raise
            except Exception as exc:  # whatever it is, the request may have left
                failure = self._translate(exc, url, seconds)
        # Raised outside of the except block: the exception of requests holds the request with its headers.
        raise failure

    def _translate(self, exc: Exception, url: str, seconds: float) -> EntraRiskError:
        """Our error for a failure on the way: the first row that fits.

        Only what fails before the request has left is sure to have changed nothing.
        """
        from ._tls import tls_advice

        causes = list(_causes(exc))
        facts = {
            "host": host_of(url),
            "reason": printable(self._redactor.redact(_reason(causes)), 300),
            "seconds": f"{seconds:g}",
            "tls_advice": tls_advice(causes, self._verify),
        }
        for fits, error, text, may_have_left in _FAILURES:
            if fits(self._wire, causes):
                return error(text.format(**facts), outcome_unknown=may_have_left or self._wire.request_left)
        raise AssertionError("the last row fits everything")


_Fits = t.Callable[[Wire, t.Sequence[BaseException]], bool]


def _caused_by(*names: str) -> _Fits:
    """By name: urllib3 need not be importable, and its classes are not the same in all versions."""

    def fits(wire: Wire, causes: t.Sequence[BaseException]) -> bool:
        return any(base.__name__ in names for cause in causes for base in type(cause).__mro__)

    return fits


def _is_late(wire: Wire, causes: t.Sequence[BaseException]) -> bool:
    return wire.expired or _caused_by("ReadTimeout", "ReadTimeoutError")(wire, causes)


def _is_tls(wire: Wire, causes: t.Sequence[BaseException]) -> bool:
    """The connection could not be secured. A secure one that breaks in the middle is something else."""
    broken = any(isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for cause in causes)
    return not broken and not wire.request_left and _caused_by("SSLError", "SSLCertVerificationError")(wire, causes)


def _is_about_a_file(wire: Wire, causes: t.Sequence[BaseException]) -> bool:
    """requests checks the CA bundle on its own before it connects, outside of its exceptions."""
    return (
        not wire.request_left
        and isinstance(causes[0], OSError)
        and not isinstance(causes[0], (requests.exceptions.RequestException, ConnectionError, TimeoutError))
    )


def _always(wire: Wire, causes: t.Sequence[BaseException]) -> bool:
    return True


# What fits a failure, our error for it, its text, and whether the request may have left. The order matters.
_FAILURES: tuple[tuple[_Fits, type[EntraRiskError], str, bool], ...] = (
    (
        lambda wire, causes: wire.expired and wire.connecting,
        NetworkError,
        "No connection to {host} within the time limit. Check the network, the firewall and HTTPS_PROXY.",
        False,
    ),
    (
        _is_late,
        NetworkError,
        "{host} did not answer in full within {seconds} seconds. Try again later, or raise timeout.",
        True,
    ),
    (
        lambda wire, causes: _caused_by("ProxyError")(wire, causes) and _is_tls(wire, causes),
        NetworkError,
        "The TLS connection to the proxy for {host} failed: {reason}. https:// in HTTPS_PROXY means TLS to the proxy "
        "itself; most proxies are named with http://, also for https.",
        False,
    ),
    (
        _is_tls,
        TlsError,
        "The TLS connection to {host} failed: {reason}. {tls_advice}",
        False,
    ),
    (
        _caused_by("ProxyError"),
        NetworkError,
        "The proxy for {host} failed: {reason}. Check HTTPS_PROXY and NO_PROXY in the task's environment.",
        False,
    ),
    (
        # Before the next row: in urllib3 1 it is a timeout too, by its class.
        _caused_by("NewConnectionError", "NameResolutionError"),
        NetworkError,
        "{host} could not be reached: {reason}. Check the host name, DNS, the firewall and HTTPS_PROXY, and graph_url "
        "or authority_host if you set them.",
        False,
    ),
    (
        _caused_by("ConnectTimeout", "ConnectTimeoutError"),
        NetworkError,
        "No connection to {host} within the time limit. Check the network, the firewall and HTTPS_PROXY.",
        False,
    ),
    (
        _caused_by("InvalidURL", "InvalidSchema", "MissingSchema", "LocationValueError", "ProxySchemeUnknown"),
        NetworkError,
        "The request to {host} could not be sent: {reason}. Check HTTPS_PROXY in the task's environment.",
        False,
    ),
    (
        _is_about_a_file,
        TlsError,
        "TLS could not be set up: {reason}. Check ca_path and CURL_CA_BUNDLE.",
        False,
    ),
    (
        _caused_by("_UnreadableError"),
        NetworkError,
        "The answer of {host} could not be read: {reason}. Try again; if it happens each time, look at what is on the "
        "way (proxy, firewall).",
        True,
    ),
    (
        _always,
        NetworkError,
        "The connection to {host} broke: {reason}. Try again; if it happens each time, look at what is on the way "
        "(proxy, firewall).",
        True,
    ),
)


def _response(answer: requests.Response) -> Response:
    """The answer, read to its end."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    try:
        body = _body(answer.raw, headers, has_length=answer.status_code not in _WITHOUT_BODY)
    finally:
        answer.close()
    return Response(answer.status_code, headers, _decoded(body))


def _body(raw: t.Any, headers: t.Mapping[str, str], *, has_length: bool) -> bytes:
    """The body, uncompressed. Neither what comes nor what becomes of it is larger than the limit.

    :raises _UnreadableError: it is larger, damaged, or not whole.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding in ("gzip", "x-gzip") else None
    parts: list[bytes] = []
    received = size = 0
    while chunk := raw.read(_CHUNK, decode_content=False):
        received += len(chunk)
        if inflate is not None:
            try:
                chunk = inflate.decompress(chunk, LARGEST_ANSWER + 1 - size)
            except zlib.error:
                raise _UnreadableError("it is damaged") from None
        elif encoding not in ("", "identity"):
            raise _UnreadableError("nobody asked for its encoding")
        size += len(chunk)
        if max(size, received) > LARGEST_ANSWER:
            raise _UnreadableError(f"it is larger than {LARGEST_ANSWER // 1024**2} MiB")
        parts.append(chunk)
    declared = headers.get("content-length", "").strip()
    if has_length and declared.isdecimal() and received < int(declared):
        raise _UnreadableError("it is not whole")
    if inflate is not None and received and (not inflate.eof or inflate.unused_data):
        raise _UnreadableError("it is not whole")
    return b"".join(parts)


def _integer(digits: str) -> float:
    """A whole number. Some Pythons refuse thousands of digits, and no JSON decoder has to take them."""
    return int(digits) if len(digits) <= 300 else math.inf


def _decoded(body: bytes) -> str:
    """The text of a body. JSON is UTF-8; what the header says of it is not to be trusted, and guessing is slow.

    Some servers put a byte order mark before it, and some that write UTF-16 need it.
    """
    return body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff")


def _check_proxy(url: str) -> None:
    """Check the proxy that requests will take from the environment."""
    if url.lower().startswith("https:"):
        proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        if proxy:
            from ._proxies import check_proxy

            check_proxy(proxy, os.environ)


def host_of(url: t.Any) -> str:
    """Host and port of a URL for a message, without a password in it; empty for anything else."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] if isinstance(url, str) else ""
    except ValueError:
        return ""


_NO_HTTP = "what came is not valid HTTP"
# What says little by the name of its class.
_REASONS: t.Mapping[str, str] = {
    "BadStatusLine": _NO_HTTP,
    "HTTPException": _NO_HTTP,
    "IncompleteRead": "the answer is not whole",
    "InvalidHeader": _NO_HTTP,
    "LineTooLong": _NO_HTTP,
    "RemoteDisconnected": "it was closed without an answer",
    "ValueError": _NO_HTTP,
}


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
        if isinstance(cause, _UnreadableError):
            return str(cause)
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
    # None of its kinds.
    if causes[0].__class__ is OSError:
        # How requests says it, in its own words and with the path.
        return "the CA bundle cannot be read"
    # What http.client makes of a proxy's refusal, such as 407: the status is in the text alone.
    refused = [str(cause) for cause in causes if str(cause).startswith("Tunnel connection failed")]
    if refused:
        return refused[0]
    name = type(causes[-1]).__name__
    return f"{_REASONS[name]} ({name})" if name in _REASONS else name
