"""Whom it pays to contact, and what a campaign would have brought."""

from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.profit import (
    USUAL,
    CampaignEconomics,
    contact_profits,
    emp,
    own_thresholds,
    profit_curve,
    profit_threshold,
)

PAID = CampaignEconomics(clv=100, incentive=10, contact=2, alpha=2, beta=8)  # acceptance .2


def test_threshold_balances_gain_and_cost() -> None:
    assert profit_threshold() == pytest.approx(11 / 67)
    p = profit_threshold(PAID)
    assert p * (0.2 * 90 - 2) == pytest.approx((1 - p) * 12)


def test_own_worth_moves_the_own_threshold() -> None:
    # 12 / (.2 * (m - 10) + 10) at m = 100, 20 and 0
    found = own_thresholds([100, 20, 0], PAID)
    assert found == pytest.approx([12 / 28, 12 / 12, 12 / 8])


def test_nobody_worthless_is_ever_contacted() -> None:
    assert own_thresholds([0.0], CampaignEconomics(incentive=0, contact=1)).tolist() == [np.inf]
    assert emp([1, 0], [0.9, 0.1], CampaignEconomics(clv=10, incentive=10)) == 0


def test_contact_pays_for_churners_alone() -> None:
    assert contact_profits([1, 0, 1], [100, 100, 20], PAID) == pytest.approx([16, -12, 0])


def test_curve_adds_customers_in_their_order() -> None:
    curve = profit_curve([10, -2, 4, -4], [0.9, 0.2, 0.5, 0.1])
    assert curve[[0, 25, 50, 75, 100]] == pytest.approx([0, 10 / 4, 14 / 4, 12 / 4, 8 / 4])


def test_equals_on_the_curve_share_what_they_bring() -> None:
    assert profit_curve([6, 0], [0.5, 0.5])[[50, 100]] == pytest.approx([1.5, 3])


def test_belief_becomes_a_distribution_of_its_mean_and_spread() -> None:
    found = CampaignEconomics.believed(clv=90, incentive=5, contact=1, save=0.06, save_sd=0.04)
    a, b = found.alpha, found.beta
    assert found.acceptance == pytest.approx(0.06)
    assert a * b / ((a + b) ** 2 * (a + b + 1)) == pytest.approx(0.04**2)


def test_belief_wider_than_any_distribution_is_narrowed() -> None:
    found = CampaignEconomics.believed(clv=90, incentive=5, contact=1, save=0.5, save_sd=0.9)
    assert found.acceptance == pytest.approx(0.5)
    assert emp([1, 0], [0.9, 0.1], found) > 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 80))
def test_weights_on_the_curve_act_like_repeated_rows(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    profit, key, weight = rng.normal(size=n), rng.integers(0, 9, n), rng.integers(1, 4, n)
    repeated = profit_curve(np.repeat(profit, weight), np.repeat(key, weight))
    assert profit_curve(profit, key, weight=weight) == pytest.approx(repeated, abs=1e-9)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_threshold_beats_a_half_and_nears_the_best_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 8, 100_000)
    expected = contact_profits(risk, np.full(len(risk), USUAL.clv), USUAL)  # calibrated: risk is the truth
    at = expected[risk > profit_threshold()].sum()
    assert at >= expected[risk > 0.5].sum()
    assert at / len(risk) == pytest.approx(profit_curve(expected, risk).max(), rel=0.005)


def test_a_million_customers_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    churned = (rng.random(1_000_000) < 0.15).astype(int)
    score = rng.normal(churned * 1.0)
    started = process_time()
    found = emp(churned, score)
    assert process_time() - started < 2  # .3 s on a quiet core
    assert found == pytest.approx(3.13217593, abs=1e-8)  # what the reference implementation, empulse, gives
