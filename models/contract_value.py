"""What keeping a subscriber is worth: the fee while subscribed, over the months ahead.

Somebody leaves at a constant rate, the one that makes the probability of leaving within the horizon the
calibrated churn risk. ``margin`` is the difference that staying through the horizon makes: expected
discounted contribution given that nobody leaves in it, less the same given that the subscription ends in it.
Winning a former subscriber back is worth what keeping one of that fee is: a part of the horizon may pass without a
contract, but there is one at its end, and from there on they stay as subscribers do.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.likelihood import Array
from models.settings import ValueSettings
from models.value import CustomerValues, ValueReference
from tables.errors import SchemaError

FEE = "plan_fee_monthly"
_DAYS_PER_MONTH = 365.25 / 12
# Beyond it a difference of two nearly equal sums would be divided by a tiny risk, or leaving be certain.
_OPEN = (1e-6, 1 - 1e-6)


def subscriber_values(
    features: pd.DataFrame,
    risk: npt.ArrayLike,
    *,
    subscribed: npt.NDArray[np.bool_],
    last_fee: npt.ArrayLike = 0.0,
    horizon_days: int,
    settings: ValueSettings,
) -> CustomerValues:
    """Value every customer of one date by the fee paid today, former subscribers by their last one.

    Args:
        features: rows of one date with ``plan_fee_monthly``, currency units a month.
        risk: calibrated churn risk of each row; of former subscribers that of subscribers on average.
        subscribed: who has a running subscription; from nobody else is anything to be expected (``clv``).
        last_fee: what each row paid last, currency units a month; 0 for those who never subscribed.
        horizon_days: length of the outcome window.
        settings: months, discount, contribution and cap.

    Returns:
        One value per row; missing nowhere.

    Raises:
        SchemaError: the fee is missing.
    """
    if FEE not in features.columns:
        raise SchemaError.missing_column(FEE, table="features", found=features.columns)
    fee = np.where(subscribed, np.nan_to_num(features[FEE].to_numpy(dtype=np.float64)), last_fee)
    monthly = fee * settings.contribution_rate
    horizon = horizon_days / _DAYS_PER_MONTH
    margin = monthly * months_kept(risk, horizon=horizon, settings=settings)
    clv = np.where(subscribed, monthly * months_subscribed(risk, horizon=horizon, settings=settings), 0.0)
    cap = float(np.quantile(margin[subscribed], settings.cap_quantile))
    return CustomerValues(np.minimum(margin, cap), clv, ValueReference(None, cap))


def months_subscribed(risk: npt.ArrayLike, *, horizon: float, settings: ValueSettings) -> Array:
    """Return the expected discounted months as a subscriber; a month counts from its end.

    Args:
        risk: probability of leaving within the horizon.
        horizon: length of the outcome window in months.
        settings: months ahead and yearly discount.

    Returns:
        Months, from 0 to ``margin_months``, of the shape of ``risk``.

    >>> two = ValueSettings(margin_months=2, annual_discount=0)
    >>> months_subscribed([1e-9, 0.5], horizon=1.0, settings=two).round(3)  # (1 - 1/4) / ln 2 = 1.082
    array([2.   , 1.082])
    """
    rate = -np.log1p(-_inside(risk)) / horizon
    return _discounted(lambda a, b: _stayed(rate, a, b), settings)


def months_kept(risk: npt.ArrayLike, *, horizon: float, settings: ValueSettings) -> Array:
    """Return the discounted months as a subscriber that staying through the horizon brings, against leaving in it.

    With E the expectation, S the one given staying and L given leaving, E = (1 - p) S + p L, so that
    S - L = (S - E) / p.

    Args:
        risk: probability of leaving within the horizon.
        horizon: length of the outcome window in months.
        settings: months ahead and yearly discount.

    Returns:
        Months, 0 or more, of the shape of ``risk``.

    Who would never leave is kept for two months, against half of the first on average:

    >>> two = ValueSettings(margin_months=2, annual_discount=0)
    >>> months_kept([1e-9], horizon=1.0, settings=two).round(3)
    array([1.5])
    """
    p = _inside(risk)
    rate = -np.log1p(-p) / horizon

    def given_staying(a: float, b: float) -> Array:
        certain = max(min(b, horizon) - a, 0.0)
        return certain + _stayed(rate, max(a - horizon, 0.0), max(b - horizon, 0.0))

    expected = months_subscribed(p, horizon=horizon, settings=settings)
    return np.maximum(_discounted(given_staying, settings) - expected, 0.0) / p


def _discounted(months: Callable[[float, float], Array], settings: ValueSettings) -> Array:
    """Add up the expected part of each month that lies in ``[a, b)`` months ahead, discounted from its end."""
    ends = range(1, settings.margin_months + 1)
    return np.asarray(
        sum(months(end - 1.0, float(end)) / (1 + settings.annual_discount) ** (end / 12) for end in ends)
    )


def _stayed(rate: Array, a: float, b: float) -> Array:
    """Return the months that somebody who leaves at a rate is expected to be there in ``[a, b)`` months ahead."""
    return np.asarray(np.exp(-rate * a) * -np.expm1(-rate * (b - a)) / rate)


def _inside(risk: npt.ArrayLike) -> Array:
    return np.clip(np.asarray(risk, dtype=np.float64), *_OPEN)
