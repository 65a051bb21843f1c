from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from models import metrics
from models.metrics import ece, ece_when_perfect, lift
from models.profit import CampaignEconomics, emp
from models.weighted import cumulated, effective_rows, risk_bins
from tables.errors import DataError


def scored(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = np.round(rng.beta(2, 5, n), 2)
    churned = (rng.random(n) < risk).astype(int)
    churned[:2] = 0, 1
    return churned, risk


def emp_by_brute_force(churned: np.ndarray, risk: np.ndarray, economics: CampaignEconomics) -> float:
    """Integrate the best profit over the acceptance rate on a fine grid, trying every cut."""
    churners, customers = cumulated(churned, risk)
    found, spared = churners / len(risk), (customers - churners) / len(risk)
    grid = (np.arange(20_000) + 0.5) / 20_000
    worth = grid[:, None] * (economics.clv - economics.incentive) - economics.contact
    best = (found * worth - spared * (economics.incentive + economics.contact)).max(axis=1)
    return float(best @ beta.pdf(grid, economics.alpha, economics.beta) / 20_000)


@pytest.mark.parametrize("seed", range(4))
def test_expected_profit_equals_integral_over_best_cuts(seed: int) -> None:
    churned, risk = scored(80, seed=seed)
    economics = CampaignEconomics()
    assert emp(churned, risk) == pytest.approx(emp_by_brute_force(churned, risk, economics), rel=1e-4)


def test_worthless_ranking_may_earn_nothing() -> None:
    churned = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] * 10
    assert emp(churned, np.full(100, 0.1), CampaignEconomics(clv=20)) == pytest.approx(0.0, abs=1e-3)


def test_free_campaign_reaches_every_churner() -> None:
    economics = CampaignEconomics(clv=100, incentive=0, contact=0, alpha=6, beta=14)
    assert emp([1, 1, 0, 0], [0.1, 0.4, 0.2, 0.9], economics) == pytest.approx(100 * 0.3 / 2)


def test_lift_shares_ties_at_the_border() -> None:
    assert lift([1, 1, 0, 0], [0.5, 0.5, 0.5, 0.5], share=0.5) == pytest.approx(1.0)
    assert lift([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1], share=0.5) == pytest.approx((1 + 0.5) / 2 / 0.5)


def test_calibration_error_counts_each_bin() -> None:
    churned = np.repeat([0, 1], 50)
    assert ece(churned, np.repeat([0.1, 0.7], 50)) == pytest.approx((0.1 + 0.3) / 2)
    assert ece(churned, churned) == 0


def test_perfect_model_is_not_at_zero() -> None:
    mean, high = ece_when_perfect(np.random.default_rng(0).beta(2, 5, 2_000), seed=1)
    assert 0.01 < mean < high < 0.05
    assert (mean, high) == ece_when_perfect(np.random.default_rng(0).beta(2, 5, 2_000), seed=1)


def test_weighted_calibration_error_counts_customers() -> None:
    # two bins of two customers: row 0 alone, then rows 1 and 2; |0 - .25| and |(1 - .5 + 0 - .75) / 2|
    assert ece([0, 1, 0], [0.25, 0.5, 0.75], bins=2, weight=[2, 1, 1]) == pytest.approx((0.5 + 0.25) / 4)
    assert [list(rows) for rows in risk_bins([0.25, 0.5, 0.75], 2, [2, 1, 1])] == [[0], [1, 2]]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 60))
def test_weights_act_like_repeated_rows(seed: int, n: int) -> None:
    churned, risk = scored(n, seed=seed)
    weight = np.random.default_rng(seed).integers(1, 4, n)
    for name, metric in metrics.METRICS.items():
        repeated = metric(np.repeat(churned, weight), np.repeat(risk, weight))
        assert metric(churned, risk, weight=weight) == pytest.approx(repeated, rel=1e-9, abs=1e-9), name


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), bins=st.integers(1, 12))
def test_weighted_bins_hold_about_equally_many(seed: int, n: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    risk, weight = rng.random(n), rng.integers(1, 21, n)
    parts = risk_bins(risk, bins, weight)
    assert sorted(np.concatenate(parts)) == list(range(n))
    assert all(risk[a].max() <= risk[b].min() for a, b in pairwise(parts))
    assert all(weight[rows].sum() <= weight.sum() / bins + weight.max() for rows in parts)


def test_unequal_weights_tell_as_much_as_fewer_rows() -> None:
    assert effective_rows([5, 1, 1, 1]) == pytest.approx(64 / 28)


def test_weighted_luck_is_larger_than_plain_luck() -> None:
    risk = np.random.default_rng(0).beta(2, 5, 500)
    weight = np.where(np.arange(500) % 10, 1, 20)
    assert ece_when_perfect(risk, seed=1, weight=weight)[0] > 1.5 * ece_when_perfect(risk, seed=1)[0]


def test_sure_and_wrong_costs_a_finite_loss() -> None:
    assert metrics.log_loss([1, 0], [0.0, 0.0]) == pytest.approx(16.118 / 2, abs=1e-3)


def test_contract_names_come_in_their_order() -> None:
    assert list(metrics.METRICS) == [
        "auc",
        "average_precision",
        "log_loss",
        "brier",
        "ece",
        "lift_at_10pct",
        "emp",
    ]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 60))
def test_order_of_rows_changes_no_ranking_metric(seed: int, n: int) -> None:
    churned, risk = scored(n, seed=seed)
    shuffled = np.random.default_rng(seed).permutation(n)
    for metric in (metrics.auc, metrics.average_precision, lift, emp):
        assert metric(churned, risk) == pytest.approx(
            metric(churned[shuffled], risk[shuffled]), rel=1e-9, abs=1e-12
        )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 60))
def test_profit_is_never_negative_nor_beyond_oracle(seed: int, n: int) -> None:
    churned, risk = scored(n, seed=seed)
    assert -1e-9 <= emp(churned, risk) <= emp(churned, churned) + 1e-9


def test_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="both classes are needed; found 0 churners among 3"):
        emp([0, 0, 0], [0.1, 0.2, 0.3])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 60), even=st.booleans())
def test_order_of_rows_never_changes_calibration_error(seed: int, n: int, even: bool) -> None:
    churned, risk = scored(n, seed=seed)
    rng = np.random.default_rng(seed)
    risk, weight = np.round(risk, 1), None if even else rng.integers(1, 9, n)
    turned = rng.permutation(n)
    again = ece(churned[turned], risk[turned], weight=None if weight is None else weight[turned])
    assert ece(churned, risk, weight=weight) == pytest.approx(again, abs=1e-12)


def test_calibration_error_shares_ties_between_bins() -> None:
    # three customers alike, one of them a churner: half of them in either bin, each |1/3 - .5| apart
    assert ece([1, 0, 0], [0.5, 0.5, 0.5], bins=2) == pytest.approx(0.5 - 1 / 3)
