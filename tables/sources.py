"""Where a table comes from: files, the mapping of their columns, and which rows are kept."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tables.elapsed import Duration, Times
from tables.sql import COMPARISONS, Sql, quoted

Value = str | int | float | bool


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Condition(_Frozen):
    """A claim about a row of the source: a column and exactly one operator.

    Attributes:
        column: column of the source.
        equals: the text of the value equals this one's; the other operators are to be read likewise.
            Numbers compare as numbers (``above``, ``at_least``, ``below``, ``at_most``); what cannot be
            read as a number passes them and is left to the checks. ``matches`` takes a regular expression.
    """

    column: str
    is_null: bool | None = None
    not_null: bool | None = None
    equals: Value | None = None
    in_: tuple[Value, ...] | None = Field(default=None, alias="in")
    not_in: tuple[Value, ...] | None = None
    starts_with: str | None = None
    not_starts_with: str | None = None
    matches: str | None = None
    not_matches: str | None = None
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        given = sorted(self._operators())
        if len(given) != 1:
            raise ValueError(
                f"exactly one operator is needed, found {given or 'none'}; choose of {sorted(COMPARISONS)}"
            )
        for pattern in (self.matches, self.not_matches):
            if pattern is not None:
                _check_pattern(pattern)
        return self

    def _operators(self) -> dict[str, object]:
        values = {name: getattr(self, "in_" if name == "in" else name) for name in COMPARISONS}
        return {name: value for name, value in values.items() if value is not None}

    def sql(self) -> Sql:
        """Return the claim as SQL over the source's columns, with the value bound."""
        ((operator, value),) = self._operators().items()
        return COMPARISONS[operator](quoted(self.column), value)


class Predicate(Condition):
    """A claim that the report calls by its name."""

    name: str = Field(min_length=1)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error


class Lookup(_Frozen):
    """A second file that adds columns, for example the category of a product.

    Attributes:
        path: file or glob of the lookup.
        on: column of the source and the column of the lookup it must equal, both as text.
        columns: canonical column and the column of the lookup it is filled from.
    """

    path: str
    on: Mapping[str, str] = Field(min_length=1)
    columns: Mapping[str, str] = Field(min_length=1)


class CsvFormat(_Frozen):
    """How a CSV file is written.

    Attributes:
        delimiter: one character between fields.
        escape: what stands before a quote inside quotes: another quote, or a backslash.
        decimal: the decimal mark of numbers.
        timestamp_format: ``strptime`` pattern of instants; ISO 8601 where not given.
    """

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    escape: Literal['"', "\\"] = '"'
    decimal: Literal[".", ","] = "."
    timestamp_format: str | None = None


def _kind_of_value(kind: object) -> object:
    texts = kind if isinstance(kind, list | tuple) else ()
    named = texts and all(isinstance(text, str) and text for text in texts) and len(set(texts)) == len(texts)
    if kind not in ("number", "date") and not named:
        raise ValueError("write number, date, or the list of the texts to look for, each once")
    return kind


_ValueKind = Annotated[str | tuple[str, ...], BeforeValidator(_kind_of_value)]


class Source(_Frozen):
    """One set of files that delivers one table.

    Attributes:
        path: file or glob, variables already expanded.
        format: how to read it; ``auto`` goes by the name's ending.
        grain: for orders only, whether a row is an order or a line of one.
        columns: canonical column and the source's column it is read from.
        constants: canonical text column and the one text all rows have there, for example an event's type.
        static: for attributes and the calendar only, whether its rows hold ever since, as a birthday does.
        values: for attributes only, columns of the source: ``number``, ``date`` or the texts to look for.
        times: how instants are read where they are numbers.
        durations: canonical instant and how long after the row's own time it lies.
        happenings: canonical instant and which other rows of the log tell it: the first one of the same
            customer and key that lies in [the row's own time, its end).
        filters: what a row must satisfy, all of it, to be kept.
        returns: a row that satisfies any of these is a return.
        duplicates: whether exact repetitions within one file are rows of their own.
        restate: with ``order``, a newer file's lines of an order replace the earlier ones.
        lookups: files that add columns.
        csv: how CSV files are written.
    """

    path: str
    format: Literal["auto", "csv", "parquet"] = "auto"
    grain: Literal["order", "line"] = "line"
    columns: Mapping[str, str] = Field(min_length=1)
    constants: Mapping[str, str] = {}
    static: bool = False
    values: Mapping[str, _ValueKind] = {}
    times: Times | None = None
    durations: Mapping[str, Duration] = {}
    happenings: Mapping[str, Condition] = {}
    filters: tuple[Predicate, ...] = ()
    returns: tuple[Predicate, ...] = ()
    duplicates: Literal["keep", "drop"] = "keep"
    restate: Literal["order"] | None = None
    lookups: tuple[Lookup, ...] = ()
    csv: CsvFormat = CsvFormat()

    def filled(self) -> frozenset[str]:
        """Return every canonical column that the source fills, in whichever way."""
        lookups = (name for lookup in self.lookups for name in lookup.columns)
        return frozenset((*self.columns, *self.constants, *self.durations, *self.happenings, *lookups))

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [predicate.name for predicate in self.filters]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"filters: each needs a name of its own, found twice: {twice}")
        return self

    @model_validator(mode="after")
    def _instants_are_told_once(self) -> Self:
        told = [*self.columns, *self.constants, *self.durations, *self.happenings]
        twice = sorted({name for name in (*self.durations, *self.happenings) if told.count(name) > 1})
        if twice:
            raise ValueError(
                f"columns, durations, happenings: each instant is told once, found twice: {twice}"
            )
        if self.happenings and not self.filters:
            raise ValueError("happenings: a filter must say which rows of the log are the records themselves")
        return self


class IngestSettings(_Frozen):
    """How ingest runs and how much it tolerates.

    Attributes:
        bad_row_limit: share of a source's rows that may be quarantined before the run stops.
        memory_limit: what DuckDB may hold in memory before it spills to disk.
        threads: cores used.
        customers_per_bucket: largest number of customers in one bucket; with more the buckets are doubled.
        merge_ratio: a bucket's file is merged with all newer ones unless it has this many times their rows;
            0 merges nothing.
    """

    bad_row_limit: float = Field(default=0.01, ge=0, le=1)
    memory_limit: str = Field(default="2GB", pattern=r"^\d+(\.\d+)? ?[KMG]i?B$")
    threads: int = Field(default=2, ge=1)
    customers_per_bucket: int = Field(default=64_000, ge=1)
    merge_ratio: float = Field(default=2.0, ge=0)
