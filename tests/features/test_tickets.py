"""Hand-worked values of the features over tickets, and a slow restatement over the rows known by then."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import build_features
from features.engagement_builders import ENGAGEMENT
from features.settings import FeatureSettings
from tables.calendar import DAY, HOUR, NEVER, BusinessCalendar

AS_OF = date(2025, 3, 1)
UTC = BusinessCalendar("UTC")
SETTINGS = FeatureSettings(horizon_days=28, windows=(30, 90), ticket_reasons=("late parcel",))
MOMENTS = ("first_reply_at", "solved_at", "reopened_at", "rated_at")
BUILDERS = [builder for builder in ENGAGEMENT if "tickets" in builder.needs]


def features_of(history, as_of=AS_OF, calendar=UTC):
    blocks = build_features(history, as_of=[as_of], calendar=calendar, settings=SETTINGS, builders=BUILDERS)
    return pd.concat([block.frame for block in blocks]).set_index("customer")


def tickets_of(memory, table, at, *rows, columns):
    """Tickets of ann: when opened, and per column a time, a value or nothing."""
    frame = table(*(("ann", opened) for opened, *_ in rows))
    for place, name in enumerate(columns, start=1):
        values = [row[place] for row in rows]
        if name in MOMENTS:
            values = [NEVER if value is None else at(value) for value in values]
        frame[name] = values
    return memory({"tickets": frame})


def test_counts_and_reasons_of_tickets(memory, table, at) -> None:
    history = tickets_of(
        memory,
        table,
        at,
        ("2024-03-01", "late parcel"),
        ("2025-01-15", "complaint"),
        ("2025-02-10", "how_to"),
        ("2025-02-27 12:00", "late parcel"),
        columns=["reason"],
    )
    row = features_of(history).iloc[0]
    assert (row.tickets_total, row.tickets_30d, row.tickets_90d) == (4, 2, 3)
    assert row.days_since_last_ticket == 1.5
    assert (row.complaints_30d, row.complaints_90d, row.how_to_questions_30d) == (0, 1, 1)
    assert row.late_parcel_tickets_365d == 2
    assert "tickets_open" not in row


def test_a_ticket_is_open_until_solved_and_once_reopened(memory, table, at) -> None:
    rows = [
        ("2025-02-01", None, None),
        ("2025-02-02", "2025-02-03", None),
        ("2025-02-04", "2025-02-05", "2025-02-05"),
        ("2025-02-06", "2025-02-08", "2025-02-07"),
        ("2025-02-09", "2025-03-01", None),
        ("2025-02-09", "2025-02-10", "2025-03-01"),
    ]
    history = tickets_of(memory, table, at, *rows, columns=["solved_at", "reopened_at"])
    row = features_of(history).iloc[0]
    assert row.tickets_open == 3
    assert row.tickets_solved_30d == 4
    assert row.tickets_reopened_365d == 2


def test_open_beyond_target_lacks_a_reply_or_a_solution(memory, table, at) -> None:
    rows = [
        ("2025-02-28 23:00", None, None),
        ("2025-02-28 22:59", None, None),
        ("2025-02-28 22:00", "2025-02-28 22:30", None),
        ("2025-02-26", "2025-02-26 01:00", None),
        ("2025-02-25", "2025-02-25 01:00", None),
        ("2025-02-25", None, "2025-02-26"),
    ]
    history = tickets_of(memory, table, at, *rows, columns=["first_reply_at", "solved_at"])
    row = features_of(history).iloc[0]
    assert row.tickets_open == 5
    assert row.tickets_open_over_target == 2
    only_solutions = tickets_of(
        memory, table, at, *((opened, solved) for opened, _, solved in rows), columns=["solved_at"]
    )
    assert features_of(only_solutions).iloc[0].tickets_open_over_target == 1


def test_waiting_of_open_tickets_counts_as_censored(memory, table, at) -> None:
    rows = [
        ("2024-01-01", "2024-01-09", "2024-01-09"),
        ("2025-02-01 00:00", "2025-02-01 02:00", "2025-02-01 10:00"),
        ("2025-02-02 00:00", "2025-02-02 06:00", "2025-03-02 00:00"),
        ("2025-02-28 00:00", None, None),
    ]
    history = tickets_of(memory, table, at, *rows, columns=["first_reply_at", "solved_at"])
    row = features_of(history).iloc[0]
    assert row.reply_hours_365d == (2 + 6 + 24) / 2
    assert row.solve_hours_365d == 10 + 27 * 24 + 24
    unanswered = tickets_of(memory, table, at, rows[3], columns=["first_reply_at", "solved_at"])
    assert features_of(unanswered).iloc[0][["reply_hours_365d", "solve_hours_365d"]].isna().all()


def test_a_rating_counts_from_when_it_was_given(memory, table, at) -> None:
    rows = [
        ("2023-02-01", "2023-02-03", 1.0),
        ("2025-02-01", "2025-02-20", 2.0),
        ("2025-02-02", "2025-02-04", 5.0),
        ("2025-02-05", "2025-02-21", None),
        ("2025-02-06", "2025-03-01", 1.0),
        ("2025-02-07", None, 1.0),
    ]
    history = tickets_of(memory, table, at, *rows, columns=["rated_at", "csat"])
    row = features_of(history).iloc[0]
    assert (row.csat_last, row.csat_last_age_days, row.csat_mean_365d) == (2, 9, 3.5)
    tomorrow = features_of(history, AS_OF + timedelta(days=1)).iloc[0]
    assert (tomorrow.csat_last, tomorrow.csat_last_age_days) == (1, 1)


hours = st.integers(-30 * 24, 24)
instants = st.one_of(st.none(), hours)
versions = st.fixed_dictionaries(
    {"known": hours, "csat": st.sampled_from([1.0, 4.0, np.nan]), **dict.fromkeys(MOMENTS, instants)}
)
records = st.tuples(st.sampled_from(["ann", "bob"]), hours, st.lists(versions, min_size=1, max_size=3))


def stored(tickets):
    """One row per version: known from its time until that of the next, a whole year long enough for all."""
    midnight, rows = UTC.midnight(AS_OF), []
    for customer, opened, found in tickets:
        known = sorted({opened, *(max(version["known"], opened) for version in found[1:])})
        ends = [*known[1:], None]
        for version, since, until in zip(found, known, ends, strict=False):
            moments = {
                name: NEVER if version[name] is None else midnight + version[name] * HOUR for name in MOMENTS
            }
            rows.append(
                {
                    "customer": customer,
                    "at": midnight + opened * HOUR,
                    "known_at": midnight + since * HOUR,
                    "superseded_at": NEVER if until is None else midnight + until * HOUR,
                    "reason": "complaint",
                    "csat": version["csat"],
                    **moments,
                }
            )
    return pd.DataFrame(rows)


def as_known(rows, calendar):
    """What the shop knew at the snapshot, row by row: what had not come yet is missing."""
    midnight, cutoff = calendar.midnight(AS_OF), calendar.known_cutoff(AS_OF)
    seen = (rows["at"] < midnight) & (rows["known_at"] < cutoff) & (rows["superseded_at"] >= cutoff)
    known = rows[seen].sort_values(["customer", "at", *sorted(set(rows) - {"customer", "at"})], kind="stable")
    known["csat"] = known["csat"].where(known["rated_at"] < midnight)
    for name in MOMENTS:
        known[name] = known[name].where(known[name] < midnight, NEVER)
    return known


def restated(known):
    """The features of one customer's tickets, written down ticket by ticket."""
    midnight, tickets = UTC.midnight(AS_OF), known.to_dict("records")
    open_ones, over, waited, replies, reply_wait, solved = [], [], 0, 0, 0, 0
    for each in tickets:
        age, reopened = midnight - each["at"], NEVER > each["reopened_at"] >= each["solved_at"]
        is_open = each["solved_at"] == NEVER or reopened
        has_reply = each["first_reply_at"] != NEVER
        open_ones.append(is_open)
        over.append(is_open and (age > 72 * HOUR or (not has_reply and age > HOUR)))
        waited += age if is_open else max(each["solved_at"] - each["at"], 0)
        solved += not is_open
        replies += has_reply
        if has_reply:
            reply_wait += max(each["first_reply_at"] - each["at"], 0)
        elif each["solved_at"] == NEVER:
            reply_wait += age
    ratings = sorted(
        (max(each["rated_at"], each["at"]), place, each["csat"])
        for place, each in enumerate(tickets)
        if each["rated_at"] != NEVER and not np.isnan(each["csat"])
    )
    last = ratings[-1] if ratings else (midnight, 0, np.nan)
    return {
        "tickets_total": len(tickets),
        "complaints_90d": len(tickets),
        "tickets_open": sum(open_ones),
        "tickets_open_over_target": sum(over),
        "solve_hours_365d": waited / HOUR / solved if solved else np.nan,
        "reply_hours_365d": reply_wait / HOUR / replies if replies else np.nan,
        "tickets_reopened_365d": sum(each["reopened_at"] != NEVER for each in tickets),
        "csat_last": last[2],
        "csat_last_age_days": (midnight - last[0]) / DAY if ratings else np.nan,
        "csat_mean_365d": np.mean([rating for *_, rating in ratings]) if ratings else np.nan,
    }


@given(tickets=st.lists(records, min_size=1, max_size=5), offset=st.sampled_from([0, 5]))
@settings(max_examples=60)
def test_features_restate_the_tickets_known_by_then(memory, tickets, offset) -> None:
    calendar = BusinessCalendar("UTC", known_offset_hours=offset)
    rows = stored(tickets)
    history = memory({"tickets": rows}, names=("ann", "bob"))
    found = features_of(history, calendar=calendar)
    known = as_known(rows, calendar)
    assert sorted(found.index) == sorted({"ann": 0, "bob": 1}[name] for name in set(known["customer"]))
    for customer, row in found.iterrows():
        expected = restated(known[known["customer"] == ("ann", "bob")[customer]])
        assert row[list(expected)].to_dict() == pytest.approx(expected, rel=1e-6, nan_ok=True)
