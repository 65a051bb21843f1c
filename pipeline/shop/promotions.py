"""The calendar of each region: public holidays, and promotions announced some weeks ahead."""

from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.shop.draws import Draws, Floats
from pipeline.shop.influences import INFLUENCES
from pipeline.shop.people import REGIONS
from pipeline.shop.settings import date_of, day_number

ANNOUNCED_DAYS = {"promotion": 21, "holiday": 365}
_HOLIDAYS = {
    "britain": ((1, 1), (12, 25), (12, 26)),
    "china": ((1, 1), (5, 1), (10, 1), (10, 2), (10, 3)),
    "lithuania": ((1, 1), (2, 16), (3, 11), (5, 1), (6, 24), (7, 6), (8, 15), (11, 1), (12, 25)),
}
_MONTHS_WITH_PROMOTION = 0.75
_LATEST_START = 25

CALENDAR = np.dtype([("on", "i4"), ("region", "i1"), ("is_promotion", "?"), ("known_on", "i4")])
"""One day of a region's calendar: a promotion's first day, or a holiday, and when it was announced."""
Calendar = npt.NDArray[np.void]


def announced(draws: Draws, from_day: int, to_day: int) -> Calendar:
    """Return the calendar rows announced in the half-open span of days, in the order of their announcement."""
    years = range(date_of(from_day).year, date_of(to_day + 366).year + 1)
    rows = [row for year in years for row in _of_year(year, draws)]
    rows = [row for row in rows if from_day <= row[3] < to_day]
    return np.sort(np.array(rows, CALENDAR), order=["known_on", "on", "region", "is_promotion"])


def day_of_calendar(draws: Draws, day: int) -> Floats:
    """Return the factor on the order rate of each region on one day."""
    factor = np.ones(len(REGIONS))
    rows = _around(day, draws)
    for kind, is_promotion in (("promotion", True), ("holiday", False)):
        force = INFLUENCES[kind]
        runs = (rows["on"] <= day) & (day < rows["on"] + force.days) & (rows["is_promotion"] == is_promotion)
        factor[rows["region"][runs]] *= force.ordering
    return factor


def _around(day: int, draws: Draws) -> Calendar:
    years = {date_of(day - 31).year, date_of(day).year}
    return np.array([row for year in sorted(years) for row in _of_year(year, draws)], CALENDAR)


@cache
def _of_year(year: int, draws: Draws) -> tuple[tuple[int, int, bool, int], ...]:
    rows = []
    for place, region in enumerate(REGIONS):
        rows += [(day_number(date(year, *when)), place, False) for when in _HOLIDAYS[region]]
        rows += [(start, place, True) for start in _promotions(year, place, draws)]
    lead = {True: ANNOUNCED_DAYS["promotion"], False: ANNOUNCED_DAYS["holiday"]}
    return tuple((on, place, kind, on - lead[kind]) for on, place, kind in rows)


def _promotions(year: int, region: int, draws: Draws) -> list[int]:
    months = np.arange(1, 13)
    luck = draws.uniform("promotion", months, year, region) < _MONTHS_WITH_PROMOTION
    start = np.floor(draws.uniform("promotion day", months, year, region) * _LATEST_START).astype(int)
    return [day_number(date(year, month, 1)) + int(start[month - 1]) for month in months[luck].tolist()]
