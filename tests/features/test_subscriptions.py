"""Hand-worked values of the features over subscriptions, and pauses against counting day by day."""

from datetime import date, timedelta

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import build_features
from features.engagement_builders import ENGAGEMENT
from features.settings import FeatureSettings
from tables.calendar import DAY, NEVER, BusinessCalendar

AS_OF = date(2025, 3, 1)
UTC = BusinessCalendar("UTC")
SETTINGS = FeatureSettings(horizon_days=28)
BUILDERS = [builder for builder in ENGAGEMENT if "subscriptions" in builder.needs]
COLUMNS = ("ended_at", "renews_at", "plan", "mrr")


def subscribed(memory, table, at, *rows, columns=COLUMNS):
    frame = table(*(("ann", row[0]) for row in rows))
    for place, name in enumerate(COLUMNS, start=1):
        values = [row[place] for row in rows]
        if name.endswith("_at"):
            values = [NEVER if value is None else at(value) for value in values]
        if name in columns:
            frame[name] = values
    return memory({"subscriptions": frame})


def row_of(history, as_of=AS_OF):
    blocks = build_features(history, as_of=[as_of], calendar=UTC, settings=SETTINGS, builders=BUILDERS)
    return pd.concat([block.frame for block in blocks]).iloc[0]


def test_active_fees_and_renewals_of_two_contracts(memory, table, at) -> None:
    history = subscribed(
        memory,
        table,
        at,
        ("2024-06-01", "2025-01-01", None, "basic", 10.0),
        ("2025-01-01", None, "2025-03-11 12:00", "pro", 25.5),
        ("2025-02-19", "2025-03-01", "2025-02-27", "pro", 4.5),
        ("2025-03-01", None, "2025-03-02", "pro", 99.0),
    )
    row = row_of(history)
    assert (row.subscriptions_total, row.subscriptions_active) == (3, 2)
    assert (row.plan_fee_monthly, row.mrr_change_90d) == (30, 25.5 + 4.5 - 10)
    assert row.days_to_renewal == -2
    assert (row.days_since_subscription_start, row.days_since_first_subscription) == (10, 273)
    assert row.days_since_subscription_end == 59
    assert row.plan_changes_365d == 1
    tomorrow = row_of(history, AS_OF + timedelta(days=1))
    assert (tomorrow.subscriptions_active, tomorrow.plan_fee_monthly, tomorrow.days_to_renewal) == (
        2,
        124.5,
        0,
    )


def test_a_pause_counts_once_the_customer_is_back(memory, table, at) -> None:
    rows = [
        ("2024-01-01", "2024-06-01", None, "basic", 1.0),
        ("2024-02-01", "2024-03-01", None, "basic", 1.0),
        ("2024-06-01", "2024-07-01", None, "basic", 1.0),
        ("2024-07-11", "2025-01-01", None, "pro", 1.0),
        ("2025-02-01 12:00", "2025-02-10", None, "pro", 1.0),
    ]
    row = row_of(subscribed(memory, table, at, *rows))
    assert (row.subscription_pauses, row.paused_days_total) == (2, 10 + 31.5)
    assert (row.subscriptions_active, row.days_since_subscription_end) == (0, 19)
    before = row_of(subscribed(memory, table, at, *rows), date(2025, 2, 1))
    assert (before.subscription_pauses, before.paused_days_total) == (1, 10)


def test_without_ends_every_subscription_is_active(memory, table, at) -> None:
    row = row_of(subscribed(memory, table, at, ("2025-02-01", None, None, "pro", 5.0), columns=("mrr",)))
    assert list(row.index[2:]) == [
        *("subscriptions_total", "subscriptions_active", "days_since_subscription_start"),
        *("days_since_first_subscription", "plan_fee_monthly", "mrr_change_90d"),
    ]
    assert (row.subscriptions_active, row.plan_fee_monthly, row.mrr_change_90d) == (1, 5, 5)


def test_a_missing_plan_is_no_change_of_plan(memory, table, at) -> None:
    plans = ("basic", None, "pro", "pro", "basic")
    rows = [(f"2025-02-0{day}", None, None, plan, 1.0) for day, plan in enumerate(plans, start=1)]
    assert row_of(subscribed(memory, table, at, *rows)).plan_changes_365d == 1


spans = st.lists(
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(0, 12))), min_size=1, max_size=6
)


@given(people=st.lists(spans, min_size=1, max_size=3))
@settings(max_examples=40)
def test_paused_days_are_those_on_which_nothing_ran(memory, people) -> None:
    first = UTC.midnight(AS_OF) - 30 * DAY
    rows = pd.DataFrame(
        [
            (name, first + start * DAY, NEVER if days is None else first + (start + days) * DAY)
            for name, spans in enumerate(people)
            for start, days in spans
        ],
        columns=["customer", "at", "ended_at"],
    ).assign(known_at=lambda frame: frame["at"], superseded_at=NEVER)
    blocks = build_features(
        memory({"subscriptions": rows}), as_of=[AS_OF], calendar=UTC, settings=SETTINGS, builders=BUILDERS
    )
    found = pd.concat([block.frame for block in blocks]).set_index("customer")
    seen = [[span for span in spans if span[0] < 30] for spans in people]
    paused = [days_without(spans) for spans in seen]
    assert found["paused_days_total"].tolist() == [
        days for days, spans in zip(paused, seen, strict=True) if spans
    ]


def days_without(spans):
    """Count the days between the first and the last start on which no span runs."""
    starts = [start for start, _ in spans]
    runs = {day for start, days in spans for day in range(start, start + (99 if days is None else days))}
    return len(set(range(min(starts, default=0), max(starts, default=0))) - runs)
