"""Files of the history: writing sorted rows as immutable Parquet, and reading them back as arrays."""

import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tables.calendar import NEVER
from tables.contracts import Kind, kind_of
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


def joined(values: Sequence[Values]) -> Values:
    """Put the same column of several parts behind each other; texts get common codes."""
    if len(values) == 1:
        return values[0]
    texts = [part for part in values if isinstance(part, Codes)]
    if not texts:
        return np.concatenate([part for part in values if not isinstance(part, Codes)])
    labels = tuple(sorted({label for part in texts for label in part.labels}))
    position = {label: code for code, label in enumerate(labels)}
    recoded = []
    for part in texts:
        new = np.array([*(position[label] for label in part.labels), -1], dtype=np.int32)
        recoded.append(new[part.codes])
    return Codes(np.concatenate(recoded), labels)


def _codes(rows: pa.Table, name: str) -> Codes:
    if name not in rows.column_names:
        return Codes(np.full(rows.num_rows, -1, dtype=np.int32), ())
    column = rows.column(name).unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = (
            column.chunk(0) if column.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
        )
    codes = np.asarray(pc.fill_null(column.indices, -1)).astype(np.int32, copy=False)
    labels = column.dictionary.to_pylist()
    if all(left < right for left, right in pairwise(labels)):
        return Codes(codes, tuple(labels))
    order = sorted(range(len(labels)), key=labels.__getitem__)
    rank = np.empty(len(labels) + 1, dtype=np.int32)
    rank[order] = np.arange(len(labels), dtype=np.int32)
    rank[-1] = -1
    return Codes(rank[codes], tuple(labels[position] for position in order))


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
