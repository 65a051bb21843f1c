"""Hand-worked values of the features that need more than one operation."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.build import FeatureSettings, build_features
from tables.calendar import BusinessCalendar

AS_OF = date(2025, 3, 1)
UTC = BusinessCalendar("UTC")


def row_of(history, *, horizon=10, as_of=AS_OF):
    blocks = build_features(
        history, as_of=[as_of], calendar=UTC, settings=FeatureSettings(horizon_days=horizon)
    )
    return pd.concat([block.frame for block in blocks]).iloc[0]


def ann(memory, table, *times, **content):
    rows = [("ann", time, *values) for time, *values in zip(times, *content.values(), strict=True)]
    return memory({"orders": table(*rows, columns=list(content))})


def test_silence_is_compared_with_own_gaps(memory, table) -> None:
    row = row_of(ann(memory, table, "2025-01-28", "2025-01-30", "2025-02-07", "2025-02-19"))
    assert row.gap_days_mean == np.float32(22 / 3)
    assert row.days_since_last_over_own_gap == np.float32(10 / (22 / 3 + 1))
    assert row.days_since_last_over_median_gap == np.float32(10 / 9)
    assert row.days_since_last_over_max_gap == np.float32(10 / 13)
    assert row.days_since_last_over_tenure == np.float32(10 / 32)
    assert row.days_since_last_gap_score == pytest.approx((10 - 22 / 3) / (np.std([2, 8, 12], ddof=1) + 1))
    assert row.days_since_purchase_day_3_last == 30
    assert np.isnan(row.days_since_purchase_day_6_last)


def test_own_hazard_of_hand_worked_gaps(memory, table) -> None:
    row = row_of(ann(memory, table, "2025-01-20", "2025-01-22", "2025-02-13", "2025-02-25"))
    assert row.gaps_longer_than_silence == 2
    assert row.own_silence_share == np.float32((1 + 1) / (2 + 2))
    share = (12 + 2 + 5) / (30 + 10)
    assert row.own_silent_horizon_log_odds == pytest.approx(np.log(share / (1 - share)), rel=1e-6)


def test_one_time_buyer_has_defined_values(memory, table) -> None:
    row = row_of(ann(memory, table, "2025-02-19 12:00", amount=[20.0]))
    assert row.days_since_last_order == 9.5
    assert (row.tenure_days, row.days_first_to_last_order) == (10, 0)
    assert row.purchase_days_per_tenure_day == np.float32(0.1)
    assert (row.mean_order_value, row.order_value_last_over_mean) == (20, 1)
    assert row.own_silence_share == 0.5
    assert (row.weekday_entropy, row.weekend_share, row.last_order_weekday) == (0, 0, 2)
    assert row[["gap_days_mean", "gap_days_median", "days_since_last_over_own_gap"]].isna().all()


def test_lagged_outcomes_and_last_years_season(memory, table) -> None:
    times = ("2024-02-20", "2024-03-05", "2025-01-30", "2025-02-18", "2025-02-19")
    row = row_of(ann(memory, table, *times))
    assert row.purchase_days_0_to_10d_ago == 1
    assert row.purchase_days_10_to_20d_ago == 1
    assert row.purchase_days_20_to_30d_ago == 1
    assert (row.purchase_days_season_before, row.purchase_days_season) == (1, 1)
    newcomer = row_of(ann(memory, table, "2025-02-18"))
    assert np.isnan([newcomer.purchase_days_season_before, newcomer.purchase_days_season]).all()


def test_discount_share_is_of_the_price_before_it(memory, table) -> None:
    history = ann(memory, table, "2024-01-01", "2025-02-18", amount=[60.0, 30.0], discount=[40.0, 10.0])
    row = row_of(history)
    assert row.discount_share == np.float32(50 / 140)
    assert row.discount_share_365d == 0.25


def test_shipping_paid_is_that_of_the_year(memory, table) -> None:
    history = ann(memory, table, "2024-01-01", "2025-01-18", "2025-02-18", shipping=[9.0, 4.5, 0.0])
    assert row_of(history).shipping_paid_365d == 4.5


def test_trends_are_shares_of_the_longer_window(memory, table) -> None:
    row = row_of(ann(memory, table, "2025-01-15", "2025-02-10", "2025-02-27", amount=[50, 30, 20]))
    assert row.orders_7d_over_30d == 0.5
    assert row.spend_30d_over_90d == 0.5
    assert np.isnan(row_of(ann(memory, table, "2025-01-15", amount=[5])).orders_7d_over_30d)


def test_returns_weigh_against_spending(memory, table) -> None:
    orders = table(("ann", "2025-02-01", 80.0), ("ann", "2025-02-10", 20.0), columns=["amount"])
    returns = table(("ann", "2025-02-05", 15.0), ("ann", "2025-02-12", 10.0), columns=["amount"])
    row = row_of(memory({"orders": orders, "returns": returns}))
    assert (row.returns_total, row.returns_30d, row.returned_total) == (2, 2, 25)
    assert row.return_share == 0.25
    assert row.last_order_returned == 1
    assert row_of(memory({"orders": orders, "returns": returns.head(1)})).last_order_returned == 0


def test_repeated_products_and_categories_are_shares(memory, table) -> None:
    bought = [("2025-01-05", "tea", "food"), ("2025-02-20", "tea", "food"), ("2025-02-20", "cup", "home")]
    lines = table(*(("ann", *line) for line in bought), columns=["product_id", "category"])
    row = row_of(memory({"orders": table(("ann", "2025-02-20")), "lines": lines}))
    assert (row.products_total, row.products_30d, row.products_90d) == (2, 2, 2)
    assert row.product_repeat_share == np.float32(1 / 3)
    assert row.product_top_share == np.float32(2 / 3)
    assert (row.categories_total, row.categories_7d, row.category_top_share) == (2, 0, np.float32(2 / 3))


def test_withheld_contacts_are_no_contacts(memory, table) -> None:
    contacts = table(
        ("ann", "2025-02-10", "sent"),
        ("ann", "2025-02-20", "control"),
        ("ann", "2025-01-01", "explored"),
        columns=["arm"],
    )
    contacts["redeemed_at"] = [
        UTC.midnight(date(2025, 2, 12)),
        UTC.midnight(date(2025, 2, 21)),
        UTC.midnight(AS_OF),
    ]
    row = row_of(memory({"orders": table(("ann", "2025-02-01")), "contacts": contacts}))
    assert (row.contacts_total, row.contacts_30d, row.days_since_last_contact) == (2, 1, 19)
    assert row.contacts_redeemed_share == 0.5
