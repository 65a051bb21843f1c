"""Sums in which every row fades with age, carried from row to row within one customer."""

import numpy as np
import numpy.typing as npt

from features.index import Floats, Integers, SnapshotIndex


class Decay:
    """Decayed sums at the moment of each row, from which any later snapshot follows by one factor.

    The sum after row ``i`` is ``weight_i + sum_(i-1) * exp(-gap_i / tau)``. It uses the customer's own rows
    only, so that neither other customers nor the cut into buckets touch its last digit.

    Rows are laid out by rank: all first rows, all second rows, and so on, each in the same order of
    customers, those with most rows first. The rows before those of one rank are then a leading stretch of
    the rank before, and a step is arithmetic on neighbouring memory.
    """

    def __init__(self, index: SnapshotIndex) -> None:
        """Lay out the rows of an index."""
        counts = np.bincount(index.customer, minlength=index.customers)
        self._place = np.empty(index.customers, dtype=np.int64)
        self._place[np.argsort(-counts, kind="stable")] = np.arange(index.customers)
        # How many customers have more than 0, 1, 2, ... rows: the sizes of the ranks.
        self._sizes = len(counts) - np.cumsum(np.bincount(counts))[:-1]
        self._offsets = np.cumsum(self._sizes) - self._sizes
        self._first = index.first
        self._clock = index.clock
        rows = np.arange(len(index), dtype=np.int32)
        self._by_rank = np.empty(len(index), dtype=np.int32)
        self._by_rank[self.places(rows, index.customer)] = rows
        self._gaps = index.gaps.take(self._by_rank)
        self._columns = index.columns
        self._sums: dict[tuple[str | None, int], Floats] = {}

    def after_rows(self, places: Integers, column: str | None, tau: int) -> Floats:
        """Return the decayed sum of a column (or of ones) after some rows, for a time constant in days.

        Args:
            places: where those rows lie, from ``places``.
            column: a column of numbers, or nothing to count rows.
            tau: time constant in days.
        """
        key = (column, tau)
        if key not in self._sums:
            self._sums[key] = self._carry(self._weights(column), self._factors(tau))
        return self._sums[key].take(places)

    def places(
        self, rows: npt.NDArray[np.signedinteger], customers: npt.NDArray[np.signedinteger]
    ) -> Integers:
        """Return where rows lie in the layout by rank, given their positions in the index and customers."""
        ranks = rows - self._first.take(customers)
        places: Integers = self._offsets.take(ranks) + self._place.take(customers)
        return places

    def _weights(self, column: str | None) -> Floats:
        if column is None:
            return np.ones(len(self._by_rank))
        return self._columns.numbers(column).take(self._by_rank).astype(np.float64)

    def _factors(self, tau: int) -> Floats:
        ticks = tau * self._clock.ticks_per_day
        if not self._clock.counts_days:
            return np.exp(self._gaps / -ticks)
        # Whole days repeat: a table of the few distinct factors is faster than one exponential per row.
        table = np.exp(np.arange(int(self._gaps.max(initial=0)) + 1) / -ticks)
        return np.asarray(table.take(self._gaps))

    def _carry(self, sums: Floats, factors: Floats) -> Floats:
        steps = zip(self._offsets[:-1], self._offsets[1:], self._sizes[1:], strict=True)
        for before, here, size in steps:
            sums[here : here + size] += sums[before : before + size] * factors[here : here + size]
        return sums
