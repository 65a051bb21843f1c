"""Which rows are visible at a snapshot date, and for which customers the newest rows do not tell."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from tables.calendar import HOUR, NEVER, BusinessCalendar
from tables.rows import Codes, Rows

Mask = npt.NDArray[np.bool_]
Customers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Moment:
    """A snapshot date as instants.

    Attributes:
        as_of: the date.
        midnight: facts must have happened before this instant.
        known_cutoff: and must have been known, not yet corrected, before this one.
    """

    as_of: date
    midnight: int
    known_cutoff: int

    @classmethod
    def of(cls, as_of: date, calendar: BusinessCalendar) -> Self:
        """Take midnight and known cutoff from the business calendar."""
        return cls(as_of, calendar.midnight(as_of), calendar.known_cutoff(as_of))

    def sees(self, rows: Rows) -> Mask:
        """Mark the rows visible at this moment.

        Examples:
            >>> moment = Moment(date(1970, 1, 2), midnight=10, known_cutoff=10)
            >>> at, known_at, never = np.array([9, 9, 10]), np.array([9, 10, 5]), np.full(3, NEVER)
            >>> moment.sees(Rows("orders", 1, np.zeros(3, np.int32), at, known_at, never, {})).tolist()
            [True, False, False]
        """
        return (rows.at < self.midnight) & known_by(rows, self.known_cutoff)


def known_by(rows: Rows, instant: int) -> Mask:
    """Mark the rows known before an instant and not replaced by a correction known before it."""
    known: Mask = (rows.known_at < instant) & (instant <= rows.superseded_at)
    return known


def is_current(rows: Rows) -> Mask:
    """Mark the rows that no correction has replaced."""
    current: Mask = rows.superseded_at == NEVER
    return current


def unsettled_rows(rows: Rows, calendar: BusinessCalendar) -> Rows:
    """Select the few rows that can make today's rows differ from those visible at some earlier date.

    These are replaced versions, and rows known so long after they happened that a midnight may lie between.
    """
    unsettled = rows.known_at - rows.at > round(calendar.known_offset_hours * HOUR)
    unsettled |= ~is_current(rows)
    return select_rows(rows, unsettled)


def differing_customers(unsettled: Rows, moment: Moment) -> Customers:
    """List the customers whose current rows before a date are not the rows visible at that date."""
    taken_as_visible = (unsettled.at < moment.midnight) & is_current(unsettled)
    return np.unique(unsettled.customer[taken_as_visible != moment.sees(unsettled)]).astype(np.int64)


def select_rows(rows: Rows, mask: Mask) -> Rows:
    """Return some rows; customers keep their numbers."""
    if mask.all():
        return rows
    return replace(
        rows,
        customer=rows.customer[mask],
        at=rows.at[mask],
        known_at=rows.known_at[mask],
        superseded_at=rows.superseded_at[mask],
        columns={name: _pick(column, mask) for name, column in rows.columns.items()},
    )


def select_customers(rows: Rows, customers: Customers) -> Rows:
    """Return the rows of some customers, who are numbered anew in the order given (ascending)."""
    number = np.full(rows.customers, -1, dtype=np.int32)
    number[customers] = np.arange(len(customers), dtype=np.int32)
    chosen = select_rows(rows, number[rows.customer] >= 0)
    return replace(chosen, customers=len(customers), customer=number[chosen.customer])


def _pick(column: npt.NDArray[np.generic] | Codes, mask: Mask) -> npt.NDArray[np.generic] | Codes:
    if isinstance(column, Codes):
        return Codes(column.codes[mask], column.labels)
    return column[mask]
