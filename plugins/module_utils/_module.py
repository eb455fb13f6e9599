# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The only file that knows AnsibleModule: arguments in, one result out, and no secret in it."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._errors import InternalError, MissingLibraryError, RequestError
from ._graph import client as _graph
from ._http import REQUESTS_IMPORT_ERROR
from ._login.connection import resolve
from ._login.options import argument_spec as connection_spec
from ._redact import Redactor
from ._tasks.result import ModuleResult

try:
    # ansible-core 2.22 masks what is registered here; older ones do not have it.
    from ansible.module_utils.secrets import register_secret  # type: ignore[import-not-found]  # new in 2.22
except ImportError:
    register_secret = None


# AWX drops a result of more than 700,000 characters, so longer lists of arguments are shortened in its `invocation`.
_MOST_ARGUMENTS_SHOWN = 10


# ansible-core has no types for it.
_AnsibleModule: t.Any = AnsibleModule


class _Module(_AnsibleModule):
    """Takes null for "not given" in every option, and an empty string in every connection option, which AWX needs.

    It must happen this early: AnsibleModule refuses both for a number or a bool, and lets an empty alias take the
    place of a value.

    `named_twice` tells which of the other options a task gives under two names. AnsibleModule takes one value and drops
    the other with a warning only: a dropped exclusion would leave somebody unprotected.
    """

    named_twice: tuple[str, ...] = ()

    def fail_json(self, msg: str, **kwargs: t.Any) -> None:
        """Playbooks branch on `error`, so AnsibleModule's own refusals of arguments have it too."""
        kwargs.setdefault("error", RequestError(msg).details())
        super().fail_json(msg, **kwargs)

    def _load_params(self) -> None:
        super()._load_params()
        connection = connection_spec()
        for name, option in self.argument_spec.items():
            nothing = (None, "") if name in connection else (None,)
            spellings = (name, *option.get("aliases", ()))
            for spelling in spellings:
                if spelling in self.params and self.params[spelling] in nothing:
                    del self.params[spelling]
                elif "options" in option and isinstance(self.params.get(spelling), dict):
                    inner = self.params[spelling].items()
                    self.params[spelling] = {key: value for key, value in inner if value is not None}
            given = [spelling for spelling in spellings if spelling in self.params]
            if len(given) > 1 and name not in connection:
                self.named_twice += (" and ".join(given),)


def run_module(argument_spec: dict[str, dict[str, t.Any]], work: t.Callable[..., ModuleResult], *on: t.Any) -> None:
    """The whole of a module.

    :param argument_spec: the options besides those of the connection.
    :param work: takes the parameters and what it works `on`; as keywords `check_mode`, `diff`, and `connect`, which
        gives a Graph client.
    """
    module = _Module(argument_spec={**connection_spec(), **argument_spec}, supports_check_mode=True)
    redactor = _redactor(module)

    def connect() -> _graph.GraphClient:
        if REQUESTS_IMPORT_ERROR is not None:
            raise MissingLibraryError("requests", REQUESTS_IMPORT_ERROR)
        return _graph.connect(resolve(module.params, os.environ, redactor), redactor)

    for names in module.named_twice:
        module.fail_json(f"{names} are names of one option, and only one of them would count. Give one of them.")
    try:
        report = work(module.params, *on, check_mode=module.check_mode, diff=bool(module._diff), connect=connect)
    except Exception as exc:
        bug = InternalError(exc)
        report = ModuleResult({"changed": False}, bug.message, error=bug)
    # Outside of the except block on purpose: inside, fail_json would add the exception object by itself, which
    # ansible-core prints as it is, and those of the HTTP library can hold the token.
    for warning in report.warnings:
        module.warn(redactor.redact(warning))
    result = {**report.data, "msg": report.message}
    _shorten_arguments(module.params)
    error = report.error
    if error is None:
        module.exit_json(**redactor.redact_data(result))
        return
    result["error"] = error.details()
    if isinstance(error, MissingLibraryError):
        result["msg"] = missing_required_lib(error.package)
    if error.trace is not None:
        result["exception"] = error.trace
    module.fail_json(**redactor.redact_data(result))


def _shorten_arguments(params: dict[str, t.Any]) -> None:
    """ansible-core up to 2.20 repeats the arguments in the result, thousands of object IDs included."""
    for name, value in params.items():
        if isinstance(value, list) and len(value) > _MOST_ARGUMENTS_SHOWN:
            rest = len(value) - _MOST_ARGUMENTS_SHOWN
            params[name] = [*value[:_MOST_ARGUMENTS_SHOWN], f"and {rest} more"]


def _redactor(module: AnsibleModule) -> Redactor:
    """Every secret is made known to Ansible in both of its ways, at once: which one counts depends on the version."""

    def register(value: str) -> None:
        module.no_log_values.add(value)
        if register_secret is not None:
            register_secret(value)

    return Redactor(register)
