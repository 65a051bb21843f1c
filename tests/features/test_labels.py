from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.build import FeatureSettings, build_features
from features.labels import build_labels
from features.population import Buyers
from tables.calendar import DAY, NEVER, BusinessCalendar, OutcomeRule
from tables.errors import LeakageError

UTC = BusinessCalendar("UTC")
RULE = OutcomeRule(horizon_days=10, active_within_days=20, gap_days=2, settle_days=1)
AS_OF = date(2025, 2, 1)
NAMES = ("ann", "bob", "cyd", "dan", "eve", "fay")
NEWEST = ("zoe", "2025-06-01 00:00")


def label(history, *as_of, rule=RULE, known_before=None):
    blocks = build_labels(
        history, as_of=as_of or (AS_OF,), calendar=UTC, rule=rule, known_before=known_before
    )
    frame = pd.concat([block.frame for block in blocks])
    return frame.sort_values(["as_of", "customer"], ignore_index=True)


def test_churned_is_no_order_in_the_outcome_window(memory, table) -> None:
    orders = table(
        *((name, "2025-01-20") for name in NAMES[:4]),
        ("ann", "2025-02-02 23:59"),
        ("bob", "2025-02-03 00:00"),
        ("cyd", "2025-02-12 23:59"),
        ("dan", "2025-02-13 00:00"),
        ("eve", "2025-01-11 23:59"),
        NEWEST,
    )
    found = label(memory({"orders": orders}))
    assert found["customer"].tolist() == [0, 1, 2, 3]
    assert found["churned"].tolist() == [1, 0, 0, 1]
    assert found["churned"].dtype == np.int8


def test_an_outcome_known_too_late_does_not_count(memory, table) -> None:
    orders = table(("ann", "2025-01-20"), ("ann", "2025-02-05"), NEWEST)
    orders.loc[1, "known_at"] += 30 * DAY
    history = memory({"orders": orders})
    assert label(history, known_before=UTC.midnight(date(2025, 2, 20)))["churned"].tolist() == [1]
    assert label(history, known_before=orders.loc[1, "known_at"])["churned"].tolist() == [1]
    assert label(history, known_before=orders.loc[1, "known_at"] + 1)["churned"].tolist() == [0]
    assert label(history)["churned"].tolist() == [0]


def test_a_withdrawn_order_counts_until_its_correction(memory, table) -> None:
    orders = table(("ann", "2025-01-20"), ("ann", "2025-02-05"), ("ann", "2025-03-05"), NEWEST)
    corrected = UTC.midnight(date(2025, 3, 10))
    orders.loc[1, "superseded_at"] = orders.loc[2, "known_at"] = corrected
    history = memory({"orders": orders})
    assert label(history, known_before=corrected)["churned"].tolist() == [0]
    assert label(history, known_before=corrected + 1)["churned"].tolist() == [1]


def test_population_is_that_of_the_features(memory, shop) -> None:
    history = memory({"orders": shop(np.random.default_rng(3), NAMES)["orders"]}, buckets=2)
    dates = (date(2025, 2, 20), AS_OF)
    labels = label(history, *dates)
    blocks = build_features(
        history, as_of=dates, calendar=UTC, settings=FeatureSettings(horizon_days=10), population=Buyers(20)
    )
    features = pd.concat([block.frame for block in blocks]).sort_values(
        ["as_of", "customer"], ignore_index=True
    )
    assert_frame_equal(labels[["customer", "as_of"]], features[["customer", "as_of"]])
    assert len(labels) > 4


@given(seed=st.integers(0, 10**9))
@settings(max_examples=10, deadline=None)
def test_orders_known_after_the_evaluation_change_no_label(memory, shop, seed) -> None:
    rng = np.random.default_rng(seed)
    orders = shop(rng, NAMES)["orders"]
    evaluated = UTC.midnight(date(2025, 4, 1))
    later = shop(rng, NAMES)["orders"]
    later = later.assign(known_at=np.maximum(later["known_at"], evaluated), superseded_at=NEVER)
    before, after = (
        memory({"orders": rows}, names=NAMES)
        for rows in (orders, pd.concat([orders, later], ignore_index=True))
    )
    dates = (AS_OF, date(2025, 3, 1))
    assert_frame_equal(
        label(before, *dates, known_before=evaluated), label(after, *dates, known_before=evaluated)
    )


def test_an_outcome_must_be_settled_by_the_known_time(memory, table) -> None:
    history = memory({"orders": table(("ann", "2025-01-20"), NEWEST)})
    settled = UTC.midnight(date(2025, 2, 14))
    assert len(label(history, known_before=settled)) == 1
    with pytest.raises(
        LeakageError, match=r"settled on 2025-02-14.*known by 2025-02-13.*on or before 2025-01-31"
    ):
        label(history, known_before=settled - 1)


def test_an_outcome_must_end_by_the_newest_order(memory, table) -> None:
    history = memory({"orders": table(("ann", "2025-01-20"), ("bob", "2025-02-14 08:00"))})
    assert len(label(history, AS_OF)) == 1
    with pytest.raises(
        LeakageError, match=r"(?s)outcome of 2025-02-02.*newest order is of 2025-02-14.*2025-02-03"
    ):
        label(history, date(2025, 2, 3), date(2025, 2, 2))
