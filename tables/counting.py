"""Counting a source's rows before anything is written, and putting the bad ones aside."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tables.checks import reasons_list
from tables.errors import DataError
from tables.files import relation
from tables.mending import FAULTS
from tables.parsed import ParsedFile, fails
from tables.report import FilterCount, SourceReport
from tables.sql import Sql, quoted

_EXAMPLES = 3


@dataclass(frozen=True)
class FileCounts:
    """What one pass over a file found.

    Attributes:
        rows: rows read.
        matches: rows that fail each filter on its own.
        removed: rows for which each filter is the first they fail.
        returns: good rows that are returns.
        bad: rows a check refuses.
        reasons: rows per reason.
        last_at: latest time of a good row.
        first_order_at: earliest time of a good row that is no return.
        last_order_at: latest time of a good row that is no return.
        currencies: the least and the greatest currency named by good rows.
    """

    rows: int
    matches: tuple[int, ...]
    removed: tuple[int, ...]
    returns: int
    bad: int
    reasons: Mapping[str, int]
    last_at: int | None
    first_order_at: int | None
    last_order_at: int | None
    currencies: tuple[str | None, str | None]


def count_file(connection: duckdb.DuckDBPyConnection, parsed: ParsedFile) -> FileCounts:
    """Count a file's rows by what will become of them.

    Raises:
        DataError: if it is a file of orders without rows.
        duckdb.Error: if it cannot be read to its end.
    """
    row = _counted(connection, parsed)
    where = f"{parsed.table.name}: {parsed.file.path}"
    # A day may pass without a ticket; without an order something else is wrong.
    if row["rows"] == 0 and parsed.table.name == "orders":
        raise DataError(f"{where} has no rows under its header. Deliver a file with rows.")
    numbers = range(1, len(parsed.source.filters) + 1)
    return FileCounts(
        rows=row["rows"],
        matches=tuple(row[f"matches {number}"] for number in numbers),
        removed=tuple(row[f"removed {number}"] for number in numbers),
        returns=row["returns"],
        bad=row["bad"],
        reasons=_reason_counts(connection, parsed) if row["bad"] else {},
        last_at=row["last_at"],
        first_order_at=row["first_order_at"],
        last_order_at=row["last_order_at"],
        currencies=(row["low_currency"], row["high_currency"]),
    )


def _counted(connection: duckdb.DuckDBPyConnection, parsed: ParsedFile) -> dict[str, Any]:
    good = f"removed = 0 and not {parsed.is_bad}"
    at = quoted(parsed.table.time) if parsed.maps(parsed.table.time) else "null::bigint"
    currency = "currency" if parsed.maps("currency") else "null::varchar"
    counts = {"returns": f"{good} and is_return", "bad": parsed.is_bad}
    for number in range(1, len(parsed.source.filters) + 1):
        counts[f"matches {number}"] = fails(number)
        counts[f"removed {number}"] = f"removed = {number}"
    fields = [
        "count(*) as rows",
        *(f"count(*) filter ({claim}) as {quoted(name)}" for name, claim in counts.items()),
    ]
    fields += [
        f"max({at}) filter ({good}) as last_at",
        f"min({at}) filter ({good} and not is_return) as first_order_at",
        f"max({at}) filter ({good} and not is_return) as last_order_at",
        f"min({currency}) filter ({good}) as low_currency",
        f"max({currency}) filter ({good}) as high_currency",
    ]
    query = Sql.of(f"select {', '.join(fields)} from ({{}})", parsed.rows)
    result = connection.execute(query.text, query.values)
    names = [str(column[0]) for column in result.description or ()]
    (values,) = result.fetchall()
    return dict(zip(names, values, strict=True))


def _reason_counts(connection: duckdb.DuckDBPyConnection, parsed: ParsedFile) -> dict[str, int]:
    fields = [f"count(*) filter (removed = 0 and ({reason.claim}))" for reason in parsed.reasons]
    query = Sql.of(f"select {', '.join(fields)} from ({{}})", parsed.rows)
    (counts,) = connection.execute(query.text, query.values).fetchall()
    return {reason.name: count for reason, count in zip(parsed.reasons, counts, strict=True)}


def describe(sources: Sequence[ParsedFile], counts: Sequence[FileCounts]) -> SourceReport:
    """Add up the counts of one source's files."""
    first = sources[0]
    report = SourceReport(table=first.table.name, path=first.source.path, files=len(sources))
    report.rows = sum(count.rows for count in counts)
    report.returns = sum(count.returns for count in counts)
    report.bad_rows = sum(count.bad for count in counts)
    for number, predicate in enumerate(first.source.filters):
        report.filters[predicate.name] = FilterCount(
            sum(count.matches[number] for count in counts), sum(count.removed[number] for count in counts)
        )
    # Files of one source may differ in what can be wrong with them: text that is no number is a matter of CSV.
    for name in dict.fromkeys(name for count in counts for name in count.reasons):
        found = sum(count.reasons.get(name, 0) for count in counts)
        if found:
            report.quarantined[name] = found
    return report


def too_many_bad(
    connection: duckdb.DuckDBPyConnection, report: SourceReport, files: Sequence[ParsedFile], limit: float
) -> str | None:
    """Describe a source with more bad rows than allowed, with counts per reason and example positions."""
    if report.bad_rows <= limit * report.rows:
        return None
    counts = ", ".join(f"{name} {count}" for name, count in sorted(report.quarantined.items()))
    examples = []
    for parsed in files:
        query = Sql.of(
            f"select {quoted('row number')} from ({{}}) where {parsed.is_bad} order by 1 limit {_EXAMPLES}",
            parsed.rows,
        )
        found = connection.execute(query.text, query.values).fetchall()
        examples += [f"{parsed.file.path.name} row {row}" for (row,) in found]
    advice = "".join(f"{FAULTS[name]} " for name in sorted(report.quarantined) if name in FAULTS)
    return (
        f"{report.table}: {report.path}: {report.bad_rows} of {report.rows} rows are bad, allowed is a share of "
        f"{limit:g}; {counts}; for example {', '.join(examples[:_EXAMPLES])}. "
        f"{advice}Mend the source or its mapping, filter such rows by name, or raise bad_row_limit."
    )


def quarantine(connection: duckdb.DuckDBPyConnection, parsed: ParsedFile, root: Path) -> str:
    """Write a file's bad rows with their reasons and positions; return where, relative to the root."""
    # Several sources may read one file: an attribute each.
    part = re.sub(r"\W+", "_", "".join(f" {name}" for name in parsed.source.values))
    name = f"quarantine/{parsed.table.name}/{parsed.file.path.stem}-{parsed.file.digest[:12]}{part}.parquet"
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    listed = reasons_list(parsed.reasons)
    judged = Sql.of(
        f"select {quoted('row number')} as source_row, {{}} as reasons from ({{}}) where {parsed.is_bad}",
        listed,
        parsed.rows,
    )
    query = Sql.of(
        "copy (select ? as source_file, source_row, reasons, raw.* exclude ("
        f"{quoted('row number')}) from ({{}}) as judged join ({{}}) as raw on judged.source_row = "
        f"raw.{quoted('row number')} order by source_row) to ? (format parquet, compression zstd)",
        judged,
        relation(parsed.source, parsed.file),
    )
    connection.execute(query.text, (parsed.file.path.name, *query.values, str(target)))
    return name
