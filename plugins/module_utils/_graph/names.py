# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What can be an object ID or a user principal name, and when two names are the same. Pure functions.

https://learn.microsoft.com/entra/identity/hybrid/connect/plan-connect-userprincipalname
"""

from __future__ import annotations

import re
import string
import typing as t
import unicodedata

from .._text import INVISIBLE

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
# Entra allows 113 characters. What is far longer makes a URL that no server takes.
_LONGEST_NAME = 320
# Brackets, braces and quotes of all scripts. The plain apostrophe is none of them.
_WRONG_CATEGORIES = frozenset({"Ps", "Pe", "Pi", "Pf"})
# Separators of lists and of URI schemes in several scripts, quotes, marks of e-mail addresses.
_WRONG_CHARACTERS = frozenset(
    '",;:<>\\`\uff02\uff0c\uff1b\uff1a\uff1c\uff1e\u3001\u060c\u061b\ufe50\ufe54\ufe55'
    "\u2033\u2036\u275b\u275c\u275d\u275e"
)
# Full stops of several scripts.
_DOTS = (".", "\uff0e", "\u3002", "\uff61")
_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def is_object_id(value: t.Any) -> bool:
    """True for an object ID (a GUID)."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def is_name(text: str) -> bool:
    """True for what can be a user principal name; the text of a list, a link or a quotation cannot.

    Text that nobody can be called must never end as "not listed".
    """
    local, at, domain = text.partition("@")
    parts = (local, domain)
    return (
        at == "@"
        and "@" not in domain
        and all(parts)
        and len(text) <= _LONGEST_NAME
        and not any(part.startswith(_DOTS) or part.endswith(_DOTS) for part in parts)
        and not any(map(_is_wrong, text))
    )


def _is_wrong(character: str) -> bool:
    return (
        not character.isprintable()
        or character.isspace()
        or character in _WRONG_CHARACTERS
        or INVISIBLE.match(character) is not None
        or unicodedata.category(character) in _WRONG_CATEGORIES
    )


def fold(name: str) -> str:
    """A name for comparisons, as Entra makes them: ASCII letters without case, everything else exactly."""
    return name.translate(_TO_LOWER)
