"""What came back."""

import numpy as np

from features.ratios import ratio
from features.settings import YEAR, FeatureSettings
from features.view import AsOfView, Features


def returns(returned: AsOfView, orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count returned lines and say when the last one came.

    Args:
        returned: returns as known at the snapshot.
        orders: order log as known at the snapshot.
        settings: look-back lengths.

    Returns:
        Per customer ``returns_total``, ``returns_{w}d``, ``days_since_last_return`` (missing without one) and
        ``last_order_returned``: 1 where something was returned at or after the last order, which includes
        returns of earlier orders, because many logs do not say what a return belongs to; missing for a
        customer who never bought.
    """
    since_return, since_order = returned.days_since_last(), orders.days_since_last()
    came_back = np.where(np.isnan(since_return), 0, since_return <= since_order)
    features: Features = {
        "returns_total": returned.count(),
        "days_since_last_return": since_return,
        "last_order_returned": np.where(np.isnan(since_order), np.nan, came_back),
    }
    for window in settings.windows:
        features[f"returns_{window}d"] = returned.count(window)
    return features


def returned_value(returned: AsOfView, orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Weigh what came back against what was bought.

    Args:
        returned: returns as known at the snapshot; needs ``amount``.
        orders: order log as known at the snapshot; needs ``amount``.
        settings: gives the year of the yearly figure.

    Returns:
        Per customer ``returned_total`` and ``returned_365d`` in currency units, and ``return_share``, the
        share of all spending that was returned, at most 1 (returns of purchases from before the log would
        exceed it); missing without spending.
    """
    total = returned.total("amount")
    return {
        "returned_total": total,
        f"returned_{YEAR}d": returned.total("amount", YEAR),
        "return_share": np.minimum(ratio(total, orders.total("amount")), 1),
    }
