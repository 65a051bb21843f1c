"""The level of a date: hand-worked Gaussian process, mixing, and the intercept that meets it."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from models.level import (
    LevelSeries,
    intercept_for,
    mixed_level,
    series_of,
    series_weight,
    smoothed_share,
)
from tables.errors import DataError

MANY = 1e9  # customers enough for a share without sampling error


def series(shares: dict[date, float], no_purchase: float = 0.4) -> LevelSeries:
    return series_of(list(shares), [MANY] * len(shares), list(shares.values()), [no_purchase] * len(shares))


def test_one_past_date_is_shrunk_as_worked_by_hand() -> None:
    start, ahead = date(2024, 1, 1), date(2024, 3, 1)
    past = series({start: float(expit(1.0))}, no_purchase=0.5)
    # With BG/NBD at one half its logit is 0 and the residual 1. Evidence is best for the widest kernel that
    # pays its penalty; each candidate is worked here from scratch.
    apart = (ahead - start).days
    season = np.exp(-2 * np.sin(np.pi * apart / 365.25) ** 2 / 0.36 - apart / 1500)
    local = np.exp(-apart / 60)
    candidates = []
    for seasonal_sd in (0.0, 0.1, 0.2, 0.4):
        for local_sd in (0.05, 0.1, 0.2, 0.4):
            variance = 0.25 + seasonal_sd**2 + local_sd**2 + 0.0004
            evidence = -0.5 / variance - 0.5 * np.log(variance)
            evidence -= ((seasonal_sd / 0.3) ** 2 + (local_sd / 0.3) ** 2) / 2
            covariance = 0.25 + seasonal_sd**2 * season + local_sd**2 * local
            candidates.append((evidence, covariance / variance))
    expected = expit(max(candidates)[1])
    assert past.forecast(ahead, mean_no_purchase=0.5, horizon_days=30) == pytest.approx(expected, abs=1e-6)


def test_a_yearly_season_returns_after_a_year() -> None:
    days = [date(2022, 1, 1) + timedelta(days=30 * step) for step in range(24)]
    shares = {day: 0.5 + 0.2 * np.cos(2 * np.pi * day.timetuple().tm_yday / 365.25) for day in days}
    ahead = date(2024, 1, 1)
    known = {day: share for day, share in shares.items() if day + timedelta(days=90) <= ahead}
    forecast = series(known).forecast(ahead, mean_no_purchase=0.4, horizon_days=90)
    assert forecast > 0.6  # the last known share, of early October, is near one half


def test_an_expectation_that_came_true_is_believed() -> None:
    days = [date(2024, month, 1) for month in range(1, 9)]
    expected = np.linspace(0.2, 0.5, 9)
    past = series(dict(zip(days, expected[:-1], strict=True)))
    forecast = past.forecast_beside(expected, date(2024, 9, 1), horizon_days=30, trusts=(1.0,))
    assert forecast == pytest.approx(0.5, abs=0.005)


def test_only_dates_settled_by_a_day_remain() -> None:
    past = series({date(2024, 1, 1): 0.3, date(2024, 2, 1): 0.4})
    assert past.settled_by(date(2024, 3, 1), 30).as_of == (date(2024, 1, 1),)
    assert past.settled_by(date(2024, 3, 2), 30).churn_rate == (0.3, 0.4)


def test_better_forecast_weighs_more_by_squared_error() -> None:
    own, from_series = float(expit(0.2)), float(expit(0.1))
    weight = series_weight(own=own, series=from_series, observed=0.5)
    assert weight == pytest.approx((1 / 0.02) / (1 / 0.02 + 1 / 0.05))  # .1^2 + .01 against .2^2 + .01


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0, 1))
def test_mix_lies_between_its_two_forecasts(own: float, other: float, weight: float) -> None:
    mixed = mixed_level(own, other, weight)
    assert min(own, other) - 1e-12 <= mixed <= max(own, other) + 1e-12


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_intercept_makes_the_mean_risk_the_level(logits: list[float], level: float) -> None:
    values = np.array(logits)
    assert expit(values + intercept_for(values, level)).mean() == pytest.approx(level, abs=1e-9)


def test_shares_of_nothing_and_all_keep_finite_logits() -> None:
    assert np.isfinite(logit([smoothed_share(0, 10), smoothed_share(1, 10)])).all()


def test_an_empty_series_asks_for_a_later_date() -> None:
    with pytest.raises(DataError, match="no past date with a settled outcome"):
        LevelSeries((), (), (), ()).forecast(date(2024, 1, 1), mean_no_purchase=0.4, horizon_days=30)
