# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Foreign text on its way to people and to Ansible.

What a service, a directory, a proxy or a record says is data: it may forge lines, steer a terminal, or hold characters
that no encoder takes.
"""

from __future__ import annotations

import math
import re
import typing as t

from ._redact import PLAIN_KEY

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# What Python calls printable although it shows nothing: fillers, joiners, and selectors of variants.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# More than any property of Graph has, and less than what any ansible-core fails on.
DEEPEST = 30
_TOO_DEEP = "(nested too deeply to be shown)"
# Ansible's JSON decoder refuses numbers of more than 4,300 digits; those of the service have ten.
_MOST_BITS = 1024

# What people read in a terminal or a log, by key; below such a key, everything.
_FOR_PEOPLE = frozenset({"msg", "message", "error", "diff"})
_LONGEST_MESSAGE = 10_000


def printable(text: str, most: int | None = None) -> str:
    """The text as one line that shows all that it holds: no control or bidirectional character, nothing invisible.

    Characters are replaced, not removed: what is left must not grow together into a word that was taken out before.

    :param most: cut what is longer. Take secrets out first: cut in two, one cannot be told any more.
    """
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(character if character.isprintable() else _REPLACEMENT for character in line)
    line = INVISIBLE.sub(_REPLACEMENT, line)
    return line if most is None or len(line) <= most else f"{line[: most - 3]}..."


def printable_lines(text: str) -> str:
    """The same for a text of several lines that are ours, such as a traceback."""
    return "\n".join(" " * (len(line) - len(line.lstrip(" "))) + printable(line) for line in text.split("\n"))


class Carrier:
    """Makes data fit for the way through JSON and Ansible: every string redacted and encodable, keys too.

    `lost` counts the values that could not be carried.

    :param redact: takes secrets out of a text.
    """

    def __init__(self, redact: t.Callable[[str], str]) -> None:
        self.lost = 0
        self._redact = redact

    def carry(self, data: t.Any, *, for_people: bool = False, depth: int = 0) -> t.Any:
        """The same data. Text that people read is printable as well."""
        if isinstance(data, str):
            return self.text(data, for_people=for_people)
        if isinstance(data, (dict, list, tuple)):
            if depth >= DEEPEST:
                self.lost += 1
                return _TOO_DEEP
            if isinstance(data, dict):
                return {
                    self._key(str(key), for_people=for_people): self.carry(
                        value, for_people=for_people or key in _FOR_PEOPLE, depth=depth + 1
                    )
                    for key, value in data.items()
                }
            return [self.carry(item, for_people=for_people, depth=depth + 1) for item in data]
        is_number = isinstance(data, (int, float))
        if is_number and (not math.isfinite(data) if isinstance(data, float) else data.bit_length() > _MOST_BITS):
            self.lost += 1
            return None
        return data

    def _key(self, key: str, *, for_people: bool) -> str:
        return key if PLAIN_KEY.fullmatch(key) else self.text(key, for_people=for_people)

    def text(self, text: str, *, for_people: bool) -> str:
        """One string."""
        redacted = self._redact(text)
        if for_people:
            return printable(redacted, _LONGEST_MESSAGE)
        return _LONE_SURROGATE.sub(_REPLACEMENT, redacted)
