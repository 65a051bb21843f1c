"""A picture as Jupyter shows it, and the axes and legends that pictures share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from pipeline.pages.svg import Canvas, Scale, box, line, words

_HALF_A_DATE = 26
_STYLE = """
.keepwell-picture { max-width: 600px; margin: 8px 0 20px; }
.keepwell-picture figcaption { font-weight: 600; line-height: 1.35; margin-bottom: 6px; }
.keepwell-picture figcaption span { display: block; font-weight: 400; font-size: .9em; opacity: .75; }
.keepwell-picture svg { display: block; width: 100%; height: auto; }
.keepwell-picture svg text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  fill: var(--jp-content-font-color1, #1b2430); }
.keepwell-picture svg .soft { opacity: .7; }
.keepwell-picture svg .calm { fill: #9db4cf; } .keepwell-picture svg .risky { fill: #c8553d; }
.keepwell-picture svg .axis { stroke: #7b8794; } .keepwell-picture svg .grid { stroke: #d3d9e0; }
.keepwell-picture svg .mark { stroke: #c8553d; stroke-dasharray: 4 3; }
.keepwell-picture svg .whisker { stroke: #20639b; stroke-width: 2; }
.keepwell-picture svg .point, .keepwell-picture svg .tone-0 { fill: #20639b; }
.keepwell-picture svg .ring { fill: none; stroke: #c8553d; stroke-width: 2; }
.keepwell-picture svg .tone-1 { fill: #c8553d; } .keepwell-picture svg .tone-2 { fill: #8a8f99; }
.keepwell-picture svg .tone-3 { fill: #2e7d4f; } .keepwell-picture svg .line-3 { stroke: #2e7d4f; }
.keepwell-picture svg .alone { stroke: #8a8f99; stroke-dasharray: 4 3; }
.keepwell-picture .small-pictures { display: grid;
  grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 14px; }
.keepwell-picture .small-pictures figure { margin: 0; }
.keepwell-picture svg polyline { fill: none; stroke-width: 1.6; }
.keepwell-picture svg .line-0 { stroke: #20639b; } .keepwell-picture svg .line-1 { stroke: #c8553d; }
.keepwell-picture svg .line-2 { stroke: #8a8f99; } .keepwell-picture svg .fine { stroke: #20639b; stroke-width: .8; }
"""


@dataclass(frozen=True)
class Picture:
    """A drawn picture.

    Attributes:
        title: what it shows.
        note: how to read it.
        svg: the drawing.
    """

    title: str
    note: str
    svg: Markup

    def _repr_html_(self) -> str:
        note = Markup("<span>{}</span>").format(self.note) if self.note else Markup()
        frame = Markup(
            '<figure class="keepwell-picture"><style>{}</style><figcaption>{} {}</figcaption>{}</figure>'
        )
        return str(frame.format(Markup(_STYLE), self.title, note, self.svg))  # noqa: S704 - a constant

    def __repr__(self) -> str:
        return f"<picture: {self.title}>"


def side_by_side(pictures: Sequence[Picture], *, title: str, note: str = "") -> Picture:
    """Put small pictures beside each other, each under its own words."""
    frame = Markup("<figure><figcaption>{} <span>{}</span></figcaption>{}</figure>")
    framed = Markup().join(frame.format(each.title, each.note, each.svg) for each in pictures)
    return Picture(title, note, Markup('<div class="small-pictures">{}</div>').format(framed))


def said_as(name: object) -> str:
    """Write a name as words."""
    return str(name).replace("_", " ")


def legend_height(values: Mapping[str, str]) -> float:
    """Return how much room a legend needs above a drawing."""
    return 18.0 * len(values) + 4


def legend(values: Mapping[str, str]) -> list[Markup]:
    """Say which colour is which value, one line each, at the top left."""
    shapes = []
    for number, said in enumerate(values.values()):
        shapes.append(box(f"tone-{number}", 2, 4 + 18 * number, 10, 10))
        shapes.append(words(18, 13 + 18 * number, said, kind="soft"))
    return shapes


def across_axis(scale: Scale, canvas: Canvas, unit: str, form: str) -> list[Markup]:
    """Draw the horizontal axis with its grid, its numbers and what it counts."""
    shapes = [words((canvas.left + canvas.end) / 2, canvas.height - 6, unit, anchor="middle", kind="soft")]
    for value in scale.ticks():
        shapes.append(line("grid", scale(value), canvas.top, scale(value), canvas.base))
        shapes.append(
            words(scale(value), canvas.base + 16, format(value, form), anchor="middle", kind="soft")
        )
    return [*shapes, line("axis", canvas.left, canvas.base, canvas.end, canvas.base)]


def upwards_axis(scale: Scale, canvas: Canvas, form: str) -> list[Markup]:
    """Draw the grid and the numbers of the vertical axis."""
    shapes = []
    for value in scale.ticks():
        shapes.append(line("grid", canvas.left, scale(value), canvas.end, scale(value)))
        shapes.append(
            words(canvas.left - 6, scale(value) + 4, format(value, form), anchor="end", kind="soft")
        )
    return shapes


def day_numbers(days: pd.Series) -> npt.NDArray[np.int64]:
    """Number days since 1970-01-01."""
    return np.asarray(days.to_numpy().astype("datetime64[D]").astype(np.int64))


def date_axis(scale: Scale, canvas: Canvas) -> list[Markup]:
    """Mark the first days of months, or days where there are few of them."""
    first, last = (np.datetime64(int(day), "D") for day in (scale.low, scale.high))
    months = np.arange(first.astype("datetime64[M]") + 1, last.astype("datetime64[M]") + 1)
    marks = months[:: max(1, -(-len(months) // 4))].astype("datetime64[D]")
    if len(months) < 2:
        marks = np.linspace(first.astype(np.int64), last.astype(np.int64), 4).astype("datetime64[D]")
    shapes = [line("axis", canvas.left, canvas.base, canvas.end, canvas.base)]
    for each in marks:
        x, said = scale(float(each.astype(np.int64))), pd.Timestamp(each)
        shapes.append(line("grid", x, canvas.top, x, canvas.base))
        label = f"{said:%b %Y}" if len(months) >= 2 else f"{said:%d %b}"
        shapes.append(words(x, canvas.base + 16, label, anchor=_anchor(x, canvas), kind="soft"))
    return shapes


def _anchor(x: float, canvas: Canvas) -> str:
    """Keep a date's words inside the picture."""
    if x - canvas.left < _HALF_A_DATE:
        return "start"
    return "end" if canvas.end - x < _HALF_A_DATE - canvas.right else "middle"
