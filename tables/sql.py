"""Pieces of SQL: checked names, bound values, and nothing a user wrote.

Names are quoted identifiers; values, patterns and paths travel as bound parameters beside the text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tables.errors import SchemaError


def quoted(name: str) -> str:
    """Quote a column's name so that it can only be read as a name.

    Raises:
        SchemaError: if the name is empty or holds a character no column may have.

    Examples:
        >>> quoted("Customer ID"), quoted('a"b')
        ('"Customer ID"', '"a""b"')
    """
    if not name or "\x00" in name or "{}" in name:
        raise SchemaError(f"column {name!r}: no name a column may have. Rename it without '{{}}' and NUL.")
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str], prefix: str = "") -> str:
    """Join quoted names with commas, each after the prefix of its relation.

    Examples:
        >>> listed(["at", "order_id"], "line")
        'line."at", line."order_id"'
    """
    dot = f"{prefix}." if prefix else ""
    return ", ".join(f"{dot}{quoted(name)}" for name in names)


@dataclass(frozen=True)
class Sql:
    """A piece of SQL and the values bound to its question marks, in order."""

    text: str
    values: tuple[Any, ...] = ()

    @classmethod
    def of(cls, template: str, *parts: "Sql") -> Self:
        """Fill the ``{}`` of a template with pieces, keeping their bound values in order.

        Examples:
            >>> Sql.of("{} or {}", Sql("a = ?", (1,)), Sql("b = ?", (2,)))
            Sql(text='a = ? or b = ?', values=(1, 2))
        """
        pieces = template.split("{}")
        text = pieces[0] + "".join(part.text + rest for part, rest in zip(parts, pieces[1:], strict=True))
        return cls(text, tuple(value for part in parts for value in part.values))

    @classmethod
    def join(cls, separator: str, parts: Sequence["Sql"], empty: str) -> Self:
        """Join pieces with a separator; without any piece, return ``empty``."""
        if not parts:
            return cls(empty)
        return cls(
            separator.join(part.text for part in parts),
            tuple(value for part in parts for value in part.values),
        )


Comparison = Callable[[str, Any], Sql]


def _within(column: str, values: Sequence[object]) -> Sql:
    return Sql(f"coalesce(list_contains(?::varchar[], {column}::varchar), false)", (list(map(str, values)),))


def _number(sign: str) -> Comparison:
    # An unreadable number passes, so that the checks name it instead of a filter hiding it.
    return lambda column, value: Sql(
        f"coalesce(try_cast({column} as double) {sign} ?, true)", (float(value),)
    )


COMPARISONS: dict[str, Comparison] = {
    "is_null": lambda column, value: Sql(f"({column} is null) = ?", (bool(value),)),
    "not_null": lambda column, value: Sql(f"({column} is not null) = ?", (bool(value),)),
    "equals": lambda column, value: _within(column, [value]),
    "in": _within,
    "not_in": lambda column, values: Sql.of("not {}", _within(column, values)),
    "starts_with": lambda column, value: Sql(
        f"coalesce(starts_with({column}::varchar, ?), false)", (str(value),)
    ),
    "not_starts_with": lambda column, value: Sql(
        f"not coalesce(starts_with({column}::varchar, ?), false)", (str(value),)
    ),
    "matches": lambda column, value: Sql(
        f"coalesce(regexp_matches({column}::varchar, ?), false)", (str(value),)
    ),
    "not_matches": lambda column, value: Sql(
        f"not coalesce(regexp_matches({column}::varchar, ?), false)", (str(value),)
    ),
    "above": _number(">"),
    "at_least": _number(">="),
    "below": _number("<"),
    "at_most": _number("<="),
}
"""Each operator of a predicate as a piece of SQL over a quoted column."""
