"""Orders from lines: each order has as many versions as there were different things to know about it."""

from collections.abc import Sequence

import duckdb

from tables.calendar import DAY, HOUR, NEVER, BusinessCalendar
from tables.sql import quoted
from tables.zones import offsets

ORDER_SUMS = ("amount", "discount", "cost", "shipping", "quantity")
_BEFORE_1970 = 200 * 365 * DAY  # keeps numerators positive: integer division rounds towards zero
_ORDER_TEXTS = ("channel", "region")


def order_columns(line_columns: Sequence[str]) -> tuple[str, ...]:
    """List the columns of orders that can be made of lines with the given columns.

    Examples:
        >>> order_columns(("order_id", "product_id", "amount"))
        ('order_id', 'amount', 'lines', 'products')
    """
    found = ("order_id", *(name for name in (*_ORDER_TEXTS, *ORDER_SUMS) if name in line_columns), "lines")
    return (*found, "products") if "product_id" in line_columns else found


def derive_orders(
    connection: duckdb.DuckDBPyConnection, line_columns: Sequence[str], calendar: BusinessCalendar
) -> None:
    """Make ``derived`` (orders, every version) of the view ``order_lines`` (every version of every line).

    A line is visible at ``as_of`` from the instant ``max(at + offset, known_at)`` on, measured against
    ``known_cutoff(as_of)``. Those instants, and the ends of lines, are when an order changes. Cutoffs are
    local midnights plus the offset, so instants between the same two cutoffs cannot be told apart by any
    ``as_of``: they make one version, that of the last of them. An order's version sums the lines visible in
    it; hence neither a late line nor one after ``as_of`` reaches an earlier snapshot.
    """
    offset = round(calendar.known_offset_hours * HOUR)
    visible = f"greatest(event_at + {offset}, known_at)"
    day = _knowledge_day(connection, calendar, offset)
    connection.execute(
        f"create or replace temp table dated_lines as select *, {visible} as seen_at from order_lines"
    )
    connection.execute(
        "create or replace temp table order_spans as select customer, order_id, "
        f"{day('min(seen_at)')} = {day('max(seen_at)')} and min(superseded_at) = {NEVER} as is_simple "
        "from dated_lines group by customer, order_id"
    )
    columns = order_columns(line_columns)
    connection.execute(
        f"create or replace temp table derived as {_simple(columns)} union all {_versioned(columns, day)}"
    )


def _sums(columns: Sequence[str], prefix: str = "") -> str:
    dot = f"{prefix}." if prefix else ""
    fields = []
    for name in columns[1:]:
        column = f"{dot}{quoted(name)}"
        match name:
            case "lines":
                fields.append(f"count({dot}customer) as lines")
            case "products":
                fields.append(f"count(distinct {dot}product_id) as products")
            case _ if name in ORDER_SUMS:
                fields.append(f"sum({column})::bigint as {quoted(name)}")
            case _:
                fields.append(f"min({column}) as {quoted(name)}")
    return ", ".join(fields)


def _simple(columns: Sequence[str]) -> str:
    """Orders all of whose lines came to be seen between the same two cutoffs, and stayed."""
    return (
        "select customer, order_id, min(event_at) as event_at, arg_min(known_at, (event_at, known_at)) as known_at, "
        f"{NEVER} as superseded_at, {_sums(columns)} from dated_lines semi join "
        "(select * from order_spans where is_simple) using (customer, order_id) group by customer, order_id"
    )


def _versioned(columns: Sequence[str], day: "Day") -> str:
    return f"""
    select * from (
    with lines as (
        select dated_lines.* from dated_lines semi join
        (select * from order_spans where not is_simple) using (customer, order_id)),
    instants as (
        select customer, order_id, seen_at as instant from lines
        union select customer, order_id, superseded_at from lines where superseded_at < {NEVER}),
    versions as (
        select customer, order_id, min(instant) as known_at, max(instant) as last_at
        from instants group by customer, order_id, {day("instant")}),
    chained as (
        select *, coalesce(lead(known_at) over (partition by customer, order_id order by known_at), {NEVER})
            as superseded_at
        from versions)
    select chained.customer, chained.order_id, min(lines.event_at) as event_at, chained.known_at,
        chained.superseded_at, {_sums(columns, "lines")}
    from chained join lines on lines.customer = chained.customer and lines.order_id = chained.order_id
        and lines.seen_at <= chained.last_at and lines.superseded_at > chained.last_at
    group by chained.customer, chained.order_id, chained.known_at, chained.superseded_at)"""


class Day:
    """SQL that numbers the spans between cutoffs: instants of one span look alike to every snapshot."""

    def __init__(self, local: str) -> None:
        self._local = local

    def __call__(self, instant: str) -> str:
        """Return the number of the span an instant lies in."""
        return f"(({self._local.replace('instant', f'({instant})')} + {_BEFORE_1970}) // {DAY})"


def _knowledge_day(connection: duckdb.DuckDBPyConnection, calendar: BusinessCalendar, offset: int) -> Day:
    ((low, high),) = connection.execute(
        "select least(min(event_at), min(known_at)), greatest(max(event_at), max(known_at), "
        f"max(superseded_at) filter (superseded_at < {NEVER})) from order_lines"
    ).fetchall()
    return Day(offsets(calendar.time_zone, low or 0, (high or 0) + offset).to_local(f"(instant - {offset})"))
