"""Ingest through its public door, worked by hand: nights, known times, versions of a row."""

import pytest

from tables.calendar import BusinessCalendar
from tables.errors import SchemaError
from tables.history import History
from tables.sources import IngestSettings
from tests.tables.order_files import ORDER, order_source


def test_orders_come_back_sorted_by_customer_and_time(shop):
    shop.deliver("orders.csv", ORDER, "bob,2,2025-01-03,5", "ann,3,2025-01-02,7.5", "ann,1,2025-01-01,1")
    report = shop.ingest(order_source(shop))
    assert report.changed and report.generation == 1 and report.customers == 2
    assert shop.facts("orders", "order_id", "amount") == [
        ("ann", "2025-01-01", "2025-01-01", "never", "1", 1.0),
        ("ann", "2025-01-02", "2025-01-02", "never", "3", 7.5),
        ("bob", "2025-01-03", "2025-01-03", "never", "2", 5.0),
    ]


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
