"""Ingest through its public door: small deliveries, worked by hand."""

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tables import buckets
from tables import ingest as ingest_module
from tables.calendar import BusinessCalendar
from tables.errors import ConfigError, DataError, SchemaError
from tables.history import History
from tables.sources import IngestSettings, Source

ORDER = "customer_id,order_id,ordered_at,amount"
LINE = "customer_id,order_id,ordered_at,product_id,amount"


def order_source(shop, pattern="orders*.csv", header=ORDER, **parts):
    return {"orders": [shop.source(pattern, header, grain="order", **parts)]}


def line_source(shop, pattern="lines*.csv", header=LINE, **parts):
    return {"orders": [shop.source(pattern, header, grain="line", **parts)]}


def test_orders_come_back_sorted_by_customer_and_time(shop):
    shop.deliver("orders.csv", ORDER, "bob,2,2025-01-03,5", "ann,3,2025-01-02,7.5", "ann,1,2025-01-01,1")
    report = shop.ingest(order_source(shop))
    assert report.changed and report.generation == 1 and report.customers == 2
    assert shop.facts("orders", "order_id", "amount") == [
        ("ann", "2025-01-01", "2025-01-01", "never", "1", 1.0),
        ("ann", "2025-01-02", "2025-01-02", "never", "3", 7.5),
        ("bob", "2025-01-03", "2025-01-03", "never", "2", 5.0),
    ]


def test_same_file_twice_makes_no_new_generation(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    first = shop.ingest(order_source(shop))
    shop.deliver("orders copy.csv", ORDER, "ann,1,2025-01-01,1")
    again = shop.ingest(order_source(shop))
    assert not again.changed
    assert (again.generation, again.digest) == (first.generation, first.digest)


def test_grown_file_appends_only_its_new_rows(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    shop.ingest(order_source(shop))
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1", "ann,2,2025-01-05,2")
    report = shop.ingest(order_source(shop))
    assert report.tables["orders"].appended == {"orders": 1}
    assert [fact[4] for fact in shop.facts("orders", "order_id")] == ["1", "2"]


def test_late_order_is_known_from_the_previous_stamp(shop):
    shop.deliver("orders1.csv", ORDER, "ann,1,2025-01-10,1")
    shop.ingest(order_source(shop))
    shop.deliver("orders2.csv", ORDER, "ann,2,2025-01-03,2", "ann,3,2025-01-12,3")
    shop.ingest(order_source(shop))
    assert shop.facts("orders", "order_id") == [
        ("ann", "2025-01-03", "2025-01-10", "never", "2"),
        ("ann", "2025-01-10", "2025-01-10", "never", "1"),
        ("ann", "2025-01-12", "2025-01-12", "never", "3"),
    ]


def test_stamp_follows_the_cutoff_of_an_unchanged_night(shop):
    shop.deliver("orders1.csv", ORDER, "ann,1,2025-01-10,1")
    shop.ingest(order_source(shop))
    assert not shop.ingest(order_source(shop), known_cutoff="2025-01-20").changed
    shop.deliver("orders2.csv", ORDER, "ann,2,2025-01-03,2")
    shop.ingest(order_source(shop))
    assert shop.facts("orders", "order_id")[0] == ("ann", "2025-01-03", "2025-01-20", "never", "2")


def test_given_known_time_is_kept_on_first_load(shop):
    header = f"{ORDER},known_at"
    shop.deliver("orders.csv", header, "ann,1,2025-01-01,1,2025-01-04")
    shop.ingest(order_source(shop, header=header))
    assert shop.facts("orders") == [("ann", "2025-01-01", "2025-01-04", "never")]


def test_correction_ends_the_old_version_at_its_known_time(shop):
    header = f"{ORDER},known_at"
    shop.deliver("orders1.csv", header, "ann,1,2025-01-01,10,2025-01-01", "bob,2,2025-01-01,4,2025-01-01")
    shop.ingest(order_source(shop, header=header))
    shop.deliver("orders2.csv", header, "ann,1,2025-01-01,12,2025-01-06")
    report = shop.ingest(order_source(shop, header=header))
    assert report.tables["orders"].corrections == 1 and report.tables["orders"].closed == 1
    assert shop.facts("orders", "amount") == [
        ("ann", "2025-01-01", "2025-01-01", "2025-01-06", 10.0),
        ("ann", "2025-01-01", "2025-01-06", "never", 12.0),
        ("bob", "2025-01-01", "2025-01-01", "never", 4.0),
    ]
    assert shop.visible("orders", "2025-01-06", "amount") == [("ann", 10.0), ("bob", 4.0)]
    assert shop.visible("orders", "2025-01-07", "amount") == [("ann", 12.0), ("bob", 4.0)]


def test_corrections_in_one_load_read_like_corrections_over_nights(shop, tmp_path):
    header = f"{ORDER},known_at"
    versions = [
        "ann,1,2025-01-01,10,2025-01-01",
        "ann,1,2025-01-01,12,2025-01-06",
        "ann,1,2025-01-01,13,2025-01-08",
    ]
    for night, row in enumerate(versions):
        shop.deliver(f"orders{night}.csv", header, row)
        shop.ingest(order_source(shop, header=header))
    nightly = shop.facts("orders", "amount")
    shop.root = tmp_path / "at once"
    shop.deliver("all.csv", header, *reversed(versions))
    shop.ingest(order_source(shop, "all.csv", header=header))
    assert shop.facts("orders", "amount") == nightly
    assert [fact[2:4] for fact in nightly] == [
        ("2025-01-01", "2025-01-06"),
        ("2025-01-06", "2025-01-08"),
        ("2025-01-08", "never"),
    ]


def test_version_delivered_late_takes_its_place_by_known_time(shop):
    header = f"{ORDER},known_at"
    for night, row in enumerate(["ann,1,2025-01-01,10,2025-01-01", "ann,1,2025-01-01,13,2025-01-08"]):
        shop.deliver(f"orders{night}.csv", header, row)
        shop.ingest(order_source(shop, header=header))
    shop.deliver("orders2.csv", header, "ann,1,2025-01-01,12,2025-01-06")
    shop.ingest(order_source(shop, header=header))
    assert [fact[2:] for fact in shop.facts("orders", "amount")] == [
        ("2025-01-01", "2025-01-06", 10.0),
        ("2025-01-06", "2025-01-08", 12.0),
        ("2025-01-08", "never", 13.0),
    ]


def test_correction_back_to_old_content_is_a_new_version(shop):
    for night, amount in enumerate((10, 12, 10)):
        shop.deliver(
            f"orders{night}.csv", ORDER, f"ann,1,2025-01-01,{amount}", f"bob,{night},2025-01-0{night + 2},1"
        )
        shop.ingest(order_source(shop))
    assert sorted(fact[2:] for fact in shop.facts("orders", "amount") if fact[0] == "ann") == [
        ("2025-01-01", "2025-01-02", 10.0),
        ("2025-01-02", "2025-01-03", 12.0),
        ("2025-01-03", "never", 10.0),
    ]


def test_correction_that_makes_an_order_a_return_moves_it(shop):
    header = f"{ORDER},is_return"
    shop.deliver("orders1.csv", header, "ann,1,2025-01-01,10,no", "ann,2,2025-01-02,5,no")
    shop.ingest(order_source(shop, header=header))
    shop.deliver("orders2.csv", header, "ann,1,2025-01-01,-10,yes")
    shop.ingest(order_source(shop, header=header))
    assert shop.visible("orders", "2025-01-09", "order_id") == [("ann", "2")]
    assert shop.visible("returns", "2025-01-09", "order_id", "amount") == [("ann", "1", 10.0)]


def test_correction_that_a_filter_removes_ends_the_order(shop):
    header = f"{ORDER},status"
    filters = [{"name": "cancelled", "column": "status", "not_in": ["cancelled"]}]
    sources = {
        "orders": [
            shop.source("orders*.csv", ORDER, grain="order", filters=filters),
        ]
    }
    shop.deliver("orders1.csv", header, "ann,1,2025-01-01,10,paid", "bob,2,2025-01-02,10,paid")
    shop.ingest(sources)
    shop.deliver("orders2.csv", header, "ann,1,2025-01-01,10,cancelled")
    report = shop.ingest(sources)
    assert report.tables["orders"].closed == 1
    assert shop.visible("orders", "2025-01-09", "order_id") == [("bob", "2")]


def test_filtered_row_of_another_moment_ends_nothing(shop):
    header = "customer_id,contact_id,sent_at"
    filters = [{"name": "not sent", "column": "status", "equals": "sent"}]
    sources = {"contacts": [shop.source("mails*.csv", header, filters=filters)]}
    opened, sent = "ann,1,2025-01-02,opened", ("ann,1,2025-01-01,sent", "bob,2,2025-01-01,sent")
    shop.deliver("mails1.csv", f"{header},status", *sent, opened)
    shop.ingest(sources)
    shop.deliver("mails2.csv", f"{header},status", "bob,2,2025-01-03,opened")
    shop.ingest(sources)
    assert shop.visible("contacts", "2025-01-09", "contact_id") == [("ann", "1"), ("bob", "2")]


def test_an_overwritten_file_may_come_back_to_what_it_held(shop):
    header = "customer_id,signed_up_at,in_complaint"
    sources = {"customers": [shop.source("customers.csv", header)]}
    for flag in "101":
        shop.deliver("customers.csv", header, f"ann,2025-01-01,{flag}")
        assert shop.ingest(sources).changed
    assert shop.visible("customers", "2025-01-09", "in_complaint") == [("ann", 1)]
    assert not shop.ingest(sources).changed


def test_a_day_without_tickets_is_no_mistake(shop):
    orders, tickets = "customer_id,order_id,ordered_at,amount", "customer_id,ticket_id,opened_at"
    sources = {
        "orders": [shop.source("orders.csv", orders, grain="order")],
        "tickets": [shop.source("tickets*.csv", tickets)],
    }
    shop.deliver("orders.csv", orders, "ann,1,2025-01-01,10")
    shop.deliver("tickets1.csv", tickets)
    shop.ingest(sources)
    assert shop.visible("tickets", "2025-01-09", "ticket_id") == []
    shop.deliver("tickets2.csv", tickets, "ann,7,2025-01-02")
    shop.deliver("tickets3.csv", f"{tickets},note")
    shop.ingest(sources)
    assert shop.visible("tickets", "2025-01-09", "ticket_id") == [("ann", "7")]


def test_orders_sum_their_lines_and_begin_with_the_first(shop):
    shop.deliver(
        "lines.csv",
        LINE,
        "ann,1,2025-01-01T10:00,a,1.5",
        "ann,1,2025-01-01T09:00,b,2",
        "ann,1,2025-01-01T09:00,a,1",
    )
    shop.ingest(line_source(shop))
    assert shop.facts("orders", "order_id", "amount", "lines", "products") == [
        ("ann", "2025-01-01 09:00", "2025-01-01 09:00", "never", "1", 4.5, 3, 2)
    ]


def test_shipping_of_the_lines_is_that_of_their_order(shop):
    header = f"{LINE},shipping"
    shop.deliver(
        "lines.csv", header, "ann,1,2025-01-01,a,1.5,4", "ann,1,2025-01-01,b,2,0.5", "ann,2,2025-01-03,a,2,"
    )
    shop.ingest(line_source(shop, header=header))
    assert shop.visible("orders", "2025-01-09", "order_id", "shipping") == [
        ("ann", "1", 4.5),
        ("ann", "2", 0),
    ]
    assert shop.visible("lines", "2025-01-02", "shipping") == [("ann", 0.5), ("ann", 4.0)]


def test_line_after_a_midnight_does_not_reach_the_day_before(shop):
    shop.deliver("lines.csv", LINE, "ann,1,2025-01-01T23:00,a,1", "ann,1,2025-01-02T01:00,b,2")
    shop.ingest(line_source(shop))
    assert shop.visible("orders", "2025-01-02", "amount", "lines") == [("ann", 1.0, 1)]
    assert shop.visible("orders", "2025-01-03", "amount", "lines") == [("ann", 3.0, 2)]


def test_offset_of_known_times_lets_no_later_line_in(shop):
    """The cutoff of the 2nd is its 06:00, yet what happened after its midnight belongs to the 3rd."""
    shop.calendar = BusinessCalendar("UTC", known_offset_hours=6)
    shop.deliver("lines.csv", LINE, "ann,1,2025-01-01T23:00,a,1", "ann,1,2025-01-02T01:00,b,2")
    shop.ingest(line_source(shop))
    assert shop.facts("orders", "amount") == [
        ("ann", "2025-01-01 23:00", "2025-01-02 05:00", "2025-01-02 07:00", 1.0),
        ("ann", "2025-01-01 23:00", "2025-01-02 07:00", "never", 3.0),
    ]


def test_late_line_changes_its_order_from_its_known_time(shop):
    shop.deliver("lines1.csv", LINE, "ann,1,2025-01-01,a,1", "bob,2,2025-01-10,a,1")
    shop.ingest(line_source(shop))
    shop.deliver("lines2.csv", LINE, "ann,1,2025-01-01,b,2")
    report = shop.ingest(line_source(shop))
    assert report.tables["orders"].appended == {"lines": 1, "orders": 1}
    assert shop.facts("orders", "order_id", "amount") == [
        ("ann", "2025-01-01", "2025-01-01", "2025-01-10", "1", 1.0),
        ("ann", "2025-01-01", "2025-01-10", "never", "1", 3.0),
        ("bob", "2025-01-10", "2025-01-10", "never", "2", 1.0),
    ]


def test_return_line_leaves_orders_alone(shop):
    shop.deliver("lines.csv", LINE, "ann,1,2025-01-01,a,5", "ann,9,2025-01-02,a,-5")
    returns = [{"name": "refund", "column": "amount", "below": 0}]
    report = shop.ingest(line_source(shop, returns=returns))
    assert report.sources[0].returns == 1
    assert shop.visible("orders", "2025-01-09", "order_id", "amount") == [("ann", "1", 5.0)]
    assert shop.visible("returns", "2025-01-09", "order_id", "amount") == [("ann", "9", 5.0)]


def test_keyed_line_is_corrected_in_its_order(shop):
    header = f"{LINE},line_no"
    shop.deliver(
        "lines1.csv", header, "ann,1,2025-01-01,a,5,1", "ann,1,2025-01-01,b,2,2", "bob,2,2025-01-10,a,1,1"
    )
    shop.ingest(line_source(shop, header=header))
    shop.deliver("lines2.csv", header, "ann,1,2025-01-01,a,4,1")
    shop.ingest(line_source(shop, header=header))
    assert shop.visible("orders", "2025-01-05", "order_id", "amount", "lines") == [("ann", "1", 7.0, 2)]
    assert shop.visible("orders", "2025-01-11", "order_id", "amount", "lines") == [
        ("ann", "1", 6.0, 2),
        ("bob", "2", 1.0, 1),
    ]


def test_restated_order_drops_lines_the_newer_file_lacks(shop):
    shop.deliver("lines1.csv", LINE, "ann,1,2025-01-01,a,5", "ann,1,2025-01-01,b,2", "bob,2,2025-01-10,a,1")
    shop.ingest(line_source(shop, restate="order"))
    shop.deliver("lines2.csv", LINE, "ann,1,2025-01-01,a,5", "ann,1,2025-01-01,c,3")
    shop.ingest(line_source(shop, restate="order"))
    assert shop.visible("lines", "2025-01-05", "product_id") == [("ann", "a"), ("ann", "b")]
    assert shop.visible("lines", "2025-01-11", "product_id") == [("ann", "a"), ("ann", "c"), ("bob", "a")]
    assert shop.visible("orders", "2025-01-11", "order_id", "amount") == [
        ("ann", "1", 8.0),
        ("bob", "2", 1.0),
    ]


def test_restating_the_same_lines_changes_nothing(shop):
    shop.deliver("lines1.csv", LINE, "ann,1,2025-01-01,a,5", "ann,1,2025-01-01,b,2")
    shop.ingest(line_source(shop, restate="order"))
    shop.deliver("lines2.csv", LINE, "ann,1,2025-01-01,b,2", "ann,1,2025-01-01,a,5")
    assert not shop.ingest(line_source(shop, restate="order")).changed


def test_repeated_lines_are_kept_or_dropped_as_the_source_says(shop, tmp_path):
    rows = ["ann,1,2025-01-01,a,5", "ann,1,2025-01-01,a,5", "ann,1,2025-01-01,b,2"]
    shop.deliver("lines1.csv", LINE, *rows)
    shop.deliver("lines2.csv", LINE, *rows[:2])
    kept = shop.ingest(line_source(shop))
    assert shop.visible("orders", "2025-01-09", "amount") == [("ann", 12.0)]
    assert (kept.tables["orders"].across_files, kept.tables["orders"].across_files_amount) == (2, 10.0)
    shop.root = tmp_path / "dropping"
    dropped = shop.ingest(line_source(shop, duplicates="drop"))
    assert shop.visible("orders", "2025-01-09", "amount") == [("ann", 7.0)]
    assert (dropped.tables["orders"].within_files, dropped.tables["orders"].within_files_amount) == (1, 5.0)
    assert dropped.tables["orders"].across_files == 2


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


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


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


def test_times_without_zone_take_the_business_zone(shop):
    shop.calendar = BusinessCalendar("Europe/Vilnius")
    shop.deliver(
        "orders.csv",
        ORDER,
        "ann,1,2025-01-15 10:00,1",
        "ann,2,2025-07-15 10:00,1",
        "ann,3,2025-07-16T10:00:00Z,1",
        "ann,4,2025-07-17 10:00:00+05:00,1",
    )
    shop.ingest(order_source(shop))
    assert [fact[1] for fact in shop.facts("orders")] == [
        "2025-01-15 08:00",
        "2025-07-15 07:00",
        "2025-07-16 10:00",
        "2025-07-17 05:00",
    ]


def test_other_calendar_than_the_history_was_built_for_is_refused(shop):
    shop.deliver("orders.csv", ORDER, "ann,1,2025-01-01,1")
    shop.ingest(order_source(shop))
    shop.calendar = BusinessCalendar("Europe/Vilnius")
    with pytest.raises(ConfigError, match="built for time zone UTC"):
        shop.ingest(order_source(shop))


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


def test_events_without_ids_are_kept_by_content(shop):
    header = "customer_id,occurred_at,type"
    shop.deliver("events1.csv", header, "ann,2025-01-01,click", "ann,2025-01-01,click", "bob,2025-01-02,open")
    sources = {"events": [shop.source("events*.csv", header)]}
    shop.ingest(sources)
    shop.deliver("events2.csv", header, "ann,2025-01-01,click", "ann,2025-01-01,open")
    report = shop.ingest(sources)
    assert report.tables["events"].across_files == 1
    assert [(fact[0], fact[4]) for fact in shop.facts("events", "type")] == [
        ("ann", "click"),
        ("ann", "click"),
        ("ann", "open"),
        ("bob", "open"),
    ]


def test_constant_gives_every_row_the_same_text(shop):
    header = "customer_id,occurred_at"
    shop.deliver("clicks.csv", header, "ann,2025-01-01", "bob,2025-01-02")
    shop.ingest({"events": [shop.source("clicks.csv", header, constants={"type": "click's"})]})
    assert [(fact[0], fact[4]) for fact in shop.facts("events", "type")] == [
        ("ann", "click's"),
        ("bob", "click's"),
    ]


def test_constant_for_a_number_is_refused(shop):
    header = "customer_id,occurred_at,type"
    shop.deliver("clicks.csv", header, "ann,2025-01-01,click")
    with pytest.raises(SchemaError, match="constant 'value' is no text column"):
        shop.ingest({"events": [shop.source("clicks.csv", header, constants={"value": "1"})]})


def test_contact_fields_are_for_exports_only(shop):
    header = "customer_id,signed_up_at,region,email"
    shop.deliver("customers.csv", header, "ann,2024-12-01,north,ann@example.org", "bob,,south,")
    shop.ingest({"customers": [shop.source("customers.csv", header)]})
    history = History.open(shop.root)
    assert history.columns("customers") == ("signed_up_at", "region") or history.columns("customers") == (
        "region",
    )
    with pytest.raises(SchemaError, match="no column 'email'"):
        history.read("customers", 0, ("email",))
    emails = history.read_contacts("customers", 0, ("email",)).columns["email"]
    assert [emails.labels[code] if code >= 0 else None for code in emails.codes] == ["ann@example.org", None]


def test_many_nights_merged_read_like_many_nights(shop, tmp_path):
    found = {}
    for ratio in (0, 2):
        shop.settings = IngestSettings(threads=1, merge_ratio=ratio)
        shop.root = tmp_path / f"ratio {ratio}"
        for night in range(1, 6):
            shop.deliver(
                f"orders{night}.csv", ORDER, f"ann,{night},2025-01-0{night},1", f"bob,b,2025-01-01,{night}"
            )
            shop.ingest({"orders": [shop.source(f"orders{night}.csv", ORDER, grain="order")]})
        found[ratio] = shop.facts("orders", "order_id", "amount")
    assert found[0] == found[2]
    assert sum(fact[4] == "b" for fact in found[2]) == 5
    assert len(list((tmp_path / "ratio 0/orders").rglob("*.parquet"))) == 9


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


@pytest.mark.parametrize("signed_up", ["", ",signed_up_at"])
def test_a_customers_state_that_comes_back_holds_again(shop, signed_up):
    header = f"customer_id,language,in_complaint{signed_up}"
    for night, in_complaint in enumerate((1, 0, 1), start=1):
        rows = [f"ann,lt,{in_complaint}", f"new{night},en,0"]
        dated = [f"{row},2024-01-01" for row in rows] if signed_up else rows
        shop.deliver(f"customers{night}.csv", header, *dated)
        source = shop.source(f"customers{night}.csv", header)
        shop.ingest({"customers": [source]}, known_cutoff=f"2025-01-{night:02d}")
    nights = ("2025-01-01", "2025-01-02", "2025-01-03")
    told = [shop.visible("customers", night, "in_complaint") for night in nights]
    assert [[flag for name, flag in night if name == "ann"] for night in told] == [[1], [0], [1]]


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
