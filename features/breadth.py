"""How many different things a customer buys, and how much of it is the same again."""

from features.ratios import ratio
from features.settings import FeatureSettings
from features.trend import window_pairs
from features.view import AsOfView, Features


def products(lines: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count distinct products and repeated ones.

    Args:
        lines: order lines as known at the snapshot; needs ``product_id``.
        settings: look-back lengths.

    Returns:
        Per customer ``products_total``, ``products_{w}d``, ``products_{short}d_over_{long}d`` (missing where
        the long window is empty), ``product_repeat_share`` (lines whose product was bought before) and
        ``product_top_share`` (lines with the most frequent product); shares are missing without a line.
    """
    distinct = {window: lines.distinct("product_id", window) for window in settings.windows}
    features: Features = {"products_total": lines.distinct("product_id")}
    features |= {f"products_{window}d": count for window, count in distinct.items()}
    for short, long in window_pairs(settings):
        features[f"products_{short}d_over_{long}d"] = ratio(distinct[short], distinct[long])
    count = lines.count()
    features["product_repeat_share"] = 1 - ratio(features["products_total"], count)
    features["product_top_share"] = ratio(lines.top_count("product_id"), count)
    return features


def categories(lines: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count distinct categories.

    Args:
        lines: order lines as known at the snapshot; needs ``category``.
        settings: look-back lengths.

    Returns:
        Per customer ``categories_total``, ``categories_{w}d`` and ``category_top_share`` (lines of the most
        frequent category; missing without a line).
    """
    features: Features = {"categories_total": lines.distinct("category")}
    for window in settings.windows:
        features[f"categories_{window}d"] = lines.distinct("category", window)
    features["category_top_share"] = ratio(lines.top_count("category"), lines.count())
    return features
