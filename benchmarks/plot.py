"""The plot: wall time by number of users on logarithmic axes, without and with the limit. An SVG whose text is text."""

from __future__ import annotations

import math
import typing as t

from .cases import METHODS
from .runner import Result

# The size of a pane, its place, and what its ends stand for.
_WIDTH, _HEIGHT, _TOP, _BOTTOM = 380, 270, 40, 310
_USERS, _SECONDS = (0.7, 9000), (0.5, 600)
_TICKS = (1, 3, 10, 30, 100, 300)
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 440" font-family="Helvetica, Arial, sans-serif" font-size="13">
<title>Wall time by number of users, with and without the limit</title>
<style>
rect { fill: #ffffff } text { fill: #1f2328; text-anchor: middle } .grid { stroke: #d1d9e0 } polyline { fill: none }
@media (prefers-color-scheme: dark) { rect { fill: #0d1117 } text { fill: #f0f6fc } .grid { stroke: #3d444d } }
</style>
<rect width="880" height="440"/>
<text x="16" y="175" transform="rotate(-90 16 175)">wall time of the whole command</text>"""


def draw(results: t.Sequence[Result]) -> str:
    """The SVG. The same numbers make the same text."""
    lines = [_HEAD]
    for number, (key, method) in enumerate(METHODS.items()):
        lines.append(
            f'<marker id="{key}" viewBox="-6 -6 12 12" markerWidth="12" markerHeight="12" markerUnits="userSpaceOnUse">'
            f'<path d="{method.marker}" fill="{method.color}"/></marker>'
        )
        left, top = 150 + 300 * (number // 3), 376 + 22 * (number % 3)
        lines.append(_curve(key, [(left, top), (left + 36, top)]))
        lines.append(_text(left + 46, top + 4, method.label.replace("`", ""), "start"))
    for left, limited, title in ((64, False, "No limit met"), (480, True, "Limit of one request a second")):
        lines += _pane(left, title, [result for result in results if result.case.limited == limited])
    return "\n".join([*lines, "</svg>", ""])


def _pane(left: float, title: str, results: t.Sequence[Result]) -> t.Iterator[str]:
    def place(users: float, seconds: float) -> tuple[float, float]:
        return left + _WIDTH * _share(users, *_USERS), _BOTTOM - _HEIGHT * _share(seconds, *_SECONDS)

    yield _text(left + _WIDTH / 2, 24, title)
    yield _text(left + _WIDTH / 2, _BOTTOM + 40, "users at risk, dismissed in one go")
    for users in sorted({result.case.users for result in results}):
        x, dummy = place(users, 1)
        yield f'<path class="grid" d="M{x:.1f},{_TOP}V{_BOTTOM}"/>'
        yield _text(x, _BOTTOM + 18, f"{users:,}")
    for seconds in _TICKS:
        dummy, y = place(1, seconds)
        yield f'<path class="grid" d="M{left},{y:.1f}h{_WIDTH}"/>'
        yield _text(left - 6, y + 4, f"{seconds} s", "end")
    for key in METHODS:
        points = [place(row.case.users, row.first.seconds) for row in results if row.case.method == key]
        if points:
            yield _curve(key, sorted(points))


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between two others, from 0 to 1, on a logarithmic axis."""
    return math.log(value / low) / math.log(high / low)


def _curve(key: str, points: t.Sequence[tuple[float, float]]) -> str:
    width = 2.5 if METHODS[key].command == "risky_user" else 1.5
    marks = "".join(f' marker-{place}="url(#{key})"' for place in ("start", "mid", "end"))
    # A line of one point twice, or its marker would not be drawn everywhere.
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (points if points[1:] else [*points, *points]))
    return f'<polyline points="{path}" stroke="{METHODS[key].color}" stroke-width="{width}"{marks}/>'


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" style="text-anchor: {anchor}">{words}</text>'
