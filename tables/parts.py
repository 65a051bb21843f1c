"""Files of the history: writing sorted rows as immutable Parquet, and reading them back as arrays."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tables.calendar import NEVER
from tables.contracts import Kind, columns_of, kind_of
from tables.errors import DataError
from tables.manifest import Part, sync_folder
from tables.rows import Codes

OWN_TIMES = ("customer", "event_at", "known_at", "superseded_at")
_TEXTS = {Kind.TEXT, Kind.CONTACT}
_MISSING: dict[Kind, Any] = {Kind.FLAG: -1, Kind.INSTANT: NEVER, Kind.NUMBER: float("nan")}
_ROW_GROUP = 1 << 20

Values = npt.NDArray[Any] | Codes


def write_part(root: Path, file: str, rows: pa.Table) -> Part:
    """Write rows as one file, to be referred to by a later manifest.

    A known time that equals the event time everywhere, and an end of validity that never comes, are the
    rule and are not stored: half of a file's bytes otherwise.

    Args:
        root: folder of the history.
        file: path of the new file relative to it.
        rows: sorted rows, or closings of rows.
    """
    columns = {name: _encoded(rows.column(name)) for name in rows.column_names}
    if {"known_at", "event_at"} <= columns.keys() and _equal(
        rows.column("known_at"), rows.column("event_at")
    ):
        del columns["known_at"]
    if {"superseded_at", "event_at"} <= columns.keys() and pc.min(
        rows.column("superseded_at")
    ).as_py() == NEVER:
        del columns["superseded_at"]
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [name for name, values in columns.items() if pa.types.is_dictionary(values.type)]
    pq.write_table(
        pa.table(columns),
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=texts,
        row_group_size=_ROW_GROUP,
        write_statistics=False,
    )
    return Part(file=file, rows=rows.num_rows, sha256=_settled(path), columns=tuple(columns))


def read_part(root: Path, part: Part, names: Sequence[str], *, texts: Sequence[str]) -> pa.Table:
    """Read some columns of a part, those it does not hold left out.

    Raises:
        DataError: if the file is gone, damaged or of another length than the manifest says.
    """
    present = [name for name in names if name in part.columns]
    try:
        rows = pq.ParquetFile(
            root / part.file, read_dictionary=[name for name in texts if name in present]
        ).read(columns=present, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"history: {part.file} cannot be read; {error}. Ingest into an empty folder."
        ) from error
    if rows.num_rows != part.rows:
        raise DataError(
            f"history: {part.file} has {rows.num_rows} rows; its manifest says {part.rows}. "
            "Ingest into an empty folder."
        )
    return rows


def integers(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    """Return a column without gaps as one array."""
    return np.asarray(rows.column(name).combine_chunks())


def values_of(rows: pa.Table, table: str, name: str) -> Values:
    """Return a column in its stored form, missing values as the kind's own mark."""
    kind = kind_of(table, name)
    if kind in _TEXTS:
        return _codes(rows, name)
    dtype = {Kind.FLAG: np.int8, Kind.NUMBER: np.float64}.get(kind, np.int64)
    missing = _MISSING.get(kind, 0)
    if name not in rows.column_names:
        return np.full(rows.num_rows, missing, dtype=dtype)
    column = rows.column(name)
    if column.null_count:
        column = pc.fill_null(column, pa.scalar(missing, column.type))
    return np.asarray(column.combine_chunks()).astype(dtype, copy=False)


def behind_each_other(parts: Sequence[pa.Table]) -> pa.Table:
    """Lay files behind each other: a column that one lacks is missing there, texts get common codes."""
    return (
        parts[0]
        if len(parts) == 1
        else pa.concat_tables(parts, promote_options="default").unify_dictionaries()
    )


def without_codes(rows: pa.Table) -> pa.Table:
    """Write every text out, however its file holds it."""
    for number, name in enumerate(rows.column_names):
        if pa.types.is_dictionary(rows.schema.field(name).type):
            rows = rows.set_column(number, name, rows.column(name).cast(pa.string()))
    return rows


def stored_order(table: str, names: Iterable[str]) -> tuple[str, ...]:
    """Put columns of a stored table into the contract's order, in which rows known at one time are sorted by them.

    Examples:
        >>> stored_order("orders", ("amount", "lines", "order_id"))
        ('order_id', 'amount', 'lines')
    """
    found = set(names)
    return tuple(column.name for column in columns_of(table) if column.name in found)


def first_to_merge(rows: Sequence[int], ratio: float) -> int:
    """Return the number of the oldest file to merge with all newer ones.

    Args:
        rows: rows per file, oldest first.
        ratio: how many times the rows of all newer files a file must hold to stay.

    Returns:
        A number below ``len(rows) - 1``, or ``len(rows)`` if every file stays.

    Examples:
        >>> first_to_merge([1000, 3, 3], ratio=2), first_to_merge([1000, 6, 3], ratio=2)
        (1, 3)
        >>> first_to_merge([1000, 300, 150, 100], ratio=2)
        0
    """
    first, newer = len(rows), 0
    for number in reversed(range(len(rows))):
        if rows[number] < ratio * newer:
            first = number
        newer += rows[number]
    return first


def _codes(rows: pa.Table, name: str) -> Codes:
    if name not in rows.column_names:
        return Codes(np.full(rows.num_rows, -1, dtype=np.int32), ())
    column = rows.column(name).unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = (
            column.chunk(0) if column.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
        )
    codes = np.asarray(pc.fill_null(column.indices, -1)).astype(np.int32, copy=False)
    order = np.asarray(pc.sort_indices(column.dictionary))
    if (order[1:] > order[:-1]).all():
        return Codes(codes, tuple(column.dictionary.to_pylist()))
    rank = np.empty(len(order) + 1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    rank[-1] = -1
    return Codes(rank[codes], tuple(column.dictionary.take(order).to_pylist()))


def _encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Encode texts that recur by a sorted dictionary, so that codes order as the texts do."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    if 2 * len(encoded.dictionary) > len(column):
        return column.cast(pa.string())
    order = pc.sort_indices(encoded.dictionary)
    rank = np.empty(len(order), dtype=np.int32)
    rank[np.asarray(order)] = np.arange(len(order), dtype=np.int32)
    indices = pc.take(pa.array(rank), encoded.indices)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, encoded.dictionary.take(order))])


def _equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    return bool(left.equals(right))


def _settled(path: Path) -> str:
    """Force a file and its name to disk and digest it."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    sync_folder(path.parent)
    return digest
