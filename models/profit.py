"""What a churn risk is worth in money: expected maximum profit, whom it pays to contact, and the profit curve.

A contacted churner accepts with some probability and then stays: worth the margin less the incentive, less the
contact. A contacted stayer takes the incentive anyway. Everything is stated per customer of the base.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.stats import beta

from models.weighted import Array, cumulated, weights_of

_POINTS = 101


@dataclass(frozen=True, slots=True)
class CampaignEconomics:
    """What a retention campaign earns and costs per customer, in currency units.

    Attributes:
        clv: value of a customer who stays, the incentive not yet taken off.
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

    @classmethod
    def believed(cls, *, clv: float, incentive: float, contact: float, save: float, save_sd: float) -> Self:
        """Put a belief about the share of churners who accept, mean and standard deviation, into a Beta distribution.

        Args:
            clv: value of a customer who stays, currency units.
            incentive: what a customer who accepts the offer costs, currency units.
            contact: what reaching a customer costs, currency units.
            save: believed share, above 0 and below 1.
            save_sd: standard deviation of the belief; one wider than any Beta distribution is narrowed.

        Examples:
            >>> round(CampaignEconomics.believed(clv=200, incentive=10, contact=1, save=0.3, save_sd=0.1).alpha, 9)
            6.0
        """
        size = max(save * (1 - save) / save_sd**2 - 1, 1e-3)
        return cls(clv, incentive, contact, save * size, (1 - save) * size)

    @property
    def acceptance(self) -> float:
        """Mean share of churners who accept."""
        return self.alpha / (self.alpha + self.beta)


USUAL = CampaignEconomics()


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


def profit_threshold(economics: CampaignEconomics = USUAL) -> float:
    """Return the churn risk above which contacting a customer of average worth pays.

    Args:
        economics: value, costs and acceptance.

    Returns:
        Probability: (incentive + contact) / (acceptance (clv - incentive) + incentive), for calibrated
        risks only; infinite where nobody is worth a contact.

    >>> round(profit_threshold(), 4)  # 11 / (0.3 * 190 + 10)
    0.1642
    """
    return float(own_thresholds([economics.clv], economics)[0])


def own_thresholds(margin: npt.ArrayLike, economics: CampaignEconomics) -> Array:
    """Return the churn risk above which contacting each customer pays, by the customer's own worth.

    Args:
        margin: what keeping each customer is worth, currency units; takes the place of ``clv``.
        economics: costs and acceptance.

    Returns:
        Probabilities, as ``profit_threshold`` gives one; above 1 where a customer is never worth a contact.

    >>> own_thresholds([200, 20, 0], CampaignEconomics(incentive=0, contact=3))  # 3 / (0.3 * 200), 3 / (0.3 * 20)
    array([0.05, 0.5 ,  inf])
    """
    gained = economics.acceptance * (np.asarray(margin, dtype=np.float64) - economics.incentive)
    gained = gained + economics.incentive
    cost = np.full(len(gained), economics.incentive + economics.contact)
    return np.asarray(np.divide(cost, gained, out=np.full(len(gained), np.inf), where=gained > 0))


def contact_profits(churned: npt.ArrayLike, margin: npt.ArrayLike, economics: CampaignEconomics) -> Array:
    """Return what contacting each customer brings on average, once it is known who left.

    Args:
        churned: labels, 0 or 1; probabilities give the expected profit before it is known.
        margin: what keeping each customer is worth, currency units.
        economics: costs and acceptance.

    Returns:
        Currency units, one per customer.

    >>> contact_profits([1, 0], [200, 200], USUAL)  # 0.3 * (200 - 10) - 1, and -(10 + 1)
    array([ 56., -11.])
    """
    y, worth = np.asarray(churned, dtype=np.float64), np.asarray(margin, dtype=np.float64)
    won = economics.acceptance * (worth - economics.incentive) - economics.contact
    return np.asarray(y * won - (1 - y) * (economics.incentive + economics.contact), dtype=np.float64)


def profit_curve(profit: npt.ArrayLike, key: npt.ArrayLike, *, weight: npt.ArrayLike | None = None) -> Array:
    """Return the profit where the customers of the highest key are contacted, for every share of them.

    Args:
        profit: what contacting each customer brings, currency units.
        key: by what customers are ordered, highest first; a group of equals counts in proportion.
        weight: how many customers each row stands for.

    Returns:
        Currency units per customer of the base when 0, 1, ... 100 % of the base are contacted.

    >>> profit_curve([4, -2], [0.9, 0.1])[[0, 25, 50, 100]]  # half of the best, the best, both; over 2 customers
    array([0., 1., 2., 1.])
    """
    by, w = np.asarray(key, dtype=np.float64), weights_of(weight, len(np.asarray(profit)))
    order = np.argsort(-by, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(by[order])), len(by) - 1]
    customers = np.r_[0.0, np.cumsum(w[order])[last]]
    brought = np.r_[0.0, np.cumsum((w * np.asarray(profit, dtype=np.float64))[order])[last]]
    return np.asarray(np.interp(np.linspace(0, customers[-1], _POINTS), customers, brought) / customers[-1])


def emp_of(churners: Array, customers: Array, economics: CampaignEconomics) -> float:
    """Return the expected maximum profit from cumulated counts, as ``cumulated`` gives them."""
    if economics.clv <= economics.incentive:
        return 0.0  # whoever accepts costs more than staying is worth
    hull = _hull(churners, customers)
    found, spared = churners[hull] / customers[-1], (customers - churners)[hull] / customers[-1]
    incentive, contact = economics.incentive / economics.clv, economics.contact / economics.clv
    more_found, more_spared = np.diff(found), np.diff(spared)
    price = np.divide(more_spared, more_found, out=np.full(len(more_found), np.inf), where=more_found > 0)
    worth = ((incentive + contact) * np.minimum(price, 1e300) + contact) / (1 - incentive)
    edges = np.maximum.accumulate(np.r_[0.0, np.minimum(worth, 1.0), 1.0])
    chance = np.diff(beta.cdf(edges, economics.alpha, economics.beta))
    accepting = np.diff(beta.cdf(edges, economics.alpha + 1, economics.beta))
    accepting *= economics.acceptance
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
