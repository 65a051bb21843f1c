"""The sorted set of all window edges: the local midnights at which any window of any snapshot begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Self

import numpy as np
import numpy.typing as npt

from tables.calendar import BusinessCalendar, Instants
from tables.errors import SchemaError

# Local midnights of all time zones since 1970 lie on whole quarter hours of UTC (except a few before 1972).
_QUARTER_HOUR = 900_000_000
_MOST_SLOTS = 4_000_000


@dataclass(frozen=True)
class Edges:
    """Days at whose local midnights windows begin or end, with the instants of those midnights.

    Attributes:
        days: distinct days in ascending order.
        instants: int64 microseconds, the local midnight of each day.
    """

    days: tuple[date, ...]
    instants: Instants
    _slots: dict[date, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slots", {day: slot for slot, day in enumerate(self.days)})

    @classmethod
    def of(cls, as_of: Sequence[date], *, days_before: Iterable[int], calendar: BusinessCalendar) -> Self:
        """Collect the edges of windows that begin the given numbers of days before each snapshot date."""
        offsets = {0, *days_before}
        days = sorted({day - timedelta(days=back) for day in as_of for back in offsets})
        return cls(tuple(days), np.array([calendar.midnight(day) for day in days], dtype=np.int64))

    def slot(self, as_of: date, days_before: int = 0) -> int:
        """Return the position of a window's edge.

        Args:
            as_of: a snapshot date.
            days_before: days from the edge to the snapshot date.

        Raises:
            SchemaError: if no edge was laid there.
        """
        try:
            return self._slots[as_of - timedelta(days=days_before)]
        except KeyError:
            laid = sorted((as_of - day).days for day in self.days if day <= as_of)
            raise SchemaError(
                f"features: no window edge {days_before} days before {as_of}; found edges {laid} days before. "
                "Declare the window's length in the builder's `days_before`."
            ) from None

    def bins(self, at: Instants) -> npt.NDArray[np.uint16]:
        """Return how many edges lie at or before each instant: a row is before edge ``j`` if its bin is <= j.

        Examples:
            >>> edges = Edges.of([date(1970, 1, 3)], days_before=[1], calendar=BusinessCalendar("UTC"))
            >>> edges.bins(np.array([0, 24 * 3_600_000_000, 50 * 3_600_000_000])).tolist()
            [0, 1, 2]
        """
        first, last = int(self.instants[0]), int(self.instants[-1])
        slots = (last - first) // _QUARTER_HOUR + 2
        if slots > _MOST_SLOTS or np.any((self.instants - first) % _QUARTER_HOUR):
            return np.searchsorted(self.instants, at, side="right").astype(np.uint16)
        # A table of quarter hours is several times faster than a binary search per row.
        starts = first + _QUARTER_HOUR * np.arange(-1, slots - 1)
        table = np.searchsorted(self.instants, starts, side="right").astype(np.uint16)
        quarter = at - (first - _QUARTER_HOUR)
        quarter //= _QUARTER_HOUR
        return table.take(quarter, mode="clip")
