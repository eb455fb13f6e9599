"""The plot of the benchmark."""

from __future__ import annotations

import typing as t
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .cases import METHODS
from .runner import Result

_TITLES = {False: "No limit met", True: "Limit of one request a second"}


def draw(results: t.Sequence[Result], path: Path) -> None:
    """Write an SVG: wall time by number of users, without and with the limit."""
    # Texts become shapes, so that it looks the same without the font; the same numbers make the same file.
    mpl.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "entra_risk", "font.size": 10})
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for plane, limited in zip(axes, (False, True)):
        for key, method in METHODS.items():
            points = sorted(
                (result.case.users, result.first.seconds)
                for result in results
                if result.case.method == key and result.case.limited == limited
            )
            if points:
                plane.plot(
                    *zip(*points),
                    color=method.colour,
                    marker=method.marker,
                    markersize=9 if method.by_filters else 6,
                    markerfacecolor="none" if method.by_filters else method.colour,
                    linewidth=2 if method.command == "risky_user" else 1.3,
                    label=method.label.replace("`", ""),
                )
        plane.set(xscale="log", yscale="log", xlabel="users at risk, dismissed in one go", title=_TITLES[limited])
        numbers = sorted({result.case.users for result in results})
        plane.set_xticks(numbers, [f"{number:,}" for number in numbers])
        plane.minorticks_off()
        plane.set_yticks([1, 3, 10, 30, 100, 300], ["1 s", "3 s", "10 s", "30 s", "100 s", "300 s"])
        plane.grid(color="#dddddd")
    axes[0].set_ylabel("wall time of the whole command")
    figure.legend(*_legend(axes), loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, facecolor="white")


def _legend(axes: t.Iterable[t.Any]) -> tuple[list[t.Any], list[str]]:
    """Each method once, in whichever plane it appears."""
    handles: dict[str, t.Any] = {}
    for plane in axes:
        for handle, label in zip(*plane.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    return list(handles.values()), list(handles)
