"""What builders may see of a table: the rows visible at one snapshot date, and nothing after it."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.decay import Decay
from features.gaps import Gaps
from features.index import Floats, Integers, SnapshotIndex
from features.pauses import pause_lengths
from features.ratios import ratio, set_missing
from features.records import Records
from features.windowed import Windowed
from tables.calendar import DAY, Instants

Features = dict[str, Floats | Integers]
"""One value per selected customer for each named feature."""


class AsOfView(Windowed):
    """One table as known at ``as_of``, one value per selected customer and operation.

    A row shows the values known with it. What came to be known later, such as a ticket's rating, is shown by
    the view of the same rows ``retimed`` by the instant it came with, and by ``records``.
    """

    def __init__(self, index: SnapshotIndex, *, as_of: date, selected: Integers) -> None:
        super().__init__(index, as_of=as_of, selected=selected)
        self._views: dict[str, AsOfView] = {}
        self._records: dict[int | None, Records] = {}

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

    def last_is(self, column: str, value: str | int) -> npt.NDArray[np.bool_]:
        """Tell whether the newest row holds a value of a column of texts or whole numbers; not without a row."""
        columns, present = self._index.columns, np.flatnonzero(self._end > self._first)
        holds = np.zeros(len(self), dtype=bool)
        newest = self._end.take(present) - 1
        holds[present] = columns.codes(column).take(newest) == columns.code_of(column, value)
        return holds

    def last_given(self, column: str) -> npt.NDArray[np.bool_]:
        """Tell whether the newest row has a value in a column; not without a row."""
        present = np.flatnonzero(self._end > self._first)
        given = np.zeros(len(self), dtype=bool)
        given[present] = self._index.columns.given(column).take(self._end.take(present) - 1)
        return given

    def days_until_last(self, column: str) -> Floats:
        """Return the days from ``as_of`` to an instant that the newest row announced: elapsed seconds / 86,400.

        It is negative where the instant has passed, and missing without a row or an instant.
        """
        midnight = int(self._index.edges.instants[self._slot])
        days: Floats = (self.last(column) - midnight) / DAY
        set_missing(days, ~self.last_given(column))
        return days

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
        return self._part(f"{column} is {value!r}", lambda: self._index.where(column, value))

    def where_not(self, column: str, value: str | int) -> "AsOfView":
        """Return a view of the rows whose column does not hold a value."""
        return self._part(f"{column} not {value!r}", lambda: self._index.where_not(column, value))

    def where_any(self, column: str, values: Sequence[str]) -> "AsOfView":
        """Return a view of the rows whose column holds any of some texts."""
        if len(values) == 1:
            return self.where(column, values[0])
        return self._part(f"{column} in {values!r}", lambda: self._index.where_any(column, values))

    def where_changed(self, column: str) -> "AsOfView":
        """Return a view of the rows that differ in a column from the customer's row before, the first included."""
        return self._part(f"{column} changed", lambda: self._index.where_changed(column))

    def where_given(self, column: str) -> "AsOfView":
        """Return a view of the rows that have a value in a column."""
        return self._part(f"{column} given", lambda: self._index.where_given(column))

    def _part(self, key: str, part: Callable[[], SnapshotIndex]) -> "AsOfView":
        # The index keeps its parts for all dates, the view keeps their views: they hold what was looked up.
        if key not in self._views:
            index = self._index.once(key, part)
            self._views[key] = AsOfView(index, as_of=self.as_of, selected=self._selected)
        return self._views[key]

    def has(self, column: str) -> bool:
        """Say whether the table has a column."""
        return column in self._index.columns.stored

    def retimed(self, column: str) -> "AsOfView":
        """Return a view of the rows timed by another of their instants, such as a contact's redemption.

        A row is visible there once that instant lies before ``as_of`` too, and never where it is missing. It
        keeps its own time as a column, such as ``opened_at``.
        """
        return self._part(f"retimed {column}", lambda: self._index.retimed(column))

    def records(self, days: int | None = None) -> Records:
        """Return the rows of the window one by one, to tell apart what has come of them by ``as_of``.

        Args:
            days: length of the window; everything before ``as_of`` if not given.
        """
        if days not in self._records:
            from_slot = -1 if days is None else self._index.edges.slot(self.as_of, days)
            rows = np.flatnonzero((self._index.bins <= self._slot) & (self._index.bins > from_slot))
            self._records[days] = Records(
                self._index, as_of=self.as_of, selected=self._selected, rows=rows, moments=frozenset()
            )
        return self._records[days]

    def pauses(self, until: str) -> Integers:
        """Return how often nothing ran from the end of everything before to the next row's start.

        Args:
            until: the instant at which a row ends.
        """
        return self._count(f"pauses {until}", lambda: self._pauses(until) > 0, None)

    def paused_days(self, until: str) -> Floats:
        """Return the length of those pauses together: elapsed seconds / 86,400; 0 without any."""
        key = f"paused {until}"
        return self._sum(key, self._index.running(key, lambda: self._pauses(until)), None) / DAY

    def _pauses(self, until: str) -> Instants:
        return self._index.once(f"pause lengths {until}", lambda: pause_lengths(self._index, until))

    def changes(self, column: str, days: int | None = None) -> Integers:
        """Return how many rows of the window hold another value than the customer's row before.

        A first row changes nothing, nor does one where either value is missing.
        """
        return self._count(f"changes {column}", lambda: self._index.changes(column), days)

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
