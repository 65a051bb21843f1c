"""One bucket of one table in an ingest: what is stored, what comes in, and the files it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tables.calendar import BusinessCalendar
from tables.derived import derive_orders
from tables.manifest import Bucket, Part, bucket_file
from tables.parts import OWN_TIMES, stored_order, write_part
from tables.plans import TablePlan
from tables.sorting import repeats, sorted_rows
from tables.sql import listed, quoted
from tables.versions import resolve, tally
from tables.views import view_incoming, view_stored

_WRITTEN = "verdict in ('new', 'correction')"


@dataclass
class BucketOutcome:
    """What one bucket of one table came to.

    Attributes:
        buckets: the bucket's new state per stored table that changed.
        verdicts: rows and amount (fixed point) per verdict.
        appended: rows written per stored table.
        closed: stored rows whose validity ended.
    """

    buckets: dict[str, Bucket] = field(default_factory=dict)
    verdicts: dict[str, tuple[int, int]] = field(default_factory=dict)
    appended: dict[str, int] = field(default_factory=dict)
    closed: int = 0


@dataclass(frozen=True)
class BucketWriter:
    """Takes the split rows of a bucket into the history.

    Attributes:
        connection: DuckDB, bounded in memory.
        root: folder of the history.
        generation: number of the generation in the making.
        calendar: cutoffs that decide which order versions can be told apart.
    """

    connection: duckdb.DuckDBPyConnection
    root: Path
    generation: int
    calendar: BusinessCalendar

    def append(
        self,
        plan: TablePlan,
        bucket: int,
        staged: Sequence[Path],
        stored: dict[str, Bucket],
        stamp: int | None,
    ) -> BucketOutcome:
        """Resolve a bucket's incoming rows against what is stored and write what is new.

        Args:
            plan: how the table is stored.
            bucket: number of the bucket.
            staged: files of split rows.
            stored: the bucket's present state per stored table.
            stamp: known time of rows without one is no earlier; none at a first load.
        """
        outcome = BucketOutcome()
        view_incoming(self.connection, plan, staged)
        if self._passes_whole(plan, bucket, stored, stamp, outcome):
            return outcome
        present = {name: stored[name] for name in plan.homes if stored.get(name, Bucket()).parts}
        view_stored(self.connection, self.root, "stored", present, plan.identity.columns, plan.homes)
        resolve(self.connection, plan.identity, stamp=stamp, has_stored=bool(present))
        outcome.verdicts = tally(self.connection, with_amount="amount" in plan.identity.columns)
        if plan.derived:
            self._view_order_lines(plan, present)
        for number, name in enumerate(plan.homes):
            self._append_home(plan, name, number, bucket, stored.get(name, Bucket()), outcome)
        if plan.derived:
            self._append_orders(plan, bucket, stored.get("orders", Bucket()), outcome)
        return outcome

    def _passes_whole(
        self,
        plan: TablePlan,
        bucket: int,
        stored: dict[str, Bucket],
        stamp: int | None,
        outcome: BucketOutcome,
    ) -> bool:
        """Write a first load whose rows, once sorted, repeat nowhere; that needs no grouping at all."""
        if stored or plan.identity.key or len(plan.homes) > 1 or stamp is not None:
            return False
        ((removed, known),) = self.connection.execute(
            "select count(*) filter (removed > 0), count(known_given) from incoming"
        ).fetchall()
        if removed or known:
            return False
        columns = stored_order(plan.name, plan.columns(plan.name))
        query = f"select {listed(('customer', 'event_at', *columns))} from incoming"
        rows = sorted_rows(self.connection, query, columns)
        if repeats(rows, ("customer", "event_at", *columns)):
            return False
        part = write_part(self.root, self._file(plan.name, bucket, ""), rows)
        outcome.buckets[plan.name] = Bucket(parts=(part,))
        outcome.appended[plan.name] = part.rows
        return True

    def count_only(self, plan: TablePlan, staged: Sequence[Path]) -> dict[str, tuple[int, int]]:
        """Count repetitions among filtered rows without a known customer; nothing of them is stored."""
        view_incoming(self.connection, plan, staged)
        resolve(self.connection, plan.identity, stamp=None, has_stored=False)
        return tally(self.connection, with_amount="amount" in plan.identity.columns)

    def _append_home(
        self, plan: TablePlan, name: str, number: int, bucket: int, before: Bucket, outcome: BucketOutcome
    ) -> None:
        columns = plan.columns(name)
        mine = f"is_return = {'true' if name == 'returns' else 'false'}" if len(plan.homes) > 1 else "true"
        new = f"select {listed((*OWN_TIMES, *columns))} from resolved where {_WRITTEN} and {mine}"
        ended = f"select part, row, superseded_at from resolved where verdict = 'ended' and home = {number}"
        if not before.parts:
            ended = ""
        self._grow(name, bucket, before, new, ended, columns, outcome)

    def _append_orders(self, plan: TablePlan, bucket: int, before: Bucket, outcome: BucketOutcome) -> None:
        """Write the order versions that are new and end those that no longer hold."""
        derive_orders(self.connection, plan.identity.columns, self.calendar)
        columns = plan.columns("orders")
        fields = listed((*OWN_TIMES, *columns))
        if not before.parts:
            self._grow("orders", bucket, before, f"select {fields} from derived", "", columns, outcome)
            return
        view_stored(self.connection, self.root, "stored_orders", {"orders": before}, columns)
        same = " and ".join(
            f"mine.{quoted(name)} is not distinct from theirs.{quoted(name)}"
            for name in ("customer", "event_at", "known_at", *columns)
        )
        touched = "select customer, order_id from derived union select customer, order_id from touched"
        new = (
            f"select {listed((*OWN_TIMES, *columns), 'mine')} from derived as mine anti join stored_orders as theirs "
            f"on {same} and theirs.superseded_at >= mine.superseded_at"
        )
        ended = (
            "select theirs.part, theirs.row, coalesce(mine.superseded_at, theirs.known_at) as superseded_at "
            f"from (select * from stored_orders semi join ({touched}) using (customer, order_id)) as theirs "
            f"left join derived as mine on {same} "
            "where coalesce(mine.superseded_at, theirs.known_at) < theirs.superseded_at"
        )
        self._grow("orders", bucket, before, new, ended, columns, outcome)

    def _grow(
        self,
        name: str,
        bucket: int,
        before: Bucket,
        new: str,
        ended: str,
        columns: Sequence[str],
        outcome: BucketOutcome,
    ) -> None:
        part = self._write(name, bucket, new, columns)
        closure = self._close(name, bucket, ended) if ended else None
        if part.rows == 0 and closure is None:
            return
        outcome.appended[name] = part.rows
        outcome.closed += closure.rows if closure else 0
        outcome.buckets[name] = Bucket(
            parts=(*before.parts, part) if part.rows else before.parts,
            closures=(*before.closures, closure) if closure else before.closures,
        )

    def _write(self, name: str, bucket: int, rows: str, columns: Sequence[str]) -> Part:
        table = sorted_rows(
            self.connection, rows, ("known_at", *stored_order(name, columns), "superseded_at")
        )
        if table.num_rows == 0:
            return Part(file="", rows=0, sha256="")
        return write_part(self.root, self._file(name, bucket, ""), table)

    def _close(self, name: str, bucket: int, ended: str) -> Part | None:
        table = self.connection.sql(f"{ended} order by part, row").to_arrow_table()
        if table.num_rows == 0:
            return None
        return write_part(self.root, self._file(name, bucket, "-closed"), table)

    def _file(self, name: str, bucket: int, suffix: str) -> str:
        return bucket_file(name, bucket, self.generation, suffix)

    def _view_order_lines(self, plan: TablePlan, present: dict[str, Bucket]) -> None:
        """Show every version of every line of the orders that this run touches."""
        fields = listed(("customer", "event_at", "known_at", "superseded_at", *plan.identity.columns))
        self.connection.execute(
            "create or replace temp table touched as select distinct customer, order_id from resolved "
            "where verdict in ('new', 'correction', 'ended')"
        )
        new = f"select {fields} from resolved where {_WRITTEN} and not is_return"
        if not present:
            self.connection.execute(f"create or replace temp view order_lines as {new}")
            return
        self.connection.execute(
            f"""create or replace temp view order_lines as {new} union all
            select {listed(("customer", "event_at", "known_at"), "old")},
                coalesce(ended.superseded_at, old.superseded_at), {listed(plan.identity.columns, "old")}
            from (select * from stored semi join touched using (customer, order_id) where not is_return) as old
            left join (select * from resolved where verdict = 'ended') as ended using (home, part, row)"""
        )
