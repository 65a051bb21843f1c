"""How lately, how often and how much each customer bought, and since when."""

from features.ratios import ratio
from features.settings import YEAR, FeatureSettings
from features.view import AsOfView, Features


def rfm(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Summarise how lately, how often and how much each customer bought.

    Args:
        orders: order log as known at the snapshot; needs ``amount``.
        settings: look-back lengths.

    Returns:
        Per customer ``days_since_last_order`` (missing for a customer who never bought), ``orders_total``,
        ``spend_total`` (currency units), ``purchase_days_total`` (distinct local days), and for each window
        ``orders_{w}d``, ``spend_{w}d``, ``purchase_days_{w}d`` and ``max_order_value_{w}d`` (0 without one).
    """
    days = orders.purchase_days()
    features: Features = {
        "days_since_last_order": orders.days_since_last(),
        "orders_total": orders.count(),
        "spend_total": orders.total("amount"),
        "purchase_days_total": days.count(),
    }
    for window in settings.windows:
        features[f"orders_{window}d"] = orders.count(window)
        features[f"spend_{window}d"] = orders.total("amount", window)
        features[f"purchase_days_{window}d"] = days.count(window)
        features[f"max_order_value_{window}d"] = orders.maximum("amount", window, empty=0.0)
    return features


def tenure(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say since when each customer buys and how much of that time was active.

    Args:
        orders: order log as known at the snapshot.
        settings: gives the year in which active months are counted.

    Returns:
        Per customer ``days_since_first_order`` (elapsed), ``tenure_days`` (whole days from the first
        purchase day to ``as_of``), ``days_first_to_last_order`` (whole days between first and last purchase
        day), ``active_months_365d`` (calendar months with an order), ``purchase_days_per_tenure_day``; all
        but the months are missing for a customer who never bought.
    """
    days = orders.purchase_days()
    tenure_days = days.days_since_first()
    return {
        "days_since_first_order": orders.days_since_first(),
        "tenure_days": tenure_days,
        "days_first_to_last_order": tenure_days - days.days_since_last(),
        f"active_months_{YEAR}d": orders.months(YEAR),
        "purchase_days_per_tenure_day": ratio(days.count(), tenure_days),
    }
