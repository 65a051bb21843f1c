"""The gaps between a customer's neighbouring rows, as far as they are visible at a snapshot date."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.index import Floats, Integers, SnapshotIndex, running_sums
from features.ratios import ratio, set_missing


class Gaps:
    """Gaps in days of the selected customers, between rows before one snapshot date only.

    A customer with ``n`` visible rows has ``n - 1`` gaps; same-time rows have a gap of 0. Without a gap
    every statistic is missing.
    """

    def __init__(
        self, index: SnapshotIndex, *, slot: int, selected: Integers, first: Integers, end: Integers
    ) -> None:
        self._index = index
        self._slot = slot
        self._selected = selected
        self._first = first
        self._end = end

    @cached_property
    def _count(self) -> Integers:
        count: Integers = np.maximum(self._end - self._first - 1, 0)
        count.flags.writeable = False  # builders receive this very array
        return count

    def _sum(self, key: str, of_gaps: Callable[[], npt.NDArray[np.generic]]) -> Floats:
        sums = self._index.running(key, of_gaps)
        return (sums.take(self._end) - sums.take(self._first)).astype(np.float64)

    @cached_property
    def _ticks(self) -> Floats:
        return self._sum("gaps", lambda: self._index.gaps)

    def _days(self, ticks: Floats) -> Floats:
        return ticks / self._index.clock.ticks_per_day

    def count(self) -> Integers:
        """Return the number of gaps."""
        return self._count

    def mean(self) -> Floats:
        """Return the mean gap in days; missing without a gap."""
        return self._days(ratio(self._ticks, self._count))

    def spread(self) -> Floats:
        """Return the sample standard deviation of the gaps in days; missing with fewer than two gaps."""
        squares = self._sum("gap squares", lambda: self._index.gaps.astype(np.int64) ** 2)
        count = self._count.astype(np.float64)
        deviations = np.maximum(count * squares - self._ticks**2, 0)
        return self._days(np.sqrt(ratio(deviations, count * (count - 1))))

    def last(self, n: int = 1) -> Floats:
        """Return the n-th last gap in days; missing where there are fewer gaps.

        Args:
            n: 1 for the newest gap.
        """
        if not len(self._index):
            return np.full(len(self._count), np.nan)
        ticks = self._index.gaps.take(self._end - n, mode="clip").astype(np.float64)
        set_missing(ticks, self._count < n)
        return self._days(ticks)

    def mean_of_last(self, n: int) -> Floats:
        """Return the mean of the last n gaps in days; missing where there are fewer."""
        sums = self._index.running("gaps", lambda: self._index.gaps)
        ticks = (sums.take(self._end) - sums.take(np.maximum(self._end - n, 0))).astype(np.float64)
        set_missing(ticks, self._count < n)
        return self._days(ticks) / n

    def quantile(self, share: float) -> Floats:
        """Return a quantile of the gaps in days, linear between neighbours; missing without a gap.

        Args:
            share: between 0 (shortest gap) and 1 (longest gap).
        """
        starts, ordered = self._visible_in_order
        place = share * (self._count - 1)
        below = np.floor(place).astype(np.int64)
        low = ordered.take(starts + below, mode="clip").astype(np.float64)
        if 0 < share < 1:
            high = ordered.take(starts + np.ceil(place).astype(np.int64), mode="clip")
            low += (high - low) * (place - below)
        set_missing(low, self._count == 0)
        return self._days(low)

    @cached_property
    def _visible_in_order(self) -> tuple[Integers, npt.NDArray[np.int32]]:
        """Where the selected customers' gaps start among all visible gaps by customer and length; those gaps.

        One gap of 0 is added at the end, so that there is always something to look up.
        """
        index = self._index
        counts = np.maximum(index.ends[self._slot].astype(np.int64) - index.first - 1, 0)
        ordered = index.gaps_in_order
        visible = np.append(ordered.gaps[ordered.bins <= self._slot], np.int32(0))
        return (np.cumsum(counts) - counts).take(self._selected), visible

    def longer_than(self, days: Floats) -> Floats:
        """Return how many gaps are longer than a number of days, one number per customer."""
        # Gaps are whole ticks: above a limit is above its whole part, and whole numbers compare faster.
        limit = np.zeros(self._index.customers, dtype=np.int32)
        limit[self._selected] = np.nan_to_num(days) * self._index.clock.ticks_per_day
        longer = running_sums(self._index.gaps > limit.take(self._index.customer))
        return (longer.take(self._end) - longer.take(self._first)).astype(np.float64)

    def excess(self, days: int) -> Floats:
        """Return by how many days the gaps exceed a length, summed over the gaps that do."""
        limit = days * self._index.clock.ticks_per_day
        beyond = self._sum(f"gaps beyond {days}", lambda: np.maximum(self._index.gaps, limit) - limit)
        return self._days(beyond)
