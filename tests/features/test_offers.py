"""Hand-worked values of the features over offers."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.build import build_features
from features.engagement_builders import ENGAGEMENT
from features.settings import FeatureSettings
from tables.calendar import NEVER, BusinessCalendar

AS_OF = date(2025, 3, 1)
UTC = BusinessCalendar("UTC")
SETTINGS = FeatureSettings(horizon_days=28, windows=(7, 30), offer_kinds=("bogo", "Free-gift"))
BUILDERS = [builder for builder in ENGAGEMENT if "offers" in builder.needs]
KINDS = ("kind", "ends_at", "viewed_at", "completed_at", "reward", "difficulty")
ROWS = (
    ("2025-01-01", "bogo", "2025-01-10", "2025-01-05", "2025-01-06", 1, 10),
    ("2025-02-20", "bogo", "2025-03-05 12:00", "2025-02-21", None, 2, 20),
    ("2025-02-22", "bogo", "2025-03-02", None, "2025-02-28", 4, 40),
    ("2025-02-23", "Free-gift", "2025-03-02", "2025-03-01", "2025-03-01", 8, 80),
    ("2025-02-24", "Free-gift", None, "2025-02-28 23:59", None, 16, 160),
    ("2025-03-01", "bogo", "2025-03-02", "2025-03-01", None, 32, 320),
)


def offers_of(memory, table, at, *rows, columns=KINDS):
    frame = table(*(("ann", row[0]) for row in rows))
    for place, name in enumerate(KINDS, start=1):
        values = [row[place] for row in rows]
        if name.endswith("_at"):
            values = [NEVER if value is None else at(value) for value in values]
        if name in columns:
            frame[name] = values
    return memory({"offers": frame})


def row_of(history, as_of=AS_OF):
    blocks = build_features(history, as_of=[as_of], calendar=UTC, settings=SETTINGS, builders=BUILDERS)
    return pd.concat([block.frame for block in blocks]).iloc[0]


def test_an_offer_runs_until_it_ends_or_is_completed(memory, table, at) -> None:
    row = row_of(offers_of(memory, table, at, *ROWS))
    assert (row.offers_total, row.offers_7d, row.offers_30d, row.days_since_last_offer) == (5, 3, 4, 5)
    assert (row.offers_running, row.offers_running_bogo, row.offers_running_free_gift) == (3, 1, 2)
    assert row.offer_days_left == 1
    assert row.offers_running_viewed == 2
    assert (row.offer_reward_running, row.offer_difficulty_running) == (2 + 8 + 16, 20 + 80 + 160)


def test_shares_taken_are_of_all_offers_that_began(memory, table, at) -> None:
    row = row_of(offers_of(memory, table, at, *ROWS))
    assert (row.offers_viewed_share, row.offers_completed_share) == (np.float32(3 / 5), np.float32(2 / 5))
    assert row.offers_completed_share_bogo == np.float32(2 / 3)
    assert row.offers_completed_share_free_gift == 0
    tomorrow = row_of(offers_of(memory, table, at, *ROWS), AS_OF + timedelta(days=1))
    assert tomorrow.offers_completed_share == 0.5


def test_an_offer_without_end_has_no_days_left(memory, table, at) -> None:
    row = row_of(offers_of(memory, table, at, ROWS[4]))
    assert row.offers_running == 1
    assert np.isnan([row.offer_days_left, row.offers_completed_share_bogo]).all()


def test_an_offer_that_ends_at_midnight_is_over(memory, table, at) -> None:
    rows = [(ROWS[1][0], "bogo", end, None, None, 1, 1) for end in ("2025-03-01", "2025-03-01 00:01")]
    row = row_of(offers_of(memory, table, at, *rows))
    assert (row.offers_running, row.offer_days_left) == (1, np.float32(1 / 1440))


def test_columns_that_are_absent_leave_their_features_out(memory, table, at) -> None:
    row = row_of(offers_of(memory, table, at, *ROWS, columns=("ends_at", "reward")))
    assert list(row.index[2:]) == [
        *("offers_total", "days_since_last_offer", "offers_7d", "offers_30d"),
        *("offers_running", "offer_days_left", "offer_reward_running"),
    ]
    assert row.offers_running == 4
