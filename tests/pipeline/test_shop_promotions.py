"""The calendars of the simulated shop's regions: holidays and promotions, announced ahead."""

from datetime import date

import numpy as np
import pytest

from pipeline.shop.draws import Draws
from pipeline.shop.people import LANGUAGES, REGIONS, first_people
from pipeline.shop.promotions import announced, day_of_calendar
from pipeline.shop.settings import ShopSettings, day_number

LUCK = Draws(3)
YEAR = day_number(date(2025, 1, 1)), day_number(date(2026, 1, 1))


def test_rows_come_in_the_order_of_their_announcement() -> None:
    rows = announced(LUCK, *YEAR)
    assert (np.diff(rows["known_on"]) >= 0).all()
    lead = rows["on"] - rows["known_on"]
    assert set(lead[rows["is_promotion"]]) == {21}
    assert set(lead[~rows["is_promotion"]]) == {365}


def test_a_year_announced_day_by_day_is_the_year_at_once() -> None:
    by_day = np.concatenate([announced(LUCK, day, day + 1) for day in range(*YEAR)])
    assert by_day.tolist() == announced(LUCK, *YEAR).tolist()


def test_each_region_keeps_its_own_holidays() -> None:
    def regions(day: date) -> set[str]:
        rows = announced(LUCK, day_number(day) - 365, day_number(day) - 364)
        rows = rows[~rows["is_promotion"]]
        return {REGIONS[place] for place in rows["region"]}

    assert regions(date(2026, 10, 1)) == {"china"}
    assert regions(date(2026, 2, 16)) == {"lithuania"}
    assert regions(date(2026, 12, 25)) == {"britain", "lithuania"}
    assert regions(date(2026, 6, 1)) == set()


def test_a_promotion_raises_orders_for_four_days() -> None:
    rows = announced(LUCK, *YEAR)
    start = rows[rows["is_promotion"] & (rows["region"] == 0)][3]
    factors = [day_of_calendar(LUCK, int(start["on"]) + day)[0] for day in (-1, 0, 3, 4)]
    assert factors == pytest.approx([1, 1.8, 1.8, 1])


def test_a_holiday_halves_the_orders_of_its_region() -> None:
    rows = announced(LUCK, *YEAR)
    promotions, holidays = rows[rows["is_promotion"]], rows[~rows["is_promotion"]]
    seen = set()
    for on, place in holidays[holidays["on"] < promotions["on"].max()][["on", "region"]].tolist():
        same = promotions[promotions["region"] == place]["on"]
        is_promoted = bool(((same <= on) & (on < same + 4)).any())
        seen.add(is_promoted)
        assert day_of_calendar(LUCK, on)[place] == pytest.approx(0.5 * (1.8 if is_promoted else 1))
    assert False in seen


def test_most_customers_speak_their_regions_language() -> None:
    people = first_people(ShopSettings(customers=5_000), LUCK, YEAR[0])
    at_home = dict(zip(REGIONS, LANGUAGES, strict=True))
    spoken = np.array(LANGUAGES)[people["language"]]
    for place, region in enumerate(REGIONS):
        assert (spoken[people["region"] == place] == at_home[region]).mean() > 0.85
    assert np.bincount(people["region"]) / 5_000 == pytest.approx([0.4, 0.35, 0.25], abs=0.02)
