"""Pictures of a trained model, drawn from its card: rivals, level, groups, and churn along a feature."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from models.evaluation import wilson
from pipeline.pages import pictures
from pipeline.pages.model_words import model_said, theme_said
from pipeline.pages.picture import Picture, said_as, side_by_side, upwards_axis
from pipeline.pages.svg import Canvas, Scale, dot, figure, line, path, together, words

Rows = Sequence[Mapping[str, Any]]

_SMALL = Canvas(320, 210, left=46, right=22, top=12, bottom=36)
_WINDOW = re.compile(r"(?<=[ _])(\d+)d\b")
_ROOM = 0.04
_LABEL = 44  # that many units of the picture a number needs below the axis


def feature_said(name: str) -> str:
    """Write a feature's name as words.

    >>> feature_said("orders_30d_over_90d")
    'orders 30 days over 90 days'
    """
    return _WINDOW.sub(r"\1 days", said_as(name))


def rivals(models: Rows) -> Picture:
    """Draw how well each model orders customers, ours first."""
    return pictures.intervals(
        pd.DataFrame([{**row, "name": model_said(row["name"])} for row in models]),
        "name",
        "auc",
        title="AUC of the model and of its rivals",
        unit="AUC: further right is better, .5 is chance",
    )


def level(series: Rows, forecasts: Mapping[str, float]) -> Picture:
    """Draw the share that churns over the dates, beside what was foreseen of it.

    Args:
        series: ``as_of``, ``churned``, ``expected``, ``forecast`` per date, shares or missing.
        forecasts: the model's own forecast by ISO date, where one was made.
    """
    rows = pd.DataFrame(list(series)).astype(dict.fromkeys(("churned", "expected", "forecast"), float))
    own = pd.DataFrame({"as_of": list(forecasts), "model": list(forecasts.values())})
    # The date of the training has the model's own forecast; a line to it would only cross the others.
    rows.loc[rows["churned"].isna(), ["expected", "forecast"]] = float("nan")
    rows = rows.merge(own, on="as_of", how="outer").sort_values("as_of", kind="stable")
    told = {
        "churned": "left",
        "forecast": "foreseen from the shares known by then",
        "expected": "expected by BG/NBD",
        "model": "foreseen by the model",
    }
    there = {name: said for name, said in told.items() if rows[name].notna().any()}
    return pictures.over_time(
        rows.assign(as_of=pd.to_datetime(rows["as_of"])),
        "as_of",
        there,
        title="Share of customers that left in the outcome window",
        unit="share of the watched customers",
        loose=("model",),
    )


def groups(slices: Rows, slicing: str) -> Picture:
    """Draw promised beside observed churn of the groups of one slicing, the largest first."""
    rows = pd.DataFrame([row for row in slices if row["slicing"] == slicing])
    rows = rows.sort_values(["n", "slice"], ascending=[False, True], kind="stable")
    ends = [wilson(share * n, n) for share, n in zip(rows["churn_rate"], rows["n"], strict=True)]
    low, high = zip(*ends, strict=True)
    said = [f"{name}, {n:,}" for name, n in zip(rows["slice"], rows["n"], strict=True)]
    rows = rows.assign(slice=said, churn_rate_low=low, churn_rate_high=high)
    return pictures.intervals(
        rows,
        "slice",
        "churn_rate",
        title=f"Promised and observed churn by {said_as(slicing)}",
        unit="share that left",
        form=".0%",
        beside="mean_risk",
    )


def themes(rows: Rows) -> Picture:
    """Draw how far the features of each theme move risks together."""
    return pictures.bars(
        pd.DataFrame([{**row, "theme": theme_said(row["theme"])} for row in rows]),
        "theme",
        {"mean_contribution": "mean absolute change of the logit of the risk"},
        title="How far each kind of feature moves risks",
        form=".2f",
    )


def inside_groups(rows: pd.DataFrame) -> Picture:
    """Draw promised against observed churn inside each group of customers.

    Args:
        rows: per group and bin ``slicing``, ``slice``, ``n``, ``mean_predicted``, ``observed``, ``low``, ``high``.
    """
    small = [
        pictures.calibration(
            each,
            title=said_as(name),
            note=f"{said_as(slicing)}, {each['n'].sum():,} customers",
            canvas=_SMALL,
        )
        for (slicing, name), each in rows.groupby(["slicing", "slice"], sort=False)
    ]
    return side_by_side(
        small,
        title="Do the percentages hold inside groups?",
        note="Each dot is a fifth of the group's customers; on the diagonal as many left as promised. Groups too small "
        "for that are left out.",
    )


def along_features(rows: pd.DataFrame) -> Picture:
    """Draw churn along features: groups of customers with like values stand at even distances.

    Args:
        rows: per feature and group ``feature``, ``theme``, ``value`` (missing for those without the feature), ``n``,
            and the shares ``observed``, ``low``, ``high``, ``promised`` and ``alone``.
    """
    small = [
        _along(each, title=feature_said(feature), note=theme_said(theme))
        for (feature, theme), each in rows.groupby(["feature", "theme"], sort=False)
    ]
    return side_by_side(
        small,
        title="How churn runs along the strongest features",
        note="The strongest feature of each kind, customers in groups of like values. Dot: share that left, with its "
        "95 % interval; ring: share promised; dashed: the risk of all customers if this feature alone changed. A flat "
        "dashed line beside steep dots means that other features say the same.",
    )


def _along(rows: pd.DataFrame, *, title: str, note: str) -> Picture:
    canvas, rows = _SMALL, rows.astype({"value": "float64"})
    high = float(rows[["high", "promised", "alone"]].to_numpy().max())
    up = Scale(0, min(1, high + _ROOM), canvas.base, canvas.top)
    across = Scale(-0.5, len(rows) - 0.5, canvas.left, canvas.end)
    shapes = [
        *upwards_axis(up, canvas, ".0%"),
        line("axis", canvas.left, canvas.base, canvas.end, canvas.base),
    ]
    for place, row in enumerate(rows.to_dict("records")):
        x, value = across(place), _number(row["value"])
        hint = f"{value}: {row['observed']:.1%} of {row['n']:,} left, {row['promised']:.1%} promised"
        shapes.append(line("whisker", x, up(row["low"]), x, up(row["high"])))
        shapes.append(dot("point", x, up(row["observed"]), hint=hint))
        shapes.append(dot("ring", x, up(row["promised"]), hint=hint))
    values = rows["value"].to_numpy(np.float64)
    known = int((~np.isnan(values)).sum())
    alone = [(across(place), up(risk)) for place, risk in enumerate(rows["alone"].iloc[:known])]
    shapes += [path("alone", alone), *_numbers(values, known, across, canvas)]
    return Picture(title, note, figure(title, together(shapes), canvas))


def _numbers(values: npt.NDArray[np.float64], known: int, across: Scale, canvas: Canvas) -> Iterator[Markup]:
    """Write as many values below the axis as fit, and where customers without the feature stand."""
    every = math.ceil(_LABEL * len(values) / (canvas.end - canvas.left))
    marked = range(0, known - (every > 1 and known < len(values)), every)
    for place in [*marked, *range(known, len(values))]:
        yield words(across(place), canvas.base + 16, _number(values[place]), anchor="middle", kind="soft")


def _number(value: float) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2g}"
