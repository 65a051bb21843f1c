"""Hand-worked values of the loyalty programme."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tables.calendar import NEVER

TIERS = ("silver", "gold")


@pytest.fixture
def row_of(memory, table, row_for):
    def row(log, customer="ann", *, tiers=TIERS):
        frame = table(*log, columns=["tier", "points", "expires_at"])
        history = memory({"orders": table(("ann", "2025-01-01"), ("bob", "2025-01-01")), "loyalty": frame})
        return row_for(history, customer, loyalty_tiers=tiers)

    return row


def test_points_rise_fall_and_run_out(row_of, at) -> None:
    log = [
        ("ann", "2023-01-01", "silver", 50.0, NEVER),
        ("ann", "2024-04-01", "silver", 80.0, NEVER),
        ("ann", "2024-05-01", "gold", 20.5, NEVER),
        ("ann", "2025-02-01", "gold", 30.5, at("2025-03-11 12:00")),
    ]
    row = row_of(log)
    assert row.is_loyalty_member == 1
    assert row.points_balance == 30.5
    assert (row.points_earned_365d, row.points_redeemed_365d) == (40, 59.5)
    assert row.points_days_to_expiry == 10.5
    assert (row.tier_rank, row.days_since_tier_change) == (2, 304)


def test_the_first_balance_was_not_earned_here(row_of) -> None:
    log = [("ann", "2025-01-01", "silver", 10.0, NEVER), ("bob", "2025-01-02", "silver", 500.0, NEVER)]
    row = row_of(log, "bob")
    assert (row.points_balance, row.points_earned_365d, row.points_redeemed_365d) == (500, 0, 0)


def test_expired_points_no_longer_run_out(row_of, at) -> None:
    row = row_of([("ann", "2025-01-01", "silver", 5.0, at("2025-03-01"))])
    assert np.isnan(row.points_days_to_expiry)


def test_a_row_without_points_is_no_fall(row_of) -> None:
    log = [
        ("ann", f"2025-01-0{day}", "silver", points, NEVER)
        for day, points in ((1, 5.0), (2, np.nan), (3, 4.0))
    ]
    row = row_of(log)
    assert (row.points_earned_365d, row.points_redeemed_365d, row.points_balance) == (0, 0, 4)


def test_unknown_tiers_rank_below_all_others(row_of) -> None:
    log = [("ann", "2025-01-01", "silver", 5.0, NEVER), ("ann", "2025-02-01", "platinum", 5.0, NEVER)]
    row = row_of(log)
    assert (row.tier_rank, row.days_since_tier_change) == (0, 28)
    assert "tier_rank" not in row_of(log, tiers=())


def test_who_is_no_member_has_no_standing(row_of) -> None:
    row = row_of([("ann", "2025-01-01", "gold", 5.0, NEVER)], "bob")
    assert (row.is_loyalty_member, row.tier_rank, row.points_earned_365d, row.points_redeemed_365d) == (
        0,
        0,
        0,
        0,
    )
    assert row[["points_balance", "points_days_to_expiry", "days_since_tier_change"]].isna().all()


@given(balances=st.lists(st.sampled_from([0.0, 10.0, 25.5, 100.0]), min_size=1, max_size=12))
@settings(max_examples=10, deadline=None)
def test_what_is_earned_less_redeemed_is_the_difference(memory, table, row_for, balances) -> None:
    log = [("ann", f"2025-01-{day:02}", points) for day, points in enumerate(balances, start=1)]
    loyalty = table(*log, columns=["points"])
    row = row_for(memory({"orders": table(("ann", "2025-01-01")), "loyalty": loyalty}))
    assert row.points_earned_365d - row.points_redeemed_365d == balances[-1] - balances[0]
