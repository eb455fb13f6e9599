# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The only file that knows AnsibleModule: arguments in, one result out, and no secret in it."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import BOOLEANS

from ._errors import ENDINGS, CredentialsError, EntraRiskError, InternalError, MissingLibraryError, RequestError
from ._graph import client as _graph
from ._http import REQUESTS_ERROR
from ._interruption import listening
from ._login.connection import describe, resolve
from ._login.known_secrets import SHORTEST_SECRET, known_secrets
from ._login.options import argument_spec as connection_spec
from ._login.shapes import is_word
from ._progress import VARIABLE, ProgressFile
from ._redact import Redactor
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
        for text in _unexpected(self.argument_spec, self.params):
            self.redactor.add(text if len(text) >= SHORTEST_SECRET else None)
        connection = connection_spec()
        for name, option in self.argument_spec.items():
            spellings = (name, *option.get("aliases", ()))
            if name in self._brakes:
                held = {spelling: self.params[spelling] for spelling in spellings if spelling in self.params}
                self.refusals += tuple(_blank_brakes(held))
                # Taken out, or ansible-core 2.16 refuses a null in a list first, in words of its own.
                self.params = {key: value for key, value in self.params.items() if not _is_blank(held.get(key, key))}
            for spelling in spellings:
                if spelling in self.params and _is_nothing(self.params[spelling], blank=name in connection):
                    del self.params[spelling]
                elif "options" in option and isinstance(self.params.get(spelling), dict):
                    inner = self.params[spelling].items()
                    # Only times are plain text in there.
                    times = {
                        f"{spelling}.{key}": value
                        for key, value in inner
                        if option["options"].get(key, {}).get("type") == "str"
                    }
                    self.refusals += tuple(_blank_brakes(times))
                    self.params[spelling] = {key: value for key, value in inner if value is not None}
                elif option["type"] == "int" and not _is_whole(self.params.get(spelling, 0)):
                    del self.params[spelling]
                    text = f"{spelling} must be a whole number, written in digits alone, such as 10."
                    self.refusals += (RequestError(text),)
                elif option["type"] == "bool" and not _is_flag(self.params.get(spelling, False)):
                    del self.params[spelling]
                    self.refusals += (RequestError(f"{spelling} must be true or false."),)
                elif name in connection and isinstance(self.params.get(spelling), (list, dict)):
                    del self.params[spelling]
                    text = f"{spelling} must be a single value. Give it as text, not as a list or dictionary."
                    self.refusals += (CredentialsError(text),)
            given = [spelling for spelling in spellings if spelling in self.params]
            if len(given) > 1 and name not in connection:
                text = f"{' and '.join(given)} are names of one option, and only one of them would count."
                self.refusals += (RequestError(f"{text} Give one of them."),)


def _is_blank(value: t.Any) -> bool:
    """Whether a template came out empty here: null, whitespace, or a list that holds one of these."""
    if isinstance(value, (list, tuple)):
        return any(map(_is_blank, value))
    return value is None or (isinstance(value, str) and not value.strip())


def _blank_brakes(given: t.Mapping[str, t.Any]) -> t.Iterator[RequestError]:
    for name, value in given.items():
        if _is_blank(value):
            yield RequestError(
                f"{name}: it is given, but null or blank, or holds such an entry. A template may have come out empty, "
                "which must not switch a brake off. Give it a value, or leave it out."
            )


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


def _is_nothing(value: t.Any, *, blank: bool) -> bool:
    return value is None or (blank and isinstance(value, str) and not value.strip())


def _is_whole(value: t.Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: t.Any) -> bool:
    return value in BOOLEANS if isinstance(value, (bool, int)) else str(value).strip().lower() in BOOLEANS


def _unexpected(spec: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Values that AnsibleModule will repeat in its refusal, since they are none of the choices."""
    for name, option in spec.items():
        for spelling in (name, *option.get("aliases", ())):
            value = params.get(spelling)
            if "choices" in option:
                values = value if isinstance(value, list) else [value]
                yield from (text for text in values if isinstance(text, str) and not is_word(text))
            if "options" in option and isinstance(value, dict):
                yield from _unexpected(option["options"], value)


def _shorten_arguments(params: dict[str, t.Any]) -> None:
    """ansible-core up to 2.20 repeats the arguments in the result, thousands of object IDs included."""
    for name, value in params.items():
        if isinstance(value, list) and len(value) > _MOST_ARGUMENTS_SHOWN:
            rest = len(value) - _MOST_ARGUMENTS_SHOWN
            params[name] = [*value[:_MOST_ARGUMENTS_SHOWN], f"and {rest} more"]
