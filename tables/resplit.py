"""Parting buckets that have grown too large: each one alone, into shares of its own customers.

A customer's key stays; with ``n`` times as many buckets, local index ``i`` of bucket ``b`` becomes local index
``i // n`` of bucket ``b + (i % n) * buckets``. The files are new ones, of a generation that does not count until
its manifest takes the place of the old one.
"""

from dataclasses import replace

from tables.deliveries import Run
from tables.manifest import Bucket, StoredTable, bucket_file
from tables.parts import OWN_TIMES, stored_order, write_part
from tables.sorting import sorted_rows
from tables.sql import listed
from tables.views import view_stored


def resplit(run: Run, buckets: int) -> Run:
    """Part every bucket of every table and let the run go on from there.

    Args:
        run: the ingest, before it appends anything.
        buckets: the new number of buckets, a multiple of the present one.
    """
    before = run.previous
    tables = {}
    for name, table in before.tables.items():
        run.progress(f"{name}: from {before.buckets} to {buckets} buckets")
        shares: dict[int, Bucket] = {}
        for bucket, stored in table.buckets.items():
            shares |= _parted(run, name, table, bucket, stored, buckets)
        tables[name] = table.model_copy(update={"buckets": dict(sorted(shares.items()))})
    return replace(run, previous=before.model_copy(update={"tables": tables, "buckets": buckets}))


def _parted(
    run: Run, name: str, table: StoredTable, bucket: int, stored: Bucket, buckets: int
) -> dict[int, Bucket]:
    columns = stored_order(name, table.columns)
    view_stored(run.connection, run.root, "stored", {name: stored}, columns)
    number, shares = buckets // run.previous.buckets, {}
    for share in range(number):
        query = (
            f"select (customer // {number})::int as customer, {listed((*OWN_TIMES[1:], *columns))} "
            f"from stored where customer % {number} = {share}"
        )
        rows = sorted_rows(run.connection, query, ("known_at", *columns, "superseded_at"))
        if rows.num_rows:
            target = bucket + share * run.previous.buckets
            file = bucket_file(name, target, run.generation, "-split")
            shares[target] = Bucket(parts=(write_part(run.root, file, rows),))
    return shares
