"""Rows that stand for more or fewer than one customer: counted, cut into bins, cumulated."""

import numpy as np
import numpy.typing as npt

from tables.errors import DataError

Array = npt.NDArray[np.float64]


def weights_of(weight: npt.ArrayLike | None, rows: int) -> Array:
    """Return one weight per row; without weights every row stands for one customer."""
    return np.ones(rows) if weight is None else np.asarray(weight, dtype=np.float64)


def unless_even(weight: npt.ArrayLike) -> Array | None:
    """Return the weights, or nothing where every row stands for one customer.

    >>> unless_even([1, 5]), unless_even([1, 1])
    (array([1., 5.]), None)
    """
    w = np.asarray(weight, dtype=np.float64)
    return w if (w != 1).any() else None


def effective_rows(weight: npt.ArrayLike) -> float:
    """Return how many equally weighted rows tell as much as these: Kish's (sum w)^2 / sum w^2.

    Source: Kish (1965), "Survey Sampling".

    >>> effective_rows([1, 1, 1]), effective_rows([3, 1])  # 16 / 10
    (3.0, 1.6)
    """
    w = np.asarray(weight, dtype=np.float64)
    return float(w.sum() ** 2 / (w @ w))


def risk_bins(
    risk: npt.ArrayLike, bins: int, weight: npt.ArrayLike | None = None
) -> list[npt.NDArray[np.intp]]:
    """Cut the rows into bins of equally many customers by rising risk; bins without a row are left out.

    Args:
        risk: churn risk of each row; rows of equal risk stay in the order given.
        bins: number of bins; without weights the first ones take one row more where the count does not divide.
        weight: how many customers each row stands for; a row lies in the bin of its middle customer.

    >>> risk_bins([0.3, 0.1, 0.2], 2)
    [array([1, 2]), array([0])]
    >>> risk_bins([0.3, 0.1, 0.2], 2, weight=[3, 1, 1])
    [array([1, 2]), array([0])]
    """
    order = np.argsort(np.asarray(risk, dtype=np.float64), kind="stable")
    if weight is None:
        parts = np.array_split(order, bins)
    else:
        w = np.asarray(weight, dtype=np.float64)[order]
        counted = np.cumsum(w)
        middle = (counted - w / 2) * (bins / counted[-1])
        parts = np.split(order, np.searchsorted(middle, np.arange(1, bins)))
    return [rows for rows in parts if len(rows)]


def calibration_gap(customers: Array, missed: Array, bins: int) -> float:
    """Return the mean gap over bins of equally many customers, groups of ties across a border in proportion.

    Args:
        customers: customers counted up to each distinct risk, beginning with 0.
        missed: churn promised too little up to there, in customers, beginning with 0.
        bins: number of bins.

    >>> calibration_gap(np.array([0.0, 2.0, 4.0]), np.array([0.0, 0.5, 0.2]), 2)  # (.5 + .3) / 4
    0.2
    """
    borders = np.linspace(0, customers[-1], bins + 1)
    return float(np.abs(np.diff(np.interp(borders, customers, missed))).sum() / customers[-1])


def cumulated(
    churned: npt.ArrayLike, risk: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> tuple[Array, Array]:
    """Count churners and customers at or above each distinct risk, riskiest first, beginning with (0, 0).

    >>> cumulated([1, 0, 1], [0.9, 0.2, 0.2])
    (array([0., 1., 2.]), array([0., 1., 3.]))
    """
    y, p = np.asarray(churned, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    if not 0 < y.sum() < len(y):
        raise DataError(
            f"metrics: both classes are needed; found {y.sum():.0f} churners among {len(y)} customers. "
            "Choose another evaluation date or churn definition."
        )
    order = np.argsort(-p, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(p[order])), len(p) - 1]
    w = weights_of(weight, len(y))[order]
    return np.r_[0.0, np.cumsum(w * y[order])[last]], np.r_[0.0, np.cumsum(w)[last]]
