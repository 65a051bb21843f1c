"""Champion against challenger: two recipes judged on the same customers at several dates, and the rule that decides.

The challenger is taken where it is shown to be better in what counts, is not much worse in the rest, and no group
of customers pays for it; otherwise the champion stays: every change of model moves scores, plans and comparisons
under way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from models.evaluation import NORMAL_975, Row
from models.metrics import METRICS, Array, clipped
from models.pooled import Outcome, pooled_differences, profit_difference
from models.weighted import weights_of

CHAMPION, CHALLENGER = "champion", "challenger"
PROFIT = "profit"
FEWEST_IN_SLICE = 50
SLICE_MARGIN = 0.02  # nats of log loss; four times what the whole population may lose


@dataclass(frozen=True)
class Measure:
    """One figure by which recipes are compared.

    Attributes:
        metric: name among ``METRICS``, or ``PROFIT``.
        words: how people call it.
        higher_is_better: whether more of it is better.
        wins: whether being better in it suffices to win.
        margin: by how much the challenger may be worse, in the figure's own unit, or as a share of it.
        is_share: whether ``margin`` is a share of the champion's figure.
        forgives_luck: whether being worse counts only where it is shown.
    """

    metric: str
    words: str
    higher_is_better: bool
    wins: bool
    margin: float
    is_share: bool = False
    forgives_luck: bool = False


MEASURES = (
    Measure(
        PROFIT, "profit at the night's budget", True, True, margin=0.01, is_share=True, forgives_luck=True
    ),
    Measure("log_loss", "log loss", False, True, margin=0.005),
    Measure("ece", "calibration error", False, False, margin=0.01, forgives_luck=True),
)


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to.

    Attributes:
        challenger_wins: whether the challenger is taken.
        words: why, in sentences.
        dates: one row per date: ``n``, ``churn_rate`` and each figure of both recipes.
        rows: one row per measure: figures, difference (challenger less champion), 95 % interval.
        slices: one row per group of customers, as ``compare_slices`` gives them.
    """

    challenger_wins: bool
    words: tuple[str, ...]
    dates: Sequence[Row]
    rows: Sequence[Row]
    slices: Sequence[Row]


def decide(
    outcomes: Sequence[Outcome],
    slices: Sequence[Mapping[str, npt.NDArray[np.object_]]],
    *,
    constants: Sequence[float],
    seed: int,
) -> Verdict:
    """Compare champion and challenger over some dates and say who wins.

    The challenger wins where all of this holds, figures being averaged over the dates, intervals at 95 % from
    resampled customers, the same for both:

    1. at every date its log loss is lower than that of the training's churn rate;
    2. profit at the night's budget or log loss is better, its interval without 0, and better at most of the dates;
    3. log loss is not worse by more than its margin, nor are profit and calibration error, their intervals without
       0: a budget reaches few customers, of a hundred calibration error says little, and log loss holds both too;
    4. in no slice its log loss is higher by more than ``SLICE_MARGIN`` nats, shown with 95 % for all slices
       together.

    Args:
        outcomes: one per date, with the predictions and profits of ``CHAMPION`` and ``CHALLENGER``.
        slices: per date, labels of its customers by name of the slicing.
        constants: per date, the log loss of predicting the training's churn rate for everybody.
        seed: seed of the bootstrap.
    """
    dates = [_at_date(outcome) for outcome in outcomes]
    apart = {str(row["metric"]): row for row in pooled_differences(outcomes, seed, challenger=CHALLENGER)}
    apart[PROFIT] = profit_difference(outcomes, seed, challenger=CHALLENGER, champion=CHAMPION)
    rows = [_row(measure, apart[measure.metric], dates) for measure in MEASURES]
    sliced = compare_slices(outcomes, slices)
    unsound = [
        place for place, (at, rate) in enumerate(zip(dates, constants, strict=True))
        if not _number(at["challenger_log_loss"]) < rate
    ]  # fmt: skip
    objections = [
        *([f"at {len(unsound)} of {len(dates)} dates it is no better than a constant"] if unsound else []),
        *(
            []
            if any(row["is_better"] for row in rows)
            else ["it is not shown to be better in profit or log loss"]
        ),
        *(_too_bad(row) for row in rows if not row["is_no_worse"]),
        *(_paid_by(row) for row in sliced if row["is_worse"]),
    ]
    return Verdict(not objections, _words(rows, objections), dates, rows, sliced)


def compare_slices(
    outcomes: Sequence[Outcome], slices: Sequence[Mapping[str, npt.NDArray[np.object_]]]
) -> list[Row]:
    """Compare the log loss of both recipes inside each group of customers, over all dates together.

    Returns:
        One row per slice of at least ``FEWEST_IN_SLICE`` rows: ``slicing``, ``slice``, ``n`` (rows),
        ``churn_rate``, ``champion``, ``challenger``, ``difference`` with its 95 % interval ``low``, ``high``
        (rows of a customer vary together), and ``is_worse``: higher by more than ``SLICE_MARGIN``, and higher at
        all with 95 % for all slices together.
    """
    table = pd.concat(
        [_surprises(outcome, labels) for outcome, labels in zip(outcomes, slices, strict=True)],
        ignore_index=True,
    )
    names = [name for name in table.columns if name.startswith("by ")]
    groups = [
        (name.removeprefix("by "), str(label), rows)
        for name in names
        for label, rows in table.dropna(subset=name).groupby(name, sort=True)
        if len(rows) >= FEWEST_IN_SLICE
    ]
    strict = float(norm.isf(0.025 / max(len(groups), 1)))
    return [{"slicing": name, "slice": label, **_slice(rows, strict)} for name, label, rows in groups]


def _at_date(outcome: Outcome) -> Row:
    weight = weights_of(outcome.weight, len(outcome.churned))
    row: Row = {
        "n": len(outcome.churned),
        "churn_rate": float(np.average(np.asarray(outcome.churned, dtype=np.float64), weights=weight)),
    }
    for measure in MEASURES:
        for name in (CHAMPION, CHALLENGER):
            row[f"{name}_{measure.metric}"] = _figure(measure, outcome, name, weight)
    return row


def _figure(measure: Measure, outcome: Outcome, name: str, weight: Array) -> float:
    if measure.metric == PROFIT:
        return float(weight @ outcome.profit[name])
    return METRICS[measure.metric](outcome.churned, outcome.predictions[name], weight=outcome.weight)


def _row(measure: Measure, found: Row, dates: Sequence[Row]) -> Row:
    figures = {
        name: float(np.mean([_number(at[f"{name}_{measure.metric}"]) for at in dates]))
        for name in (CHAMPION, CHALLENGER)
    }
    sign = 1 if measure.higher_is_better else -1
    gains = [
        sign * (_number(at[f"{CHALLENGER}_{measure.metric}"]) - _number(at[f"{CHAMPION}_{measure.metric}"]))
        for at in dates
    ]
    worst, best = sorted(sign * _number(found[end]) for end in ("low", "high"))
    margin = measure.margin * (abs(figures[CHAMPION]) if measure.is_share else 1.0)
    better_at = sum(gain > 0 for gain in gains)
    return {
        "metric": measure.metric,
        "name": measure.words,
        **figures,
        "difference": found["difference"],
        "low": found["low"],
        "high": found["high"],
        "margin": margin,
        "better_at": better_at,
        "is_better": bool(measure.wins and worst > 0 and 2 * better_at > len(dates)),
        "is_no_worse": bool(
            sign * _number(found["difference"]) >= -margin or (measure.forgives_luck and best >= 0)
        ),
    }


def _surprises(outcome: Outcome, labels: Mapping[str, npt.NDArray[np.object_]]) -> pd.DataFrame:
    y = np.asarray(outcome.churned, dtype=np.float64)
    columns: dict[str, Any] = {
        "customer": outcome.customer,
        "churned": y,
        "weight": weights_of(outcome.weight, len(y)),
    }
    for name in (CHAMPION, CHALLENGER):
        p = clipped(outcome.predictions[name])
        columns[name] = -(y * np.log(p) + (1 - y) * np.log1p(-p))
    return pd.DataFrame(columns | {f"by {name}": values for name, values in labels.items()})


def _slice(rows: pd.DataFrame, strict: float) -> Row:
    weight: Array = rows["weight"].to_numpy()
    mean = {name: float(np.average(rows[name], weights=weight)) for name in (CHAMPION, CHALLENGER)}
    difference = mean[CHALLENGER] - mean[CHAMPION]
    stray = weight * (rows[CHALLENGER] - rows[CHAMPION] - difference)
    spread = float(np.sqrt((stray.groupby(rows["customer"]).sum() ** 2).sum()) / weight.sum())
    return {
        "n": len(rows),
        "churn_rate": float(np.average(rows["churned"], weights=weight)),
        **mean,
        "difference": difference,
        "low": difference - NORMAL_975 * spread,
        "high": difference + NORMAL_975 * spread,
        "is_worse": bool(difference > SLICE_MARGIN and difference > strict * spread),
    }


def _too_bad(row: Row) -> str:
    return f"{row['name']} is worse by more than {row['margin']:.3g}: {_change(row)}"


def _paid_by(row: Row) -> str:
    return f"{row['slicing']} {row['slice']} would pay for it: log loss {_change(row)}"


def _change(row: Row) -> str:
    return f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"


def _words(rows: Sequence[Row], objections: Sequence[str]) -> tuple[str, ...]:
    if objections:
        return (f"The champion's recipe stays: {'; '.join(objections)}.",)
    won = " and ".join(str(row["name"]) for row in rows if row["is_better"])
    return (f"The challenger wins: better in {won}, not shown to be much worse in anything.",)


def _number(value: str | float | None) -> float:
    return float("nan") if value is None else float(value)
