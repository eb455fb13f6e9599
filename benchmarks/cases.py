"""What is measured, as data."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Method:
    """One way to dismiss users.

    :param command: a playbook, or a mode of the SDK script.
    :param color: in the plot, as `marker`.
    :param by_filters: selects the users at risk by itself; all others get the IDs.
    """

    label: str
    command: str
    color: str
    marker: str
    is_script: bool = False
    by_filters: bool = False


METHODS: t.Mapping[str, Method] = {
    "module": Method("`risky_user`, users by id", "risky_user", "#2f81f7", "o"),
    "module_filters": Method("`risky_user`, by filters", "risky_user", "#12958a", "s", by_filters=True),
    "uri_chunks": Method("`uri`, list and chunks of 60", "uri_chunks", "#d4690f", "^"),
    "uri_each": Method("`uri`, a read and a write a user", "uri_each", "#d0404a", "v"),
    "sdk_chunks": Method("msgraph-sdk script, list and chunks of 60", "chunks", "#8957e5", "D", is_script=True),
    "sdk_each": Method("msgraph-sdk script, a write a user", "each", "#b35fae", "P", is_script=True),
}
# Everything is compared with this one, at the same number of users.
BASE = "module"
# One request a user at one request a second takes minutes to hours; the larger of those cases are left out.
ONE_BY_ONE = ("uri_each", "sdk_each")
# With the limit on, everybody waits most of the time. So these run side by side, each case on a tenant of its own.
LANES = (("module", "module_filters"), ("uri_chunks", "uri_each"), ("sdk_chunks", "sdk_each"))


@dataclasses.dataclass(frozen=True)
class Case:
    """A method, a number of users, all at risk in a tenant of their own, and whether the service has its limit."""

    method: str
    users: int
    limited: bool


def _cases(limited: bool, **numbers: t.Sequence[int]) -> list[Case]:
    return [Case(method, users, limited) for method, several in numbers.items() for users in several]


QUICK = [
    *_cases(False, module=[1, 60], module_filters=[130], uri_chunks=[60], uri_each=[1], sdk_chunks=[60], sdk_each=[1]),
    *_cases(True, module=[60], uri_chunks=[60], sdk_chunks=[60]),
]
_FULL: dict[str, list[int]] = {
    "module": [1, 20, 60, 600, 6000],
    "module_filters": [6000],
    "uri_chunks": [1, 60, 600, 6000],
    "uri_each": [1, 20],
    "sdk_chunks": [1, 60, 600, 6000],
    "sdk_each": [1, 20],
}
FULL = [*_cases(False, **{**_FULL, "sdk_each": [1, 20, 60, 600, 6000]}), *_cases(True, **_FULL)]
