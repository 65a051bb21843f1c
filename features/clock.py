"""How time between rows is measured, and what local time makes of an instant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tables.calendar import DAY, BusinessCalendar, Instants

_SECOND = 1_000_000


@dataclass(frozen=True)
class Clock:
    """How the index measures time between rows: in elapsed seconds, or in whole local days.

    Attributes:
        tick: microseconds per tick; gaps are whole ticks.
        counts_days: whether instants are local day numbers times a day, free of daylight saving.
    """

    tick: int = _SECOND
    counts_days: bool = False

    @property
    def ticks_per_day(self) -> int:
        """Return the number of ticks in one day."""
        return DAY // self.tick


SECONDS = Clock()
WHOLE_DAYS = Clock(tick=DAY, counts_days=True)


def _local_day(at: Instants, calendar: BusinessCalendar) -> npt.NDArray[np.int32]:
    return calendar.local_days(at).astype(np.int32)


def _hour(at: Instants, calendar: BusinessCalendar) -> npt.NDArray[np.int8]:
    return calendar.local_hours(at).astype(np.int8)


def _weekday(at: Instants, calendar: BusinessCalendar) -> npt.NDArray[np.int8]:
    # 1970-01-01 was a Thursday; Monday is 0.
    return ((calendar.local_days(at) + 3) % 7).astype(np.int8)


def _month(at: Instants, calendar: BusinessCalendar) -> npt.NDArray[np.int32]:
    days = calendar.local_days(at).astype("datetime64[D]")
    return days.astype("datetime64[M]").astype(np.int32)


TIME_COLUMNS: Mapping[str, Callable[[Instants, BusinessCalendar], npt.NDArray[np.signedinteger]]] = {
    "local_day": _local_day,
    "hour": _hour,
    "weekday": _weekday,
    "month": _month,
}
"""Columns every table has through its instants: days since 1970, hour 0 to 23, weekday from Monday 0, month."""
