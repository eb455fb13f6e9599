"""The plot: wall time by number of users on logarithmic axes, without and with the limit. An SVG whose text is text."""

from __future__ import annotations

import typing as t
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .cases import METHODS
from .runner import Result

_TITLES = {False: "No limit met", True: "Limit of one request a second"}
_SECONDS = (1, 3, 10, 30, 100, 300)
# The same numbers make the same file.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "benchmark"})


def draw(results: t.Sequence[Result], path: Path) -> None:
    figure = Figure(figsize=(12, 6), layout="constrained")
    panes = figure.subplots(1, 2, sharey=True)
    for pane, (limited, title) in zip(panes, _TITLES.items()):
        rows = [result for result in results if result.case.limited == limited]
        users = sorted({row.case.users for row in rows})
        pane.set(xscale="log", yscale="log", title=title, xlabel="users at risk, dismissed in one go")
        pane.set_xticks(users, [f"{number:,}" for number in users])
        pane.set_yticks(_SECONDS, [f"{number} s" for number in _SECONDS])
        pane.minorticks_off()
        pane.grid(color="#d1d9e0")
        for key, method in METHODS.items():
            mine = sorted((row for row in rows if row.case.method == key), key=lambda row: row.case.users)
            points = [row.case.users for row in mine], [row.first.seconds for row in mine]
            label, width = method.label.replace("`", ""), 2.5 if method.command == "risky_user" else 1.5
            pane.plot(*points, method.marker, color=method.color, lw=width, ls="-", label=label)
    panes[0].set_ylabel("wall time of the whole command")
    figure.legend(*panes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, metadata={"Date": None, "Title": "Wall time by number of users, with and without the limit"})
