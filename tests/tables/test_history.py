"""The history as readers meet it: arrays in order, damage noticed, nothing where nothing was delivered."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tables.calendar import NEVER
from tables.errors import DataError, SchemaError
from tables.history import History
from tests.tables.conftest import instant

HEADER = "customer_id,order_id,ordered_at,product_id,amount"


def filled(shop, nights: int = 2) -> History:
    for night in range(nights):
        rows = [f"c{n},{n}-{night},2025-01-0{night + 1},p{n},{n + 1}" for n in range(5)]
        shop.deliver(f"lines{night}.csv", HEADER, *rows)
        shop.ingest({"orders": [shop.source("lines*.csv", HEADER)]})
    return History.open(shop.root)


def test_arrays_have_the_promised_types_and_lengths(shop):
    rows = filled(shop).read("lines", 0, ("product_id", "amount"))
    assert (rows.customer.dtype, rows.at.dtype, rows.columns["amount"].dtype) == (
        np.int32,
        np.int64,
        np.int64,
    )
    assert len(rows) == 10 and rows.customers == 5
    assert rows.columns["product_id"].labels == ("p0", "p1", "p2", "p3", "p4")
    assert rows.columns["product_id"].codes.dtype == np.int32
    assert (rows.superseded_at == NEVER).all()


def test_several_files_are_merged_in_order(shop):
    rows = filled(shop, nights=3).read("orders", 0)
    step = np.diff(rows.customer)
    assert ((step > 0) | ((step == 0) & (np.diff(rows.at) >= 0))).all()


def test_keys_count_customers_and_ids_follow_them(shop):
    shop.settings = shop.settings.model_copy(update={"customers_per_bucket": 2})
    history = filled(shop)
    assert (history.buckets, history.customers) == (3, 5)
    for key, name in enumerate(["c0", "c1", "c2", "c3", "c4"]):
        assert history.customer_key(name) == key
        assert history.customer_ids(key % 3)[key // 3] == name
    assert history.customer_key("nobody") is None
    assert [history.read("orders", bucket).customers for bucket in range(3)] == [2, 2, 1]


def test_new_customers_get_the_next_keys_in_sorted_order(shop):
    filled(shop, nights=1)
    shop.deliver("lines9.csv", HEADER, "zoe,1,2025-02-01,p,1", "abe,2,2025-02-01,p,1")
    shop.ingest({"orders": [shop.source("lines*.csv", HEADER)]})
    assert list(History.open(shop.root).customer_ids(0)) == ["c0", "c1", "c2", "c3", "c4", "abe", "zoe"]


def test_open_history_keeps_reading_its_own_generation(shop):
    history = filled(shop, nights=1)
    filled(shop, nights=2)
    assert len(history.read("orders", 0)) == 5
    assert len(History.open(shop.root).read("orders", 0)) == 10


def test_empty_folder_has_no_history(tmp_path):
    with pytest.raises(DataError, match="nothing ingested under"):
        History.open(tmp_path)


def test_unknown_table_and_columns_are_named(shop):
    history = filled(shop)
    assert not history.has("tickets")
    with pytest.raises(SchemaError, match=r"no table 'tickets'; found \['lines', 'orders'\]"):
        history.read("tickets", 0)
    with pytest.raises(SchemaError, match=r"no column 'amout'.*Did you mean 'amount'"):
        history.read("orders", 0, ("amout",))
    with pytest.raises(SchemaError, match="no bucket 7"):
        history.read("orders", 7)


def test_missing_file_is_noticed(shop):
    history = filled(shop, nights=1)
    next((shop.root / "orders").rglob("*.parquet")).unlink()
    with pytest.raises(DataError, match="cannot be read"):
        history.read("orders", 0)


def test_file_out_of_order_is_noticed(shop):
    history = filled(shop, nights=1)
    path = next((shop.root / "orders").rglob("*.parquet"))
    pq.write_table(pq.read_table(path).take([1, 0, 2, 3, 4]), path)
    with pytest.raises(DataError, match="is not in order"):
        history.read("orders", 0)


def test_file_of_another_length_is_noticed(shop):
    history = filled(shop, nights=1)
    path = next((shop.root / "orders").rglob("*.parquet"))
    pq.write_table(pq.read_table(path).slice(0, 3), path)
    with pytest.raises(DataError, match="has 3 rows; its manifest says 5"):
        history.read("orders", 0)


def test_manifest_of_another_version_is_refused(shop):
    filled(shop)
    path = shop.root / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(SchemaError, match="format 99"):
        History.open(shop.root)


@pytest.mark.parametrize("content", ["{", "[1]", "{}", '{"format": 1, "buckets": "many"}'])
def test_a_damaged_manifest_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(
        DataError, match=r"manifest\.json: not a manifest; .*Restore it from a backup"
    ) as caught:
        History.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_manifest_names_no_absolute_path(shop):
    filled(shop)
    assert str(shop.root) not in (shop.root / "manifest.json").read_text()


def test_columns_that_came_later_are_unknown_before(shop):
    reasons, ways = "customer_id,ticket_id,opened_at,reason", "customer_id,ticket_id,opened_at,channel"
    shop.deliver("a.csv", HEADER, "ann,1,2026-01-05,p,10")
    sources = {"orders": [shop.source("a.csv", HEADER)]}
    shop.ingest(sources)
    sources["tickets"] = [shop.source("t.csv", reasons)]
    shop.deliver("t.csv", reasons, "ann,1,2026-01-06,late")
    shop.ingest(sources)
    sources["tickets"].append(shop.source("u.csv", ways))
    shop.deliver("u.csv", ways, "ann,2,2026-02-01,chat")
    shop.ingest(sources)
    history = History.open(shop.root)

    def known(day: str) -> dict[str, tuple[str, ...]]:
        found = history.without_later("tickets", ("reason", "channel", "ticket_id"), instant(day))
        return {name: found.columns(name) for name in found.tables() if name == "tickets"}

    # Known since the ingest before: from the newest row on that it had.
    assert known("2026-01-05") == {}
    assert known("2026-01-06") == {"tickets": ("ticket_id", "reason")}
    assert known("2026-01-07") == {"tickets": history.columns("tickets")}
    assert set(history.columns("tickets")) == {"ticket_id", "reason", "channel"}
    assert history.without_later("orders", history.columns("orders"), 0).tables() == history.tables()
    assert history.without_later("tickets", ("channel",), 0).columns("tickets") == ("ticket_id", "reason")
