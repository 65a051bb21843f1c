"""The own forecast of the level, corrected by what it missed before, and the trial on a date that is past."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from models.boosting import Boosting
from models.level import series_of
from models.members import Members, MemberSettings, check_level
from models.pool import TrainingPool
from models.reference import DateReference
from models.settings import FULL_RECIPE, ONE_POLICY

NO_TREES = Boosting(0.0, "")


def test_own_level_follows_the_mean_less_its_usual_error() -> None:
    days = [date(2024, month, 1) for month in range(1, 13)]
    means = np.full(12, 0.3)
    past = series_of(days, [1e6] * 12, expit(logit(means) - 0.4).tolist(), [0.5] * 12)
    members = Members({}, None, None, None, True, NO_TREES, tuple(means.tolist()), 1.0)
    level = members.own_level(0.6, past, date(2025, 1, 1), horizon_days=28)
    assert level == pytest.approx(expit(logit(0.6) - 0.4), abs=0.02)


def test_a_ranking_that_fails_its_trial_keeps_its_order() -> None:
    customers, days = 300, [date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)]
    rng = np.random.default_rng(3)
    sign = np.repeat([1.0, 1.0, -1.0], customers)  # at the newest date the feature means the opposite
    X = pd.DataFrame({"lateness": rng.normal(size=3 * customers).astype(np.float32)})
    y = rng.random(3 * customers) < expit(2 * sign * X["lateness"].to_numpy())
    as_of = np.repeat(np.array(days, dtype="datetime64[D]"), customers)
    pool = TrainingPool.of(
        X, y, as_of=as_of, customer=np.tile(np.arange(customers), 3), weight=None, horizon_days=28, folds=2, seed=1
    )  # fmt: skip
    references = {
        day: DateReference.fit(
            X[as_of == np.datetime64(day)], as_of=day, horizon_days=28, leaves_by_silence=False
        )
        for day in days
    }
    check = check_level(
        pool, references, MemberSettings(FULL_RECIPE, ONE_POLICY, 28, 28, max_rounds=5, seed=1, threads=1)
    )
    assert check is not None
    assert check.slope == 0.1
