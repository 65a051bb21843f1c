"""Files of a source: which there are, what they hold, and how DuckDB reads them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import duckdb

from tables.errors import DataError, SchemaError
from tables.sources import Lookup, Source
from tables.sql import Sql, quoted

_CHUNK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """One file of a source, as found.

    Attributes:
        path: where it lies.
        digest: SHA-256 of its bytes.
        types: DuckDB type of each of its columns, and of each column a lookup adds.
    """

    path: Path
    digest: str
    types: dict[str, str]


def find_files(pattern: str, *, table: str) -> tuple[Path, ...]:
    """List the files a path or glob names, in the order of their names.

    Raises:
        DataError: if there is none.
    """
    path = Path(pattern)
    fixed = next(
        (parent for parent in path.parents if not any(mark in str(parent) for mark in "*?[")), Path()
    )
    if path.is_file():
        return (path,)
    found = tuple(sorted(match for match in fixed.glob(str(path.relative_to(fixed))) if match.is_file()))
    if not found:
        raise DataError(f"{table}: no file {pattern}. Check the path, and the variables in it.")
    return found


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_file(
    connection: duckdb.DuckDBPyConnection, source: Source, path: Path, digest: str, *, table: str
) -> SourceFile:
    """Read a file's columns and check that all the source needs are there.

    Raises:
        SchemaError: if columns are missing; names every one of them and its near misses.
        DataError: if the file is empty or cannot be read.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{table}: {path} is empty. Deliver a file with a header and rows.")
    types = _types(connection, _reader(path, source), where=f"{table}: {path}")
    _require(_needed(source), types, where=f"{table}: {path}")
    for number, lookup in enumerate(source.lookups):
        types |= _lookup_types(connection, number, lookup, source, table=table)
    return SourceFile(path, digest, types)


def relation(source: Source, path: Path) -> Sql:
    """Return the rows of a file with ``row number`` (from 1) and the columns of its lookups."""
    rows = Sql.of(
        f"select *, {_row_number(path, source)} as {quoted('row number')} from {{}}", _reader(path, source)
    )
    for number, lookup in enumerate(source.lookups):
        rows = _joined(rows, number, lookup, source)
    return rows


def lines_inside_quotes(source: Source, path: Path, rows: int) -> int:
    """Return how many lines of a CSV file did not begin a row: text with line breaks, or a quote never closed.

    Args:
        source: how the file is read.
        path: the file.
        rows: rows read from it.
    """
    if _is_parquet(path, source):
        return 0
    with path.open("rb") as file:
        filled = sum(1 for line in file if line.strip())
    return max(filled - 1 - rows, 0)


def lookup_column(number: int, column: str) -> str:
    """Name the column that the n-th lookup adds, so that it hides no column of the source."""
    return f"lookup {number} {column}"


def _joined(rows: Sql, number: int, lookup: Lookup, source: Source) -> Sql:
    path = find_files(lookup.path, table="lookup")[0]
    keys = ", ".join(f"{quoted(theirs)}::varchar as k{i}" for i, theirs in enumerate(lookup.on.values()))
    added = ", ".join(
        f"min({quoted(column)}) as {quoted(lookup_column(number, column))}"
        for column in dict.fromkeys(lookup.columns.values())
    )
    positions = ", ".join(f"k{i}" for i in range(len(lookup.on)))
    on = " and ".join(f"source.{quoted(ours)}::varchar = found.k{i}" for i, ours in enumerate(lookup.on))
    template = (
        f"select source.*, found.* exclude ({positions}) from ({{}}) as source left join "
        f"(select {keys}, {added} from {{}} group by {positions}) as found on {on}"
    )
    return Sql.of(template, rows, _reader(path, source))


def _lookup_types(
    connection: duckdb.DuckDBPyConnection, number: int, lookup: Lookup, source: Source, *, table: str
) -> dict[str, str]:
    path = find_files(lookup.path, table=f"{table}: lookup")[0]
    types = _types(connection, _reader(path, source), where=f"{table}: lookup {path}")
    _require((*lookup.on.values(), *lookup.columns.values()), types, where=f"{table}: lookup {path}")
    return {lookup_column(number, column): types[column] for column in lookup.columns.values()}


def _needed(source: Source) -> tuple[str, ...]:
    claims = (*source.filters, *source.returns, *source.happenings.values())
    lengths = (duration.column for duration in source.durations.values())
    keys = (ours for lookup in source.lookups for ours in lookup.on)
    return (*source.columns.values(), *(claim.column for claim in claims), *lengths, *keys)


def _require(columns: Iterable[str], types: dict[str, str], *, where: str) -> None:
    missing = [column for column in dict.fromkeys(columns) if column not in types]
    if not missing:
        return
    near = {column: get_close_matches(column, types, n=1) for column in missing}
    hints = "".join(f" Did you mean {close[0]!r} for {column!r}?" for column, close in near.items() if close)
    names = ", ".join(map(repr, missing))
    noun = "column" if len(missing) == 1 else "columns"
    raise SchemaError(
        f"{where}: no {noun} {names}; found {sorted(types)}.{hints} Correct the mapping or the file."
    )


def _types(connection: duckdb.DuckDBPyConnection, reader: Sql, *, where: str) -> dict[str, str]:
    try:
        rows = connection.execute(f"describe select * from {reader.text}", reader.values).fetchall()
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{where} cannot be read; {first} Check the file's format and delimiter.") from error
    return {name: kind for name, kind, *_ in rows if name != "file_row_number"}


def _is_parquet(path: Path, source: Source) -> bool:
    return source.format == "parquet" or (source.format == "auto" and path.suffix in {".parquet", ".pq"})


def _row_number(path: Path, source: Source) -> str:
    return "file_row_number + 1" if _is_parquet(path, source) else "row_number() over ()"


def _reader(path: Path, source: Source) -> Sql:
    if _is_parquet(path, source):
        return Sql("read_parquet(?, file_row_number = true)", (str(path),))
    # One thread, because several cannot read quoted line breaks together with short rows.
    return Sql(
        "read_csv(?, header = true, all_varchar = true, null_padding = true, delim = ?, "
        "quote = '\"', escape = '\"', strict_mode = true, parallel = false)",
        (str(path), source.csv.delimiter),
    )
