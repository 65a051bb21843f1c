"""Pictures of frames for notebooks: one call each, shown by Jupyter by itself, without a network or a script.

Every picture has a title that says what it shows, and axes that say their units.
"""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from pipeline.pages import charts
from pipeline.pages.picture import (
    Picture,
    across_axis,
    date_axis,
    day_numbers,
    legend,
    legend_height,
    said_as,
    upwards_axis,
)
from pipeline.pages.svg import Canvas, Scale, box, dot, figure, line, path, together, words

_NARROW = 480
_SQUARE = Canvas(_NARROW, 330, left=46, right=22)
_ROW, _BAR = 17, 13
_MOST_COLUMNS = 60
_RISK_BINS = 25
_STRIP = 34
_CUT = 5  # one great day would flatten all others


def bars(
    rows: pd.DataFrame,
    label: str,
    values: Mapping[str, str],
    *,
    title: str,
    note: str = "",
    form: str = ",.0f",
) -> Picture:
    """Draw one bar per row and value, lying, the label above.

    Args:
        rows: what to draw, in this order.
        label: column with the words.
        values: column -> what it is, with its unit.
        title: what the picture shows.
        note: how to read it.
        form: how numbers are written, such as ``.1%``.
    """
    tall = _ROW + len(values) * _BAR + 8
    top = legend_height(values)
    canvas = Canvas(_NARROW, top + tall * len(rows) + 4, left=2, right=74, top=top, bottom=0)
    high = max(1e-12, *(float(rows[column].max()) for column in values)) if len(rows) else 1.0
    low = min(0.0, *(float(rows[column].min()) for column in values)) if len(rows) else 0.0
    across = Scale(low, high, canvas.left, canvas.end)
    shapes = legend(values)
    for place, row in enumerate(rows.to_dict("records")):
        y = top + place * tall
        shapes.append(words(canvas.left, y + 12, said_as(row[label])))
        for number, column in enumerate(values):
            value, beside = float(row[column]), y + _ROW + number * _BAR
            start, end = sorted((across(0), across(value)))
            shapes.append(box(f"tone-{number}", start, beside, max(end - start, 1), _BAR - 3))
            shapes.append(words(end + 5, beside + 10, format(value, form)))
    return Picture(title, note, figure(title, together(shapes), canvas))


def intervals(
    rows: pd.DataFrame,
    label: str,
    value: str,
    *,
    title: str,
    unit: str,
    note: str = "",
    form: str = ".3f",
    beside: str = "",
) -> Picture:
    """Draw a point with its 95 % interval per row.

    Args:
        rows: what to draw, in this order; needs ``{value}_low`` and ``{value}_high``.
        label: column with the words.
        value: column of the points; rows without a value are left out.
        title: what the picture shows.
        unit: what the axis counts.
        note: how to read it.
        form: how numbers are written.
        beside: column drawn as a ring on the same line, such as what was promised.
    """
    known = rows[rows[value].notna()]
    columns = [value, f"{value}_low", f"{value}_high", *([beside] if beside else [])]
    numbers = known[columns].to_numpy(np.float64)
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
    spare = 0.04 * (high - low) or 0.5
    canvas = Canvas(_NARROW, 36 * len(known) + 48, left=12, right=22, top=4, bottom=40)
    across = Scale(low - spare, high + spare, canvas.left, canvas.end)
    shapes = across_axis(across, canvas, unit, form)
    for place, (said, row) in enumerate(zip(known[label], numbers, strict=True)):
        y = canvas.top + 36 * place + 26
        shapes.append(words(canvas.left, y - 12, f"{said_as(said)}: {row[0]:{form}}"))
        shapes.append(line("whisker", across(row[1]), y, across(row[2]), y))
        hint = f"{row[0]:{form}}, 95 % interval {row[1]:{form}} to {row[2]:{form}}"
        shapes.append(dot("point", across(row[0]), y, hint=hint))
        if beside:
            shapes.append(dot("ring", across(row[3]), y, hint=f"{beside}: {row[3]:{form}}"))
    return Picture(title, note, figure(title, together(shapes), canvas))


def calibration(rows: pd.DataFrame, *, title: str, note: str = "", canvas: Canvas = _SQUARE) -> Picture:
    """Draw promised against observed churn; points on the diagonal are right, lines are 95 % intervals.

    Args:
        rows: ``n``, ``mean_predicted``, ``observed``, ``low``, ``high`` (shares).
        title: what the picture shows.
        note: how to read it.
        canvas: where to draw.
    """
    told = zip(rows["mean_predicted"], rows["observed"], rows["low"], rows["high"], rows["n"], strict=True)
    bins = [charts.Bin(*each) for each in told]
    return Picture(title, note, charts.calibration(bins, title=title, canvas=canvas))


def columns(
    rows: pd.DataFrame, x: str, y: str, *, title: str, unit: str, mark: float, mark_label: str, note: str = ""
) -> Picture:
    """Draw counts over whole numbers as standing bars, the rarest hundredth at the far end together in the last.

    Args:
        rows: a count per value.
        x: column of the values, ascending.
        y: column of the counts.
        title: what the picture shows.
        unit: what the horizontal axis counts.
        mark: value at which a line stands.
        mark_label: words beside the line.
        note: how to read it.
    """
    value, count = rows[x].to_numpy(np.float64), rows[y].to_numpy(np.int64)
    most = float(value[np.searchsorted(np.cumsum(count), 0.99 * count.sum())]) if len(rows) else 1.0
    most = max(most, mark * 1.1)
    wide = max(1.0, np.ceil(most / _MOST_COLUMNS))
    edges = np.arange(0, most + wide, wide)
    counts = np.histogram(np.minimum(value, edges[-1]), bins=edges, weights=count)[0]
    canvas = Canvas(_NARROW, 250, left=52, right=14)
    across, up = Scale(0, edges[-1], canvas.left, canvas.end), Scale(0, max(counts.max(), 1), canvas.base, 16)
    shapes = [*across_axis(across, canvas, unit, ",.0f"), *upwards_axis(up, canvas, ",.0f")]
    for low, high, bar in zip(edges, edges[1:], counts, strict=False):
        hint = f"{low:.0f} to {high:.0f}: {bar:,.0f}"
        wide_as_drawn = across(high) - across(low) - 1
        shapes.append(box("tone-0", across(low), up(bar), wide_as_drawn, canvas.base - up(bar), hint=hint))
    shapes.append(line("mark", across(mark), canvas.top, across(mark), canvas.base))
    beside, anchor = (5, "start") if 2 * mark < edges[-1] else (-5, "end")
    shapes.append(words(across(mark) + beside, canvas.top + 10, mark_label, anchor=anchor))
    return Picture(title, note, figure(title, together(shapes), canvas))


def spread(rows: pd.DataFrame, by: str, risk: str, *, title: str, note: str = "") -> Picture:
    """Draw how risks are spread within each group, the largest group first; each strip has its own height.

    Args:
        rows: one per customer.
        by: column of the groups.
        risk: column of the risks, 0 to 1.
        title: what the picture shows.
        note: how to read it.
    """
    groups = rows[by].value_counts()
    canvas = Canvas(_NARROW, (_STRIP + 22) * len(groups) + 44, left=12, right=22, top=4, bottom=40)
    across = Scale(0, 1, canvas.left, canvas.end)
    shapes = across_axis(across, canvas, "churn risk", ".0%")
    for place, (name, customers) in enumerate(groups.items()):
        base = canvas.top + (_STRIP + 22) * (place + 1)
        inside = rows.loc[rows[by] == name, risk].to_numpy(np.float64)
        counts, edges = np.histogram(inside, bins=_RISK_BINS, range=(0, 1))
        shapes.append(
            words(canvas.left, base - _STRIP - 6, f"{said_as(name)}: {customers:,}, mean {inside.mean():.0%}")
        )
        shapes.append(line("grid", canvas.left, base, canvas.end, base))
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            tall = _STRIP * count / counts.max()
            hint = f"{low:.0%} to {high:.0%}: {count:,} customers"
            shapes.append(
                box("tone-0", across(low), base - tall, across(high) - across(low) - 1, tall, hint=hint)
            )
    return Picture(title, note, figure(title, together(shapes), canvas))


def days(rows: pd.DataFrame, by: str, day: str, value: str, *, title: str, note: str = "") -> Picture:
    """Draw one strip per group over the same days, each with its own height, cut at five times its median.

    Args:
        rows: one per group and day.
        by: column of the groups.
        day: column of the days.
        value: column of the numbers.
        title: what the picture shows.
        note: how to read it.
    """
    groups = list(rows[by].unique())
    canvas = Canvas(_NARROW, (_STRIP + 22) * len(groups) + 34, left=12, right=22, top=4, bottom=30)
    number = day_numbers(rows[day])
    across = Scale(float(number.min()), float(number.max()) + 1, canvas.left, canvas.end)
    shapes = date_axis(across, canvas)
    for place, name in enumerate(groups):
        base = canvas.top + (_STRIP + 22) * (place + 1)
        mine = (rows[by] == name).to_numpy()
        values = rows.loc[mine, value].to_numpy(np.float64)
        usual = float(np.median(values))
        most = max(1.0, min(float(values.max()), _CUT * usual) if usual else float(values.max()))
        up = Scale(0, most, base, base - _STRIP)
        said = f"{said_as(name)}: at most {values.max():,.0f}, usually {usual:,.0f} a day"
        shapes.append(words(canvas.left, base - _STRIP - 6, said))
        shapes.append(line("grid", canvas.left, base, canvas.end, base))
        shapes.append(
            path(
                "fine",
                [
                    (across(x + 0.5), up(y))
                    for x, y in zip(number[mine], np.minimum(values, most), strict=True)
                ],
            )
        )
    return Picture(title, note, figure(title, together(shapes), canvas))


def over_time(
    rows: pd.DataFrame, day: str, values: Mapping[str, str], *, title: str, unit: str, note: str = "",
    form: str = ".0%", loose: Collection[str] = (),
) -> Picture:  # fmt: skip
    """Draw values over dates; each value's points are joined, missing ones are left out.

    Args:
        rows: one per date.
        day: column of the dates.
        values: column -> what it is.
        title: what the picture shows.
        unit: what the vertical axis counts.
        note: how to read it.
        form: how numbers are written.
        loose: columns whose points are not joined.
    """
    top = legend_height(values) + 16
    canvas = Canvas(_NARROW, 260 + top, left=46, right=22, top=top, bottom=30)
    number = day_numbers(rows[day])
    known = rows[list(values)].to_numpy(np.float64)
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    spare = 0.08 * (high - low) or 0.05
    across = Scale(float(number.min()) - 1, float(number.max()) + 1, canvas.left, canvas.end)
    up = Scale(low - spare, high + spare, canvas.base, canvas.top)
    shapes = [*legend(values), words(canvas.left, canvas.top - 4, unit, kind="soft")]
    shapes += [*date_axis(across, canvas), *upwards_axis(up, canvas, form)]
    for place, (name, series) in enumerate(zip(values, known.T, strict=True)):
        there = ~np.isnan(series)
        places = [(across(x), up(y)) for x, y in zip(number[there], series[there], strict=True)]
        if name not in loose:
            shapes.append(path(f"line-{place}", places))
        shapes += [dot(f"tone-{place}", x, y, radius=4.5 if name in loose else 3) for x, y in places]
    return Picture(title, note, figure(title, together(shapes), canvas))
