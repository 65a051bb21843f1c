import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.metrics import auc
from models.outsider import catboost_plain
from models.reference import DateReference
from models.rivals import Contest
from tables.errors import ConfigError


def contest(*, dates: int = 2, weight: float | None = None) -> Contest:
    """Customers at some dates whose first number tells who leaves."""
    rng, n = np.random.default_rng(4), 200
    X = pd.DataFrame(rng.normal(size=(n * (dates + 1), 3)), columns=["told", "noise", "empty"])
    X["empty"] = np.nan
    y = (X["told"] + rng.normal(0, 0.5, len(X)) > 0).to_numpy(np.int8)
    days = np.repeat(np.arange("2025-01-01", "2025-01-10", dtype="datetime64[D]")[:dates], n)
    rows = n * dates
    return Contest(
        X=X[:rows],
        y=y[:rows],
        as_of=days,
        X_test=X[rows:],
        reference=DateReference.fit(
            X[:rows], as_of=date(2025, 2, 1), horizon_days=7, leaves_by_silence=False
        ),
        seed=1,
        weight=None if weight is None else np.full(rows, weight),
    )


@pytest.mark.parametrize("dates", [1, 2])
def test_catboost_ranks_with_one_date_or_more(dates: int) -> None:
    given = contest(dates=dates)
    risk = catboost_plain(given)
    assert auc(given.X_test["told"] > 0, risk) > 0.9
    assert np.array_equal(risk, catboost_plain(given))


def test_weights_of_one_change_nothing() -> None:
    assert catboost_plain(contest()) == pytest.approx(catboost_plain(contest(weight=1.0)))


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "catboost", None)
    with pytest.raises(ConfigError, match=r"catboost is not installed.*extra `leaderboard`"):
        catboost_plain(contest())
