"""Whether a customer buys more or less than before: a short window as a share of a longer one."""

from features.ratios import ratio
from features.settings import FeatureSettings
from features.view import AsOfView, Features

_PAIRS = ((7, 30), (30, 90), (90, 180), (90, 365))


def window_pairs(settings: FeatureSettings) -> tuple[tuple[int, int], ...]:
    """List the pairs of a short and a longer window among the windows in use."""
    return tuple(pair for pair in _PAIRS if set(pair) <= set(settings.windows))


def trend(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Compare orders and spend of short windows with longer ones.

    Args:
        orders: order log as known at the snapshot; needs ``amount``.
        settings: look-back lengths; pairs are 7/30, 30/90, 90/180 and 90/365 where both are in use.

    Returns:
        Per customer ``orders_{short}d_over_{long}d`` and ``spend_{short}d_over_{long}d``, the share of the
        long window that fell into the short one; missing where the long window is empty.
    """
    features: Features = {}
    for short, long in window_pairs(settings):
        features[f"orders_{short}d_over_{long}d"] = ratio(orders.count(short), orders.count(long))
        spend = ratio(orders.total("amount", short), orders.total("amount", long))
        features[f"spend_{short}d_over_{long}d"] = spend
    return features
