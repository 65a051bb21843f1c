"""A history of many nights reads as one that was never merged nor parted, and as one built anew from all files.

What holds: merging files and parting buckets change no row and no order of a customer's rows. A full rebuild
gives every row that any snapshot can see, and the same features and labels, where every row says when it became
known and the versions of a key are delivered in that order. It cannot where known times are left out: a row that
was late for its night counts as known from the stamp of the ingest before it, which a rebuild has no way to know.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tables.ingest import ingest
from tables.manifest import Manifest, read_manifest
from tables.rows import Codes, Rows
from tables.sources import IngestSettings
from tables.storage import write_table
from tests.drawn_rows import AS_OF, TIME, Delivery, Rng, Row
from tests.drawn_shop import NAMES, NOW, TRAINED_ON, Files, corrections, shop

few = settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 10**9)
Shops = Callable[..., Files]
PLAIN = IngestSettings(threads=1, merge_ratio=0)
TIDY = [
    IngestSettings(threads=1, customers_per_bucket=3),
    IngestSettings(threads=1, customers_per_bucket=3, merge_ratio=1e9),
]
OTHERS = [table for table in TIME if table not in ("orders", "calendar")]


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    def begin(chosen: IngestSettings) -> Files:
        found = Files(tmp_path_factory.mktemp("shop"))
        found.settings = chosen
        return found

    return begin


def drawn_nights(rng: Rng) -> list[Delivery]:
    """Draw a first load and nights with new customers, late rows, repetitions, corrections, and gaps of tables."""
    tables = ("orders", "calendar", *map(str, rng.choice(OTHERS, 2, replace=False)))
    nights = [shop(rng, NAMES[:3])]
    for night in range(1, 3):
        names = [str(rng.choice(NAMES)), f"new{night}"]
        found = shop(rng, names, mark=f"n{night}", first_day=-40)
        for table, rows in found.items():
            earlier = [row for before in nights for row in before[table]]
            again = [row for row in earlier if rng.random() < 0.1]
            found[table] = [*rows, *again, *corrections(rng, table, earlier, share=0.1)]
            found[table] = found[table] if rng.random() < 0.8 else []
        nights.append(found)
    return [{table: night[table] for table in tables} for night in nights]


def facts(files: Files, *, visible: bool = False) -> dict[str, dict[str, list[tuple[object, ...]]]]:
    """Return every version of every row per table and customer id, in the order in which it is read."""
    history, found = files.history, {}
    for table in history.tables():
        mine: dict[str, list[tuple[object, ...]]] = {}
        for bucket in range(history.buckets):
            rows = history.read(table, bucket, history.columns(table))
            ids = history.customer_ids(bucket)
            for customer, *row in zip(rows.customer, *listed(rows), strict=True):
                if not visible or row[1] < row[2]:
                    mine.setdefault(ids[customer] if table != "calendar" else "", []).append(tuple(row))
        found[table] = mine
    return found


def listed(rows: Rows) -> list[list[object]]:
    columns = (
        rows.at,
        rows.known_at,
        rows.superseded_at,
        *(rows.columns[name] for name in sorted(rows.columns)),
    )
    return [
        [column.labels[code] if code >= 0 else None for code in column.codes]
        if isinstance(column, Codes)
        else [repr(value) for value in column.tolist()]
        if column.dtype.kind == "f"
        else column.tolist()
        for column in columns
    ]


def digests(files: Files) -> tuple[str, str]:
    """Return the digests of the tables of features and of labels."""
    folder = files.folder
    return (
        write_table(files.features(AS_OF, *TRAINED_ON), folder / "features.parquet"),
        write_table(files.labels(), folder / "labels.parquet"),
    )


def taken_in(files: Files, nights: Sequence[tuple[Delivery, bool]]) -> Files:
    """Take one night after the other in; a calendar must always say since when its days were known."""
    for found, with_known in nights:
        told = {table: rows for table, rows in found.items() if with_known or table != "calendar"}
        files.take_in(told, with_known=with_known)
    return files


@pytest.mark.slow
@few
@given(seed=seeds, chosen=st.sampled_from(TIDY))
def test_merged_and_parted_history_reads_as_it_came(files: Shops, seed: int, chosen: IngestSettings) -> None:
    rng = np.random.default_rng(seed)
    nights = [(found, bool(rng.random() < 0.5)) for found in drawn_nights(rng)]
    plain, tidy = taken_in(files(PLAIN), nights), taken_in(files(chosen), nights)
    assert tidy.history.buckets > 1
    assert facts(tidy) == facts(plain)
    assert digests(tidy) == digests(plain)


def in_order_of_known(nights: Sequence[Delivery]) -> list[Delivery]:
    """Let every row say when it was known, and no version of a key before one that was delivered earlier."""
    latest: dict[tuple[object, ...], datetime] = {}
    told: list[Delivery] = []
    for night in nights:
        found: Delivery = {}
        for table, rows in night.items():
            known = [replace(row, known=row.known or row.at) for row in rows]
            before = dict(latest)
            found[table] = [
                replace(row, known=max(row.known, before.get(key_of(table, row), row.known))) for row in known
            ]
            latest |= {
                key_of(table, row): row.known for row in sorted(found[table], key=lambda row: row.known)
            }
        told.append(found)
    return told


def key_of(table: str, row: Row) -> tuple[object, ...]:
    """Return what all versions of a row share; orders and tables without an id go by customer or day."""
    names = [name for name in row.content if name.endswith("_id") and name != "product_id"]
    return (table, row.customer, *(row.content[name] for name in names), *([] if names else [row.at]))


@pytest.mark.slow
@few
@given(seed=seeds, chosen=st.sampled_from(TIDY))
def test_many_nights_equal_one_rebuild_from_all_files(
    files: Shops, seed: int, chosen: IngestSettings
) -> None:
    nights = in_order_of_known(drawn_nights(np.random.default_rng(seed)))
    nightly, rebuilt = taken_in(files(chosen), [(found, True) for found in nights]), files(PLAIN)
    sources = {
        table: [
            rebuilt.write(table, found[table], name=str(night))
            for night, found in enumerate(nights)
            if found[table]
        ]
        for table in nights[0]
    }
    ingest(sources, root=rebuilt.folder / "history", calendar=rebuilt.calendar, now=NOW, settings=PLAIN)
    assert facts(nightly, visible=True) == facts(rebuilt, visible=True)
    assert digests(nightly) == digests(rebuilt)


TICKETS = "customer_id,ticket_id,opened_at,solved_at,known_at"


def ticket_night(night: int) -> list[str]:
    """Write a night's tickets: three opened, those of three nights ago solved; the first night has 300 old ones."""
    day = date(2025, 1, 1) + timedelta(days=night)
    old = [
        f"c{n % 40:02d},old{n},2024-12-{1 + n % 30:02d},,2024-12-31" for n in range(300 if night == 0 else 0)
    ]
    opened = [f"c{(night + n) % 44:02d},t{night}-{n},{day},,{day}" for n in range(3)]
    before = date(2025, 1, 1) + timedelta(days=night - 3)
    solved = [f"c{(night - 3 + n) % 44:02d},t{night - 3}-{n},{before},{day},{day}" for n in range(3)]
    return [*old, *opened, *(solved if night >= 3 else [])]


@pytest.mark.slow
def test_ninety_nights_keep_few_files_and_little_disk(shop, tmp_path: Path) -> None:
    nights = [shop.deliver(f"{night:03d}.csv", TICKETS, *ticket_night(night)) for night in range(91)]
    files, sizes = [], []
    for night in nights:
        shop.ingest({"tickets": [shop.source(night.name, TICKETS)]})
        named = [shop.root / file for file in (read_manifest(shop.root) or Manifest()).referenced()]
        files.append(len(named))
        sizes.append(sum(path.stat().st_size for path in named))
    nightly = shop.facts("tickets", "ticket_id", "solved_at")
    shop.root = tmp_path / "rebuilt"
    shop.ingest({"tickets": [shop.source("*.csv", TICKETS)]})
    assert nightly == shop.facts("tickets", "ticket_id", "solved_at")
    rebuilt = sum(path.stat().st_size for path in shop.root.rglob("*.parquet"))
    assert max(files) <= 12
    assert sizes[-1] < 3 * rebuilt
