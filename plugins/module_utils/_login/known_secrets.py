# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Every secret that options and environment hold, used or not, in its place or not."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import unquote

from .options import CONNECTION_OPTIONS, Option
from .shapes import is_guid, is_path, is_tenant, is_word

# Secrets that the collection takes no option for: of a login as a user, and of the platforms that Ansible runs on.
_OTHER_VARIABLES = ("AZURE_PASSWORD", "IDENTITY_HEADER", "MSI_SECRET", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
# Options of other collections that somebody may have given to ours.
_SECRET_NAMES = re.compile(r"pass(?:word|wd|phrase)?$|secret|token|credential|private_?key|api_?key", re.IGNORECASE)

# Of what is not where it belongs. To mask less would take letters out of every message.
SHORTEST_SECRET = 8
# Typing errors, host names and the like: hiding those would take the meaning out of a message.
_PLAIN = re.compile(r"[a-z0-9.-]{1,63}|[A-Za-z_.-]{1,63}|https?://[A-Za-z0-9.:/-]{1,255}", re.ASCII)
_SHAPES: t.Mapping[str, t.Callable[[str], bool]] = {"tenant": is_tenant, "client_id": is_guid}
_PROXY_VARIABLE = re.compile(r"(?:https?|all)_proxy", re.IGNORECASE)
_PROXY_PASSWORD = re.compile(r"(?:[^/@]*//)?[^:@]*:(.+)@", re.DOTALL)


def known_secrets(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> t.Iterator[str]:
    """The secrets of a task's arguments and of the environment, and what may be one because it is not where it belongs.

    :param params: the arguments as the task gives them, before anything is checked.
    """
    names = {name for option in CONNECTION_OPTIONS for name in (option.name, *option.aliases)}
    for option in CONNECTION_OPTIONS:
        values = [params.get(name) for name in (option.name, *option.aliases)]
        values.extend(environ.get(name) for name in option.env)
        for value in values:
            if option.secret:
                yield from _texts(value)
            elif isinstance(value, str) and _may_be_secret(option, value.strip()):
                yield value
    for name, value in params.items():
        if name not in names and not name.startswith("_ansible_") and _SECRET_NAMES.search(name):
            yield from _texts(value)
    yield from (environ[name] for name in _OTHER_VARIABLES if name in environ)
    for name in filter(_PROXY_VARIABLE.fullmatch, environ):
        found = _PROXY_PASSWORD.match(environ[name])
        if found:
            yield from (found[1], unquote(found[1]))


def _texts(value: t.Any) -> t.Iterator[str]:
    """All texts and numbers in a value, however deep: a list instead of a secret holds one all the same."""
    if isinstance(value, t.Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _may_be_secret(option: Option, value: str) -> bool:
    if len(value) < SHORTEST_SECRET or _PLAIN.fullmatch(value):
        return False
    if option.type == "path":
        return not is_path(value)
    return not _SHAPES.get(option.name, is_word)(value)
