"""Positions and running sums of one table of one bucket, shared by the views of all snapshot dates.

Rows are sorted by customer and time, so a window of one customer is a run of neighbouring rows, and
whatever is counted or summed in a window is a difference of two running values.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property
from typing import Self, TypeVar, cast

import numpy as np
import numpy.typing as npt

from features.clock import SECONDS, WHOLE_DAYS, Clock
from features.columns import Columns
from features.edges import Edges
from features.memory import zeros_in_small_pages
from features.ordered_gaps import OrderedGaps
from tables.calendar import DAY, NEVER, BusinessCalendar, Instants
from tables.rows import Rows

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.signedinteger]
Positions = npt.NDArray[np.int32]
Sums = npt.NDArray[np.signedinteger]
Made = TypeVar("Made")

_EPOCH = date(1970, 1, 1)


class SnapshotIndex:
    """One table's rows with the position of every customer at every window edge.

    Attributes:
        customers: number of customers; they are numbered from 0.
        customer: customer of each row, ascending.
        at: instant of each row.
        bins: number of window edges at or before each row.
        columns: content of the rows.
        edges: the window edges.
        calendar: business calendar, for local days and hours.
        clock: unit of gaps.
    """

    def __init__(
        self,
        *,
        customers: int,
        customer: npt.NDArray[np.int32],
        at: Instants,
        bins: npt.NDArray[np.uint16],
        columns: Columns,
        edges: Edges,
        calendar: BusinessCalendar,
        clock: Clock = SECONDS,
    ) -> None:
        self.customers = customers
        self.customer = customer
        self.at = at
        self.bins = bins
        self.columns = columns
        self.edges = edges
        self.calendar = calendar
        self.clock = clock
        self._made: dict[str, object] = {}
        self._parts: dict[str, dict[int, SnapshotIndex]] = {}

    @classmethod
    def of(cls, rows: Rows, *, edges: Edges, calendar: BusinessCalendar) -> Self:
        """Index the rows of one table, sorted by customer and time."""
        return cls(
            customers=rows.customers,
            customer=rows.customer,
            at=rows.at,
            bins=edges.bins(rows.at),
            columns=Columns.of(rows, calendar),
            edges=edges,
            calendar=calendar,
        )

    def __len__(self) -> int:
        return len(self.customer)

    @cached_property
    def first(self) -> Positions:
        """Position of each customer's first row."""
        return np.searchsorted(self.customer, np.arange(self.customers, dtype=np.int32)).astype(np.int32)

    @cached_property
    def most_rows(self) -> int:
        """Rows of the customer who has most."""
        return int(np.diff(self.first, append=len(self)).max(initial=0))

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

    def sums(self, name: str) -> Sums:
        """Return running sums of a column of whole numbers: at each position that of the rows before."""
        return self.running(name, lambda: self.columns.numbers(name))

    def running(self, key: str, values: Callable[[], npt.NDArray[np.generic]]) -> Sums:
        """Return running sums under a name, made once. Wrap-around is exact: only differences are used."""
        return self.once(f"running {key}", lambda: running_sums(values(), most_rows=self.most_rows))

    def marks(self, name: str, values: Sequence[str | int]) -> Sums:
        """Count the rows before each position that hold each value; values lie side by side for one look-up."""
        codes = self.columns.codes(name)
        marks = (codes == self.columns.code_of(name, value) for value in values)
        return np.stack([running_sums(mark) for mark in marks], axis=1)

    def once(self, key: str, make: Callable[[], Made]) -> Made:
        """Return what was made under a name, making it at the first call; shared by all snapshot dates."""
        if key not in self._made:
            self._made[key] = make()
        return cast(Made, self._made[key])

    def where(self, name: str, value: str | int) -> "SnapshotIndex":
        """Return the index of the rows with one value of a column; all values are split in one sort."""
        if name not in self._parts:
            self._parts[name] = self._split(name)
        code = self.columns.code_of(name, value)
        parts = self._parts[name]
        return parts[code] if code in parts else self.take(np.zeros(0, dtype=np.int32))

    def where_not(self, name: str, value: str | int) -> "SnapshotIndex":
        """Return the index of the rows without one value of a column."""
        return self.take(
            np.flatnonzero(self.columns.codes(name) != self.columns.code_of(name, value)).astype(np.int32)
        )

    def where_given(self, name: str) -> "SnapshotIndex":
        """Return the index of the rows that have a value in a column."""
        return self.take(np.flatnonzero(self.columns.given(name)).astype(np.int32))

    def _split(self, name: str) -> dict[int, "SnapshotIndex"]:
        codes = self.columns.codes(name)
        if not len(codes):
            return {}
        lowest, highest = int(codes.min()), int(codes.max())
        if highest - lowest < np.iinfo(np.uint16).max:  # numpy sorts 8 and 16 bits by radix: one pass each
            narrow = (codes - lowest).astype(np.min_scalar_type(highest - lowest))
            values = np.arange(lowest, highest + 1)
        else:
            values, narrow = np.unique(codes, return_inverse=True)
        order = np.argsort(narrow, kind="stable").astype(np.int32)
        pieces = np.split(order, np.cumsum(np.bincount(narrow, minlength=len(values)))[:-1])
        return {
            int(value): self.take(piece) for value, piece in zip(values, pieces, strict=True) if len(piece)
        }

    def take(self, positions: Positions) -> "SnapshotIndex":
        """Return the index of some rows, given by ascending positions."""
        return self._part(positions, at=self.at[positions], bins=self.bins[positions])

    def _part(
        self, positions: Positions, *, at: Instants, bins: npt.NDArray[np.uint16], clock: Clock | None = None
    ) -> "SnapshotIndex":
        return SnapshotIndex(
            customers=self.customers,
            customer=self.customer[positions],
            at=at,
            bins=bins,
            columns=self.columns.take(positions),
            edges=self.edges,
            calendar=self.calendar,
            clock=clock or self.clock,
        )

    def since(self, as_of: date, positions: Integers) -> Floats:
        """Return the age of rows in days at ``as_of``: elapsed seconds / 86,400, or whole local days.

        A position before the first row or after the last means that row; there must be one.
        """
        if self.clock.counts_days:
            days = self.columns.numbers("local_day").take(positions, mode="clip")
            return ((as_of - _EPOCH).days - days).astype(np.float64)
        midnight = int(self.edges.instants[self.edges.slot(as_of)])
        return (midnight - self.at.take(positions, mode="clip")) / DAY

    def retimed(self, column: str) -> "SnapshotIndex":
        """Return the rows timed by another of their instants, without those where it never came."""
        moments = self.moments(column)
        present = np.flatnonzero(moments != NEVER)
        order = np.lexsort((moments[present], self.customer[present]))
        positions = present[order].astype(np.int32)
        at = moments[positions]
        part = self._part(positions, at=at, bins=self.edges.bins(at))
        part.columns = part.columns.retimed(at, self.calendar, moment=column)
        return part

    def moments(self, column: str) -> Instants:
        """Return another instant of each row, but no earlier than the row's own; ``NEVER`` where it never came."""
        return np.maximum(self.at, self.columns.instants(column))

    def moment_bins(self, column: str) -> npt.NDArray[np.uint16]:
        """Return how many window edges lie at or before that instant of each row; made once for all dates."""
        last = int(self.edges.instants[-1])  # as late as any: where it never came, it comes after every edge
        return self.once(f"bins of {column}", lambda: self.edges.bins(np.minimum(self.moments(column), last)))

    @cached_property
    def purchase_days(self) -> "SnapshotIndex":
        """The index of the first row of every local day of each customer, timed in whole local days."""
        day = np.asarray(self.columns["local_day"])
        positions = np.flatnonzero(self.starts_run(day)).astype(np.int32)
        at = day[positions].astype(np.int64) * DAY
        return self._part(positions, at=at, bins=self.bins[positions], clock=WHOLE_DAYS)

    def starts_run(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        """Mark rows whose value differs from that of the same customer's row before."""
        fresh = np.ones(len(values), dtype=bool)
        fresh[1:] = (values[1:] != values[:-1]) | (self.customer[1:] != self.customer[:-1])
        return fresh

    def changes(self, name: str) -> npt.NDArray[np.bool_]:
        """Mark rows whose value differs from that of the same customer's row before, both being given."""
        given = self.columns.given(name)
        changed = self.starts_run(self.columns.codes(name)) & ~self.starts_run(self.customer) & given
        changed[1:] &= given[:-1]
        return changed

    def where_any(self, name: str, values: Sequence[str]) -> "SnapshotIndex":
        """Return the index of the rows with any of some values of a column."""
        codes = [self.columns.code_of(name, value) for value in values]
        return self.take(np.flatnonzero(np.isin(self.columns.codes(name), codes)).astype(np.int32))

    def where_changed(self, name: str) -> "SnapshotIndex":
        """Return the index of the rows whose value is not that of the same customer's row before."""
        return self.take(np.flatnonzero(self.starts_run(self.columns.codes(name))).astype(np.int32))

    def steps(self, name: str) -> Floats:
        """Return by how much a column differs from the same customer's row before; 0 where either has no value."""
        values = self.columns.numbers(name).astype(np.float64)
        steps = np.zeros(len(self))
        steps[1:] = np.nan_to_num(values[1:] - values[:-1])
        steps[self.starts_run(self.customer)] = 0
        return steps

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


def running_sums(values: npt.NDArray[np.generic], *, most_rows: int | None = None) -> Sums:
    """Return sums of the values before each position, one more than there are values.

    They have 32 bits, which halves what later look-ups read, where no difference within a customer needs more.

    Args:
        values: marks, or whole numbers.
        most_rows: most neighbouring values that a difference of two sums may span; any number if not given.

    Examples:
        >>> running_sums(np.array([5, 7])).tolist()
        [0, 5, 12]
        >>> [running_sums(np.array([2**30, 7]), most_rows=rows).dtype.name for rows in (1, 2)]
        ['int32', 'int64']
    """
    rows = len(values) if most_rows is None else most_rows
    furthest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
    width = np.int32 if rows * furthest < 2**31 else np.int64
    sums: Sums = np.zeros(len(values) + 1, dtype=width)
    np.cumsum(values, out=sums[1:], dtype=width)
    return sums
