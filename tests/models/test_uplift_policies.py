"""Policies valued on rows whose arm was drawn, against values known by hand or by construction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.uplift.policies import (
    Experiment,
    budgeted,
    chances,
    difference_of,
    effective_rows,
    single,
    top_share,
    value_of,
)


def experiment(seed: int, rows: int = 4_000, *, quality: float = 1.0) -> tuple[Experiment, np.ndarray]:
    """Three arms drawn with chances of .5, .3 and .2, and the true outcome under each."""
    rng = np.random.default_rng(seed)
    helped = rng.random(rows) < 0.5
    truth = np.column_stack([np.full(rows, 0.2), np.where(helped, 0.5, 0.1), np.full(rows, 0.3)])
    chance = chances([0.5, 0.3, 0.2], rows)
    arm = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    outcome = (rng.random(rows) < truth[np.arange(rows), arm]).astype(float)
    return Experiment(outcome, arm, chance, quality * truth, np.arange(rows)), truth


def test_value_of_two_customers_by_hand() -> None:
    rows = Experiment(
        outcome=np.array([1.0, 0.0]),
        arm=np.array([1, 0]),
        chance=chances([0.5, 0.5], 2),
        expected=np.array([[0.2, 0.6], [0.2, 0.6]]),
        unit=np.arange(2),
    )
    # Scores of arm 1: .6 + (1 - .6) / .5 = 1.4 and .6; by weighting alone 1 / .5 = 2 and 0.
    value = value_of(single(1, 1.0, rows=2, arms=2), rows)
    assert (value.doubly_robust.value, value.weighted.value) == (1.0, 1.0)
    assert (value.effective_rows, value.treated) == (1.0, 1.0)


@pytest.mark.parametrize("quality", [1.0, 0.0])
def test_both_values_cover_the_truth_however_good_the_regression(quality: float) -> None:
    rows, truth = experiment(2, quality=quality)
    policy = np.eye(3)[truth.argmax(axis=1)]
    value, real = value_of(policy, rows), (policy * truth).sum(axis=1).mean()
    for estimate in (value.doubly_robust, value.weighted):
        assert estimate.low < real < estimate.high
    assert difference_of(policy, single(1, 1.0, rows=4_000, arms=3), rows).low > 0


def test_good_regressions_narrow_the_interval() -> None:
    good, bad = (
        value_of(single(2, 1.0, rows=4_000, arms=3), experiment(1, quality=q)[0]) for q in (1.0, 0.0)
    )
    width = [each.doubly_robust.high - each.doubly_robust.low for each in (good, bad)]
    assert width[0] < 0.95 * width[1]
    assert bad.doubly_robust == pytest.approx(bad.weighted)


def test_interval_covers_the_truth_in_most_experiments() -> None:
    policy = single(1, 0.3, rows=1_000, arms=3)
    covered = []
    for seed in range(200):
        rows, truth = experiment(seed, 1_000)
        found = value_of(policy, rows).doubly_robust
        covered.append(found.low < (policy * truth).sum(axis=1).mean() < found.high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_rows_of_a_unit_widen_the_interval() -> None:
    rows, _ = experiment(2)
    doubled = Experiment(*(np.repeat(each, 2, axis=0) for each in rows))
    policy = single(1, 1.0, rows=4_000, arms=3)
    once, twice = value_of(policy, rows), value_of(np.repeat(policy, 2, axis=0), doubled)
    assert twice.doubly_robust == pytest.approx(once.doubly_robust)


@given(
    score=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    share=st.floats(0, 1),
)
def test_the_best_share_holds_exactly_that_many_and_none_better_outside(
    score: list[int], share: float
) -> None:
    values = np.array(score, dtype=float)
    inside = top_share(values, share)
    assert inside.sum() == pytest.approx(share * len(values))
    assert np.all((inside >= 0) & (inside <= 1))
    assert np.all(np.diff(inside[np.argsort(-values, kind="stable")]) <= 1e-9)
    policy = budgeted(np.column_stack([values, values - 1]), share)
    assert policy.sum(axis=1) == pytest.approx(np.ones(len(values)))
    assert policy[:, 2].sum() == 0


def test_a_policy_nobody_drew_has_no_effective_rows() -> None:
    assert effective_rows(np.zeros(5)) == 0
    assert effective_rows(np.array([2.0, 2.0, 2.0, 0.0])) == 3
