"""Orders that are delivered line by line, worked by hand."""

from tables.calendar import BusinessCalendar
from tests.tables.order_files import LINE, line_source


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
