# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What must never be printed, and the one place that takes it out of text."""

from __future__ import annotations

import json
import re
import typing as t
from urllib.parse import quote, quote_plus

MASK = "********"

# What looks like a secret although nobody said so. Each expression reads a text once: no part of it can match at many
# positions and run to the end from each of them, however the text is made.
_BEARER = re.compile(r"(?<=Bearer )[\w.~+/=-]{8,}", re.IGNORECASE)
_CLIENT_SECRET = re.compile(r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])", re.ASCII)
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----)(?:[^-]|-(?!----))*", re.ASCII)
# JSON web tokens are looked for inside of such runs.
_RUN = re.compile(r"[\w.-]+", re.ASCII)
# Lines of a secret that are shorter than this are no secret by themselves.
_SHORTEST_LINE = 16
# A shorter secret in small letters may be a word that messages need.
_SHORTEST_OTHER = 8
# Keys of ours. A secret such as "id" must not take them away.
PLAIN_KEY = re.compile(r"[a-z_]{1,64}", re.ASCII)


# The forms of a secret in which texts repeat it: as it is, in a URL (with `/` encoded or not) or a form, in JSON, and
# quoted by Python, which quotes an apostrophe only beside the other kind of quotes.
_FORMS: tuple[t.Callable[[str], str], ...] = (
    str,
    lambda text: quote(text, safe="", errors="replace"),
    lambda text: quote(text, errors="replace"),
    lambda text: quote_plus(text, errors="replace"),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: repr(f'"{text}')[2:-1],
)


class Redactor:
    """Remembers secret values and masks them in text.

    :param register: called with each new secret at once, so that the surroundings (Ansible) can mask it too.
    """

    def __init__(self, register: t.Callable[[str], None] | None = None) -> None:
        self._register = register
        self._values: list[str] = []

    def add(self, value: str | None) -> None:
        """Remember a secret: as it is, on one line, line by line, and in small letters, each as texts repeat it.

        Whitespace alone is no secret: masking it would leave no text legible.
        """
        if value is None or not value.strip():
            return
        used = value.strip()
        lines = (line.strip() for line in used.splitlines())
        spellings = dict.fromkeys((used, " ".join(used.split())))
        if len(used) >= _SHORTEST_OTHER:
            spellings.update(dict.fromkeys([spelling.lower() for spelling in spellings]))
        forms = (
            value,
            *(form(spelling) for spelling in spellings for form in _FORMS),
            *(line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith("-----")),
        )
        for form in forms:
            if form not in self._values:
                self._values.append(form)
                # Longest first: a secret that contains another one must not leave its rest behind.
                self._values.sort(key=len, reverse=True)
                if self._register is not None:
                    self._register(form)

    def redact(self, text: object) -> str:
        """The text without any known secret and without anything that looks like a token or a key."""
        result = str(text)
        for value in self._values:
            result = result.replace(value, MASK)
        if "eyJ" in result:
            result = _RUN.sub(_without_token, result)
        result = _BEARER.sub(MASK, result)
        if "PRIVATE KEY" in result:
            result = _PRIVATE_KEY.sub(rf"\1{MASK}", result)
        return _CLIENT_SECRET.sub(MASK, result) if "Q~" in result else result

    def redact_key(self, key: object) -> str:
        """The same for a key; plain names stay as they are."""
        text = str(key)
        return text if PLAIN_KEY.fullmatch(text) else self.redact(text)

    def redact_data(self, data: t.Any) -> t.Any:
        """The same for dicts and lists: every string in them is redacted, and keys that are not plain names."""
        if isinstance(data, str):
            return self.redact(data)
        if isinstance(data, dict):
            return {self.redact_key(key): self.redact_data(value) for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            return [self.redact_data(item) for item in data]
        return data


def looks_like_token(text: str) -> bool:
    """True for a text that the shapes above would mask a part of."""
    return Redactor().redact(text) != text


def _without_token(run: re.Match[str]) -> str:
    """A run of letters, digits, `_`, `-` and `.`; from where a JSON web token begins in it, the rest is masked.

    A token has three parts or more; one that was cut short is masked too, unless hardly anything of its second part is
    left.
    """
    text = run[0]
    start = text.find("eyJ")
    while start >= 0:
        dot = text.find(".", start)
        if dot < 0:
            return text
        # `eyJ` and at least eight characters, then a dot: the header. Everything before that dot is looked at once.
        if dot - start >= len("eyJ") + 8:
            rest = text[dot + 1 :]
            if "." in rest or len(rest) >= 8:
                return text[:start] + MASK
            return text
        start = text.find("eyJ", dot)
    return text
