"""The probabilistic member: a factor on the BG/NBD logit, its parts adding up."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from models.btyd import BGNBD
from models.pool import TrainingPool
from models.prior import READ, PriorLogit, fit_prior
from models.reference import DateReference

DAY = date(2025, 3, 1)


def shop(customers: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = 1 + rng.poisson(3, customers)
    tenure = rng.integers(60, 400, customers)
    silence = np.where(days > 1, (tenure * rng.uniform(0, 0.9, customers)).astype(int), tenure)
    rows: dict[str, Any] = {"colour": rng.normal(size=customers), "purchase_days_total": days}
    rows |= {"days_since_last_order": silence, "tenure_days": tenure}
    return pd.DataFrame(rows | {"days_first_to_last_order": tenure - silence}).astype(np.float32)


SHOP = shop(2000)
REFERENCE = DateReference.fit(SHOP, as_of=DAY, horizon_days=28)


def test_logit_is_the_factor_times_what_bgnbd_says() -> None:
    risk = REFERENCE.no_purchase(SHOP)
    unsure = (risk > 1e-4) & (risk < 1 - 1e-4)
    said = logit(risk[unsure]) - logit(REFERENCE.mean_no_purchase)
    assert PriorLogit(0.5).logit(SHOP[unsure], REFERENCE) == pytest.approx(0.5 * said)


def test_certainty_of_bgnbd_has_an_end() -> None:
    daily = pd.DataFrame([[1000.0, 1.0, 1001.0]], columns=list(READ))
    steady = DateReference(DAY, 28, 1, {}, BGNBD(50, 0.1, 0.01, 100), 0.5, {})
    assert PriorLogit(1.0).logit(daily, steady) == pytest.approx([logit(1e-4)])


def test_factor_of_the_true_hazard_is_recovered() -> None:
    many = shop(20_000, seed=1)
    reference = DateReference.fit(many, as_of=DAY, horizon_days=28)
    said = logit(reference.no_purchase(many))
    churned = np.random.default_rng(2).random(len(many)) < expit(0.6 * said + 0.3)
    pool = TrainingPool.of(
        many, churned, as_of=np.full(len(many), DAY), customer=np.arange(len(many)), weight=None,
        horizon_days=28, folds=2, seed=0,
    )  # fmt: skip
    fitted = fit_prior(pool, {DAY: reference})
    assert fitted.model.coefficient == pytest.approx(0.6, abs=0.05)
    assert expit(pool.offsets() + fitted.out_of_fold).mean() == pytest.approx(churned.mean(), abs=1e-3)


def test_contributions_add_up_to_the_distance_from_the_typical() -> None:
    model = PriorLogit(0.7)
    parts = model.contributions(SHOP[:50], REFERENCE)
    typical = pd.DataFrame(
        {name: [np.expm1(REFERENCE.moments[name].mean)] for name in READ}, dtype=np.float64
    )
    apart = model.logit(SHOP[:50], REFERENCE) - model.logit(typical, REFERENCE)
    assert parts.sum(axis=1) == pytest.approx(apart, abs=1e-6)
    assert (parts[:, 0] == 0).all()  # the colour is not read


def test_silence_alone_raises_the_risk_of_typical_customers() -> None:
    typical = {name: np.expm1(REFERENCE.moments[name].mean) for name in READ}
    late, fresh = (
        pd.DataFrame([typical | {"days_since_last_order": silence}])[list(READ)] for silence in (150.0, 2.0)
    )
    raised, lowered = (PriorLogit(1.0).contributions(rows, REFERENCE)[0] for rows in (late, fresh))
    silence = READ.index("days_since_last_order")
    assert raised[silence] > 0 > lowered[silence]
    assert np.delete(raised, silence) == pytest.approx([0, 0], abs=1e-6)  # the rest is typical
