"""What features are about: the one list of topics that every language has words for."""

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple


class Topic(NamedTuple):
    """Features that are told by the same sentence.

    Attributes:
        name: key of its sentences in every language.
        theme: what the features are about; features of a theme move together.
        pattern: of a feature's whole name. Its groups may be named in the sentences: ``short``, ``long`` and
            other lengths as numbers, texts of the business as words.
    """

    name: str
    theme: str
    pattern: str


def _of(theme: str, *topics: tuple[str, str]) -> tuple[Topic, ...]:
    return tuple(Topic(name, theme, pattern) for name, pattern in topics)


_WINDOW = r"(?P<window>\d+)d"
_TREND = r"(?P<short>\d+)d_over_(?P<long>\d+)d"

TOPICS: tuple[Topic, ...] = (
    *_of(
        "support",
        ("last_ticket", r"days_since_last_ticket|tickets_total"),
        ("tickets_open", r"tickets_open"),
        ("tickets_late", r"tickets_open_over_target"),
        ("tickets_solved", rf"tickets_solved_{_WINDOW}"),
        ("tickets_reopened", rf"tickets_reopened_{_WINDOW}"),
        ("tickets", rf"tickets_{_WINDOW}"),
        ("complaints", rf"complaints_{_WINDOW}"),
        ("questions", rf"how_to_questions_{_WINDOW}"),
        ("tickets_about", rf"(?P<text>.+)_tickets_{_WINDOW}"),
        ("reply_hours", rf"reply_hours_{_WINDOW}"),
        ("solve_hours", rf"solve_hours_{_WINDOW}"),
        ("rating", r"csat_last|csat_last_age_days"),
        ("rating_mean", rf"csat_mean_{_WINDOW}"),
    ),
    *_of(
        "feedback",
        ("recommends", r"nps_last|nps_last_age_days"),
        ("recommends_change", r"nps_change"),
        ("satisfied", r"csat_survey_last|csat_survey_last_age_days"),
        ("satisfied_change", r"csat_survey_change"),
        ("loyalty_index", r"cli_last|cli_last_age_days"),
        ("loyalty_index_change", r"cli_change"),
        ("surveys", r"surveys_total|days_since_last_survey"),
        ("review_last", r"review_value_last"),
        ("mention_last", r"mention_value_last"),
        ("reviews_good", rf"positive_reviews_{_WINDOW}"),
        ("reviews_bad", rf"negative_reviews_{_WINDOW}"),
        ("mentions_good", rf"positive_mentions_{_WINDOW}"),
        ("mentions_bad", rf"negative_mentions_{_WINDOW}"),
    ),
    *_of(
        "use",
        ("event_last", r"days_since_last_(?P<text>.+)_event"),
        ("event_trend", rf"(?P<text>.+)_events_{_TREND}"),
        ("events", rf"(?P<text>.+)_events_{_WINDOW}"),
        ("events_total", r"(?P<text>.+)_events_total"),
        ("event_silence", rf"(?P<text>.+)_silent_share_{_WINDOW}"),
        ("uses", rf"uses_{_WINDOW}"),
        ("uses_total", r"uses_total"),
        ("use_days", rf"use_days_share_{_WINDOW}"),
        ("errors", rf"errors_{_WINDOW}"),
    ),
    *_of(
        "offers",
        ("offers_running", r"offers_running"),
        ("offers_running_viewed", r"offers_running_viewed"),
        ("offers_running_kind", r"offers_running_(?P<text>.+)"),
        ("offer_ends", r"offer_days_left"),
        ("offer_reward", r"offer_reward_running"),
        ("offer_difficulty", r"offer_difficulty_running"),
        ("offer_last", r"offers_total|days_since_last_offer"),
        ("offers", rf"offers_{_WINDOW}"),
        ("offers_viewed", r"offers_viewed_share"),
        ("offers_completed", r"offers_completed_share"),
        ("offers_completed_kind", r"offers_completed_share_(?P<text>.+)"),
    ),
    *_of(
        "subscription",
        ("subscription_started", r"days_since_subscription_start"),
        ("subscriber", r"days_since_first_subscription"),
        ("subscription_ended", r"days_since_subscription_end"),
        ("subscriptions_active", r"subscriptions_active"),
        ("subscriptions", r"subscriptions_total"),
        ("pauses", r"subscription_pauses|paused_days_total"),
        ("renewal", r"days_to_renewal"),
        ("fee", r"plan_fee_monthly"),
        ("fee_change", rf"mrr_change_{_WINDOW}"),
        ("plan_changes", rf"plan_changes_{_WINDOW}"),
    ),
    *_of(
        "loyalty",
        ("member", r"is_loyalty_member"),
        ("points", r"points_balance"),
        ("points_expire", r"points_days_to_expiry"),
        ("points_earned", rf"points_earned_{_WINDOW}"),
        ("points_redeemed", rf"points_redeemed_{_WINDOW}"),
        ("tier", r"tier_rank"),
        ("tier_since", r"days_since_tier_change"),
    ),
    *_of("season", ("promotion", r"days_to_next_promotion"), ("holiday", r"days_to_next_holiday")),
    *_of(
        "contacts",
        ("contact_last", r"contacts_total|days_since_last_contact"),
        ("contacts", rf"contacts_{_WINDOW}"),
        ("contacts_redeemed", r"contacts_redeemed_share"),
    ),
    *_of(
        "returns",
        ("return_last", r"returns_total|days_since_last_return"),
        ("last_order_returned", r"last_order_returned"),
        ("returns", rf"returns_{_WINDOW}"),
        ("returned_total", r"returned_total"),
        ("returned", rf"returned_{_WINDOW}"),
        ("return_share", r"return_share"),
    ),
    *_of(
        "tenure",
        ("tenure", r"tenure_days|days_since_first_order"),
        ("first_to_last", r"days_first_to_last_order"),
        ("signed_up", r"days_since_sign_up"),
    ),
    *_of(
        "silence",
        ("silence", r"days_since_last_(order|over_own_gap|over_median_gap|gap_score)"),
        ("silence_longest", r"days_since_last_over_max_gap"),
        ("silence_most", r"days_since_last_over_q80_gap"),
        ("silence_tenure", r"days_since_last_over_tenure"),
        ("gap_last", r"gap_days_last(_2|_3_mean|_over_mean|_3_over_mean)?"),
        ("gap_usual", r"gap_days_(mean|median)"),
        ("gap_longest", r"gap_days_max"),
        ("gap_most", r"gap_days_q80"),
        ("gap_spread", r"gap_days_(spread|variation|min)"),
        ("longer_gaps", r"gaps_longer_than_silence|own_silence_share"),
        ("silent_spans", r"own_silent_horizon_log_odds"),
        ("last_purchases", r"days_since_purchase_day_(?P<n>\d+)_last"),
    ),
    *_of(
        "frequency",
        ("orders_trend", rf"orders_{_TREND}"),
        ("orders", rf"orders_{_WINDOW}"),
        ("orders_total", r"orders_total"),
        ("purchase_days", rf"purchase_days_0_to_{_WINDOW}_ago"),
        ("purchase_days_ago", r"purchase_days_(?P<near>\d+)_to_(?P<far>\d+)d_ago"),
        ("season_before", r"purchase_days_season_before"),
        ("season", r"purchase_days_season"),
        ("purchases_trend", rf"purchase_days_fading_{_TREND}"),
        ("purchases_lately", rf"purchase_days_fading_{_WINDOW}"),
        ("purchase_days", rf"purchase_days_{_WINDOW}"),
        ("purchase_days_total", r"purchase_days_total|purchase_days_per_tenure_day"),
        ("active_months", rf"active_months_{_WINDOW}"),
    ),
    *_of(
        "spend",
        ("spend_trend", rf"spend_{_TREND}"),
        ("spend_lately", rf"spend_fading_{_WINDOW}"),
        ("spend", rf"spend_{_WINDOW}"),
        ("spend_total", r"spend_total"),
        ("largest_order", rf"max_order_value_{_WINDOW}"),
        ("order_value", r"mean_order_value|order_value_last|order_value_last_over_mean"),
        ("order_spread", r"order_value_spread"),
        ("spend_a_day", r"spend_per_purchase_day"),
        ("shipping", rf"shipping_paid_{_WINDOW}"),
    ),
    *_of(
        "breadth",
        ("products_trend", rf"products_{_TREND}"),
        ("products", rf"products_{_WINDOW}"),
        ("products_total", r"products_total"),
        ("product_repeats", r"product_repeat_share"),
        ("product_top", r"product_top_share"),
        ("categories", rf"categories_{_WINDOW}"),
        ("categories_total", r"categories_total"),
        ("category_top", r"category_top_share"),
        ("basket_units", r"quantity_per_order"),
        ("basket_items", r"lines_per_order"),
        ("basket_products", r"products_per_order"),
    ),
    *_of("discount", ("discount_lately", rf"discount_share_{_WINDOW}"), ("discount", r"discount_share")),
    *_of(
        "habits",
        ("weekend", r"weekend_share"),
        ("hour", r"order_hour_mean"),
        ("weekdays", r"weekday_entropy"),
        ("last_weekday", r"last_order_weekday"),
    ),
    *_of(
        "profile",
        ("is", r"(?P<text>.+)_is_(?P<what>.+)"),
        ("date", r"(?P<text>.+)_(on|at)"),
        ("other", r"(?P<text>.+)"),
    ),
)
"""Every topic; the first whose pattern a feature's name matches holds, the last for any number of the business."""

# Figures that people understand, worked out from a feature that they do not.
DERIVED: Mapping[str, tuple[str, Callable[[float], float]]] = {
    "weekdays": ("weekday_entropy", math.exp),
    "silent_share": ("own_silent_horizon_log_odds", lambda odds: 1 / (1 + math.exp(-odds))),
}


class Found(NamedTuple):
    """The topic of a feature, and what the feature's name says by its groups."""

    topic: Topic
    groups: Mapping[str, str]


@cache
def topic_of(feature: str) -> Found:
    """Find what a feature is about.

    >>> found = topic_of("orders_30d_over_90d")
    >>> found.topic.name, found.topic.theme, found.groups
    ('orders_trend', 'frequency', {'short': '30', 'long': '90'})
    """
    for topic in TOPICS:
        match = re.fullmatch(topic.pattern, feature)
        if match is not None:
            return Found(topic, match.groupdict())
    return Found(TOPICS[-1], {"text": feature})  # a name with a line break


def theme_of(feature: str) -> str:
    """Return the theme a feature belongs to.

    >>> theme_of("days_since_last_order")
    'silence'
    """
    return topic_of(feature).topic.theme
