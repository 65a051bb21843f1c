"""What a delivery gets wrong: rows are counted and put aside, files are refused by name."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tables import ingest as ingest_module
from tables.calendar import BusinessCalendar
from tables.errors import ConfigError, DataError, SchemaError, StorageError
from tables.sources import IngestSettings, Source
from tests.tables.order_files import ORDER, order_source, snapshot


def test_filters_are_counted_alone_and_in_order(shop):
    filters = [
        {"name": "no_customer", "column": "customer_id", "not_null": True},
        {"name": "no_price", "column": "amount", "above": 0},
    ]
    shop.deliver(
        "orders.csv", ORDER, ",1,2025-01-01,0", ",2,2025-01-01,5", "ann,3,2025-01-01,0", "ann,4,2025-01-01,5"
    )
    report = shop.ingest(order_source(shop, filters=filters)).sources[0]
    assert (report.filters["no_customer"].matches, report.filters["no_customer"].removed) == (2, 2)
    assert (report.filters["no_price"].matches, report.filters["no_price"].removed) == (2, 1)
    assert shop.facts("orders", "order_id") == [("ann", "2025-01-01", "2025-01-01", "never", "4")]


def test_bad_rows_go_to_quarantine_with_reasons_and_position(shop):
    shop.settings = IngestSettings(threads=1, bad_row_limit=0.6)
    shop.deliver(
        "orders.csv",
        ORDER,
        "ann,1,2025-01-01,1",
        "ann,2,2031-01-01,x",
        ",3,2025-01-01,-4",
        "ann,4,2025-01-03,2",
    )
    report = shop.ingest(order_source(shop)).sources[0]
    assert report.quarantined == {
        "future_ordered_at": 1,
        "missing_customer_id": 1,
        "negative_amount": 1,
        "unreadable_amount": 1,
    }
    table = pq.read_table(shop.root / report.quarantine_files[0]).to_pydict()
    assert table["source_file"] == ["orders.csv", "orders.csv"]
    assert table["source_row"] == [2, 3]
    assert [sorted(reasons) for reasons in table["reasons"]] == [
        ["future_ordered_at", "unreadable_amount"],
        ["missing_customer_id", "negative_amount"],
    ]
    assert table["amount"] == ["x", "-4"]
    assert [fact[4] for fact in shop.facts("orders", "order_id")] == ["1", "4"]


@pytest.mark.parametrize(
    ("columns", "good", "too_large"),
    [
        ({"amount": "amount"}, "100000000000", "100000000001"),
        ({"quantity": "amount", "unit_price": "price"}, "100000", "100001"),  # a million each
        ({"quantity": "amount", "unit_price": "price"}, "100000", "1e11"),
    ],
)
def test_an_amount_beyond_belief_is_put_aside(shop, columns, good, too_large):
    shop.settings = IngestSettings(threads=1, bad_row_limit=0.6)
    header = "customer,order,at,amount,price"
    shop.deliver(
        "orders.csv", header, f"ann,1,2025-01-01,{good},1000000", f"ann,2,2025-01-02,{too_large},1000000"
    )
    named = {"customer_id": "customer", "order_id": "order", "ordered_at": "at"}
    source = order_source(shop, columns={**named, **columns})
    assert shop.ingest(source).sources[0].quarantined == {"extreme_amount": 1}


def test_too_many_bad_rows_stop_the_run_and_change_nothing(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    shop.ingest(order_source(shop))
    before = snapshot(shop.root)
    shop.deliver("orders2.csv", ORDER, "ann,2,2025-01-02,ten", "ann,3,soon,1", "ann,4,2025-01-02,1")
    with pytest.raises(
        DataError, match=r"2 of 3 rows are bad.*unreadable_amount 1.*orders2.csv row 1"
    ) as refused:
        shop.ingest(order_source(shop))
    assert refused.value.exit_code == 3
    assert snapshot(shop.root) == before


def test_missing_columns_are_all_named_with_near_misses(shop):
    shop.deliver("orders.csv", "customer,order_id,orderd_at,amount", "ann,1,2025-01-01,1")
    with pytest.raises(
        SchemaError, match=r"no columns 'customer_id', 'ordered_at'.*Did you mean 'orderd_at'"
    ):
        shop.ingest(order_source(shop))


def test_unmapped_required_columns_are_all_named(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    with pytest.raises(SchemaError, match="lacks ordered_at, amount"):
        shop.ingest(order_source(shop, header="customer_id,order_id"))


def test_unknown_canonical_column_is_refused_with_its_near_miss(shop):
    shop.deliver("orders.csv", f"{ORDER},discnt", "ann,1,2025-01-01,1,0")
    with pytest.raises(SchemaError, match=r"no column 'discnt'.*Did you mean 'discount'"):
        shop.ingest(order_source(shop, header=f"{ORDER},discnt"))


def test_file_without_permission_is_named(shop, monkeypatch):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    path = shop.folder / "orders.csv"

    def refused(*_: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("tables.deliveries.digest_of", refused)
    with pytest.raises(StorageError, match=r"orders\.csv: the machine refused it; Permission denied\. Grant"):
        shop.ingest(order_source(shop))


def test_missing_file_is_named_as_written(shop):
    with pytest.raises(DataError, match=r"orders: no file .*orders\*\.csv"):
        shop.ingest(order_source(shop))


@pytest.mark.parametrize("text", ["", ORDER + "\n"])
def test_file_without_rows_is_refused_by_name(shop, text):
    (shop.folder / "orders.csv").write_text(text)
    with pytest.raises(DataError, match=r"orders\.csv (is empty|has no rows)"):
        shop.ingest(order_source(shop))


def test_two_currencies_are_refused(shop):
    header = f"{ORDER},currency"
    shop.deliver("orders.csv", header, "ann,1,2025-01-01,1,EUR", "ann,2,2025-01-01,1,USD")
    with pytest.raises(DataError, match=r"currency: .*\['EUR', 'USD'\]"):
        shop.ingest(order_source(shop, header=header))


def test_other_calendar_than_the_history_was_built_for_is_refused(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    shop.ingest(order_source(shop))
    shop.calendar = BusinessCalendar("Europe/Vilnius")
    with pytest.raises(ConfigError, match="built for time zone UTC"):
        shop.ingest(order_source(shop))


def test_constant_for_a_number_is_refused(shop):
    header = "customer_id,occurred_at,type"
    shop.deliver("clicks.csv", header, "ann,2025-01-01,click")
    with pytest.raises(SchemaError, match="constant 'value' is no text column"):
        shop.ingest({"events": [shop.source("clicks.csv", header, constants={"value": "1"})]})


def test_a_source_of_parquet_and_csv_counts_the_bad_rows_of_both(tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    folder.mkdir()
    header = "customer_id,order_id,ordered_at,amount"
    duckdb.sql(
        "select 'ann' as customer_id, 'o1' as order_id, '2025-01-01 10:00:00' as ordered_at, 5.0 as amount"
    ).write_parquet(str(folder / "a.parquet"))
    (folder / "b.csv").write_text(f"{header}\nbob,o2,2025-01-02 10:00:00,6\n,o3,2025-01-03 10:00:00,much\n")
    source = Source(path=str(folder / "*"), grain="order", columns={name: name for name in header.split(",")})
    report = ingest_module.ingest(
        {"orders": [source]},
        root=tmp_path / "history",
        calendar=BusinessCalendar("UTC"),
        now=2**60,
        settings=IngestSettings(bad_row_limit=0.5),
    )
    assert report.sources[0].rows == 3
    assert report.sources[0].bad_rows == 1
    assert report.customers == 2


def test_a_line_break_inside_quotes_is_part_of_the_text(shop):
    rest = [f"c{number},c{number},2025-01-01,5" for number in range(100)]
    shop.deliver("orders.csv", ORDER, '"le\nad",1,2025-01-01,5', *rest)
    assert shop.ingest(order_source(shop)).customers == 101


@pytest.mark.parametrize("place", [13_281, 22_000])  # before and after what DuckDB guesses a dialect from
def test_a_doubled_quote_far_down_is_one_quote(shop, place):
    rows = [f"c{number},{number},2025-01-01,5" for number in range(23_000)]
    rows[place] = '"say ""hi""",ann,2025-01-01,5'
    shop.deliver("orders.csv", ORDER, *rows)
    assert shop.ingest(order_source(shop)).customers == 23_000
    assert 'say "hi"' in {found[0] for found in shop.visible("orders", "2025-01-02")}


def test_a_stray_quote_is_refused_and_swallows_nothing(shop):
    rows = [f"c{number},{number},2025-01-01,5" for number in range(30_000)]
    rows[25_000] = '"c,25000,2025-01-01,5'
    shop.deliver("orders.csv", ORDER, *rows)
    with pytest.raises(DataError, match=r"orders\.csv: 5000 of 30000 lines lie inside quotes"):
        shop.ingest(order_source(shop))
