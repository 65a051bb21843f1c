"""Wall-clock times inside SQL agree with the standard library, in skipped and repeated hours too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tables.zones import offsets

HOUR = 3_600_000_000
EPOCH = datetime(1970, 1, 1)
ZONES = ["Europe/London", "Europe/Vilnius", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "UTC"]


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def to_utc(zone: str, local: datetime) -> int:
    value = micros(local)
    with duckdb.connect() as connection:
        text = offsets(zone, value, value).to_utc("x")
        ((found,),) = connection.execute(f"select {text} from (select ?::bigint as x)", [value]).fetchall()
    return int(found)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2025-03-30 02:59:59", "2025-03-30 00:59:59"),
        ("2025-03-30 03:30:00", "2025-03-30 01:30:00"),
        ("2025-03-30 04:00:00", "2025-03-30 01:00:00"),
        ("2025-10-26 03:30:00", "2025-10-26 00:30:00"),
        ("2025-10-26 04:00:00", "2025-10-26 02:00:00"),
    ],
)
def test_changes_of_the_clock_in_vilnius_are_exact(local, utc):
    assert to_utc("Europe/Vilnius", datetime.fromisoformat(local)) == micros(datetime.fromisoformat(utc))


@settings(max_examples=60, deadline=None)
@given(zone=st.sampled_from(ZONES), local=st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)))
def test_any_wall_clock_time_agrees_with_the_standard_library(zone, local):
    expected = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    assert to_utc(zone, local) == micros(expected)


@settings(max_examples=30, deadline=None)
@given(zone=st.sampled_from(ZONES), moment=st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)))
def test_any_instant_shows_the_right_wall_clock(zone, moment):
    value = micros(moment)
    with duckdb.connect() as connection:
        text = offsets(zone, value, value).to_local("x")
        ((found,),) = connection.execute(f"select {text} from (select ?::bigint as x)", [value]).fetchall()
    expected = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert found == micros(expected)


def test_a_whole_century_of_changes_is_found():
    span = offsets("Europe/London", micros(datetime(1975, 1, 1)), micros(datetime(2036, 1, 1)))
    assert len(span.changes) == 2 * (2036 - 1975)
    assert {offset // HOUR for _, offset in span.changes} == {0, 1}
