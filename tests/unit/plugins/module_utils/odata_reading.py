"""What a `$filter` means, read from OData's rules and not from our code."""

from __future__ import annotations

import re

from ansible_collections.identityops.entra_risk.plugins.module_utils import _timestamps


def odata_holds(text: str, values: dict[str, str | None]) -> bool:
    """Whether a filter holds for a record. Strings compare exactly, times by value, and null never holds."""
    tokens = re.findall(r"\(|\)|'(?:[^']|'')*'|[^\s()]+", text)

    def either() -> bool:
        result = both()
        while tokens and tokens[0] == "or":
            tokens.pop(0)
            result = both() or result
        return result

    def both() -> bool:
        result = term()
        while tokens and tokens[0] == "and":
            tokens.pop(0)
            result = term() and result
        return result

    def term() -> bool:
        if tokens[0] == "(":
            tokens.pop(0)
            result = either()
            assert tokens.pop(0) == ")"
            return result
        left, operator, right = tokens.pop(0), tokens.pop(0), tokens.pop(0)
        value = values[left]
        if operator == "eq":
            assert right[0] == right[-1] == "'"
            return value == right[1:-1].replace("''", "'")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", right), "Graph wants a bare UTC time"
        ticks = _timestamps.parse_or_none(value)
        if ticks is None:
            return False
        return {"ge": ticks >= _timestamps.parse(right), "le": ticks <= _timestamps.parse(right)}[operator]

    result = either()
    assert not tokens
    return result
