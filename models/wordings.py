"""The words for features: which theme each belongs to, and the sentences that tell it with a customer's numbers."""

from typing import NamedTuple


class Wording(NamedTuple):
    """How features whose name matches a pattern are put into words.

    Attributes:
        pattern: of the feature's whole name; its groups may be named in the sentences.
        theme: what the feature is about.
        sentences: of these the first whose numbers the customer has.
    """

    pattern: str
    theme: str
    sentences: tuple[str, ...] = ()


_SUPPORT = (
    Wording(
        r"days_since_last_ticket|tickets_total",
        "support",
        ("last asked for help {days_since_last_ticket} days ago", "never asked for help"),
    ),
    Wording(r"tickets_open", "support", ("{value} tickets open",)),
    Wording(r"tickets_open_over_target", "support", ("{value} tickets open beyond their target",)),
    Wording(
        r"tickets_(?P<what>solved|reopened)_(?P<window>\d+)d",
        "support",
        ("{value} tickets {what} in the last {window} days",),
    ),
    Wording(
        r"(?P<what>tickets|complaints)_(?P<window>\d+)d",
        "support",
        ("{value} {what} in the last {window} days",),
    ),
    Wording(
        r"how_to_questions_(?P<window>\d+)d",
        "support",
        ("asked {value} times how to do something in the last {window} days",),
    ),
    Wording(r"reply_hours_365d", "support", ("a first reply took {reply_hours_365d} hours",)),
    Wording(r"solve_hours_365d", "support", ("a solution took {solve_hours_365d} hours",)),
    Wording(
        r"csat_last.*",
        "support",
        ("rated the last help {csat_last}, {csat_last_age_days} days ago", "never rated our help"),
    ),
    Wording(
        r"csat_mean_365d", "support", ("rated our help {csat_mean_365d} on average", "rated no help lately")
    ),
    Wording(
        r"(?P<reason>.+)_tickets_(?P<window>\d+)d",
        "support",
        ("{value} tickets about {reason} in the last {window} days",),
    ),
)
_FEEDBACK = (
    Wording(
        r"nps_last.*",
        "feedback",
        (
            "would recommend us with {nps_last} of 10, said {nps_last_age_days} days ago",
            "never asked whether they would recommend us",
        ),
    ),
    Wording(
        r"surveys_total|days_since_last_survey",
        "feedback",
        ("last answered a survey {days_since_last_survey} days ago", "never answered a survey"),
    ),
    Wording(
        r"csat_survey_last.*",
        "feedback",
        (
            "satisfied {csat_survey_last} in a survey {csat_survey_last_age_days} days ago",
            "never told how satisfied they are",
        ),
    ),
    Wording(
        r"cli_last.*",
        "feedback",
        ("loyalty index {cli_last}, {cli_last_age_days} days ago", "never asked about their loyalty"),
    ),
    Wording(
        r"(?P<kind>nps|csat_survey|cli)_change",
        "feedback",
        ("their last answer differs from the one before by {value}", "answered less than twice"),
    ),
    Wording(
        r"(?P<what>review|mention)_value_last",
        "feedback",
        ("their last {what} was worth {value}", "wrote no {what} yet"),
    ),
    Wording(
        r"(?P<sense>positive|negative)_(?P<what>reviews|mentions)_(?P<window>\d+)d",
        "feedback",
        ("{value} {sense} {what} in the last {window} days",),
    ),
)
_OFFERS = (
    Wording(r"offers_running", "offers", ("{value} offers running",)),
    Wording(
        r"offer_days_left", "offers", ("an offer ends in {offer_days_left} days", "no offer about to end")
    ),
    Wording(
        r"offers_total|days_since_last_offer",
        "offers",
        ("last offer {days_since_last_offer} days ago", "never got an offer"),
    ),
    Wording(r"offers_(?P<window>\d+)d", "offers", ("{value} offers in the last {window} days",)),
    Wording(r"offers_viewed_share", "offers", ("looked at {offers_viewed_share:%} of the offers",)),
    Wording(r"offers_completed_share", "offers", ("took up {offers_completed_share:%} of the offers",)),
    Wording(
        r"offers_running_viewed", "offers", ("looked at {value} of the {offers_running} offers running",)
    ),
    Wording(r"offers_running_(?P<kind>.+)", "offers", ("{value} offers running: {kind}",)),
    Wording(
        r"offers_completed_share_(?P<kind>.+)",
        "offers",
        ("took up {value:%} of the offers: {kind}", "never got an offer: {kind}"),
    ),
    Wording(r"offers?_.*", "offers", ("{offers_running} offers running",)),
)
_SUBSCRIPTION = (
    Wording(
        r"days_since_(subscription_start|first_subscription)",
        "subscription",
        (
            "subscribed {days_since_first_subscription} days ago, last {days_since_subscription_start} days ago",
        ),
    ),
    Wording(
        r"days_since_subscription_end",
        "subscription",
        ("a subscription ended {days_since_subscription_end} days ago", "no subscription has ended"),
    ),
    Wording(r"days_to_renewal", "subscription", ("to be renewed in {days_to_renewal} days",)),
    Wording(r"plan_fee_monthly", "subscription", ("pays {value} a month",)),
    Wording(
        r"mrr_change_(?P<window>\d+)d",
        "subscription",
        ("the monthly fee changed by {value} in {window} days",),
    ),
    Wording(
        r"subscription_pauses|paused_days_total", "subscription", ("paused {subscription_pauses} times",)
    ),
    Wording(
        r"plan_changes_(?P<window>\d+)d",
        "subscription",
        ("changed plan {value} times in the last {window} days",),
    ),
    Wording(r"subscription.*|plan_.*", "subscription", ("{subscriptions_active} subscriptions running",)),
)
_USE = (
    Wording(
        r"days_since_last_(?P<kind>.+)_event",
        "use",
        ("last {kind} {value} days ago", "no {kind} yet"),
    ),
    Wording(r"uses_(?P<window>\d+)d", "use", ("used {value} times in the last {window} days",)),
    Wording(r"use_days_share_(?P<window>\d+)d", "use", ("used on {value:%} of the last {window} days",)),
    Wording(r"errors_(?P<window>\d+)d", "use", ("met {value} errors in the last {window} days",)),
    Wording(r"uses_total", "use", ("used {value} times in all",)),
    Wording(
        r"(?P<kind>.+)_events_(?P<short>\d+)d_over_(?P<long>\d+)d",
        "use",
        (
            "{value:%} of the {kind} events of {long} days fell into the last {short}",
            "no {kind} in the last {long} days",
        ),
    ),
    Wording(
        r"(?P<kind>.+)_events_(?P<window>\d+)d", "use", ("{kind} {value} times in the last {window} days",)
    ),
    Wording(r"(?P<kind>.+)_events_total", "use", ("{kind} {value} times in all",)),
    Wording(
        r"(?P<kind>.+)_silent_share_(?P<window>\d+)d",
        "use",
        ("no {kind} on {value:%} of the last {window} days",),
    ),
)
_LOYALTY = (
    Wording(
        r"points_days_to_expiry",
        "loyalty",
        ("points expire in {points_days_to_expiry} days", "no points about to expire"),
    ),
    Wording(r"points_balance", "loyalty", ("has {points_balance} points", "no points yet")),
    Wording(
        r"points_(?P<what>earned|redeemed)_(?P<window>\d+)d",
        "loyalty",
        ("{what} {value} points in the last {window} days",),
    ),
    Wording(
        r"days_since_tier_change|tier_rank",
        "loyalty",
        ("in the same tier for {days_since_tier_change} days", "in no tier"),
    ),
    Wording(
        r"is_loyalty_member",
        "loyalty",
        ("in the loyalty programme with {points_balance} points", "no points in the loyalty programme"),
    ),
)
_OTHER = (
    Wording(r"days_to_next_(?P<what>promotion|holiday)", "season", ("next {what} in {value} days",)),
    Wording(r"days_since_sign_up", "tenure", ("signed up {days_since_sign_up} days ago",)),
    Wording(
        r"shipping_paid_(?P<window>\d+)d", "spend", ("paid {value} for shipping in the last {window} days",)
    ),
)
_SILENCE = (
    "no order for {days_since_last_order} days; usually every {gap_days_median}",
    "bought on one day only, {days_since_last_order} days ago",
)
_PURCHASES = (
    Wording(
        r"days_since_last_return|returns?_.*|returned_.*",
        "returns",
        ("{returns_total} lines returned so far",),
    ),
    Wording(r"last_order_returned", "returns", ("the last order came back, wholly or in part",)),
    Wording(
        r".*contact.*", "contacts", ("last written to {days_since_last_contact} days ago", "never written to")
    ),
    Wording(
        r"tenure_days|days_since_first_order|days_first_to_last_order",
        "tenure",
        ("a customer for {tenure_days} days",),
    ),
    Wording(r"days_since_.*|gaps?_.*|own_.*", "silence", _SILENCE),
    Wording(
        r"(orders|purchase_days)_(?P<short>\d+)d_over_(?P<long>\d+)d",
        "frequency",
        ("{orders_SHORT} orders in the last {short} days against {orders_LONG} in {long}",),
    ),
    Wording(
        r"purchase_days_(?P<near>\d+)_to_(?P<far>\d+)d_ago",
        "frequency",
        ("{value} purchase days {near} to {far} days ago",),
    ),
    Wording(r"orders_(?P<window>\d+)d", "frequency", ("{value} orders in the last {window} days",)),
    Wording(
        r"purchase_days_(?P<window>\d+)d", "frequency", ("{value} purchase days in the last {window} days",)
    ),
    Wording(
        r"active_months_(?P<window>\d+)d",
        "frequency",
        ("active in {value} months of the last {window} days",),
    ),
    Wording(r"orders_.*|purchase_days_.*", "frequency", ("{orders_total} orders in {tenure_days} days",)),
    Wording(
        r"spend_(?P<short>\d+)d_over_(?P<long>\d+)d",
        "spend",
        ("spent {spend_SHORT} in the last {short} days against {spend_LONG} in {long}",),
    ),
    Wording(r"spend_(?P<window>\d+)d", "spend", ("spent {value} in the last {window} days",)),
    Wording(
        r"max_order_value_(?P<window>\d+)d", "spend", ("largest order of the last {window} days {value}",)
    ),
    Wording(
        r"(spend|mean_order|order_value|max_order)_.*",
        "spend",
        ("{mean_order_value} per order, the last one {order_value_last}",),
    ),
    Wording(r"products_(?P<window>\d+)d", "breadth", ("{value} products in the last {window} days",)),
    Wording(r"categories_(?P<window>\d+)d", "breadth", ("{value} categories in the last {window} days",)),
    Wording(
        r"(products|product|categories|category|lines|quantity)_.*",
        "breadth",
        ("{products_total} products in all", "{categories_total} categories in all"),
    ),
    Wording(r"discount_share.*", "discount", ("discounts were {discount_share:%} of the price",)),
    Wording(
        r"weekend_share|weekday_entropy|last_order_weekday|order_hour_mean",
        "habits",
        ("weekdays and hours of the orders",),
    ),
)

WORDINGS = (*_SUPPORT, *_FEEDBACK, *_OFFERS, *_SUBSCRIPTION, *_USE, *_LOYALTY, *_OTHER, *_PURCHASES)
"""Every wording; the first whose pattern a feature's name matches holds."""
