"""The content of a table's rows: stored columns and those that follow from time, fetched at first use."""

from collections.abc import Callable
from typing import Self

import numpy as np
import numpy.typing as npt

from features.clock import TIME_COLUMNS
from tables.calendar import BusinessCalendar, Instants
from tables.contracts import Kind, kind_of
from tables.errors import SchemaError
from tables.rows import MONEY_SCALE, Codes, Rows

Column = npt.NDArray[np.generic] | Codes

_NO_SUCH_CODE = -2


class Columns:
    """Columns of some rows by name, fetched once.

    Columns of a part of the rows hold on to those of the whole, never the other way round: without a circle
    of references a bucket's memory is free the moment its features are done.
    """

    def __init__(self, table: str, *, stored: frozenset[str], fetch: Callable[[str], Column]) -> None:
        """Name the table and its stored columns and say how a column is fetched."""
        self.table = table
        self.stored = stored
        self._fetch = fetch
        self._fetched: dict[str, Column] = {}

    @classmethod
    def of(cls, rows: Rows, calendar: BusinessCalendar) -> Self:
        """Offer the rows' own columns, and local day, hour, weekday and month."""

        def fetch(name: str) -> Column:
            if name in TIME_COLUMNS:
                return TIME_COLUMNS[name](rows.at, calendar)
            if name not in rows.columns:
                raise SchemaError.missing_column(name, table=rows.table, found=rows.columns)
            return rows.columns[name]

        return cls(rows.table, stored=frozenset(rows.columns), fetch=fetch)

    def take(self, positions: npt.NDArray[np.int32]) -> "Columns":
        """Offer the same columns for some of the rows."""

        def fetch(name: str) -> Column:
            column = self[name]
            if isinstance(column, Codes):
                return Codes(column.codes[positions], column.labels)
            return column[positions]

        return Columns(self.table, stored=self.stored, fetch=fetch)

    def retimed(self, at: Instants, calendar: BusinessCalendar) -> "Columns":
        """Offer the same columns of rows that happened at other instants."""

        def fetch(name: str) -> Column:
            return TIME_COLUMNS[name](at, calendar) if name in TIME_COLUMNS else self[name]

        return Columns(self.table, stored=self.stored, fetch=fetch)

    def __getitem__(self, name: str) -> Column:
        if name not in self._fetched:
            self._fetched[name] = self._fetch(name)
        return self._fetched[name]

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
        if name in TIME_COLUMNS or kind_of(self.table, name) not in (Kind.MONEY, Kind.QUANTITY):
            return 1
        return MONEY_SCALE
