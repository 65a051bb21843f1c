"""The level: what share of a date's customers will churn, forecast apart from who they are.

The ranking inside a date is steady from date to date, the level is not: season moves it. On Online Retail II
the plain mean prediction was .509 where .382 churned. Two forecasts are made, one from the model's own mean,
one from BG/NBD, each corrected by a Gaussian process over what it missed at past dates, and mixed by the
errors they made at the last settled date.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from tables.errors import DataError

Array = npt.NDArray[np.float64]

_DAYS_PER_YEAR = 365.25
# Kernel and grids as settled on 19 development dates of eight tasks; averaging the settings instead of taking
# the best made the level worse (.028 against .022 mean absolute error).
_CONSTANT = 0.25
_JITTER = 0.0004
_SEASON_WIDTH = 0.6
_SEASON_MEMORY_DAYS = 1500.0
_SEASONAL_SDS = (0.0, 0.1, 0.2, 0.4)
_LOCAL_SDS = (0.05, 0.1, 0.2, 0.4)
_SLOPE_SDS = (0.0, 0.3)
# A forecast that happened to be exact at the check keeps an error of .1 logit in the mix.
_ERROR_FLOOR = 0.01
_NEWTON_STEPS = 100
_OPEN = (1e-6, 1 - 1e-6)  # probabilities kept off 0 and 1, where logits end


@dataclass(frozen=True)
class LevelForecast:
    """The level of one date, and the line that turns the model's ranking into probabilities.

    Attributes:
        level: forecast churn share of the date's population.
        uncorrected: mean probability of the model without fixed effects, the level as boosting alone says it.
        own: forecast from the mean probability of the model without fixed effects, corrected by what that
            mean missed at past dates.
        series: forecast from past shares and the BG/NBD level.
        series_weight: weight of ``series`` in the mix of logits; 0.5 without a check, 0 where the recipe takes
            the uncorrected level.
        slope: factor on the members' mean logit.
        intercept: term that makes the mean probability equal to ``level``.
        level_check: ISO date at which both forecasts were tried, ``none`` where there is none.
    """

    level: float
    uncorrected: float
    own: float
    series: float
    series_weight: float
    slope: float
    intercept: float
    level_check: str


@dataclass(frozen=True)
class LevelSeries:
    """Churn shares of past dates whose outcome is settled.

    Attributes:
        as_of: snapshot dates, oldest first.
        customers: customers at each date; where they weigh unequally, as many as would tell as much.
        churn_rate: share of them that churned.
        mean_no_purchase: mean BG/NBD probability of no purchase in the horizon at each date; without BG/NBD
            0.5 throughout, whose logit of 0 leaves the forecast to the past shares.
    """

    as_of: tuple[date, ...]
    customers: tuple[float, ...]
    churn_rate: tuple[float, ...]
    mean_no_purchase: tuple[float, ...]

    def settled_by(self, day: date, settled_days: int) -> Self:
        """Keep the dates whose outcome is settled at the midnight of ``day``."""
        keep = [each + timedelta(days=settled_days) <= day for each in self.as_of]
        return type(self)(
            as_of=tuple(itertools.compress(self.as_of, keep)),
            customers=tuple(itertools.compress(self.customers, keep)),
            churn_rate=tuple(itertools.compress(self.churn_rate, keep)),
            mean_no_purchase=tuple(itertools.compress(self.mean_no_purchase, keep)),
        )

    def forecast(self, as_of: date, *, mean_no_purchase: float, horizon_days: int) -> float:
        """Forecast the churn share of a later date from past shares and the BG/NBD level.

        Args:
            as_of: the date to forecast.
            mean_no_purchase: BG/NBD mean of that date.
            horizon_days: length of the outcome window.

        Returns:
            Churn share in (0, 1).

        Raises:
            DataError: the series is empty.
        """
        expected = (*self.mean_no_purchase, mean_no_purchase)
        return self.forecast_beside(expected, as_of, horizon_days=horizon_days, trusts=(0.0, 1.0))

    def forecast_beside(
        self, expected: Sequence[float], as_of: date, *, horizon_days: int, trusts: Sequence[float]
    ) -> float:
        """Forecast the churn share of a later date by a Gaussian process over what an expectation missed.

        The process runs over ``logit(share) - trust x logit(expected)``. Its kernel has a constant, a yearly
        season that fades over years, a local part that fades over two horizons, a slope on the expectation,
        and the sampling error of each share. The setting with the greatest penalised marginal likelihood
        is used.

        Args:
            expected: the share somebody expected of every date of the series, and of ``as_of`` as the last.
            as_of: the date to forecast.
            horizon_days: length of the outcome window.
            trusts: weights on the expectation to try: 1 takes it at its word, 0 goes by past shares alone.

        Returns:
            Churn share in (0, 1).

        Raises:
            DataError: the series is empty.

        Examples:
            Where the expectation always came true, it is believed:

            >>> days = tuple(date(2024, month, 1) for month in range(1, 13))
            >>> series = LevelSeries(days, (1e6,) * 12, (0.3,) * 12, (0.3,) * 12)
            >>> round(series.forecast_beside((0.3,) * 13, date(2025, 1, 1), horizon_days=30, trusts=(1,)), 3)
            0.3

        Source: recipe step 9; Rasmussen, Williams (2006), "Gaussian Processes for Machine Learning",
            algorithm 2.1.
        """
        if not self.as_of:
            raise DataError(
                f"level of {as_of}: no past date with a settled outcome. Wait for the first one, or train "
                "as of a later date."
            )
        past = _Past.of(self, as_of, expected, horizon_days)
        grid = itertools.product(trusts, _SEASONAL_SDS, _LOCAL_SDS, _SLOPE_SDS)
        fitted = (_gaussian_process(past, _Setting(*values)) for values in grid)
        return float(expit(max(fitted, key=lambda each: each.evidence).forecast))


def mixed_level(own: float, series: float, series_weight: float) -> float:
    """Mix two forecasts of a share on the logit scale.

    >>> round(mixed_level(0.5, 0.2, 0.5), 4)  # odds 1 and 1/4: geometric mean 1/2
    0.3333
    """
    return float(expit(series_weight * logit(series) + (1 - series_weight) * logit(own)))


def series_weight(own: float, series: float, observed: float) -> float:
    """Weigh the two forecasts by their errors at a date whose outcome is known.

    Args:
        own: the model's own forecast at that date.
        series: the forecast of the series at that date.
        observed: the share that did churn.

    Returns:
        Weight of ``series``, in (0, 1): the better forecast weighs more.

    Source: Bates, Granger (1969), "The Combination of Forecasts", with errors in logits and a floor.

    >>> round(series_weight(own=0.5, series=0.5, observed=0.3), 2)
    0.5
    >>> series_weight(own=0.5, series=0.31, observed=0.3) > 0.98
    True
    """
    own_precision, series_precision = (
        1 / ((logit(each) - logit(observed)) ** 2 + _ERROR_FLOOR) for each in (own, series)
    )
    return float(series_precision / (own_precision + series_precision))


def intercept_for(logits: Array, level: float) -> float:
    """Find the term that, added to every logit, makes the mean probability equal to ``level``.

    >>> bool(np.isclose(intercept_for(np.zeros(3), 0.25), -np.log(3)))
    True
    """
    shift = float(logit(level) - logits.mean())
    for _ in range(_NEWTON_STEPS):
        risk = expit(logits + shift)
        step = (level - math.fsum(risk) / len(risk)) / float((risk * (1 - risk)).mean())
        shift += min(max(step, -1.0), 1.0)
        if abs(step) < 1e-12:
            break
    return shift


def smoothed_share(share: float, count: float) -> float:
    """Keep a share half a case away from 0 and 1, so that its logit is finite.

    >>> smoothed_share(0.0, 50.0)
    0.01
    """
    edge = 0.5 / count
    return min(max(share, edge), 1 - edge)


class _Setting(NamedTuple):
    trust: float
    seasonal_sd: float
    local_sd: float
    slope_sd: float

    @property
    def penalty(self) -> float:
        scaled = (self.seasonal_sd / 0.3, self.local_sd / 0.3, self.slope_sd / 0.5)
        return sum(value**2 for value in scaled) / 2


class _Fitted(NamedTuple):
    evidence: float
    forecast: float  # logit


class _Past(NamedTuple):
    shares: Array  # logits of the observed shares
    expected: Array  # logits of the expected shares; the last belongs to the date ahead
    noise: Array  # sampling variance of each logit
    seasonal: Array  # kernels between dates, the date ahead last
    local: Array

    @classmethod
    def of(cls, series: LevelSeries, as_of: date, expected: Sequence[float], horizon_days: int) -> Self:
        rates = np.array(list(map(smoothed_share, series.churn_rate, series.customers)))
        day = np.array([each.toordinal() for each in (*series.as_of, as_of)], dtype=np.float64)
        apart = np.abs(day[:, None] - day)
        season = np.sin(np.pi * apart / _DAYS_PER_YEAR) / _SEASON_WIDTH
        return cls(
            shares=logit(rates),
            expected=logit(np.clip(expected, *_OPEN)),
            noise=1 / (np.array(series.customers) * rates * (1 - rates)) + _JITTER,
            seasonal=np.exp(-2 * season**2 - apart / _SEASON_MEMORY_DAYS),
            local=np.exp(-apart / (2.0 * horizon_days)),
        )


def _gaussian_process(past: _Past, setting: _Setting) -> _Fitted:
    surprise = past.expected - past.expected[:-1].mean()
    kernel = (
        _CONSTANT
        + setting.seasonal_sd**2 * past.seasonal
        + setting.local_sd**2 * past.local
        + setting.slope_sd**2 * np.outer(surprise, surprise)
    )
    residual = past.shares - setting.trust * past.expected[:-1]
    covariance = kernel[:-1, :-1] + np.diag(past.noise)
    answer = np.linalg.solve(covariance, residual)
    half_log_determinant = np.log(np.diag(np.linalg.cholesky(covariance))).sum()
    return _Fitted(
        evidence=float(-residual @ answer / 2 - half_log_determinant - setting.penalty),
        forecast=float(setting.trust * past.expected[-1] + kernel[-1, :-1] @ answer),
    )


def series_of(
    dates: Sequence[date], customers: Sequence[float], rates: Sequence[float], no_purchase: Sequence[float]
) -> LevelSeries:
    """Put past dates in order of time.

    Args:
        dates: snapshot dates in any order, each once.
        customers: customers at each.
        rates: churn share of each.
        no_purchase: mean BG/NBD probability of no purchase of each.
    """
    ordered = sorted(zip(dates, customers, rates, no_purchase, strict=True))
    return LevelSeries(*(tuple(column) for column in zip(*ordered, strict=True)))
