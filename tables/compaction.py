"""Keeping buckets at a few files: newer files are merged as they grow, and closings are folded in.

Each file of a bucket holds at least ``merge_ratio`` times the rows of all newer ones together. A bucket of a
million rows that grows by three thousand a night thus has at most seven files, and in the long run each row
is written about as many times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tables.manifest import Bucket, Part, bucket_file
from tables.parts import OWN_TIMES, first_to_merge, stored_order, write_part
from tables.sorting import sorted_rows
from tables.sql import listed
from tables.views import load_closures, view_stored


@dataclass(frozen=True)
class Compactor:
    """Merges files of one bucket of one stored table.

    Attributes:
        connection: DuckDB, bounded in memory.
        root: folder of the history.
        generation: number of the generation in the making.
        ratio: how many times the rows of all newer files a file must hold to stay; 0 merges nothing.
    """

    connection: duckdb.DuckDBPyConnection
    root: Path
    generation: int
    ratio: float

    def tidy(self, table: str, columns: Sequence[str], bucket: int, stored: Bucket) -> Bucket:
        """Merge the files that have too many rows behind them; readers see the same rows in the same order.

        Args:
            table: name of the stored table.
            columns: every column its files may hold.
            bucket: number of the bucket.
            stored: its present state.
        """
        first = self._first(stored)
        parts = stored.parts
        if first < len(parts):
            parts = (*parts[:first], self._merged(table, stored_order(table, columns), bucket, stored, first))
        closings = [part.rows for part in stored.closures]
        if parts is stored.parts and first_to_merge(closings, self.ratio) == len(closings):
            return stored
        return Bucket(parts=parts, closures=self._closings(table, bucket, stored, first))

    def _first(self, stored: Bucket) -> int:
        rows, closings = ([part.rows for part in parts] for parts in (stored.parts, stored.closures))
        return 0 if sum(rows) < self.ratio * sum(closings) else first_to_merge(rows, self.ratio)

    def _merged(self, table: str, columns: Sequence[str], bucket: int, stored: Bucket, first: int) -> Part:
        view_stored(self.connection, self.root, "stored", {table: stored}, columns)
        query = f"select {listed((*OWN_TIMES, *columns))} from stored where part >= {first}"
        rows = sorted_rows(self.connection, query, ("known_at", *columns, "superseded_at"))
        return write_part(self.root, bucket_file(table, bucket, self.generation, "-base"), rows)

    def _closings(self, table: str, bucket: int, stored: Bucket, first: int) -> tuple[Part, ...]:
        """Write the closings of the parts before a number into one file; those of the others are folded in."""
        if not stored.closures:
            return ()
        load_closures(self.connection, self.root, "closed", stored)
        kept = self.connection.sql(
            f"select part, row, until as superseded_at from closed where part < {first} order by part, row"
        ).to_arrow_table()
        if kept.num_rows == 0:
            return ()
        return (write_part(self.root, bucket_file(table, bucket, self.generation, "-ends"), kept),)
