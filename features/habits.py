"""On which weekdays and at what time of day a customer buys."""

import numpy as np

from features.settings import FeatureSettings
from features.view import AsOfView, Features

_SATURDAY, _SUNDAY = 5, 6
_WEEKDAYS = tuple(range(7))


def habits(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Describe weekdays and hours of the orders, in local time.

    Args:
        orders: order log as known at the snapshot.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``weekend_share``, ``order_hour_mean`` (0 to 23), ``weekday_entropy`` (0 if always on one
        weekday, at most log 7) and ``last_order_weekday`` (0 Monday to 6 Sunday); missing for a customer who
        never bought.
    """
    shares = orders.shares("weekday", _WEEKDAYS)
    # The logarithm of an absent weekday's share must not be infinite; a sum is faster than a choice.
    return {
        "weekend_share": shares[_SATURDAY] + shares[_SUNDAY],
        "order_hour_mean": orders.mean("hour"),
        "weekday_entropy": -np.sum(shares * np.log(shares + (shares == 0)), axis=0),
        "last_order_weekday": orders.last("weekday"),
    }
