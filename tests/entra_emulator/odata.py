"""The part of OData that the service speaks: `$filter` with a real grammar, `$select`, and `$orderby` by one property.

    or         = and { "or" and }
    and        = unary { "and" unary }
    unary      = "not" unary | "(" or ")" | comparison
    comparison = property ( operator literal | "in" "(" literal { "," literal } ")" )

Nulls as OData has them: only `eq null` and `ne` are true for a property without a value.
"""

from __future__ import annotations

import dataclasses
import operator
import re
import typing as t

from . import timestamps

MAX_DEPTH = 50

Record = t.Mapping[str, t.Any]
Predicate = t.Callable[[Record], bool]

_TOKEN = re.compile(
    r"(?P<string>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<mark>[(),])"
)
_OPERATORS: t.Mapping[str, t.Callable[[t.Any, t.Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_EQUALITY = ("eq", "ne", "in")
_CONSTANTS: t.Mapping[str, bool | None] = {"true": True, "false": False, "null": None}


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
        """What to sort by. A record without a value comes first, as OData has it; last in a descending order."""
        return record[self.name] or ""


def parse_filter(text: str, properties: t.Mapping[str, Edm], *, ignore_case: bool = False) -> Filter:
    """Parse a `$filter`.

    :param ignore_case: compare texts without regard to case, as the directory does.
    :raises ODataError: for everything that the grammar above or the types of the properties do not allow.
    """
    parser = _Parser(text, properties, ignore_case)
    matches = parser.parse()
    return Filter(matches, frozenset(parser.used), parser.clauses)


def parse_select(text: str, properties: t.Container[str]) -> list[str]:
    """The property names of a `$select`.

    :raises ODataError: when it is empty or names a property that does not exist.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in properties:
            raise ODataError(f"Could not find a property named '{name}'.")
    return names


def parse_orderby(text: str, properties: t.Container[str]) -> Order:
    """The one property of an `$orderby`, and its direction.

    :raises ODataError: when it is malformed or names a property that the list cannot be sorted by.
    """
    match = re.fullmatch(r"\s*(\w+)(?:\s+(asc|desc))?\s*", text)
    if match is None or match.group(1) not in properties:
        raise ODataError("The $orderby expression is not supported.")
    return Order(match.group(1), match.group(2) == "desc")


class _Parser:
    def __init__(self, text: str, properties: t.Mapping[str, Edm], ignore_case: bool) -> None:
        self._tokens = list(_tokens(text))
        self._properties = properties
        self._ignore_case = ignore_case
        self._depth = 0
        self.used: set[str] = set()
        self.clauses = 0

    def parse(self) -> Predicate:
        matches = self._or()
        if self._tokens:
            raise ODataError(f"Unexpected {self._tokens[0][1]!r}.")
        return matches

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise ODataError("The filter ends too early.")
        return self._tokens.pop(0)

    def _accept(self, kind: str, text: str) -> bool:
        if self._tokens and self._tokens[0] == (kind, text):
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._accept("mark", mark):
            raise ODataError(f"{mark!r} expected.")

    def _or(self) -> Predicate:
        parts = [self._and()]
        while self._accept("word", "or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda record: any(part(record) for part in parts)

    def _and(self) -> Predicate:
        parts = [self._unary()]
        while self._accept("word", "and"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else lambda record: all(part(record) for part in parts)

    def _unary(self) -> Predicate:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ODataError("The filter is nested too deeply.")
        try:
            if self._accept("word", "not"):
                inner = self._unary()
                return lambda record: not inner(record)
            if self._accept("mark", "("):
                inner = self._or()
                self._expect(")")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Predicate:
        kind, name = self._next()
        if kind != "word" or name not in self._properties:
            raise ODataError(f"Could not find a property named {name!r}.")
        self.used.add(name)
        edm = self._properties[name]
        if edm.kind == "object":
            raise ODataError(f"{name!r} cannot be compared.")
        dummy, word = self._next()
        if word not in _OPERATORS and word != "in":
            raise ODataError(f"Unknown operator {word!r}.")
        if edm.kind in ("enum", "boolean") and word not in _EQUALITY:
            raise ODataError(f"{name!r} has no order.")
        fold = str.lower if self._ignore_case and edm.kind == "string" else None
        if word == "in":
            self._expect("(")
            values = [self._literal(edm)]
            while self._accept("mark", ","):
                values.append(self._literal(edm))
            self._expect(")")
            wanted = {_folded(value, fold) for value in values}
            return lambda record: _folded(record.get(name), fold) in wanted
        value = _folded(self._literal(edm), fold)
        compare = _OPERATORS[word]
        if word in _EQUALITY:
            return lambda record: compare(_folded(record.get(name), fold), value)
        if value is None:
            return lambda record: False

        def ordered(record: Record) -> bool:
            actual = _folded(record.get(name), fold)
            return actual is not None and compare(actual, value)

        return ordered

    def _literal(self, edm: Edm) -> str | bool | None:
        self.clauses += 1
        kind, text = self._next()
        if kind == "word" and text in _CONSTANTS:
            value = _CONSTANTS[text]
            if value is None or edm.kind == "boolean":
                return value
        elif kind == "string" and edm.kind in ("string", "enum"):
            literal = text[1:-1].replace("''", "'")
            if edm.kind == "string" or literal in edm.members:
                return literal
        elif kind == "time" and edm.kind == "time":
            try:
                return timestamps.normalise(text)
            except ValueError as exc:
                raise ODataError(str(exc)) from exc
        raise ODataError(f"{text} does not fit the property.")


def _tokens(text: str) -> t.Iterator[tuple[str, str]]:
    """Kind and text of each token. Names and literals must not touch each other, as in `eq'x'`."""
    position = 0
    touching = False
    while position < len(text):
        if text[position].isspace():
            position += 1
            touching = False
            continue
        match = _TOKEN.match(text, position)
        kind = match.lastgroup if match else None
        if match is None or kind is None or (touching and kind != "mark"):
            raise ODataError(f"Syntax error at position {position}.")
        yield kind, match.group()
        position = match.end()
        touching = kind != "mark"


def _folded(value: t.Any, fold: t.Callable[[str], str] | None) -> t.Any:
    return fold(value) if fold is not None and isinstance(value, str) else value
