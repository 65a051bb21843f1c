"""Days to come count from when they were announced, for whom they are meant."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.build import build_features
from features.settings import FeatureSettings
from tables.calendar import NEVER, BusinessCalendar

VILNIUS = BusinessCalendar("Europe/Vilnius")
AS_OF = date(2025, 3, 1)


@pytest.fixture
def days_to_next(memory, table, at):
    """Return ``ann``'s days to a kind's next day; calendar rows are (day, known, kind, region)."""

    def days(kind, *rows, orders=(("ann", "2025-01-01", "north"),), as_of=AS_OF, ended=NEVER):
        zone = "Europe/Vilnius"
        calendar = pd.DataFrame(rows, columns=["at", "known_at", "kind", "region"]).assign(
            customer=None, superseded_at=ended
        )
        for name in ("at", "known_at"):
            calendar[name] = [at(text, zone) for text in calendar[name]]
        bought = table(*orders, columns=["region"], zone=zone)
        history = memory({"orders": bought, "calendar": calendar})
        chosen = FeatureSettings(horizon_days=7)
        block = next(iter(build_features(history, as_of=[as_of], calendar=VILNIUS, settings=chosen)))
        return float(block.frame.iloc[0][f"days_to_next_{kind}"])

    return days


def test_the_soonest_announced_day_counts(days_to_next) -> None:
    days = [("2025-03-11", "2025-02-01", "holiday", None), ("2025-03-04", "2025-02-01", "holiday", None)]
    assert days_to_next("holiday", *days) == 3
    assert np.isnan(days_to_next("promotion", *days))


def test_today_is_zero_days_away_and_yesterday_gone(days_to_next) -> None:
    assert days_to_next("holiday", ("2025-03-01", "2024-01-01", "holiday", None)) == 0
    assert np.isnan(days_to_next("holiday", ("2025-02-28", "2024-01-01", "holiday", None)))


def test_days_are_whole_when_the_clocks_change(days_to_next) -> None:
    assert days_to_next("holiday", ("2025-04-01", "2025-01-01", "holiday", None)) == 31


def test_what_is_announced_later_is_not_seen(days_to_next) -> None:
    row = ("2025-03-11", "2025-03-01", "promotion", None)
    assert np.isnan(days_to_next("promotion", row))
    assert days_to_next("promotion", row, as_of=date(2025, 3, 2)) == 9


def test_what_was_taken_back_is_not_seen(days_to_next, at) -> None:
    row = ("2025-03-11", "2025-02-01", "promotion", None)
    assert np.isnan(days_to_next("promotion", row, ended=at("2025-02-10")))
    assert days_to_next("promotion", row, ended=at("2025-03-05")) == 10


def test_regions_are_those_of_the_last_order(days_to_next) -> None:
    rows = [("2025-03-11", "2025-02-01", "holiday", None), ("2025-03-03", "2025-02-01", "holiday", "south")]
    moved = (("ann", "2025-01-01", "north"), ("ann", "2025-02-01", "south"))
    assert days_to_next("holiday", *rows) == 10
    assert days_to_next("holiday", *rows, orders=moved) == 2
    assert days_to_next("holiday", *rows, orders=tuple(reversed(moved))) == 2
