"""Write a synthetic shop of any size as Parquet: ten orders and forty events a customer.

Usage: generate.py FOLDER CUSTOMERS [CUSTOMERS_PER_FILE]

The same arguments give the same bytes. Rows lie in order of time within each file, as an append-only log
would hold them, not clustered by customer.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_DAY = np.datetime64("2023-01-01", "us").astype(np.int64)
DAYS = 3 * 365
MICROSECONDS_PER_DAY = 86_400_000_000
EVENT_TYPES = ("session", "email_open", "email_click", "push_open", "ticket", "web_view")
CATEGORIES = tuple(f"cat_{number:02d}" for number in range(24))
REGIONS = ("US", "GB", "DE", "FR", "ES")

_EVENT_SHARES = (0.40, 0.20, 0.06, 0.09, 0.03, 0.22)
_SEED = 1_000


@dataclass(frozen=True)
class Customers:
    """Customers of one file: when they come, how long they stay, how active they are."""

    number: npt.NDArray[np.int64]
    starts: npt.NDArray[np.float64]
    stays: npt.NDArray[np.float64]
    activity: npt.NDArray[np.float64]


def write_shop(folder: Path, customers: int, customers_per_file: int = 250_000) -> None:
    """Write ``customers``, ``orders`` and ``events`` under a folder, one file per block of customers."""
    for part, first in enumerate(range(0, customers, customers_per_file)):
        count = min(customers_per_file, customers - first)
        rng = np.random.default_rng(_SEED + part)
        block = _customers(first, count, rng)
        tables = {
            "customers": _sign_ups(block, rng),
            "orders": _orders(block, rng),
            "events": _events(block, rng),
        }
        for name, table in tables.items():
            path = folder / name / f"part-{part:04d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path, compression="zstd", compression_level=1, row_group_size=500_000)


def _customers(first: int, count: int, rng: np.random.Generator) -> Customers:
    starts = rng.beta(1.0, 1.6, count) * (DAYS - 30)
    stays = np.minimum(rng.exponential(420, count) + 5, DAYS - starts)
    activity = rng.lognormal(-0.5, 1.0, count)
    return Customers(np.arange(first, first + count), starts, stays, activity)


def _moments(
    customers: Customers, counts: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Spread each customer's rows over their stay, denser at its beginning; sort all rows by time."""
    owner = np.repeat(np.arange(len(counts)), counts)
    day = customers.starts[owner] + rng.random(len(owner)) ** 1.25 * customers.stays[owner]
    at = (day * MICROSECONDS_PER_DAY).astype(np.int64)
    order = np.argsort(at, kind="stable")
    return owner[order], at[order]


def _orders(customers: Customers, rng: np.random.Generator) -> pa.Table:
    counts = 1 + np.minimum(rng.poisson(np.minimum(9 * customers.activity, 400)), 2_000)
    owner, at = _moments(customers, counts, rng)
    rows, people = len(owner), len(counts)
    amount = np.round(rng.lognormal(3.2, 0.6, people)[owner] * rng.lognormal(0, 0.5, rows), 2)
    reduced = np.round(amount * rng.choice([0.05, 0.1, 0.2, 0.3], rows), 2)
    favourite = rng.integers(0, len(CATEGORIES), people)[owner]
    category = np.where(rng.random(rows) < 0.55, favourite, rng.integers(0, len(CATEGORIES), rows))
    return pa.table(
        {
            "order_id": np.arange(rows) + int(customers.number[0]) * 1_000,
            "customer_id": customers.number[owner],
            "ordered_at": _instants(at),
            "amount": amount,
            "discount": np.where(rng.random(rows) < 0.3, reduced, 0.0),
            "quantity": (1 + rng.poisson(0.8, rows)).astype(np.int32),
            "category": _texts(category, CATEGORIES),
            "is_return": rng.random(rows) < 0.06,
        }
    )


def _events(customers: Customers, rng: np.random.Generator) -> pa.Table:
    counts = rng.poisson(np.minimum(40 * (0.35 + 0.65 * customers.activity), 1_500))
    owner, at = _moments(customers, counts, rng)
    kind = rng.choice(len(EVENT_TYPES), len(owner), p=_EVENT_SHARES)
    return pa.table(
        {
            "customer_id": customers.number[owner],
            "occurred_at": _instants(at),
            "type": _texts(kind, EVENT_TYPES),
        }
    )


def _sign_ups(customers: Customers, rng: np.random.Generator) -> pa.Table:
    region = rng.integers(0, len(REGIONS), len(customers.number))
    signed_up_at = _instants((customers.starts * MICROSECONDS_PER_DAY).astype(np.int64))
    return pa.table(
        {"customer_id": customers.number, "signed_up_at": signed_up_at, "region": _texts(region, REGIONS)}
    )


def _instants(at: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(FIRST_DAY + at, pa.timestamp("us"))


def _texts(codes: npt.NDArray[np.int64], labels: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), list(labels)).cast(pa.string())


if __name__ == "__main__":
    write_shop(Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:]))
