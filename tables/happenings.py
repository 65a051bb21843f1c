"""Instants of a record that its own row does not hold: so long after it began, or told by other rows of a log."""

from collections.abc import Sequence

from tables.calendar import NEVER
from tables.checks import Reason
from tables.contracts import Column, Kind, Table
from tables.files import SourceFile
from tables.sources import Source
from tables.sql import Sql, quoted
from tables.typed import read_as


def fields_needed(source: Source, file: SourceFile) -> list[Sql]:
    """List what the instants are made of, as fields over a file's own columns."""
    fields = []
    for name, duration in source.durations.items():
        lasts = read_as(Column(name, Kind.NUMBER), duration.column, source, file)
        fields.append(Sql.of(f"{{}} as {_lasts(name)}", lasts.value()))
        fields.append(Sql(f"{lasts.given} as {quoted('given ' + name)}"))
    for name, condition in source.happenings.items():
        fields.append(Sql.of(f"({{}}) as {_tells(name)}", condition.sql()))
    return fields


def with_instants(rows: Sql, table: Table, source: Source) -> Sql:
    """Add the instants to parsed rows that are placed in time.

    A happening is the first row of the same customer and key in ``[the record's own time, its end)``, and
    counts from when it was known. Rows without customer, key or time tell nothing.
    """
    begin = quoted(table.time)
    if source.durations:
        ends = (
            f"{duration.instant(begin, _lasts(name))} as {quoted(name)}"
            for name, duration in source.durations.items()
        )
        rows = Sql.of(f"select *, {', '.join(ends)} from ({{}})", rows)
    return Sql.of(_first_happenings(table, source), rows) if source.happenings else rows


def reasons_of_instants(source: Source) -> tuple[Reason, ...]:
    """List why a row is bad whose duration cannot be read or lies below 0."""
    return tuple(
        Reason(f"unreadable_{name}", f"{quoted('given ' + name)} and {quoted(name)} is null")
        for name in source.durations
    )


def problems_of_instants(table: Table, source: Source) -> list[str]:
    """Say what is wrong with the durations and happenings of a mapping."""
    where = f"{table.name}: mapping"
    problems = []
    for section, names in (("durations", source.durations), ("happenings", source.happenings)):
        wrong = sorted(name for name in names if name not in _instants(table))
        if wrong:
            problems.append(
                f"{where}: {section}: {wrong} are no instants besides {table.time!r}; "
                f"found {_instants(table)}. Name one of these."
            )
    early = sorted(
        name for name in source.happenings if name in _instants(table) and table.column(name).since != name
    )
    if early:
        problems.append(
            f"{where}: happenings: {early} are known with the row itself, which no later row can tell. "
            "Map them from a column, or by durations."
        )
    lacking = sorted(set(_shared(table)) - source.filled()) if source.happenings else []
    if source.happenings and (lacking or not table.key):
        problems.append(
            f"{where}: happenings: rows of one record share customer and key, {_shared(table)}; "
            f"found no {', '.join(lacking) or 'key in this table'}. Map them."
        )
    return problems


def _first_happenings(table: Table, source: Source) -> str:
    """Write the join of records with the later rows that tell of them; ``{}`` stands for the parsed rows."""
    begin, names = quoted(table.time), source.happenings
    known = f"greatest(log.{begin}, log.known_at)" if "known_at" in source.filled() else f"log.{begin}"
    firsts = ", ".join(f"min({known}) filter (log.{_tells(name)}) as {quoted(name)}" for name in names)
    keys = [quoted(name) for name in _shared(table)]
    same = [f"record.{key} = log.{key}" for key in ("customer_raw", *keys)]
    same.append(f"log.{begin} >= record.{begin}")
    if table.ends in source.filled():
        same.append(f"log.{begin} < coalesce(record.{quoted(table.ends)}, {NEVER})")
    return (
        f"with parsed as materialized ({{}}), first_told as (select record.{quoted('row number')} as record, {firsts} "
        f"from parsed as record join parsed as log on {' and '.join(same)} "
        f"where record.removed = 0 and ({' or '.join(f'log.{_tells(name)}' for name in names)}) group by 1) "
        f"select parsed.*, {', '.join(quoted(name) for name in names)} "
        f"from parsed left join first_told on parsed.{quoted('row number')} = first_told.record"
    )


def _shared(table: Table) -> Sequence[str]:
    return [name for name in table.key if name != table.time]


def _instants(table: Table) -> list[str]:
    return [
        column.name for column in table.columns if column.kind is Kind.INSTANT and column.name != table.time
    ]


def _lasts(name: str) -> str:
    return quoted(f"lasts {name}")


def _tells(name: str) -> str:
    return quoted(f"tells {name}")
