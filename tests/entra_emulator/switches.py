"""How a tenant behaves where the real service is unknown or unkind. The defaults are the pessimistic ones."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass
class Switches:
    """See the table in README.md."""

    licensed: bool = True
    workload_licensed: bool = True
    token_lifetime: int = 3599
    rate_limit: float | None = None
    retry_after: str | None = None
    date_skew: float = 0.0
    effect_delay: float = 0.0
    stuck_ids: list[str] = dataclasses.field(default_factory=list)
    vanish_after_dismiss: bool = False
    unknown_ids: str = "refuse"
    deleted_users: str = "refuse"
    unlisted_dismiss: str = "refuse"
    over_sixty: str = "refuse"
    duplicate_ids: str = "refuse"
    reject_ids: list[str] = dataclasses.field(default_factory=list)
    page_size: int | None = None
    break_page: int | None = None
    break_last_page: bool = False
    endless: bool = False
    filter_mode: str = "honour"
    filter_refuse: list[str] = dataclasses.field(default_factory=list)
    filter_ignore: list[str] = dataclasses.field(default_factory=list)
    filter_case_sensitive: bool = True
    max_filter_clauses: int = 15
    orderby_mode: str = "honour"

    def update(self, changes: t.Mapping[str, t.Any]) -> None:
        """Set several at once; none if one of them is wrong.

        :raises ValueError: for a name or a value that does not exist.
        """
        for name, value in changes.items():
            kinds = _KINDS.get(name)
            if kinds is None:
                raise ValueError(f"there is no switch {name!r}")
            # A bool is an int to Python, but not to a person.
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise ValueError(f"switch {name!r} cannot be {value!r}")
            if name in _CHOICES and value not in _CHOICES[name]:
                raise ValueError(f"switch {name!r} is one of {', '.join(_CHOICES[name])}")
        for name, value in changes.items():
            setattr(self, name, list(value) if isinstance(value, list) else value)


_NOTHING = type(None)
_NUMBER: tuple[type, ...] = (int, float)
_KINDS: t.Mapping[str, tuple[type, ...]] = {
    "licensed": (bool,),
    "workload_licensed": (bool,),
    "token_lifetime": (int,),
    "rate_limit": (*_NUMBER, _NOTHING),
    "retry_after": (str, _NOTHING),
    "date_skew": _NUMBER,
    "effect_delay": _NUMBER,
    "stuck_ids": (list,),
    "vanish_after_dismiss": (bool,),
    "unknown_ids": (str,),
    "deleted_users": (str,),
    "unlisted_dismiss": (str,),
    "over_sixty": (str,),
    "duplicate_ids": (str,),
    "reject_ids": (list,),
    "page_size": (int, _NOTHING),
    "break_page": (int, _NOTHING),
    "break_last_page": (bool,),
    "endless": (bool,),
    "filter_mode": (str,),
    "filter_refuse": (list,),
    "filter_ignore": (list,),
    "filter_case_sensitive": (bool,),
    "max_filter_clauses": (int,),
    "orderby_mode": (str,),
}
_CHOICES: t.Mapping[str, tuple[str, ...]] = {
    "unknown_ids": ("refuse", "ignore"),
    "deleted_users": ("refuse", "ignore", "accept"),
    "unlisted_dismiss": ("refuse", "ignore"),
    "over_sixty": ("refuse", "accept"),
    "duplicate_ids": ("refuse", "accept"),
    "filter_mode": ("honour", "refuse", "ignore"),
    "orderby_mode": ("honour", "refuse", "ignore"),
}
