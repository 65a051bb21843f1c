"""The 68 features on which engines were compared: counts, sums, gaps and lasts of orders and events."""

from benchmarks.generate import EVENT_TYPES
from features.builder import Builder, windows
from features.ratios import ratio
from features.settings import FeatureSettings
from features.view import AsOfView, Features


def order_features(orders: AsOfView, returns: AsOfView, *, settings: FeatureSettings) -> Features:
    """Summarise orders: 32 features."""
    count = orders.count()
    gaps = orders.gaps()
    features: Features = {
        "bench_days_since_last": orders.days_since_last(),
        "bench_days_since_first": orders.days_since_first(),
        "bench_orders": count,
        "bench_spend": orders.total("amount"),
        "bench_mean_value": orders.mean("amount"),
        "bench_mean_quantity": orders.mean("quantity"),
        "bench_returned_share": ratio(returns.count(), count),
        "bench_discount_share": ratio(orders.total("discount"), orders.total("amount")),
        "bench_gap_mean": gaps.mean(),
        "bench_gap_spread": gaps.spread(),
    }
    for weekday in range(7):
        features[f"bench_weekday_{weekday}_share"] = orders.share("weekday", [weekday])
    for window in settings.windows:
        features[f"bench_orders_{window}d"] = orders.count(window)
        features[f"bench_spend_{window}d"] = orders.total("amount", window)
    features["bench_late"] = ratio(features["bench_days_since_last"], features["bench_gap_mean"])
    for short, long in ((30, 90), (90, 180)):
        for measure in ("orders", "spend"):
            recent, before = features[f"bench_{measure}_{short}d"], features[f"bench_{measure}_{long}d"]
            features[f"bench_{measure}_{short}d_over_{long}d"] = ratio(recent * (long / short), before)
    return features


def event_features(events: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count events of each type in each window, and the days since the last one: 36 features."""
    features: Features = {}
    for kind in EVENT_TYPES:
        of_kind = events.where("type", kind)
        for window in settings.windows:
            features[f"bench_{kind}_{window}d"] = of_kind.count(window)
        features[f"bench_days_since_{kind}"] = of_kind.days_since_last()
    return features


ORDERS = Builder(
    "bench_orders",
    order_features,
    needs={"orders": ("amount", "discount", "quantity"), "returns": ()},
    days_before=windows,
)
EVENTS = Builder("bench_events", event_features, needs={"events": ("type",)}, days_before=windows)
COMMON = (ORDERS, EVENTS)
