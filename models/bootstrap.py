"""How sure a metric is: resampled customers, all models under the same draws.

A draw gives every customer a multinomial weight, the same in each of the customer's rows and for every model,
so that differences between models are paired. Probabilities are sorted once; a draw costs a few running sums.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from models.metrics import BINS, METRICS, Array, clipped, lift_of
from models.profit import USUAL, emp_of
from models.weighted import calibration_gap, weights_of

MOST_DRAWS = 400
_FEWEST_DRAWS = 100
_ROWS_AFFORDED = 40_000_000  # rows times draws per model: ten seconds (23 s at 1 M rows)


@dataclass(frozen=True, slots=True)
class RankedRisks:
    """One model's probabilities, sorted once, ready to be weighed many times.

    Attributes:
        order: row numbers, riskiest first.
        last: position in ``order`` of the last row of each group of equal risks.
        churned: labels in ``order``.
        risk: probabilities in ``order``.
        surprise: log loss of each row in ``order``.
    """

    order: npt.NDArray[np.intp]
    last: npt.NDArray[np.intp]
    churned: Array
    risk: Array
    surprise: Array

    @classmethod
    def of(cls, churned: npt.ArrayLike, risk: npt.ArrayLike) -> Self:
        """Sort labels and probabilities of one evaluation date by risk, riskiest first."""
        y, p = np.asarray(churned, dtype=np.float64), np.asarray(risk, dtype=np.float64)
        order = np.argsort(-p, kind="stable")
        y, p = y[order], p[order]
        safe = clipped(p)
        surprise = -(y * np.log(safe) + (1 - y) * np.log1p(-safe))
        return cls(order, np.r_[np.flatnonzero(np.diff(p)), len(p) - 1], y, p, surprise)

    def weighed(self, weight: Array) -> Array:
        """Return every metric of ``METRICS``, in its order, with each row counted ``weight`` times.

        Args:
            weight: count of each row, in the original order of rows, 0 or more.

        Returns:
            Shape ``(7,)``; all missing when the draw left out one of the classes.
        """
        w = weight[self.order]
        weighed_churn = np.cumsum(w * self.churned)
        churners = np.r_[0.0, weighed_churn[self.last]]
        customers = np.r_[0.0, np.cumsum(w)[self.last]]
        drawn = np.r_[True, np.diff(customers) > 0]
        missed = np.r_[0.0, np.cumsum(w * (self.churned - self.risk))[self.last]][drawn]
        churners, customers = churners[drawn], customers[drawn]
        if not 0 < churners[-1] < customers[-1]:
            return np.full(len(METRICS), np.nan)
        spared, total = customers - churners, customers[-1]
        area = np.trapezoid(churners, spared) / (churners[-1] * spared[-1])
        precision = np.diff(churners) @ (churners[1:] / customers[1:]) / churners[-1]
        surprise, square = w @ self.surprise / total, w @ (self.churned - self.risk) ** 2 / total
        gap = calibration_gap(customers, missed, BINS)
        lift = lift_of(churners, customers, 0.1)
        return np.array([area, precision, surprise, square, gap, lift, emp_of(churners, customers, USUAL)])


def draws_for(rows: int) -> int:
    """Return how many draws an interval over so many rows gets: 400, fewer above 100,000 rows.

    >>> draws_for(2_787), draws_for(200_000), draws_for(1_000_000)
    (400, 200, 100)
    """
    return max(_FEWEST_DRAWS, min(MOST_DRAWS, _ROWS_AFFORDED // max(rows, 1)))


def customer_weights(customer: npt.ArrayLike, *, seed: int, draws: int) -> Iterator[Array]:
    """Yield the bootstrap weight of every row, one array a draw.

    Args:
        customer: customer of each row; rows of one customer always share a weight.
        seed: the same seed gives the same draws.
        draws: number of arrays.

    Yields:
        Counts of shape ``(n,)`` whose sum over distinct customers is their number.
    """
    distinct, code = np.unique(np.asarray(customer), return_inverse=True)
    rng, size = np.random.default_rng(seed), len(distinct)
    for _ in range(draws):
        yield np.bincount(rng.integers(0, size, size), minlength=size).astype(np.float64)[code]


def resampled(
    churned: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    customer: npt.ArrayLike,
    *,
    seed: int,
    weight: npt.ArrayLike | None = None,
) -> dict[str, Array]:
    """Return every metric of every model under the same resampled customers.

    Args:
        churned: labels, 0 or 1.
        predictions: probabilities by name of the model.
        customer: customer of each row.
        seed: seed of the draws.
        weight: how many customers each row stands for, in every draw.

    Returns:
        By name of the model: shape ``(draws, 7)``, metrics in the order of ``METRICS``.
    """
    ranked = {name: RankedRisks.of(churned, risk) for name, risk in predictions.items()}
    own = weights_of(weight, len(np.asarray(churned)))
    draws = draws_for(len(own))
    rows: dict[str, list[Array]] = {name: [] for name in ranked}
    for drawn in customer_weights(customer, seed=seed, draws=draws):
        for name, risks in ranked.items():
            rows[name].append(risks.weighed(drawn * own))
    return {name: np.stack(values) for name, values in rows.items()}


def share_above(apart: Array) -> float | None:
    """Return the share of resampled differences above 0, missing where no draw could be valued.

    >>> share_above(np.array([0.2, -0.1, np.nan]))
    0.5
    """
    known = apart[np.isfinite(apart)]
    return float(np.mean(known > 0)) if len(known) else None


def interval(values: Array) -> tuple[float | None, float | None]:
    """Return the middle 95 % of resampled values, missing where no draw could be valued.

    >>> interval(np.arange(101.0))
    (2.5, 97.5)
    """
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return None, None
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
