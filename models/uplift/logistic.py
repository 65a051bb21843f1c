"""A ridge logistic regression of its own per arm: the plain rival of the trees."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit

from models.reference import signed_log
from models.ridge import fit_logistic, inputs_of
from models.uplift.policies import Arms
from models.uplift.trees import Array, Matrix

_PENALTY = 10.0  # half of it times the squared coefficients, per standard deviation
_FLAGGED_FROM = 0.01
_NO_SPREAD = 1e-9


@dataclass(frozen=True)
class ArmLogit:
    """Probability of the outcome under one arm, from z-scores on the signed-log scale.

    Attributes:
        mean: of each feature over the rows of all arms; 0 where no row has it.
        spread: standard deviation of each feature, 1 where it has none.
        flagged: positions of the features whose absence is an input of its own.
        coefficients: logit per z-score, per flag, and the constant last.
    """

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    flagged: tuple[int, ...]
    coefficients: tuple[float, ...]

    @classmethod
    def of_arms(cls, values: Matrix, outcome: Array, arm: Arms, arms: int) -> list[Self]:
        """Fit each arm on its own rows, all arms on one scale.

        Args:
            values: features; missing is NaN.
            outcome: 0 or 1.
            arm: arm of each row.
            arms: their number.
        """
        mean, spread, flagged = _scale(values)
        inputs = _inputs(values, mean, spread, flagged)
        penalty = np.append(np.full(inputs.shape[1] - 1, _PENALTY), 0.0)
        fitted = []
        for each in range(arms):
            own = arm == each
            weight = np.ones(own.sum())
            found = fit_logistic(inputs[own], outcome[own], weight=weight, offset=0 * weight, penalty=penalty)
            fitted.append(cls(mean, spread, flagged, tuple(found.tolist())))
        return fitted

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the arm of the given lists, by attribute."""
        return cls(**{name: tuple(values) for name, values in plain.items()})

    def predict(self, values: Matrix) -> Array:
        """Return the probability of the outcome of each row."""
        total = np.zeros(len(values))
        inputs = _inputs(values, self.mean, self.spread, self.flagged)
        # Column by column: a matrix product rounds differently with the number of rows.
        for column, coefficient in zip(inputs.T, self.coefficients, strict=True):
            total += coefficient * column
        return np.asarray(expit(total))


def _scale(values: Matrix) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...]]:
    scores = signed_log(values)
    known = np.isfinite(scores)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, scores, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, scores - mean, 0.0) ** 2).sum(axis=0) / count)
    flagged = np.flatnonzero((~known).mean(axis=0) > _FLAGGED_FROM)
    spread = np.where(spread > _NO_SPREAD, spread, 1.0)
    return tuple(mean.tolist()), tuple(spread.tolist()), tuple(flagged.tolist())


def _inputs(
    values: Matrix, mean: tuple[float, ...], spread: tuple[float, ...], flagged: tuple[int, ...]
) -> Array:
    scores = (signed_log(values) - np.array(mean)) / np.array(spread)
    return np.column_stack([inputs_of(scores, flagged), np.ones(len(values))])
