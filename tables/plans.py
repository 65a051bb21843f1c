"""How each table's rows are told apart, and which stored tables they go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tables.contracts import DECLARED
from tables.derived import order_columns
from tables.errors import ConfigError
from tables.parsed import content_columns
from tables.sources import Source
from tables.versions import Identity


@dataclass(frozen=True)
class TablePlan:
    """How one declared table's rows are stored.

    Attributes:
        name: the declared table.
        identity: how its rows are told apart.
        homes: stored tables its rows go to, that of returns last.
        derived: whether orders are made of its lines.
    """

    name: str
    identity: Identity
    homes: tuple[str, ...]
    derived: bool = False

    def columns(self, stored: str) -> tuple[str, ...]:
        """List the columns of one of the stored tables."""
        if stored == "orders" and self.derived:
            return order_columns(self.identity.columns)
        return self.identity.columns


def plans_of(sources: Mapping[str, Sequence[Source]]) -> dict[str, TablePlan]:
    """Decide for every declared table how the rows of its sources are told apart and where they go.

    Raises:
        ConfigError: if a table is unknown or its sources do not agree on how rows are told apart.
    """
    unknown = sorted(set(sources) - set(DECLARED))
    if unknown:
        raise ConfigError(f"sources: no table {', '.join(unknown)}; found {sorted(DECLARED)}. Rename them.")
    return {name: _plan(name, found) for name, found in sources.items() if found}


def _plan(name: str, sources: Sequence[Source]) -> TablePlan:
    columns = content_columns(name, sources)
    rules = {
        (source.grain if name == "orders" else "", source.restate, _key(name, source, columns))
        for source in sources
    }
    if len(rules) > 1:
        raise ConfigError(
            f"sources: {name}: all sources of a table must agree on grain, restate and key; "
            f"found {sorted(map(str, rules))}. Map the same key columns in each."
        )
    ((grain, restate, key),) = rules
    identity = Identity(columns=columns, key=key, restate=restate is not None)
    if name != "orders":
        return TablePlan(name, identity, (name,))
    if grain == "order":
        return TablePlan(name, identity, ("orders", "returns"))
    return TablePlan(name, identity, ("lines", "returns"), derived=True)


def _key(name: str, source: Source, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the key columns if the source fills all of them; otherwise rows are told apart by content.

    A calendar's days without a region hold for all regions, so that its region may stay open.
    """
    if name == "orders":
        key: tuple[str, ...] = ("order_id",) if source.grain == "order" else ("order_id", "line_no")
    else:
        key = DECLARED[name].key
    time = DECLARED[name].time
    if not DECLARED[name].has_customer:
        return tuple("event_at" if column == time else column for column in key if column in (*columns, time))
    # Static rows hold ever since, and customers may do without a sign-up: their time is one and the same.
    given = source.filled() | ({time} if source.static or name == "customers" else set())
    if not given.issuperset(key):
        return ()
    return tuple("event_at" if column == time else column for column in key)


def with_dropping(plan: TablePlan, files: Sequence[Source]) -> TablePlan:
    """Note which of a run's files drop their own repetitions.

    Args:
        plan: plan of their table.
        files: the source of each file, in the order of the files.
    """
    numbers = tuple(number for number, source in enumerate(files) if source.duplicates == "drop")
    identity = Identity(plan.identity.columns, plan.identity.key, plan.identity.restate, numbers)
    return TablePlan(plan.name, identity, plan.homes, plan.derived)
