"""Features of a history: from files to frames, and nothing of what comes later."""

import gc
from datetime import date, timedelta
from fnmatch import fnmatch

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.build import build_features, feature_names
from features.builders import BUILDERS
from features.index import SnapshotIndex
from features.population import Buyers
from features.settings import FeatureSettings
from tables.calendar import DAY, NEVER, BusinessCalendar
from tests.features.all_built import AS_OF, DATES, NAMES, SETTINGS, UTC, WORDS, build

seeds = st.integers(0, 10**9)


def by_name(history, *as_of, **options):
    """Index by customer name, so that histories with other keys compare."""
    frame = build(history, *as_of, **options)
    frame["customer"] = [history.names[key] for key in frame["customer"]]
    return frame.set_index(["as_of", "customer"]).sort_index()


def only_visible(tables, as_of, calendar=UTC):
    """What a copy of the history made at the known cutoff would hold, in plain pandas."""
    midnight, cutoff = calendar.midnight(as_of), calendar.known_cutoff(as_of)
    copies = {}
    for name, rows in tables.items():
        seen = (rows["known_at"] < cutoff) & (rows["superseded_at"] >= cutoff)
        if name == "calendar":  # it tells of days to come
            copies[name] = rows[seen].assign(known_at=0, superseded_at=NEVER)
            continue
        seen &= rows["at"] < midnight
        copies[name] = rows[seen].assign(known_at=rows["at"], superseded_at=NEVER)
    return copies


def test_counts_only_orders_inside_the_window(memory, table) -> None:
    orders = table(
        ("ann", "2025-01-29 09:00", 5.0),
        ("ann", "2025-01-30 00:00", 7.0),
        ("ann", "2025-02-28 23:59", 9.0),
        ("ann", "2025-03-01 00:00", 11.0),
        columns=["amount"],
    )
    row = build(memory({"orders": orders}), AS_OF).iloc[0]
    assert row.orders_30d == 2
    assert row.spend_30d == 16
    assert row.orders_total == 3
    assert row.gap_days_last == 29
    assert row.days_since_last_order == np.float32(1 / 1440)
    assert row.max_order_value_90d == 9


def test_population_is_who_ordered_lately(memory, table) -> None:
    orders = table(("ann", "2025-02-19 00:00", 1.0), ("bob", "2025-02-18 23:59", 1.0), columns=["amount"])
    history = memory({"orders": orders}, names=("ann", "bob", "cyd"))
    assert build(history, AS_OF, population=Buyers(10))["customer"].tolist() == [0]
    assert build(history, AS_OF)["customer"].tolist() == [0, 1]


def test_open_population_includes_whoever_has_any_row(memory, table) -> None:
    orders = table(("ann", "2025-02-19", 1.0), columns=["amount"])
    contacts = table(("bob", "2025-02-20"))
    frame = by_name(memory({"orders": orders, "contacts": contacts}), AS_OF).droplevel(0)
    assert frame.index.tolist() == ["ann", "bob"]
    assert frame.loc["bob", "orders_total"] == 0
    assert np.isnan(frame.loc["bob", "days_since_last_order"])
    assert frame.loc["bob", "contacts_30d"] == 1


def test_a_late_row_counts_from_its_known_time(memory, table) -> None:
    orders = table(("ann", "2025-02-01", 1.0), ("ann", "2025-02-03", 5.0), columns=["amount"])
    orders.loc[1, "known_at"] += 20 * DAY
    frame = build(memory({"orders": orders}), date(2025, 2, 10), AS_OF).set_index("as_of")
    assert frame["spend_total"].tolist() == [1, 6]


def test_a_corrected_row_keeps_its_old_value_before(memory, table) -> None:
    orders = table(("ann", "2025-02-01", 5.0), ("ann", "2025-02-01", 8.0), columns=["amount"])
    corrected = int(orders.loc[0, "at"]) + 10 * DAY
    orders.loc[0, "superseded_at"] = corrected
    orders.loc[1, "known_at"] = corrected
    frame = build(memory({"orders": orders}), date(2025, 2, 11), date(2025, 2, 12)).set_index("as_of")
    assert frame["spend_total"].tolist() == [5, 8]
    assert frame["orders_total"].tolist() == [1, 1]


@given(seed=seeds, offset=st.sampled_from([-3, 0, 5]), population=st.sampled_from([None, Buyers(30)]))
@settings(max_examples=12, deadline=None)
def test_features_equal_those_of_the_visible_rows_alone(memory, shop, seed, offset, population) -> None:
    calendar = BusinessCalendar("UTC", known_offset_hours=offset)
    tables = shop(np.random.default_rng(seed), NAMES)
    together = by_name(memory(tables, names=NAMES), calendar=calendar, population=population)
    for as_of in DATES:
        copy = memory(only_visible(tables, as_of, calendar), names=NAMES)
        plain = BusinessCalendar("UTC")
        alone = by_name(copy, as_of, calendar=plain, population=population)
        assert_frame_equal(together.loc[[pd.Timestamp(as_of)]], alone, check_exact=True)


@given(seed=seeds, as_of=st.sampled_from(DATES))
@settings(max_examples=12, deadline=None)
def test_nothing_after_the_snapshot_changes_a_feature(memory, shop, seed, as_of) -> None:
    rng = np.random.default_rng(seed)
    tables = shop(rng, NAMES)
    midnight = UTC.midnight(as_of)
    changed = {}
    for name, rows in tables.items():
        lies_ahead = (rows["at"] >= midnight) & (name != "calendar")
        hidden = lies_ahead | (rows["known_at"] >= midnight)
        dropped = rng.random(len(rows)) < 0.5
        kept = rows[~(hidden & dropped)]
        later = shop(rng, NAMES)[name]
        happens = later.assign(at=midnight + later["at"] % (50 * DAY), known_at=midnight, superseded_at=NEVER)
        happens.loc[happens.index % 2 == 0, "known_at"] -= 90 * DAY
        learnt = later.assign(known_at=midnight + later["at"] % (50 * DAY), superseded_at=NEVER)
        happens = happens[:0] if name == "calendar" else happens
        changed[name] = pd.concat([kept, happens, learnt], ignore_index=True)
    before = by_name(memory(tables, names=NAMES), as_of)
    assert_frame_equal(before, by_name(memory(changed, names=NAMES), as_of), check_exact=True)


def test_a_row_exactly_at_midnight_or_cutoff_is_hidden(memory, table) -> None:
    past = [("ann", "2025-02-27", 1.0)]
    late = table(*past, ("ann", "2025-02-28", 3.0), columns=["amount"])
    late.loc[1, "known_at"] = UTC.midnight(AS_OF)
    next_day = table(*past, ("ann", "2025-03-01", 3.0), columns=["amount"])
    alone = build(memory({"orders": table(*past, columns=["amount"])}), AS_OF)
    assert_frame_equal(build(memory({"orders": late}), AS_OF), alone)
    assert_frame_equal(build(memory({"orders": next_day}), AS_OF), alone)


def test_a_correction_known_exactly_at_the_cutoff_waits(memory, table) -> None:
    orders = table(("ann", "2025-02-01", 5.0), ("ann", "2025-02-01", 8.0), columns=["amount"])
    orders.loc[0, "superseded_at"] = orders.loc[1, "known_at"] = UTC.midnight(AS_OF)
    assert build(memory({"orders": orders}), AS_OF)["spend_total"].tolist() == [5]


@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_order_of_rows_changes_nothing(memory, shop, seed) -> None:
    rng = np.random.default_rng(seed)
    tables = shop(rng, NAMES)
    mixed = {name: rows.sample(frac=1, random_state=rng) for name, rows in tables.items()}
    first, second = (memory(rows, names=NAMES) for rows in (tables, mixed))
    assert_frame_equal(by_name(first), by_name(second), check_exact=True)


@given(seed=seeds, buckets=st.integers(2, 5))
@settings(max_examples=8, deadline=None)
def test_more_customers_and_buckets_change_nobody_else(memory, shop, seed, buckets) -> None:
    rng = np.random.default_rng(seed)
    tables = shop(rng, NAMES)
    others = shop(rng, ("aaa", "zed"))
    others["calendar"] = others["calendar"][:0]  # a holiday is everybody's
    more = {name: pd.concat([rows, others[name]], ignore_index=True) for name, rows in tables.items()}
    alone = by_name(memory(tables))
    crowd = by_name(memory(more, buckets=buckets))
    assert_frame_equal(crowd.loc[alone.index], alone, check_exact=True)


@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_keep_computes_some_customers_alike(memory, shop, seed) -> None:
    history = memory(shop(np.random.default_rng(seed), NAMES), buckets=2)
    everybody = build(history)
    some = build(history, keep=lambda keys: keys % 3 == 1)
    wanted = everybody[everybody["customer"] % 3 == 1].reset_index(drop=True)
    assert_frame_equal(some, wanted, check_exact=True)


@given(seed=seeds, horizon=st.sampled_from([1, 7, 90, 400]))
@settings(max_examples=8, deadline=None)
def test_values_are_missing_only_as_declared_never_infinite(memory, shop, seed, horizon) -> None:
    history = memory(shop(np.random.default_rng(seed), NAMES, 12), names=(*NAMES, "gus"))
    chosen = FeatureSettings(horizon_days=horizon, **WORDS)
    frame = build(history, settings=chosen)
    assert not np.isinf(frame[list(feature_names(history, chosen))].to_numpy()).any()
    for builder in BUILDERS:
        names = feature_names(history, chosen, [builder])
        always = [name for name in names if not any(fnmatch(name, rule) for rule in builder.missing)]
        assert not frame[always].isna().to_numpy().any(), builder.name


def test_frame_has_keys_dates_and_named_float32(memory, shop) -> None:
    history = memory(shop(np.random.default_rng(1), NAMES), buckets=2)
    block = next(iter(build_features(history, as_of=DATES, calendar=UTC, settings=SETTINGS)))
    names = feature_names(history, SETTINGS)
    assert tuple(block.frame.columns) == ("customer", "as_of", *names)
    assert block.frame["customer"].dtype == np.int64
    assert block.frame["as_of"].dtype == "datetime64[s]"
    assert set(block.frame.dtypes.iloc[2:]) == {np.dtype(np.float32)}
    assert (block.frame["customer"] % 2 == block.bucket).all()
    assert_frame_equal(block.frame, block.frame.sort_values(["as_of", "customer"]))


def test_history_without_rows_before_gives_no_snapshot(memory, table) -> None:
    history = memory({"orders": table(("ann", "2025-02-01", 1.0), columns=["amount"])}, names=("ann", "bob"))
    assert len(build(history, AS_OF - timedelta(days=60))) == 0


def test_windows_follow_local_midnights_over_daylight_saving(memory, table) -> None:
    vilnius = BusinessCalendar("Europe/Vilnius")
    zone = {"columns": ["amount"], "zone": "Europe/Vilnius"}
    rows = [
        ("ann", "2025-03-25 00:00", 1.0),
        ("ann", "2025-03-24 23:59", 2.0),
        ("ann", "2025-03-31 23:59", 4.0),
    ]
    row = build(memory({"orders": table(*rows, **zone)}), date(2025, 4, 1), calendar=vilnius).iloc[0]
    assert row.spend_7d == 5
    assert row.gap_days_last == 6
    assert row.days_since_first_order == np.float32((7 * 1440 + 1 - 60) / 1440)


def test_a_bucket_is_freed_without_the_garbage_collector(memory, shop) -> None:
    history = memory(shop(np.random.default_rng(0), NAMES))
    gc.collect()
    gc.disable()
    try:
        build(history)
        kept = [thing for thing in gc.get_objects() if isinstance(thing, SnapshotIndex)]
    finally:
        gc.enable()
    assert kept == []
