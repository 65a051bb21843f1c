"""Tonight's share of the budget: even over the nights that are left."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.allocation.budget import BudgetSettings, already_planned


@pytest.mark.parametrize(
    ("per", "night", "first", "end"),
    [
        ("night", date(2026, 11, 21), date(2026, 11, 21), date(2026, 11, 22)),
        ("week", date(2026, 11, 21), date(2026, 11, 16), date(2026, 11, 23)),
        ("week", date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 4)),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_periods_are_nights_iso_weeks_and_months(per: str, night: date, first: date, end: date) -> None:
    assert BudgetSettings.model_validate({"amount": 1, "per": per}).period(night) == (first, end)


def test_the_last_night_gets_all_that_is_left() -> None:
    budget = BudgetSettings(amount=3000, per="month")
    assert budget.tonight(date(2026, 11, 30), planned=2900.0) == 100.0
    assert budget.tonight(date(2026, 11, 1), planned=0.0) == 100.0


def test_an_overspent_period_leaves_nothing() -> None:
    assert BudgetSettings(amount=10, per="week").tonight(date(2026, 11, 18), planned=11.0) == 0.0


def test_only_sent_rows_of_earlier_nights_count() -> None:
    rows = [
        ("2026-11-15", "mail", 1.0),  # the week before
        ("2026-11-16", "mail", 2.0),
        ("2026-11-20", "none", 4.0),  # withheld
        ("2026-11-20", "call", 8.0),
        ("2026-11-21", "mail", 16.0),  # tonight, published before a rerun
    ]
    published = pd.DataFrame(rows, columns=["as_of", "action", "expected_cost"])
    published["as_of"] = pd.to_datetime(published["as_of"])
    settings = BudgetSettings(amount=100, per="week")
    assert already_planned(published, settings, as_of=date(2026, 11, 21)) == 10.0


@given(
    per=st.sampled_from(["night", "week", "month"]),
    amount=st.floats(0, 1e6),
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    shares=st.lists(st.floats(0, 1), min_size=31, max_size=31),
)
def test_nights_together_never_exceed_the_period(
    per: str, amount: float, start: date, shares: list[float]
) -> None:
    budget = BudgetSettings.model_validate({"amount": amount, "per": per})
    night, end = budget.period(start)
    spent = 0.0
    while night < end:
        spent += shares[night.day - 1] * budget.tonight(night, planned=spent)
        night += timedelta(days=1)
    assert spent <= amount * (1 + 1e-9)


@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf")])
def test_a_budget_must_be_a_finite_amount(amount: float) -> None:
    with pytest.raises(ValidationError, match="amount"):
        BudgetSettings(amount=amount)
