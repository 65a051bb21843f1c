"""The canonical columns of a source's rows as SQL: text trimmed, money in fixed point, times in microseconds."""

from dataclasses import dataclass

from tables.calendar import DAY
from tables.contracts import MONEY_SCALE, Column, Kind
from tables.files import SourceFile, lookup_column
from tables.sources import Source
from tables.sql import Sql, quoted

_ZONED = r"'\d\d:\d\d.*(Z|z|[+-]\d\d(:?\d\d)?)$'"


@dataclass(frozen=True)
class Mapped:
    """One canonical column read from one column of a file.

    Attributes:
        column: the contract's column.
        raw: quoted name of the file's column.
        kind: DuckDB type of the file's column.
        source: how its values are written.
        time_zone: zone of the business.
    """

    column: Column
    raw: str
    kind: str
    source: Source
    time_zone: str = "UTC"

    @property
    def is_text(self) -> bool:
        """Whether the file holds text, which may be anything."""
        return self.kind == "VARCHAR"

    @property
    def may_be_unreadable(self) -> bool:
        """Whether the file may hold a value that cannot be stored."""
        if self.column.kind in {Kind.TEXT, Kind.CONTACT}:
            return False
        return self.is_text or self.is_counted or self.kind in {"DOUBLE", "FLOAT", "HUGEINT"}

    @property
    def given(self) -> str:
        """SQL that is true where the file holds a value."""
        return f"nullif(trim({self.raw}), '') is not null" if self.is_text else f"{self.raw} is not null"

    @property
    def is_time(self) -> bool:
        """Whether the file's own type is one of times."""
        return self.kind == "DATE" or self.kind.startswith("TIMESTAMP")

    @property
    def is_counted(self) -> bool:
        """Whether the file writes instants as numbers since an origin."""
        return self.column.kind is Kind.INSTANT and self.source.times is not None and not self.is_time

    @property
    def is_day(self) -> bool:
        """Whether the file's times are stored as a number: local days since 1970-01-01."""
        return self.column.name == "number" and "date" in self.source.values.values()

    @property
    def is_utc(self) -> bool:
        """Whether an instant of this column needs no zone."""
        return self.is_counted or self.kind == "TIMESTAMP WITH TIME ZONE"

    def value(self) -> Sql:
        """Return the value in stored form, null where it cannot be read; instants are still local."""
        match self.column.kind:
            case Kind.TEXT | Kind.CONTACT:
                return Sql(id_text(self.raw, self.kind))
            case Kind.MONEY | Kind.QUANTITY:
                return Sql(f"try_cast(round({self._number()} * {MONEY_SCALE}) as bigint)")
            case Kind.FLAG:
                return Sql(self._flag())
            case Kind.INSTANT:
                return self._local()
            case _ if self.is_day:
                return Sql.of(f"floor({{}} / {DAY}.0)", self._local())
            case _:
                return Sql(f"nullif({self._number()}, 'nan'::double)")

    def zoned(self) -> Sql | None:
        """Return the instant of a text that names its own zone, null for the others."""
        if not self.is_text or self.is_counted or self.source.csv.timestamp_format:
            return None
        return Sql(
            f"case when regexp_matches({self.raw}, {_ZONED}) "
            f"then epoch_us(try_cast({self.raw} as timestamptz)) end"
        )

    def _number(self) -> str:
        if not self.is_text:
            return f"{self.raw}::double"
        text = f"trim({self.raw})"
        if self.source.csv.decimal == ",":
            text = f"replace(replace({text}, '.', ''), ',', '.')"
        return f"try_cast({text} as double)"

    def _flag(self) -> str:
        if not self.is_text:
            return f"({self.raw}::double <> 0)::tinyint" if self.kind != "BOOLEAN" else f"{self.raw}::tinyint"
        return (
            f"case when lower(trim({self.raw})) in ('1', 'true', 't', 'yes', 'y') then 1::tinyint "
            f"when lower(trim({self.raw})) in ('0', 'false', 'f', 'no', 'n') then 0::tinyint end"
        )

    def _local(self) -> Sql:
        if self.source.times and self.is_counted:
            return Sql(self.source.times.instant(self._number(), self.time_zone))
        if self.is_utc:
            return Sql(f"epoch_us({self.raw})")
        if not self.is_text:
            return Sql(f"epoch_us(try_cast({self.raw} as timestamp))")
        if self.source.csv.timestamp_format:
            return Sql(f"epoch_us(try_strptime(trim({self.raw}), ?))", (self.source.csv.timestamp_format,))
        return Sql(
            f"case when not regexp_matches({self.raw}, {_ZONED}) "
            f"then epoch_us(try_cast(trim({self.raw}) as timestamp)) end"
        )


def mapped(column: Column, source: Source, file: SourceFile, time_zone: str = "UTC") -> Mapped | None:
    """Return how a canonical column is read from a file, or nothing if the source does not map it."""
    name = _column_of(column.name, source)
    return None if name is None else read_as(column, name, source, file, time_zone)


def read_as(column: Column, name: str, source: Source, file: SourceFile, time_zone: str = "UTC") -> Mapped:
    """Return how a file's column is read as a canonical one; NaN is missing as null is."""
    kind = file.types[name]
    raw = f"nullif({quoted(name)}, 'nan')" if kind in {"DOUBLE", "FLOAT"} else quoted(name)
    return Mapped(column, raw, kind, source, time_zone)


def id_text(raw: str, kind: str) -> str:
    """Return SQL for an id as text: trimmed, empty as missing, whole numbers without a trailing ``.0``."""
    return f"nullif(trim({raw}), '')" if kind == "VARCHAR" else _as_text(raw, kind)


def _column_of(name: str, source: Source) -> str | None:
    if name in source.columns:
        return source.columns[name]
    for number, lookup in enumerate(source.lookups):
        if name in lookup.columns:
            return lookup_column(number, lookup.columns[name])
    return None


def _as_text(raw: str, kind: str) -> str:
    if kind in {"DOUBLE", "FLOAT"}:
        return f"coalesce(case when {raw} = trunc({raw}) then try_cast({raw} as bigint) end::varchar, {raw}::varchar)"
    return f"{raw}::varchar"
