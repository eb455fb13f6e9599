"""The part of OData that the service speaks: `$filter` (parsed by odata-query), `$select`, `$orderby` by one property.

A filter compares properties with literals of their type; nothing else of OData's expressions is taken. Nulls as OData
has them: only `eq null` and `ne` are true for a property without a value.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
import typing as t

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from . import timestamps

Record = t.Mapping[str, t.Any]
Predicate = t.Callable[[Record], bool]

_COMPARE: t.Mapping[type, t.Callable[[t.Any, t.Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_JOIN: t.Mapping[type, t.Callable[[t.Iterable[bool]], bool]] = {ast.And: all, ast.Or: any}
# odata-query wants a comma in a list of one, as Python does. Other texts in quotes are passed over.
_LIST_OF_ONE = re.compile(r"(\bin\s*)\(\s*('(?:[^']|'')*'|null)\s*\)|'(?:[^']|'')*'")
_BOOLEANS: t.Mapping[str, bool] = {"true": True, "false": False}


class ODataError(Exception):
    """The option is malformed, or asks for what the resource does not have."""


@dataclasses.dataclass(frozen=True)
class Edm:
    """The type of a property: `string`, `boolean`, `time`, `enum` with its members, or `object`."""

    kind: str
    members: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Filter:
    """A parsed `$filter`.

    `properties` are the names that occur in it; `clauses` counts its comparisons, each value of an `in` for itself.
    """

    matches: Predicate
    properties: frozenset[str]
    clauses: int


@dataclasses.dataclass(frozen=True)
class Order:
    """A parsed `$orderby`."""

    name: str
    descending: bool = False

    def key(self, record: Record) -> str:
        """What to sort by. A record without a time comes first, as OData has it; last in a descending order."""
        return _time_of(record.get(self.name)) or ""


def parse_filter(text: str, properties: t.Mapping[str, Edm], *, ignore_case: bool = False) -> Filter:
    """Parse a `$filter`.

    :param ignore_case: compare texts without regard to case, as the directory does.
    """
    reading = _Reading(properties, ignore_case)
    matches = reading.predicate(_tree(text.strip()))
    return Filter(matches, frozenset(reading.used), reading.clauses)


def parse_select(text: str, properties: t.Container[str]) -> list[str]:
    """The property names of a `$select`."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in properties:
            raise ODataError(f"Could not find a property named '{name}'.")
    return names


def parse_orderby(text: str, properties: t.Container[str]) -> Order:
    """The one property of an `$orderby`, and its direction."""
    match = re.fullmatch(r"\s*(\w+)(?:\s+(asc|desc))?\s*", text)
    if match is None or match.group(1) not in properties:
        raise ODataError("The $orderby expression is not supported.")
    return Order(match.group(1), match.group(2) == "desc")


@functools.lru_cache(maxsize=1000)
def _tree(text: str) -> t.Any:
    text = _LIST_OF_ONE.sub(lambda match: f"{match[1]}({match[2]},)" if match[2] else match[0], text)
    try:
        return ODataParser().parse(ODataLexer().tokenize(text))
    except (ODataException, ValueError) as exc:
        raise ODataError("The $filter expression is not valid.") from exc


class _Reading:
    """Makes a predicate of a tree; notes the properties in it, and counts the comparisons."""

    def __init__(self, properties: t.Mapping[str, Edm], ignore_case: bool) -> None:
        self._properties = properties
        self._ignore_case = ignore_case
        self.used: set[str] = set()
        self.clauses = 0

    def predicate(self, node: t.Any) -> Predicate:
        if isinstance(node, ast.BoolOp):
            join, parts = _JOIN[type(node.op)], [self.predicate(node.left), self.predicate(node.right)]
            return lambda record: join(part(record) for part in parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.predicate(node.operand)
            return lambda record: not inner(record)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        raise ODataError("The expression is not supported.")

    def _comparison(self, node: ast.Compare) -> Predicate:
        name = node.left.name if isinstance(node.left, ast.Identifier) and not node.left.namespace else ""
        edm = self._properties.get(name)
        if edm is None:
            raise ODataError(f"Could not find a property named '{name}'.")
        self.used.add(name)
        if edm.kind == "object":
            raise ODataError(f"'{name}' cannot be compared.")
        listed = isinstance(node.comparator, ast.In)
        literals = node.right.val if isinstance(node.right, ast.List) else [node.right]
        if not listed and isinstance(node.right, ast.List):
            raise ODataError("A list is compared by 'in'.")
        fold = self._ignore_case and edm.kind == "string"
        values = [_folded(_literal(literal, edm), fold) for literal in literals]
        self.clauses += len(values)
        if listed:
            return lambda record: _folded(record.get(name), fold) in values
        compare, value = _COMPARE[type(node.comparator)], values[0]
        if compare in (operator.eq, operator.ne):
            return lambda record: compare(_folded(record.get(name), fold), value)
        if edm.kind in ("enum", "boolean"):
            raise ODataError(f"'{name}' has no order.")

        def ordered(record: Record) -> bool:
            actual = _folded(record.get(name), fold)
            if edm.kind == "time":
                actual = _time_of(actual)
            return isinstance(actual, str) and value is not None and compare(actual, value)

        return ordered


def _literal(node: t.Any, edm: Edm) -> str | bool | None:
    if isinstance(node, ast.Null):
        return None
    if isinstance(node, ast.Boolean) and edm.kind == "boolean" and node.val in _BOOLEANS:
        return _BOOLEANS[node.val]
    if isinstance(node, ast.String) and (edm.kind == "string" or node.val in edm.members):
        return node.val
    if isinstance(node, ast.DateTime) and edm.kind == "time":
        try:
            return timestamps.normalize(node.val)
        except ValueError as exc:
            raise ODataError(str(exc)) from exc
    raise ODataError("A literal does not fit its property.")


@functools.lru_cache(maxsize=10000)
def _time_of(value: t.Any) -> str | None:
    """A time in the form that compares as its text does; None for what a test put in its place."""
    try:
        return timestamps.normalize(value)
    except (TypeError, ValueError):
        return None


def _folded(value: t.Any, fold: bool) -> t.Any:
    return value.lower() if fold and isinstance(value, str) else value
