"""What a customer's orders are worth, how large they are and how much discount they took."""

from features.ratios import Floats, ratio
from features.settings import YEAR, FeatureSettings
from features.view import AsOfView, Features


def order_values(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Describe the value of the orders.

    Args:
        orders: order log as known at the snapshot; needs ``amount``.
        settings: not used; every builder takes them.

    Returns:
        Per customer, in currency units, ``mean_order_value``, ``order_value_spread`` (sample standard
        deviation; missing with fewer than two orders), ``order_value_last``, ``order_value_last_over_mean``
        (missing where the mean is 0) and ``spend_per_purchase_day``; missing for a customer who never bought.
    """
    mean = orders.mean("amount")
    last = orders.last("amount")
    return {
        "mean_order_value": mean,
        "order_value_spread": orders.spread("amount"),
        "order_value_last": last,
        "order_value_last_over_mean": ratio(last, mean),
        "spend_per_purchase_day": ratio(orders.total("amount"), orders.purchase_days().count()),
    }


def discounts(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how much of the price was discount.

    Args:
        orders: order log as known at the snapshot; needs ``amount`` (after discount) and ``discount``.
        settings: gives the year of the yearly figure.

    Returns:
        Per customer ``discount_share`` and ``discount_share_365d``: discount over amount plus discount, the
        price before it; missing where that is 0.
    """
    return {
        "discount_share": _share_of_price(orders, None),
        f"discount_share_{YEAR}d": _share_of_price(orders, YEAR),
    }


def _share_of_price(orders: AsOfView, days: int | None) -> Floats:
    discount = orders.total("discount", days)
    return ratio(discount, orders.total("amount", days) + discount)


def shipping(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how much a customer paid to have things sent.

    Args:
        orders: order log as known at the snapshot; needs ``shipping``.
        settings: gives the year.

    Returns:
        Per customer ``shipping_paid_365d`` in currency units; 0 without an order.
    """
    return {f"shipping_paid_{YEAR}d": orders.total("shipping", YEAR)}


def quantities(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how many units an order holds.

    Args:
        orders: order log as known at the snapshot; needs ``quantity``.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``quantity_per_order``; missing for a customer who never bought.
    """
    return {"quantity_per_order": orders.mean("quantity")}


def baskets(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how many lines and different products an order holds.

    Args:
        orders: order log as known at the snapshot; needs ``lines`` and ``products``.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``lines_per_order`` and ``products_per_order``; missing for a customer who never bought.
    """
    return {"lines_per_order": orders.mean("lines"), "products_per_order": orders.mean("products")}
