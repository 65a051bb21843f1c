"""The rows of a business as they were told, night by night, and what of them could be seen at a date."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from tables.calendar import NEVER
from tables.contracts import DECLARED, columns_of
from tests.drawn_rows import COLUMNS, Delivery, Row
from tests.drawn_shop import ZONE

DAY = 86_400_000_000
HOUR = DAY // 24


def instant(local: object) -> int:
    """Turn a local time into microseconds UTC, nothing into never."""
    if local is None:
        return NEVER
    assert isinstance(local, datetime)
    return round(local.replace(tzinfo=ZoneInfo(ZONE)).timestamp()) * 1_000_000


def local_day(at: int) -> date:
    return datetime.fromtimestamp(at // 1_000_000, ZoneInfo(ZONE)).date()


@dataclass(frozen=True)
class Fact:
    """A row as it was told on one night."""

    customer: str
    at: int
    known: int
    night: int
    content: Mapping[str, object]

    def __getitem__(self, name: str) -> object:
        return self.content[name]

    def moment(self, name: str) -> int:
        """Return another instant of the row, no earlier than its own."""
        value = self.content[name]
        assert isinstance(value, int)
        return max(self.at, value)

    def number(self, name: str) -> float:
        value = self.content[name]
        return np.nan if value is None else float(str(value))


def instants_of(table: str) -> set[str]:
    return {column.name for column in DECLARED[table].columns if column.kind.value == "instant"}


def parts_of(table: str, row: Row) -> Iterator[dict[str, object]]:
    """Return a row's content as stored; a row of attributes is one for each of them."""
    if table == "attributes":
        yield {"name": "age", "number": row.content["age"], "text": None}
        yield {"name": "colour", "number": None, "text": row.content["colour"]}
        return
    times = instants_of(table)
    for_rows = {name: row.content[name] for name in COLUMNS[table].split()}
    yield {name: instant(value) if name in times else value for name, value in for_rows.items()}


def key_of(table: str, fact: Fact) -> tuple[object, ...]:
    declared = DECLARED[table]
    names = ("order_id", "line_no") if table == "orders" else declared.key
    return (fact.customer, *(fact.at if name == declared.time else str(fact[name]) for name in names))


class Slow:
    """All rows of some nights, and what of them shows at a date."""

    def __init__(self, nights: Sequence[Delivery], cutoffs: Sequence[int], offset: int) -> None:
        self.offset = offset
        self.facts: dict[str, dict[tuple[object, ...], list[Fact]]] = {}
        stamp: int | None = None
        for night, (delivery, cutoff) in enumerate(zip(nights, cutoffs, strict=True)):
            newest = [cutoff]
            loaded = set(self.facts)
            for table, rows in delivery.items():
                is_first = table not in loaded
                for row in rows:
                    self._take(table, row, None if is_first else stamp, night)
                newest += [instant(row.at) for row in rows if table != "calendar"]
            stamp = max([*newest, *([stamp] if stamp is not None else [])])

    def _take(self, table: str, row: Row, stamp: int | None, night: int) -> None:
        for content in parts_of(table, row):
            at = instant(row.at)
            fact = Fact(row.customer, at, at, night, content)
            versions = self.facts.setdefault(table, {}).setdefault(key_of(table, fact), [])
            earlier = [version.known for version in versions if version.night < night]
            known = max([at, *([stamp] if stamp is not None else []), *earlier])
            versions.append(replace(fact, known=known if row.known is None else instant(row.known)))

    def known(self, table: str, customer: str | None, before: int) -> list[Fact]:
        """Return the last version of each row known before an instant, of one customer or of all."""
        found = []
        for versions in self.facts.get(table, {}).values():
            told = [version for version in versions if version.known < before]
            if told and customer in (None, told[0].customer):
                found.append(max(told, key=lambda version: (version.known, version.night)))
        return found

    def visible(self, table: str, as_of: date) -> list[Fact]:
        """Return the rows that show at a date in the order of the history."""
        midnight = instant(datetime(as_of.year, as_of.month, as_of.day))
        found = self.known(table, None, midnight + self.offset)
        names = [column.name for column in columns_of("lines" if table == "orders" else table)]
        is_shown = (
            (lambda fact: fact.at >= midnight) if table == "calendar" else lambda fact: fact.at < midnight
        )
        return sorted(filter(is_shown, found), key=lambda fact: in_order(fact, names))


def in_order(fact: Fact, names: Sequence[str]) -> tuple[object, ...]:
    held = [fact.content[name] for name in names if name in fact.content]
    missing = (None, NEVER)
    content = [(value not in missing, 0 if value in missing else plain(value)) for value in held]
    return (fact.customer, fact.at, fact.known, *content)


def plain(value: object) -> object:
    return value if isinstance(value, str) else float(str(value))
