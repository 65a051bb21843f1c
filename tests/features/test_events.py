"""Hand-worked values of events, and that a type nobody listed changes nothing."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import feature_names
from features.settings import FeatureSettings
from tables.calendar import DAY, BusinessCalendar

UTC = BusinessCalendar("UTC")

LOG = (
    ("ann", "2024-02-01", "session", None),
    ("ann", "2024-12-20", "session", None),
    ("ann", "2025-01-30 08:00", "session", None),
    ("ann", "2025-01-30 20:00", "app-use", None),
    ("ann", "2025-02-27 12:00", "app-use", None),
    ("ann", "2025-02-27 13:00", "app-use", None),
    ("ann", "2025-02-26", "page_error", None),
    ("ann", "2025-02-20", "slow_page", None),
    ("ann", "2025-02-02", "slow_page", None),
    ("bob", "2025-02-02", "email_open", None),
)


@pytest.fixture
def row_of(memory, table, row_for):
    def row(log, *types, customer="ann", **options):
        frame = table(*log, columns=["type", "value"])
        frame["value"] = frame["value"].astype(float)
        history = memory({"orders": table(("ann", "2025-01-01")), "events": frame})
        return row_for(history, customer, event_types=types, **options)

    return row


def test_events_are_counted_by_type_and_window(row_of) -> None:
    row = row_of(LOG, "session", "app-use")
    assert (row.session_events_total, row.session_events_90d, row.session_events_30d) == (3, 2, 1)
    assert (row.app_use_events_total, row.app_use_events_7d) == (3, 2)
    assert row.days_since_last_session_event == np.float32(29 + 16 / 24)
    assert "email_open_events_total" not in row


def test_silence_is_the_share_of_days_without_one(row_of) -> None:
    row = row_of(LOG, "session", "app-use")
    assert row.session_silent_share_90d == np.float32(88 / 90)
    assert row.app_use_silent_share_90d == np.float32(88 / 90)  # twice on one day
    assert row_of(LOG, "session", customer="bob").session_silent_share_90d == 1


def test_trend_is_the_share_of_the_last_month(row_of) -> None:
    row = row_of(LOG, "session", "email_open")
    assert row.session_events_30d_over_90d == 0.5
    assert np.isnan(row.email_open_events_30d_over_90d)
    assert "session_events_30d_over_90d" not in row_of(LOG, "session", windows=(7, 30))


def test_uses_are_sessions_and_app_use_together(row_of) -> None:
    row = row_of(LOG, "session", "app-use")
    assert (row.uses_total, row.uses_30d) == (6, 4)
    assert row.use_days_share_30d == np.float32(2 / 30)
    only_sessions = row_of(LOG, "session")
    assert (only_sessions.uses_total, only_sessions.use_days_share_30d) == (3, np.float32(1 / 30))
    assert "uses_total" not in row_of(LOG, "page_error")


def test_errors_are_failed_and_slow_pages(row_of) -> None:
    row = row_of(LOG, "page_error", "slow_page")
    assert (row.errors_7d, row.errors_30d) == (1, 3)
    assert row_of(LOG, "slow_page").errors_30d == 2


def test_reviews_and_mentions_are_praise_or_complaint(row_of) -> None:
    given = [("review", 5), ("review", 4), ("review", 3), ("review", 2), ("review", None)]
    heard = [("mention", 0.05), ("mention", 0.0), ("mention", -0.5), ("mention", 1.0)]
    log = [("ann", f"2025-02-{day:02}", *what) for day, what in enumerate([*given, *heard], start=1)]
    row = row_of([*log, ("ann", "2023-01-01", "review", 1)], "review", "mention")
    assert (row.positive_reviews_365d, row.negative_reviews_365d) == (2, 1)
    assert (row.positive_mentions_365d, row.negative_mentions_365d) == (2, 1)
    assert row.mention_value_last == 1
    assert np.isnan(row.review_value_last)


def test_a_type_nobody_listed_changes_nothing(row_of) -> None:
    before = row_of(LOG, "session")
    after = row_of([*LOG, ("ann", "2025-02-28", "chat", 1.0)], "session")
    assert after.equals(before)


def test_without_listed_types_events_give_nothing(memory, table) -> None:
    events = table(("ann", "2025-01-01", "a"), columns=["type"])
    history = memory({"orders": table(("ann", "2025-01-01")), "events": events})
    assert not [name for name in feature_names(history, FeatureSettings(horizon_days=7)) if "event" in name]


@given(seed=st.integers(0, 10**9))
@settings(max_examples=6, deadline=None)
def test_events_equal_a_slow_restatement(memory, shop, row_for, seed) -> None:
    tables = shop(np.random.default_rng(seed), ("ann", "bob"), 40)
    history = memory({"orders": tables["orders"], "events": tables["events"]})
    row = row_for(history, event_types=("session", "app_use", "review"))
    events, midnight = tables["events"], UTC.midnight(date(2025, 3, 1))
    seen = events[(events["customer"] == "ann") & (events["at"] < midnight) & (events["known_at"] < midnight)]
    seen = seen[seen["superseded_at"] >= midnight]
    lately = seen[seen["at"] >= midnight - 30 * DAY]
    used = lately[lately["type"].isin(["session", "app_use"])]
    assert row.uses_30d == len(used)
    assert row.use_days_share_30d == np.float32((used["at"] // DAY).nunique() / 30)
    reviews = seen[seen["type"] == "review"]
    assert row.positive_reviews_365d == ((reviews["value"] >= 4) & (reviews["value"] <= 5)).sum()
    assert row.review_events_total == len(reviews)
