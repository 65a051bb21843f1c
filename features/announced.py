"""Days to come that everybody may know of, such as promotions and holidays: what a calendar had announced."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from features.visibility import Moment, known_by
from tables.calendar import BusinessCalendar
from tables.rows import Codes, Rows

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Announced:
    """The rows of a calendar that lie at or after a snapshot date and were announced before its known cutoff.

    This is the one view of a future: a row's day lies ahead, but what is told of it was known.

    Attributes:
        days: per row (kind, region or nothing for all regions, local days from ``as_of``, 0 for the day itself).
    """

    days: tuple[tuple[str | None, str | None, int], ...] = ()

    @classmethod
    def of(cls, rows: Rows, moment: Moment, calendar: BusinessCalendar) -> Self:
        """Take the rows that were announced and not taken back.

        Args:
            rows: the calendar, every version of every row.
            moment: the snapshot date.
            calendar: business calendar; says on which local day a row lies.
        """
        seen = (rows.at >= moment.midnight) & known_by(rows, moment.known_cutoff)
        ahead = calendar.local_days(rows.at[seen]) - (moment.as_of - _EPOCH).days
        kinds, regions = (_texts(rows.columns.get(name), seen.nonzero()[0]) for name in ("kind", "region"))
        return cls(tuple(zip(kinds, regions, map(int, ahead), strict=True)))

    def days_to_next(self, kind: str) -> dict[str | None, int]:
        """Return the local days to the soonest row of a kind, by region; nothing stands for all regions.

        Examples:
            >>> Announced((("holiday", None, 9), ("holiday", "lt", 4), ("holiday", "lt", 2))).days_to_next("holiday")
            {None: 9, 'lt': 2}
        """
        soonest: dict[str | None, int] = {}
        for name, region, days in self.days:
            if name == kind:
                soonest[region] = min(days, soonest.get(region, days))
        return soonest


def _texts(column: object, positions: Iterable[int]) -> list[str | None]:
    if not isinstance(column, Codes):
        return [None for _ in positions]
    labels = (*column.labels, None)
    return [labels[column.codes[position]] for position in positions]
