"""The measurements as a page in Markdown."""

from __future__ import annotations

import textwrap
import typing as t

from .cases import BASE, METHODS
from .runner import Result, Run
from .targets import Measurements, targets

_NOTICE = """\
<!--
Written by `python3 dev.py bench`. Do not edit.
-->
"""
_INTRODUCTION = """\
# Benchmark

Users at risk are dismissed in six ways, on the same machine and the same local stand-in for Entra and Graph, in one run
of `python3 dev.py bench`. Each case has a tenant of its own with exactly that many users, all at risk, and runs twice.
Requests, writes and changed users are what the service counted. No figure is estimated: a dash stands for a case that
was not measured, because one request a user at one request a second takes from minutes to hours.

The ways:

- `risky_user` through `ansible-playbook`: one task, by object ID or by `filters`.
- `ansible.builtin.uri`, list and chunks: the best playbook that we could write. It logs in once, lists the active users
  page by page, writes 60 users a request, repeats after 429 with `until` and `delay: 1`, and uses `changed_when`.
- `ansible.builtin.uri`, the usual loop: log in, read each user, dismiss each one at risk.
- A Python script with Microsoft's `msgraph-sdk`, list and chunks: lists the active users, writes 60 a request. The SDK
  repeats after 429 by itself.
- The same SDK as in Microsoft's example: one user a request, without looking first.

The stand-in answers at once, so that the seconds without a limit are those of the clients, not of Graph. With the limit
it allows one request in any second and counts refused ones too; its 429 has no `Retry-After`, as Microsoft documents it
for Identity Protection. Since everybody waits most of the time then, module, `uri` and SDK run side by side, each
against a tenant, and so a limit, of its own. Without the limit, nothing runs side by side.

The SDK script that lists first loses most of its time without a limit where it turns the listed users into objects.
"""
_STARTUP = """\
Start-up is the wall time of a whole `ansible-playbook` with one task, for a user who needs no change (medians of
interleaved runs, limit off). The figures for one more call leave out what Ansible needs for itself, and so are harder:
most of the difference is Python compiling the module's own code, which Ansible sends as source, and importing requests.
On a machine that others share, the ratios move by about a tenth from one run of the benchmark to the next.
"""
_COLUMNS = (
    "Users",
    "Way",
    "Graph requests",
    "of them 429",
    "Wall time",
    "x `risky_user`",
    "Memory, MB",
    "Users changed",
    "`changed` truthful",
    "Second run",
)
_LEGEND = """\
*Graph requests*: all, without the login (2 requests, with `uri` 1). *x `risky_user`*: wall time divided by that
of `risky_user` by id with as many users. *Memory*: the peak of the whole process tree (proportional set size, sampled
every 0.1 s); in brackets the peak of the largest module process (resident set size). *`changed` truthful*: whether
Ansible's recap says "changed" exactly in the runs in which users were written to. A script has no such word.
"""
_SINGLE = ("uri_each", "sdk_each")


def render(measurements: Measurements) -> str:
    """The whole page."""
    reached = targets(measurements)
    machine = "; ".join(
        value if name == "machine" else f"{name} {value}" for name, value in measurements.machine.items()
    )
    parts = [
        _NOTICE,
        _INTRODUCTION,
        *textwrap.wrap(f"Machine and versions: {machine}.", 120, break_on_hyphens=False),
        "",
        "![Wall time by number of users, with and without the limit](benchmark.svg)\n",
        "## What has to be reached\n",
        _table(
            ("Case", "Target", "Measured", ""),
            [(line.case, line.wanted, line.measured, "reached" if line.reached else "**missed**") for line in reached],
        ),
        _STARTUP,
    ]
    for limited, title in ((False, "Without a limit"), (True, "With the limit of one request a second")):
        results = [result for result in measurements.results if result.case.limited == limited]
        parts += [f"## {title}\n", _table(_COLUMNS, list(_lines(results)))]
    parts.append(_LEGEND)
    return "\n".join(parts)


def _lines(results: t.Sequence[Result]) -> t.Iterator[tuple[str, ...]]:
    found = {(result.case.users, result.case.method): result for result in results}
    for users in sorted({result.case.users for result in results}):
        for key, method in METHODS.items():
            result = found.get((users, key))
            if result is not None:
                base = found.get((users, BASE))
                yield f"{users:,}", method.label, *_figures(result, base)
            elif key in _SINGLE:
                yield f"{users:,}", method.label, *["-"] * (len(_COLUMNS) - 2)


def _figures(result: Result, base: Result | None) -> tuple[str, ...]:
    first, second = result.first, result.second
    return (
        f"{first.graph:,}",
        f"{first.throttled:,}",
        f"{first.seconds:.1f} s",
        f"{first.seconds / base.first.seconds:.2f}" if base else "-",
        _memory(first),
        f"{first.users_changed:,}",
        _truth(result),
        f"{_count(second.graph, 'request')}, {_count(second.writes, 'write')}, {second.seconds:.1f} s",
    )


def _memory(run: Run) -> str:
    tree = "-" if run.tree_memory is None else f"{run.tree_memory:.0f}"
    return tree if run.module_memory is None else f"{tree} ({run.module_memory:.0f})"


def _truth(result: Result) -> str:
    if result.first.truthful is None:
        return "-"
    return "yes" if result.first.truthful and result.second.truthful else "**no**"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _table(head: t.Sequence[str], lines: t.Iterable[t.Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
