"""The shipped triggers one by one, on customers made by hand: who just meets them, and who just does not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from actions.catalogue import load_catalogue
from features.build import feature_names
from tables.contracts import columns_of
from tests.drawn_shop import SETTINGS

SHIPPED = Path(__file__).parents[2] / "configs" / "actions.yaml"
CATALOGUE = load_catalogue(SHIPPED)
Customer = Mapping[str, Any]


class Case(NamedTuple):
    """Customers of one trigger: one who just meets it, changes that keep it, and changes that just miss it."""

    meets: Customer
    keeps: tuple[Customer, ...]
    misses: tuple[Customer, ...]


def case(meets: Customer, *, misses: list[Customer], keeps: list[Customer] | None = None) -> Case:
    return Case(meets, tuple(keeps or []), tuple(misses))


NEVER_RATED = {"csat_last": None, "csat_last_age_days": None}
NEVER_SURVEYED = {"nps_last": None, "nps_last_age_days": None}
NEVER_BOUGHT = {"orders_total": 0, "days_since_last_order": None}

CASES = {
    "service_recovery_call": case(
        {"csat_last": 2, "csat_last_age_days": 30, "complaints_30d": 0},
        keeps=[{**NEVER_RATED, "complaints_30d": 1}, {"csat_last": 5, "complaints_30d": 1}],
        misses=[{"csat_last": 2.01}, {"csat_last_age_days": 30.01}, NEVER_RATED],
    ),
    "detractor_follow_up": case(
        {"nps_last": 6, "nps_last_age_days": 30},
        keeps=[{"nps_last": 0}],
        misses=[{"nps_last": 7}, {"nps_last_age_days": 30.01}, NEVER_SURVEYED],
    ),
    "proactive_support": case(
        {"tickets_30d": 1, "errors_30d": 1, "tickets_90d": 4, "errors_90d": 1, "tickets_solved_30d": 0},
        keeps=[{"tickets_30d": 0, "errors_30d": 2}, {"tickets_30d": 2, "errors_30d": 0}],
        misses=[
            {"tickets_30d": 0, "tickets_90d": 0},
            {"errors_30d": 0, "errors_90d": 0},
            {"tickets_90d": 5},
            {"errors_90d": 2},
            {"tickets_solved_30d": 1},
            {"tickets_30d": 0, "errors_30d": 0, "tickets_90d": 0, "errors_90d": 0},
        ],
    ),
    "ticket_progress_note": case(
        {"tickets_open_over_target": 1}, misses=[{"tickets_open_over_target": 0}]
    ),
    "delivery_promise_note": case(
        {"last_order_returned": 1, "days_since_last_order": 30},
        misses=[
            {"last_order_returned": 0},
            {"days_since_last_order": 30.01},
            {"last_order_returned": None, "days_since_last_order": None},
        ],
    ),
    "thank_you_note": case(
        {"orders_total": 1, "days_since_last_order": 2},
        misses=[{"orders_total": 2}, {"days_since_last_order": 2.01}, NEVER_BOUGHT],
    ),
    "self_service_guide": case({"how_to_questions_90d": 2}, misses=[{"how_to_questions_90d": 1}]),
    "onboarding_tutorial": case(
        {"tenure_days": 59.9, "uses_total": 2},
        keeps=[{"uses_total": 0}],
        misses=[{"tenure_days": 60}, {"uses_total": 3}, {"tenure_days": None}],
    ),
    "community_invite": case(
        {"lifecycle": "active", "community_events_total": 0},
        misses=[{"lifecycle": "new"}, {"lifecycle": "lapsed"}, {"community_events_total": 1}],
    ),
    "personal_recommendation": case(
        {"products_180d": 4, "products_90d": 1},
        keeps=[{"products_180d": 10, "products_90d": 3}, {"products_90d": 0}],
        misses=[{"products_180d": 3, "products_90d": 0}, {"products_90d": 2}, {"products_180d": 6, "products_90d": 2}],
    ),
    "replenishment_reminder": case(
        {"days_since_last_over_own_gap": 1.51},
        keeps=[{"days_since_last_over_own_gap": 4}],
        misses=[{"days_since_last_over_own_gap": late} for late in (1.5, 4.01, None)],
    ),
    "win_back_message": case({"lifecycle": "lapsed"}, misses=[{"lifecycle": "at_risk"}, {"lifecycle": "never_bought"}]),
    "ambassador_invite": case(
        {"positive_reviews_365d": 1, "positive_mentions_365d": 0},
        keeps=[{"positive_reviews_365d": 0, "positive_mentions_365d": 1}],
        misses=[{"positive_reviews_365d": 0}, {"positive_reviews_365d": 0, "positive_mentions_365d": 0}],
    ),
    "survey_invite": case(
        {"orders_total": 1, "days_since_last_survey": 180.1},
        keeps=[{"days_since_last_survey": None}],
        misses=[{"orders_total": 0}, {"days_since_last_survey": 180}],
    ),
    "social_audience": case(
        {"lifecycle": "lapsed", "days_since_last_order": 60},
        keeps=[{"days_since_last_order": 180}],
        misses=[{"lifecycle": "at_risk"}, *({"days_since_last_order": days} for days in (59.9, 180.1, None))],
    ),
    "charity_match": case(
        {"discount_share": 0.049, "orders_total": 3, "products_total": 5},
        misses=[{"discount_share": 0.05}, {"orders_total": 2}, {"products_total": 4}, {"discount_share": None}],
    ),
    "loyalty_enrolment": case(
        {"orders_total": 2, "is_loyalty_member": 0}, misses=[{"orders_total": 1}, {"is_loyalty_member": 1}]
    ),
    "points_bonus": case(
        {"points_earned_365d": 0.1, "points_redeemed_365d": 0.1},
        misses=[{"points_earned_365d": 0}, {"points_redeemed_365d": 0}],
    ),
    "points_expiry_reminder": case(
        {"points_balance": 1, "points_days_to_expiry": 30},
        misses=[{"points_balance": 0}, {"points_days_to_expiry": 30.1}, {"points_days_to_expiry": None}],
    ),
    "tier_upgrade": case(
        {"value_fifth": 5, "tenure_days": 180.1},
        misses=[{"value_fifth": 4}, {"tenure_days": 180}, {"tenure_days": None}],
    ),
    "early_access": case({"value_fifth": 5}, misses=[{"value_fifth": 4}]),
    "membership_trial": case(
        {"orders_365d": 12, "shipping_paid_365d": 0.01}, misses=[{"orders_365d": 11}, {"shipping_paid_365d": 0}]
    ),
    "referral_reward": case(
        {"nps_last": 9, "orders_total": 3}, misses=[{"nps_last": 8}, {"orders_total": 2}, {"nps_last": None}]
    ),
    "surprise_gift": case(
        {"value_fifth": 5, "tenure_days": 365.1}, misses=[{"value_fifth": 4}, {"tenure_days": 365}]
    ),
    "personal_offer": case(
        {"risk_third": "high", "discount_share": 0.11},
        misses=[{"risk_third": "middle"}, {"risk_third": None}, {"discount_share": 0.1}, {"discount_share": None}],
    ),
    "bundle_offer": case(
        {"discount_share": 0.11, "categories_total": 1}, misses=[{"discount_share": 0.1}, {"categories_total": 2}]
    ),
    "price_review": case(
        {"plan_fee_monthly": 0.01, "use_days_share_30d": 0.09, "days_since_subscription_start": 30},
        keeps=[{"use_days_share_30d": 0}],
        misses=[
            {"plan_fee_monthly": 0},
            {"use_days_share_30d": 0.1},
            {"days_since_subscription_start": 29.9},
            {"plan_fee_monthly": None, "days_since_subscription_start": None},
        ],
    ),
}  # fmt: skip
SERVICE_WITHOUT_ORDERS = (
    "service_recovery_call",
    "detractor_follow_up",
    "proactive_support",
    "ticket_progress_note",
)

# What planning adds to the features of a night, and what configs/actions.yaml promises.
PLANNING = {
    "churn_risk", "risk_third", "risk_source", "segment", "recency_score", "frequency_score", "monetary_score",
    "value_fifth", "lifecycle",
}  # fmt: skip


class EveryTable:
    """A history to which every table was delivered with every column."""

    def has(self, table: str) -> bool:
        return True

    def columns(self, table: str) -> tuple[str, ...]:
        return tuple(column.name for column in columns_of(table))


def is_met(action: str, customer: Customer) -> bool:
    (truth,) = CATALOGUE.actions[action].trigger.evaluate({name: [value] for name, value in customer.items()})
    return bool(truth)


def test_every_shipped_action_has_customers_of_its_own() -> None:
    assert set(CASES) == set(CATALOGUE.actions)
    assert len(CASES) == 27


@pytest.mark.parametrize("action", CASES)
def test_the_trigger_holds_for_customers_who_just_meet_it(action: str) -> None:
    customer = CASES[action].meets
    assert is_met(action, customer)
    for change in CASES[action].keeps:
        assert is_met(action, {**customer, **change}), change


@pytest.mark.parametrize("action", CASES)
def test_the_trigger_fails_for_customers_who_just_miss_it(action: str) -> None:
    for change in CASES[action].misses:
        assert not is_met(action, {**CASES[action].meets, **change}), change


@pytest.mark.parametrize("action", CASES)
def test_each_column_of_a_trigger_decides_for_somebody(action: str) -> None:
    meets, keeps, misses = CASES[action]
    assert set(meets) == CATALOGUE.actions[action].trigger.columns
    assert {name for change in (*keeps, *misses) for name in change} == set(meets)


def test_support_needs_nobody_to_have_ordered() -> None:
    for action in SERVICE_WITHOUT_ORDERS:
        named = CATALOGUE.actions[action].trigger.columns
        assert not [name for name in named if "order" in name or name == "tenure_days"]


def test_every_column_of_a_trigger_is_made_by_somebody() -> None:
    made = {*feature_names(EveryTable(), SETTINGS), *PLANNING}
    asleep = {name: action.trigger.columns - made for name, action in CATALOGUE.actions.items()}
    assert {name: absent for name, absent in asleep.items() if absent} == {}


def test_the_catalogue_tells_what_planning_adds() -> None:
    comment = [line for line in SHIPPED.read_text().splitlines() if line.startswith("#")]
    assert all(name in " ".join(comment) for name in PLANNING)
