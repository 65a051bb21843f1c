"""The models to beat: each is what a good analyst would try first, on the same rows as the champion.

They train on snapshot dates one horizon apart, so that no outcome window overlaps another, and are always
reported beside the champion, in the order of ``RIVALS``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.metrics import Array, clipped
from models.reference import DateReference
from tables.errors import DataError, SchemaError

_RFMT = ("days_since_last_order", "orders_total", "spend_total", "days_since_first_order")
ROUNDS_WITHOUT_VALIDATION, MOST_ROUNDS, PATIENCE = 150, 1000, 50
_FEWEST_ROUNDS, _REFIT_GROWTH = 20, 1.1
_LIGHTGBM: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Contest:
    """What every rival may see: complete snapshots, and the customers to score.

    Attributes:
        X: features of the training rows, at disjoint dates.
        y: labels of these rows, 1 = churned.
        as_of: snapshot date of these rows.
        X_test: features of the population at the evaluation date, same columns.
        reference: the evaluation date, its horizon, and BG/NBD fitted on everybody who bought before it.
        seed: seed of LightGBM's sampling.
        weight: how often each training row counts; nothing where each counts once.
    """

    X: pd.DataFrame
    y: npt.NDArray[np.int8]
    as_of: npt.NDArray[np.datetime64]
    X_test: pd.DataFrame
    reference: DateReference
    seed: int
    weight: Array | None = None

    @property
    def before_the_newest(self) -> npt.NDArray[np.bool_]:
        """Mark the training rows of all dates but the newest; none where there is one date."""
        return np.asarray(self.as_of < self.as_of.max())

    def dataset(self, rows: npt.NDArray[np.bool_]) -> lgb.Dataset:
        """Return some of the training rows for LightGBM."""
        weight = None if self.weight is None else self.weight[rows]
        return lgb.Dataset(self.X[rows], self.y[rows], weight=weight)


Rivals = Mapping[str, Callable[[Contest], Array]]


def disjoint_dates(as_of: npt.ArrayLike, *, until: date, horizon_days: int) -> npt.NDArray[np.datetime64]:
    """Choose training dates at least one horizon apart, going back from the evaluation date.

    Args:
        as_of: snapshot dates there are, repeated at will.
        until: the evaluation date.
        horizon_days: length of the outcome window in days.

    Returns:
        Chosen dates, oldest first. With snapshots at ``until`` less whole horizons, exactly those.

    >>> days = np.array(["2025-01-01", "2025-01-15", "2025-01-31", "2025-02-15"], dtype="datetime64[D]")
    >>> disjoint_dates(days, until=date(2025, 3, 2), horizon_days=30)
    array(['2025-01-01', '2025-01-31'], dtype='datetime64[D]')
    """
    horizon, chosen = np.timedelta64(horizon_days, "D"), [np.datetime64(until)]
    for day in np.unique(_days(as_of))[::-1]:
        if day <= chosen[-1] - horizon:
            chosen.append(day)
    return np.array(chosen[:0:-1], dtype="datetime64[D]")


def contest_at(
    X: pd.DataFrame,
    y: npt.ArrayLike,
    as_of: npt.ArrayLike,
    X_test: pd.DataFrame,
    *,
    reference: DateReference,
    seed: int = 0,
    weight: npt.ArrayLike | None = None,
) -> Contest:
    """Keep of the labelled snapshots what rivals may see.

    Args:
        X: features of labelled snapshots; rows at other dates than ``disjoint_dates`` are left out.
        y: labels of these rows, 1 = churned.
        as_of: snapshot date of these rows.
        X_test: features of the population at the evaluation date, same columns.
        reference: what the evaluation date says about everybody.
        seed: seed of LightGBM's sampling.
        weight: how often each row of ``X`` counts; once where not given.

    Raises:
        DataError: no training date one horizon before the evaluation, or one class only.
    """
    days = _days(as_of)
    kept = np.isin(days, disjoint_dates(days, until=reference.as_of, horizon_days=reference.horizon_days))
    labels = np.asarray(y)[kept]
    _check_trainable(labels, reference, dates=len(np.unique(days)))
    counted = None if weight is None else np.asarray(weight, dtype=np.float64)[kept]
    return Contest(X[kept], labels, days[kept], X_test, reference, seed, counted)


def predict_rivals(contest: Contest, rivals: Rivals | None = None) -> dict[str, Array]:
    """Fit rivals and return their churn risks for each customer of the evaluation date.

    Args:
        contest: what they may see.
        rivals: the rivals by name; those that mean something for how customers leave if not given.

    Returns:
        By name, in their order: probabilities of shape ``(len(contest.X_test),)`` in (0, 1).

    Raises:
        SchemaError: a column that a rival needs is missing.
    """
    taking_part = rivals_of(contest.reference) if rivals is None else rivals
    return {name: clipped(rival(contest)) for name, rival in taking_part.items()}


def rivals_of(reference: DateReference) -> Rivals:
    """Return the rivals that mean something for how customers leave: an order, or none, says nothing about notice."""
    return CONTRACT_RIVALS if reference.bgnbd is None else RIVALS


def left_out(reference: DateReference) -> tuple[str, ...]:
    """Name the rivals that mean nothing where customers leave by notice; none where they leave by silence."""
    return () if reference.bgnbd else tuple(name for name in RIVALS if name not in CONTRACT_RIVALS)


def lightgbm_plain(contest: Contest) -> Array:
    """Boosted trees on all features: rounds by early stopping on the newest training date, then refitted.

    Args:
        contest: training rows at disjoint dates, and the customers to score.

    Returns:
        Churn risk of each row of ``contest.X_test``.
    """
    settings = {**_LIGHTGBM, "seed": contest.seed}
    rounds, older = ROUNDS_WITHOUT_VALIDATION, contest.before_the_newest
    if older.any():
        training, newest = contest.dataset(older), contest.dataset(~older)
        quiet_stop = lgb.early_stopping(PATIENCE, verbose=False)
        stopped = lgb.train(settings, training, MOST_ROUNDS, valid_sets=[newest], callbacks=[quiet_stop])
        rounds = refitted_rounds(stopped.best_iteration)
    booster = lgb.train(settings, contest.dataset(np.ones(len(older), dtype=bool)), rounds)
    return np.asarray(booster.predict(contest.X_test))


def logistic_rich(contest: Contest) -> Array:
    """Logistic regression on the logarithm of all features, standardised and shrunk.

    Args:
        contest: training rows at disjoint dates, and the customers to score.

    Returns:
        Churn risk of each row of ``contest.X_test``.
    """
    return logistic_on(contest, list(contest.X.columns), C=0.05)


def bgnbd_no_purchase(contest: Contest) -> Array:
    """Return the BG/NBD probability of no purchase day in the horizon: no label is used.

    Args:
        contest: the customers to score, and the reference that holds the fitted BG/NBD.

    Returns:
        Churn risk of each row of ``contest.X_test``.
    """
    return contest.reference.no_purchase(contest.X_test)


def refitted_rounds(best: int) -> int:
    """Return the rounds of a refit on all rows, a tenth more than were best without the newest date.

    >>> refitted_rounds(100), refitted_rounds(3)
    (110, 20)
    """
    return max(_FEWEST_ROUNDS, int(best * _REFIT_GROWTH))


def logistic_on(contest: Contest, columns: Sequence[str], *, C: float) -> Array:
    """Return the churn risk by a logistic regression on the logarithms of some columns, shrunk by 1 / ``C``."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=2000))
    counted = {
        f"{step}__sample_weight": contest.weight for step, _ in model.steps if contest.weight is not None
    }
    model.fit(_logarithms(contest.X, columns), contest.y, **counted)
    return np.asarray(model.predict_proba(_logarithms(contest.X_test, columns))[:, 1])


RIVALS: Rivals = {
    "lightgbm_plain": lightgbm_plain,
    "logistic_rich": logistic_rich,
    "logistic_rfmt": partial(logistic_on, columns=_RFMT, C=1.0),
    "bgnbd_no_purchase": bgnbd_no_purchase,
    "days_since_last_order": partial(logistic_on, columns=("days_since_last_order",), C=1e3),
}
CONTRACT_RIVALS: Rivals = {
    "lightgbm_plain": lightgbm_plain,
    "logistic_rich": logistic_rich,
    "subscription_age": partial(logistic_on, columns=("days_since_subscription_start",), C=1e3),
}


def _logarithms(features: pd.DataFrame, columns: Sequence[str]) -> Array:
    for column in columns:
        if column not in features.columns:
            raise SchemaError.missing_column(column, table="features", found=features.columns)
    values = features[list(columns)].to_numpy(dtype=np.float64)
    known = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(np.log1p(np.maximum(known, 0)))


def _days(as_of: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
    return np.asarray(as_of).astype("datetime64[D]")


def _check_trainable(labels: npt.NDArray[np.int8], reference: DateReference, *, dates: int) -> None:
    if len(labels) == 0:
        raise DataError(
            f"rivals: no training date {reference.horizon_days} days before {reference.as_of}; "
            f"found {dates} dates, all later. Choose a later evaluation date."
        )
    if not 0 < labels.sum() < len(labels):
        raise DataError(
            f"rivals: both classes are needed; found {labels.sum()} churners in {len(labels)} training rows. "
            "Choose another churn definition or more history."
        )
