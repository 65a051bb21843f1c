"""What a contract is made of: kinds of values, columns, tables."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Kind(StrEnum):
    """What a column's values are, how they are stored and what stands for a missing one.

    ``TEXT`` and ``CONTACT`` are strings (code -1 when missing); ``MONEY`` and ``QUANTITY`` are whole
    numbers of ten-thousandths (0 when missing); ``FLAG`` is 0 or 1 (-1 when missing); ``INSTANT`` is
    microseconds UTC (``NEVER`` when missing); ``NUMBER`` is a float (NaN when missing); ``COUNT`` is a
    whole number (0 when missing). ``CONTACT`` columns identify a person and are read by exports only.
    """

    TEXT = "text"
    CONTACT = "contact"
    MONEY = "money"
    QUANTITY = "quantity"
    FLAG = "flag"
    INSTANT = "instant"
    NUMBER = "number"
    COUNT = "count"


@dataclass(frozen=True)
class Column:
    """One column a source may deliver.

    Attributes:
        name: canonical name.
        kind: kind of value.
        meaning: what it says, in which unit or with which words, and what it is needed for.
        required: a source without it is refused.
        since: the instant column of the same row from which the value is known; empty for what is known
            with the row. An end announced with the row, such as a renewal date, is known with it.
    """

    name: str
    kind: Kind
    meaning: str = ""
    required: bool = False
    since: str = ""


@dataclass(frozen=True)
class Table:
    """The contract of one table.

    Attributes:
        name: name of the table.
        row: what one row tells.
        columns: what may be delivered besides ``customer_id`` and ``known_at``.
        time: the column that says when a row's fact happened.
        key: columns that, with the customer, identify a row; rows of a source that does not map all of
            them are identified by their whole content.
        has_customer: rows belong to a customer.
        ends: the column that says, announced with the row, when what it began is over.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    time: str
    key: tuple[str, ...] = ()
    has_customer: bool = True
    ends: str = ""

    def column(self, name: str) -> Column:
        """Return a declared column by its canonical name."""
        return self._by_name()[name]

    def names(self) -> tuple[str, ...]:
        """List everything a source may map, customer and known time included."""
        return (*(("customer_id",) if self.has_customer else ()), *self._by_name(), "known_at")

    def required(self) -> tuple[str, ...]:
        """List what a source must map."""
        customer = ("customer_id",) if self.has_customer else ()
        return (*customer, *(column.name for column in self.columns if column.required))

    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


def _declare(kind: Kind, name: str, meaning: str, *, since: str = "") -> Column:
    return Column(name.rstrip("!"), kind, meaning, required=name.endswith("!"), since=since)


text = partial(_declare, Kind.TEXT)
contact = partial(_declare, Kind.CONTACT)
money = partial(_declare, Kind.MONEY)
quantity = partial(_declare, Kind.QUANTITY)
flag = partial(_declare, Kind.FLAG)
instant = partial(_declare, Kind.INSTANT)
number = partial(_declare, Kind.NUMBER)
"""Each declares a column by name and meaning; a name that ends in ``!`` is required."""


def moment(name: str, meaning: str) -> Column:
    """Declare an instant of which a row tells only once it has come."""
    return instant(name, meaning, since=name)
