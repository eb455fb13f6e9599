# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The only file that knows AnsibleModule: arguments in, one result out, and no secret in it."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.validation import check_type_dict

from ._errors import ENDINGS, EntraRiskError, InternalError, MissingLibraryError, RequestError
from ._graph import client as _graph
from ._http import REQUESTS_ERROR
from ._interruption import listening
from ._login.connection import describe, resolve
from ._login.known_secrets import SHORTEST_SECRET, known_secrets
from ._login.options import argument_spec as connection_spec
from ._progress import VARIABLE, ProgressFile
from ._redact import Redactor
from ._tasks.arguments import check_arguments, unexpected
from ._tasks.result import ModuleResult
from ._text import DEEPEST, Carrier, printable_lines

# AWX drops a result of more than 700,000 characters, so longer lists of arguments are shortened in its `invocation`.
_MOST_ARGUMENTS_SHOWN = 10


# ansible-core has no types for it.
_AnsibleModule: t.Any = AnsibleModule


class _Module(_AnsibleModule):
    """Takes null for "not given" in every option, and an empty string in every connection option, which AWX needs.

    It must happen this early: AnsibleModule refuses both for a number or a bool, and lets an empty alias take the
    place of a value.

    `refusals` are about what AnsibleModule would take: of an option that a task gives under two names it drops one
    value with a warning only, and a dropped exclusion would leave somebody unprotected; `true` is 1 and "1_0" is 10 to
    it; and a list in a text option becomes a text with brackets, which would be sent as a secret.

    :param refused: the result of a task that fails before it begins, from its parameters and why.
    :param brakes: options that hold a task back. Given, but empty, they stop it, as the times within `filters` do.
    """

    refusals: tuple[EntraRiskError, ...] = ()
    params: dict[str, t.Any]

    def __init__(
        self,
        argument_spec: dict[str, t.Any],
        refused: t.Callable[[t.Mapping[str, t.Any], EntraRiskError], ModuleResult],
        brakes: t.Collection[str],
    ) -> None:
        self._refused = refused
        self._brakes = brakes
        self.redactor = Redactor(self._register)
        super().__init__(argument_spec=argument_spec, supports_check_mode=True)

    def _register(self, secret: str) -> None:
        # Not with the `register_secret` of ansible-core 2.22: it writes what it is told to the file of an async job,
        # which others can read.
        self.no_log_values.add(secret)

    def log(self, msg: str, log_args: t.Mapping[str, t.Any] | None = None) -> None:
        """AnsibleModule writes all arguments to the system's log."""
        super().log(self.redactor.redact(msg), self.redactor.redact_data(dict(log_args or {})))

    def fail_json(self, msg: str, **dummy: t.Any) -> None:
        """AnsibleModule's own refusals of arguments end as all failures do, with all keys of a result."""
        self.leave(self._refused(self.params, RequestError(msg if msg.endswith(".") else f"{msg}.")))

    def leave(self, result: ModuleResult) -> None:
        """The one exit. What leaves holds no secret, and is fit for JSON, Ansible and terminals."""
        carrier = Carrier(self.redactor.redact)
        error = result.error
        # Cleaned first: the number of what is lost belongs to the warnings.
        connection = describe(self.params, os.environ)
        data = carrier.carry({**result.data, "connection": connection, "msg": result.message})
        warnings = list(result.warnings)
        if carrier.lost:
            warnings.append(
                f"Values that the service sent are left out of the result: {carrier.lost}. They are nested more than "
                f"{DEEPEST} levels deep, or numbers too large for JSON."
            )
        _shorten_arguments(self.params)
        self.params = carrier.carry(self.params)
        for warning in warnings:
            self.warn(carrier.text(warning, for_people=True))
        if error is None:
            self.exit_json(**data)
            return
        data["error"] = carrier.carry(error.details(), for_people=True)
        if isinstance(error, MissingLibraryError):
            data["msg"] = missing_required_lib(error.package)
        if error.trace is not None:
            data["exception"] = printable_lines(self.redactor.redact(error.trace))
        super().fail_json(**data)

    def _load_params(self) -> None:
        super()._load_params()
        for name, option in self.argument_spec.items():
            if "options" in option and isinstance(self.params.get(name), str):
                # AnsibleModule takes JSON too, but reads it after what is in it was looked at here.
                with contextlib.suppress(TypeError):
                    self.params[name] = check_type_dict(self.params[name])
        # AnsibleModule fails on what it cannot encode for its log.
        carrier = Carrier(str)
        self.params = carrier.carry(self.params)
        if carrier.lost:
            # A brake that is no number must not vanish.
            text = "A value of the task is infinite, not a number, or nested too deeply. Correct it."
            self.refusals += (RequestError(text),)
        # Then at once: whatever is refused from here on may repeat one.
        for secret in known_secrets(self.params, os.environ):
            self.redactor.add(secret)
        for text in unexpected(self.argument_spec, self.params):
            self.redactor.add(text if len(text) >= SHORTEST_SECRET else None)
        self.params, refusals = check_arguments(self.argument_spec, self.params, connection_spec(), self._brakes)
        self.refusals += tuple(refusals)


def run_module(
    argument_spec: dict[str, dict[str, t.Any]],
    work: t.Callable[..., ModuleResult],
    *on: t.Any,
    refused: t.Callable[..., ModuleResult],
    brakes: t.Collection[str] = (),
) -> None:
    """The whole of a module.

    :param argument_spec: the options besides those of the connection.
    :param work: takes the parameters and what it works `on`; as keywords `check_mode`, `diff`, and `connect`, which
        gives a Graph client.
    :param refused: the result of a task that fails before it begins, from the parameters as far as they are known, what
        it works `on`, and the error.
    :param brakes: options that hold the task back. Given, but empty, they stop it.
    """
    spec = {**connection_spec(), **argument_spec}
    module = _Module(spec, lambda params, error: refused(params, *on, error), brakes)
    redactor = module.redactor
    for refusal in module.refusals:
        module.leave(refused(module.params, *on, refusal))
    with listening() as interruption:

        def connect() -> _graph.GraphClient:
            if REQUESTS_ERROR is not None:
                raise REQUESTS_ERROR
            connection = resolve(module.params, os.environ, redactor)
            progress = ProgressFile(os.environ.get(VARIABLE))
            return _graph.connect(connection, redactor, interruption=interruption, progress=progress)

        try:
            result = work(module.params, *on, check_mode=module.check_mode, diff=bool(module._diff), connect=connect)
        except ENDINGS:
            raise
        except BaseException as exc:  # libraries that are written in Rust panic with exceptions that are no Exception
            result = refused(module.params, *on, InternalError(exc))
        # Outside of the except block on purpose: inside, fail_json would add the exception object by itself, which
        # ansible-core prints as it is, and those of the HTTP library can hold the token.
        module.leave(result)


def _shorten_arguments(params: dict[str, t.Any]) -> None:
    """ansible-core up to 2.20 repeats the arguments in the result, thousands of object IDs included."""
    for name, value in params.items():
        if isinstance(value, list) and len(value) > _MOST_ARGUMENTS_SHOWN:
            rest = len(value) - _MOST_ARGUMENTS_SHOWN
            params[name] = [*value[:_MOST_ARGUMENTS_SHOWN], f"and {rest} more"]
