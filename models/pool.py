"""The training rows of all snapshot dates together: labels, weights, folds and each date's churn share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from models.columns import as_stored
from models.level import LevelSeries, series_of, smoothed_share
from models.reference import DateReference
from tables.errors import DataError

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

FEWEST_CUSTOMERS = 50
FEWEST_OF_A_CLASS = 10


@dataclass(frozen=True)
class TrainingPool:
    """Rows of several snapshot dates, one per customer and date.

    Attributes:
        X: features, one float32 column each.
        y: 1 where the customer churned, 0 where not.
        dates: the distinct snapshot dates, oldest first.
        date_code: position in ``dates`` of each row.
        customer: key of each row's customer.
        weight: weight of each row; overlapping outcome windows count once.
        fold: fold of each row; all rows of a customer lie in one.
        fixed_effects: whether rows start from the churn share of their own date, or all from one share.
    """

    X: pd.DataFrame
    y: Array
    dates: tuple[date, ...]
    date_code: Positions
    customer: npt.NDArray[np.generic]
    weight: Array
    fold: Positions
    fixed_effects: bool = True

    @classmethod
    def of(
        cls,
        X: pd.DataFrame,
        y: npt.ArrayLike,
        *,
        as_of: npt.ArrayLike,
        customer: npt.ArrayLike,
        weight: npt.ArrayLike | None,
        horizon_days: int,
        folds: int,
        seed: int,
        fixed_effects: bool = True,
    ) -> Self:
        """Check the rows, weigh overlapping outcome windows and spread the customers over folds.

        Args:
            X: features.
            y: labels, 0 or 1.
            as_of: snapshot date of each row.
            customer: key of each row's customer.
            weight: weights of the rows by themselves; 1 where not given.
            horizon_days: length of the outcome window.
            folds: number of folds.
            seed: key of the hash that spreads customers over folds.
            fixed_effects: start the rows from the churn share of their own date.

        Raises:
            DataError: columns of different length, labels other than 0 and 1, a customer twice at a date, too
                few customers, or one class only.
        """
        labels = np.asarray(y, dtype=np.float64)
        days = np.asarray(pd.DatetimeIndex(np.asarray(as_of)), dtype="datetime64[D]")
        keys = np.asarray(customer)
        own = np.ones(len(labels)) if weight is None else np.asarray(weight, dtype=np.float64)
        _check_rows({"X": len(X), "y": len(labels), "as_of": len(days), "customer": len(keys)}, labels, own)
        distinct, code = np.unique(days, return_inverse=True)
        _check_once(keys, days)
        pool = cls(
            X=as_stored(X).reset_index(drop=True),
            y=labels,
            dates=tuple(distinct.astype(object)),
            date_code=code.astype(np.int64),
            customer=keys,
            weight=own * _share_of_an_outcome(distinct, horizon_days),
            fold=customer_folds(keys, folds, seed),
            fixed_effects=fixed_effects,
        )
        shortage = pool.shortage()
        if shortage:
            raise DataError(f"training: too little to learn from; found {shortage}.")
        return pool

    def shortage(self) -> str:
        """Say what the rows lack to train on, with advice; empty where they suffice."""
        customers = len(np.unique(self.customer))
        churned = int(self.y.sum())
        rarer = min(churned, len(self.y) - churned)
        if rarer == 0:
            kind = "churned" if churned else "stayed"
            return (
                f"one class only: all {len(self.y)} rows {kind}. Choose another horizon (`horizon_days`), or "
                "train as of a later date"
            )
        if customers < FEWEST_CUSTOMERS or rarer < FEWEST_OF_A_CLASS:
            return (
                f"{customers} customers with {rarer} rows of the rarer class, fewer than "
                f"{FEWEST_CUSTOMERS} or {FEWEST_OF_A_CLASS}. Widen `active_within_days` (no such "
                "key with contracts) or wait for more customers"
            )
        return ""

    def take(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Keep some rows; dates left without rows disappear, weights and folds stay."""
        kept, code = np.unique(self.date_code[rows], return_inverse=True)
        return type(self)(
            X=self.X.loc[rows].reset_index(drop=True),
            y=self.y[rows],
            dates=tuple(self.dates[each] for each in kept),
            date_code=code.astype(np.int64),
            customer=self.customer[rows],
            weight=self.weight[rows],
            fold=self.fold[rows],
            fixed_effects=self.fixed_effects,
        )

    def settled_by(self, day: date, settled_days: int) -> Self:
        """Keep the rows whose outcome is settled at the midnight of ``day``."""
        settled = np.array([each + timedelta(days=settled_days) <= day for each in self.dates])
        return self.take(settled[self.date_code])

    def rows_of(self, day: date) -> npt.NDArray[np.bool_]:
        """Mark the rows of one snapshot date."""
        return np.asarray(self.date_code == self.dates.index(day))

    def constant(self) -> float:
        """Return the logit of the churn share of all rows together."""
        return float(logit(np.average(self.y, weights=self.weight)))

    def offsets(self) -> Array:
        """Return the logit each row starts from: the churn share of its date, or of all dates together."""
        if not self.fixed_effects:
            return np.full(len(self.y), self.constant())
        return np.asarray(logit(np.array(self._shares())))[self.date_code]

    def series(self, references: Mapping[date, DateReference]) -> LevelSeries:
        """Return the churn share of every date beside its BG/NBD level."""
        no_purchase = [references[day].mean_no_purchase for day in self.dates]
        return series_of(self.dates, np.bincount(self.date_code).tolist(), self._shares(), no_purchase)

    def _shares(self) -> list[float]:
        weight = np.bincount(self.date_code, self.weight)
        churned = np.bincount(self.date_code, self.weight * self.y)
        return list(map(smoothed_share, (churned / weight).tolist(), np.bincount(self.date_code).tolist()))


def customer_folds(customer: npt.NDArray[np.generic], folds: int, seed: int) -> Positions:
    """Spread customers over folds of equal size in an order nobody chose.

    Args:
        customer: keys, one per row, a customer many times.
        folds: number of folds.
        seed: key of the hash.

    Returns:
        Fold of each row, 0 to ``folds - 1``.

    >>> folds = customer_folds(np.array([7, 7, 8, 9, 8]), folds=3, seed=0)
    >>> bool(folds[0] == folds[1] and folds[2] == folds[4]), sorted(set(folds.tolist()))
    (True, [0, 1, 2])
    """
    distinct, position = np.unique(customer, return_inverse=True)
    hashes = pd.util.hash_array(
        distinct.astype(str).astype(object), hash_key=f"{seed:016d}", categorize=False
    )
    rank = np.empty(len(distinct), dtype=np.int64)
    rank[np.argsort(hashes, kind="stable")] = np.arange(len(distinct))
    return rank[position] % folds


def in_sample(customer: npt.ArrayLike, share: float) -> npt.NDArray[np.bool_]:
    """Choose about a share of customers by their keys alone: the same ones whoever else there is.

    Args:
        customer: keys, each once.
        share: share to choose, all from 1 on.

    >>> some, more = in_sample(np.arange(9000), 0.1), in_sample(np.arange(9000), 0.2)
    >>> int(some.sum()), int(more.sum()), int((some & more).sum())
    (940, 1854, 940)
    """
    hashes = pd.util.hash_array(np.asarray(customer)) / 2.0**64
    return np.asarray(hashes < share)


def _share_of_an_outcome(dates: npt.NDArray[np.datetime64], horizon_days: int) -> float:
    """Weight of a row such that outcome windows that overlap count once: stride over horizon."""
    if len(dates) < 2:
        return 1.0
    stride = float(np.diff(dates).astype(np.int64).mean())
    return min(1.0, stride / horizon_days)


def _check_rows(lengths: Mapping[str, int], labels: Array, weight: Array) -> None:
    problems: list[str] = []
    if len({*lengths.values(), len(weight)}) > 1:
        problems.append(f"columns of different length {dict(lengths)}")
    if not np.isin(labels, (0.0, 1.0)).all():
        problems.append(f"labels other than 0 and 1, such as {_some(labels[~np.isin(labels, (0.0, 1.0))])}")
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        problems.append("weights below 0 or not finite")
    if problems:
        raise DataError(
            f"training: rows that cannot be used; found {'; '.join(problems)}. Rebuild the labels."
        )


def _check_once(customer: npt.NDArray[np.generic], days: npt.NDArray[np.datetime64]) -> None:
    keys = pd.DataFrame({"as_of": days, "customer": customer})
    twice = keys[keys.duplicated()]
    if len(twice):
        named = [f"{each.customer} at {each.as_of:%Y-%m-%d}" for each in twice.head(3).itertuples()]
        raise DataError(
            f"training: one row per customer and date is needed; found {len(twice)} more, such as "
            f"{', '.join(named)}. Drop the repeated rows."
        )


def _some(values: Array) -> Sequence[float]:
    return [float(each) for each in values[:3]]
