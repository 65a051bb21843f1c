"""What makes a row of a source bad, as SQL predicates with a name each."""

from collections.abc import Sequence
from dataclasses import dataclass

from tables.contracts import MOST_STORED, Kind, Table
from tables.sql import Sql, quoted
from tables.typed import Mapped

_UNTIMED = {"customers"}


@dataclass(frozen=True)
class Reason:
    """Why a row is bad: a name for the report and a claim over the parsed row."""

    name: str
    claim: str


def reasons(table: Table, columns: Sequence[Mapped], *, now: int) -> tuple[Reason, ...]:
    """List every reason for which a row of a table is put aside.

    The claims read the parsed row: each canonical column, ``given <column>`` (the file holds a value) and
    ``is_return``.

    Args:
        table: contract of the table.
        columns: mapped columns, the known time among them.
        now: the ingest's own moment; a later instant is a mistake.
    """
    found = (
        [Reason("missing_customer_id", f"not {quoted('given customer_id')}")] if table.has_customer else []
    )
    for column in columns:
        found.extend(_reasons_of(column, table, now))
    return tuple(found)


def reasons_list(found: Sequence[Reason]) -> Sql:
    """Return SQL for the list of a row's reasons, empty for a good row."""
    named = Sql.join(
        ", ", [Sql(f"case when {reason.claim} then ? end", (reason.name,)) for reason in found], "null"
    )
    return Sql.of("list_filter([{}], lambda reason: reason is not null)", named)


def any_reason(found: Sequence[Reason]) -> str:
    """Return SQL that is true for a bad row."""
    return " or ".join(f"coalesce({reason.claim}, false)" for reason in found) or "false"


def _reasons_of(part: Mapped, table: Table, now: int) -> list[Reason]:
    column, name = part.column, part.column.name
    value, given = quoted(name), quoted(f"given {name}")
    found = []
    if column.required or (table.name == "orders" and name == "amount"):
        found.append(Reason(f"missing_{name}", f"not {given}"))
    if part.may_be_unreadable:
        found.append(Reason(f"unreadable_{name}", f"{given} and {value} is null"))
    if column.kind in {Kind.MONEY, Kind.QUANTITY}:
        found.append(Reason(f"extreme_{name}", f"abs({value}) > {MOST_STORED}"))
        found.append(Reason(f"negative_{name}", f"not is_return and {value} < 0"))
    if name in {table.time, "known_at"} and table.name not in {*_UNTIMED, "calendar"}:
        found.append(Reason(f"future_{name}", f"{value} > {now}"))
    return found
