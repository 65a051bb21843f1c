"""What each table may hold: columns, what kind of value each is, the key and the column that says when.

A *declared* table is what a source may deliver (``DECLARED``). Order sources become three *stored*
tables: ``orders`` (one row per customer and order), ``lines`` and ``returns``; every other declared
table is stored as it is delivered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from tables.rows import MONEY_SCALE, MOST_STORED

__all__ = [
    "DECLARED",
    "MONEY_SCALE",
    "MOST_STORED",
    "ORDER_TABLES",
    "Column",
    "Kind",
    "Table",
    "columns_of",
    "kind_of",
    "since_of",
    "time_of",
]


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
        required: a source without it is refused.
        signed: whether money and quantities may lie below zero.
        since: the instant column of the same row from which the value is known; empty for what is known
            with the row. An end announced with the row, such as a renewal date, is known with it.
    """

    name: str
    kind: Kind
    required: bool = False
    signed: bool = False
    since: str = ""


@dataclass(frozen=True)
class Table:
    """The contract of one table.

    Attributes:
        name: name of the table.
        columns: what may be delivered besides ``customer_id`` and ``known_at``.
        time: the column that says when a row's fact happened.
        key: columns that, with the customer, identify a row; rows of a source that does not map all of
            them are identified by their whole content.
        has_customer: rows belong to a customer.
        ends: the column that says, announced with the row, when what it began is over.
    """

    name: str
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


def _columns(kind: Kind, names: str, *, signed: bool = False) -> tuple[Column, ...]:
    """Declare columns of one kind; a name ending in ``!`` is required."""
    return tuple(
        Column(name.rstrip("!"), kind, required=name.endswith("!"), signed=signed) for name in names.split()
    )


def _moments(names: str) -> tuple[Column, ...]:
    """Declare instants of which a row tells only once they have come."""
    return tuple(Column(name, Kind.INSTANT, since=name) for name in names.split())


_ORDERS = Table(
    "orders",
    (
        *_columns(Kind.TEXT, "order_id! line_no product_id category description channel region currency"),
        *_columns(Kind.INSTANT, "ordered_at!"),
        *_columns(Kind.MONEY, "amount unit_price discount cost shipping"),
        *_columns(Kind.QUANTITY, "quantity"),
        *_columns(Kind.FLAG, "is_return"),
    ),
    time="ordered_at",
)
_CUSTOMERS = Table(
    "customers",
    (
        *_columns(Kind.INSTANT, "signed_up_at"),
        *_columns(Kind.TEXT, "region language referred_by household_id preferred_channel"),
        *_columns(Kind.MONEY, "acquisition_cost"),
        *_columns(Kind.FLAG, "is_vulnerable is_minor in_complaint objects_to_profiling"),
        *_columns(Kind.CONTACT, "name email phone address"),
    ),
    time="signed_up_at",
    key=("signed_up_at",),  # a row says what holds now: the next one of the customer takes its place
)
_CONSENTS = Table(
    "consents",
    (
        *_columns(Kind.TEXT, "channel! purpose!"),
        *_columns(Kind.INSTANT, "given_at!"),
        *_moments("withdrawn_at"),
    ),
    time="given_at",
    key=("channel", "purpose", "given_at"),
)
_EVENTS = Table(
    "events",
    (
        *_columns(Kind.TEXT, "event_id type! channel"),
        *_columns(Kind.INSTANT, "occurred_at!"),
        *_columns(Kind.NUMBER, "value"),
    ),
    time="occurred_at",
    key=("event_id",),
)
_TICKETS = Table(
    "tickets",
    (
        *_columns(Kind.TEXT, "ticket_id! channel reason"),
        *_columns(Kind.INSTANT, "opened_at!"),
        *_moments("first_reply_at solved_at reopened_at rated_at"),
        Column("csat", Kind.NUMBER, since="rated_at"),
    ),
    time="opened_at",
    key=("ticket_id",),
)
_SURVEYS = Table(
    "surveys",
    (
        *_columns(Kind.TEXT, "survey_id kind!"),
        *_columns(Kind.INSTANT, "answered_at!"),
        *_columns(Kind.NUMBER, "score!"),
    ),
    time="answered_at",
    key=("survey_id",),
)
_SUBSCRIPTIONS = Table(
    "subscriptions",
    (
        *_columns(Kind.TEXT, "subscription_id! plan"),
        *_columns(Kind.INSTANT, "started_at! renews_at"),
        *_moments("ended_at"),
        *_columns(Kind.MONEY, "mrr"),
    ),
    time="started_at",
    key=("subscription_id",),
)
_LOYALTY = Table(
    "loyalty",
    (
        *_columns(Kind.INSTANT, "valid_from! expires_at"),
        *_columns(Kind.TEXT, "tier"),
        *_columns(Kind.NUMBER, "points"),
    ),
    time="valid_from",
    key=("valid_from",),
)
_OFFERS = Table(
    "offers",
    (
        *_columns(Kind.TEXT, "offer_id! kind"),
        *_columns(Kind.INSTANT, "starts_at! ends_at"),
        *_moments("viewed_at completed_at"),
        *_columns(Kind.MONEY, "reward difficulty"),
    ),
    time="starts_at",
    key=("offer_id", "starts_at"),  # the same offer is sent to the same customer again and again
    ends="ends_at",
)
_CONTACTS = Table(
    "contacts",
    (
        *_columns(Kind.TEXT, "contact_id team channel purpose action arm status"),
        *_columns(Kind.INSTANT, "sent_at!"),
        *_moments("redeemed_at"),
        *_columns(Kind.MONEY, "cost"),
    ),
    time="sent_at",
    key=("contact_id",),
)
_ATTRIBUTES = Table(
    "attributes",
    (
        *_columns(Kind.TEXT, "name! text"),
        *_columns(Kind.NUMBER, "number"),
        *_columns(Kind.INSTANT, "valid_from!"),
    ),
    time="valid_from",
    key=("name", "valid_from"),
)
_CALENDAR = Table(
    "calendar",
    (*_columns(Kind.INSTANT, "date!"), *_columns(Kind.TEXT, "region kind!")),
    time="date",
    key=("date", "region", "kind"),
    has_customer=False,
)

DECLARED: Mapping[str, Table] = {
    table.name: table
    for table in (
        _ORDERS,
        _CUSTOMERS,
        _CONSENTS,
        _EVENTS,
        _TICKETS,
        _SURVEYS,
        _SUBSCRIPTIONS,
        _LOYALTY,
        _OFFERS,
        _CONTACTS,
        _ATTRIBUTES,
        _CALENDAR,
    )
}
"""What sources may deliver, by table."""

ORDER_TABLES = ("orders", "lines", "returns")
"""What ingest makes of order sources."""

_DERIVED = (Column("lines", Kind.COUNT), Column("products", Kind.COUNT))


def time_of(table: str) -> str:
    """Return the column that says when the facts of a stored table's rows happened."""
    return _declared(table).time


def _declared(table: str) -> Table:
    return DECLARED["orders" if table in ORDER_TABLES else table]


def columns_of(table: str) -> tuple[Column, ...]:
    """Return every column a stored table may have, in stored order, without the row's own times."""
    declared = _declared(table)
    computed = {declared.time, "unit_price", "currency", "is_return"}
    content = tuple(column for column in declared.columns if column.name not in computed)
    return (*content, *_DERIVED) if table == "orders" else content


def kind_of(table: str, column: str) -> Kind:
    """Return the kind of a stored table's column."""
    return next(declared.kind for declared in columns_of(table) if declared.name == column)


@cache
def since_of(table: str) -> Mapping[str, str]:
    """Return the columns of a stored table that are known later than their row, with the instants they wait for.

    Examples:
        >>> since_of("subscriptions")
        {'ended_at': 'ended_at'}
    """
    return {column.name: column.since for column in columns_of(table) if column.since}
