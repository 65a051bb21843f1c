"""Reading the history: one bucket of one table at a time, merged, in order, as arrays."""

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tables.calendar import NEVER
from tables.contracts import Kind, kind_of
from tables.errors import DataError, SchemaError
from tables.manifest import Bucket, Manifest, Part, StoredTable, read_manifest
from tables.merging import merge_order
from tables.parts import (
    OWN_TIMES,
    Values,
    behind_each_other,
    integers,
    read_part,
    stored_order,
    values_of,
    without_codes,
)
from tables.rows import Codes, Rows

_TEXTS = {Kind.TEXT, Kind.CONTACT}


class History:
    """One generation of the validated rows of all tables, by bucket of customers.

    A customer's global key counts all customers from 0; its bucket is ``key % buckets`` and its local
    index in that bucket ``key // buckets``.
    """

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self._manifest = manifest
        self._spans: dict[str, tuple[int, int]] = {}

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open the current generation under a folder.

        Raises:
            DataError: if nothing was ingested there.
            SchemaError: if another version of the program wrote it.
        """
        manifest = read_manifest(root)
        if manifest is None:
            raise DataError(f"history: nothing ingested under {root}. Run ingest first.")
        return cls(root, manifest)

    def without_later(self, table: str, columns: Collection[str], instant: int) -> "History":
        """Return the history without columns of a table that came at an instant or later, or without all of it."""
        stored = self._manifest.tables.get(table)
        if stored is None:
            return self
        later = {name for name in columns if stored.since.get(name, instant - 1) >= instant}
        left = tuple(name for name in stored.columns if name not in later)
        tables = {name: found for name, found in self._manifest.tables.items() if name != table}
        if left or not later:
            tables[table] = stored.model_copy(update={"columns": left})
        return History(self.root, self._manifest.model_copy(update={"tables": tables}))

    @property
    def generation(self) -> int:
        """Number of the generation, from 1."""
        return self._manifest.generation

    @property
    def digest(self) -> str:
        """SHA-256 of everything that can be read from this generation."""
        return self._manifest.digest

    @property
    def buckets(self) -> int:
        """Number of buckets."""
        return self._manifest.buckets

    @property
    def customers(self) -> int:
        """Number of known customers over all buckets."""
        return self._manifest.customers

    @property
    def stamp(self) -> int:
        """Instant up to which rows count as known; later appends without a known time lie at or after it."""
        return self._manifest.stamp or 0

    @property
    def currency(self) -> str | None:
        """Currency of all money, if a source named one."""
        return self._manifest.currency

    def first_at(self, table: str) -> int:
        """Return the instant of a table's earliest row.

        Args:
            table: ``orders`` or another stored table.

        Raises:
            DataError: if there is none.
        """
        return self._span(table)[0]

    def newest_at(self, table: str) -> int:
        """Return the instant of a table's latest row; arguments and errors as for ``first_at``."""
        return self._span(table)[1]

    def has(self, table: str) -> bool:
        """Say whether a table was ever delivered."""
        return table in self._manifest.tables

    def tables(self) -> tuple[str, ...]:
        """List the tables there are."""
        return tuple(sorted(self._manifest.tables))

    def columns(self, table: str) -> tuple[str, ...]:
        """List the columns that ``read`` returns; contact fields are not among them."""
        return tuple(name for name in self._table(table).columns if kind_of(table, name) is not Kind.CONTACT)

    def contact_columns(self, table: str) -> tuple[str, ...]:
        """List the columns that identify a person, for exports alone."""
        return tuple(name for name in self._table(table).columns if kind_of(table, name) is Kind.CONTACT)

    def read(self, table: str, bucket: int, columns: Sequence[str] = ()) -> Rows:
        """Read a bucket of a table, every version of every row, sorted by customer and time.

        Args:
            table: name of the table.
            bucket: number of the bucket, below ``buckets``.
            columns: content to read; without any, only customers and times are read.

        Raises:
            SchemaError: if the table or a column is not there.
            DataError: if a file is damaged or not in order.
        """
        self._check_columns(table, columns, self.columns(table))
        return self._read(table, bucket, columns)

    def read_contacts(self, table: str, bucket: int, columns: Sequence[str]) -> Rows:
        """Read fields that identify a person; only an export to the owner's own systems may call this.

        Raises:
            SchemaError: if a column is no contact field of the table.
            DataError: if a file is damaged or not in order.
        """
        self._check_columns(table, columns, self.contact_columns(table))
        return self._read(table, bucket, columns)

    def customer_ids(self, bucket: int) -> npt.NDArray[np.object_]:
        """Return the ids of a bucket's customers, by local index."""
        return self._ids[bucket :: self.buckets]

    def customer_key(self, customer_id: str) -> int | None:
        """Return the global key of a customer, or nothing if the customer is unknown."""
        return self._keys.get(customer_id)

    @cached_property
    def _ids(self) -> npt.NDArray[np.object_]:
        parts = [
            read_part(self.root, part, ("customer_id",), texts=()).column(0).to_pylist()
            for part in self._manifest.dictionary
        ]
        return np.array([customer_id for part in parts for customer_id in part], dtype=object)

    @cached_property
    def _keys(self) -> dict[str, int]:
        return {customer_id: key for key, customer_id in enumerate(self._ids)}

    def _table(self, table: str) -> StoredTable:
        if table not in self._manifest.tables:
            raise SchemaError(
                f"history: no table {table!r}; found {list(self.tables())}. Add a source for it."
            )
        return self._manifest.tables[table]

    def _check_columns(self, table: str, columns: Sequence[str], found: Sequence[str]) -> None:
        problems = [
            str(SchemaError.missing_column(name, table=f"history: {table}", found=found))
            for name in columns
            if name not in found
        ]
        if problems:
            raise SchemaError("\n".join(problems))

    def _span(self, table: str) -> tuple[int, int]:
        if table not in self._spans:
            first, newest = self._find_span(table)
            if first is None or newest is None:
                raise DataError(f"history: no {table}. Add a source of {table}.")
            self._spans[table] = first, newest
        return self._spans[table]

    def _find_span(self, table: str) -> tuple[int | None, int | None]:
        if table == "orders":
            return self._manifest.first_order_at, self._manifest.newest_order_at
        return self._read_span(table)

    def _read_span(self, table: str) -> tuple[int | None, int | None]:
        times = [self.read(table, bucket).at for bucket in range(self.buckets)] if self.has(table) else []
        first = [int(at.min()) for at in times if len(at)]
        newest = [int(at.max()) for at in times if len(at)]
        return min(first, default=None), max(newest, default=None)

    def _bucket(self, table: str, bucket: int) -> Bucket:
        if not 0 <= bucket < self.buckets:
            raise SchemaError(f"history: no bucket {bucket}; there are {self.buckets}. Ask for one of them.")
        stored = self._table(table)
        return (self._table(stored.shares) if stored.shares else stored).buckets.get(bucket, Bucket())

    def _read(self, table: str, bucket: int, columns: Sequence[str]) -> Rows:
        stored = self._bucket(table, bucket)
        texts = [name for name in columns if kind_of(table, name) in _TEXTS]
        wanted = (*OWN_TIMES, *dict.fromkeys(columns))
        parts = [read_part(self.root, part, wanted, texts=texts) for part in stored.parts]
        own, closed = self._times(stored, parts)
        rows = behind_each_other(parts) if parts else pa.table({})
        content = {name: values_of(rows, table, name) for name in dict.fromkeys(columns)}
        if len(parts) > 1 or closed.any():
            lengths = [part.rows for part in stored.parts]
            order = merge_order(own, lengths, closed, lambda places: self._content(table, stored, places))
            own = {name: values[order] for name, values in own.items()}
            content = {name: _taken(values, order) for name, values in content.items()}
        size = (self.customers - bucket + self.buckets - 1) // self.buckets
        return Rows(
            table, size, own["customer"], own["event_at"], own["known_at"], own["superseded_at"], content
        )

    def _times(
        self, stored: Bucket, parts: Sequence[pa.Table]
    ) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.bool_]]:
        """Return the rows' own times, and which rows ended after their file was written."""
        times = [_times(rows) for rows in parts]
        for part, part_times in zip(stored.parts, times, strict=True):
            _check_order(part, part_times)
        own = {name: _together([part[name] for part in times] or [_EMPTY[name]]) for name in OWN_TIMES}
        closed = np.zeros(len(own["customer"]), dtype=np.bool_)
        starts = np.cumsum([0, *(part.rows for part in stored.parts)])
        for closure in stored.closures:
            ends = read_part(self.root, closure, ("part", "row", "superseded_at"), texts=())
            position = starts[integers(ends, "part")] + integers(ends, "row")
            own["superseded_at"][position] = integers(ends, "superseded_at")
            closed[position] = True
        return own, closed

    def _content(self, table: str, stored: Bucket, places: npt.NDArray[np.int64]) -> pa.Table:
        """Read all content of the rows at some places, counted over all files."""
        owner = self._table(table).shares or table
        names = stored_order(owner, self._table(owner).columns)
        starts = np.cumsum([0, *(part.rows for part in stored.parts)])
        file = np.searchsorted(starts, places, side="right") - 1
        rows = [
            without_codes(
                read_part(self.root, part, names, texts=()).take(
                    pa.array(places[file == number] - starts[number])
                )
            )
            for number, part in enumerate(stored.parts)
        ]
        together = pa.concat_tables(rows, promote_options="default")
        return together.take(pa.array(np.argsort(np.argsort(file, kind="stable"))))


_EMPTY = {name: np.empty(0, np.int32 if name == "customer" else np.int64) for name in OWN_TIMES}


def _times(rows: pa.Table) -> dict[str, npt.NDArray[Any]]:
    customer, at = integers(rows, "customer"), integers(rows, "event_at")
    known = integers(rows, "known_at") if "known_at" in rows.column_names else at
    until = (
        integers(rows, "superseded_at").copy()
        if "superseded_at" in rows.column_names
        else np.full(len(at), NEVER, dtype=np.int64)
    )
    return {"customer": customer, "event_at": at, "known_at": known, "superseded_at": until}


def _together(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Join the parts of a column; one part alone, as most buckets have, is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _check_order(part: Part, times: dict[str, npt.NDArray[Any]]) -> None:
    customer, at = times["customer"], times["event_at"]
    before, after = customer[:-1], customer[1:]
    if ((after < before) | ((after == before) & (at[1:] < at[:-1]))).any():
        raise DataError(f"history: {part.file} is not in order. Ingest into an empty folder.")


def _taken(values: Values, order: npt.NDArray[np.int64]) -> Values:
    if isinstance(values, Codes):
        return Codes(values.codes[order], values.labels)
    return values[order]
