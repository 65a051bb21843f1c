"""Which offers run for a customer, and what became of the past ones."""

from features.ratios import Floats, ratio
from features.records import Records
from features.settings import FeatureSettings, slug
from features.view import AsOfView, Features


def offers(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count the offers that began and say when the last one did.

    Args:
        offers: offers as known at the snapshot.
        settings: look-back lengths.

    Returns:
        Per customer ``offers_total``, ``offers_{w}d`` and ``days_since_last_offer`` (missing without one).
    """
    features: Features = {
        "offers_total": offers.count(),
        "days_since_last_offer": offers.days_since_last(),
    }
    for window in settings.windows:
        features[f"offers_{window}d"] = offers.count(window)
    return features


def running_offers(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say what a customer could still take up.

    An offer runs from its start until it ends or is completed; its end is announced with it.

    Args:
        offers: offers as known at the snapshot; needs ``ends_at``.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``offers_running`` and ``offer_days_left``, the days to the soonest end among them
        (missing where none ends).
    """
    running = _running(offers)
    return {"offers_running": running.count(), "offer_days_left": running.days_until("ends_at")}


def running_offers_viewed(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count the running offers that the customer has seen, ``offers_running_viewed``; needs ``viewed_at``."""
    return {"offers_running_viewed": _running(offers).having("viewed_at").count()}


def running_offer_reward(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Sum what the running offers give, ``offer_reward_running`` in currency units; needs ``reward``."""
    return {"offer_reward_running": _running(offers).total("reward")}


def running_offer_difficulty(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Sum what the running offers ask to be spent, ``offer_difficulty_running``; needs ``difficulty``."""
    return {"offer_difficulty_running": _running(offers).total("difficulty")}


def running_offers_by_kind(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count the running offers of each kind of the settings, ``offers_running_{kind}``; needs ``kind``."""
    running = _running(offers)
    return {
        f"offers_running_{slug(kind)}": running.where("kind", kind).count() for kind in settings.offer_kinds
    }


def offer_views(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Give the share of all offers that was seen, ``offers_viewed_share``; missing without an offer."""
    return {"offers_viewed_share": ratio(offers.retimed("viewed_at").count(), offers.count())}


def offer_completions(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Give the share of all offers that was completed, ``offers_completed_share``; missing without an offer."""
    return {"offers_completed_share": _completed_share(offers)}


def offer_completions_by_kind(offers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Give the share completed of each kind, ``offers_completed_share_{kind}``; missing without such an offer."""
    return {
        f"offers_completed_share_{slug(kind)}": _completed_share(offers.where("kind", kind))
        for kind in settings.offer_kinds
    }


def _running(offers: AsOfView) -> Records:
    running = offers.records().running_until("ends_at")
    return running.lacking("completed_at") if offers.has("completed_at") else running


def _completed_share(offers: AsOfView) -> Floats:
    return ratio(offers.retimed("completed_at").count(), offers.count())
