"""How far away the next promotion and the next holiday are, as far as they had been announced."""

import numpy as np

from features.announced import Announced
from features.settings import FeatureSettings
from features.view import AsOfView, Features

_KINDS = ("promotion", "holiday")


def holidays(orders: AsOfView, calendar: Announced, *, settings: FeatureSettings) -> Features:
    """Count the days to the next promotion and the next holiday.

    Args:
        orders: order log as known at the snapshot; ``region`` is that of the newest order, where it is told.
        calendar: days to come that had been announced; those without a region hold for everybody.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``days_to_next_promotion`` and ``days_to_next_holiday`` in whole local days, 0 on the day
        itself; missing where none is announced for everybody or the customer's region.
    """
    features: Features = {}
    for kind in _KINDS:
        soonest = np.full(len(orders), np.nan)
        for region, days in calendar.days_to_next(kind).items():
            if region is None:
                soonest = np.fmin(soonest, days)
            elif orders.has("region"):
                soonest = np.where(orders.last_is("region", region), np.fmin(soonest, days), soonest)
        features[f"days_to_next_{kind}"] = soonest
    return features
