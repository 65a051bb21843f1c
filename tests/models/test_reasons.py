"""Reasons: themes added up, only what raises the risk, and sentences with the customer's own numbers."""

import numpy as np
import pandas as pd
import pytest

from models.reasons import sentence, strongest_reasons

NAN = float("nan")


def test_contributions_of_a_theme_are_added() -> None:
    X = pd.DataFrame({"orders_30d": [1.0], "orders_90d": [9.0], "spend_30d": [4.0], "tenure_days": [50.0]})
    [reasons] = strongest_reasons(X, np.array([[0.2, 0.3, 0.4, -1.0]]), top=3)
    assert [(each.theme, round(each.contribution, 6)) for each in reasons] == [
        ("frequency", 0.5),
        ("spend", 0.4),
    ]
    assert reasons[0].feature == "orders_90d"
    assert [each.share for each in reasons] == pytest.approx([5 / 9, 4 / 9])


def test_no_more_reasons_than_asked_for() -> None:
    X = pd.DataFrame({"orders_30d": [1.0], "spend_30d": [4.0], "tenure_days": [50.0]})
    [reasons] = strongest_reasons(X, np.array([[0.1, 0.3, 0.2]]), top=2)
    assert [each.theme for each in reasons] == ["spend", "tenure"]


def test_nothing_that_raises_the_risk_gives_no_reason() -> None:
    assert strongest_reasons(pd.DataFrame({"spend_30d": [4.0]}), np.array([[-0.1]]), top=3) == [()]


@pytest.mark.parametrize(
    ("feature", "values", "words"),
    [
        ("days_since_last_order", {"gap_days_median": 21.4}, "no order for 74 days; usually every 21.4"),
        ("days_since_last_order", {"gap_days_median": NAN}, "bought on one day only, 74 days ago"),
        ("own_silence_share", {"gap_days_median": 21}, "no order for 74 days; usually every 21"),
        ("orders_90d", {}, "2 orders in the last 90 days"),
        ("purchase_days_28_to_56d_ago", {}, "2 purchase days 28 to 56 days ago"),
        (
            "spend_30d_over_90d",
            {"spend_30d": 12, "spend_90d": 300},
            "spent 12 in the last 30 days against 300 in 90",
        ),
        ("discount_share", {}, "discounts were 200% of the price"),
        ("orders_total", {"orders_total": 1, "tenure_days": 91}, "1 order in 91 days"),
        ("categories_30d", {"categories_30d": 1}, "1 category in the last 30 days"),
        ("orders_30d", {"orders_30d": 21}, "21 orders in the last 30 days"),
        ("contacts_30d", {"days_since_last_contact": NAN}, "never written to"),
        ("last_order_returned", {}, "the last order came back, wholly or in part"),
        ("a_new_feature", {}, "a new feature: 2"),
        ("tenure_days", {}, "a customer for 2 days"),
        ("days_since_last_ticket", {"days_since_last_ticket": 1}, "last asked for help 1 day ago"),
        ("days_since_last_ticket", {"days_since_last_ticket": NAN}, "never asked for help"),
        ("tickets_open_over_target", {}, "2 tickets open beyond their target"),
        ("tickets_solved_30d", {"tickets_solved_30d": 1}, "1 ticket solved in the last 30 days"),
        ("complaints_90d", {}, "2 complaints in the last 90 days"),
        ("csat_last_age_days", {"csat_last": 1}, "rated the last help 1, 2 days ago"),
        ("csat_last_age_days", {"csat_last": NAN}, "never rated our help"),
        ("csat_survey_last_age_days", {"csat_survey_last": 4}, "satisfied 4 in a survey 2 days ago"),
        ("points_days_to_expiry", {"points_days_to_expiry": NAN}, "no points about to expire"),
        ("points_earned_365d", {"points_earned_365d": 0}, "earned 0 points in the last 365 days"),
        ("page_error_events_30d", {}, "page error 2 times in the last 30 days"),
        (
            "session_silent_share_90d",
            {"session_silent_share_90d": 0.9},
            "no session on 90% of the last 90 days",
        ),
        (
            "session_events_30d_over_90d",
            {"session_events_30d_over_90d": 0.25},
            "25% of the session events of 90 days fell into the last 30",
        ),
        ("delivery_tickets_365d", {}, "2 tickets about delivery in the last 365 days"),
        ("offers_running_voucher", {"offers_running_voucher": 1}, "1 offer running: voucher"),
        ("days_since_last_offer", {"days_since_last_offer": NAN}, "never got an offer"),
        ("offers_completed_share", {"offers_completed_share": 0.25}, "took up 25% of the offers"),
        ("days_since_subscription_end", {}, "a subscription ended 2 days ago"),
        ("mrr_change_90d", {"mrr_change_90d": -5}, "the monthly fee changed by -5 in 90 days"),
        ("days_since_last_app_use_event", {}, "last app use 2 days ago"),
        ("days_since_last_app_use_event", {"days_since_last_app_use_event": NAN}, "no app use yet"),
        ("negative_reviews_365d", {}, "2 negative reviews in the last 365 days"),
        ("days_since_tier_change", {}, "in the same tier for 2 days"),
    ],
)
def test_sentences_hold_the_customers_numbers(feature: str, values: dict[str, float], words: str) -> None:
    assert sentence(feature, {"days_since_last_order": 74.0, feature: 2.0} | values) in {
        words,
        words.replace("74", "2"),
    }


def test_only_orders_tell_of_silence_between_orders() -> None:
    X = pd.DataFrame({"days_since_last_order": [9.0], "days_since_last_ticket": [2.0], "offers_30d": [1.0]})
    [reasons] = strongest_reasons(X, np.array([[0.3, 0.2, 0.1]]), top=3)
    assert [each.theme for each in reasons] == ["silence", "support", "offers"]


def test_missing_value_of_an_unknown_feature_is_said() -> None:
    assert sentence("shoe_size", {"shoe_size": NAN}) == "shoe size: not known"


def test_wording_without_its_numbers_falls_back() -> None:
    assert sentence("orders_30d_over_90d", {"orders_30d_over_90d": 0.5}) == "orders 30d over 90d: 0.5"
