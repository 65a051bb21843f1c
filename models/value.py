"""What keeping a customer is worth, in currency units: the money side of every action.

``margin`` is the difference that an order in the outcome window makes: expected discounted contribution over
the next months given an order in the window, less the same given none (many come back by themselves). Under
BG/NBD both are closed: given none, the customer stands at (frequency, recency, age + horizon), and the whole
is the mixture of the two. What a purchase is worth comes from Gamma-Gamma.
"""

import json
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import pandas as pd

from models.btyd import BGNBD
from models.gamma_gamma import GammaGamma
from models.likelihood import Array
from models.purchases import DAYS_PER_WEEK, Purchases
from models.reference import DateReference
from models.settings import ValueSettings
from tables.errors import DataError

_WEEKS_PER_MONTH = 365.25 / 12 / DAYS_PER_WEEK
_INDEPENDENT = 0.3  # above it, frequent buyers spend differently and Gamma-Gamma does not hold
_SURELY_SILENT = 1e-9  # below it P(order) is rounding, and so is the difference it divides
_PENALTY = 1e-4  # keeps Gamma-Gamma finite on small bases


@dataclass(frozen=True, slots=True)
class SpendModel:
    """Expected spend of a purchase day, drawn towards everybody's mean where a customer shows little.

    Attributes:
        mean: mean over customers of their own mean spend, currency units.
        shrink_days: purchase days that ``mean`` counts for; used where there is no Gamma-Gamma.
        gamma_gamma: the fitted model; none where frequency and spend hang together or it cannot be fitted.
    """

    mean: float
    shrink_days: float
    gamma_gamma: GammaGamma | None

    @classmethod
    def fit(cls, purchases: Purchases) -> Self:
        """Fit on every customer who ever bought.

        Args:
            purchases: purchase days and mean spend of customers; those who never bought are left out.

        Returns:
            Gamma-Gamma if the correlation of purchase days and mean spend is below .3 in size, else own means
            shrunk by the ratio of the spread within to the spread between customers.

        Raises:
            DataError: nobody ever bought.
        """
        known = purchases.where(purchases.bought & np.isfinite(purchases.spend))
        if len(known.days) == 0:
            raise DataError("value: no customer with a purchase; found 0. Check the orders and the date.")
        mean = float(known.spend.mean())
        shrink = _shrink_days(known.days, known.spend, mean)
        try:
            fitted = GammaGamma.fit(known.days, known.spend, penalty=_PENALTY)
        except DataError:
            return cls(mean, shrink, None)
        return cls(mean, shrink, fitted if abs(fitted.correlation) < _INDEPENDENT else None)

    def expected(self, purchases: Purchases) -> Array:
        """Return the expected spend of each customer's next purchase day, currency units.

        >>> bought = Purchases(np.array([1.0, 3.0]), np.zeros(2), np.zeros(2), spend=np.array([50.0, 50.0]))
        >>> SpendModel(mean=10, shrink_days=1, gamma_gamma=None).expected(bought)  # 60 / 2 and 160 / 4
        array([30., 40.])
        """
        days = np.where(np.isfinite(purchases.spend), purchases.days, 0.0)
        spend = np.nan_to_num(purchases.spend)
        if self.gamma_gamma is not None:
            return self.gamma_gamma.expected_value(days, spend)
        return np.asarray((self.shrink_days * self.mean + days * spend) / (self.shrink_days + days))


@dataclass(frozen=True, slots=True)
class ValueReference:
    """What one date says about everybody's value, kept beside the night's page.

    Attributes:
        spend: how purchase days are valued; nothing where fees are.
        margin_cap: highest margin that counts, currency units.
    """

    spend: SpendModel | None
    margin_cap: float

    def to_json(self) -> str:
        """Write the reference as JSON; numbers keep every digit."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)


@dataclass(frozen=True, slots=True)
class CustomerValues:
    """Value of each customer, one position each, in currency units.

    Attributes:
        margin: what keeping the customer is worth, 0 or more, capped; 0 for somebody who never bought.
        clv: expected discounted contribution over ``margin_months``, whatever happens in the window.
        fitted: what the date says about everybody, to be stored beside the values.
    """

    margin: Array
    clv: Array
    fitted: ValueReference


def customer_values(
    features: pd.DataFrame,
    *,
    reference: DateReference,
    settings: ValueSettings,
) -> CustomerValues:
    """Value every customer of one date.

    Args:
        features: rows of every customer of the date with the columns of ``Purchases.of``.
        reference: the date's BG/NBD and horizon.
        settings: months, discount, contribution and cap.

    Returns:
        One value per row; missing nowhere.

    Raises:
        SchemaError: a purchase column is missing.
        DataError: nobody ever bought.
    """
    base, horizon = reference.bgnbd, reference.horizon_days / DAYS_PER_WEEK
    if base is None:
        raise DataError(
            f"value: the reference of {reference.as_of} has no BG/NBD. Value subscribers by their fee."
        )
    purchases = Purchases.of(features)
    spend = SpendModel.fit(purchases)
    worth = np.where(purchases.bought, spend.expected(purchases) * settings.contribution_rate, 0.0)
    margin = worth * purchases_kept(base, purchases, horizon=horizon, settings=settings)
    cap = float(np.quantile(margin[purchases.bought], settings.cap_quantile))
    clv = worth * discounted_purchases(base, purchases, settings=settings)
    return CustomerValues(np.minimum(margin, cap), clv, ValueReference(spend, cap))


def discounted_purchases(
    base: BGNBD, purchases: Purchases, *, settings: ValueSettings, silent_weeks: float = 0.0
) -> Array:
    """Return the expected discounted purchase days over the months ahead.

    A month's purchases are discounted from its end.

    Args:
        base: the fitted BG/NBD, time in weeks.
        purchases: customers at the snapshot.
        settings: months ahead and yearly discount.
        silent_weeks: weeks after the snapshot in which nothing was bought, as a condition.

    Returns:
        Purchase days, 0 or more, shape ``(n,)``.

    Source: discounted expected transactions of Fader, Hardie, Lee (2005), in monthly steps.
    """
    age = purchases.age + silent_weeks
    total, before = np.zeros(len(age)), np.zeros(len(age))
    for month in range(1, settings.margin_months + 1):
        ahead = max(month * _WEEKS_PER_MONTH - silent_weeks, 0.0)
        until = base.expected_purchases(ahead, purchases.frequency, purchases.recency, age)
        total += (until - before) / (1 + settings.annual_discount) ** (month / 12)
        before = until
    return total


def purchases_kept(base: BGNBD, purchases: Purchases, *, horizon: float, settings: ValueSettings) -> Array:
    """Return the discounted purchase days that an order in the outcome window brings, against none in it.

    With E the expectation, N the one given no order and P0 the probability of none, E = P0 N + (1 - P0) S, so
    that S - N = (E - N) / (1 - P0).

    Args:
        base: the fitted BG/NBD, time in weeks.
        purchases: customers at the snapshot.
        horizon: length of the outcome window in weeks.
        settings: months ahead and yearly discount.

    Returns:
        Purchase days, 0 or more, shape ``(n,)``.
    """
    expected = discounted_purchases(base, purchases, settings=settings)
    given_none = discounted_purchases(base, purchases, settings=settings, silent_weeks=horizon)
    none = base.no_purchase_probability(purchases.frequency, purchases.recency, purchases.age, horizon)
    kept = np.maximum(expected - given_none, 0.0)
    return np.divide(kept, 1 - none, out=np.zeros(len(none)), where=1 - none > _SURELY_SILENT)


def _shrink_days(days: Array, spend: Array, mean: float) -> float:
    """Return the spread within customers over the spread between them, by moments.

    The squared distance of a customer's mean from everybody's is between + within / days, a line in 1 / days.
    """
    inverse, squared = 1 / days, (spend - mean) ** 2
    spread = float(np.var(inverse))
    slope = float(np.mean((inverse - inverse.mean()) * squared)) / spread if spread > 0 else 0.0
    between = float(squared.mean()) - slope * float(inverse.mean())
    if slope <= 0 or between <= 0:
        return 1.0
    return slope / between
