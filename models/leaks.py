"""Features too good to be true: one alone that tells churners apart far better than everything else together."""

from collections.abc import Collection
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation import Row
from models.metrics import Array, auc

_BINS = 32
_MOST_SUSPECTS = 10  # a leak seldom comes alone: it shows under several names and windows
_MOST_ROWS = 20_000
_SMOOTHING = 10.0
_ROUNDS = 60
# On five real tasks the strongest feature alone stays .002 to .06 below the AUC of the rest.
_SHARE_CLOSED = 1 / 3
# Whole models reach .73 to .87 there; where all else says nothing, one honest offer may reach .80 alone.
_LEAST_SUSPICIOUS = 0.85
_PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 8,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Separation:
    """How well features tell churners from the others, alone and together.

    Attributes:
        alone: ``feature``, ``auc`` and ``auc_low`` of the strongest features alone, strongest first.
        rest: AUC of all features but these together.
        suspicious: names of those that are too good to be true.
    """

    alone: tuple[Row, ...]
    rest: float
    suspicious: tuple[str, ...]


def separation(
    X: pd.DataFrame,
    y: npt.ArrayLike,
    X_test: pd.DataFrame,
    y_test: npt.ArrayLike,
    *,
    seed: int,
    trusted: Collection[str] = (),
) -> Separation:
    """Look for features that alone separate far better than everything else known.

    What a feature says alone is the churn rate of its bin among the training rows; both that and a boosted
    model of all but the strongest features are judged at a later date. A feature is suspicious where its AUC,
    less its sampling error, closes at least a third of the way from that model to a perfect one, and is above
    0.85.

    Args:
        X: features of training rows.
        y: labels of these rows, 1 = churned.
        X_test: features at a later date, same columns.
        y_test: labels of these rows, both classes present.
        seed: seed of the sampling.
        trusted: names that are known to be known in time; never suspicious, always part of the rest.
    """
    rows = _spread(len(X), _MOST_ROWS)
    learnt, labels = X.iloc[rows], np.asarray(y, dtype=np.float64)[rows]
    there = _spread(len(X_test), 5 * _MOST_ROWS)
    tested, truth = X_test.iloc[there], np.asarray(y_test)[there]
    found = {name: auc(truth, _alone(learnt[name], labels, tested[name])) for name in X.columns}
    ranked = sorted((name for name in found if name not in trusted), key=lambda name: (-found[name], name))
    strongest = ranked[: min(_MOST_SUSPECTS, len(ranked) // 3)]
    others = [name for name in X.columns if name not in strongest]
    rest = _together(learnt[others], labels, tested[others], truth, seed) if others else 0.5
    told = tuple(_told(name, found[name], truth) for name in strongest)
    limit = max(_LEAST_SUSPICIOUS, 1 - (1 - _SHARE_CLOSED) * (1 - rest))
    suspicious = tuple(str(row["feature"]) for row in told if float(row["auc_low"] or 0) > limit)
    return Separation(told, rest, suspicious)


def _alone(learnt: pd.Series, labels: Array, tested: pd.Series) -> Array:
    """Return for each tested value the churn rate of its bin; missing values have a bin of their own."""
    values = learnt.to_numpy(np.float64)
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    bins = _binned(values, edges)
    rows, churned = (np.bincount(bins, weights, len(edges) + 2) for weights in (None, labels))
    rates: Array = (churned + _SMOOTHING * labels.mean()) / (rows + _SMOOTHING)
    return rates[_binned(tested.to_numpy(np.float64), edges)]


def _binned(values: Array, edges: Array) -> npt.NDArray[np.int64]:
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))


def _together(
    learnt: pd.DataFrame, labels: Array, tested: pd.DataFrame, truth: npt.NDArray[np.generic], seed: int
) -> float:
    data = lgb.Dataset(learnt.to_numpy(np.float32), labels)
    booster = lgb.train({**_PARAMETERS, "seed": seed}, data, _ROUNDS)
    return auc(truth, booster.predict(tested.to_numpy(np.float32), num_threads=1))


def _told(name: str, found: float, truth: npt.NDArray[np.generic]) -> Row:
    return {"feature": name, "auc": found, "auc_low": found - 1.959964 * auc_error(found, truth)}


def auc_error(found: float, churned: npt.ArrayLike) -> float:
    """Return the standard error of an AUC over independent customers.

    Args:
        found: the AUC.
        churned: labels, both classes present.

    Source: Hanley, McNeil (1982), Radiology 143(1), "The meaning and use of the area under a ROC curve".

    >>> round(auc_error(0.8, [1] * 50 + [0] * 50), 4)
    0.0446
    """
    y = np.asarray(churned)
    churners, stayers = int((y == 1).sum()), int((y != 1).sum())
    both = found / (2 - found) - found**2, 2 * found**2 / (1 + found) - found**2
    spread = found * (1 - found) + (churners - 1) * both[0] + (stayers - 1) * both[1]
    return float(np.sqrt(spread / (churners * stayers)))


def _spread(rows: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64))
