"""What AWX accepts as a custom credential type: its published rules as data, and one function that applies them.

They are those of AWX 24.6.1, `awx/main/fields.py`. What AWX answers with a 400 is a complaint here.
"""

from __future__ import annotations

import typing as t

import jsonschema
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_NAME = "^[a-zA-Z_]+[a-zA-Z0-9_]*$"
_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}

INPUTS: dict[str, t.Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "required": {"type": "array", "items": _TEXT},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "label"],
                "properties": {
                    "id": {"type": "string", "pattern": _NAME},
                    "label": _TEXT,
                    "type": {"enum": ["string", "boolean"]},
                    "format": {"enum": ["ssh_private_key", "url"]},
                    "choices": {"type": "array", "minItems": 1, "items": _TEXT, "uniqueItems": True},
                    "help_text": _TEXT,
                    "multiline": _FLAG,
                    "secret": _FLAG,
                    "ask_at_runtime": _FLAG,
                    "default": {},
                },
            },
        },
    },
}

INJECTORS: dict[str, t.Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {"^template(\\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": _TEXT},
        },
        "env": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {_NAME: {"type": "string", "pattern": "^[\x00-\x7f]*$"}},
        },
        "extra_vars": {"type": "object", "additionalProperties": False, "patternProperties": {_NAME: _TEXT}},
    },
}

# Only fields of type string can have these.
_OF_STRINGS = ("choices", "multiline", "format", "secret")
_TYPES: dict[str, type] = {"string": str, "boolean": bool}
# A name that stands for the files of the credential.
RESERVED_FIELD = "tower"

FORBIDDEN_PREFIX = "ANSIBLE_"
FORBIDDEN_VARIABLES = frozenset(
    {
        "AD_HOC_COMMAND_ID",
        "AWX_HOST",
        "CACHE",
        "CALLBACK_CONNECTION",
        "CALLBACK_QUEUE",
        "INVENTORY_HOSTVARS",
        "INVENTORY_ID",
        "INVENTORY_SOURCE_ID",
        "INVENTORY_UPDATE_ID",
        "JOB_CALLBACK_DEBUG",
        "JOB_ID",
        "MAX_EVENT_RES",
        "PATH",
        "PROJECT_REVISION",
        "PYTHONPATH",
        "REST_API_TOKEN",
        "REST_API_URL",
        "SUPERVISOR_CONFIG_PATH",
        "VIRTUAL_ENV",
    }
)


def complaints(inputs: dict[str, t.Any], injectors: dict[str, t.Any]) -> list[str]:
    """What AWX would refuse; empty for a good type."""
    found = [*_schema(INPUTS, inputs), *_schema(INJECTORS, injectors)]
    if not found:
        found = [*_fields(inputs.get("fields", [])), *_variables(injectors), *_templates(inputs, injectors)]
    return found


def _schema(schema: dict[str, t.Any], value: dict[str, t.Any]) -> t.Iterator[str]:
    for error in jsonschema.Draft4Validator(schema).iter_errors(value):
        yield f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message}"


def _fields(fields: list[dict[str, t.Any]]) -> t.Iterator[str]:
    names = [field["id"] for field in fields]
    yield from (f"the field {name} is there twice" for name in sorted(set(names)) if names.count(name) > 1)
    for field in fields:
        kind = field.get("type", "string")
        if field["id"] == RESERVED_FIELD:
            yield f"{RESERVED_FIELD} is a reserved field name"
        if "default" in field and not isinstance(field["default"], _TYPES[kind]):
            yield f"the default of {field['id']} is not a {kind}"
        if kind != "string":
            yield from (f"{key} is not allowed for {field['id']}" for key in _OF_STRINGS if key in field)


def _variables(injectors: dict[str, t.Any]) -> t.Iterator[str]:
    for name in injectors.get("env", {}):
        if name.startswith(FORBIDDEN_PREFIX) or name in FORBIDDEN_VARIABLES:
            yield f"the environment variable {name} is not allowed"


def _templates(inputs: dict[str, t.Any], injectors: dict[str, t.Any]) -> t.Iterator[str]:
    """Every template must render when all fields are filled in, with nothing undefined in it."""
    labels = list(injectors.get("file", {}))
    if "template" in labels and len(labels) > 1:
        yield "several files need the syntax template.NAME"
        return
    filename: t.Any = "path" if "template" in labels else {label.partition(".")[2]: "path" for label in labels}
    names: dict[str, t.Any] = {field["id"]: "text" for field in inputs.get("fields", [])}
    names[RESERVED_FIELD] = {"filename": filename} if labels else {}
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for section in injectors.values():
        for key, template in section.items():
            try:
                environment.from_string(template).render(names)
            except TemplateError as exc:
                yield f"{key}: {exc}"
