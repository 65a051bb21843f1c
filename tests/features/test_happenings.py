"""Rows whose values become known one after the other: none shows before its time."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.build import build_features
from features.edges import Edges
from features.index import SnapshotIndex
from features.settings import FeatureSettings
from features.view import AsOfView
from tables.calendar import DAY, NEVER, BusinessCalendar
from tables.contracts import since_of
from tables.errors import SchemaError

AS_OF = date(2025, 3, 1)
DATES = (date(2025, 2, 9), AS_OF, date(2025, 4, 20))
UTC = BusinessCalendar("UTC")
NAMES = ("ann", "bob", "cyd", "dan")
SETTINGS = FeatureSettings(horizon_days=28, ticket_reasons=("other",), offer_kinds=("bogo", "gift"))
seeds = st.integers(0, 10**9)


def see(history, table):
    rows = history.read(table, 0, history.columns(table))
    index = SnapshotIndex.of(rows, edges=Edges.of([AS_OF], days_before=[30], calendar=UTC), calendar=UTC)
    return AsOfView(index, as_of=AS_OF, selected=np.arange(index.customers))


@pytest.fixture(scope="module")
def tickets(memory, table, at):
    rows = [("2025-02-01", "2025-02-03", 4.0), ("2025-02-02", "2025-03-01", 1.0), ("2025-02-04", None, 5.0)]
    frame = table(*(("ann", opened, csat) for opened, _, csat in rows), columns=["csat"])
    frame["rated_at"] = [NEVER if rated is None else at(rated) for _, rated, _ in rows]
    frame["solved_at"] = at("2025-02-02 12:00")
    return see(memory({"tickets": frame}), "tickets")


def features_of(tables, *dates):
    blocks = build_features(tables, as_of=dates or DATES, calendar=UTC, settings=SETTINGS)
    frames = [block.frame for block in blocks]
    return pd.concat(frames).sort_values(["as_of", "customer"], ignore_index=True)


def test_a_rating_is_read_only_of_rows_timed_by_it(tickets) -> None:
    with pytest.raises(SchemaError, match=r"'csat' is known only from 'rated_at' on.*retimed\('rated_at'\)"):
        tickets.last("csat")
    with pytest.raises(SchemaError, match=r"'csat'.*found rows timed by \['solved_at'\]"):
        tickets.retimed("solved_at").mean("csat")
    assert tickets.retimed("rated_at").last("csat").tolist() == [4]
    assert tickets.retimed("rated_at").retimed("solved_at").total("csat").tolist() == [4]
    assert tickets.retimed("rated_at").where_not("csat", 4).count().tolist() == [0]


def test_an_instant_itself_is_read_only_once_it_came(tickets) -> None:
    with pytest.raises(SchemaError, match="'solved_at' is known only from 'solved_at' on"):
        tickets.last("solved_at")
    with pytest.raises(SchemaError, match="'rated_at' is known only"):
        tickets.records().days_until("rated_at")
    with pytest.raises(SchemaError, match="'rated_at' is known only"):
        tickets.records().waited_hours("rated_at")
    with pytest.raises(SchemaError, match="'csat' holds no instants"):
        tickets.retimed("csat")


def test_retimed_rows_keep_their_own_time(tickets, at) -> None:
    rated = tickets.retimed("rated_at")
    assert rated.last("opened_at").tolist() == [at("2025-02-01")]
    assert rated.last("rated_at").tolist() == [at("2025-02-03")]
    assert rated.days_since_last().tolist() == [26]
    assert rated.last("weekday").tolist() == [0]


def test_records_wait_from_their_own_time(tickets) -> None:
    records = tickets.records()
    assert records.having("rated_at").waited_hours("rated_at").tolist() == [48]
    assert records.lacking("rated_at").waited_hours().tolist() == [(27 + 25) * 24]
    assert tickets.records(30).count().tolist() == [3]
    both = records.having("rated_at") | records.older_than(27 * 24)
    assert both.count().tolist() == [1]
    assert (records - both).count().tolist() == [2]


def erased(rows, table, as_of):
    """The same rows without what had not come by a date."""
    rows, midnight = rows.copy(), UTC.midnight(as_of)
    for column, since in since_of(table).items():
        if column != since and column in rows:
            rows[column] = rows[column].where(rows[since] < midnight)
    for column in set(since_of(table).values()) & set(rows):
        rows[column] = rows[column].where(rows[column] < midnight, NEVER)
    return rows


@given(seed=seeds, as_of=st.sampled_from(DATES))
@settings(max_examples=10)
def test_what_has_not_come_yet_changes_no_feature(memory, shop, seed, as_of) -> None:
    tables = shop(np.random.default_rng(seed), NAMES)
    known = {name: erased(rows, name, as_of) for name, rows in tables.items()}
    assert any(not known[name].equals(tables[name]) for name in tables)
    whole, erased_ones = (features_of(memory(found, names=NAMES), as_of) for found in (tables, known))
    assert_frame_equal(whole, erased_ones, check_exact=True)


@given(seed=seeds)
@settings(max_examples=5)
def test_dates_together_equal_each_date_alone(memory, shop, seed) -> None:
    history = memory(shop(np.random.default_rng(seed), NAMES), names=NAMES)
    alone = pd.concat([features_of(history, day) for day in DATES], ignore_index=True)
    assert_frame_equal(features_of(history), alone, check_exact=True)


def test_an_open_end_before_1970_has_not_come(memory, table) -> None:
    frame = table(("ann", "1969-02-01")).assign(solved_at=NEVER)
    rows = memory({"tickets": frame}).read("tickets", 0, ("solved_at",))
    day = date(1969, 3, 1)
    index = SnapshotIndex.of(rows, edges=Edges.of([day], days_before=[], calendar=UTC), calendar=UTC)
    open_ones = AsOfView(index, as_of=day, selected=np.arange(1)).records().lacking("solved_at")
    assert open_ones.waited_hours().tolist() == [28 * DAY / (DAY / 24)]
