"""Attributes and days to come: what is stored of them, since when it counts as known, what is refused."""

from datetime import date

import duckdb
import pytest

from tables.errors import ConfigError, SchemaError
from tables.history import History
from tables.sources import Source

PROFILE = "id,age,joined on,gender"
STATIC = {"age": "number", "joined on": "date", "gender": ["F", "M"]}
DATES = "date,kind,region,known_at"


def profile(shop, pattern="profile*.csv", *, columns=None, **parts):
    parts = {"values": STATIC, "static": True, **parts}
    return Source.model_validate(
        {"path": str(shop.folder / pattern), "columns": {"customer_id": "id", **(columns or {})}, **parts}
    )


def order(shop, *rows):
    shop.deliver("orders.csv", "customer_id,order_id,ordered_at,amount", *(rows or ("ann,1,2025-01-01,5",)))
    return shop.source("orders.csv", "customer_id,order_id,ordered_at,amount", grain="order")


def told(shop, *columns):
    return sorted(shop.facts("attributes", "name", *columns), key=str)


def test_each_column_of_a_profile_becomes_an_attribute(shop):
    shop.deliver("profile.csv", PROFILE, "ann,40,2018-01-23,F", "bob,,2018-01-24,O")
    shop.ingest({"attributes": [profile(shop)]})
    ever = ("1970-01-01", "1970-01-01", "never")
    found = [fact for fact in told(shop, "number", "text") if fact[0] == "ann"]
    assert [fact[:4] for fact in found] == [("ann", *ever)] * 3
    assert [(name, text) for *_, name, _, text in found] == [
        ("age", None),
        ("gender", "F"),
        ("joined on", None),
    ]
    assert [number for *_, number, _ in found if number == number] == [40, 17554]
    assert [fact[-1] for fact in told(shop, "text") if fact[0] == "bob" and fact[4] == "gender"] == ["O"]


def test_dated_values_hold_from_their_own_day(shop):
    shop.deliver("profile.csv", "id,age,since", "ann,40,2024-05-01", "ann,41,2025-05-01")
    source = profile(shop, columns={"valid_from": "since"}, values={"age": "number"}, static=False)
    shop.ingest({"attributes": [source]})
    assert told(shop, "number") == [
        ("ann", "2024-05-01", "2024-05-01", "never", "age", 40),
        ("ann", "2025-05-01", "2025-05-01", "never", "age", 41),
    ]


def test_a_static_value_told_later_changes_no_past_night(shop):
    shop.deliver("profile1.csv", PROFILE, "ann,40,2018-01-23,F")
    values = {"gender": ["F", "M"]}
    sources = {"orders": [order(shop)], "attributes": [profile(shop, values=values)]}
    shop.ingest(sources, known_cutoff="2025-02-01")
    shop.deliver("profile2.csv", PROFILE, "ann,40,2018-01-23,M", "bob,50,2018-01-24,M")
    report = shop.ingest(sources, known_cutoff="2025-03-01")
    assert report.tables["attributes"].corrections == 1
    assert told(shop, "text") == [
        ("ann", "1970-01-01", "1970-01-01", "2025-02-01", "gender", "F"),
        ("ann", "1970-01-01", "2025-02-01", "never", "gender", "M"),
        ("bob", "1970-01-01", "2025-02-01", "never", "gender", "M"),
    ]


def test_bad_values_are_put_aside_attribute_by_attribute(shop):
    shop.settings = shop.settings.model_copy(update={"bad_row_limit": 0.9})
    shop.deliver("profile.csv", PROFILE, "ann,forty,2018-01-23,F", "bob,50,soon,M")
    report = shop.ingest({"attributes": [profile(shop)]})
    files = [name for source in report.sources for name in source.quarantine_files]
    assert len(set(files)) == 2
    assert all((shop.root / name).exists() for name in files)
    assert [source.quarantined for source in report.sources if source.quarantined] == [
        {"unreadable_number": 1},
        {"unreadable_number": 1},
    ]


def test_a_number_is_no_date(shop):
    path = shop.folder / "profile.parquet"
    duckdb.sql(f"copy (select 'ann' as id, 20180123 as joined) to '{path}'")
    source = profile(shop, "profile.parquet", values={"joined": "date"})
    with pytest.raises(SchemaError, match="is INTEGER, which is no time"):
        shop.ingest({"attributes": [source]})


def test_values_without_a_time_are_refused(shop):
    shop.deliver("profile.csv", PROFILE, "ann,40,2018-01-23,F")
    with pytest.raises(
        ConfigError, match=r"attributes\[0\]: today's value would be the future.*static: true"
    ):
        shop.ingest({"attributes": [profile(shop, static=False)]})
    with pytest.raises(ConfigError, match="or in two ways"):
        shop.ingest({"attributes": [profile(shop, columns={"valid_from": "joined on"})]})


def test_misplaced_statics_and_values_are_named_together(shop):
    header = "customer_id,occurred_at,type"
    events = shop.source("e.csv", header, static=True, values={"type": ["a"]})
    profiles = [profile(shop, values={}), profile(shop, columns={"number": "age"})]
    with pytest.raises(ConfigError) as caught:
        shop.ingest({"events": [events], "attributes": profiles})
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "sources.events[0]",
        "sources.events[0]",
        "sources.attributes[0]",
        "sources.attributes[1]",
    ]
    assert "found ['number']" in lines[-1]


@pytest.mark.parametrize("kind", ["text", [], ["F", "F"], ["F", 1]])
def test_a_value_is_a_number_a_date_or_its_texts(shop, kind):
    with pytest.raises(ValueError, match="write number, date, or the list of the texts"):
        profile(shop, values={"gender": kind})


def test_days_to_come_are_known_when_announced(shop):
    shop.deliver("days.csv", DATES, "2031-12-25,holiday,north,2025-01-05", "2025-06-01,promotion,,2025-02-01")
    sources = {"orders": [order(shop)], "calendar": [shop.source("days.csv", DATES)]}
    shop.ingest(sources)
    assert [fact[1:] for fact in shop.facts("calendar", "kind", "region")] == [
        ("2025-06-01", "2025-02-01", "never", "promotion", None),
        ("2031-12-25", "2025-01-05", "never", "holiday", "north"),
    ]


def test_days_to_come_do_not_delay_what_comes_later(shop):
    shop.deliver("days.csv", DATES, "2028-12-25,holiday,,2025-01-05")
    sources = {"orders": [order(shop)], "calendar": [shop.source("days.csv", DATES)]}
    shop.ingest(sources)
    assert History.open(shop.root).stamp == shop.calendar.midnight(date(2025, 1, 1))


def test_static_days_are_known_ever_since(shop):
    shop.deliver("days1.csv", "date,kind", "2025-12-25,holiday", "2026-12-25,holiday")
    source = shop.source("days*.csv", "date,kind", static=True)
    sources = {"orders": [order(shop)], "calendar": [source]}
    shop.ingest(sources, known_cutoff="2025-02-01")
    shop.deliver("days2.csv", "date,kind", "2026-12-25,holiday", "2027-12-25,holiday")
    shop.ingest(sources, known_cutoff="2025-03-01")
    assert [fact[1:3] for fact in shop.facts("calendar", "kind")] == [
        ("2025-12-25", "1970-01-01"),
        ("2026-12-25", "1970-01-01"),
        ("2027-12-25", "2025-02-01"),
    ]


def test_days_without_an_announcement_are_refused(shop):
    header = "date,kind"
    with pytest.raises(ConfigError, match=r"calendar\[0\]: a date to come shows once it was announced"):
        shop.ingest({"calendar": [shop.source("days.csv", header)]})
    with pytest.raises(ConfigError, match="or in two ways"):
        shop.ingest({"calendar": [shop.source("days.csv", DATES, static=True)]})


def test_days_of_all_regions_and_of_one_lie_together(shop):
    shop.deliver("all.csv", "date,kind", "2025-12-25,holiday")
    shop.deliver(
        "one.csv", DATES, "2025-12-25,holiday,north,2025-01-01", "2025-12-25,holiday,north,2025-03-01"
    )
    sources = [shop.source("all.csv", "date,kind", static=True), shop.source("one.csv", DATES)]
    report = shop.ingest({"orders": [order(shop)], "calendar": sources})
    assert report.tables["calendar"].across_files == 1
    assert [fact[2:] for fact in shop.facts("calendar", "region")] == [
        ("1970-01-01", "never", None),
        ("2025-01-01", "never", "north"),
    ]


def test_a_renewal_date_that_moves_must_say_when_it_became_known(shop):
    header = "customer_id,subscription_id,started_at,renews_at"
    shop.deliver("s.csv", header, "ann,1,2024-01-01,2025-02-01")
    with pytest.raises(ConfigError, match=r"subscriptions\[0\]: renews_at.*who stayed.*Map known_at"):
        shop.ingest({"subscriptions": [shop.source("s.csv", header)]})
    told = {name: name for name in header.split(",")} | {"known_at": "started_at"}
    source = shop.source("s.csv", header).model_copy(update={"columns": told})
    shop.ingest({"subscriptions": [source]})
    assert len(shop.facts("subscriptions", "renews_at")) == 1


def test_a_rating_needs_the_time_it_was_given(shop) -> None:
    header = "customer_id,ticket_id,opened_at,csat"
    shop.deliver("tickets.csv", header, "ann,1,2025-01-01,5")
    with pytest.raises(ConfigError, match=r"tickets\[0\]: csat without rated_at.*Map rated_at"):
        shop.ingest({"tickets": [shop.source("tickets.csv", header)]})


def test_a_redemption_needs_the_contact_it_belongs_to(shop) -> None:
    header = "customer_id,sent_at,redeemed_at"
    shop.deliver("contacts.csv", header, "ann,2025-01-01,2025-01-02")
    with pytest.raises(ConfigError, match=r"contacts\[0\]: redeemed_at.*Map contact_id"):
        shop.ingest({"contacts": [shop.source("contacts.csv", header)]})
