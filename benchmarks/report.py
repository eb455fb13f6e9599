"""The measurements: kept as JSON, so that the page can be written again without measuring."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import platform
import re
import textwrap
import typing as t
from pathlib import Path

from .cases import BASE, METHODS, ONE_BY_ONE, Case
from .runner import Result, Run
from .targets import Target, targets

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmark.md"
_PACKAGES = ("ansible-core", "requests", "msal", "msgraph-sdk", "azure-identity")
_TARGETS = "Case | Target | Measured | "
_RUNS = (
    "Users | Way | Graph requests | of them 429 | Wall time | x `risky_user` | Memory, MB | Users changed | "
    "`changed` truthful | Second run"
)


@dataclasses.dataclass(frozen=True)
class Measurements:
    """All that was measured in one run of the benchmark."""

    machine: str
    results: list[Result]
    startup: list[Target]

    @property
    def targets(self) -> list[Target]:
        return [*targets(self.results), *self.startup]

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Measurements:
        data: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            data["machine"],
            [Result(Case(**row["case"]), Run(**row["first"]), Run(**row["second"])) for row in data["results"]],
            [Target(**row) for row in data["startup"]],
        )


def machine() -> str:
    """What a reader needs to judge the seconds, in words that name nobody's machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = "; ".join(f"{package} {importlib.metadata.version(package)}" for package in _PACKAGES)
    # A load well above 1 means that others were at work too.
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} on {platform.machine()}; "
        f"load average at the end {os.getloadavg()[2]:.1f}; Python {platform.python_version()}; {versions}"
    )


def render(measurements: Measurements) -> str:
    """The page in docs/, with these figures between its markers."""
    free, limited = ([row for row in measurements.results if row.case.limited == limited] for limited in (False, True))
    met = {True: "met", False: "**missed**"}
    targets = [(target.case, target.wanted, target.measured, met[target.met]) for target in measurements.targets]
    parts = {
        "machine": textwrap.fill(f"Machine and versions: {measurements.machine}.", 120, break_on_hyphens=False),
        "targets": _table(_TARGETS, targets),
        "free": _table(_RUNS, _lines(free)),
        "limited": _table(_RUNS, _lines(limited)),
    }
    return re.sub(
        r"(<!-- measured: (\w+) -->\n).*?(?=<!-- end -->)",
        lambda marker: f"{marker[1]}\n{parts[marker[2]]}\n\n",
        _PAGE.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )


def _lines(results: t.Sequence[Result]) -> t.Iterator[t.Sequence[str]]:
    found = {(result.case.users, result.case.method): result for result in results}
    for users in sorted({result.case.users for result in results}):
        for key, method in METHODS.items():
            if result := found.get((users, key)):
                yield f"{users:,}", method.label, *_figures(result, found.get((users, BASE)))
            elif key in ONE_BY_ONE:
                yield f"{users:,}", method.label, *["-"] * (_RUNS.count("|") - 1)


def _figures(result: Result, base: Result | None) -> t.Iterator[str]:
    first, second = result.first, result.second
    yield from (f"{first.graph:,}", f"{first.throttled:,}", f"{first.seconds:.1f} s")
    yield f"{first.seconds / base.first.seconds:.2f}" if base else "-"
    yield f"{first.tree_memory:.0f}" + (f" ({first.module_memory:.0f})" if first.module_memory else "")
    yield f"{first.users_changed:,}"
    truthful = all(run.said_changed == bool(run.users_written) for run in (first, second))
    yield "-" if first.said_changed is None else "yes" if truthful else "**no**"
    yield f"{_count(second.graph, 'request')}, {_count(second.writes, 'write')}, {second.seconds:.1f} s"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _table(head: str, lines: t.Iterable[t.Sequence[str]]) -> str:
    rule = " | ".join(["---"] * (head.count("|") + 1))
    return "\n".join(f"| {row} |" for row in [head, rule, *map(" | ".join, lines)])
