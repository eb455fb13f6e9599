# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""OData text for Graph: the one place that writes it.

https://learn.microsoft.com/graph/filter-query-parameter
"""

from __future__ import annotations

import typing as t
from urllib.parse import quote

# The directory takes 15 values in one filter; Identity Protection documents no number.
_VALUES_PER_FILTER = 15
# Keeps the URL below 2,000 characters, which everything on the way takes.
_LONGEST_FILTER = 1500


def quoted(text: str) -> str:
    """A string literal: single quotes around it, and those inside doubled."""
    return "'" + text.replace("'", "''") + "'"


def any_of(name: str, values: t.Sequence[str]) -> str:
    """A property that has one of the values, as alternatives: what Identity Protection is known to understand."""
    terms = [f"{name} eq {quoted(value)}" for value in values]
    return terms[0] if len(terms) == 1 else f"({' or '.join(terms)})"


def is_in(name: str, values: t.Sequence[str]) -> str:
    """The same as a list, which the directory documents."""
    return f"{name} in ({','.join(map(quoted, values))})"


def chunks(name: str, values: t.Sequence[str]) -> t.Iterator[list[str]]:
    """The values in pieces of which each fits into one filter on the property `name`."""
    chunk: list[str] = []
    length = 0
    for value in values:
        # As long as an alternative is when the URL is encoded.
        needed = len(quote(f"{name} eq {quoted(value)} or "))
        if chunk and (len(chunk) == _VALUES_PER_FILTER or length + needed > _LONGEST_FILTER):
            yield chunk
            chunk, length = [], 0
        chunk.append(value)
        length += needed
    if chunk:
        yield chunk
