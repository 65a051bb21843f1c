import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.bootstrap import RankedRisks, customer_weights, interval, resampled
from models.metrics import METRICS, Array


def scored(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = np.round(rng.beta(2, 5, n), 2)
    churned = (rng.random(n) < risk).astype(int)
    churned[:2] = 0, 1
    return churned, risk


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(10, 80))
def test_equal_weights_give_the_plain_metrics(seed: int, n: int) -> None:
    churned, risk = scored(n, seed=seed)
    plain = [metric(churned, risk) for metric in METRICS.values()]
    weighed = RankedRisks.of(churned, risk).weighed(np.ones(len(risk)))
    assert weighed == pytest.approx(np.array(plain), abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_weights_act_like_repeated_rows(seed: int) -> None:
    churned, risk = scored(60, seed=seed)
    weight = np.random.default_rng(seed).integers(0, 4, 60)
    repeated = np.repeat(churned, weight), np.repeat(risk, weight)
    if not 0 < repeated[0].sum() < len(repeated[0]):
        return
    weighed = RankedRisks.of(churned, risk).weighed(weight.astype(float))
    for column, metric in enumerate(METRICS.values()):
        assert weighed[column] == pytest.approx(metric(*repeated), rel=1e-9, abs=1e-9)
    assert weighed[0] == pytest.approx(roc_auc_score(churned, risk, sample_weight=weight))
    assert weighed[1] == pytest.approx(average_precision_score(churned, risk, sample_weight=weight))


def test_rows_of_one_customer_share_their_weight() -> None:
    customer = np.array([7, 7, 3, 3, 3, 9])
    for weight in customer_weights(customer, seed=0, draws=20):
        assert weight[0] == weight[1]
        assert len(set(weight[2:5])) == 1
        assert weight[0] + weight[2] + weight[5] == 3


def test_same_seed_gives_the_same_draws() -> None:
    churned, risk = scored(50, seed=5)
    predictions: dict[str, Array] = {"a": risk, "b": risk**2}
    once, again = (resampled(churned, predictions, np.arange(50), seed=3) for _ in range(2))
    other = resampled(churned, predictions, np.arange(50), seed=4)
    assert all(np.array_equal(once[name], again[name]) for name in predictions)
    assert not np.array_equal(once["a"], other["a"])
    assert np.array_equal(once["a"][:, 0], once["b"][:, 0])  # same ranking under the same draws


def test_interval_covers_the_true_ranking_quality() -> None:
    covered = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        churned = np.repeat([0, 1], 60)
        drawn = resampled(churned, {"m": 1 / (1 + np.exp(-rng.normal(churned)))}, np.arange(120), seed=seed)[
            "m"
        ]
        low, high = interval(drawn[:, 0])
        covered += low is not None and high is not None and low <= 0.7602 <= high  # Phi(1 / sqrt 2)
    assert covered >= 5


def test_draw_without_one_class_is_missing() -> None:
    weighed = RankedRisks.of([1, 0, 0], [0.9, 0.2, 0.1]).weighed(np.array([0.0, 2.0, 1.0]))
    assert np.isnan(weighed).all()
    assert interval(weighed) == (None, None)
