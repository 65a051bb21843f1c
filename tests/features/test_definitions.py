"""Definitions of churn on hand-made customers: who is watched, who churned, who came back, who is left out."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definitions import Contract, Inactivity, Rhythm
from features.labels import build_labels
from features.silences import Silences, day_quantile
from features.tallies import Span, Tally, try_definitions
from tables.calendar import NEVER, BusinessCalendar, OutcomeRule

UTC = BusinessCalendar("UTC")
AS_OF = date(2025, 2, 1)
RULE = OutcomeRule(horizon_days=10, active_within_days=20)
KNOWN = UTC.midnight(date(2026, 1, 1))
NEWEST = ("zoe", "2025-06-01 00:00")
NAMES = ("ann", "bob", "cyd", "dan", "eve", "fay")


def span(table="orders", until=date(2025, 6, 1), follow_up_days=10) -> Span:
    return Span(table, date(2024, 12, 1), until, KNOWN, follow_up_days, UTC)


def tally(history, definition, *, as_of=AS_OF, of=None) -> Tally:
    tried = try_definitions(history, {definition: [as_of]}, of or span(definition.rule.table))
    return tried.tallies[definition, as_of]


def test_false_churn_is_an_order_in_the_follow_up(memory, table) -> None:
    orders = table(
        *((name, "2025-01-20") for name in ("ann", "bob", "cyd", "fay")),
        ("cyd", "2025-01-21"),
        ("ann", "2025-02-10 23:59"),  # the last minute of the outcome window
        ("bob", "2025-02-11 00:00"),  # the first of the follow-up
        ("fay", "2025-02-21 00:00"),  # the first after it
        ("dan", "2024-12-20"),
        ("eve", "2025-02-03"),
        NEWEST,
    )
    found = tally(memory({"orders": orders}), Inactivity(RULE))
    assert (found.population, found.one_order, found.churned, found.returned) == (4, 3, 3, 1)
    assert found.left_out == {"not active": 1}  # eve and zoe were no customers yet


def test_late_is_a_silence_beyond_the_own_usual_gap(memory, table) -> None:
    def every(name, days, last, times=4):
        ends = np.datetime64(last)
        return [(name, str(ends - days * back)) for back in range(times)]

    orders = table(
        *every("ann", 4, "2025-01-31"),  # late from the midnight after February 8 on
        *every("bob", 4, "2025-01-31"),
        *every("cyd", 4, "2025-01-31"),
        *every("dan", 4, "2025-01-23"),  # nine days of silence: late already
        *every("eve", 7, "2025-01-31"),  # waits for 14 days, longer than anybody is waited for
        *every("fay", 4, "2025-01-31", times=2),
        *every("hal", 4, "2025-01-31"),
        ("gus", "2025-01-31"),
        ("ann", "2025-02-08 23:59"),
        ("bob", "2025-02-18 23:59"),  # ten days from then on
        ("hal", "2025-02-19 00:00"),
        NEWEST,
    )
    found = tally(memory({"orders": orders}), Rhythm(RULE, times=2.0))
    assert (found.population, found.churned, found.returned) == (4, 3, 1)
    assert found.left_out == {
        "one order only": 1,
        "fewer than 4 purchase days": 1,
        "late already": 1,
        "own limit beyond 10 days": 1,
    }
    assert day_quantile(found.limits, 0.5) == 8


def test_who_subscribes_again_after_the_grace_was_false_churn(memory, table, at) -> None:
    def contract(name, begun, ended):
        return (name, begun, NEVER if ended is None else at(ended))

    rows = table(
        contract("ann", "2025-01-05", "2025-02-03"),
        contract("ann", "2025-02-05", None),  # within the grace: renewed
        contract("bob", "2025-01-05", "2025-02-03"),
        contract("bob", "2025-02-20", None),  # after it: churned, and back
        contract("cyd", "2025-01-05", "2025-02-03"),
        contract("cyd", "2025-02-24", None),  # the first instant after grace and follow-up
        contract("dan", "2025-01-05", "2025-01-20"),
        contract("zoe", "2025-06-01", None),
        columns=["ended_at"],
    )
    rule = OutcomeRule(horizon_days=10, grace_days=3)
    found = tally(memory({"subscriptions": rows}), Contract(rule))
    assert (found.population, found.churned, found.returned) == (3, 2, 1)
    assert found.left_out == {"no running subscription": 1}


def test_an_own_deadline_is_a_day_where_the_clocks_change(memory, table) -> None:
    zone = "Europe/Vilnius"
    calendar = BusinessCalendar(zone)
    days = ["2025-03-26", "2025-03-27", "2025-03-28", "2025-03-29"]
    orders = table(*(("ann", f"{day} 12:00") for day in days), ("ann", "2025-03-31 00:30"), NEWEST, zone=zone)
    of = Span("orders", date(2025, 3, 1), date(2025, 6, 1), KNOWN, 10, calendar)
    found = tally(memory({"orders": orders}), Rhythm(RULE, times=1.0), as_of=date(2025, 3, 30), of=of)
    assert (found.churned, found.returned) == (1, 1)  # the day of silence allowed is the shortest of the year


@given(seed=st.integers(0, 10**9), gap=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_inactivity_and_contract_agree_with_the_labels(memory, shop, seed, gap) -> None:
    tables = shop(np.random.default_rng(seed), NAMES)
    dates = (date(2025, 2, 20), date(2025, 1, 20))
    for definition in (
        Inactivity(OutcomeRule(horizon_days=9, active_within_days=17, gap_days=gap)),
        Contract(OutcomeRule(horizon_days=9, grace_days=4, gap_days=gap)),
    ):
        rule = definition.rule
        history = memory({rule.table: tables[rule.table]}, buckets=2)
        tried = try_definitions(history, {definition: dates}, span(rule.table))
        for day in dates:
            blocks = build_labels(history, as_of=[day], calendar=UTC, rule=rule, known_before=KNOWN)
            labels = np.concatenate([block.frame["churned"].to_numpy() for block in blocks])
            found = tried.tallies[definition, day]
            assert (found.population, found.churned) == (len(labels), labels.sum())


@given(seed=st.integers(0, 10**9))
@settings(max_examples=10, deadline=None)
def test_the_number_of_buckets_changes_no_count(memory, shop, seed) -> None:
    orders = shop(np.random.default_rng(seed), NAMES)["orders"]
    plan = {Inactivity(RULE): [AS_OF, date(2025, 3, 1)], Rhythm(RULE, 2.0): [date(2025, 3, 1)]}
    one, three = (
        try_definitions(memory({"orders": orders}, buckets=count), plan, span()) for count in (1, 3)
    )
    assert one.customers == three.customers
    assert one.silences.ended.tolist() == three.silences.ended.tolist()
    for place, found in one.tallies.items():
        other = three.tallies[place]
        assert (found.churned, found.returned, found.left_out) == (
            other.churned,
            other.returned,
            other.left_out,
        )
        assert found.limits.tolist() == other.limits.tolist()


@given(seed=st.integers(0, 10**9))
@settings(max_examples=10, deadline=None)
def test_customers_are_watched_or_left_out_for_one_reason(memory, shop, seed) -> None:
    orders = shop(np.random.default_rng(seed), NAMES)["orders"]
    history = memory({"orders": orders})
    inactive, paced = (tally(history, each) for each in (Inactivity(RULE), Rhythm(RULE, 1.5)))
    told = [found.population + sum(found.left_out.values()) for found in (inactive, paced)]
    assert told[0] == told[1]
    assert inactive.returned <= inactive.churned <= inactive.population


def test_pauses_between_subscriptions_end_with_the_log(memory, table, at) -> None:
    rows = table(
        ("ann", "2025-01-01", at("2025-01-05")),
        ("ann", "2025-01-15", at("2025-01-20")),
        ("bob", "2025-01-01", NEVER),
        ("cyd", "2025-01-01", at("2025-02-20")),  # ends after the log
        columns=["ended_at"],
    )
    history = memory({"subscriptions": rows})
    found = Silences.between_subscriptions(
        history.read("subscriptions", 0, ["ended_at"]), until=AS_OF, calendar=UTC
    )
    assert np.flatnonzero(found.ended).tolist() == [10]
    assert np.flatnonzero(found.still_silent).tolist() == [12]


def test_the_share_of_returns_needs_a_return(memory) -> None:
    nobody = Silences(np.zeros(5, dtype=np.int64), np.array([0, 0, 0, 0, 3]))
    assert nobody.share_of_returns(2, of_those_within=4) is None
    half = Silences(np.array([0, 1, 0, 1]), np.zeros(4, dtype=np.int64))
    assert half.share_of_returns(1, of_those_within=3) == pytest.approx(0.5)
