"""What a customer subscribes to, since when, until when, and how often it paused or changed."""

from features.records import Records
from features.settings import YEAR, FeatureSettings
from features.view import AsOfView, Features

FEE_DAYS = 90


def subscriptions(subscriptions: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count subscriptions and say since when there are any.

    A subscription is active if it started before ``as_of`` and did not end before it.

    Args:
        subscriptions: subscriptions as known at the snapshot.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``subscriptions_total``, ``subscriptions_active``, ``days_since_subscription_start`` (of
        the newest) and ``days_since_first_subscription``; both missing without a subscription.
    """
    return {
        "subscriptions_total": subscriptions.count(),
        "subscriptions_active": _active(subscriptions).count(),
        "days_since_subscription_start": subscriptions.days_since_last(),
        "days_since_first_subscription": subscriptions.days_since_first(),
    }


def subscription_ends(subscriptions: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say when the last subscription ended and how long a customer went without one before coming back.

    A pause lasts from the end of everything that ran to the next start; one that has not ended yet is none.

    Args:
        subscriptions: subscriptions as known at the snapshot; needs ``ended_at``.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``days_since_subscription_end`` (missing where none ended), ``subscription_pauses`` and
        ``paused_days_total``.
    """
    return {
        "days_since_subscription_end": subscriptions.retimed("ended_at").days_since_last(),
        "subscription_pauses": subscriptions.pauses("ended_at"),
        "paused_days_total": subscriptions.paused_days("ended_at"),
    }


def subscription_fees(subscriptions: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say what a customer pays a month, and how much more than a quarter of a year ago.

    Args:
        subscriptions: subscriptions as known at the snapshot; needs ``mrr``.
        settings: not used; every builder takes them.

    Returns:
        Per customer, in currency units a month, ``plan_fee_monthly`` of the active subscriptions and
        ``mrr_change_90d``, fees that began in the 90 days less those that ended in them.
    """
    change = subscriptions.total("mrr", FEE_DAYS)
    if subscriptions.has("ended_at"):
        change = change - subscriptions.retimed("ended_at").total("mrr", FEE_DAYS)
    return {
        "plan_fee_monthly": _active(subscriptions).total("mrr"),
        f"mrr_change_{FEE_DAYS}d": change,
    }


def subscription_renewals(subscriptions: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say when an active subscription is to be renewed.

    Args:
        subscriptions: subscriptions as known at the snapshot; needs ``renews_at``, announced with the row.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``days_to_renewal`` of the soonest, negative when it is overdue; missing where no active
        subscription has a date.
    """
    return {"days_to_renewal": _active(subscriptions).days_until("renews_at")}


def plan_changes(subscriptions: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count the subscriptions that began with another plan than the one before.

    Args:
        subscriptions: subscriptions as known at the snapshot; needs ``plan``.
        settings: gives the year.

    Returns:
        Per customer ``plan_changes_365d``.
    """
    return {f"plan_changes_{YEAR}d": subscriptions.changes("plan", YEAR)}


def _active(subscriptions: AsOfView) -> Records:
    started = subscriptions.records()
    return started.lacking("ended_at") if subscriptions.has("ended_at") else started
