"""Positions and running sums of one table of one bucket, shared by the views of all snapshot dates.

Rows are sorted by customer and time, so a window of one customer is a run of neighbouring rows, and
whatever is counted or summed in a window is a difference of two running values.
"""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import Self, TypeVar, cast

import numpy as np
import numpy.typing as npt

from features.clock import SECONDS, TIME_COLUMNS, WHOLE_DAYS, Clock
from features.edges import Edges
from features.memory import zeros_in_small_pages
from features.ordered_gaps import OrderedGaps
from tables.calendar import DAY, NEVER, BusinessCalendar, Instants
from tables.contracts import Kind, kind_of
from tables.errors import SchemaError
from tables.rows import MONEY_SCALE, Codes, Rows

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int32]
Sums = npt.NDArray[np.signedinteger]
Column = npt.NDArray[np.generic] | Codes
Made = TypeVar("Made")

_EPOCH = date(1970, 1, 1)
_NO_SUCH_CODE = -2


class SnapshotIndex:
    """One table's rows with the position of every customer at every window edge.

    Attributes:
        table: name of the table, for messages.
        customers: number of customers; they are numbered from 0.
        customer: customer of each row, ascending.
        bins: number of window edges at or before each row.
        edges: the window edges.
        calendar: business calendar, for local days and hours.
        clock: unit of gaps.
        stored: names of the columns the rows have.
    """

    def __init__(
        self,
        table: str,
        *,
        customers: int,
        customer: npt.NDArray[np.int32],
        bins: npt.NDArray[np.uint16],
        edges: Edges,
        calendar: BusinessCalendar,
        read_at: Callable[[], Instants],
        read_column: Callable[[str], Column],
        stored: frozenset[str],
        clock: Clock = SECONDS,
    ) -> None:
        self.table = table
        self.customers = customers
        self.customer = customer
        self.bins = bins
        self.edges = edges
        self.calendar = calendar
        self.clock = clock
        self.stored = stored
        self._read_at = read_at
        self._read_column = read_column
        self._columns: dict[str, Column] = {}
        self._made: dict[str, object] = {}
        self._parts: dict[str, dict[int, SnapshotIndex]] = {}

    @classmethod
    def of(cls, rows: Rows, *, edges: Edges, calendar: BusinessCalendar) -> Self:
        """Index the rows of one table, sorted by customer and time."""

        def read_column(name: str) -> Column:
            if name in TIME_COLUMNS:
                return TIME_COLUMNS[name](rows.at, calendar)
            if name not in rows.columns:
                raise SchemaError.missing_column(name, table=rows.table, found=rows.columns)
            return rows.columns[name]

        return cls(
            rows.table,
            customers=rows.customers,
            customer=rows.customer,
            bins=edges.bins(rows.at),
            edges=edges,
            calendar=calendar,
            read_at=lambda: rows.at,
            read_column=read_column,
            stored=frozenset(rows.columns),
        )

    def __len__(self) -> int:
        return len(self.customer)

    @cached_property
    def first(self) -> Positions:
        """Position of each customer's first row."""
        return np.searchsorted(self.customer, np.arange(self.customers, dtype=np.int32)).astype(np.int32)

    @cached_property
    def ends(self) -> npt.NDArray[np.int32]:
        """Position after each customer's last row before an edge, shape (edges, customers)."""
        ends: npt.NDArray[np.int32] = zeros_in_small_pages(
            (len(self.edges.instants), self.customers), np.int32
        )
        # The last row of each customer in each bin leaves its position; bins without a row take the one before.
        final = np.ones(len(self), dtype=bool)
        final[:-1] = (self.bins[1:] != self.bins[:-1]) | (self.customer[1:] != self.customer[:-1])
        rows = np.flatnonzero(final & (self.bins < len(ends)))
        ends[self.bins[rows], self.customer[rows]] = rows + 1
        before = self.first
        for slot in ends:
            before = np.maximum(slot, before, out=slot)
        return ends

    @cached_property
    def at(self) -> Instants:
        """Instant of each row."""
        return self._read_at()

    def column(self, name: str) -> Column:
        """Return a stored or derived column: local_day, weekday, hour and month are derived from time."""
        if name not in self._columns:
            self._columns[name] = self._read_column(name)
        return self._columns[name]

    def numbers(self, name: str) -> npt.NDArray[np.generic]:
        """Return a column of numbers.

        Raises:
            SchemaError: if the column holds text.
        """
        column = self.column(name)
        if isinstance(column, Codes):
            raise SchemaError(
                f"{self.table}: column {name!r} holds text. Sum or compare a column of numbers."
            )
        return column

    def codes(self, name: str) -> npt.NDArray[np.signedinteger]:
        """Return a column as one whole number per distinct value."""
        column = self.column(name)
        return column.codes if isinstance(column, Codes) else column.astype(np.int64, copy=False)

    def scale(self, name: str) -> int:
        """Return by how much stored numbers exceed a column's unit: money and quantity are fixed-point."""
        if name in TIME_COLUMNS or kind_of(self.table, name) not in (Kind.MONEY, Kind.QUANTITY):
            return 1
        return MONEY_SCALE

    def sums(self, name: str) -> Sums:
        """Return running sums of a column of whole numbers: at each position that of the rows before."""
        return self.running(name, lambda: self.numbers(name))

    def running(self, key: str, values: Callable[[], npt.NDArray[np.generic]]) -> Sums:
        """Return running sums under a name, made once. Wrap-around is exact: only differences are used."""
        return self.once(f"running {key}", lambda: running_sums(values()))

    def once(self, key: str, make: Callable[[], Made]) -> Made:
        """Return what was made under a name, making it at the first call; shared by all snapshot dates."""
        if key not in self._made:
            self._made[key] = make()
        return cast(Made, self._made[key])

    def code_of(self, name: str, value: str | int) -> int:
        """Return the code that stands for a value; -2 where no row can have it."""
        column = self.column(name)
        if not isinstance(column, Codes):
            return int(value)
        return column.labels.index(str(value)) if value in column.labels else _NO_SUCH_CODE

    def where(self, name: str, value: str | int) -> "SnapshotIndex":
        """Return the index of the rows with one value of a column; all values are split in one sort."""
        if name not in self._parts:
            self._parts[name] = self._split(name)
        code = self.code_of(name, value)
        parts = self._parts[name]
        return parts[code] if code in parts else self.take(np.zeros(0, dtype=np.int32))

    def where_not(self, name: str, value: str | int) -> "SnapshotIndex":
        """Return the index of the rows without one value of a column."""
        return self.take(np.flatnonzero(self.codes(name) != self.code_of(name, value)).astype(np.int32))

    def _split(self, name: str) -> dict[int, "SnapshotIndex"]:
        codes = self.codes(name)
        if not len(codes):
            return {}
        lowest, highest = int(codes.min()), int(codes.max())
        if highest - lowest < np.iinfo(np.uint16).max:  # numpy sorts 8 and 16 bits by radix: one pass each
            small = np.uint8 if highest - lowest <= np.iinfo(np.uint8).max else np.uint16
            codes, shift = (codes - lowest).astype(small), lowest
        else:
            shift = 0
        order = np.argsort(codes, kind="stable").astype(np.int32)
        present, counts = np.unique(codes, return_counts=True)
        pieces = np.split(order, np.cumsum(counts)[:-1])
        return {int(code) + shift: self.take(piece) for code, piece in zip(present, pieces, strict=True)}

    def take(self, positions: Positions) -> "SnapshotIndex":
        """Return the index of some rows, given by ascending positions."""
        return self._take(positions, read_at=lambda: self.at[positions], clock=self.clock)

    def _take(
        self, positions: Positions, *, read_at: Callable[[], Instants], clock: Clock
    ) -> "SnapshotIndex":

        def read_column(name: str) -> Column:
            column = self.column(name)
            if isinstance(column, Codes):
                return Codes(column.codes[positions], column.labels)
            return column[positions]

        return SnapshotIndex(
            self.table,
            customers=self.customers,
            customer=self.customer[positions],
            bins=self.bins[positions],
            edges=self.edges,
            calendar=self.calendar,
            read_at=read_at,
            read_column=read_column,
            stored=self.stored,
            clock=clock,
        )

    def since(self, as_of: date, positions: Integers) -> Floats:
        """Return the age of rows in days at ``as_of``: elapsed seconds / 86,400, or whole local days."""
        midnight = int(self.edges.instants[self.edges.slot(as_of)])
        reference = (as_of - _EPOCH).days * DAY if self.clock.counts_days else midnight
        return (reference - self.at.take(positions)) / DAY

    def retimed(self, column: str) -> "SnapshotIndex":
        """Return the rows timed by another of their instants, without those where it never came."""
        moments = np.maximum(self.at, self.numbers(column).astype(np.int64))
        present = np.flatnonzero(moments != NEVER)
        order = np.lexsort((moments[present], self.customer[present]))
        positions = present[order].astype(np.int32)
        at = moments[positions]
        part = self._take(positions, read_at=lambda: at, clock=self.clock)
        part.bins = self.edges.bins(at)
        return part

    @cached_property
    def purchase_days(self) -> "SnapshotIndex":
        """The index of the first row of every local day of each customer, timed in whole local days."""
        day = np.asarray(self.column("local_day"))
        positions = np.flatnonzero(self.starts_run(day)).astype(np.int32)
        at = day[positions].astype(np.int64) * DAY
        return self._take(positions, read_at=lambda: at, clock=WHOLE_DAYS)

    def starts_run(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        """Mark rows whose value differs from that of the same customer's row before."""
        fresh = np.ones(len(values), dtype=bool)
        fresh[1:] = (values[1:] != values[:-1]) | (self.customer[1:] != self.customer[:-1])
        return fresh

    @cached_property
    def gaps(self) -> npt.NDArray[np.int32]:
        """Ticks since the same customer's row before; 0 at a customer's first row, which has no gap."""
        gaps = np.zeros(len(self), dtype=np.int32)
        gaps[1:] = (self.at[1:] - self.at[:-1]) // self.clock.tick
        gaps[self.starts_run(self.customer)] = 0
        return gaps

    @cached_property
    def gaps_in_order(self) -> OrderedGaps:
        """All gaps sorted by customer and length."""
        inner = ~self.starts_run(self.customer)
        return OrderedGaps.of(self.customer[inner], self.gaps[inner], self.bins[inner])


def running_sums(values: npt.NDArray[np.generic]) -> Sums:
    """Return sums of the values before each position, one more than there are values.

    Marks are counted in 32 bits, which halves what later look-ups read.

    Examples:
        >>> running_sums(np.array([5, 7])).tolist()
        [0, 5, 12]
    """
    width = np.int32 if values.dtype == bool else np.int64
    sums: Sums = np.zeros(len(values) + 1, dtype=width)
    np.cumsum(values, out=sums[1:], dtype=width)
    return sums
