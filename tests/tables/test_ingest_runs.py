"""A run as a whole: killed, repeated, reported, and who may read what it writes."""

import json

import pytest

from tables import buckets
from tables import ingest as ingest_module
from tables.history import History
from tests.tables.order_files import LINE, ORDER, line_source, order_source, snapshot


def test_same_file_twice_makes_no_new_generation(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    first = shop.ingest(order_source(shop))
    shop.deliver("orders copy.csv", ORDER, "ann,1,2025-01-01,1")
    again = shop.ingest(order_source(shop))
    assert not again.changed
    assert (again.generation, again.digest) == (first.generation, first.digest)


def test_an_overwritten_file_may_come_back_to_what_it_held(shop):
    header = "customer_id,signed_up_at,in_complaint"
    sources = {"customers": [shop.source("customers.csv", header)]}
    for flag in "101":
        shop.deliver("customers.csv", header, f"ann,2025-01-01,{flag}")
        assert shop.ingest(sources).changed
    assert shop.visible("customers", "2025-01-09", "in_complaint") == [("ann", 1)]
    assert not shop.ingest(sources).changed


def test_killed_run_leaves_files_the_next_one_removes(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    shop.ingest(order_source(shop))
    stray = shop.root / "orders/bucket=0000/000002.parquet"
    stray.write_bytes(b"half a file")
    (shop.root / ".ingest-dead").mkdir()
    assert shop.facts("orders", "order_id") == [("ann", "2025-01-01", "2025-01-01", "never", "1")]
    shop.ingest(order_source(shop))
    assert not stray.exists() and not (shop.root / ".ingest-dead").exists()


@pytest.mark.parametrize("step", ["write_part", "switch_manifest"])
def test_run_that_dies_midway_changes_nothing_for_readers(shop, monkeypatch, step):
    shop.deliver("orders1.csv", ORDER, "ann,1,2025-01-01,1")
    shop.ingest(order_source(shop))
    before = shop.facts("orders", "order_id")
    shop.deliver("orders2.csv", ORDER, "ann,2,2025-01-02,1", "bob,3,2025-01-02,1")

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(buckets if step == "write_part" else ingest_module, step, die)
        with pytest.raises(KeyboardInterrupt):
            shop.ingest(order_source(shop))
    assert shop.facts("orders", "order_id") == before
    assert History.open(shop.root).customers == 1
    assert shop.ingest(order_source(shop)).changed
    assert [fact[4] for fact in shop.facts("orders", "order_id")] == ["1", "2", "3"]


def test_same_sources_give_the_same_bytes(shop, tmp_path):
    shop.deliver(
        "lines.csv",
        LINE,
        *(f"c{n % 7},{n // 2},2025-01-{n % 28 + 1:02d},p{n % 3},{n}.25" for n in range(200)),
    )
    shop.ingest(line_source(shop))
    first = snapshot(shop.root)
    shop.root = tmp_path / "again"
    shop.ingest(line_source(shop))
    assert snapshot(shop.root) == first


def test_report_is_written_as_json_beside_the_history(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    report = shop.ingest(order_source(shop))
    written = json.loads((shop.root / "reports/ingest-000001.json").read_text())
    assert written == json.loads(report.to_json())
    assert written["tables"]["orders"]["appended"] == {"orders": 1}


def test_only_the_owner_enters_a_new_history(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,5")
    shop.ingest(order_source(shop))
    assert shop.root.stat().st_mode & 0o777 == 0o700


def test_a_history_that_stands_keeps_its_mode(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,5")
    shop.root.mkdir()
    shop.root.chmod(0o750)
    shop.ingest(order_source(shop))
    assert shop.root.stat().st_mode & 0o777 == 0o750
