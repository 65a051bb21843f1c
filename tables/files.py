"""Files of a source: which there are, what they hold, and how DuckDB reads them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import duckdb

from tables.errors import DataError, SchemaError
from tables.mending import BECAUSE, MENDED, TEXT, header_of
from tables.sources import CsvFormat, Lookup, Source
from tables.sql import Sql, quoted

_CHUNK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """One file of a source, as found.

    Attributes:
        path: where it lies.
        digest: SHA-256 of its bytes.
        types: DuckDB type of each of its columns, and of each column a lookup adds.
        mended: the copy that is read instead, where DuckDB refuses the file itself.
        first: rows that are looked at; all of them where not given.
    """

    path: Path
    digest: str
    types: dict[str, str]
    mended: Path | None = None
    first: int | None = None


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
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    path: Path,
    digest: str,
    *,
    table: str,
    mended: Path | None = None,
    first: int | None = None,
) -> SourceFile:
    """Read a file's columns and check that all the source needs are there.

    Args:
        connection: DuckDB.
        source: how the file is read.
        path: the file.
        digest: SHA-256 of its bytes.
        table: the table it delivers.
        mended: a copy by :func:`tables.mending.mend` to read in its place.
        first: rows that will be looked at; all of them where not given.

    Raises:
        SchemaError: if columns are missing; names every one of them and its near misses.
        DataError: if the file is empty.
        duckdb.Error: if DuckDB cannot read it, or a row of CSV has more fields than the header.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{table}: {path} is empty. Deliver a file with a header and rows.")
    file = SourceFile(path, digest, {}, mended, first)
    types = _types(connection, _file_reader(file, source))
    own = {name: kind for name, kind in types.items() if name not in {BECAUSE, TEXT}}
    _require(_needed(source), own, where=f"{table}: {path}")
    if not mended and is_csv(path, source) and len(types) > len(header_of(path, source.csv, table=table)):
        raise duckdb.InvalidInputException("rows have more fields than the header")
    for number, lookup in enumerate(source.lookups):
        types |= _lookup_types(connection, number, lookup, source, table=table)
    return replace(file, types=types)


def relation(source: Source, file: SourceFile) -> Sql:
    """Return the rows of a file with ``row number`` (from 1) and the columns of its lookups."""
    head = "" if file.first is None else f" limit {file.first}"
    rows = Sql.of(
        f"select *, {_row_number(file, source)} as {quoted('row number')} from {{}}{head}",
        _file_reader(file, source),
    )
    for number, lookup in enumerate(source.lookups):
        rows = _joined(rows, number, lookup, source)
    return rows


def lines_inside_quotes(source: Source, file: SourceFile, rows: int) -> int:
    """Return how many lines of a CSV file did not begin a row: text with line breaks, or a quote never closed.

    Args:
        source: how the file is read.
        file: the file.
        rows: rows read from it.
    """
    if not is_csv(file.path, source):
        return 0
    with (file.mended or file.path).open("rb") as lines:
        filled = sum(1 for line in lines if line.strip())
    return max(filled - 1 - rows, 0)


def is_csv(path: Path, source: Source) -> bool:
    """Say whether a file is read as CSV; the rest is Parquet."""
    return source.format == "csv" or (source.format == "auto" and path.suffix not in {".parquet", ".pq"})


def unreadable(where: str, error: duckdb.Error) -> DataError:
    """Return the one line that says why DuckDB cannot read a file."""
    reason = str(error).splitlines()[0].rstrip(". ")
    return DataError(f"{where} cannot be read; {reason}. Check the file's format and delimiter.")


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
    try:
        types = _types(connection, _reader(path, source))
    except duckdb.Error as error:
        raise unreadable(f"{table}: lookup {path}", error) from error
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
    near = {column: get_close_matches(column, types, n=1, cutoff=0.7) for column in missing}
    hints = "".join(f" Did you mean {close[0]!r} for {column!r}?" for column, close in near.items() if close)
    names = ", ".join(map(repr, missing))
    noun = "column" if len(missing) == 1 else "columns"
    raise SchemaError(
        f"{where}: no {noun} {names}; found {sorted(types)}.{hints} Correct the mapping or the file."
    )


def _types(connection: duckdb.DuckDBPyConnection, reader: Sql) -> dict[str, str]:
    rows = connection.execute(f"describe select * from {reader.text}", reader.values).fetchall()
    return {name: kind for name, kind, *_ in rows if name != "file_row_number"}


def _row_number(file: SourceFile, source: Source) -> str:
    return "row_number() over ()" if is_csv(file.path, source) else "file_row_number + 1"


def _file_reader(file: SourceFile, source: Source) -> Sql:
    return _csv_reader(file.mended, MENDED) if file.mended else _reader(file.path, source)


def _reader(path: Path, source: Source) -> Sql:
    if is_csv(path, source):
        return _csv_reader(path, source.csv)
    return Sql("read_parquet(?, file_row_number = true)", (str(path),))


def _csv_reader(path: Path, form: CsvFormat) -> Sql:
    # One thread, because several cannot read quoted line breaks together with short rows.
    return Sql(
        "read_csv(?, header = true, all_varchar = true, null_padding = true, delim = ?, "
        "quote = '\"', escape = ?, strict_mode = true, parallel = false)",
        (str(path), form.delimiter, form.escape),
    )
