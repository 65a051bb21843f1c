"""The builders over what customers do besides buying."""

from features.builder import Builder, windows, windows_and_year, year
from features.offers import (
    offer_completions,
    offer_completions_by_kind,
    offer_views,
    offers,
    running_offer_difficulty,
    running_offer_reward,
    running_offers,
    running_offers_by_kind,
    running_offers_viewed,
)
from features.series_builders import SERIES
from features.settings import YEAR, FeatureSettings
from features.subscriptions import (
    FEE_DAYS,
    plan_changes,
    subscription_ends,
    subscription_fees,
    subscription_renewals,
    subscriptions,
)
from features.tickets import (
    SOLVED_DAYS,
    ratings,
    reasons,
    reopenings,
    replies,
    solutions,
    tickets,
)

_NO_TICKET = "the customer never opened a ticket"
_NO_OFFER = "the customer never got such an offer"
_NEVER_SUBSCRIBED = "the customer never subscribed"


def _solutions(_: FeatureSettings) -> tuple[int, ...]:
    return SOLVED_DAYS, YEAR


def _fees(_: FeatureSettings) -> tuple[int, ...]:
    return (FEE_DAYS,)


_TICKETS: tuple[Builder, ...] = (
    Builder(
        "tickets",
        tickets,
        needs={"tickets": ()},
        days_before=windows,
        missing={"days_since_last_ticket": _NO_TICKET},
    ),
    Builder(
        "solutions",
        solutions,
        needs={"tickets": ("solved_at",)},
        days_before=_solutions,
        missing={"solve_hours_*": "no ticket of the year was solved"},
        uses={"tickets": ("reopened_at", "first_reply_at")},
    ),
    Builder(
        "replies",
        replies,
        needs={"tickets": ("first_reply_at",)},
        days_before=year,
        missing={"reply_hours_*": "no ticket of the year was answered"},
        uses={"tickets": ("solved_at",)},
    ),
    Builder("reopenings", reopenings, needs={"tickets": ("reopened_at",)}, days_before=year),
    Builder(
        "ratings",
        ratings,
        needs={"tickets": ("csat", "rated_at")},
        days_before=year,
        missing={"csat_*": "the customer never rated a ticket, or not in the year"},
    ),
    Builder("reasons", reasons, needs={"tickets": ("reason",)}, days_before=windows_and_year),
)
_OFFERS: tuple[Builder, ...] = (
    Builder(
        "offers",
        offers,
        needs={"offers": ()},
        days_before=windows,
        missing={"days_since_last_offer": _NO_OFFER},
    ),
    Builder(
        "running_offers",
        running_offers,
        needs={"offers": ("ends_at",)},
        missing={"offer_days_left": "no running offer ends"},
        uses={"offers": ("completed_at",)},
    ),
    Builder(
        "running_offers_viewed",
        running_offers_viewed,
        needs={"offers": ("ends_at", "viewed_at")},
        uses={"offers": ("completed_at",)},
    ),
    Builder(
        "running_offer_reward",
        running_offer_reward,
        needs={"offers": ("ends_at", "reward")},
        uses={"offers": ("completed_at",)},
    ),
    Builder(
        "running_offer_difficulty",
        running_offer_difficulty,
        needs={"offers": ("ends_at", "difficulty")},
        uses={"offers": ("completed_at",)},
    ),
    Builder(
        "running_offers_by_kind",
        running_offers_by_kind,
        needs={"offers": ("ends_at", "kind")},
        uses={"offers": ("completed_at",)},
    ),
    Builder(
        "offer_views",
        offer_views,
        needs={"offers": ("viewed_at",)},
        missing={"offers_viewed_share": _NO_OFFER},
    ),
    Builder(
        "offer_completions",
        offer_completions,
        needs={"offers": ("completed_at",)},
        missing={"offers_completed_share": _NO_OFFER},
    ),
    Builder(
        "offer_completions_by_kind",
        offer_completions_by_kind,
        needs={"offers": ("completed_at", "kind")},
        missing={"offers_completed_share_*": _NO_OFFER},
    ),
)
_SUBSCRIPTIONS: tuple[Builder, ...] = (
    Builder(
        "subscriptions",
        subscriptions,
        needs={"subscriptions": ()},
        missing={
            "days_since_subscription_start": _NEVER_SUBSCRIBED,
            "days_since_first_subscription": _NEVER_SUBSCRIBED,
        },
        uses={"subscriptions": ("ended_at",)},
    ),
    Builder(
        "subscription_ends",
        subscription_ends,
        needs={"subscriptions": ("ended_at",)},
        missing={"days_since_subscription_end": "no subscription ended"},
    ),
    Builder(
        "subscription_fees",
        subscription_fees,
        needs={"subscriptions": ("mrr",)},
        days_before=_fees,
        uses={"subscriptions": ("ended_at",)},
    ),
    Builder(
        "subscription_renewals",
        subscription_renewals,
        needs={"subscriptions": ("renews_at",)},
        missing={"days_to_renewal": "no active subscription has a renewal date"},
        uses={"subscriptions": ("ended_at",)},
    ),
    Builder("plan_changes", plan_changes, needs={"subscriptions": ("plan",)}, days_before=year),
)

ENGAGEMENT: tuple[Builder, ...] = (*SERIES, *_TICKETS, *_OFFERS, *_SUBSCRIPTIONS)
"""Builders over use, support, feedback, offers and contracts."""
