"""The picture of a measurement: how many fewer left in each group, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.pages.picture import said_as
from pipeline.pages.svg import Canvas, Scale, dot, figure, line, path, together, words

_ROW, _NARROW = 40, 480
_WIDEST = 0.4  # of a handful of units the interval says nothing, and would flatten all others
_TONES = {"keeps": "tone-3", "drives_away": "tone-1"}


def points(difference: float | None) -> str:
    """Write a share as points, with its sign."""
    return "" if difference is None else f"{100 * difference:+.1f}"


def points_between(ends: Sequence[float] | None) -> str:
    """Write both ends of an interval as points; beyond 100 there is nothing."""
    return "" if ends is None else f"{points(max(ends[0], -1))} to {points(min(ends[1], 1))}"


def intervals_picture(rows: Sequence[Mapping[str, Any]], *, title: str) -> Markup:
    """Draw how many fewer left in each group, with its interval for many looks; right of the line is better.

    Args:
        rows: readings as in ``results.json``; those without an interval are left out.
        title: what a screen reader says.
    """
    shown = [row for row in rows if row.get("stayed", {}).get("sequence")]
    if not shown:
        return Markup()
    ends = [abs(end) for row in shown for end in row["stayed"]["sequence"]]
    reach = min(_WIDEST, 1.05 * max(ends))
    canvas = Canvas(_NARROW, _ROW * len(shown) + 48, left=12, right=12, top=4, bottom=40)
    scale = Scale(-reach, reach, canvas.left, canvas.end)
    shapes = [line("mark", scale(0), canvas.top, scale(0), canvas.base)]
    for place, row in enumerate(shown):
        shapes += _whisker(row, scale, canvas.top + _ROW * place + 28)
    for value in scale.ticks():
        shapes.append(words(scale(value), canvas.base + 16, f"{100 * value:g}", anchor="middle"))
    unit = "fewer leave, points (to the right: keeps customers)"
    shapes.append(words(canvas.width / 2, canvas.height - 4, unit, anchor="middle"))
    return figure(title, together(shapes), canvas)


def _whisker(row: Mapping[str, Any], scale: Scale, y: float) -> list[Markup]:
    stayed = row["stayed"]
    ends = stayed["sequence"]
    low, high = (min(max(end, scale.low), scale.high) for end in ends)
    middle = min(max(stayed["difference"], scale.low), scale.high)
    hint = f"{points(stayed['difference'])}, {points_between(ends)}"
    heads = [
        _head(scale(at), y, to)
        for at, to, is_cut in ((low, 1, ends[0] < low), (high, -1, ends[1] > high))
        if is_cut
    ]
    return [
        words(scale.start, y - 10, f"{said_as(row['name'])}: {points(stayed['difference'])}"),
        line("whisker", scale(low), y, scale(high), y),
        *heads,
        dot(_TONES.get(row["verdict"], "point"), scale(middle), y, hint=hint),
    ]


def _head(x: float, y: float, to: int) -> Markup:
    """Draw the head of an arrow at an edge beyond which an interval goes on; ``to`` is where its tail lies."""
    return path("whisker head", [(x + 8 * to, y - 5), (x, y), (x + 8 * to, y + 5)])
