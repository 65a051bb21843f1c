"""From files to buckets: the dictionary of customers, and each file's rows split by bucket."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from tables.contracts import Kind, kind_of
from tables.manifest import Manifest, Part
from tables.parsed import ParsedFile
from tables.parts import first_to_merge, write_part
from tables.sources import IngestSettings
from tables.sql import Sql, quoted

STAGED_DEFAULTS = {"known_given": "null::bigint", "removed": "0::smallint", "is_return": "false"}
"""What a split file says of every row by leaving the column out."""

_TYPES = {
    Kind.TEXT: "varchar",
    Kind.CONTACT: "varchar",
    Kind.FLAG: "tinyint",
    Kind.NUMBER: "double",
}
_UNSIGNED = {"amount", "quantity", "discount", "cost", "shipping"}


@dataclass(frozen=True)
class Dictionary:
    """Customers and their keys after an ingest.

    Attributes:
        parts: files of the dictionary, the new one last.
        customers: number of customers.
        buckets: number of buckets.
    """

    parts: tuple[Part, ...]
    customers: int
    buckets: int


def sql_type(kind: Kind) -> str:
    """Return the SQL type in which values of a kind are stored."""
    return _TYPES.get(kind, "bigint")


def extend_dictionary(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[ParsedFile],
    *,
    root: Path,
    previous: Manifest,
    settings: IngestSettings,
) -> Dictionary:
    """Give every customer not met before the next key, in sorted order of ids.

    Leaves a table ``dictionary (customer_id, key)`` in the connection.
    """
    connection.execute("create or replace temp table dictionary (customer_id varchar, key bigint)")
    offset = 0
    for part in previous.dictionary:
        connection.execute(
            "insert into dictionary select customer_id, ? + file_row_number "
            "from read_parquet(?, file_row_number = true)",
            (offset, str(root / part.file)),
        )
        offset += part.rows
    new = _new_customers(connection, files)
    parts = previous.dictionary
    if new.num_rows:
        connection.register("newcomers", new)
        connection.execute(
            "insert into dictionary select customer_id, ? + row_number() over (order by customer_id) - 1 "
            "from newcomers",
            (offset,),
        )
        connection.unregister("newcomers")
        parts = _grown(connection, root, previous, settings.merge_ratio)
    total = offset + new.num_rows
    return Dictionary(parts, total, _buckets(previous.buckets, total, settings.customers_per_bucket))


def _grown(
    connection: duckdb.DuckDBPyConnection, root: Path, previous: Manifest, ratio: float
) -> tuple[Part, ...]:
    """Write the new customers, and with them those of older files that have become small beside the newer."""
    counts = [part.rows for part in previous.dictionary]
    ((total,),) = connection.execute("select count(*) from dictionary").fetchall()
    first = min(first_to_merge([*counts, total - sum(counts)], ratio), len(counts))
    ids = connection.sql(
        f"select customer_id from dictionary where key >= {sum(counts[:first])} order by key"
    ).to_arrow_table()
    file = f"dictionary/{previous.generation + 1:06d}.parquet"
    return (*previous.dictionary[:first], write_part(root, file, ids))


def _buckets(before: int, customers: int, limit: int) -> int:
    """Choose the number of buckets: once there are some it only ever doubles, so that each one is parted alone.

    Examples:
        >>> _buckets(0, 130_000, 64_000), _buckets(3, 192_000, 64_000), _buckets(3, 192_001, 64_000)
        (3, 3, 6)
    """
    buckets = before or max(1, -(-customers // limit))
    while customers > buckets * limit:
        buckets *= 2
    return buckets


def split_file(
    connection: duckdb.DuckDBPyConnection,
    parsed: ParsedFile,
    number: int,
    *,
    columns: Sequence[str],
    buckets: int,
    folder: Path,
) -> None:
    """Write a file's good and filtered rows into one folder per bucket.

    Filtered rows travel along: they decide which repetitions are counted, and a correction may be filtered
    where its first version was not. Those without a known customer go to a bucket of their own.

    Args:
        connection: DuckDB with the table ``dictionary``.
        parsed: the file.
        number: position of the file among all files of the table in this run, oldest first.
        columns: content columns of the table.
        buckets: number of buckets.
        folder: where ``bucket=N`` folders are made.
    """
    good = Sql.of(f"select * from ({{}}) where not {parsed.is_bad}", parsed.rows)
    key, joined = "0", good
    if parsed.customer:
        _raw_keys(connection, parsed, good)
        how = "left" if parsed.source.filters else "inner"
        key = "key"
        joined = Sql.of(
            f"select rows.*, raw_keys.key from ({{}}) as rows {how} join raw_keys "
            "on rows.customer_raw = raw_keys.customer_raw",
            good,
        )
    fields = ", ".join(_staged_fields(parsed, number, key, buckets, columns))
    query = Sql.of(
        f"copy (select {fields} from ({{}})) to ? (format parquet, partition_by (bucket), compression lz4, "
        f"filename_pattern 'file{number}_{{i}}', overwrite_or_ignore true)",
        joined,
    )
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute(query.text, (*query.values, str(folder)))


def _staged_fields(
    parsed: ParsedFile, number: int, key: str, buckets: int, columns: Sequence[str]
) -> list[str]:
    """List what is split; a column that says the same of every row is left out."""
    fields = [
        f"coalesce({key} % {buckets}, {buckets})::int as bucket",
        f"coalesce({key} // {buckets}, -1)::int as customer",
        f"{_at(parsed)} as event_at",
        f"{number}::int as source_file",
    ]
    optional = {
        "known_at as known_given": parsed.maps("known_at"),
        f"{parsed.known_since}::bigint as known_given": parsed.known_since is not None,
        "removed": bool(parsed.source.filters),
        "is_return": parsed.has_returns,
    }
    fields += [name for name, is_needed in optional.items() if is_needed]
    computes_amount = parsed.table.name == "orders"
    return fields + [
        _field(parsed, name)
        for name in columns
        if parsed.maps(name) or (name == "amount" and computes_amount)
    ]


def _new_customers(connection: duckdb.DuckDBPyConnection, files: Sequence[ParsedFile]) -> pa.Table:
    connection.execute("create or replace temp table met (customer_id varchar)")
    for parsed in files:
        if parsed.customer is None:
            continue
        query = Sql.of(
            f"insert into met select {parsed.customer_sql('customer_raw')} from (select distinct customer_raw "
            f"from ({{}}) where removed = 0 and not {parsed.is_bad})",
            parsed.rows,
        )
        connection.execute(query.text, query.values)
    return connection.sql(
        "select distinct customer_id from met where customer_id is not null "
        "and customer_id not in (select customer_id from dictionary) order by customer_id"
    ).to_arrow_table()


def _raw_keys(connection: duckdb.DuckDBPyConnection, parsed: ParsedFile, good: Sql) -> None:
    """Find the key of every raw id once, so that rows are joined on the file's own type."""
    query = Sql.of(
        "create or replace temp table raw_keys as select customer_raw, key from (select distinct customer_raw "
        f"from ({{}})) join dictionary on {parsed.customer_sql('customer_raw')} = customer_id",
        good,
    )
    connection.execute(query.text, query.values)


def _at(parsed: ParsedFile) -> str:
    if not parsed.maps(parsed.table.time):
        return "0::bigint"
    at = quoted(parsed.table.time)
    return f"coalesce({at}, 0)" if parsed.table.name == "customers" else at


def _field(parsed: ParsedFile, name: str) -> str:
    kind = sql_type(kind_of("lines" if parsed.table.name == "orders" else parsed.table.name, name))
    value = "computed_amount" if name == "amount" and parsed.table.name == "orders" else quoted(name)
    if parsed.has_returns and name in _UNSIGNED:
        value = f"case when is_return then abs({value}) else {value} end"
    return f"{value}::{kind} as {quoted(name)}"
