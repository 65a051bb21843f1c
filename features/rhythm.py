"""The own buying rhythm: gaps between purchase days, and how the present silence compares with them."""

from itertools import pairwise

import numpy as np

from features.gaps import Gaps
from features.ratios import Floats, ratio
from features.settings import FeatureSettings
from features.view import AsOfView, Features

_TAUS = (7, 15, 30, 60, 120, 240)
_TAU_PAIRS = ((15, 60), (30, 120), (60, 240))
_SPEND_TAUS = (30, 120)
_LAST_DAYS = (2, 3, 4, 6, 10)
# Weight of the prior, in horizons and in gaps: one horizon seen half silent, one long gap in two.
_PRIOR_SILENT_SHARE = 0.5


def gap_lengths(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Describe the gaps between purchase days and the silence since the last one.

    Args:
        orders: order log as known at the snapshot.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``gap_days_{mean,median,min,max,q80,spread,last,last_2,last_3_mean}`` and ratios of the
        silence to them. Missing with fewer than two purchase days, the spread with fewer than three. Ratios
        add a day below the line, so that gaps of a day stay comparable.
    """
    days = orders.purchase_days()
    silence = days.days_since_last()
    mean, spread = days.gaps().mean(), days.gaps().spread()
    features: Features = {"gap_days_mean": mean, "gap_days_spread": spread, **_gap_lengths(days.gaps())}
    features["gap_days_variation"] = ratio(spread, mean)
    features["days_since_last_over_own_gap"] = silence / (mean + 1)
    for name in ("median", "max", "q80"):
        features[f"days_since_last_over_{name}_gap"] = silence / (features[f"gap_days_{name}"] + 1)
    # One gap has no spread: the silence is then compared with the gap alone.
    features["days_since_last_gap_score"] = (silence - mean) / (np.nan_to_num(spread) + 1)
    features["days_since_last_over_tenure"] = silence / np.maximum(days.days_since_first(), 1)
    features["gap_days_last_over_mean"] = features["gap_days_last"] / (mean + 1)
    features["gap_days_last_3_over_mean"] = features["gap_days_last_3_mean"] / (mean + 1)
    return features


def _gap_lengths(gaps: Gaps) -> Features:
    return {
        "gap_days_median": gaps.quantile(0.5),
        "gap_days_min": gaps.quantile(0.0),
        "gap_days_max": gaps.quantile(1.0),
        "gap_days_q80": gaps.quantile(0.8),
        "gap_days_last": gaps.last(),
        "gap_days_last_2": gaps.last(2),
        "gap_days_last_3_mean": gaps.mean_of_last(3),
    }


def own_hazard(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Ask the own past how often a silence like this one went on for a whole horizon.

    Args:
        orders: order log as known at the snapshot.
        settings: length of the horizon in days.

    Returns:
        Per customer ``gaps_longer_than_silence`` (count), ``own_silence_share`` (share of those gaps that
        were longer by a horizon, one of two added), ``own_silent_horizon_log_odds`` (log-odds of the share of
        all own horizon-long windows without purchase, one half-silent horizon added). Customers who never
        bought have the values of the prior alone.

    Source: the own empirical hazard of the recipe (docs/decisions.md).
    """
    days = orders.purchase_days()
    gaps = days.gaps()
    horizon = settings.horizon_days
    silence = np.nan_to_num(days.days_since_last())
    longer = gaps.longer_than(silence)
    silent = gaps.excess(horizon) + np.maximum(silence - horizon, 0)
    watched = np.maximum(np.nan_to_num(days.days_since_first()) - horizon, 0)
    share = (silent + horizon * _PRIOR_SILENT_SHARE) / (watched + horizon)
    return {
        "gaps_longer_than_silence": longer,
        "own_silence_share": (gaps.longer_than(silence + horizon) + 1) / (longer + 2),
        "own_silent_horizon_log_odds": np.log(share / (1 - share)),
    }


def last_purchase_days(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Return the ages of the last few purchase days.

    Args:
        orders: order log as known at the snapshot.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``days_since_purchase_day_{n}_last`` for the 2nd, 3rd, 4th, 6th and 10th last, in whole
        days; missing where there are fewer purchase days.
    """
    days = orders.purchase_days()
    return {f"days_since_purchase_day_{n}_last": days.days_since_last(n) for n in _LAST_DAYS}


def decayed(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count purchase days and spend with weights that fade with age.

    Args:
        orders: order log as known at the snapshot; needs ``amount``.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``purchase_days_fading_{tau}d`` for time constants of 7 to 240 days, the ratio of a short
        one to a long one (near 0 where buying dried up), and ``spend_fading_{tau}d`` in currency units.
    """
    days = orders.purchase_days()
    counts: dict[int, Floats] = {tau: days.decayed_count(tau) for tau in _TAUS}
    features: Features = {f"purchase_days_fading_{tau}d": count for tau, count in counts.items()}
    for short, long in _TAU_PAIRS:
        # The constant keeps customers whose last purchase is long past from having a noisy ratio.
        features[f"purchase_days_fading_{short}d_over_{long}d"] = counts[short] / (counts[long] + 0.05)
    for tau in _SPEND_TAUS:
        features[f"spend_fading_{tau}d"] = orders.decayed_total("amount", tau)
    return features


def lagged_outcomes(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count purchase days in the horizons before ``as_of``: what the label would have been then.

    Args:
        orders: order log as known at the snapshot.
        settings: length of the horizon in days.

    Returns:
        Per customer ``purchase_days_{from}_to_{to}d_ago`` for six horizons back;
        ``purchase_days_season_before`` and ``purchase_days_season`` for the horizon before and after the same
        date last year, missing where the customer had not bought before that window's end.
    """
    days = orders.purchase_days()
    edges = settings.lag_edges
    features: Features = {
        f"purchase_days_{to}_to_{start}d_ago": days.count_between(start, to) for to, start in pairwise(edges)
    }
    before, start, end = settings.last_year_edges
    since_first = days.days_since_first()
    windows = {"purchase_days_season_before": (before, start), "purchase_days_season": (start, end)}
    for name, (opens, closes) in windows.items():
        known = since_first > closes
        features[name] = np.where(known, days.count_between(opens, closes), np.nan)
    return features
