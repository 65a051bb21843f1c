"""Rows looked at one by one: what has come of each by the snapshot date, how long they waited, what is left."""

from datetime import date

import numpy as np
import numpy.typing as npt

from features.index import Floats, Integers, SnapshotIndex
from tables.calendar import DAY, HOUR, NEVER, Instants

Rows = npt.NDArray[np.int64]


class Records:
    """Some rows of a table that happened before ``as_of``, told apart by which of their instants have come.

    An instant *has come* if it lies before the midnight of ``as_of``; one that lies there or later looks as if
    it were missing. Picking rows costs time with the rows, asking about them with the customers.
    """

    def __init__(
        self, index: SnapshotIndex, *, as_of: date, selected: Integers, rows: Rows, moments: frozenset[str]
    ) -> None:
        """See some rows of an index at one of its snapshot dates.

        Args:
            index: the rows and edges; must have an edge at ``as_of``.
            as_of: the snapshot date.
            selected: positions of the customers to report on, ascending.
            rows: positions of the rows, ascending; all of them lie before ``as_of``.
            moments: instants that have come for each of the rows.
        """
        self._index = index
        self._as_of = as_of
        self._selected = selected
        self._rows = rows
        self._moments = moments
        self._parts: dict[tuple[str, str], Records] = {}

    @property
    def _midnight(self) -> int:
        return int(self._index.edges.instants[self._index.edges.slot(self._as_of)])

    def _some(self, rows: Rows, moments: frozenset[str]) -> "Records":
        return Records(
            self._index,
            as_of=self._as_of,
            selected=self._selected,
            rows=rows,
            moments=self._moments | moments,
        )

    def having(self, column: str) -> "Records":
        """Return the rows of which an instant has come."""
        return self._once("having", column, has_come=True)

    def lacking(self, column: str) -> "Records":
        """Return the rows of which an instant has not come, be it later or never."""
        return self._once("lacking", column, has_come=False)

    def _once(self, how: str, column: str, *, has_come: bool) -> "Records":
        # Several builders ask the same of one view.
        if (how, column) not in self._parts:
            slot = self._index.edges.slot(self._as_of)
            bins = self._index.moment_bins(column).take(self._rows)
            rows = self._rows[(bins <= slot) == has_come]
            self._parts[how, column] = self._some(rows, frozenset([column] if has_come else []))
        return self._parts[how, column]

    def running_until(self, column: str) -> "Records":
        """Return the rows whose announced end lies after the midnight of ``as_of``, or that have no end.

        Args:
            column: an instant known with the row; what ends at the midnight itself is over, as in any
                half-open interval.
        """
        if ("running", column) not in self._parts:
            ends = np.asarray(self._index.columns.numbers(column), np.int64).take(self._rows)
            self._parts["running", column] = self._some(self._rows[ends > self._midnight], frozenset())
        return self._parts["running", column]

    def having_after(self, column: str, other: str) -> "Records":
        """Return the rows of which two instants have come, the first of them not before the other."""
        both = self.having(column).having(other)
        rows = both._rows
        instants = (self._index.columns.instants(name).take(rows) for name in (column, other))
        return both._some(rows[np.greater_equal(*instants)], frozenset())

    def older_than(self, hours: float) -> "Records":
        """Return the rows that happened more than so many hours before the midnight of ``as_of``."""
        age = self._midnight - self._index.at.take(self._rows)
        return self._some(self._rows[age > hours * HOUR], frozenset())

    def where(self, column: str, value: str | int) -> "Records":
        """Return the rows whose column holds a value."""
        columns = self._index.columns
        holds = columns.codes(column).take(self._rows) == columns.code_of(column, value)
        return self._some(self._rows[holds], frozenset())

    def __or__(self, other: "Records") -> "Records":
        """Return the rows that are among the one or the other, each once; both must be of one view."""
        return Records(
            self._index,
            as_of=self._as_of,
            selected=self._selected,
            rows=np.flatnonzero(self._marks | other._marks),
            moments=self._moments & other._moments,
        )

    def __sub__(self, other: "Records") -> "Records":
        """Return the rows that are not among the others; both must be of one view."""
        return self._some(self._rows[~other._marks.take(self._rows)], frozenset())

    @property
    def _marks(self) -> npt.NDArray[np.bool_]:
        marks = np.zeros(len(self._index), dtype=bool)
        marks[self._rows] = True
        return marks

    def count(self) -> Integers:
        """Return the number of rows."""
        counts = np.bincount(self._customer, minlength=self._index.customers)
        return counts.take(self._selected)

    @property
    def _customer(self) -> npt.NDArray[np.int32]:
        return self._index.customer.take(self._rows)

    def total(self, column: str) -> Floats:
        """Return the sum of a column of whole or fixed-point numbers, in its own unit; 0 without a row."""
        values = self._index.columns.numbers(column).take(self._rows)
        return self._fold(np.add, values, empty=0.0) / self._index.columns.scale(column)

    def waited_hours(self, until: str | None = None) -> Floats:
        """Return the hours from the rows' own time until an instant, summed; 0 without a row.

        Args:
            until: an instant that has come for every row, from ``having``; the midnight of ``as_of`` if not
                given, for rows that still wait.
        """
        ends = np.full(len(self._rows), self._midnight) if until is None else self._come(until)
        return self._fold(np.add, ends - self._index.at.take(self._rows), empty=0.0) / HOUR

    def _come(self, moment: str) -> Instants:
        self._index.columns.require_known(moment, self._index.columns.moments | self._moments)
        return self._index.moments(moment).take(self._rows)

    def days_until(self, column: str) -> Floats:
        """Return the days from ``as_of`` to the soonest of an announced instant: elapsed seconds / 86,400.

        It is negative where the instant has passed, and missing without a row that has one.

        Args:
            column: an instant known with the row, such as the end of an offer.
        """
        instants = self._index.columns.numbers(column).take(self._rows)
        announced = self._some(self._rows[instants != NEVER], frozenset())
        soonest = announced._fold(np.minimum, instants[instants != NEVER] - self._midnight, empty=np.nan)
        return soonest / DAY

    def _fold(self, fold: np.ufunc, values: npt.NDArray[np.generic], *, empty: float) -> Floats:
        folded = np.full(self._index.customers, empty)
        if len(self._rows):
            customer = self._customer
            starts = np.flatnonzero(np.diff(customer, prepend=-1))
            folded[customer[starts]] = fold.reduceat(values, starts)
        return folded.take(self._selected)
