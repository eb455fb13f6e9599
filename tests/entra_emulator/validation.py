"""Checks the traffic against the OpenAPI document: what clients ask, and what the local tenant answers."""

from __future__ import annotations

import json
import re
import typing as t
from urllib.parse import quote

from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_core.validation.request.exceptions import RequestValidationError

from .graph import KEY_IN_BRACKETS
from .openapi import document
from .web import Answer, Request

# All of ASCII that means nothing special in a path.
_PLAIN = "@$!'()*+,;:=&"
# What the document says of these is "any text", so they need not be compared.
_FREE_TEXT = frozenset(
    {"additionalInfo", "displayName", "ipAddress", "mail", "riskEventType", "userDisplayName", "userPrincipalName"}
)
_VARYING = (
    re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    re.compile(r"[0-9a-f]{64}"),
    re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{7}Z"),
)


class _SeenRequest(WerkzeugOpenAPIRequest):
    request: Request

    @property
    def path(self) -> str:
        # Decoded, since patterns are meant for what the client means; but a slash or a mark of the URL stays encoded.
        segments = self.request.segments
        match = KEY_IN_BRACKETS.fullmatch(segments[-1])
        if match is not None:
            # `users('name')` is another way to write `users/name`.
            segments = [*segments[:-1], match["set"], match["key"].replace("''", "'")]
        return "".join(f"/{quote(segment, safe=_PLAIN)}" for segment in segments)

    @property
    def content_type(self) -> str:
        return str(self.request.mimetype)


class _SeenAnswer(WerkzeugOpenAPIResponse):
    @property
    def data(self) -> bytes:
        return _one_of_a_kind(self.response.get_data())


class Validator:
    """The document, made once. Safe to use from many threads.

    What looks like something that was good before is not checked again: that makes tests of many requests much faster.
    """

    def __init__(self) -> None:
        self._good: set[object] = set()
        paths = document()
        self._openapi = OpenAPI.from_dict(paths)
        self._query_names = [
            (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), _query_names(item))
            for path, item in paths["paths"].items()
        ]

    def request(self, request: Request) -> list[str]:
        headers = [request.headers.get(name, "") for name in ("client-request-id", "prefer")]
        # Whether the ids of a body are good depends on all of them.
        look = None if request.get_data() else _alike(" ".join([request.method, request.target, *headers]))
        if (look, "Authorization" in request.headers) in self._good:
            return []
        found = self._wrong_query(request)
        for error in self._openapi.iter_request_errors(_SeenRequest(request)):
            found.extend(_texts(error))
        if not found and look is not None:
            self._good.add((look, "Authorization" in request.headers))
        return found

    def answer(self, request: Request, answer: Answer) -> list[str]:
        """What is wrong with an answer. One to a request that the document does not know is left alone."""
        content = answer.json_data()
        looks = (
            _alike(f"{request.method} {request.raw_path}"),
            answer.status_code,
            answer.mimetype,
            frozenset(name for name, dummy in answer.headers),
            answer.get_data() if content is None else _look(content),
        )
        if looks in self._good:
            return []
        found = [
            f"answer: {text}"
            for error in self._openapi.iter_response_errors(_SeenRequest(request), _SeenAnswer(answer))
            if not isinstance(error, RequestValidationError)
            for text in _texts(error)
        ]
        if not found:
            self._good.add(looks)
        return found

    def _wrong_query(self, request: Request) -> list[str]:
        """openapi-core passes over query parameters that it does not know, `top` for `$top` among them."""
        known = next((names for pattern, names in self._query_names if pattern.fullmatch(request.raw_path)), {}).get(
            request.method.lower(), frozenset()
        )
        unknown = [f"unknown query parameter {name!r}" for name in request.args if name not in known]
        repeated = [f"query parameter {name!r} comes twice" for name, each in request.args.lists() if len(each) > 1]
        return unknown + repeated


def _query_names(item: t.Mapping[str, t.Any]) -> dict[str, frozenset[str]]:
    return {
        method: frozenset(parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query")
        for method, operation in item.items()
    }


def _one_of_a_kind(body: bytes) -> bytes:
    """The body of a page with one record of each look: 500 alike are no better proof than one, but take 0.3 seconds."""
    if len(body) < 4000:
        return body
    try:
        page = json.loads(body)
    except ValueError:
        return body
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        return body
    page["value"] = list({_look(record): record for record in page["value"]}.values())
    return json.dumps(page).encode()


def _alike(text: str) -> str:
    """The text with the same word instead of each GUID."""
    return _VARYING[0].sub("GUID", text)


def _look(value: t.Any, name: str = "") -> str:
    """Equal for two values that the document cannot tell apart."""
    if isinstance(value, dict):
        return repr([(name, _look(item, name)) for name, item in value.items()])
    if isinstance(value, list):
        # A page may hold any number of records up to the size that was asked for.
        return repr((len(value) > 500, sorted({_look(item) for item in value})))
    if isinstance(value, str):
        if name in _FREE_TEXT:
            return "text"
        for number, pattern in enumerate(_VARYING):
            if pattern.fullmatch(value):
                return f"pattern {number}"
    return repr(value)


def _texts(error: Exception) -> t.Iterator[str]:
    """The error with what is behind it, in one line; never the token, which none of them repeats."""
    schema_errors = getattr(error.__cause__, "schema_errors", None)
    if not schema_errors:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        yield f"{error}{cause}"
        return
    for schema_error in schema_errors:
        place = "/".join(str(part) for part in schema_error.path)
        yield f"{type(error).__name__}: {place}: {schema_error.message}"[:300]
