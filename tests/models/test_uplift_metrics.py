"""Gain, Qini and uplift of the top on rows small enough to work by hand, and their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.uplift.metrics import Ranked, Trial, compare_rankings, gain_curve


def trial_of(seed: int, rows: int = 60, *, chance: float = 0.5) -> tuple[np.ndarray, Trial]:
    rng = np.random.default_rng(seed)
    treated = rng.random(rows) < chance
    treated[:2] = True, False
    return rng.normal(size=rows), Trial.of((rng.random(rows) < 0.4).astype(float), treated, chance)


def test_qini_of_four_customers_by_hand() -> None:
    trial = Trial.of(outcome=[1, 0, 0, 1], treated=[1, 0, 1, 0], chance=0.5)
    best, worst = gain_curve([4, 3, 2, 1], trial), gain_curve([1, 2, 3, 4], trial)
    # Best first: uplift 1 of the first two, 1/2 of three, 0 of all; worst first: -1, -1/2, 0.
    assert best.gain.tolist() == [0, 0, 0.5, 0.375, 0]
    assert (best.area, best.qini, best.uplift_of_top(0.5)) == (0.21875, 0.21875, 1.0)
    assert worst.uplift_of_top(0.5) == -1.0


def test_constant_score_has_a_qini_of_zero() -> None:
    _, trial = trial_of(3)
    curve = gain_curve(np.zeros(60), trial)
    assert curve.qini == 0
    assert curve.gain[-1] == trial.outcome[trial.treated].mean() - trial.outcome[~trial.treated].mean()


def test_uneven_chances_are_weighed_out() -> None:
    # Treated with chances .8, .8, .2: 1.25, 1.25 and 5 customers each; control with .5 and .25 of it: 2 and 4.
    trial = Trial.of(outcome=[1, 1, 0, 0, 1], treated=[1, 1, 1, 0, 0], chance=[0.8, 0.8, 0.2, 0.5, 0.75])
    assert gain_curve(np.zeros(5), trial).gain[-1] == pytest.approx(2.5 / 7.5 - 4 / 6)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_scale_of_scores_change_nothing(seed: int) -> None:
    score, trial = trial_of(seed)
    shuffled = np.random.default_rng(seed).permutation(60)
    moved = Trial.of(trial.outcome[shuffled], trial.treated[shuffled], trial.chance[shuffled])
    assert gain_curve(score, trial).qini == pytest.approx(gain_curve(3 * score[shuffled] + 1, moved).qini)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_weights_act_like_repeated_customers(seed: int) -> None:
    score, trial = trial_of(seed)
    weight = np.random.default_rng(seed).integers(0, 3, 60)
    if not (weight[trial.treated].any() and weight[~trial.treated].any()):
        return
    repeated = (np.repeat(each, weight) for each in (trial.outcome, trial.treated, trial.chance))
    weighed = Ranked.of(score, trial).curve(weight.astype(float))
    plain = gain_curve(np.repeat(score, weight), Trial.of(*repeated))
    assert weighed.qini == pytest.approx(plain.qini)
    assert weighed.uplift_of_top(0.3) == pytest.approx(plain.uplift_of_top(0.3))


def test_perfect_ranking_lies_above_its_reverse_for_sure() -> None:
    rng = np.random.default_rng(0)
    helped, treated = rng.random(2_000) < 0.5, rng.random(2_000) < 0.5
    kept = rng.random(2_000) < 0.3 + 0.3 * (helped & treated)
    scores = {"perfect": helped, "reverse": ~helped, "constant": np.zeros(2_000)}
    rows = compare_rankings(scores, Trial.of(kept, treated, 0.5), reference="reverse", seed=0)
    assert [row.ranking for row in rows] == ["perfect", "constant", "reverse"]
    perfect, constant, reverse = rows
    assert perfect.qini.value == pytest.approx(
        0.3 / 8, abs=0.012
    )  # area of a triangle of height .15 / 2 at 1/2
    assert perfect.apart.low > 0 and perfect.qini.low > 0 > reverse.qini.high
    assert constant.qini == (0, 0, 0) and reverse.apart == (0, 0, 0)


def test_rows_of_a_unit_are_drawn_together() -> None:
    score, trial = trial_of(1, 400)
    alone, doubled = (
        compare_rankings(
            {"score": np.repeat(score, times)},
            Trial.of(
                *(np.repeat(each, times) for each in (trial.outcome, trial.treated, trial.chance)), unit
            ),
            reference="score",
            seed=0,
        )[0]
        for times, unit in ((1, None), (2, np.repeat(np.arange(400), 2)))
    )
    assert doubled.qini.value == pytest.approx(alone.qini.value, abs=2e-3)
    width = alone.qini.high - alone.qini.low
    assert doubled.qini.high - doubled.qini.low == pytest.approx(width, rel=0.02)


def test_same_seed_gives_the_same_intervals() -> None:
    score, trial = trial_of(2)
    once, again, other = (
        compare_rankings({"score": score}, trial, reference="score", seed=seed) for seed in (0, 0, 1)
    )
    assert once == again
    assert once[0].qini.value == other[0].qini.value and once[0].qini.low != other[0].qini.low
