"""Standing in the loyalty programme: membership, points, tier. A row says what holds from an instant on."""

import numpy as np

from features.settings import YEAR, FeatureSettings
from features.view import AsOfView, Features


def membership(loyalty: AsOfView, *, settings: FeatureSettings) -> Features:
    """Tell members of the programme, ``is_loyalty_member``: whoever has had any standing in it."""
    return {"is_loyalty_member": np.minimum(loyalty.count(), 1)}


def points(loyalty: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how many points a customer has, earned and spent.

    Args:
        loyalty: standing as known at the snapshot; needs ``points``, the balance from that row on.
        settings: gives the year of the yearly figures.

    Returns:
        Per customer ``points_balance`` (missing for who is no member or whose last row states none),
        ``points_earned_365d``, the rises of the balance from row to row, and ``points_redeemed_365d``, its
        falls. The first row is no rise: it may state points from before the log.
    """
    return {
        "points_balance": loyalty.last("points"),
        f"points_earned_{YEAR}d": loyalty.rises("points", YEAR),
        f"points_redeemed_{YEAR}d": loyalty.falls("points", YEAR),
    }


def expiry(loyalty: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say when points are lost, ``points_days_to_expiry``: days to the ``expires_at`` of the last row.

    It is missing for who is no member, whose points stay, or whose points have expired.
    """
    days = loyalty.days_until_last("expires_at")
    return {"points_days_to_expiry": np.where(days > 0, days, np.nan)}


def tiers(loyalty: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how high a customer stands and since when.

    Args:
        loyalty: standing as known at the snapshot; needs ``tier``.
        settings: the tiers, lowest first; without them there is no rank.

    Returns:
        Per customer ``tier_rank``, 1 for the lowest listed tier, 0 for others and for who is no member, and
        ``days_since_tier_change``, the age of the first row with the present tier (missing for who is no
        member).
    """
    features: Features = {"days_since_tier_change": loyalty.where_changed("tier").days_since_last()}
    if settings.loyalty_tiers:
        rank = np.zeros(len(loyalty), dtype=np.int64)
        for place, tier in enumerate(settings.loyalty_tiers, start=1):
            rank[loyalty.last_is("tier", tier)] = place
        features["tier_rank"] = rank
    return features
