"""LightGBM: rounds by folds, one refit, nothing learnt from noise, the same bytes twice."""

from datetime import date

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from models.boosting import Bins, Boosting
from models.pool import TrainingPool, customer_folds
from models.settings import BoostingSettings

DAY = date(2025, 3, 1)


def pool_of(X: np.ndarray, y: np.ndarray) -> TrainingPool:
    return TrainingPool.of(
        pd.DataFrame(X, columns=[f"f{at}" for at in range(X.shape[1])]),
        y,
        as_of=np.full(len(y), DAY),
        customer=np.arange(len(y)),
        weight=None,
        horizon_days=28,
        folds=3,
        seed=0,
    )


def simulated(effect: float, customers: int = 1500) -> TrainingPool:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(customers, 4)).astype(np.float32)
    return pool_of(X, (rng.random(customers) < expit(-1 + effect * (X[:, 0] > 0))).astype(float))


def start_of(pool: TrainingPool) -> np.ndarray:
    return np.full(len(pool.y), logit(pool.y.mean()))


def test_known_step_is_learnt_out_of_fold() -> None:
    pool = simulated(effect=2.0)
    fitted = Bins(pool, seed=0, threads=1).fit(start_of(pool), max_rounds=300)
    high = pool.X["f0"].to_numpy() > 0
    difference = fitted.out_of_fold[high].mean() - fitted.out_of_fold[~high].mean()
    assert difference == pytest.approx(2.0, abs=0.4)


def test_start_that_knows_the_answer_gets_no_trees() -> None:
    pool = simulated(effect=2.0, customers=300)
    answer = np.where(pool.y == 1, 6.0, -6.0)
    fitted = Bins(pool, seed=0, threads=1).fit(answer, max_rounds=10)
    assert fitted.model.trees == ""
    assert (fitted.out_of_fold == 0).all()
    assert (fitted.model.logit(pool.X.to_numpy()) == 0).all()
    assert (fitted.model.contributions(pool.X.to_numpy()) == 0).all()


def test_held_out_rows_do_not_move_their_own_prediction() -> None:
    pool = simulated(effect=2.0, customers=600)
    changed = pool_of(pool.X.to_numpy(), np.where(pool.fold == 0, 1 - pool.y, pool.y))
    start = np.full(600, -1.0)
    plain = {"objective": "binary", "metric": "binary_logloss", "verbose": -1, "num_threads": 1}
    fits = [Bins(each, seed=0, threads=1)._fit_fold(0, start, 20, plain) for each in (pool, changed)]
    first, second = (each.booster.predict(pool.X.to_numpy(), num_iteration=20) for each in fits)
    assert np.array_equal(first, second)


def test_refit_on_all_rows_takes_more_rounds_than_a_fold() -> None:
    pool = simulated(effect=2.0)
    bins = Bins(pool, seed=0, threads=1)
    fitted = bins.fit(start_of(pool), max_rounds=20)
    folds = [bins._fit_fold(fold, start_of(pool), 20, bins.settings) for fold in range(3)]
    rounds = bins._best_rounds(folds, start_of(pool))
    assert lgb.Booster(model_str=fitted.model.trees).num_trees() == round(
        1.5 * rounds
    )  # 3 folds, 2 of them seen


def test_settings_reach_the_trees() -> None:
    pool = simulated(effect=2.0, customers=600)
    settings = BoostingSettings(num_leaves=3, lambda_l2=0.5)
    model = Bins(pool, seed=0, threads=1, settings=settings).fit(start_of(pool), max_rounds=5).model
    tables = lgb.Booster(model_str=model.trees).trees_to_dataframe()
    assert tables["split_feature"].isna().groupby(tables["tree_index"]).sum().max() == 3
    assert "[lambda_l2: 0.5]" in model.trees


def test_any_number_of_threads_gives_the_same_text() -> None:
    pool = simulated(effect=2.0, customers=600)
    texts = [
        Bins(pool, seed=3, threads=threads).fit(start_of(pool), max_rounds=20).model.trees
        for threads in (1, 2)
    ]
    assert texts[0] == texts[1]


def test_contributions_add_up_to_the_trees_around_their_mean() -> None:
    pool = simulated(effect=2.0, customers=600)
    model = Bins(pool, seed=0, threads=1).fit(start_of(pool), max_rounds=20).model
    values = pool.X.to_numpy()[:30]
    rest = model.logit(values) - model.contributions(values).sum(axis=1)
    assert rest == pytest.approx(np.full(30, rest[0]), abs=1e-9)


def test_start_is_added_to_the_sum_of_trees() -> None:
    assert Boosting(start=-0.5, trees="").logit(np.zeros((2, 3), np.float32)).tolist() == [-0.5, -0.5]


def test_folds_are_of_equal_size_and_follow_the_customer() -> None:
    customer = np.repeat(np.arange(50), 3)
    folds = customer_folds(customer, 5, seed=1)
    assert np.bincount(folds).tolist() == [30] * 5
    assert all(len(set(folds[customer == each])) == 1 for each in range(50))
    assert (folds != customer_folds(customer, 5, seed=2)).any()
