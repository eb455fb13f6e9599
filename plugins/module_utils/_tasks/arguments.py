# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The rules for arguments that come before those of AnsibleModule, as functions that do not know it."""

from __future__ import annotations

import re
import typing as t

from .._errors import CredentialsError, EntraRiskError, RequestError
from .._login.shapes import is_word
from .._login.sources import FLAGS

Arguments = dict[str, t.Any]


def check_arguments(
    spec: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any], connection: t.Container[str], brakes: t.Container[str]
) -> tuple[Arguments, list[EntraRiskError]]:
    """The arguments without what is not given or cannot be taken, and the refusals in the order of the options.

    :param connection: the options of which an empty text is none too.
    :param brakes: the options that must not be given empty.
    """
    left = dict(params)
    refusals: list[EntraRiskError] = []
    for name, option in spec.items():
        is_connection = name in connection
        given = {spelling: left.pop(spelling) for spelling in (name, *option.get("aliases", ())) if spelling in left}
        if name in brakes:
            refusals += _blank_brakes(given)
            # Taken out, or ansible-core 2.16 refuses a null in a list first, in words of its own.
            given = {spelling: value for spelling, value in given.items() if not _is_blank(value)}
        given = {spelling: value for spelling, value in given.items() if not _is_nothing(value, blank=is_connection)}
        if "options" in option:
            refusals += _blank_brakes(_times(option, given))
            given = {spelling: _without_nulls(value) for spelling, value in given.items()}
        wrong = [_wrong_form(option, spelling, value, is_connection) for spelling, value in given.items()]
        refusals += filter(None, wrong)
        given = {spelling: value for (spelling, value), error in zip(given.items(), wrong) if error is None}
        if len(given) > 1 and not is_connection:
            text = f"{' and '.join(given)} are names of one option, and only one of them would count."
            refusals.append(RequestError(f"{text} Give one of them."))
        left.update(given)
    return left, refusals


def _times(option: t.Mapping[str, t.Any], given: Arguments) -> Arguments:
    """The times in a nested option, by the names that messages have for them. Only times are plain text in there."""
    return {
        f"{spelling}.{key}": inner
        for spelling, value in given.items()
        if isinstance(value, dict)
        for key, inner in value.items()
        if option["options"].get(key, {}).get("type") == "str"
    }


def _without_nulls(value: t.Any) -> t.Any:
    return {key: inner for key, inner in value.items() if inner is not None} if isinstance(value, dict) else value


def _wrong_form(
    option: t.Mapping[str, t.Any], spelling: str, value: t.Any, is_connection: bool
) -> EntraRiskError | None:
    """The refusal of a value that AnsibleModule would make something else of; None where it would not."""
    for applies, fits, error, text in _FORMS:
        if applies(option, is_connection) and not fits(value):
            return error(f"{spelling} must be {text}")
    return None


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


def _is_nothing(value: t.Any, *, blank: bool) -> bool:
    return value is None or (blank and isinstance(value, str) and not value.strip())


def _is_whole(value: t.Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: t.Any) -> bool:
    return value in (0, 1) if isinstance(value, int) else str(value).strip().lower() in FLAGS


def _is_single(value: t.Any) -> bool:
    return not isinstance(value, (list, dict))


# Which options, what fits, and the refusal of what does not.
_FORMS: tuple[
    tuple[t.Callable[[t.Mapping[str, t.Any], bool], bool], t.Callable[[t.Any], bool], type[EntraRiskError], str], ...
] = (
    (
        lambda option, dummy: option["type"] == "int",
        _is_whole,
        RequestError,
        "a whole number, written in digits alone, such as 10.",
    ),
    (lambda option, dummy: option["type"] == "bool", _is_flag, RequestError, "true or false."),
    (
        lambda dummy, is_connection: is_connection,
        _is_single,
        CredentialsError,
        "a single value. Give it as text, not as a list or dictionary.",
    ),
)


def unexpected(spec: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Values that AnsibleModule will repeat in its refusal, since they are none of the choices."""
    for name, option in spec.items():
        for spelling in (name, *option.get("aliases", ())):
            value = params.get(spelling)
            if "choices" in option:
                values = value if isinstance(value, list) else [value]
                yield from (text for text in values if isinstance(text, str) and not is_word(text))
            if "options" in option and isinstance(value, dict):
                yield from unexpected(option["options"], value)
