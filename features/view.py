"""What builders may see of a table: the rows visible at one snapshot date, and nothing after it."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.decay import Decay
from features.gaps import Gaps
from features.index import Floats, Integers, SnapshotIndex, Sums, running_sums
from features.occurrences import Deviations, Occurrences
from features.ratios import ratio, set_missing

Features = dict[str, Floats | Integers]
"""One value per selected customer for each named feature."""


class AsOfView:
    """One table as known at ``as_of``, one value per selected customer and operation.

    Every window ends at the midnight of ``as_of`` and is half-open: ``[as_of - days, as_of)``, from local
    midnight to local midnight. There is no operation that reaches a row at or after ``as_of``.
    """

    def __init__(self, index: SnapshotIndex, *, as_of: date, selected: Integers) -> None:
        """See the given customers of an index at one of its snapshot dates.

        Args:
            index: rows and edges; must have an edge at ``as_of``.
            as_of: the snapshot date.
            selected: positions of the customers to report on, ascending.
        """
        self.as_of = as_of
        self._index = index
        self._selected = selected
        self._slot = index.edges.slot(as_of)
        self._starts: dict[int, Integers] = {}
        self._sums: dict[tuple[str, int | None], Sums] = {}
        self._views: dict[tuple[str, str | int], AsOfView] = {}
        self._totals: dict[tuple[str, int | None], Floats] = {}
        self._again: dict[str, Sums] = {}

    def __len__(self) -> int:
        return len(self._selected)

    @property
    def _end(self) -> Integers:
        return self._start(0)

    @cached_property
    def _first(self) -> Integers:
        return self._index.first.take(self._selected)

    def _start(self, days: int | None) -> Integers:
        if days is None:
            return self._first
        if days not in self._starts:
            slot = self._index.edges.slot(self.as_of, days)
            ends = self._index.ends[min(slot, self._slot)]
            self._starts[days] = ends.take(self._selected)
        return self._starts[days]

    def _sum(self, key: str, sums: Sums, days: int | None) -> Floats:
        return np.asarray(self._sum_before(key, sums, 0) - self._sum_before(key, sums, days), np.float64)

    def _sum_before(self, key: str, sums: Sums, days: int | None) -> Sums:
        """Return running sums at the start of a window; many features ask for the same, so they are kept."""
        if (key, days) not in self._sums:
            self._sums[key, days] = sums.take(self._start(days))
        return self._sums[key, days]

    def count(self, days: int | None = None) -> Integers:
        """Return the number of rows in the window.

        Args:
            days: length of the window; everything before ``as_of`` if not given.
        """
        return self._end - self._start(days)

    def count_between(self, from_days: int, to_days: int) -> Integers:
        """Return the number of rows in ``[as_of - from_days, as_of - to_days)``.

        Args:
            from_days: days before ``as_of`` at which the window begins.
            to_days: days before ``as_of`` at which it ends, not below 0.
        """
        return self._start(max(to_days, 0)) - self._start(from_days)

    def total(self, column: str, days: int | None = None) -> Floats:
        """Return the sum of a column of whole or fixed-point numbers, in its own unit; 0 without a row."""
        if (column, days) not in self._totals:
            total = self._total(column, days)
            total.flags.writeable = False  # builders receive this very array
            self._totals[column, days] = total
        return self._totals[column, days]

    def _total(self, column: str, days: int | None) -> Floats:
        values = self._index.columns.numbers(column)
        if values.dtype.kind == "f":
            return self._reduce(np.add, np.nan_to_num(values), days, empty=0.0)
        return self._sum(column, self._index.sums(column), days) / self._index.columns.scale(column)

    def mean(self, column: str, days: int | None = None) -> Floats:
        """Return the mean of a column; missing without a row."""
        return ratio(self.total(column, days), self.count(days))

    def spread(self, column: str) -> Floats:
        """Return the sample standard deviation of a column; missing with fewer than two rows."""
        index = self._index
        count = self.count().astype(np.float64)
        deviations = index.once(f"deviations {column}", lambda: Deviations.of(index, column))
        total = self._sum(f"deviations {column}", deviations.sums, None)
        squares = self._reduce(np.add, deviations.squares, None, empty=0.0)
        # Deviations from the own first value: equal values give exactly 0, large values lose no digits.
        variance = ratio(np.maximum(squares - ratio(total**2, count), 0), count - 1)
        set_missing(variance, count < 2)
        return np.sqrt(variance) / index.columns.scale(column)

    def maximum(self, column: str, days: int | None = None, *, empty: float = np.nan) -> Floats:
        """Return the largest value of a column in the window.

        Args:
            column: a column of numbers.
            days: length of the window; everything before ``as_of`` if not given.
            empty: what stands where the window holds no row; missing if not given.
        """
        return self._extreme(np.maximum, column, days, empty)

    def minimum(self, column: str, days: int | None = None, *, empty: float = np.nan) -> Floats:
        """Return the smallest value of a column in the window; arguments as for ``maximum``."""
        return self._extreme(np.minimum, column, days, empty)

    def _extreme(self, pick: np.ufunc, column: str, days: int | None, empty: float) -> Floats:
        scale = self._index.columns.scale(column)
        return self._reduce(pick, self._index.columns.numbers(column), days, empty=empty * scale) / scale

    def _reduce(
        self, fold: np.ufunc, values: npt.NDArray[np.generic], days: int | None, *, empty: float
    ) -> Floats:
        start, end = self._start(days), self._end
        present = np.flatnonzero(end > start)
        folded = np.full(len(self), empty)
        if len(present):
            bounds = np.stack([start.take(present), end.take(present)], axis=1).ravel()
            # Only the last window may end where the table does, and reduceat then needs no upper bound.
            bounds = bounds[:-1] if bounds[-1] == len(values) else bounds
            folded[present] = fold.reduceat(values, bounds)[::2]
        return folded

    def distinct(self, column: str, days: int | None = None) -> Integers:
        """Return the number of distinct values of a column in the window; missing values do not count."""
        if days is None:
            key = f"first {column}"
            sums = self._index.running(key, lambda: self._occurrences(column).seen == 1)
            return self._sum(key, sums, None).astype(np.int64)
        if column not in self._again:
            # A value counts at its last row before as_of: where its next row lies at or after as_of.
            self._again[column] = running_sums(self._occurrences(column).next_bin > self._slot)
        return self._sum(f"again {column}", self._again[column], days).astype(np.int64)

    def _occurrences(self, column: str) -> Occurrences:
        return self._index.once(f"occurrences {column}", lambda: Occurrences.of(self._index, column))

    def top_count(self, column: str) -> Integers:
        """Return how many rows hold the customer's most frequent value of a column; 0 without a row."""
        most = np.zeros(len(self), dtype=np.int64)
        present = np.flatnonzero(self._end > self._first)
        so_far = self._index.once(f"most {column}", lambda: self._occurrences(column).most(self._index))
        most[present] = so_far.take(self._end.take(present) - 1)
        return most

    def months(self, days: int | None = None) -> Integers:
        """Return the number of distinct local calendar months with a row in the window."""
        months = self._index.columns.numbers("month")
        starts = self._index.running("month starts", lambda: self._index.starts_run(months))
        present = self._end > self._start(days)
        later = np.minimum(self._start(days) + 1, len(self._index))
        return np.where(present, 1 + starts[self._end] - starts[later], 0)

    def days_since_last(self, n: int = 1) -> Floats:
        """Return the age of the n-th last row: elapsed seconds / 86,400; missing where there are fewer rows.

        Args:
            n: 1 for the newest row.
        """
        return self._age if n == 1 else self._at(self._end - n, self._end - self._first >= n)

    def days_since_first(self) -> Floats:
        """Return the age of the first row: elapsed seconds / 86,400; missing without a row."""
        return self._at(self._first, self._end > self._first)

    def _at(self, positions: Integers, present: npt.NDArray[np.bool_]) -> Floats:
        if not len(self._index):
            return np.full(len(self), np.nan)
        days = self._index.since(self.as_of, positions)
        set_missing(days, ~present)
        return days

    def last(self, column: str, n: int = 1) -> Floats:
        """Return a column's value at the n-th last row; missing where there are fewer rows."""
        return self._value(column, self._end - n, self._end - self._first >= n)

    def nth(self, column: str, n: int) -> Floats:
        """Return a column's value at the n-th row, the first being 1; missing where there are fewer rows."""
        return self._value(column, self._first + (n - 1), self._end - self._first >= n)

    def _value(self, column: str, positions: Integers, present: npt.NDArray[np.bool_]) -> Floats:
        chosen, values = np.flatnonzero(present), np.full(len(self), np.nan)
        values[chosen] = self._index.columns.numbers(column).take(positions.take(chosen))
        return values / self._index.columns.scale(column)

    def decayed_count(self, tau: int) -> Floats:
        """Return the number of rows, each weighted by ``exp(-age / tau)``; 0 without a row.

        Args:
            tau: time constant in days; a row of that age counts 0.37.
        """
        return self._decayed(None, tau)

    def decayed_total(self, column: str, tau: int) -> Floats:
        """Return the sum of a column, each row weighted by ``exp(-age / tau)``; 0 without a row."""
        return self._decayed(column, tau) / self._index.columns.scale(column)

    def _decayed(self, column: str | None, tau: int) -> Floats:
        present, places, age = self._newest
        faded = np.zeros(len(self))
        faded[present] = self._decay.after_rows(places, column, tau) * np.exp(age / -tau)
        return faded

    @cached_property
    def _decay(self) -> Decay:
        return self._index.once("decay", lambda: Decay(self._index))

    @cached_property
    def _newest(self) -> tuple[Integers, Integers, Floats]:
        # Which selected customers have a row, where the newest lies for decayed sums, and its age.
        present = np.flatnonzero(self._end > self._first)
        newest, customers = self._end.take(present) - 1, self._selected.take(present)
        return present, self._decay.places(newest, customers), self._age.take(present)

    @cached_property
    def _age(self) -> Floats:
        age = self._at(self._end - 1, self._end > self._first)
        age.flags.writeable = False  # builders receive this very array
        return age

    def shares(self, column: str, values: Sequence[str | int], days: int | None = None) -> Floats:
        """Return the share of rows that hold each of some values, one row per value; missing without a row."""
        matches = self._index.once(f"{column} in {values}", lambda: self._index.marks(column, values))
        counts = matches.take(self._end, axis=0) - matches.take(self._start(days), axis=0)
        # A value's counts side by side: numpy then divides long stretches and not a few numbers at a time.
        return ratio(np.ascontiguousarray(counts.T), self.count(days))

    def share(self, column: str, values: Sequence[str | int], days: int | None = None) -> Floats:
        """Return the share of rows that hold any of some values; missing without a row."""
        return np.asarray(self.shares(column, values, days).sum(axis=0))

    def where(self, column: str, value: str | int) -> "AsOfView":
        """Return a view of only those rows whose column holds a value; empty if the value never occurs."""
        key = (column, value)
        if key not in self._views:
            part = self._index.where(column, value)
            self._views[key] = AsOfView(part, as_of=self.as_of, selected=self._selected)
        return self._views[key]

    def where_not(self, column: str, value: str | int) -> "AsOfView":
        """Return a view of the rows whose column does not hold a value."""
        key = f"{column} not {value}"
        part = self._index.once(key, lambda: self._index.where_not(column, value))
        return AsOfView(part, as_of=self.as_of, selected=self._selected)

    def has(self, column: str) -> bool:
        """Say whether the table has a column."""
        return column in self._index.columns.stored

    def retimed(self, column: str) -> "AsOfView":
        """Return a view of the rows timed by another of their instants, such as a contact's redemption.

        A row is visible there once that instant lies before ``as_of`` too, and never where it is missing.
        """
        part = self._index.once(f"retimed {column}", lambda: self._index.retimed(column))
        return AsOfView(part, as_of=self.as_of, selected=self._selected)

    @cached_property
    def _purchase_days(self) -> "AsOfView":
        return AsOfView(self._index.purchase_days, as_of=self.as_of, selected=self._selected)

    def purchase_days(self) -> "AsOfView":
        """Return a view of the first row of each local day, in which ages and gaps are whole local days."""
        return self._purchase_days

    @cached_property
    def _gaps(self) -> Gaps:
        return Gaps(self._index, slot=self._slot, selected=self._selected, first=self._first, end=self._end)

    def gaps(self) -> Gaps:
        """Return the gaps between neighbouring visible rows."""
        return self._gaps
