"""Who is subscribed, and who left: half-open windows, the grace for renewals, and what was known when."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.build import FeatureSettings, build_features
from features.labels import build_labels
from features.population import Subscribers
from tables.calendar import DAY, NEVER, BusinessCalendar, OutcomeRule
from tables.errors import LeakageError, SchemaError

UTC = BusinessCalendar("UTC")
RULE = OutcomeRule(horizon_days=10, gap_days=2, grace_days=3, settle_days=1)
AS_OF = date(2025, 2, 1)
NEWEST = ("zoe", "2025-06-01", None)
NAMES = ("ann", "bob", "cyd", "dan", "eve")


@pytest.fixture
def subscribed(table, at, memory):
    """Write subscriptions as (customer, start, end or None), each known as soon as it began."""

    def make(*rows):
        frame = table(*[row[:2] for row in (*rows, NEWEST)])
        ends = [NEVER if end is None else at(end) for *_, end in (*rows, NEWEST)]
        return frame.assign(ended_at=np.array(ends, dtype=np.int64), mrr=9.0)

    return make


def label(history, *as_of, rule=RULE, known_before=None):
    """Return what became of each watched customer, by name, at one date; a frame at several."""
    blocks = build_labels(
        history, as_of=as_of or (AS_OF,), calendar=UTC, rule=rule, known_before=known_before
    )
    frame = pd.concat([block.frame for block in blocks])
    frame["customer"] = [history.names[key] for key in frame["customer"]]
    if len(as_of) > 1:
        return frame.sort_values(["as_of", "customer"], ignore_index=True)
    return dict(zip(frame["customer"], frame["churned"], strict=True))


def test_watched_is_who_has_a_running_subscription(subscribed, memory) -> None:
    frame = subscribed(
        ("ann", "2025-01-05", None),
        ("bob", "2025-01-05", "2025-01-31 23:59"),  # gone
        ("cyd", "2025-01-05", "2025-02-01"),  # ends with the first instant of the date: not before it
        ("dan", "2025-02-01", None),  # not yet begun
        ("eve", "2025-01-05", "2025-01-20"),
        ("eve", "2025-01-31", None),  # back again
        ("fay", "2025-01-05", "2025-01-05"),  # over before it began
    )
    assert sorted(label(memory({"subscriptions": frame}))) == ["ann", "cyd", "eve"]


def test_churned_is_an_end_before_the_window_closes(subscribed, memory) -> None:
    frame = subscribed(
        ("ann", "2025-01-05", "2025-02-12 23:59"),
        ("bob", "2025-01-05", "2025-02-13"),  # the first instant after the window
        ("cyd", "2025-01-05", "2025-02-02"),  # in the gap: gone before the window opens
        ("dan", "2025-01-05", None),
    )
    assert label(memory({"subscriptions": frame})) == {"ann": 1, "bob": 0, "cyd": 1, "dan": 0}


def test_a_renewal_within_the_grace_is_no_churn(subscribed, memory) -> None:
    frame = subscribed(
        ("ann", "2025-01-05", "2025-02-12 10:00"),
        ("ann", "2025-02-15 23:00", None),  # three local days later
        ("bob", "2025-01-05", "2025-02-12 10:00"),
        ("bob", "2025-02-16", None),  # the fourth day: came back, but had left
        ("cyd", "2025-01-05", "2025-02-12"),
        ("cyd", "2025-01-20", "2025-03-01"),  # another one runs on
        ("dan", "2025-01-05", "2025-02-04"),
        ("dan", "2025-02-05", "2025-02-06"),  # renewed once, then left
        ("eve", "2025-01-05", "2025-02-04"),
        ("eve", "2025-04-01", None),  # reactivated much later
    )
    found = label(memory({"subscriptions": frame}))
    assert found == {"ann": 0, "bob": 1, "cyd": 0, "dan": 1, "eve": 1}


def test_without_grace_a_change_of_plan_is_no_churn(subscribed, memory) -> None:
    rule = OutcomeRule(horizon_days=10, grace_days=0)
    frame = subscribed(
        ("ann", "2025-01-05", "2025-02-05 10:00"),
        ("ann", "2025-02-05 18:00", None),
        ("bob", "2025-01-05", "2025-02-05 10:00"),
        ("bob", "2025-02-06", None),
    )
    assert label(memory({"subscriptions": frame}), rule=rule) == {"ann": 0, "bob": 1}


def test_who_left_and_came_back_in_the_gap_has_churned(subscribed, memory) -> None:
    rule = OutcomeRule(horizon_days=10, gap_days=9, grace_days=2)
    frame = subscribed(
        ("ann", "2025-01-05", "2025-02-02"), ("ann", "2025-02-08", None), ("bob", "2025-01-05", None)
    )
    assert label(memory({"subscriptions": frame}), rule=rule) == {"ann": 1, "bob": 0}


def corrected(frame, row, *, ended, known):
    """Let a later file say when the subscription of a row ended."""
    later = frame.loc[[row]].assign(ended_at=ended, known_at=known)
    frame.loc[row, "superseded_at"] = known
    return pd.concat([frame, later], ignore_index=True)


def test_an_end_told_too_late_does_not_count(subscribed, memory, at) -> None:
    known = at("2025-03-10")
    frame = corrected(subscribed(("ann", "2025-01-05", None)), 0, ended=at("2025-02-05"), known=known)
    history = memory({"subscriptions": frame})
    assert label(history, known_before=known) == {"ann": 0}
    assert label(history, known_before=known + 1) == {"ann": 1}
    assert label(history) == {"ann": 1}


def test_an_end_before_the_date_told_after_it_is_churn(subscribed, memory, at) -> None:
    told = at("2025-02-20")
    frame = corrected(subscribed(("ann", "2025-01-05", None)), 0, ended=at("2025-01-20"), known=told)
    history = memory({"subscriptions": frame})
    assert label(history) == {"ann": 1}  # watched, for nobody knew better
    assert label(history, date(2025, 2, 20)) == {"ann": 1}
    assert label(history, date(2025, 2, 21)) == {}


def test_an_outcome_is_settled_after_its_grace(subscribed, memory) -> None:
    history = memory({"subscriptions": subscribed(("ann", "2025-01-05", None))})
    settled = UTC.midnight(date(2025, 2, 17))  # 2 + 10 + 3 + 1 days later
    assert label(history, known_before=settled) == {"ann": 0}
    with pytest.raises(LeakageError, match=r"settled on 2025-02-17.*known by 2025-02-16"):
        label(history, known_before=settled - 1)


def test_an_outcome_must_end_by_the_newest_subscription(subscribed, memory) -> None:
    history = memory({"subscriptions": subscribed(("ann", "2025-01-05", None))})
    with pytest.raises(LeakageError, match=r"newest subscription is of 2025-06-01.*before 2025-05-16"):
        label(history, date(2025, 5, 17))


def test_subscriptions_without_ends_are_refused(subscribed, memory) -> None:
    history = memory({"subscriptions": subscribed(("ann", "2025-01-05", None)).drop(columns="ended_at")})
    with pytest.raises((SchemaError, KeyError), match="ended_at"):
        label(history)


def drawn(rng, rows=50):
    """Draw subscriptions with pauses, overlaps, late news and corrections of a few customers."""
    begun = UTC.midnight(date(2025, 1, 1)) + rng.integers(0, 120, rows) * DAY
    known = begun + rng.choice([0, 0, 0, 2, 20], rows) * DAY
    return pd.DataFrame(
        {
            "customer": rng.choice(NAMES, rows),
            "at": begun,
            "known_at": known,
            "superseded_at": np.where(rng.random(rows) < 0.2, known + rng.choice([1, 30], rows) * DAY, NEVER),
            "ended_at": np.where(rng.random(rows) < 0.8, begun + rng.integers(0, 40, rows) * DAY, NEVER),
            "mrr": rng.integers(1, 50, rows).astype(float),
        }
    )


def slowly(frame, as_of, rule):
    """Label customers one by one and day by day; all rows begin and end at midnights, so days tell all."""
    day, closes = UTC.midnight(as_of), UTC.midnight(rule.outcome_window(as_of)[1])
    seen = frame[(frame["at"] < day) & (frame["known_at"] < day) & (day <= frame["superseded_at"])]
    watched = sorted(set(seen.loc[np.maximum(seen["at"], seen["ended_at"]) >= day, "customer"]))
    current = frame[frame["superseded_at"] == NEVER]
    window = set(range(day, closes, DAY))

    def left(rows):
        spans, runs = list(zip(rows["at"], rows["ended_at"], strict=True)), [[]]
        for at in range(min(spans)[0], closes + 90 * DAY, DAY):
            if any(begun == at for begun, _ in spans):
                runs.append([])
            if not any(begun <= at < ended for begun, ended in spans):
                runs[-1].append(at)
            elif runs[-1]:
                runs.append([])
        return any(len(run) > rule.grace_days and window & set(run) for run in runs)

    kept = {name: current[current["customer"] == name] for name in watched}
    return {name: int(not (rows["at"] < closes).any() or left(rows)) for name, rows in kept.items()}


@given(seed=st.integers(0, 10**9))
@settings(max_examples=15, deadline=None)
def test_labels_equal_a_slow_look_at_every_day(memory, seed) -> None:
    frame = drawn(np.random.default_rng(seed))
    history = memory({"subscriptions": pd.concat([frame, _far()], ignore_index=True)}, names=NAMES, buckets=2)
    rule = OutcomeRule(horizon_days=10, grace_days=2)
    assert label(history, rule=rule) == slowly(frame, AS_OF, rule)


def _far():
    return pd.DataFrame(
        {"customer": ["zoe"], "at": UTC.midnight(date(2025, 8, 1)), "known_at": 0, "superseded_at": NEVER,
         "ended_at": NEVER, "mrr": 1.0}
    )  # fmt: skip


@given(seed=st.integers(0, 10**9))
@settings(max_examples=10, deadline=None)
def test_what_is_learnt_later_changes_neither_watched_nor_label(memory, seed) -> None:
    rng = np.random.default_rng(seed)
    frame, later = drawn(rng), drawn(rng)
    evaluated = UTC.midnight(date(2025, 4, 1))
    later = later.assign(known_at=np.maximum(later["known_at"], evaluated), superseded_at=NEVER)
    before, after = (
        memory({"subscriptions": pd.concat([*rows, _far()], ignore_index=True)}, names=NAMES)
        for rows in ([frame], [frame, later])
    )
    dates = (AS_OF, date(2025, 3, 1))
    first, second = (label(each, *dates, known_before=evaluated) for each in (before, after))
    assert len(first) > 0
    assert_frame_equal(second, first)


def test_features_mark_the_same_customers_as_watched(memory) -> None:
    frame = pd.concat([drawn(np.random.default_rng(5), rows=15), _far()], ignore_index=True)
    history = memory({"subscriptions": frame}, names=NAMES, buckets=2)
    blocks = list(
        build_features(
            history,
            as_of=[AS_OF],
            calendar=UTC,
            settings=FeatureSettings(horizon_days=10),
            population=Subscribers(),
            with_others=True,
        )
    )
    watched = np.concatenate([block.watched for block in blocks])
    features = pd.concat([block.frame for block in blocks], ignore_index=True)
    marked = {history.names[key] for key in features.loc[watched, "customer"]}
    assert marked == set(label(history))
    assert len(features) > len(marked)
    assert (features["subscriptions_active"] > 0).tolist() == watched.tolist()
