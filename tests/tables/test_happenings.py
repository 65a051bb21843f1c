"""Times written as numbers, intervals told by a duration, and log rows that tell what became of a record."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tables.calendar import BusinessCalendar
from tables.elapsed import Times
from tables.errors import DataError, SchemaError
from tables.sources import Source
from tests.tables.conftest import day

HEADER = "who,what,offer,hour,days"
HOURS = {"unit": "hour", "origin": "2018-01-01"}
COLUMNS = {"customer_id": "who", "offer_id": "offer", "starts_at": "hour"}
SENT = {"name": "sent", "column": "what", "equals": "sent"}
VIEWED = {"column": "what", "equals": "viewed"}


def offer_source(shop, pattern="log*.csv", **parts):
    settings = {
        "columns": COLUMNS,
        "times": HOURS,
        "durations": {"ends_at": {"column": "days", "unit": "day"}},
        "happenings": {"viewed_at": VIEWED, "completed_at": {"column": "what", "in": ["done", "paid"]}},
        "filters": [SENT],
        **parts,
    }
    return {"offers": [Source.model_validate({"path": str(shop.folder / pattern), **settings})]}


def offers(shop, *rows, header=HEADER, **parts):
    """Take in one log and return (customer, start, end, viewed, completed) of every offer."""
    shop.deliver("log.csv", header, *rows)
    shop.ingest(offer_source(shop, **parts))
    return intervals(shop)


def intervals(shop):
    found = shop.facts("offers", "ends_at", "viewed_at", "completed_at")
    return [(row[0], row[1], *map(day, row[4:])) for row in found]


def test_hours_since_a_day_become_instants(shop):
    assert offers(shop, "ann,sent,a,30,2") == [
        ("ann", "2018-01-02 06:00", "2018-01-04 06:00", "never", "never")
    ]


def test_the_first_view_while_an_offer_runs_counts(shop):
    log = ["ann,sent,a,24,1", "ann,viewed,a,40,", "ann,viewed,a,30,", "ann,paid,a,47,", "ann,done,a,41,"]
    assert offers(shop, *log) == [("ann", "2018-01-02", "2018-01-03", "2018-01-02 06:00", "2018-01-02 17:00")]


def test_a_view_at_the_start_counts_and_at_the_end_not(shop):
    log = ["ann,sent,a,24,1", "ann,viewed,a,24,", "ann,done,a,48,", "bob,sent,a,24,1", "bob,viewed,a,23,"]
    assert [row[2:] for row in offers(shop, *log)] == [
        ("2018-01-03", "2018-01-02", "never"),
        ("2018-01-03", "never", "never"),
    ]


def test_views_of_others_and_of_other_offers_tell_nothing(shop):
    log = [
        "ann,sent,a,0,3",
        "bob,sent,b,0,3",
        "ann,viewed,b,5,",
        "bob,viewed,a,5,",
        ",viewed,a,5,",
        "ann,viewed,,5,",
    ]
    assert [row[3] for row in offers(shop, *log)] == ["never", "never"]


def test_an_offer_sent_again_is_a_record_of_its_own(shop):
    log = ["ann,sent,a,0,1", "ann,sent,a,48,2", "ann,viewed,a,50,", "ann,viewed,a,30,"]
    assert offers(shop, *log) == [
        ("ann", "2018-01-01", "2018-01-02", "never", "never"),
        ("ann", "2018-01-03", "2018-01-05", "2018-01-03 02:00", "never"),
    ]


def test_where_two_of_an_offer_run_a_view_counts_for_both(shop):
    log = ["ann,sent,a,0,4", "ann,sent,a,48,4", "ann,viewed,a,50,"]
    assert [row[3] for row in offers(shop, *log)] == ["2018-01-03 02:00", "2018-01-03 02:00"]


def test_without_a_duration_an_offer_has_no_end(shop):
    log = ["ann,sent,a,0,", "ann,viewed,a,500,"]
    assert offers(shop, *log) == [("ann", "2018-01-01", "never", "2018-01-21 20:00", "never")]


def test_a_happening_counts_from_when_it_was_known(shop):
    log = ["ann,sent,a,0,3,0", "ann,viewed,a,5,,60"]
    columns = {**COLUMNS, "known_at": "told"}
    assert offers(shop, *log, header=f"{HEADER},told", columns=columns)[0][3] == "2018-01-03 12:00"


def test_a_view_delivered_later_corrects_the_offer(shop):
    first = ["ann,sent,a,0,3", "bob,sent,b,24,1"]
    offers(shop, *first)
    offers(shop, *first, "ann,viewed,a,30,")
    found = shop.facts("offers", "viewed_at")
    assert [(*row[1:4], day(row[4])) for row in found if row[0] == "ann"] == [
        ("2018-01-01", "2018-01-01", "2018-01-02", "never"),
        ("2018-01-01", "2018-01-02", "never", "2018-01-02 06:00"),
    ]


def test_nan_and_null_are_missing_alike_in_parquet(shop):
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * from (values "
            "('ann', 'sent', 1.0, 0, 'nan'::double), ('ann', 'viewed', 1.0, 4, null), "
            "('bob', 'sent', 2.0, 0, null), ('bob', 'viewed', 'nan'::double, 4, null), "
            "('bob', 'viewed', null, 4, 2.0)) as log (who, what, offer, hour, days)) "
            f"to '{shop.folder}/log.parquet'"
        )
    shop.ingest(offer_source(shop, "log.parquet"))
    assert [row[2:4] for row in intervals(shop)] == [("never", "2018-01-01 04:00"), ("never", "never")]


def test_an_origin_without_a_zone_is_the_business_midnight(shop):
    shop.calendar = BusinessCalendar("Europe/Vilnius")
    assert offers(shop, "ann,sent,a,2,1")[0][1] == "2018-01-01"


def test_a_number_counts_elapsed_time_across_a_clock_change(shop):
    shop.calendar = BusinessCalendar("Europe/Vilnius")
    spring = {"unit": "hour", "origin": "2018-03-25"}
    assert offers(shop, "ann,sent,a,24,1", times=spring)[0][1] == "2018-03-25 22:00"


def test_seconds_of_the_unix_clock_name_their_zone(shop):
    shop.calendar = BusinessCalendar("Europe/Vilnius")
    unix = {"unit": "second", "origin": "1970-01-01T00:00:00Z"}
    assert offers(shop, "ann,sent,a,1514764800.5,1", times=unix)[0][1] == "2018-01-01"


@given(
    number=st.integers(-10_000, 10**6),
    unit=st.sampled_from(["day", "hour", "minute", "second", "millisecond"]),
)
def test_sql_and_integer_arithmetic_agree_on_instants(number, unit):
    times = Times.model_validate({"unit": unit, "origin": "2018-01-01"})
    length = {"day": 86400_000, "hour": 3600_000, "minute": 60_000, "second": 1000, "millisecond": 1}[unit]
    with duckdb.connect() as connection:
        ((found,),) = connection.execute(f"select {times.instant(str(number), 'UTC')}").fetchall()
    assert found == 1_514_764_800_000_000 + number * length * 1000


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ann,sent,a,soon,2", "unreadable_starts_at 1"),
        ("ann,sent,a,1e300,2", "unreadable_starts_at 1"),
        ("ann,sent,a,0,-1", "unreadable_ends_at 1"),
        ("ann,sent,a,0,week", "unreadable_ends_at 1"),
    ],
)
def test_rows_whose_numbers_mean_nothing_are_put_aside(shop, row, reason):
    with pytest.raises(DataError, match=rf"1 of 2 rows are bad.*{reason}; for example log.csv row 2"):
        offers(shop, "bob,sent,a,0,1", row)


def test_numbers_without_an_origin_are_refused(shop):
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'ann' as who, 'sent' as what, 'a' as offer, 3 as hour, 1 as days) "
            f"to '{shop.folder}/l.parquet'"
        )
    with pytest.raises(
        SchemaError, match=r"starts_at is INTEGER, which is no time\. .*`times: \{unit, origin\}`"
    ):
        shop.ingest(offer_source(shop, "l.parquet", times=None))


@pytest.mark.parametrize("origin", [2018, 1.5])
def test_an_origin_that_is_a_number_is_refused(origin):
    with pytest.raises(ValidationError, match="write a date or an ISO time"):
        Times.model_validate({"unit": "hour", "origin": origin})


def test_times_need_both_unit_and_origin():
    with pytest.raises(ValidationError, match=r"(?s)unit\n.*origin\n"):
        Times.model_validate({})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"filters": []}, "happenings: a filter must say which rows"),
        (
            {"columns": {**COLUMNS, "viewed_at": "hour"}},
            r"each instant is told once, found twice: \['viewed_at'\]",
        ),
    ],
)
def test_a_source_refuses_happenings_that_contradict_it(shop, parts, message):
    with pytest.raises(ValidationError, match=message):
        offer_source(shop, **parts)


def test_a_mapping_refuses_every_wrong_instant_at_once(shop):
    shop.deliver("log.csv", HEADER, "ann,sent,a,0,1")
    wrong = {
        "columns": {"customer_id": "who", "starts_at": "hour"},
        "durations": {"kind": {"column": "days", "unit": "day"}},
        "happenings": {"ends_at": VIEWED, "starts": VIEWED},
    }
    with pytest.raises(SchemaError) as caught:
        shop.ingest(offer_source(shop, **wrong))
    told = str(caught.value)
    assert "offers: mapping: durations: ['kind'] are no instants besides 'starts_at'" in told
    assert "offers: mapping: happenings: ['starts'] are no instants" in told
    assert "happenings: ['ends_at'] are known with the row itself" in told
    assert "share customer and key, ['offer_id']; found no offer_id" in told


def test_columns_of_durations_and_happenings_must_be_there(shop):
    shop.deliver("log.csv", "who,what,offer,hour", "ann,sent,a,0")
    wrong = {"viewed_at": {"column": "wat", "equals": "viewed"}}
    with pytest.raises(SchemaError, match=r"no columns 'wat', 'days'; .*Did you mean 'what' for 'wat'"):
        shop.ingest(offer_source(shop, happenings=wrong))
