"""How good a churn risk is: ranking, probability, calibration, and money.

Every metric takes the labels and the predicted probabilities of one evaluation date, and where rows stand for
more or fewer than one customer their weights. Ranking metrics depend on the order of the probabilities alone;
customers with equal probabilities are never put in an order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.stats import beta
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as log_loss_score

from models.weighted import calibration_gap, cumulated, weights_of

Array = npt.NDArray[np.float64]

BINS = 10
_SURE = 1e-7  # a probability of 0 or 1 that proves wrong costs 16.1 nats, not infinitely many


@dataclass(frozen=True, slots=True)
class CampaignEconomics:
    """What a retention campaign earns and costs per customer, in currency units.

    Attributes:
        clv: value of a customer who stays, above the incentive.
        incentive: what a customer who accepts the offer costs.
        contact: what reaching a customer costs.
        alpha: first parameter of the Beta distribution of the share of churners who accept.
        beta: second parameter of it.

    Source: defaults of Verbraken, Verbeke, Baesens (2013), IEEE TKDE 25(5).
    """

    clv: float = 200.0
    incentive: float = 10.0
    contact: float = 1.0
    alpha: float = 6.0
    beta: float = 14.0


USUAL = CampaignEconomics()


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


def emp(
    churned: npt.ArrayLike,
    risk: npt.ArrayLike,
    economics: CampaignEconomics = USUAL,
    *,
    weight: npt.ArrayLike | None = None,
) -> float:
    """Return the expected maximum profit of a retention campaign, per customer of the base.

    For each share of churners who would accept, the best cut is taken; then the mean over that share's Beta
    distribution. Meant to compare models, not to choose whom to contact.

    Args:
        churned: labels, 0 or 1, both present.
        risk: churn risk of each row.
        economics: value, costs and acceptance.
        weight: how many customers each row stands for.

    Returns:
        Currency units per customer, 0 or more.

    Source: Verbraken, Verbeke, Baesens (2013), IEEE TKDE 25(5), "A novel profit maximizing metric".

    >>> economics = CampaignEconomics(clv=100, incentive=0, contact=0, alpha=1, beta=1)
    >>> round(emp([1, 0], [0.9, 0.1], economics), 4)  # all churners reached, half accept: 100 * 1/2 * 1/2
    25.0
    """
    churners, customers = cumulated(churned, risk, weight=weight)
    return emp_of(churners, customers, economics)


def profit_threshold(economics: CampaignEconomics = USUAL, *, acceptance: float | None = None) -> float:
    """Return the churn risk above which contacting a customer pays.

    Args:
        economics: value and costs.
        acceptance: share of churners who accept; the mean of the Beta distribution when not given.

    Returns:
        Probability: (incentive + contact) / (acceptance (clv - incentive) + incentive), for calibrated
        risks only.

    >>> round(profit_threshold(), 4)  # 11 / (0.3 * 190 + 10)
    0.1642
    """
    if acceptance is None:
        acceptance = economics.alpha / (economics.alpha + economics.beta)
    gained = acceptance * (economics.clv - economics.incentive) + economics.incentive
    return (economics.incentive + economics.contact) / gained


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


def emp_of(churners: Array, customers: Array, economics: CampaignEconomics) -> float:
    """Return the expected maximum profit from cumulated counts, as ``cumulated`` gives them."""
    hull = _hull(churners, customers)
    found, spared = churners[hull] / customers[-1], (customers - churners)[hull] / customers[-1]
    incentive, contact = economics.incentive / economics.clv, economics.contact / economics.clv
    more_found, more_spared = np.diff(found), np.diff(spared)
    price = np.divide(more_spared, more_found, out=np.full(len(more_found), np.inf), where=more_found > 0)
    worth = ((incentive + contact) * np.minimum(price, 1e300) + contact) / (1 - incentive)
    edges = np.maximum.accumulate(np.r_[0.0, np.minimum(worth, 1.0), 1.0])
    chance = np.diff(beta.cdf(edges, economics.alpha, economics.beta))
    accepting = np.diff(beta.cdf(edges, economics.alpha + 1, economics.beta))
    accepting *= economics.alpha / (economics.alpha + economics.beta)
    gain = (1 - incentive) * found * accepting
    cost = (contact * found + (incentive + contact) * spared) * chance
    return float(economics.clv * (gain - cost).sum())


def _hull(churners: Array, customers: Array) -> npt.NDArray[np.intp]:
    """Return the corners of the convex hull above the ROC curve.

    They are the block borders of the isotonic regression of the label on the rank: pooling adjacent violators
    walks the same hull, in compiled code (1 M risks in .3 s, sorting included; 6 s by a loop over points).
    """
    size = np.diff(customers)
    pooled = isotonic_regression(np.diff(churners) / size, weights=size, increasing=False)
    return np.asarray(pooled.blocks, dtype=np.intp)
