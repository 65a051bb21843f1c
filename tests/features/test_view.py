"""Every operation against a slow, plain restatement per customer."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.edges import Edges
from features.index import SnapshotIndex
from features.view import AsOfView
from tables.calendar import DAY, NEVER, BusinessCalendar
from tables.errors import SchemaError

UTC = BusinessCalendar("UTC")
EPOCH = date(1970, 1, 1)
AS_OF = date(2025, 3, 1)
DATES = (date(2025, 2, 9), AS_OF, date(2025, 4, 20))
NAMES = ("ann", "bob", "cyd", "dan")
SPANS = (None, 7, 30)


def index_of(rows, *dates, days_before=(7, 30), calendar=UTC):
    edges = Edges.of(dates, days_before=days_before, calendar=calendar)
    return SnapshotIndex.of(rows, edges=edges, calendar=calendar)


def see(history, table, columns, *, as_of=AS_OF, days_before=(7, 30), calendar=UTC):
    index = index_of(history.read(table, 0, columns), as_of, days_before=days_before, calendar=calendar)
    return AsOfView(index, as_of=as_of, selected=np.arange(index.customers))


def orders_of(memory, table, *times, **content):
    rows = [("ann", time, *values) for time, *values in zip(times, *content.values(), strict=True)]
    return memory({"orders": table(*rows, columns=list(content))})


def test_sums_money_exactly_inside_the_window(memory, table) -> None:
    view = see(
        orders_of(memory, table, "2025-02-21 23:59", "2025-02-22", "2025-02-28", amount=[1, 0.1, 0.2]),
        "orders",
        ("amount",),
    )
    assert view.total("amount", 7).tolist() == [0.3]
    assert view.total("amount").tolist() == [1.3]
    assert view.count_between(30, 7).tolist() == [1]
    assert view.count_between(7, -3).tolist() == [2]


def test_gaps_of_hand_worked_purchase_days(memory, table) -> None:
    times = ("2025-02-01 09:00", "2025-02-01 18:00", "2025-02-03", "2025-02-07", "2025-02-17")
    gaps = see(orders_of(memory, table, *times), "orders", ()).purchase_days().gaps()
    assert gaps.count().tolist() == [3]
    assert gaps.mean() == pytest.approx([16 / 3])
    assert gaps.spread() == pytest.approx([np.std([2, 4, 10], ddof=1)])
    assert gaps.quantile(0.5).tolist() == [4]
    assert gaps.quantile(0.8) == pytest.approx([7.6])
    assert [gaps.last(n).tolist() for n in (1, 2, 3)] == [[10], [4], [2]]
    assert np.isnan(gaps.last(4)).all()
    assert gaps.mean_of_last(2).tolist() == [7]
    assert gaps.longer_than(np.array([3.0])).tolist() == [2]
    assert gaps.excess(3).tolist() == [8]


def test_same_time_orders_have_gaps_of_zero(memory, table) -> None:
    view = see(orders_of(memory, table, "2025-02-01", "2025-02-01", "2025-02-01"), "orders", ())
    assert view.gaps().mean().tolist() == [0]
    assert view.gaps().spread().tolist() == [0]
    assert np.isnan(view.purchase_days().gaps().mean()).all()


def test_decay_gives_a_row_of_age_tau_a_third(memory, table) -> None:
    view = see(orders_of(memory, table, "2025-01-30", "2025-03-01", amount=[10, 99]), "orders", ("amount",))
    assert view.decayed_count(30) == pytest.approx([np.exp(-1)])
    assert view.decayed_total("amount", 30) == pytest.approx([10 * np.exp(-1)])


def test_retimed_rows_appear_when_that_moment_passed(memory, table) -> None:
    contacts = table(("ann", "2025-02-01"), ("ann", "2025-02-02"), ("ann", "2025-02-03"))
    contacts["redeemed_at"] = [UTC.midnight(AS_OF), UTC.midnight(AS_OF) - 1, NEVER]
    redeemed = see(memory({"contacts": contacts}), "contacts", ("redeemed_at",)).retimed("redeemed_at")
    assert redeemed.count().tolist() == [1]
    assert redeemed.days_since_last()[0] < 1e-9


def test_equal_amounts_have_no_spread_at_all(memory, table) -> None:
    view = see(orders_of(memory, table, *["2025-02-01"] * 3, amount=[33333.33] * 3), "orders", ("amount",))
    assert view.spread("amount").tolist() == [0]


def test_huge_amounts_are_summed_to_the_last_digit(memory, table) -> None:
    amounts = [168_469.6, 0.0001, 77_183.6]
    view = see(orders_of(memory, table, *["2025-02-01"] * 3, amount=amounts), "orders", ("amount",))
    assert view.total("amount").tolist() == [245_653.2001]
    assert view.spread("amount") == pytest.approx([np.std(amounts, ddof=1)])


def test_hours_and_weekdays_are_local(memory, table) -> None:
    history = orders_of(memory, table, "2025-02-01 23:30")
    view = see(history, "orders", (), calendar=BusinessCalendar("Europe/Vilnius"))
    assert view.last("hour").tolist() == [1]
    assert view.last("weekday").tolist() == [6]
    assert view.share("weekday", [5, 6]).tolist() == [1]


def slow(rows, as_of, span=None):
    """One customer's rows in a window, by plain comparison."""
    begin = -np.inf if span is None else UTC.midnight(as_of) - span * DAY
    return rows[(rows["at"] < UTC.midnight(as_of)) & (rows["at"] >= begin)]


def per_customer(frame, as_of, measure, span=None):
    frame = frame.sort_values("at", kind="stable")
    return [measure(slow(frame[frame["customer"] == name], as_of, span)) for name in NAMES]


def or_nan(rows, value):
    return value(rows) if len(rows) else np.nan


def gaps_in_days(rows):
    days = np.unique(rows["at"] // DAY)
    return np.diff(days).astype(float)


def check(found, expected) -> None:
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(expected, float), rtol=1e-12, atol=1e-9)


seeds = st.integers(0, 10**9)


def drawn(memory, shop, seed, table):
    """A history of current rows known at once, and its frame in the order in which it is stored."""
    frame = shop(np.random.default_rng(seed), NAMES)[table]
    frame = frame.assign(known_at=frame["at"], superseded_at=NEVER)
    history = memory({table: frame}, names=NAMES)
    content = sorted(history.columns(table))
    return history, frame.sort_values(["customer", "at", *content], kind="stable")


@given(seed=seeds, as_of=st.sampled_from(DATES))
@settings(max_examples=20, deadline=None)
def test_windows_equal_plain_filters(memory, shop, seed, as_of) -> None:
    history, frame = drawn(memory, shop, seed, "orders")
    view = see(history, "orders", ("amount",), as_of=as_of)
    for span in SPANS:
        check(view.count(span), per_customer(frame, as_of, len, span))
        amounts = {
            "total": lambda rows: rows["amount"].sum(),
            "mean": lambda rows: rows["amount"].mean(),
            "maximum": lambda rows: rows["amount"].max(),
            "minimum": lambda rows: rows["amount"].min(),
        }
        for name, measure in amounts.items():
            check(getattr(view, name)("amount", span), per_customer(frame, as_of, measure, span))
        months = per_customer(frame, as_of, lambda rows: (rows["at"] // DAY).map(month).nunique(), span)
        check(view.months(span), months)
        weekend = per_customer(
            frame, as_of, lambda rows: or_nan(rows, lambda r: ((r["at"] // DAY + 3) % 7 >= 5).mean()), span
        )
        check(view.share("weekday", [5, 6], span), weekend)
    check(view.spread("amount"), per_customer(frame, as_of, lambda rows: rows["amount"].std()))


def month(day):
    return np.datetime64(int(day), "D").astype("datetime64[M]")


@given(seed=seeds, as_of=st.sampled_from(DATES))
@settings(max_examples=20, deadline=None)
def test_single_rows_equal_plain_positions(memory, shop, seed, as_of) -> None:
    history, frame = drawn(memory, shop, seed, "orders")
    view = see(history, "orders", ("amount",), as_of=as_of)
    midnight = UTC.midnight(as_of)
    for n in (1, 2, 5):
        check(
            view.days_since_last(n),
            per_customer(
                frame, as_of, lambda r, n=n: (midnight - r["at"].iloc[-n]) / DAY if len(r) >= n else np.nan
            ),
        )
        nth_last = per_customer(frame, as_of, lambda r, n=n: r["amount"].iloc[-n] if len(r) >= n else np.nan)
        check(view.last("amount", n), nth_last)
    first = per_customer(
        frame, as_of, lambda rows: or_nan(rows, lambda r: (midnight - r["at"].iloc[0]) / DAY)
    )
    check(view.days_since_first(), first)


@given(seed=seeds, as_of=st.sampled_from(DATES))
@settings(max_examples=20, deadline=None)
def test_values_equal_plain_counts(memory, shop, seed, as_of) -> None:
    history, frame = drawn(memory, shop, seed, "lines")
    view = see(history, "lines", ("product_id",), as_of=as_of)
    for span in SPANS:
        distinct = per_customer(frame, as_of, lambda rows: rows["product_id"].nunique(), span)
        check(view.distinct("product_id", span), distinct)
        for value in ("a", "d", "never"):
            matches = per_customer(frame, as_of, lambda r, v=value: (r["product_id"] == v).sum(), span)
            check(view.where("product_id", value).count(span), matches)
            others = per_customer(frame, as_of, lambda r, v=value: (r["product_id"] != v).sum(), span)
            check(view.where_not("product_id", value).count(span), others)
    top = per_customer(frame, as_of, lambda rows: rows["product_id"].value_counts().max() if len(rows) else 0)
    check(view.top_count("product_id"), np.nan_to_num(np.asarray(top, float)))


@given(seed=seeds, as_of=st.sampled_from(DATES))
@settings(max_examples=20, deadline=None)
def test_rhythm_equals_plain_gaps_of_days(memory, shop, seed, as_of) -> None:
    history, frame = drawn(memory, shop, seed, "orders")
    view = see(history, "orders", ("amount",), as_of=as_of)
    days, gaps = view.purchase_days(), view.purchase_days().gaps()
    end = (as_of - EPOCH).days
    check(days.count(), per_customer(frame, as_of, lambda rows: (rows["at"] // DAY).nunique()))
    check(days.days_since_last(), per_customer(frame, as_of, lambda r: end - (r["at"] // DAY).max()))
    check(gaps.mean(), [or_nan(g, np.mean) for g in per_customer(frame, as_of, gaps_in_days)])
    spread = [np.std(g, ddof=1) if len(g) > 1 else np.nan for g in per_customer(frame, as_of, gaps_in_days)]
    check(gaps.spread(), spread)
    for share in (0, 0.5, 0.8, 1):
        expected = [
            or_nan(g, lambda g, q=share: np.quantile(g, q)) for g in per_customer(frame, as_of, gaps_in_days)
        ]
        check(gaps.quantile(share), expected)
    limits = np.array([0.0, 1.0, 5.0, np.nan])
    longer = [
        (g > limit).sum()
        for g, limit in zip(per_customer(frame, as_of, gaps_in_days), [0, 1, 5, 0], strict=True)
    ]
    check(gaps.longer_than(limits), longer)
    excess = [np.maximum(g - 6, 0).sum() for g in per_customer(frame, as_of, gaps_in_days)]
    check(gaps.excess(6), excess)
    midnight = UTC.midnight(as_of)
    for tau in (7, 60):
        ages = per_customer(frame, as_of, lambda rows: end - np.unique(rows["at"] // DAY))
        check(days.decayed_count(tau), [np.exp(-age / tau).sum() for age in ages])
        faded = per_customer(
            frame, as_of, lambda r, tau=tau: (r["amount"] * np.exp((r["at"] - midnight) / DAY / tau)).sum()
        )
        check(view.decayed_total("amount", tau), faded)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_an_index_of_many_dates_equals_one_of_each(memory, shop, seed) -> None:
    rows = memory({"lines": shop(np.random.default_rng(seed), NAMES)["lines"]}, names=NAMES)
    content = rows.read("lines", 0, ("product_id",))
    together = index_of(content, *DATES)
    some = np.array([1, 3])
    for day in DATES:
        many = AsOfView(together, as_of=day, selected=some)
        one = AsOfView(index_of(content, day), as_of=day, selected=some)
        for span in SPANS:
            check(many.distinct("product_id", span), one.distinct("product_id", span))
            check(many.where("product_id", "a").count(span), one.where("product_id", "a").count(span))


def test_fractional_numbers_are_summed_without_missing_ones(memory, table) -> None:
    rows = [
        ("ann", "2025-02-01", "app", 0.5),
        ("ann", "2025-02-02", "app", np.nan),
        ("ann", "2025-02-27", "app", 2.0),
    ]
    history = memory({"events": table(*rows, columns=["type", "value"])})
    view = see(history, "events", ("type", "value"))
    assert view.total("value").tolist() == [2.5]
    assert view.total("value", 7).tolist() == [2.0]


def test_text_cannot_be_summed(memory, table) -> None:
    history = memory({"events": table(("ann", "2025-02-01", "app"), columns=["type"])})
    with pytest.raises(SchemaError, match="events: column 'type' holds text"):
        see(history, "events", ("type",)).total("type")


def test_an_absent_column_is_named_with_the_near_miss(memory, table) -> None:
    view = see(orders_of(memory, table, "2025-02-01", amount=[1]), "orders", ("amount",))
    with pytest.raises(SchemaError, match=r"orders: no column 'amounts'.*Did you mean 'amount'"):
        view.total("amounts")


def test_a_table_without_rows_gives_zeros_and_missing(memory, table) -> None:
    history = memory({"orders": table(columns=["amount"])}, names=NAMES)
    view = see(history, "orders", ("amount",))
    assert view.count(7).tolist() == [0] * 4
    assert view.maximum("amount", 7, empty=0).tolist() == [0] * 4
    assert view.top_count("month").tolist() == [0] * 4
    assert view.decayed_count(7).tolist() == [0] * 4
    assert pd.isna(view.purchase_days().gaps().quantile(0.5)).all()
