"""Features too good to be true: one alone that tells churners apart far better than everything else together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from models.columns import evenly_spread
from models.evaluation import NORMAL_975, Row
from models.metrics import Array, auc

_BINS = 32
_MOST_SUSPECTS = 10  # a leak seldom comes alone: it shows under several names and windows
_MOST_ROWS = 20_000
_SMOOTHING = 10.0
_ROUNDS = 60
# On five real tasks the strongest feature alone is from .07 below to .03 above the AUC of the rest.
_SHARE_CLOSED = 1 / 3
# Whole models reach .73 to .87 there; where all else says nothing, one honest offer may reach .80 alone.
_LEAST_SUSPICIOUS = 0.85
# With its whole table gone little may be left: an honest feature reaches .86 alone there.
_LEAST_WITHOUT_TABLE = 0.9
# Features that say the same of customers; without them the rest of an honest task loses .03 at most.
_ALIKE = 0.6
# Honest models, demo included, reach at most .885.
_HIGHEST_HONEST = 0.97
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
        rest: AUC of all features but these, and what goes with them, together.
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
    sources: Mapping[str, str] | None = None,
) -> Separation:
    """Look for features that alone separate far better than everything else known.

    What a feature says alone is the churn rate of its bin among the training rows, or its own order at the later
    date, whichever says more: a date that tells the future moves on, and its bins with it. A boosted model of
    the rest is judged at that date, too. The rest is all but the strongest features and those that say
    much the same as one of them. A feature is suspicious where its AUC, less its sampling error, closes at
    least a third of the way from that model to a perfect one, and is above 0.85; if it comes from the strongest
    feature's source, also above 0.9 and beside a rest without that source. Where the rest itself is above 0.97
    the strongest features are suspicious: a leak is in more columns than were left out.

    Args:
        X: features of training rows.
        y: labels of these rows, 1 = churned.
        X_test: features at a later date, same columns.
        y_test: labels of these rows, both classes present.
        seed: seed of the sampling.
        trusted: names that are known to be known in time; never suspicious, always part of the rest.
        sources: table that each feature comes from, by name of the feature.
    """
    rows = evenly_spread(len(X), _MOST_ROWS)
    learnt, labels = X.iloc[rows], np.asarray(y, dtype=np.float64)[rows]
    there = evenly_spread(len(X_test), 5 * _MOST_ROWS)
    tested, truth = X_test.iloc[there], np.asarray(y_test)[there]
    said = pd.DataFrame({name: _alone(learnt[name], labels, tested[name]) for name in X.columns})
    strength = np.maximum(_each_auc(truth, said), _in_order(truth, tested))
    found = dict(zip(X.columns, strength.tolist(), strict=True))
    ranked = sorted((name for name in found if name not in trusted), key=lambda name: (-found[name], name))
    strongest = ranked[: min(_MOST_SUSPECTS, max(1, len(ranked) // 3))]
    told = tuple(_told(name, found[name], truth) for name in strongest)

    def without(*left_out: str) -> float:
        others = [name for name in X.columns if name not in left_out]
        return _together(learnt[others], labels, tested[others], truth, seed) if others else 0.5

    apart = {*strongest, *_alike(said[ranked], strongest)}
    rest = without(*apart)
    suspicious = _above(told, _LEAST_SUSPICIOUS, rest)
    if not suspicious and rest > _HIGHEST_HONEST and without(*apart, *trusted) > _HIGHEST_HONEST:
        suspicious = tuple(strongest)
    table = _same_source(ranked, sources or {})
    beside = without(*apart, *table) if table else rest
    leaking = _above([row for row in told if row["feature"] in table], _LEAST_WITHOUT_TABLE, beside)
    return Separation(told, beside, leaking) if len(leaking) > 0 else Separation(told, rest, suspicious)


def _alike(said: pd.DataFrame, strongest: Sequence[str]) -> list[str]:
    """Return the features that order customers much as one of the strongest does."""
    ranks = said.iloc[evenly_spread(len(said), _MOST_ROWS)].rank()
    ranks = ranks.loc[:, ranks.nunique() > 1]
    against = [ranks.columns.get_loc(name) for name in strongest if name in ranks]
    if not against:
        return []
    correlation = np.abs(np.corrcoef(ranks.to_numpy().T).reshape(2 * ranks.shape[1:]))
    return list(ranks.columns[correlation[:, against].max(axis=1) >= _ALIKE])


def _same_source(ranked: Sequence[str], sources: Mapping[str, str]) -> list[str]:
    """Return the features of the table that the first one comes from, if that is known."""
    table = sources.get(ranked[0]) if ranked else None
    return [name for name in ranked if table is not None and sources.get(name) == table]


def _above(told: Sequence[Row], least: float, rest: float) -> tuple[str, ...]:
    """Return the features that close a third of the way from the rest to perfection, sampling error taken off."""
    limit = max(least, 1 - (1 - _SHARE_CLOSED) * (1 - rest))
    return tuple(str(row["feature"]) for row in told if float(row["auc_low"] or 0) > limit)


def _alone(learnt: pd.Series, labels: Array, tested: pd.Series) -> Array:
    """Return for each tested value the churn rate of its bin; missing values have a bin of their own."""
    values = learnt.to_numpy(np.float64)
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    bins = _binned(values, edges)
    rows, churned = (np.bincount(bins, weights, len(edges) + 2) for weights in (None, labels))
    rates: Array = (churned + _SMOOTHING * labels.mean()) / (rows + _SMOOTHING)
    return rates[_binned(tested.to_numpy(np.float64), edges)]


def _in_order(truth: npt.NDArray[np.generic], tested: pd.DataFrame) -> Array:
    """Return the AUC of each feature's own order at the judged date, up or down; missing values are at the median."""
    values = tested.astype(np.float64)
    ordered = _each_auc(truth, values.fillna(values.median()).fillna(0.0))
    return np.maximum(ordered, 1 - ordered)


def _each_auc(truth: npt.NDArray[np.generic], said: pd.DataFrame) -> Array:
    """Return the AUC of each column, ties counted half: of some hundred at once, ten times as fast as one by one."""
    ranks, churned = rankdata(said.to_numpy(), axis=0), truth == 1
    churners = int(churned.sum())
    above: Array = ranks[churned].sum(axis=0) - churners * (churners + 1) / 2
    return above / (churners * (len(truth) - churners))


def _binned(values: Array, edges: Array) -> npt.NDArray[np.int64]:
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))


def _together(
    learnt: pd.DataFrame, labels: Array, tested: pd.DataFrame, truth: npt.NDArray[np.generic], seed: int
) -> float:
    data = lgb.Dataset(learnt.to_numpy(np.float32), labels)
    booster = lgb.train({**_PARAMETERS, "seed": seed}, data, _ROUNDS)
    return auc(truth, booster.predict(tested.to_numpy(np.float32), num_threads=1))


def _told(name: str, found: float, truth: npt.NDArray[np.generic]) -> Row:
    return {"feature": name, "auc": found, "auc_low": found - NORMAL_975 * auc_error(found, truth)}


def auc_error(found: float, churned: npt.ArrayLike) -> float:
    """Return the standard error of an AUC over independent customers.

    Args:
        found: the AUC.
        churned: labels, both classes present.

    Source: Hanley, McNeil (1982), Radiology 143(1), "The meaning and use of the area under a ROC curve".

    >>> round(auc_error(0.8, [1] * 50 + [0] * 50), 4)
    0.0445
    """
    y = np.asarray(churned)
    churners, stayers = int((y == 1).sum()), int((y != 1).sum())
    both = found / (2 - found) - found**2, 2 * found**2 / (1 + found) - found**2
    spread = found * (1 - found) + (churners - 1) * both[0] + (stayers - 1) * both[1]
    return float(np.sqrt(spread / (churners * stayers)))
