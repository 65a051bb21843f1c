"""One measured piece of work in a process of its own: ``tasks.py TASK SHOP WORKSPACE``.

Prints CPU seconds of the work (imports excluded, all threads included) and the peak memory of the process.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.common_features import COMMON
from benchmarks.generate import EVENT_TYPES
from features.build import build_features
from features.builder import Builder
from features.builders import BUILDERS
from features.population import Buyers
from features.settings import FeatureSettings
from tables.calendar import BusinessCalendar
from tables.history import History
from tables.ingest import ingest
from tables.sources import IngestSettings, Source

CALENDAR = BusinessCalendar("UTC")
ONE_DATE = (date(2025, 7, 1),)
TWELVE_DATES = tuple(date(2025, month, 1) for month in range(1, 13))
WHOLE_LOG_DAYS = 3 * 365
THREADS = 2
TABLES = ("customers", "orders", "events")


def scan(shop: Path, workspace: Path) -> None:
    """Read every column that features need, and do nothing with it: the least any engine must do."""
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.sql(
            "select sum(customer_id), sum(epoch_us(ordered_at)), sum(amount), sum(discount), sum(quantity),"
            f" count(category), count(*) filter (is_return) from '{shop}/orders/*.parquet'"
        ).fetchall()
        connection.sql(
            "select sum(customer_id), sum(epoch_us(occurred_at)), sum(strlen(type))"
            f" from '{shop}/events/*.parquet'"
        ).fetchall()


def copy(shop: Path, workspace: Path) -> None:
    """Copy the rows with DuckDB, one file a table."""
    workspace.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": THREADS}) as connection:
        for table in TABLES:
            target = workspace / f"{table}.parquet"
            connection.sql(
                f"copy (from '{shop}/{table}/*.parquet') to '{target}' (format parquet, compression zstd)"
            )


def ingest_all(shop: Path, workspace: Path) -> None:
    """Ingest all tables into an empty history."""
    columns = {
        "customers": ("customer_id", "signed_up_at", "region"),
        "orders": (
            *("customer_id", "order_id", "ordered_at", "amount", "discount", "quantity", "category"),
            "is_return",
        ),
        "events": ("customer_id", "occurred_at", "type"),
    }
    sources = {
        table: [
            Source(path=f"{shop}/{table}/*.parquet", grain="order", columns={name: name for name in names})
        ]
        for table, names in columns.items()
    }
    now = CALENDAR.midnight(date(2026, 1, 2))
    ingest(sources, root=workspace, calendar=CALENDAR, now=now, settings=IngestSettings(threads=THREADS))


def _features(
    dates: tuple[date, ...], builders: Iterable[Builder], event_types: tuple[str, ...] = ()
) -> Callable[[Path, Path], None]:
    def work(shop: Path, workspace: Path) -> None:
        blocks = build_features(
            History.open(workspace),
            as_of=dates,
            calendar=CALENDAR,
            settings=FeatureSettings(horizon_days=90, event_types=event_types),
            population=Buyers(WHOLE_LOG_DAYS),
            builders=tuple(builders),
        )
        # No name may hold a block while the next one is built: two of them would count as the peak.
        while next(blocks, None) is not None:
            pass

    return work


TASKS: dict[str, Callable[[Path, Path], None]] = {
    "scan": scan,
    "copy": copy,
    "ingest": ingest_all,
    "common_one_date": _features(ONE_DATE, COMMON),
    "common_twelve_dates": _features(TWELVE_DATES, COMMON),
    "full_one_date": _features(ONE_DATE, BUILDERS, EVENT_TYPES),
    "full_twelve_dates": _features(TWELVE_DATES, BUILDERS, EVENT_TYPES),
}


def main(task: str, shop: Path, workspace: Path) -> None:
    """Run one task and print what it took."""
    began = time.process_time()
    TASKS[task](shop, workspace)
    cpu = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"cpu_seconds": cpu, "peak_gb": peak}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
