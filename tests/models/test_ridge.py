"""Ridge logistic within the date: hand-worked coefficients, flags, shrinkage, additive contributions."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from models.btyd import BGNBD
from models.pool import TrainingPool
from models.reference import DateReference, Moments
from models.ridge import RidgeLogit, fit_logistic, fit_ridge, inputs_of

DAY = date(2025, 3, 1)
FEATURES = ("lateness", "noise")


def reference_of(frame: pd.DataFrame) -> DateReference:
    logs = np.sign(frame) * np.log1p(frame.abs())
    moments = {
        name: Moments(
            float(logs[name].mean()), float(logs[name].std(ddof=0)), float(logs[name].isna().mean())
        )
        for name in frame
    }
    return DateReference(DAY, 28, len(frame), moments, BGNBD(1, 1, 1, 1), 0.5, {})


def pool_of(X: pd.DataFrame, y: np.ndarray) -> TrainingPool:
    return TrainingPool.of(
        X,
        y,
        as_of=np.full(len(y), DAY),
        customer=np.arange(len(y)),
        weight=None,
        horizon_days=28,
        folds=3,
        seed=0,
    )


def simulated(customers: int = 3000) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(1)
    z = rng.normal(size=(customers, 2))
    y = (rng.random(customers) < expit(-1 + z[:, 0])).astype(float)
    return pd.DataFrame(np.sign(z) * np.expm1(np.abs(z)), columns=FEATURES).astype(np.float32), y


def test_saturated_logistic_gives_the_log_odds_of_each_group() -> None:
    group = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
    y = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    inputs = np.column_stack([np.ones(8), group])
    one, zero = np.ones(8), np.zeros(8)
    fitted = fit_logistic(inputs, y, weight=one, offset=zero, penalty=[0, 0])
    assert fitted == pytest.approx([-np.log(3), 2 * np.log(3)], abs=1e-4)


def test_offset_is_taken_off_the_intercept() -> None:
    y = np.array([1.0, 1, 1, 0])
    inputs = np.ones((4, 1))
    fitted = fit_logistic(inputs, y, weight=np.ones(4), offset=np.full(4, 0.6), penalty=[0])
    assert fitted == pytest.approx([np.log(3) - 0.6], abs=1e-4)


def test_one_penalised_coefficient_solves_its_equation() -> None:
    x, y = np.array([[-1.0], [1.0]]), np.array([0.0, 1.0])
    (fitted,) = fit_logistic(x, y, weight=np.ones(2), offset=np.zeros(2), penalty=[1.0])
    assert 2 * (1 - expit(fitted)) == pytest.approx(fitted, abs=1e-4)  # gradient: data against penalty


def test_known_effect_is_found_and_noise_is_not() -> None:
    X, y = simulated()
    fitted = fit_ridge(pool_of(X, y), {DAY: reference_of(X)}, seed=0)
    effect, noise = fitted.model.coefficients
    assert effect == pytest.approx(1.0, abs=0.2)
    assert abs(noise) < 0.1
    assert np.corrcoef(fitted.out_of_fold, fitted.model.logit(X, reference_of(X)))[0, 1] > 0.999


def test_noise_looks_like_noise_to_the_fold_left_out() -> None:
    rng = np.random.default_rng(5)
    X = pd.DataFrame(rng.normal(size=(120, 40)).astype(np.float32)).rename(columns=str)
    y = (rng.random(120) < 0.5).astype(float)
    fitted = fit_ridge(pool_of(X, y), {DAY: reference_of(X)}, seed=0)
    seen = np.corrcoef(fitted.model.logit(X, reference_of(X)), y)[0, 1]
    unseen = np.corrcoef(fitted.out_of_fold, y)[0, 1]
    assert seen > 0.4
    assert unseen < 0.2


def test_missing_values_get_a_flag_and_no_score() -> None:
    scores = np.array([[np.nan, -9.0], [0.5, np.nan]])
    assert inputs_of(scores, [0]).tolist() == [[0, -3.5, 1], [0.5, 0, 0]]


def test_absence_that_foretells_churn_is_learnt() -> None:
    X, _ = simulated()
    missing = np.arange(len(X)) % 2 == 0
    X["noise"] = X["noise"].where(~missing)
    y = np.where(missing, np.arange(len(X)) % 4 == 0, np.arange(len(X)) % 20 == 1).astype(float)
    model = fit_ridge(pool_of(X, y), {DAY: reference_of(X)}, seed=0).model
    assert model.flagged == ("noise",)
    assert model.coefficients[-1] > 1


def test_contributions_and_constant_add_up_to_the_logit() -> None:
    X, _ = simulated(50)
    X.loc[:9, "noise"] = np.nan
    model = RidgeLogit(FEATURES, ("noise",), (0.7, -0.2, 0.4), -0.1, 0.01)
    parts = model.contributions(X, reference_of(X))
    assert model.constant + parts.sum(axis=1) == pytest.approx(model.logit(X, reference_of(X)))


def test_rows_are_scored_the_same_alone_as_together() -> None:
    X, _ = simulated(40)
    model = RidgeLogit(FEATURES, (), (0.7, -0.2), -0.1, 0.01)
    together = model.logit(X, reference_of(X))
    alone = [model.logit(X.iloc[[row]], reference_of(X))[0] for row in range(len(X))]
    assert together.tolist() == alone


def test_levels_of_the_dates_do_not_blur_the_effect() -> None:
    rng = np.random.default_rng(4)
    z = rng.normal(size=4000)
    later = np.arange(4000) >= 2000
    y = (rng.random(4000) < expit(np.where(later, 2.5, -2.5) + z)).astype(float)
    X = pd.DataFrame({"lateness": np.sign(z) * np.expm1(np.abs(z))}).astype(np.float32)
    days = np.where(later, "2025-01-29", "2025-01-01").astype("datetime64[D]")
    pool = TrainingPool.of(
        X, y, as_of=days, customer=np.arange(4000), weight=None, horizon_days=28, folds=3, seed=0
    )
    (effect,) = fit_ridge(pool, dict.fromkeys(pool.dates, reference_of(X)), seed=0).model.coefficients
    assert effect > 0.65  # 1 shrunk; below .4 without an offset per date


def test_overlapping_outcome_windows_count_once() -> None:
    X, y = simulated(200)
    days = np.repeat(np.array(["2025-01-01", "2025-01-08"], dtype="datetime64[D]"), 100)
    pool = TrainingPool.of(
        X, y, as_of=days, customer=np.arange(200), weight=None, horizon_days=28, folds=5, seed=0
    )
    assert set(pool.weight.tolist()) == {0.25}


def test_fixed_effects_are_the_logits_of_each_date() -> None:
    X, y = simulated(100)
    days = np.where(np.arange(100) < 50, "2025-01-01", "2025-02-01").astype("datetime64[D]")
    pool = TrainingPool.of(
        X, y, as_of=days, customer=np.arange(100), weight=None, horizon_days=28, folds=5, seed=0
    )
    assert pool.offsets()[[0, 99]] == pytest.approx(logit([y[:50].mean(), y[50:].mean()]))
    assert pool.weight.tolist() == [1.0] * 100  # the windows do not overlap
