"""How good a churn risk is: ranking, probability, calibration, and money.

Every metric takes the labels and the predicted probabilities of one evaluation date, and where rows stand for
more or fewer than one customer their weights. Ranking metrics depend on the order of the probabilities alone;
customers with equal probabilities are never put in an order.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as log_loss_score

from models.profit import emp
from models.weighted import calibration_gap, cumulated, weights_of

Array = npt.NDArray[np.float64]

BINS = 10
_SURE = 1e-7  # a probability of 0 or 1 that proves wrong costs 16.1 nats, not infinitely many


def auc(churned: npt.ArrayLike, risk: npt.ArrayLike, *, weight: npt.ArrayLike | None = None) -> float:
    """Return the probability that a churner has a higher risk than a stayer, ties counted half.

    Args:
        churned: labels, 0 or 1, both present.
        risk: churn risk of each row.
        weight: how many customers each row stands for.

    >>> auc([1, 0, 1, 0], [0.9, 0.1, 0.4, 0.4])  # pairs: win, win, win, tie
    0.875
    """
    return float(roc_auc_score(churned, risk, sample_weight=weight))


def average_precision(
    churned: npt.ArrayLike, risk: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> float:
    """Return the precision averaged over the churners, each at its own place in the ranking.

    Args:
        churned: labels, 0 or 1, both present.
        risk: churn risk of each row.
        weight: how many customers each row stands for.

    >>> round(average_precision([1, 0, 1], [0.9, 0.5, 0.1]), 4)  # (1/1 + 2/3) / 2
    0.8333
    """
    return float(average_precision_score(churned, risk, sample_weight=weight))


def log_loss(churned: npt.ArrayLike, risk: npt.ArrayLike, *, weight: npt.ArrayLike | None = None) -> float:
    """Return the mean surprise in nats, probabilities kept 1e-7 away from 0 and 1.

    Args:
        churned: labels, 0 or 1, both present.
        risk: probability of churn.
        weight: how many customers each row stands for.

    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)  # ln 2
    0.6931
    """
    return float(log_loss_score(churned, clipped(risk), sample_weight=weight, labels=[0, 1]))


def brier(churned: npt.ArrayLike, risk: npt.ArrayLike, *, weight: npt.ArrayLike | None = None) -> float:
    """Return the mean squared difference of label and probability.

    Args:
        churned: labels, 0 or 1.
        risk: probability of churn.
        weight: how many customers each row stands for.

    >>> round(brier([1, 0], [0.8, 0.4]), 4)  # (0.04 + 0.16) / 2
    0.1
    """
    return float(brier_score_loss(churned, risk, sample_weight=weight))


def ece(
    churned: npt.ArrayLike, risk: npt.ArrayLike, *, bins: int = BINS, weight: npt.ArrayLike | None = None
) -> float:
    """Return the expected calibration error: mean gap of promised and observed churn over equal-count bins.

    Args:
        churned: labels, 0 or 1.
        risk: probability of churn; a group of ties across a border counts in proportion in both bins.
        bins: number of bins.
        weight: how many customers each row stands for.

    Returns:
        Share in [0, 1]; a perfect model is not at 0 but at ``ece_when_perfect``.

    >>> round(ece([0, 1, 1, 1], [0.2, 0.4, 0.7, 0.9], bins=2), 4)  # (|.5 - .3| + |1 - .8|) / 2
    0.2
    """
    y, p = np.asarray(churned, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(p[order])), len(p) - 1]
    w = weights_of(weight, len(y))[order]
    missed = np.cumsum(w * (y - p)[order])[last]
    return calibration_gap(np.r_[0.0, np.cumsum(w)[last]], np.r_[0.0, missed], bins)


def lift(
    churned: npt.ArrayLike, risk: npt.ArrayLike, *, share: float = 0.1, weight: npt.ArrayLike | None = None
) -> float:
    """Return how many times the base rate churns among the riskiest share of customers.

    Args:
        churned: labels, 0 or 1, at least one churner.
        risk: churn risk of each row; a group of ties across the border counts in proportion.
        share: size of the top group, in (0, 1].
        weight: how many customers each row stands for.

    >>> lift([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], range(10, 0, -1), share=0.2)  # 2 of 2 against 2 of 10
    5.0
    """
    churners, customers = cumulated(churned, risk, weight=weight)
    return lift_of(churners, customers, share)


def ece_when_perfect(
    risk: npt.ArrayLike, *, seed: int, draws: int = 200, weight: npt.ArrayLike | None = None
) -> tuple[float, float]:
    """Return what calibration error chance alone gives a perfectly calibrated model with these risks.

    Args:
        risk: probabilities of churn, as predicted.
        seed: seed of the simulated labels.
        draws: number of simulated label sets.
        weight: how many customers each row stands for.

    Returns:
        Mean and 95th percentile of the calibration error.
    """
    rng, p = np.random.default_rng(seed), np.asarray(risk, dtype=np.float64)
    found = [ece(rng.random(len(p)) < p, p, weight=weight) for _ in range(draws)]
    return float(np.mean(found)), float(np.quantile(found, 0.95))


class Metric(Protocol):
    """A figure of labels and probabilities, each row counted by its weight."""

    def __call__(
        self, churned: npt.ArrayLike, risk: npt.ArrayLike, /, *, weight: npt.ArrayLike | None = None
    ) -> float:
        """Return the figure."""


METRICS: Mapping[str, Metric] = {
    "auc": auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
    "ece": ece,
    "lift_at_10pct": lift,
    "emp": emp,
}


def clipped(risk: npt.ArrayLike) -> Array:
    """Return the probabilities kept 1e-7 away from 0 and 1, where a logarithm would be infinite."""
    return np.clip(np.asarray(risk, dtype=np.float64), _SURE, 1 - _SURE)


def lift_of(churners: Array, customers: Array, share: float) -> float:
    """Return the lift from cumulated counts, as ``cumulated`` gives them."""
    reached = np.interp(share * customers[-1], customers, churners)
    return float(reached / share / churners[-1])
