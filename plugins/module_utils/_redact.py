# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What must never be printed, and the one place that takes it out of text."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote, quote_plus

MASK = "********"

# Tokens that a server might repeat in an error text: anything that looks like a JWT, and the value of a bearer header.
_TOKEN_SHAPES = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=Bearer )[\w.~+/=-]{8,}", re.IGNORECASE)


class Redactor:
    """Remembers secret values and masks them in text.

    :param register: called with each new secret at once, so that the surroundings (Ansible) can mask it too.
    """

    def __init__(self, register: t.Callable[[str], None] | None = None) -> None:
        self._register = register
        self._values: list[str] = []

    def add(self, value: str | None) -> None:
        """Remember a secret, as it is, without the blanks around it, and as it looks in a URL (with `/` encoded or not)
        or a form.

        Blanks alone are no secret: masking them would leave no text legible.
        """
        if value is None or not value.strip():
            return
        used = value.strip()
        for form in (value, used, quote(used, safe=""), quote(used), quote_plus(used)):
            if form not in self._values:
                self._values.append(form)
                # Longest first: a secret that contains another one must not leave its rest behind.
                self._values.sort(key=len, reverse=True)
                if self._register is not None:
                    self._register(form)

    def redact(self, text: object) -> str:
        """The text without any known secret and without anything that looks like a token."""
        result = str(text)
        for value in self._values:
            result = result.replace(value, MASK)
        return _TOKEN_SHAPES.sub(MASK, result)

    def redact_data(self, data: t.Any) -> t.Any:
        """The same for dicts and lists: every string in them is cleaned, keys too."""
        if isinstance(data, str):
            return self.redact(data)
        if isinstance(data, dict):
            return {self.redact(key): self.redact_data(value) for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            return [self.redact_data(item) for item in data]
        return data
