"""A bucket's rows as views of the connection: those that come in, and those the history holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tables.calendar import NEVER
from tables.contracts import kind_of
from tables.manifest import Bucket, Part
from tables.plans import TablePlan
from tables.split import STAGED_DEFAULTS, sql_type
from tables.sql import quoted

_STAGED = ("customer", "event_at", "source_file", *STAGED_DEFAULTS)


def view_incoming(connection: duckdb.DuckDBPyConnection, plan: TablePlan, staged: Sequence[Path]) -> None:
    """Show the split files of a bucket as one relation, whichever columns each of them left out."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for path in staged:
        groups.setdefault(tuple(pq.read_schema(path).names), []).append(str(path))
    selects = []
    for number, (present, paths) in enumerate(groups.items()):
        connection.execute(f"set variable staged_{number} = ?", (paths,))
        fields = ", ".join(
            _incoming_field(plan, name, present) for name in (*_STAGED, *plan.identity.columns)
        )
        selects.append(
            f"select {fields} from read_parquet(getvariable('staged_{number}'), hive_partitioning = false)"
        )
    connection.execute(f"create or replace temp view incoming as {' union all '.join(selects)}")


def _incoming_field(plan: TablePlan, name: str, present: Sequence[str]) -> str:
    if name in present:
        return quoted(name)
    if name in STAGED_DEFAULTS:
        return f"{STAGED_DEFAULTS[name]} as {name}"
    return f"null::{sql_type(kind_of(plan.homes[0], name))} as {quoted(name)}"


def view_stored(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    view: str,
    present: Mapping[str, Bucket],
    columns: Sequence[str],
    homes: Sequence[str] = (),
) -> None:
    """Show stored rows of several tables with the table's number, part and row of each.

    Args:
        connection: DuckDB.
        root: folder of the history.
        view: name of the view.
        present: state of the bucket per stored table that has rows.
        columns: content to show; missing where a table's file does not hold it.
        homes: tables by number, where there are several.
    """
    selects = []
    for name, bucket in present.items():
        home = homes.index(name) if homes else 0
        selects += [
            _select_part(connection, root, view, name, home, number, part, columns)
            for number, part in enumerate(bucket.parts)
        ]
        load_closures(connection, root, f"{view}_closed_{home}", bucket)
    text = " union all ".join(selects)
    connection.execute(
        f"create or replace temp view {view} as {text}" if text else f"drop view if exists {view}"
    )


def _select_part(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    view: str,
    name: str,
    home: int,
    number: int,
    part: Part,
    columns: Sequence[str],
) -> str:
    connection.execute(f"set variable {view}_{home}_{number} = ?", (str(root / part.file),))
    fields = ", ".join(
        f"rows.{quoted(column)}"
        if column in part.columns
        else f"null::{sql_type(kind_of(name, column))} as {quoted(column)}"
        for column in columns
    )
    known = "known_at" if "known_at" in part.columns else "event_at"
    until = "rows.superseded_at" if "superseded_at" in part.columns else str(NEVER)
    return (
        f"select rows.customer, rows.event_at, rows.{known} as known_at, "
        f"coalesce(closed.until, {until}) as superseded_at, {str(name == 'returns').lower()} as is_return, "
        f"{fields}, {home} as home, {number} as part, rows.file_row_number as row "
        f"from read_parquet(getvariable('{view}_{home}_{number}'), file_row_number = true) as rows "
        f"left join {view}_closed_{home} as closed on closed.part = {number} and "
        "closed.row = rows.file_row_number"
    )


def load_closures(connection: duckdb.DuckDBPyConnection, root: Path, name: str, bucket: Bucket) -> None:
    """Make a table of the ends that closures give to stored rows."""
    connection.execute(f"create or replace temp table {name} (part int, row bigint, until bigint)")
    for closure in bucket.closures:
        connection.execute(
            f"insert into {name} select part, row, superseded_at from read_parquet(?)",
            (str(root / closure.file),),
        )
    # Closings of the same row by later runs only ever come earlier in time than the ones before.
    connection.execute(
        f"create or replace temp table {name} as select part, row, min(until) as until from {name} group by all"
    )
