"""Members weigh by what they know of customers they have not seen, few customers by what is fixed beforehand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.pool import TrainingPool
from models.stack import equal_weights, learnt_weights


def pool_of(y: np.ndarray) -> TrainingPool:
    return TrainingPool.of(
        pd.DataFrame({"nothing": np.zeros(len(y), np.float32)}),
        y,
        as_of=np.full(len(y), date(2025, 3, 1)),
        customer=np.arange(len(y)),
        weight=None,
        horizon_days=28,
        folds=2,
        seed=0,
    )


def stacked(customers: int, *, knows: str) -> dict[str, float]:
    """Weights where one member knows every customer's true logit and the others guess."""
    rng = np.random.default_rng(4)
    truth = rng.normal(scale=1.5, size=customers)
    pool = pool_of((rng.random(customers) < expit(truth)).astype(float))
    logits = {name: rng.normal(scale=1.5, size=customers) for name in ("boosting", "ridge", "prior")}
    return learnt_weights(logits | {knows: truth}, pool)


@pytest.mark.parametrize("member", ["boosting", "ridge", "prior"])
def test_many_customers_choose_the_member_that_knows(member: str) -> None:
    weights = stacked(20_000, knows=member)
    assert weights[member] > 0.95
    assert sum(weights.values()) == pytest.approx(1)


def test_few_customers_lean_on_logistic_and_prior() -> None:
    rng = np.random.default_rng(0)
    guesses = {name: rng.normal(scale=0.2, size=120) for name in ("boosting", "ridge", "prior")}
    weights = learnt_weights(guesses, pool_of(rng.random(120) < 0.5))
    assert weights == pytest.approx({"boosting": 0.25, "ridge": 0.45, "prior": 0.30}, abs=0.05)


def test_boosting_earns_weight_with_customers() -> None:
    few, many, most = (stacked(count, knows="boosting")["boosting"] for count in (60, 300, 3000))
    assert few < many < most


def test_a_member_alone_has_all_the_weight() -> None:
    assert learnt_weights({"ridge": np.ones(120)}, pool_of(np.arange(120) % 2)) == {"ridge": 1.0}
    assert equal_weights({"ridge": np.ones(1), "prior": np.ones(1)}) == {"ridge": 0.5, "prior": 0.5}


@given(seed=st.integers(0, 10**6))
def test_order_of_rows_hardly_moves_the_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.arange(150) % 3 == 0
    logits = {name: rng.normal(size=150) for name in ("boosting", "ridge")}
    order = rng.permutation(150)
    turned = learnt_weights({name: each[order] for name, each in logits.items()}, pool_of(y[order]))
    assert turned == pytest.approx(learnt_weights(logits, pool_of(y)), abs=1e-4)


def test_weights_minimise_log_loss_plus_pull() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(scale=1.5, size=150)
    pool = pool_of((rng.random(150) < expit(truth)).astype(float))
    logits = {"boosting": truth, "ridge": rng.normal(scale=1.5, size=150)}
    shares = np.linspace(0.001, 0.999, 999)
    mixed = pool.offsets() + np.outer(shares, truth) + np.outer(1 - shares, logits["ridge"])
    missed = (pool.weight * (np.logaddexp(0, mixed) - pool.y * mixed)).sum(axis=1)
    # towards 25 : 45 of the two that are there; both weights are pulled by 30 times their squared distance
    best = shares[np.argmin(missed + 2 * 30 * (shares - 25 / 70) ** 2)]
    assert learnt_weights(logits, pool)["boosting"] == pytest.approx(best, abs=0.002)
