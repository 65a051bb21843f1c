"""Files of a bucket merged when read and when they grow: the same rows in the same order, each written few times."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.calendar import NEVER
from tables.history import History
from tables.manifest import Manifest, read_manifest
from tables.merging import merge_order
from tables.parts import first_to_merge
from tables.sources import IngestSettings

ORDER = "customer_id,order_id,ordered_at,amount"
ALWAYS, NEVER_MERGED = IngestSettings(threads=1, merge_ratio=1e9), IngestSettings(threads=1, merge_ratio=0)
row = st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([None, "a", "b"]), st.integers(0, 2))
written_files = st.lists(st.lists(row, max_size=8), min_size=2, max_size=4)


def files_of(shop) -> list[str]:
    return sorted((read_manifest(shop.root) or Manifest()).referenced())


def take_in(shop, *nights: str, header: str = ORDER) -> None:
    for number, text in enumerate(nights):
        shop.deliver(f"{number}.csv", header, *text.split())
        shop.ingest({"orders": [shop.source(f"{number}.csv", header, grain="order")]})


def read_order(rows: Sequence[tuple[object, ...]], lengths: Sequence[int]) -> list[tuple[object, ...]]:
    customer, at, text, known = (list(column) for column in zip(*rows, strict=True))
    own = {
        "customer": np.array(customer, np.int32),
        "event_at": np.array(at, np.int64),
        "known_at": np.array(known, np.int64),
        "superseded_at": np.full(len(rows), NEVER),
    }
    content = pa.table({"text": pa.chunked_array([pa.array(text, pa.string())])})
    order = merge_order(own, lengths, np.zeros(len(rows), np.bool_), content.take)
    return [rows[place] for place in order]


def by_stored_order(row: tuple[object, ...]) -> tuple[object, ...]:
    customer, at, text, known = row
    return customer, at, known, text is not None, text or ""


@given(files=written_files)
def test_sorted_files_are_read_as_one_sorted_file(files: list[list[tuple[object, ...]]]) -> None:
    parts = [sorted(part, key=by_stored_order) for part in files]
    rows = [row for part in parts for row in part]
    if rows:
        assert read_order(rows, [len(part) for part in parts]) == sorted(rows, key=by_stored_order)


@given(nights=st.lists(st.integers(1, 9), min_size=1, max_size=400), base=st.integers(1, 3000))
def test_files_stay_few_and_rows_are_written_few_times(nights: list[int], base: int) -> None:
    sizes, written = [base], 0
    for added in nights:
        sizes.append(added)
        written += added
        first = first_to_merge(sizes, ratio=2)
        if first < len(sizes):
            sizes[first:] = [sum(sizes[first:])]
            written += sizes[-1]
    rows, levels = base + sum(nights), np.log(base + sum(nights)) / np.log(1.5) + 2
    assert sum(sizes) == rows
    assert len(sizes) <= levels
    assert written <= rows * levels


def test_merged_files_and_closings_become_one_base(shop):
    shop.settings = ALWAYS
    take_in(
        shop,
        "ann,1,2025-01-01,1 bob,2,2025-01-01,2",
        "ann,1,2025-01-01,9",
        "bob,2,2025-01-01,8 bob,3,2025-01-02,3",
    )
    assert files_of(shop) == ["dictionary/000001.parquet", "orders/bucket=0000/000003-base.parquet"]
    assert [fact[3:] for fact in shop.facts("orders", "order_id", "amount")] == [
        ("2025-01-01", "1", 1.0),
        ("never", "1", 9.0),
        ("2025-01-01", "2", 2.0),
        ("never", "2", 8.0),
        ("never", "3", 3.0),
    ]


def test_a_large_base_is_not_written_again_for_a_night(shop):
    base = " ".join(f"c{n},{n},2025-01-01,1" for n in range(50))
    take_in(shop, base, "c1,1,2025-01-01,7", "c2,x,2025-01-02,1", "c3,3,2025-01-01,7")
    assert files_of(shop) == [
        "dictionary/000001.parquet",
        "orders/bucket=0000/000001.parquet",
        "orders/bucket=0000/000003-base.parquet",
        "orders/bucket=0000/000004-ends.parquet",
        "orders/bucket=0000/000004.parquet",
    ]
    assert [fact[3] for fact in shop.facts("orders")].count("2025-01-02") == 1


@pytest.mark.parametrize("settings", [ALWAYS, NEVER_MERGED])
def test_a_column_no_longer_mapped_keeps_its_values(shop, settings):
    shop.settings = settings
    take_in(shop, "ann,1,2025-01-01,5,web", header=f"{ORDER},channel")
    take_in(shop, "bob,2,2025-01-02,6")
    assert shop.facts("orders", "channel", "amount") == [
        ("ann", "2025-01-01", "2025-01-01", "never", "web", 5.0),
        ("bob", "2025-01-02", "2025-01-02", "never", None, 6.0),
    ]


def test_a_version_replaced_at_once_ends_no_later_one(shop):
    header = f"{ORDER},known_at"
    known = "2025-01-01,{},2025-01-05"
    take_in(shop, *(f"ann,1,{known.format(amount)}" for amount in (10, 30, 20)), header=header)
    assert shop.visible("orders", "2025-01-06", "amount") == [("ann", 20.0)]
    take_in(shop, "ann,1,2025-01-01,40,2025-01-09", header=header)
    assert shop.visible("orders", "2025-01-06", "amount") == [("ann", 20.0)]
    assert shop.visible("orders", "2025-01-10", "amount") == [("ann", 40.0)]


def test_newcomers_of_many_nights_share_a_file(shop):
    take_in(shop, *(f"c{night:02d},{night},2025-01-01,1" for night in range(6)))
    assert len([file for file in files_of(shop) if file.startswith("dictionary")]) <= 3
    assert list(History.open(shop.root).customer_ids(0)) == [f"c{night:02d}" for night in range(6)]
