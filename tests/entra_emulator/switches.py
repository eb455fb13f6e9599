"""How a tenant behaves where the real service is unknown or unkind. The defaults are the pessimistic ones."""

from __future__ import annotations

import dataclasses
import typing as t

_Mode = t.Literal["honor", "refuse", "ignore"]


@dataclasses.dataclass
class Switches:
    """See the table in README.md."""

    licensed: bool = True
    workload_licensed: bool = True
    pim_licensed: bool = True
    rate_limit: t.Optional[float] = None  # noqa: UP045  # evaluated below, also by Python 3.9
    retry_after: t.Optional[str] = None  # noqa: UP045  # the same
    date_skew: float = 0.0
    effect_delay: float = 0.0
    stuck_ids: list[str] = dataclasses.field(default_factory=list)
    vanish_after_dismiss: bool = False
    reject_ids: list[str] = dataclasses.field(default_factory=list)
    page_size: t.Optional[int] = None  # noqa: UP045  # the same
    break_page: t.Optional[int] = None  # noqa: UP045  # the same
    break_last_page: bool = False
    filter_mode: _Mode = "honor"
    filter_refuse: list[str] = dataclasses.field(default_factory=list)
    filter_ignore: list[str] = dataclasses.field(default_factory=list)
    orderby_mode: _Mode = "honor"

    def update(self, changes: t.Mapping[str, t.Any]) -> None:
        """Set several at once; none if one of them is wrong."""
        for name, value in changes.items():
            if name not in _TYPES:
                raise ValueError(f"there is no switch {name!r}")
            if not _fits(value, _TYPES[name]):
                raise ValueError(f"switch {name!r} cannot be {value!r}: it is {_TYPES[name]}")
        for name, value in changes.items():
            setattr(self, name, list(value) if isinstance(value, list) else value)


_TYPES = t.get_type_hints(Switches)


def _fits(value: t.Any, wanted: t.Any) -> bool:
    """Whether a value is of the type of a switch."""
    origin = t.get_origin(wanted)
    if origin is t.Union:
        return any(_fits(value, each) for each in t.get_args(wanted))
    if origin is t.Literal:
        return value in t.get_args(wanted)
    if wanted is float:
        wanted = (int, float)
    # A bool is an int to Python, but not to a person.
    return isinstance(value, origin or wanted) and (wanted is bool or not isinstance(value, bool))
