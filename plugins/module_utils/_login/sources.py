# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Where the value of a connection option comes from: the task's arguments or the environment."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from .._errors import CredentialsError
from .options import BY_NAME, USER_VARIABLES, Option
from .shapes import is_word


@dataclasses.dataclass(frozen=True)
class Given:
    """A value that is not empty, and the option or variable it came from."""

    label: str
    value: t.Any = dataclasses.field(repr=False)

    @property
    def text(self) -> str:
        return str(self.value)

    @property
    def named(self) -> str:
        """The label, with the value where a message may repeat it: a secret may have slipped in."""
        return f"{self.label} ({self.text})" if is_word(self.text) else self.label


class Sources:
    """Looks options up in the task's arguments and in the environment. Empty means not given, everywhere."""

    def __init__(self, params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> None:
        self._params = params
        self._environ = environ
        # Paths that were passed over because the file is empty: a message about missing credentials names them.
        self.empty_files: list[Given] = []

    def option(self, name: str) -> Given | None:
        """What the task gives."""
        option = BY_NAME[name]
        # Ansible copies the value of an alias to the option; the alias is what the person wrote, so it is first.
        return self._first(option, self._params, (*option.aliases, option.name))

    def variable(self, name: str) -> Given | None:
        """What the environment gives."""
        option = BY_NAME[name]
        return self._first(option, self._environ, option.env)

    def either(self, name: str) -> Given | None:
        """What the task gives, else what the environment gives."""
        return self.option(name) or self.variable(name)

    def names_user(self) -> bool:
        """True when the environment holds a user name or a password, as AWX's credential sets them."""
        return any(self._environ.get(name, "").strip() for name in USER_VARIABLES)

    def choice(self, name: str, choices: tuple[str, ...], *, hint: str = "") -> str:
        """One of the choices; the first one when nothing is given.

        :raises CredentialsError: something else is given.
        """
        given = self.either(name)
        if given is None:
            return choices[0]
        if given.text not in choices:
            raise CredentialsError(f"{given.named} must be one of {', '.join(choices)}. {hint}".rstrip())
        return given.text

    def flag(self, name: str) -> bool:
        """A yes or no.

        :raises CredentialsError: neither is given.
        """
        given = self.either(name)
        if given is None:
            return bool(BY_NAME[name].default)
        try:
            return FLAGS[given.text.lower()]
        except KeyError:
            raise CredentialsError(f"{given.label} must be true or false.") from None

    def seconds(self, name: str) -> int:
        """A whole number of seconds, 1 or more.

        :raises CredentialsError: something else is given.
        """
        given = self.either(name)
        text = given.text if given is not None else str(BY_NAME[name].default)
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or int(text) < 1:
            raise CredentialsError(f"{name} must be a whole number of seconds, 1 or more.")
        return int(text)

    def _first(self, option: Option, source: t.Mapping[str, t.Any], names: t.Sequence[str]) -> Given | None:
        for name in names:
            value = source.get(name)
            if isinstance(value, (list, tuple, dict)):
                raise CredentialsError(f"{name} must be a single value. Give it as text, not as a list or dictionary.")
            if isinstance(value, str):
                value = _tidy(option, value)
            if value is None or value == "" or (option.exact and not str(value).strip()):
                continue
            if isinstance(value, str) and not option.exact and option.type != "path" and not _is_text(value):
                raise CredentialsError(f"{name} holds bytes that are not text in UTF-8. Set it anew.")
            given = Given(name, value)
            if option.skip_empty_file and _is_empty_file(given.text):
                self.empty_files.append(given)
                continue
            return given
        return None


# The words that Ansible takes for a boolean.
FLAGS: t.Mapping[str, bool] = {
    **dict.fromkeys(("y", "yes", "on", "1", "true", "t"), True),
    **dict.fromkeys(("n", "no", "off", "0", "false", "f"), False),
}


def _tidy(option: Option, value: str) -> str:
    """Without the whitespace around it; paths as Ansible expands them, so that environment and options agree."""
    if option.exact:
        return value
    value = value.strip()
    return os.path.expanduser(os.path.expandvars(value)) if option.type == "path" else value


def _is_text(value: str) -> bool:
    """False for the bytes of an environment variable that Python could not decode."""
    try:
        value.encode()
    except UnicodeError:
        return False
    return True


def _is_empty_file(path: str) -> bool:
    """True for a regular file without content. Whatever cannot be read is for the login to complain about."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as stream:
            return not stream.read(4096).strip()
    except (OSError, ValueError):
        return False
