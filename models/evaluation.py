"""Models side by side at one evaluation date: metrics with intervals, differences, slices, calibration."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.bootstrap import interval, resampled, share_above
from models.metrics import BINS, METRICS, Array
from models.weighted import effective_rows, risk_bins, weights_of
from tables.errors import DataError

Row = dict[str, str | int | float | None]

_FEWEST_IN_SLICE = 50
_TENURE_EDGES = (90, 365, 730)
_TENURE_BANDS = ("under 90 days", "90 to 364 days", "1 year", "2 years and more")
NORMAL_975 = 1.959964


def evaluate_models(
    y: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    customer: npt.ArrayLike,
    seed: int,
    *,
    weight: npt.ArrayLike | None = None,
) -> list[Row]:
    """Score every model on the same customers.

    Args:
        y: labels, 1 = churned; shape ``(n,)``, both classes present.
        predictions: churn risk by name of the model, each of shape ``(n,)`` in [0, 1].
        customer: customer of each row; resampled as a whole.
        seed: seed of the bootstrap.
        weight: how many customers each row stands for; one where not given.

    Returns:
        One row a model, in the order given: ``name`` and the seven metrics ``auc``, ``average_precision``,
        ``log_loss``, ``brier``, ``ece``, ``lift_at_10pct`` and ``emp``, each followed by its 95 % interval
        (``auc_low``, ``auc_high``; missing where no draw held both classes).

    Raises:
        DataError: labels, probabilities, customers and weights do not fit together, or one class only.
    """
    check_evaluable(y, predictions, customer, weight)
    drawn = resampled(y, predictions, customer, seed=seed, weight=weight)
    return [
        {"name": name, **_metrics_with_intervals(y, predictions[name], drawn[name], weight)}
        for name in predictions
    ]


def paired_differences(
    y: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    customer: npt.ArrayLike,
    seed: int,
    *,
    challenger: str,
    weight: npt.ArrayLike | None = None,
) -> list[Row]:
    """Compare one model with each other one, customers resampled for both alike.

    Args:
        y: labels, 1 = churned.
        predictions: churn risk by name of the model.
        customer: customer of each row.
        seed: seed of the bootstrap.
        challenger: name of the model whose advantage is measured.
        weight: how many customers each row stands for; one where not given.

    Returns:
        One row per other model and metric: ``name`` (the other one), ``metric``, ``difference`` (challenger
        less other), its 95 % interval ``low`` and ``high``, and ``share_above`` (share of draws with a
        difference above 0; for the losses and ``ece`` a *low* share speaks for the challenger).

    Raises:
        DataError: as ``evaluate_models``, or no model of the challenger's name.
    """
    check_evaluable(y, predictions, customer, weight)
    if challenger not in predictions:
        raise DataError(
            f"evaluation: no predictions of {challenger!r}; found {sorted(predictions)}. Name one of them."
        )
    drawn = resampled(y, predictions, customer, seed=seed, weight=weight)
    rows: list[Row] = []
    for name in predictions:
        if name == challenger:
            continue
        apart = drawn[challenger] - drawn[name]
        for column, (metric, value) in enumerate(METRICS.items()):
            low, high = interval(apart[:, column])
            found = value(y, predictions[challenger], weight=weight) - value(
                y, predictions[name], weight=weight
            )
            row: Row = {"name": name, "metric": metric, "difference": found, "low": low, "high": high}
            rows.append(row | {"share_above": share_above(apart[:, column])})
    return rows


def evaluate_slices(
    y: npt.ArrayLike,
    risk: npt.ArrayLike,
    customer: npt.ArrayLike,
    slices: Mapping[str, npt.ArrayLike],
    seed: int,
    *,
    weight: npt.ArrayLike | None = None,
) -> list[Row]:
    """Score one model inside each segment, region, band of tenure ...

    Args:
        y: labels, 1 = churned.
        risk: churn risk of each row.
        customer: customer of each row.
        slices: by name of the slicing, a label for each row; rows with a missing label form no slice.
        seed: seed of the bootstrap.
        weight: how many customers each row stands for; one where not given.

    Returns:
        One row per slice: ``slicing``, ``slice``, ``n`` (rows), ``churn_rate``, ``mean_risk``, then the metrics of
        ``evaluate_models``, missing where fewer than 50 customers or one class only is left.
    """
    labels, p, who = np.asarray(y), np.asarray(risk, dtype=np.float64), np.asarray(customer)
    check_evaluable(labels, {"model": p}, who, weight)
    own = None if weight is None else np.asarray(weight, dtype=np.float64)
    rows: list[Row] = []
    for slicing, values in slices.items():
        codes, names = pd.factorize(pd.Series(np.asarray(values, dtype=object)), sort=True)
        for code, name in enumerate(names):
            inside = codes == code
            counted = None if own is None else own[inside]
            scored = _slice(labels[inside], p[inside], who[inside], seed, counted)
            rows.append({"slicing": slicing, "slice": str(name), **scored})
    return rows


def tenure_bands(tenure_days: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Return the band of tenure of each customer, for ``evaluate_slices``; missing where unknown.

    >>> list(tenure_bands([10, 400, float("nan")]))
    ['under 90 days', '1 year', None]
    """
    days = np.asarray(tenure_days, dtype=np.float64)
    bands = np.array(_TENURE_BANDS, dtype=object)[np.digitize(days, _TENURE_EDGES)]
    bands[np.isnan(days)] = None
    return bands


def calibration_table(
    y: npt.ArrayLike, risk: npt.ArrayLike, *, bins: int = BINS, weight: npt.ArrayLike | None = None
) -> list[Row]:
    """Set promised beside observed churn, over equal-count bins of risk.

    Args:
        y: labels, 1 = churned.
        risk: churn risk of each row.
        bins: number of bins, as ``risk_bins`` cuts them.
        weight: how many customers each row stands for; one where not given.

    Returns:
        One row a bin, lowest risk first: ``n`` (rows), ``mean_predicted``, ``observed``, and the 95 % Wilson
        interval of the observed share, ``low`` and ``high``.

    >>> [(row["n"], row["observed"]) for row in calibration_table([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.8], bins=2)]
    [(2, 0.0), (2, 1.0)]
    """
    labels, p = np.asarray(y, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    w = weights_of(weight, len(p))
    rows: list[Row] = []
    for part in risk_bins(p, bins, weight):
        told = effective_rows(w[part])
        observed = float(np.average(labels[part], weights=w[part]))
        low, high = wilson(observed * told, told)
        row: Row = {"n": len(part), "mean_predicted": float(np.average(p[part], weights=w[part]))}
        rows.append(row | {"observed": observed, "low": low, "high": high})
    return rows


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score, which stays inside [0, 1].

    >>> low, high = wilson(0, 10)
    >>> round(low, 4), round(high, 4)  # 0 and z^2 / (n + z^2) = 3.8415 / 13.8415
    (0.0, 0.2775)
    """
    share, z2 = hits / n, NORMAL_975**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_975 * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def check_evaluable(
    y: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    customer: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
) -> None:
    """Refuse labels, probabilities, customers and weights that do not fit together, naming every problem at once.

    Raises:
        DataError: rows differ in number, a label is not 0 or 1, there is one class only, a probability is
            missing or outside [0, 1], or a weight is not above 0 or not finite.
    """
    labels = np.asarray(y)
    problems = [] if len(labels) else ["no rows"]
    if not np.isin(labels, (0, 1)).all():
        problems.append("labels other than 0 and 1")
    elif len(labels) and not 0 < labels.sum() < len(labels):
        problems.append(f"one class only ({labels.sum():.0f} churners among {len(labels)})")
    if len(np.asarray(customer)) != len(labels):
        problems.append(f"{len(np.asarray(customer))} customers for {len(labels)} labels")
    problems += _weight_problems(weights_of(weight, len(labels)), len(labels))
    for name, risk in predictions.items():
        p = np.asarray(risk, dtype=np.float64)
        outside = int((~((p >= 0) & (p <= 1))).sum())
        if p.shape != labels.shape:
            problems.append(f"{name}: shape {p.shape} for {len(labels)} labels")
        elif outside:
            problems.append(f"{name}: {outside} probabilities missing or outside [0, 1]")
    if problems:
        raise DataError(
            f"evaluation: the models cannot be scored; found {'; '.join(problems)}. "
            "Give one label and one probability per customer, at a date with both classes."
        )


def _weight_problems(weight: Array, rows: int) -> list[str]:
    unusable = int((~(np.isfinite(weight) & (weight > 0))).sum())
    problems = [f"{len(weight)} weights for {rows} labels"] if len(weight) != rows else []
    return problems + ([f"{unusable} weights not above 0 or not finite"] if unusable else [])


def _metrics_with_intervals(
    y: npt.ArrayLike, risk: npt.ArrayLike, drawn: Array, weight: npt.ArrayLike | None
) -> Row:
    row: Row = {}
    for column, (metric, value) in enumerate(METRICS.items()):
        low, high = interval(drawn[:, column])
        row |= {metric: value(y, risk, weight=weight), f"{metric}_low": low, f"{metric}_high": high}
    return row


def _slice(
    y: npt.NDArray[np.generic],
    risk: Array,
    customer: npt.NDArray[np.generic],
    seed: int,
    weight: Array | None,
) -> Row:
    churners = int(np.sum(y))
    row: Row = {
        "n": len(y),
        "churn_rate": float(np.average(np.asarray(y, dtype=np.float64), weights=weight)),
        "mean_risk": float(np.average(risk, weights=weight)),
    }
    if len(y) < _FEWEST_IN_SLICE or not 0 < churners < len(y):
        return row | {f"{metric}{end}": None for metric in METRICS for end in ("", "_low", "_high")}
    drawn = resampled(y, {"model": risk}, customer, seed=seed, weight=weight)["model"]
    return row | _metrics_with_intervals(y, risk, drawn, weight)
