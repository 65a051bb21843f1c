"""What a view tells of windows: counts, sums, extremes and distinct values up to the snapshot date."""

from collections.abc import Callable
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.index import Floats, Integers, SnapshotIndex, Sums, running_sums
from features.occurrences import Deviations, Occurrences
from features.ratios import ratio, set_missing


class Windowed:
    """One table as known at ``as_of``: windows that end there, one value per selected customer.

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

    def _count(self, key: str, marks: Callable[[], npt.NDArray[np.bool_]], days: int | None) -> Integers:
        """Count the marked rows of the window; the marks are made once for all dates."""
        return self._sum(key, self._index.running(key, marks), days).astype(np.int64)

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
            return self._count(f"first {column}", lambda: self._occurrences(column).seen == 1, None)
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

    def active_days(self, days: int | None = None) -> Integers:
        """Return the number of distinct local days with a row in the window."""
        # Windows begin at local midnights, so that the first row of a window is always the first of its day.
        days_of_rows = self._index.columns.numbers
        return self._count("day starts", lambda: self._index.starts_run(days_of_rows("local_day")), days)

    def count_within(self, column: str, low: float, high: float, days: int | None = None) -> Integers:
        """Return how many rows of the window hold a number from one to another, both included.

        Args:
            column: a column of numbers; a missing one lies nowhere.
            low: least number that counts, in the column's stored unit.
            high: greatest number that counts.
            days: length of the window; everything before ``as_of`` if not given.
        """
        values = np.asarray(self._index.columns.numbers(column), np.float64)
        marks = f"{column} from {low} to {high}"
        return self._count(marks, lambda: (values >= low) & (values <= high), days)

    def rises(self, column: str, days: int | None = None) -> Floats:
        """Return by how much a column rose from row to row in the window, summed; 0 without a rise.

        A customer's first row is no rise, nor is a row where it or the one before has no value.
        """
        return self._reduce(np.add, np.maximum(self._steps(column), 0), days, empty=0.0)

    def falls(self, column: str, days: int | None = None) -> Floats:
        """Return by how much a column fell from row to row in the window, summed; as ``rises``."""
        return self._reduce(np.add, np.maximum(-self._steps(column), 0), days, empty=0.0)

    def _steps(self, column: str) -> Floats:
        return self._index.once(f"steps {column}", lambda: self._index.steps(column))
