"""Graph: risk records and detections on v1.0 and beta, and the little of the directory that goes with them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import re
import time
import typing as t
import uuid
from urllib.parse import quote, urlencode

from . import sessions
from .directory_lists import DIRECTORY_LISTS, DirectoryList
from .listing import Entry, Page, Query, Values, cut
from .odata import Edm, Filter, ODataError, Order, parse_filter, parse_orderby, parse_select
from .principals import DIRECTORIES, Directory
from .records import BadRequestError, RefusedError
from .resources import BETA, GUID, READER_ROLES, RESOURCES, V1, WRITER_ROLES, Action, Resource
from .switches import Switches
from .tenant import Tenant
from .tokens import AccessTokens, InvalidTokenError
from .web import Answer, Request

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
DEFAULT_PAGE = 100
MAX_PAGE = 500
MAX_DIRECTORY_PAGE = 999
MAX_OBJECT_IDS = 1000
MAX_FILTER_CLAUSES = 15
WITH_LATE_MEMBERS = "include-unknown-enum-members"
# The form for a name that begins with "$", which after a slash would be an option: /users('$name@contoso.example')
KEY_IN_BRACKETS = re.compile(r"(?P<set>\w+)\('(?P<key>(?:[^']|'')*)'\)")
# Longer ones never reach Graph.
MAX_TARGET = 4096
_DIAGNOSTIC = json.dumps({"ServerInfo": {"DataCenter": "Loopback", "Slice": "E", "RoleInstance": "EMULATOR"}})
_STATUS_CODES: t.Mapping[int, str] = {
    401: "InvalidAuthenticationToken",
    403: "Forbidden",
    404: "ResourceNotFound",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who asks: the claims of a verified token, and the tenant that it is for."""

    tenant: Tenant
    claims: t.Mapping[str, t.Any]

    @property
    def object_id(self) -> str:
        return str(self.claims.get("oid", ""))

    @property
    def permissions(self) -> frozenset[str]:
        """Application permissions, or the delegated ones."""
        if self.is_person:
            return frozenset(str(self.claims["scp"]).split())
        return frozenset(self.claims.get("roles", ()))

    @property
    def is_person(self) -> bool:
        return "scp" in self.claims


class GraphService:
    """Answers the requests to the Graph listener.

    :param find_tenant: gives the tenant of an id, or None.
    """

    def __init__(self, *, find_tenant: t.Callable[[str], Tenant | None], tokens: AccessTokens) -> None:
        self._find_tenant = find_tenant
        self._tokens = tokens

    def serve(self, request: Request, written: list[str]) -> Answer:
        """The answer to any request; the ids that were written are added to `written`."""
        try:
            caller = self._caller(request)
            return self._dispatch(request, caller, written)
        except RefusedError as exc:
            return failure(request, exc.status, exc.code, exc.message, exc.headers)
        except ODataError as exc:
            return failure(request, 400, "BadRequest", str(exc))

    # Who asks

    def _caller(self, request: Request) -> Caller:
        token = request.bearer
        if not token:
            raise _unauthorized("Access token is empty.")
        try:
            claims = self._tokens.verify(token)
        except InvalidTokenError:
            raise _unauthorized("Access token validation failure. Invalid signature.") from None
        if claims["aud"] not in (f"https://{request.host}", GRAPH_APP_ID):
            raise _unauthorized("Access token validation failure. Invalid audience.")
        tenant = self._find_tenant(claims["tid"])
        if tenant is None:
            raise _unauthorized("The tenant of the token does not exist.")
        if claims["exp"] <= tenant.clock.wall():
            raise _unauthorized("Lifetime validation failed, the token is expired.")
        if tenant.is_revoked(claims["uti"]):
            raise _challenge(claims)
        return Caller(tenant, claims)

    # What is asked

    def _dispatch(self, request: Request, caller: Caller, written: list[str]) -> Answer:
        if len(request.target) > MAX_TARGET:
            return Answer("<html>URI Too Long</html>", 414, content_type="text/html")
        segments = request.segments
        version, path = segments[0], segments[1:]
        if version not in (V1, BETA):
            raise BadRequestError(f"Invalid version: {version}")
        for resource in RESOURCES:
            parts = resource.paths[version].split("/")[1:]
            if path[: len(parts)] == parts:
                return self._risk(request, caller, resource, path[len(parts) :], written)
        for which in DIRECTORY_LISTS:
            key = which.key(path)
            if key is not None:
                return self._directory_list(request, caller, which, key)
        for directory in DIRECTORIES:
            if path[:1] == [directory.name] and len(path) == 2 and not path[-1].startswith("$"):
                return self._directory_read(request, caller, directory, path[1])
            match = KEY_IN_BRACKETS.fullmatch(path[0]) if len(path) == 1 else None
            if match is not None and match["set"] == directory.name:
                return self._directory_read(request, caller, directory, match["key"].replace("''", "'"))
        if path == ["$batch"] or (len(path) == 3 and path[0] == "users" and path[2] == sessions.REVOKE):
            _expect_method(request, "POST")
            _options(request, set())
            if len(path) == 3:
                return sessions.revoke(request, caller.tenant, caller.permissions, written)
            body = _json_object(request)
            return sessions.batch(request, caller.tenant, body, self.serve, plain_failure)
        if path == ["directoryObjects", "getByIds"]:
            return self._objects_by_ids(request, caller)
        unknown = next((part for part in path if part != "identityProtection"), "")
        raise BadRequestError(f"Resource not found for the segment '{unknown}'.")

    def _risk(
        self, request: Request, caller: Caller, resource: Resource, path: t.Sequence[str], written: list[str]
    ) -> Answer:
        tenant = caller.tenant
        if not tenant.limiter.allows(tenant.switches.rate_limit):
            headers = {} if tenant.switches.retry_after is None else {"Retry-After": tenant.switches.retry_after}
            raise RefusedError(429, "TooManyRequests", "Too many requests.", headers)
        action = resource.action(path[0]) if len(path) == 1 else None
        _expect_method(request, "POST" if action else "GET")
        _require(caller, resource.write_roles if action else resource.read_roles)
        if caller.is_person:
            _require_entra_role(caller, WRITER_ROLES if action else {**READER_ROLES, **WRITER_ROLES})
        if not getattr(tenant.switches, resource.license):
            raise RefusedError(403, "Forbidden", "Your tenant is not licensed for this feature.")
        if action:
            return self._act(request, caller, resource, action, written)
        if not path:
            return self._list(request, tenant, resource)
        return self._get(request, tenant, resource, path)

    def _act(self, request: Request, caller: Caller, resource: Resource, action: Action, written: list[str]) -> Answer:
        _options(request, set())
        body = _json_object(request)
        for name in body:
            if name != resource.ids_key:
                raise BadRequestError(
                    f"The parameter '{name}' in the request payload is not a valid parameter for the operation "
                    f"'{action.name}'."
                )
        ids = _guids(body.get(resource.ids_key), resource.ids_key)
        written.extend(caller.tenant.act(resource, action, ids, caller.object_id))
        return Answer(status=204)

    def _list(self, request: Request, tenant: Tenant, resource: Resource) -> Answer:
        options = _options(request, resource.options)
        matching = self._filter(request, tenant, resource, options)
        order = self._order(tenant, resource, options)
        select = _select(options, resource.properties_in(request.segments[0]))
        return self._page(
            request,
            tenant,
            options,
            lambda size, after: tenant.page(resource, Query(size, after, matching, order)),
            _view(request, resource, select),
            f"{_set_path(request)}{_fields(select)}",
        )

    def _page(
        self,
        request: Request,
        tenant: Tenant,
        options: t.Mapping[str, str],
        part: t.Callable[[int, int], Page | None],
        view: t.Callable[[Values], Values],
        what: str,
        *,
        switches: Switches | None = None,
        most: int = MAX_PAGE,
    ) -> Answer:
        """One page of any list, with the link to the next one.

        :param part: gives the page of a size after a number; None when there is no such list.
        :param what: what the context says of it.
        :param switches: those that bend the list, when they are not the tenant's.
        :param most: the largest page.
        """
        switches = switches or tenant.switches
        asked = _page_size(options.get("$top"), most)
        size = min(asked, switches.page_size or asked)
        seal = _seal(tenant, request.path, options)
        after, number = _open_skip_token(options["$skiptoken"], seal) if "$skiptoken" in options else (0, 1)
        found = part(size, after)
        if found is None:
            raise RefusedError(404, "ResourceNotFound", "The record was not found.")
        if number == switches.break_page or (switches.break_last_page and number > 1 and found.last is None):
            raise BadRequestError("Invalid page.")
        page: Values = {"@odata.context": _context(request, what)}
        if found.last is not None:
            kept = {name: value for name, value in options.items() if name != "$skiptoken"}
            kept["$skiptoken"] = f"{_skip_token(found.last, number + 1, seal)}_{size}"
            page["@odata.nextLink"] = (
                f"https://{request.host}{request.raw_path}?{urlencode(kept, safe='$', quote_via=quote)}"
            )
        page["value"] = [view(values) for values in found.values]
        return Answer.of_json(200, page)

    def _filter(
        self, request: Request, tenant: Tenant, resource: Resource, options: t.Mapping[str, str]
    ) -> Filter | None:
        if "$filter" not in options:
            return None
        switches = tenant.switches
        try:
            parsed = parse_filter(options["$filter"], resource.properties_in(request.segments[0]))
        except ODataError:
            raise BadRequestError("Invalid filter clause") from None
        refused = switches.filter_mode == "refuse" or parsed.properties & set(switches.filter_refuse)
        if refused or parsed.clauses > MAX_FILTER_CLAUSES:
            raise BadRequestError("Invalid filter clause")
        if switches.filter_mode == "ignore" or parsed.properties & set(switches.filter_ignore):
            return None
        return parsed

    def _order(self, tenant: Tenant, resource: Resource, options: t.Mapping[str, str]) -> Order | None:
        if "$orderby" not in options:
            return None
        order = parse_orderby(options["$orderby"], resource.sortable)
        if tenant.switches.orderby_mode == "refuse":
            raise BadRequestError("Invalid orderby clause")
        return None if tenant.switches.orderby_mode == "ignore" else order

    def _get(self, request: Request, tenant: Tenant, resource: Resource, path: t.Sequence[str]) -> Answer:
        record = tenant.record(resource, path[0])
        if record is None:
            raise RefusedError(404, "ResourceNotFound", f"No {resource.entity} with this id was found.")
        if len(path) == 1:
            select = _select(_options(request, {"$select"}), resource.properties_in(request.segments[0]))
            return _entity(request, _set_path(request, 1), _view(request, resource, select)(record))
        # Only what can be written to has a history: detections have none.
        if path[1:] == ["history"] and resource.actions:
            return self._page(
                request,
                tenant,
                _options(request, {"$skiptoken", "$top"}),
                lambda size, after: tenant.history(resource, path[0], Query(size, after)),
                _view(request, resource, None),
                f"{_set_path(request, 2)}/history",
            )
        raise BadRequestError(f"Resource not found for the segment '{path[1]}'.")

    # The directory

    def _directory_read(self, request: Request, caller: Caller, directory: Directory, key: str) -> Answer:
        _expect_method(request, "GET")
        _require_directory(caller, [directory])
        select = _select(_options(request, {"$select"}), directory.properties) or directory.defaults
        found = caller.tenant.existing(directory, key)
        return _entity(request, directory.name, {name: found[name] for name in select})

    def _directory_list(self, request: Request, caller: Caller, which: DirectoryList, key: str) -> Answer:
        _expect_method(request, "GET")
        _require_directory(caller, [which])
        options = _options(request, which.options)
        if options.get("$expand", which.expanded) != which.expanded:
            raise BadRequestError("The query specified in the URI is not valid.")
        matching = _directory_filter(options, which.properties)
        select = _select(options, which.properties) or which.defaults
        shown = {*select, "@odata.type", *([which.expanded] if "$expand" in options else [])}
        entries = [
            Entry(number, values)
            for number, values in enumerate(which.entries(caller.tenant, key, caller.permissions), 1)
        ]
        return self._page(
            request,
            caller.tenant,
            options,
            lambda size, after: cut(entries, Query(size, after, matching)),
            lambda values: {name: value for name, value in values.items() if name in shown},
            which.path.rpartition("/")[2],
            switches=caller.tenant.switches if which.bent else Switches(),
            most=MAX_DIRECTORY_PAGE,
        )

    def _objects_by_ids(self, request: Request, caller: Caller) -> Answer:
        _expect_method(request, "POST")
        _options(request, set())
        body = _json_object(request)
        types = {directory.type: directory for directory in DIRECTORIES}
        wanted: t.Any = body.get("types")
        known = isinstance(wanted, list) and wanted and all(name in list(types) for name in wanted)
        if body.keys() != {"ids", "types"} or not known:
            raise BadRequestError("The request body is not valid.")
        for name in wanted:
            _require_directory(caller, [types[name]])
        ids = _guids(body["ids"], "ids")
        if len(ids) > MAX_OBJECT_IDS or len(set(ids)) < len(ids):
            raise BadRequestError(f"The request takes {MAX_OBJECT_IDS} ids, none of them twice.")
        found = [
            {"@odata.type": f"#microsoft.graph.{name}", **{key: values[key] for key in types[name].defaults}}
            for object_id in map(str.lower, ids)
            for name in dict.fromkeys(wanted)
            for values in [caller.tenant.directory_object(types[name], object_id)]
            if values is not None
        ]
        return Answer.of_json(200, {"@odata.context": _context(request, "directoryObjects"), "value": found})


# Answers


def failure(
    request: Request, status: int, code: str, message: str, headers: t.Mapping[str, str] | None = None
) -> Answer:
    """An error in Graph's own shape."""
    request_id = str(uuid.uuid4())
    inner = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
    }
    return Answer.of_json(
        status,
        {"error": {"code": code, "message": message, "innerError": inner}},
        {**(headers or {}), "request-id": request_id},
    )


def plain_failure(request: Request, status: int) -> Answer:
    """The error of a service in trouble, for faults that say no more than a status."""
    return failure(request, status, _STATUS_CODES.get(status, "UnknownError"), "The service is in trouble.")


def finish(request: Request, answer: Answer) -> None:
    """Add the headers that every answer of Graph has."""
    request_id = answer.headers.get("request-id") or str(uuid.uuid4())
    answer.headers.update(
        {
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000",
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
        }
    )
    if answer.headers.get("Content-Type") == "application/json":
        answer.headers["Content-Type"] = (
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        )
    if WITH_LATE_MEMBERS in request.headers.get("prefer", ""):
        answer.headers["Preference-Applied"] = WITH_LATE_MEMBERS


def _unauthorized(message: str, extra: str = "") -> RefusedError:
    challenge = (
        f'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        f'client_id="{GRAPH_APP_ID}"{extra}'
    )
    return RefusedError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def _challenge(claims: t.Mapping[str, t.Any]) -> RefusedError:
    """Continuous access evaluation: the token was good until somebody withdrew it."""
    wanted = {"access_token": {"nbf": {"essential": True, "value": str(claims["iat"] + 1)}}}
    encoded = base64.b64encode(json.dumps(wanted).encode()).decode()
    text = "Continuous access evaluation resulted in challenge with result: InteractionRequired"
    return _unauthorized(text, f', error="insufficient_claims", claims="{encoded}"')


def _context(request: Request, what: str) -> str:
    return f"https://{request.host}/{request.segments[0]}/$metadata#{what}"


def _set_path(request: Request, surplus: int = 0) -> str:
    """The set of the request's path: without version, and without the last `surplus` segments."""
    segments = request.segments[1:]
    return "/".join(segments[: len(segments) - surplus])


def _entity(request: Request, what: str, values: Values) -> Answer:
    return Answer.of_json(200, {"@odata.context": _context(request, f"{what}/$entity"), **values})


def _view(request: Request, resource: Resource, select: t.Sequence[str] | None) -> t.Callable[[Values], Values]:
    """How this client sees a record: without what it did not select, and without what is newer than it or its API."""
    show_all = WITH_LATE_MEMBERS in request.headers.get("prefer", "")
    hidden: t.Container[str] = resource.beta_properties if request.segments[0] == V1 else ()
    late = {} if show_all else resource.late

    def view(values: Values) -> Values:
        values = {**values, **{name: word for name, (word, members) in late.items() if values.get(name) in members}}
        return {name: values[name] for name in select or values if name not in hidden and name in values}

    return view


# Requests


def _expect_method(request: Request, method: str) -> None:
    if request.method != method:
        raise RefusedError(
            405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.", {"Allow": method}
        )


def _require(caller: Caller, permissions: frozenset[str]) -> None:
    if not permissions & caller.permissions:
        raise RefusedError(
            403, "Forbidden", "You cannot perform the requested operation, required scopes are missing in the token."
        )


def _require_entra_role(caller: Caller, roles: t.Mapping[str, str]) -> None:
    if not set(roles.values()) & set(caller.claims.get("wids", ())):
        # No public source shows the text; an empty one is what the gateway sends when it knows nothing better.
        raise RefusedError(403, "UnknownError", "")


def _require_directory(caller: Caller, directories: t.Sequence[Directory | DirectoryList]) -> None:
    """Refuse a caller who may read none of these."""
    if not any(directory.roles & caller.permissions for directory in directories):
        raise RefusedError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _options(request: Request, known: t.Container[str]) -> dict[str, str]:
    """The query options; one that is unknown or comes twice is refused."""
    options: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if name not in known or name in options:
            raise BadRequestError(f"The query parameter '{name}' is not supported.")
        options[name] = value
    return options


def _page_size(text: str | None, maximum: int) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= maximum:
        raise BadRequestError(f"Invalid page size: $top must be between 1 and {maximum}.")
    return int(text)


def _json_object(request: Request) -> Values:
    if request.mimetype != "application/json":
        raise BadRequestError("Write requests must contain the Content-Type header declaration for JSON.")
    try:
        body = request.json_data()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadRequestError(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
            "JSON format."
        )
    return body


def _guids(value: t.Any, name: str) -> list[str]:
    if not isinstance(value, list) or not value:
        raise BadRequestError(f"'{name}' must be a list of at least one id.")
    for item in value:
        if not isinstance(item, str) or not GUID.fullmatch(item):
            raise BadRequestError(f"'{name}' holds an invalid id.")
    return value


def _select(options: t.Mapping[str, str], properties: t.Container[str]) -> t.Sequence[str] | None:
    return parse_select(options["$select"], properties) if "$select" in options else None


def _fields(select: t.Sequence[str] | None) -> str:
    return f"({','.join(select)})" if select else ""


def _directory_filter(options: t.Mapping[str, str], properties: t.Mapping[str, Edm]) -> Filter | None:
    if "$filter" not in options:
        return None
    try:
        parsed = parse_filter(options["$filter"], properties, ignore_case=True)
    except ODataError:
        raise RefusedError(400, "Request_UnsupportedQuery", "Invalid filter clause") from None
    if parsed.clauses > MAX_FILTER_CLAUSES:
        text = f"Too many child clauses specified in search filter expression: {parsed.clauses}."
        raise RefusedError(400, "Request_UnsupportedQuery", text)
    return parsed


# Next links: the place in the list, sealed together with the other options, so that nobody can make one up


def _seal(tenant: Tenant, path: str, options: t.Mapping[str, str]) -> bytes:
    kept = sorted((name, value) for name, value in options.items() if name != "$skiptoken")
    return hashlib.sha256(json.dumps([tenant.id, path, kept]).encode()).digest()


def _skip_token(after: int, number: int, seal: bytes) -> str:
    place = after.to_bytes(8, "big") + number.to_bytes(4, "big")
    return (place + hmac.new(seal, place, "sha256").digest()[:12]).hex()


def _open_skip_token(text: str, seal: bytes) -> tuple[int, int]:
    """The record to go on after, and the number of the page."""
    token = text.partition("_")[0]
    try:
        raw = bytes.fromhex(token)
    except ValueError:
        raw = b""
    after, number = int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:12], "big")
    if not hmac.compare_digest(_skip_token(after, number, seal).encode(), token.encode()):
        raise BadRequestError("Skip token is not valid.")
    return after, number
