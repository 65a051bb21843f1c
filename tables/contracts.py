"""What each table may hold: columns, what kind of value each is, the key and the column that says when.

A *declared* table is what a source may deliver (``DECLARED``). Order sources become three *stored*
tables: ``orders`` (one row per customer and order), ``lines`` and ``returns``; every other declared
table is stored as it is delivered. ``keepwell config columns`` prints all of this for people.
"""

from collections.abc import Mapping
from functools import cache

from tables.columns import Column, Kind, Table, contact, flag, instant, moment, money, number, quantity, text
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


_ORDERS = Table(
    "orders",
    "a purchase: an order, or a line of one as `grain` says; what comes back is a return",
    (
        text("order_id!", "the order; lines of one id are one order"),
        text("line_no", "the line within its order; with it a newer row of the same line corrects the older"),
        text("product_id", "what was bought"),
        text("category", "kind of product"),
        text("description", "words on the product"),
        text("channel", "where it was bought, such as `web` or `store`"),
        text("region", "where the customer lives; the newest one holds"),
        text("currency", "currency of the amounts; a history holds one"),
        instant("ordered_at!", "when it was ordered"),
        money("amount", "paid after discount; required unless `quantity` and `unit_price` are mapped"),
        money("unit_price", "price of one unit"),
        money("discount", "what was taken off the price"),
        money("cost", "what the goods cost the business"),
        money("shipping", "what the customer paid to have it sent"),
        quantity("quantity", "units bought"),
        flag("is_return", "the row is something given back"),
    ),
    time="ordered_at",
)
_CUSTOMERS = Table(
    "customers",
    "what holds of a customer",
    (
        instant("signed_up_at", "when the customer joined"),
        text("region", "where the customer lives; chosen before that of the orders"),
        text("language", "of the wording: `en`, `zh` or `lt`; English for others"),
        text(
            "referred_by",
            "id of the customer who brought this one; such clusters are drawn together if so configured",
        ),
        text("household_id", "customers of one household are drawn together"),
        text("preferred_channel", "how the customer asks to be reached: a channel"),
        money("acquisition_cost", "paid to win the customer"),
        flag("is_vulnerable", "nobody such gets an action"),
        flag("is_minor", "nobody such gets an action"),
        flag("in_complaint", "nobody such gets an action"),
        flag("objects_to_profiling", "nobody such gets an action"),
        contact("name", "never read"),
        contact("email", "address; leaves as a hash with an audience alone"),
        contact("phone", "number; leaves as a hash with an audience alone"),
        contact("address", "never read"),
    ),
    time="signed_up_at",
    key=("signed_up_at",),  # a row says what holds now: the next one of the customer takes its place
)
_CONSENTS = Table(
    "consents",
    "a consent given, and perhaps withdrawn",
    (
        text("channel!", "over which: a channel"),
        text(
            "purpose!",
            "to what: `marketing`, or `profiling`, whose withdrawal over any channel ends all actions",
        ),
        instant("given_at!", "when it was given"),
        moment("withdrawn_at", "when it was withdrawn"),
    ),
    time="given_at",
    key=("channel", "purpose", "given_at"),
)
_EVENTS = Table(
    "events",
    "something a customer did or met besides buying",
    (
        text("event_id", "the event"),
        text(
            "type!",
            "a word of `features.event_types`; `session`, `app_use`, `page_error`, `slow_page`, `review` and `mention` "
            "give more features, `email_click`, `sms_click`, `push_open` and `app_use` tell over which channel "
            "the customer answers",
        ),
        text("channel", "where it happened"),
        instant("occurred_at!", "when it happened"),
        number("value", "a review's stars from 1 to 5, a mention's sentiment from -1 to 1"),
    ),
    time="occurred_at",
    key=("event_id",),
)
_TICKETS = Table(
    "tickets",
    "a request for help; no marketing while one is open",
    (
        text("ticket_id!", "the ticket"),
        text("channel", "over which it came: a channel for an answer over the same"),
        text("reason", "what it is about: `complaint`, `how_to`, a word of `features.ticket_reasons`"),
        instant("opened_at!", "when it was opened"),
        moment("first_reply_at", "when somebody answered first"),
        moment("solved_at", "when it was solved"),
        moment("reopened_at", "when it was opened again"),
        moment("rated_at", "when the customer rated the help"),
        number("csat", "that rating, in the business's own unit", since="rated_at"),
    ),
    time="opened_at",
    key=("ticket_id",),
)
_SURVEYS = Table(
    "surveys",
    "an answer to a survey",
    (
        text("survey_id", "the answer"),
        text("kind!", "what was asked: `nps`, `csat` or `cli`; others are counted"),
        instant("answered_at!", "when it was answered"),
        number("score!", "the answer, in the survey's own unit"),
    ),
    time="answered_at",
    key=("survey_id",),
)
_SUBSCRIPTIONS = Table(
    "subscriptions",
    "a subscription: what customers leave where `churn.kind` is `contract`",
    (
        text("subscription_id!", "the subscription"),
        text("plan", "which one it is; another one is a change of plan"),
        instant("started_at!", "when it began"),
        instant("renews_at", "when it is renewed next, as agreed beforehand; needs `known_at`"),
        moment("ended_at", "when it ended; required for contracts"),
        money("mrr", "fee per month; required for contracts"),
    ),
    time="started_at",
    key=("subscription_id",),
)
_LOYALTY = Table(
    "loyalty",
    "a customer's standing in the loyalty programme from an instant on",
    (
        instant("valid_from!", "from when it holds"),
        instant("expires_at", "when the points expire"),
        text("tier", "a word of `features.loyalty_tiers`"),
        number("points", "balance of points"),
    ),
    time="valid_from",
    key=("valid_from",),
)
_OFFERS = Table(
    "offers",
    "an offer sent to a customer",
    (
        text("offer_id!", "the offer; it may be sent again"),
        text("kind", "a word of `features.offer_kinds`"),
        instant("starts_at!", "from when it holds"),
        instant("ends_at", "when it is over, as announced; without one it runs on"),
        moment("viewed_at", "when the customer saw it"),
        moment("completed_at", "when the customer redeemed it"),
        money("reward", "what it gives; above 0 it is a discount, and no second one is given meanwhile"),
        money("difficulty", "what must be spent for it"),
    ),
    time="starts_at",
    key=("offer_id", "starts_at"),  # the same offer is sent to the same customer again and again
    ends="ends_at",
)
_CONTACTS = Table(
    "contacts",
    "a message of any team to a customer",
    (
        text("contact_id", "the contact; required where `keepwell deliveries` is used"),
        text(
            "team",
            "who sent it; `keepwell` for what a plan of ours asked for, any other word is another team",
        ),
        text("channel", "over which: a channel"),
        text("purpose", "`marketing` or `service`"),
        text("action", "of team `keepwell`: the id in the catalogue"),
        text("arm", "`control` for what was withheld and never sent"),
        text("status", "`not_delivered` for a message that failed, else `delivered` or nothing"),
        instant("sent_at!", "when it was sent"),
        moment("redeemed_at", "when its incentive was redeemed"),
        money("cost", "what it cost, redemption included"),
    ),
    time="sent_at",
    key=("contact_id",),
)
_ATTRIBUTES = Table(
    "attributes",
    "one attribute of a customer, such as the age; sources name their columns under `values` instead of mapping these",
    (
        text("name!", "the attribute"),
        text("text", "its value where it is a text"),
        number("number", "its value where it is a number; a date as days since 1970-01-01"),
        instant("valid_from!", "from when it holds; not mapped where the source is `static`"),
    ),
    time="valid_from",
    key=("name", "valid_from"),
)
_CALENDAR = Table(
    "calendar",
    "a day to come that everybody may know of",
    (
        instant("date!", "the day"),
        text("region", "where it holds; everywhere without one"),
        text("kind!", "`promotion` or `holiday`; others give nothing"),
    ),
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
