"""What is measured, as data."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Method:
    """One way to dismiss users.

    :param command: a playbook, or the mode of the script.
    :param by_filters: chooses the users at risk by itself; all others get the ids.
    :param colour: in the plot, as its marker.
    """

    label: str
    command: str
    colour: str
    marker: str
    is_script: bool = False
    by_filters: bool = False


METHODS: t.Mapping[str, Method] = {
    "module": Method("`risky_user`, users by id", "risky_user", "#0067b8", "o"),
    "module_filters": Method("`risky_user`, by filters", "risky_user", "#00a3a3", "s", by_filters=True),
    "uri_chunks": Method("`uri`, list and chunks of 60", "uri_chunks", "#d83b01", "^"),
    "uri_each": Method("`uri`, a read and a write a user", "uri_each", "#a4262c", "v"),
    "sdk_chunks": Method("msgraph-sdk script, list and chunks of 60", "chunks", "#5c2e91", "D", is_script=True),
    "sdk_each": Method("msgraph-sdk script, a write a user", "each", "#8764b8", "x", is_script=True),
}
# Everything is compared with this one, at the same number of users.
BASE = "module"


# With the limit on, everybody waits most of the time. So these run side by side, each case on a tenant of its own.
LANES: t.Sequence[t.Collection[str]] = (
    ("module", "module_filters"),
    ("uri_chunks", "uri_each"),
    ("sdk_chunks", "sdk_each"),
)


@dataclasses.dataclass(frozen=True)
class Case:
    """A method, a number of users, all at risk in a tenant of their own, and whether the service has its limit."""

    method: str
    users: int
    limited: bool


def _cases(numbers: t.Mapping[str, t.Sequence[int]], *, limited: bool) -> list[Case]:
    return [Case(method, users, limited) for method, several in numbers.items() for users in several]


QUICK: t.Sequence[Case] = [
    *_cases(
        {
            "module": (1, 60),
            "module_filters": (130,),
            "uri_chunks": (60,),
            "uri_each": (1,),
            "sdk_chunks": (60,),
            "sdk_each": (1,),
        },
        limited=False,
    ),
    *_cases({"module": (60,), "uri_chunks": (60,), "sdk_chunks": (60,)}, limited=True),
]
# One request a user at one request a second takes minutes to hours; those cases are left out above 20 users.
FULL: t.Sequence[Case] = [
    *_cases(
        {
            "module": (1, 20, 60, 600, 6000),
            "module_filters": (6000,),
            "uri_chunks": (1, 60, 600, 6000),
            "uri_each": (1, 20),
            "sdk_chunks": (1, 60, 600, 6000),
            "sdk_each": (1, 20, 60, 600, 6000),
        },
        limited=False,
    ),
    *_cases(
        {
            "module": (1, 20, 60, 600, 6000),
            "module_filters": (6000,),
            "uri_chunks": (1, 60, 600, 6000),
            "uri_each": (1, 20),
            "sdk_chunks": (1, 60, 600, 6000),
            "sdk_each": (1, 20),
        },
        limited=True,
    ),
]
