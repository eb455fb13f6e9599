"""The OpenAPI document of what the collection asks of Graph, and what it may be answered, made of the tables.

Stricter than the published description where that one is lax: ids are GUIDs, 1 to 60 of them and none twice; no other
keys; a page has at most 500 records.
"""

from __future__ import annotations

import typing as t

from . import sessions
from .directory_lists import DIRECTORY_LISTS, DirectoryList
from .odata import Edm
from .principals import DIRECTORIES, PEOPLE, USERS, WORKLOADS, Directory
from .resources import BETA, GUID, RESOURCES, V1, Resource

Schema = dict[str, t.Any]

_GUID = f"^{GUID.pattern}$"
_GUID_SCHEMA: Schema = {"type": "string", "pattern": _GUID}
_NULLABLE_GUID: Schema = {"type": ["string", "null"], "pattern": _GUID}
_TEXT: Schema = {"type": ["string", "null"]}
_TRUTH: Schema = {"type": ["boolean", "null"]}
_TIME: Schema = {
    "type": ["string", "null"],
    "pattern": r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{7}Z$",
}
_SECOND: Schema = {"type": ["string", "null"], "pattern": r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$"}
_CONTEXT: Schema = {"type": "string", "pattern": r"^https://.+\$metadata#.+"}


def _object(properties: t.Mapping[str, Schema], required: t.Sequence[str] = ()) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), "required": list(required)}


_NULLABLE_NUMBER: Schema = {"type": ["number", "null"]}
_COORDINATES = {**_object(dict.fromkeys(("latitude", "longitude"), _NULLABLE_NUMBER)), "type": ["object", "null"]}
_LOCATION = {
    **_object({**dict.fromkeys(("city", "state", "countryOrRegion"), _TEXT), "geoCoordinates": _COORDINATES}),
    "type": ["object", "null"],
}
_KINDS: t.Mapping[str, Schema] = {"string": _TEXT, "boolean": _TRUTH, "time": _TIME, "object": _LOCATION}
_SPECIAL: t.Mapping[str, Schema] = {
    "id": _GUID_SCHEMA,
    "additionalInfo": {**_TEXT, "contentMediaType": "application/json"},
    **dict.fromkeys(("lastPasswordChangeDateTime", "signInSessionsValidFromDateTime"), _SECOND),
    "keyIds": {"type": ["array", "null"], "items": _GUID_SCHEMA},
    "servicePlans": {"type": "array", "items": {"type": "object"}},
    **dict.fromkeys(
        ("appId", "correlationId", "principalId", "requestId", "servicePrincipalId", "userId"), _NULLABLE_GUID
    ),
}
# A hash, in all that was ever published of real ones.
_DETECTION_ID: Schema = {"type": "string", "pattern": "^[0-9A-Za-z-]+$"}
_ANY_ID: Schema = {"type": "string", "minLength": 1}

_ERROR = _object(
    {
        "error": _object(
            {
                "code": {"type": "string", "minLength": 1},
                "message": {"type": "string"},
                "innerError": {
                    "type": "object",
                    "required": ["date", "request-id", "client-request-id"],
                    "properties": {
                        "date": {"type": "string", "pattern": r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}$"},
                        "request-id": _GUID_SCHEMA,
                        "client-request-id": {"type": "string"},
                    },
                },
            },
            ["code", "message", "innerError"],
        )
    },
    ["error"],
)


def _properties(properties: t.Mapping[str, Edm]) -> dict[str, Schema]:
    return {
        name: {"type": ["string", "null"], "enum": [*edm.members, None]}
        if edm.kind == "enum"
        else _SPECIAL.get(name, _KINDS[edm.kind])
        for name, edm in properties.items()
    }


_MEMBER: dict[str, Schema] = {
    "@odata.type": {"type": "string", "pattern": "^#microsoft.graph."},
    **{name: schema for directory in DIRECTORIES for name, schema in _properties(directory.properties).items()},
}
_TYPED = ("@odata.type", "id")


# Parameters


def _query(name: str, schema: Schema, **more: t.Any) -> Schema:
    return {"name": name, "in": "query", "schema": schema, **more}


def _top(most: int) -> Schema:
    return _query("$top", {"type": "integer", "minimum": 1, "maximum": most})


def _select(names: t.Iterable[str]) -> Schema:
    schema = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "enum": list(names)}}
    return _query("$select", schema, style="form", explode=False)


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


_USER_KEY = _in_path("id", {"type": "string", "pattern": f"^({GUID.pattern}|[^@]+@[^@]+)$"})
_OPTIONS: t.Mapping[str, Schema] = {
    "$filter": _query("$filter", {"type": "string", "minLength": 1}),
    "$orderby": _query(
        "$orderby", {"type": "string", "enum": ["detectedDateTime", "detectedDateTime asc", "detectedDateTime desc"]}
    ),
    # Only as part of a next link.
    "$skiptoken": _query("$skiptoken", {"type": "string", "pattern": "^[0-9a-f]{48}_[0-9]{1,3}$"}),
    "$top": _top(500),
}
_ASKED: Schema = {"name": "client-request-id", "in": "header", "schema": _GUID_SCHEMA}
_PREFER: Schema = {"name": "Prefer", "in": "header", "schema": {"type": "string"}}

# Answers


def _operation(parameters: t.Sequence[Schema], good: Schema | None, *, body: Schema | None = None) -> Schema:
    """One method of a path. `good` is the schema of the answer, None for 204."""
    headers = {
        name: {"required": True, "schema": schema}
        for name, schema in (
            ("request-id", _GUID_SCHEMA),
            ("client-request-id", {"type": "string"}),
            ("x-ms-ags-diagnostic", {"type": "string"}),
        )
    }
    refused = {"description": "Refused.", "headers": headers, "content": {"application/json": {"schema": _ERROR}}}
    answer: Schema = {"description": "Done.", "headers": headers}
    if good is not None:
        answer["content"] = {"application/json": {"schema": good}}
    operation: Schema = {
        "parameters": [*parameters, _ASKED],
        "responses": {"204" if good is None else "200": answer, "4XX": refused, "5XX": refused},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _entity(properties: t.Mapping[str, Schema], required: t.Sequence[str] = ()) -> Schema:
    return _object({"@odata.context": _CONTEXT, **properties}, ["@odata.context", *required])


def _page(item: Schema, most: int = 500) -> Schema:
    return _entity(
        {
            "@odata.nextLink": {"type": "string", "pattern": r"^https://.+[?&]\$skiptoken=.+"},
            "value": {"type": "array", "maxItems": most, "items": item},
        },
        ["value"],
    )


def _ids(most: int) -> Schema:
    return {"type": "array", "minItems": 1, "maxItems": most, "uniqueItems": True, "items": _GUID_SCHEMA}


# Paths


def _risk_paths(resource: Resource, version: str, path: str) -> t.Iterator[tuple[str, Schema]]:
    """Not one property is required: `$select` leaves out the others."""
    properties = _properties(resource.properties_in(version))
    if not resource.actions:
        properties["id"] = _DETECTION_ID
    select, key = _select(properties), _in_path("id", properties["id"])
    options = [_OPTIONS[name] for name in sorted(resource.options & set(_OPTIONS))]
    yield path, {"get": _operation([*options, select, _PREFER], _page(_object(properties)))}
    yield f"{path}/{{id}}", {"get": _operation([key, select, _PREFER], _entity(properties))}
    for action in resource.actions:
        body = _object({resource.ids_key: _ids(60)}, [resource.ids_key])
        yield f"{path}/{action.name}", {"post": _operation([], None, body=body)}
    if resource.actions:
        owner = PEOPLE.history_owner if resource is PEOPLE.resource else WORKLOADS.history_owner
        activity = {
            "detail": properties["riskDetail"],
            "riskEventTypes": {"type": "array", "items": {"type": "string"}},
        }
        item: dict[str, Schema] = {
            **properties,
            "id": _ANY_ID,
            **({owner: _GUID_SCHEMA} if owner else {}),
            "initiatedBy": _TEXT,
            "activity": _object(activity, list(activity)),
        }
        needed = [name for name in item if name.startswith("risk") or name in ("id", owner, "initiatedBy", "activity")]
        parameters = [key, _OPTIONS["$top"], _OPTIONS["$skiptoken"], _PREFER]
        yield f"{path}/{{id}}/history", {"get": _operation(parameters, _page(_object(item, needed)))}


def _directory_one(directory: Directory) -> Schema:
    properties = _properties(directory.properties)
    key = _USER_KEY if directory is USERS else _in_path("id", _GUID_SCHEMA)
    return {"get": _operation([key, _select(properties)], _entity(properties))}


def _directory_list(which: DirectoryList) -> Schema:
    properties = _properties(which.properties)
    known = {**_OPTIONS, "$top": _top(999), "$select": _select(properties)}
    if which.path not in [directory.name for directory in DIRECTORIES]:
        properties["id"] = _ANY_ID
    if which.expanded:
        known["$expand"] = _query("$expand", {"const": which.expanded})
        properties[which.expanded] = _object(_MEMBER, _TYPED)
    parameters = [known[name] for name in sorted(which.options)]
    if "{id}" in which.path:
        parameters.append(_in_path("id", _GUID_SCHEMA))
        return {"get": _operation(parameters, _page(_object(_MEMBER, _TYPED), 999))}
    return {"get": _operation(parameters, _page(_object(properties), 999))}


def _by_ids() -> Schema:
    types = [directory.type for directory in DIRECTORIES]
    found = [
        _object(
            {"@odata.type": {"const": f"#microsoft.graph.{directory.type}"}, **_properties(directory.properties)},
            ["@odata.type"],
        )
        for directory in DIRECTORIES
    ]
    type_names: Schema = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": types}}
    return _operation(
        [],
        _entity({"value": {"type": "array", "items": {"oneOf": found}}}, ["value"]),
        body=_object({"ids": _ids(1000), "types": type_names}, ["ids", "types"]),
    )


def _batch() -> Schema:
    part = _object(
        {
            "id": {"type": "string", "minLength": 1},
            "method": {"enum": ["GET", "PATCH", "POST"]},
            "url": {"type": "string", "pattern": "^/"},
        },
        ["id", "method", "url"],
    )
    answer = _object(
        {"id": {"type": "string"}, "status": {"type": "integer"}, "headers": {}, "body": {}}, ["id", "status"]
    )
    return _operation(
        [],
        _object({"responses": {"type": "array", "items": answer}}, ["responses"]),
        body=_object(
            {"requests": {"type": "array", "minItems": 1, "maxItems": sessions.MAX_PARTS, "items": part}}, ["requests"]
        ),
    )


def document() -> Schema:
    paths: Schema = {}
    for version in (V1, BETA):
        for resource in RESOURCES:
            paths.update(_risk_paths(resource, version, f"/{version}{resource.paths[version]}"))
        for directory in DIRECTORIES:
            paths[f"/{version}/{directory.name}/{{id}}"] = _directory_one(directory)
        for which in DIRECTORY_LISTS:
            paths[f"/{version}/{which.path}"] = _directory_list(which)
        paths[f"/{version}/directoryObjects/getByIds"] = {"post": _by_ids()}
        revoked = _entity({"value": {"const": True}}, ["value"])
        paths[f"/{version}/users/{{id}}/{sessions.REVOKE}"] = {"post": _operation([_USER_KEY], revoked)}
        paths[f"/{version}/$batch"] = {"post": _batch()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Identity Protection in Microsoft Graph", "version": V1},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }
