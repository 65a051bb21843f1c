"""The own forecast of the level: the model's mean, corrected by what it missed before."""

from datetime import date

import numpy as np
import pytest
from scipy.special import expit, logit

from models.boosting import FoldBoosting
from models.level import series_of
from models.members import Members
from models.ridge import RidgeLogit

NO_TREES = FoldBoosting(0.0, ())


def test_own_level_follows_the_mean_less_its_usual_error() -> None:
    days = [date(2024, month, 1) for month in range(1, 13)]
    means = np.full(12, 0.3)
    past = series_of(days, [1e6] * 12, expit(logit(means) - 0.4).tolist(), [0.5] * 12)
    members = Members(NO_TREES, RidgeLogit((), (), (), 0.0, 0.01), NO_TREES, tuple(means.tolist()), 1.0)
    level = members.own_level(0.6, past, date(2025, 1, 1), horizon_days=28)
    assert level == pytest.approx(expit(logit(0.6) - 0.4), abs=0.02)
