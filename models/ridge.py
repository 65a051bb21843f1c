"""Ridge logistic regression on z-scores within the date, its start the date's own churn share.

On raw levels a pooled logistic extrapolates (log loss .710 on Online Retail II at the development date with
good out-of-fold figures); within-date z-scores and a fixed effect per date repair it (.551).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from models.pool import TrainingPool, customer_folds
from models.reference import DateReference

Array = npt.NDArray[np.float64]

INVERSE_PENALTIES = (0.0003, 0.001, 0.003, 0.01, 0.03)
_FURTHEST_Z = 3.5
_FLAGGED_FROM = 0.01  # a missing flag only where more than 1 % of the rows lack the feature
_SEARCH_ROWS = 20_000
_SEARCH_FOLDS = 3
_FREE = 1e-6  # penalty of a term that is not shrunk, enough to keep the solve regular
_NEWTON_STEPS = 15
_LONGEST_STEP = 3.0


@dataclass(frozen=True)
class RidgeLogit:
    """Coefficients on z-scores and missing flags, averaged over the folds.

    Attributes:
        features: columns that are standardised within the date.
        flagged: those of them whose absence is an input of its own.
        coefficients: per feature, then per flag; logit per standard deviation, logit per flag.
        constant: logit of a row at the mean of its date with nothing missing.
        inverse_penalty: the C chosen; large means little shrinkage.
    """

    features: tuple[str, ...]
    flagged: tuple[str, ...]
    coefficients: tuple[float, ...]
    constant: float
    inverse_penalty: float

    def logit(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return each row's logit relative to its date; a row's value does not depend on the others."""
        return self.logit_of(reference.standardise(X, self.features))

    def logit_of(self, scores: Array) -> Array:
        """Return what ``logit`` does from z-scores of ``features`` within the date."""
        total, missing = np.full(len(scores), self.constant), np.isnan(scores)
        weights, of_flags = np.split(np.array(self.coefficients), [len(self.features)])
        # Column by column: a matrix product rounds differently with the number of rows, and needs a copy.
        for at, weight in enumerate(weights):
            total += weight * np.where(missing[:, at], 0.0, np.clip(scores[:, at], -_FURTHEST_Z, _FURTHEST_Z))
        for at, weight in zip(self._flag_positions(), of_flags, strict=True):
            total += weight * missing[:, at]
        return total

    def contributions(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return what each feature adds to the logit, its missing flag included; ``(rows, features)``."""
        parts = self._inputs(X, reference) * np.array(self.coefficients)
        width = len(self.features)
        total = parts[:, :width].copy()
        for position, name in enumerate(self.flagged):
            total[:, self.features.index(name)] += parts[:, width + position]
        return np.asarray(total)

    def _inputs(self, X: pd.DataFrame, reference: DateReference) -> Array:
        return inputs_of(reference.standardise(X, self.features), self._flag_positions())

    def _flag_positions(self) -> list[int]:
        return [self.features.index(name) for name in self.flagged]


class FittedRidge(NamedTuple):
    """The averaged coefficients and every row's logit by the fold that did not see its customer."""

    model: RidgeLogit
    out_of_fold: Array


def fit_ridge(pool: TrainingPool, references: Mapping[date, DateReference], *, seed: int) -> FittedRidge:
    """Fit one ridge logistic per fold and average them.

    Args:
        pool: training rows.
        references: the reference of every date in the pool.
        seed: key of the hash that picks the rows of the penalty search.

    Returns:
        The model and out-of-fold logits, both relative to the fixed effect of the date.
    """
    features = list(pool.X.columns)
    scores = within_dates(pool, references)
    flagged = np.flatnonzero(np.isnan(scores).mean(axis=0) > _FLAGGED_FROM).tolist()
    inputs = np.column_stack([inputs_of(scores, flagged), np.ones(len(scores))])
    chosen = _inverse_penalty(inputs, pool, seed)
    out_of_fold = np.empty(len(scores))
    coefficients = []
    for held_out, fitted in _fold_fits(inputs, pool, np.ones(len(scores), bool), pool.fold, chosen):
        out_of_fold[held_out] = inputs[held_out] @ fitted
        coefficients.append(fitted)
    *mean, constant = np.mean(coefficients, axis=0).tolist()
    model = RidgeLogit(
        tuple(features), tuple(features[at] for at in flagged), tuple(mean), constant, inverse_penalty=chosen
    )
    return FittedRidge(model, out_of_fold)


def within_dates(pool: TrainingPool, references: Mapping[date, DateReference]) -> Array:
    """Return every row's z-scores within its own date.

    Args:
        pool: training rows.
        references: the reference of every date in the pool.
    """
    scores = np.empty(pool.X.shape)
    for code, day in enumerate(pool.dates):
        rows = pool.date_code == code
        scores[rows] = references[day].standardise(pool.X.loc[rows], list(pool.X.columns))
    return scores


def inputs_of(scores: Array, flagged: Sequence[int]) -> Array:
    """Clip z-scores, put 0 for missing, and append the flags of what is missing.

    >>> inputs_of(np.array([[9.0, np.nan]]), flagged=[1])
    array([[3.5, 0. , 1. ]])
    """
    missing = np.isnan(scores)
    clipped = np.clip(scores, -_FURTHEST_Z, _FURTHEST_Z)
    np.putmask(clipped, missing, 0.0)
    return np.hstack([clipped, missing[:, list(flagged)]])


def fit_logistic(inputs: Array, y: Array, *, weight: Array, offset: Array, penalty: npt.ArrayLike) -> Array:
    """Fit a logistic regression with an offset and a quadratic penalty by Newton's method.

    Args:
        inputs: shape ``(rows, terms)``; a constant is a column of ones.
        y: labels, 0 or 1.
        weight: weight per row.
        offset: known part of each row's logit.
        penalty: per term, the factor of half its squared coefficient; 0 leaves it free.

    Returns:
        One coefficient per term.

    >>> y = np.array([1.0, 1.0, 1.0, 0.0])
    >>> one = np.ones(4)
    >>> fit_logistic(one[:, None], y, weight=one, offset=0 * one, penalty=[0]).round(3)  # log 3
    array([1.099])
    """
    shrink = np.asarray(penalty, dtype=np.float64) + _FREE
    coefficients = np.zeros(inputs.shape[1])
    for _ in range(_NEWTON_STEPS):
        risk = expit(offset + inputs @ coefficients)
        gradient = inputs.T @ (weight * (y - risk)) - shrink * coefficients
        rooted = inputs * np.sqrt(weight * risk * (1 - risk))[:, None]
        curvature = rooted.T @ rooted + np.diag(shrink)  # of one matrix alone BLAS works out a half
        step = np.linalg.solve(curvature, gradient)
        longest = float(np.abs(step).max())
        coefficients += step * min(1.0, _LONGEST_STEP / max(longest, _FREE))
        if longest < 1e-4:
            break
    return coefficients


def weighted_log_loss(y: Array, logits: Array, weight: Array) -> float:
    """Return the weighted mean log loss of logits.

    >>> round(weighted_log_loss(np.array([1.0]), np.array([0.0]), np.array([2.0])), 3)  # log 2
    0.693
    """
    return float(np.average(np.logaddexp(0, logits) - y * logits, weights=weight))


def _inverse_penalty(inputs: Array, pool: TrainingPool, seed: int) -> float:
    """Try stronger to weaker shrinkage on whole customers and stop at the first rise of the loss."""
    shares = -(-len(pool.y) // _SEARCH_ROWS)
    searched = customer_folds(pool.customer, shares, seed + 1) == 0
    fold = customer_folds(pool.customer, _SEARCH_FOLDS, seed + 2)
    offsets = pool.offsets()
    best, lowest = INVERSE_PENALTIES[0], np.inf
    for candidate in INVERSE_PENALTIES:
        logits = offsets.copy()
        for held_out, fitted in _fold_fits(inputs, pool, searched, fold, candidate):
            logits[held_out] += inputs[held_out] @ fitted
        loss = weighted_log_loss(pool.y[searched], logits[searched], pool.weight[searched])
        if loss >= lowest:
            break
        best, lowest = candidate, loss
    return best


def _fold_fits(
    inputs: Array, pool: TrainingPool, rows: npt.NDArray[np.bool_], fold: npt.NDArray[np.int64], c: float
) -> Iterator[tuple[npt.NDArray[np.bool_], Array]]:
    penalty = np.append(np.full(inputs.shape[1] - 1, 1 / c), 0.0)
    offsets = pool.offsets()
    for each in np.unique(fold):
        seen = rows & (fold != each)
        yield (
            rows & (fold == each),
            fit_logistic(
                inputs[seen],
                pool.y[seen],
                weight=pool.weight[seen],
                offset=offsets[seen],
                penalty=penalty,
            ),
        )
