"""CatBoost: one strong outsider, asked only where models are set side by side; it needs the extra `leaderboard`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from models.metrics import Array
from models.rivals import MOST_ROUNDS, PATIENCE, ROUNDS_WITHOUT_VALIDATION, Contest, refitted_rounds
from tables.errors import ConfigError

# At depth 6 and .05 it did better than at depth 4 and .03 at dates before the tests of two of three tasks
# (Online Retail II AUC .785 against .783).
_SETTINGS: Mapping[str, Any] = {
    "loss_function": "Logloss",
    "learning_rate": 0.05,
    "depth": 6,
    "thread_count": 1,
    "allow_writing_files": False,
    "verbose": False,
}


def catboost_plain(contest: Contest) -> Array:
    """Return the churn risk by CatBoost on all features, its rounds chosen as those of ``lightgbm_plain``.

    Args:
        contest: training rows at disjoint dates, and the customers to score.

    Returns:
        Churn risk of each row of ``contest.X_test``.

    Raises:
        ConfigError: the package is not installed.
    """
    catboost = _package()

    def pool(rows: npt.NDArray[np.bool_]) -> Any:
        weight = None if contest.weight is None else contest.weight[rows]
        return catboost.Pool(contest.X[rows], contest.y[rows], weight=weight)

    settings, older = {**_SETTINGS, "random_seed": contest.seed}, contest.before_the_newest
    rounds = ROUNDS_WITHOUT_VALIDATION
    if older.any():
        stopped = catboost.CatBoostClassifier(
            iterations=MOST_ROUNDS, early_stopping_rounds=PATIENCE, **settings
        )
        stopped.fit(pool(older), eval_set=pool(~older))
        rounds = refitted_rounds(stopped.best_iteration_ + 1)
    fitted = catboost.CatBoostClassifier(iterations=rounds, **settings)
    fitted.fit(pool(np.ones(len(older), dtype=bool)))
    return np.asarray(fitted.predict_proba(contest.X_test)[:, 1])


def _package() -> Any:
    try:
        return import_module("catboost")
    except ModuleNotFoundError as error:
        raise ConfigError(
            "leaderboard: the package catboost is not installed. Run `make leaderboard`, or install keepwell "
            "with the extra `leaderboard`."
        ) from error
