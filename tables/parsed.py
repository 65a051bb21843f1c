"""A source's file as a relation of parsed rows: filtered, typed, placed in time, and judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from tables.calendar import BusinessCalendar
from tables.checks import Reason, any_reason, reasons
from tables.contracts import MONEY_SCALE, MOST_STORED, Column, Kind, Table, columns_of
from tables.errors import SchemaError
from tables.files import SourceFile, relation
from tables.happenings import fields_needed, problems_of_instants, reasons_of_instants, with_instants
from tables.mending import BECAUSE, FAULTS
from tables.sources import Source
from tables.sql import Sql, quoted
from tables.typed import Mapped, id_text, mapped
from tables.zones import offsets

_KNOWN_AT = Column("known_at", Kind.INSTANT)
_RETURNS = "(coalesce(is_return, 0) = 1 or returned)"


def fails(number: int) -> str:
    """Name the column that says whether a row fails the n-th filter, counted from 1."""
    return quoted(f"fails {number}")


@dataclass(frozen=True)
class ParsedFile:
    """One file ready to be counted, quarantined and split.

    Attributes:
        table: contract of the table it delivers.
        source: how it is read.
        file: what was found.
        rows: SQL of its parsed rows.
        reasons: what makes a row bad.
        customer: how the customer's id is read, if the table has customers.
        known_since: the instant from which all rows of a static source count as known.
        is_clean: counting found no bad row, so the checks need not run again.
    """

    table: Table
    source: Source
    file: SourceFile
    rows: Sql
    reasons: tuple[Reason, ...]
    customer: Mapped | None
    known_since: int | None = None
    is_clean: bool = False

    def maps(self, column: str) -> bool:
        """Say whether the source fills a canonical column."""
        return column in self.source.filled()

    @property
    def is_bad(self) -> str:
        """SQL that is true for a row no filter removed and a check refuses."""
        return "false" if self.is_clean else f"(removed = 0 and ({any_reason(self.reasons)}))"

    @property
    def has_returns(self) -> bool:
        """Whether any row may be a return."""
        return bool(self.source.returns) or self.maps("is_return")

    def customer_sql(self, raw: str) -> str:
        """Return SQL for the text of a raw customer id."""
        return id_text(raw, self.customer.kind) if self.customer else "null::varchar"


def parse(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    source: Source,
    file: SourceFile,
    *,
    calendar: BusinessCalendar,
    now: int,
) -> ParsedFile:
    """Describe how a file's rows become canonical rows.

    Raises:
        SchemaError: if the mapping names unknown columns, lacks required ones, or maps a time from numbers.
    """
    check_mapping(table, source)
    parts = [
        found
        for column in (*table.columns, _KNOWN_AT)
        if (found := mapped(column, source, file, calendar.time_zone)) is not None
    ]
    _check_times(table, parts, file)
    customer = mapped(Column("customer_id", Kind.TEXT), source, file) if table.has_customer else None
    first = _first_layer(source, file, parts, customer)
    placed = _placed(connection, first, parts, calendar)
    computed = Sql.of(
        f"select * replace ({_RETURNS} as is_return), {_removed(source, file)} as removed, "
        f"{_amount(parts)} as computed_amount from ({{}})",
        placed,
    )
    judged = (*reasons(table, parts, now=now), *reasons_of_instants(source))
    if table.name == "orders" and not any(part.column.name == "amount" for part in parts):
        too_large = Reason("extreme_amount", f"computed_amount > {MOST_STORED}")
        judged = (*judged, Reason("missing_amount", "computed_amount is null"), too_large)
    if file.mended:
        judged = _with_faults(judged)
    return ParsedFile(table, source, file, with_instants(computed, table, source), judged, customer)


def check_mapping(table: Table, source: Source) -> None:
    """Refuse a mapping that names columns the table does not have, or lacks some it needs.

    Raises:
        SchemaError: naming all of them.
    """
    given = source.filled()
    problems = [
        str(SchemaError.missing_column(name, table=f"{table.name}: mapping", found=table.names()))
        for name in sorted(given - set(table.names()))
    ]
    lacking = [
        name for name in table.required() if name not in given and not _holds_ever(name, table, source)
    ]
    if table.name == "orders" and "amount" not in given and not {"quantity", "unit_price"} <= given:
        lacking.append("amount (or quantity and unit_price)")
    texts = sorted(column.name for column in table.columns if column.kind is Kind.TEXT)
    problems += problems_of_instants(table, source)
    problems += [
        f"{table.name}: mapping: constant {name!r} is no text column; found {texts}. Map it from the file."
        for name in sorted(set(source.constants) - set(texts))
    ]
    if lacking:
        problems.append(
            f"{table.name}: mapping: lacks {', '.join(lacking)}; found {sorted(given)}. Map them."
        )
    if problems:
        raise SchemaError("\n".join(problems))


def _holds_ever(name: str, table: Table, source: Source) -> bool:
    return source.static and table.has_customer and name == table.time


def content_columns(table: str, sources: Sequence[Source]) -> tuple[str, ...]:
    """List the stored columns that at least one of a table's sources fills, in the contract's order."""
    given = {name for source in sources for name in source.filled()}
    if table == "orders":
        given |= {"amount"}
        return tuple(column.name for column in columns_of("lines") if column.name in given)
    return tuple(column.name for column in columns_of(table) if column.name in given)


def _check_times(table: Table, parts: Sequence[Mapped], file: SourceFile) -> None:
    wrong = [
        f"{table.name}: {file.path}: the column of {part.column.name} is {part.kind}, which is no time. "
        "Map a column of timestamps, dates or text, or say by `times: {unit, origin}` what its numbers count."
        for part in parts
        if (part.column.kind is Kind.INSTANT or part.is_day)
        and not (part.is_text or part.is_time or (part.is_counted and part.kind != "BOOLEAN"))
    ]
    if wrong:
        raise SchemaError("\n".join(wrong))


def _first_layer(source: Source, file: SourceFile, parts: Sequence[Mapped], customer: Mapped | None) -> Sql:
    fields = [Sql(quoted("row number")), _returned(source), *_fails(source)]
    if customer:
        fields.append(Sql(f"{customer.raw} as customer_raw"))
        fields.append(Sql(f"{customer.given} as {quoted('given customer_id')}"))
    for part in parts:
        fields.append(Sql.of(f"{{}} as {quoted(part.column.name)}", part.value()))
        fields.append(Sql(f"{part.given} as {quoted('given ' + part.column.name)}"))
        zoned = part.zoned() if part.column.kind is Kind.INSTANT else None
        if zoned:
            fields.append(Sql.of(f"{{}} as {quoted('zoned ' + part.column.name)}", zoned))
    fields += fields_needed(source, file)
    for name, text in source.constants.items():
        fields.append(Sql(f"?::varchar as {quoted(name)}", (text,)))
    if file.mended:
        fields.append(Sql(quoted(BECAUSE)))
    if "is_return" not in {part.column.name for part in parts}:
        fields.append(Sql("null::tinyint as is_return"))
    return Sql.of("select {} from ({})", Sql.join(", ", fields, "*"), relation(source, file))


def _fails(source: Source) -> list[Sql]:
    return [
        Sql.of(f"not ({{}}) as {fails(number)}", predicate.sql())
        for number, predicate in enumerate(source.filters, start=1)
    ]


def _removed(source: Source, file: SourceFile) -> str:
    """Number the first filter a row fails, 0 for a row that is kept; no filter judges a row that is unreadable."""
    whens = [f"when {fails(number)} then {number}" for number in range(1, len(source.filters) + 1)]
    if file.mended:
        whens.insert(0, f"when {quoted(BECAUSE)} is not null then 0")
    return f"(case {' '.join(whens)} else 0 end)::smallint" if whens else "0::smallint"


def _with_faults(judged: Sequence[Reason]) -> tuple[Reason, ...]:
    """Let a row that cannot be read be bad for that reason alone."""
    because = quoted(BECAUSE)
    read = (Reason(one.name, f"{because} is null and ({one.claim})") for one in judged)
    return (*(Reason(fault, f"{because} = '{fault}'") for fault in FAULTS), *read)


def _returned(source: Source) -> Sql:
    return Sql.of("({}) as returned", Sql.join(" or ", [claim.sql() for claim in source.returns], "false"))


def _amount(parts: Sequence[Mapped]) -> str:
    names = {part.column.name for part in parts}
    exact = f"quantity::double * unit_price / {MONEY_SCALE}"
    product = f"round(case when abs({exact}) > {MOST_STORED} then {MOST_STORED + 1} else {exact} end)::bigint"
    if "amount" in names:
        return "amount"
    return product if {"quantity", "unit_price"} <= names else "null::bigint"


def _placed(
    connection: duckdb.DuckDBPyConnection, first: Sql, parts: Sequence[Mapped], calendar: BusinessCalendar
) -> Sql:
    """Turn local times into instants, with the zone's changes between the earliest and the latest."""
    local = [part for part in parts if part.column.kind is Kind.INSTANT and not part.is_utc]
    if not local:
        return first
    if calendar.time_zone == "UTC" and not any(part.zoned() for part in local):
        return first
    replaced = []
    for part, (low, high) in zip(local, _spans(connection, first, local), strict=True):
        name = quoted(part.column.name)
        utc = offsets(calendar.time_zone, low, high).to_utc(name) if low is not None else name
        zoned = part.zoned()
        value = f"coalesce({quoted('zoned ' + part.column.name)}, {utc})" if zoned else utc
        replaced.append(f"{value} as {name}")
    return Sql.of(f"select * replace ({', '.join(replaced)}) from ({{}})", first)


def _spans(
    connection: duckdb.DuckDBPyConnection, first: Sql, local: Sequence[Mapped]
) -> list[tuple[int | None, int]]:
    names = [quoted(part.column.name) for part in local]
    spans = ", ".join(f"min({name}), max({name})" for name in names)
    (values,) = connection.execute(f"select {spans} from ({first.text})", first.values).fetchall()
    return list(zip(values[::2], values[1::2], strict=True))
