"""Every column a source may deliver, in words: what `keepwell config columns` prints and docs/data.md holds."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from actions.catalogue import CHANNELS
from tables.columns import Column, Kind, Table
from tables.contracts import DECLARED

_VALUES: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.CONTACT: "contact detail",
    Kind.MONEY: "money",
    Kind.QUANTITY: "quantity",
    Kind.FLAG: "yes or no",
    Kind.INSTANT: "time",
    Kind.NUMBER: "number",
}
_FIRST = f"""\
Besides its own columns every table may have `known_at`, the time from which a row was known, and all but `calendar`
must have `customer_id`. A *channel* is one of {", ".join(f"`{channel}`" for channel in CHANNELS)}.

| value | how it is written |
|---|---|
| text, contact detail | anything; spaces around it do not count |
| money, quantity | at least 0, to four decimals, money in the one currency; of returns the sign does not count |
| number | any number |
| yes or no | `1 true t yes y` or `0 false f no n`, in any letters; nothing means no |
| time | ISO 8601, in `time_zone` unless it names its own; other ways under `sources.orders.csv` and `times` |"""


def told() -> Mapping[str, Any]:
    """Return all tables with their columns, for machines and as Markdown."""
    tables = {name: asdict(table) for name, table in DECLARED.items()}
    return {"tables": tables, "text": "\n\n".join((_FIRST, *map(_table, DECLARED.values())))}


def _table(table: Table) -> str:
    same = [*(["customer"] if table.has_customer else []), *(f"`{name}`" for name in table.key)]
    key = f" A later row with the same {', '.join(same)} takes its place." if table.key else ""
    rows = "\n".join(_rows(table))
    return f"""\
### {table.name}

{table.row[0].upper()}{table.row[1:]}.{key}

| column | value | needed | what it says |
|---|---|---|---|
{rows}"""


def _rows(table: Table) -> Iterator[str]:
    for column in table.columns:
        needed = "required" if column.required else ""
        yield f"| `{column.name}` | {_value(column)} | {needed} | {column.meaning} |"


def _value(column: Column) -> str:
    if column.since == column.name:
        return f"{_VALUES[column.kind]}, empty until then"
    since = f", known from `{column.since}` on" if column.since else ""
    return f"{_VALUES[column.kind]}{since}"
