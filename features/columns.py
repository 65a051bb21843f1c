"""The content of a table's rows: stored columns and those that follow from time, fetched at first use."""

from collections.abc import Callable
from typing import Self

import numpy as np
import numpy.typing as npt

from features.clock import TIME_COLUMNS
from tables.calendar import NEVER, BusinessCalendar, Instants
from tables.contracts import Kind, kind_of, since_of, time_of
from tables.errors import SchemaError
from tables.rows import MONEY_SCALE, Codes, Rows

Column = npt.NDArray[np.generic] | Codes

_NO_SUCH_CODE = -2


class Columns:
    """Columns of some rows by name, fetched once.

    A value that came to be known after its row, such as a rating, is offered only where the rows are timed by
    the instant it came with: rows visible at a date are then rows whose value was known.

    Columns of a part of the rows hold on to those of the whole, never the other way round: without a circle
    of references a bucket's memory is free the moment its features are done.
    """

    def __init__(
        self,
        table: str,
        *,
        stored: frozenset[str],
        fetch: Callable[[str], Column],
        moments: frozenset[str] = frozenset(),
    ) -> None:
        """Name the table and its stored columns and say how a column is fetched.

        Args:
            table: name of the table.
            stored: names of its stored columns.
            fetch: returns a column by name.
            moments: instants of the rows that lie no later than the one they are timed by.
        """
        self.table = table
        self.stored = stored
        self.moments = moments
        self._fetch = fetch
        self._fetched: dict[str, Column] = {}

    @classmethod
    def of(cls, rows: Rows, calendar: BusinessCalendar) -> Self:
        """Offer the rows' own columns, their time, and its local day, hour, weekday and month."""

        def fetch(name: str) -> Column:
            if name in TIME_COLUMNS:
                return TIME_COLUMNS[name](rows.at, calendar)
            if name == time_of(rows.table):
                return rows.at
            if name not in rows.columns:
                raise SchemaError.missing_column(name, table=rows.table, found=rows.columns)
            return rows.columns[name]

        return cls(rows.table, stored=frozenset(rows.columns), fetch=fetch)

    def take(self, positions: npt.NDArray[np.int32]) -> "Columns":
        """Offer the same columns for some of the rows."""

        def fetch(name: str) -> Column:
            column = self._content(name)
            if isinstance(column, Codes):
                return Codes(column.codes[positions], column.labels)
            return column[positions]

        return Columns(self.table, stored=self.stored, fetch=fetch, moments=self.moments)

    def retimed(self, at: Instants, calendar: BusinessCalendar, *, moment: str) -> "Columns":
        """Offer the same columns of rows timed anew, and what is known from that moment on."""

        def fetch(name: str) -> Column:
            return TIME_COLUMNS[name](at, calendar) if name in TIME_COLUMNS else self._content(name)

        return Columns(self.table, stored=self.stored, fetch=fetch, moments=self.moments | {moment})

    def __getitem__(self, name: str) -> Column:
        self.require_known(name, self.moments)
        return self._content(name)

    def require_known(self, name: str, moments: frozenset[str]) -> None:
        """Refuse a column that waits for an instant of its row.

        Args:
            name: a column.
            moments: instants that have come for each of the rows it will be read of.

        Raises:
            SchemaError: if the column is known only from another instant on.
        """
        since = since_of(self.table).get(name)
        if since is None or since in moments:
            return
        timed = sorted(moments) or [time_of(self.table)]
        raise SchemaError(
            f"{self.table}: column {name!r} is known only from {since!r} on; found rows timed by {timed}. "
            f"Read it of `retimed({since!r})`."
        )

    def instants(self, name: str) -> Instants:
        """Return instants by which rows can be timed anew; whoever reads them must not tell of later ones.

        Raises:
            SchemaError: if the column holds no instants.
        """
        column = self._content(name)
        if name != time_of(self.table) and kind_of(self.table, name) is not Kind.INSTANT:
            raise SchemaError(f"{self.table}: column {name!r} holds no instants. Time rows by one that does.")
        return np.asarray(column, np.int64)

    def _content(self, name: str) -> Column:
        if name not in self._fetched:
            self._fetched[name] = self._fetch(name)
        return self._fetched[name]

    def given(self, name: str) -> npt.NDArray[np.bool_]:
        """Mark the rows that have a value; amounts and counts always have one."""
        column = self[name]
        if isinstance(column, Codes):
            return np.asarray(column.codes >= 0)
        return np.asarray((column != NEVER) & ~np.isnan(column.astype(np.float64)))

    def numbers(self, name: str) -> npt.NDArray[np.generic]:
        """Return a column of numbers.

        Raises:
            SchemaError: if the column holds text.
        """
        column = self[name]
        if isinstance(column, Codes):
            raise SchemaError(
                f"{self.table}: column {name!r} holds text. Sum or compare a column of numbers."
            )
        return column

    def codes(self, name: str) -> npt.NDArray[np.signedinteger]:
        """Return a column as one whole number per distinct value."""
        column = self[name]
        return column.codes if isinstance(column, Codes) else column.astype(np.int64, copy=False)

    def code_of(self, name: str, value: str | int) -> int:
        """Return the code that stands for a value; -2 where no row can have it."""
        column = self[name]
        if not isinstance(column, Codes):
            return int(value)
        return column.labels.index(str(value)) if value in column.labels else _NO_SUCH_CODE

    def scale(self, name: str) -> int:
        """Return by how much stored numbers exceed a column's unit: money and quantity are fixed-point."""
        if name in TIME_COLUMNS or name == time_of(self.table):
            return 1
        return MONEY_SCALE if kind_of(self.table, name) in (Kind.MONEY, Kind.QUANTITY) else 1
