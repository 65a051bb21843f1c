"""LightGBM by folds of customers: rounds chosen on the pooled out-of-fold loss, no refit, logits averaged."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.pool import TrainingPool
from models.ridge import weighted_log_loss

Array = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

# Shallow trees, few columns a tree: 5 or 16 leaves, column shares of .15, L2 of 50 or half the learning rate
# all stay within .001 of the log loss on six tasks.
_SETTINGS = {
    "objective": "binary",
    "metric": "binary_logloss",
    "num_leaves": 8,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 63,
    "min_sum_hessian_in_leaf": 1.0,
    "feature_pre_filter": False,
    "deterministic": True,
    "force_col_wise": True,  # a sixth faster than by rows, as a tree sees 40 % of the columns
    "num_threads": 1,
    "verbose": -1,
}
_PATIENCE = 40
CAREFUL, COARSE = 0.05, 0.1  # learning rates: for ranking customers, and where only the mean is used


@dataclass(frozen=True)
class FoldBoosting:
    """The trees of every fold, as LightGBM text.

    Attributes:
        start: logit every row starts from; the trees' sum comes on top.
        trees: one model text per fold; empty where not one round lowered the out-of-fold loss.
    """

    start: float
    trees: tuple[str, ...]

    def logit(self, values: Matrix) -> Array:
        """Return ``start`` plus the folds' mean sum of trees, one per row."""
        total = np.zeros(len(values))
        for booster in self._boosters:
            total += np.asarray(booster.predict(values, raw_score=True, num_threads=1))
        return self.start + total / max(len(self._boosters), 1)

    def contributions(self, values: Matrix) -> Array:
        """Return what each feature adds to the logit, by exact TreeSHAP; 5 ms a row, so only for few rows."""
        total = np.zeros(values.shape)
        for booster in self._boosters:
            parts = np.asarray(booster.predict(values, pred_contrib=True, num_threads=1))
            total += parts[:, :-1]
        return total / max(len(self._boosters), 1)

    @cached_property
    def _boosters(self) -> Sequence[lgb.Booster]:
        return [lgb.Booster(model_str=text) for text in self.trees]


class FittedBoosting(NamedTuple):
    """The fold models and every row's sum of trees by the fold that did not see its customer."""

    model: FoldBoosting
    out_of_fold: Array


class Bins:
    """The rows binned once, shared by all folds and by both boosted members."""

    def __init__(self, pool: TrainingPool, *, seed: int, threads: int) -> None:
        """Bin the pool's features.

        Args:
            pool: training rows.
            seed: seed of LightGBM's row and column sampling.
            threads: folds trained at a time; each by one thread, so that any number gives the same bytes.
        """
        self.pool = pool
        self.threads = threads
        self.settings: dict[str, Any] = _SETTINGS | {
            "min_data_in_leaf": _fewest_rows_in_leaf(pool.weight),
            "seed": seed,
        }
        values = np.ascontiguousarray(pool.X.to_numpy(np.float32))
        self.whole = lgb.Dataset(
            values, pool.y, weight=pool.weight, params=self.settings, free_raw_data=True
        ).construct()

    def fit(self, start: Array, *, max_rounds: int, learning_rate: float = CAREFUL) -> FittedBoosting:
        """Boost from given logits, one model per fold.

        Args:
            start: logit each row starts from: its date's fixed effect, or one constant.
            max_rounds: most rounds of a fold; early stopping usually ends far before.
            learning_rate: share of each tree that counts.

        Returns:
            The models with the rounds that minimise the pooled out-of-fold log loss (0 rounds allowed), and
            the out-of-fold sums of trees without ``start``.
        """
        settings = self.settings | {"learning_rate": learning_rate}
        with ThreadPoolExecutor(self.threads) as threads:
            folds = list(
                threads.map(
                    lambda fold: self._fit_fold(fold, start, max_rounds, settings),
                    np.unique(self.pool.fold).tolist(),
                )
            )
        rounds = self._best_rounds(folds, start)
        out_of_fold = np.zeros(len(self.pool.y))
        if rounds == 0:
            return FittedBoosting(FoldBoosting(0.0, ()), out_of_fold)
        values = self.pool.X.to_numpy(np.float32)
        for each in folds:
            seen = each.booster.predict(values[each.held_out], raw_score=True, num_iteration=rounds)
            out_of_fold[each.held_out] = np.asarray(seen)
        trees = tuple(each.booster.model_to_string(num_iteration=rounds) for each in folds)
        return FittedBoosting(FoldBoosting(0.0, trees), out_of_fold)

    def _fit_fold(self, fold: int, start: Array, max_rounds: int, settings: Mapping[str, Any]) -> "_Fold":
        held_out = np.flatnonzero(self.pool.fold == fold)
        losses: dict[str, dict[str, list[float]]] = {}
        booster = lgb.train(
            dict(settings),
            self._part(np.flatnonzero(self.pool.fold != fold), start),
            max_rounds,
            valid_sets=[self._part(held_out, start)],
            valid_names=["held_out"],
            keep_training_booster=True,  # otherwise cut at the fold's own best round, which its labels chose
            callbacks=[lgb.early_stopping(_PATIENCE, verbose=False), lgb.record_evaluation(losses)],
        )
        return _Fold(booster, held_out, np.array(losses["held_out"]["binary_logloss"]))

    def _part(self, rows: npt.NDArray[np.int64], start: Array) -> lgb.Dataset:
        part = self.whole.subset(rows.tolist(), params=self.settings).construct()
        return part.set_init_score(start[rows])

    def _best_rounds(self, folds: Sequence["_Fold"], start: Array) -> int:
        reached = min(len(each.losses) for each in folds)
        weights = [self.pool.weight[each.held_out].sum() for each in folds]
        pooled = np.average([each.losses[:reached] for each in folds], axis=0, weights=weights)
        without_trees = weighted_log_loss(self.pool.y, start, self.pool.weight)
        return 0 if pooled.min() >= without_trees else int(pooled.argmin()) + 1


class _Fold(NamedTuple):
    booster: lgb.Booster
    held_out: npt.NDArray[np.int64]
    losses: Array


def _fewest_rows_in_leaf(weight: Array) -> int:
    """Half a percent of the effective rows, 10 to 100 of them, more where rows overlap."""
    overlap = max(float(weight.mean()), 1e-9)
    return int(max(10.0, min(100.0, 0.005 * float(weight.sum())) / overlap**0.5))
