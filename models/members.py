"""The members of the churn model, their joint slope, and the trial of the level on a date that is past."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from models.boosting import COARSE, Bins, FoldBoosting
from models.level import LevelSeries, series_weight
from models.pool import TrainingPool
from models.reference import DateReference
from models.ridge import RidgeLogit, fit_logistic, fit_ridge

Array = npt.NDArray[np.float64]

# The trial's slope counts as one row per customer against this many rows that say 1.
_SLOPE_PRIOR_ROWS = 1000
_INTERCEPT_PENALTY = 1e-3
# Few churners can make either slope come out below 0 by chance. A ranking turned around is never what the rows
# teach (RavenStack, 65 churners at the trial: AUC .36 turned around, .64 kept).
_LEAST_SLOPE = 0.0


@dataclass(frozen=True)
class MemberSettings:
    """What training the members needs to know.

    Attributes:
        horizon_days: length of the outcome window.
        settled_days: days from ``as_of`` until its outcome is settled.
        max_rounds: most boosting rounds.
        seed: seed of sampling and of the penalty search.
        threads: folds trained at a time.
    """

    horizon_days: int
    settled_days: int
    max_rounds: int
    seed: int
    threads: int


@dataclass(frozen=True)
class Members:
    """A boosted and a linear ranking within the date, and a boosted level.

    Attributes:
        boosting: LightGBM on raw features, started from the fixed effect of each date.
        ridge: ridge logistic on within-date z-scores with the same offset.
        level_boosting: LightGBM without fixed effects; only its mean is used.
        own_means: mean out-of-fold probability of ``level_boosting`` at each training date, oldest first.
        slope: factor on the mean of both rankings, from out-of-fold rows with an intercept per date.
    """

    boosting: FoldBoosting
    ridge: RidgeLogit
    level_boosting: FoldBoosting
    own_means: tuple[float, ...]
    slope: float

    @classmethod
    def fit(
        cls, pool: TrainingPool, references: Mapping[date, DateReference], settings: MemberSettings
    ) -> Self:
        """Train the members on all rows of a pool.

        Args:
            pool: training rows.
            references: the reference of every date in the pool.
            settings: rounds, seed and threads.
        """
        bins = Bins(pool, seed=settings.seed, threads=settings.threads)
        constant = float(logit(np.average(pool.y, weights=pool.weight)))
        boosting = bins.fit(pool.offsets(), max_rounds=settings.max_rounds)
        level = np.full(len(pool.y), constant)
        flat = bins.fit(level, max_rounds=settings.max_rounds, learning_rate=COARSE)
        ridge = fit_ridge(pool, references, seed=settings.seed)
        ranking = (boosting.out_of_fold + ridge.out_of_fold) / 2
        return cls(
            boosting=boosting.model,
            ridge=ridge.model,
            level_boosting=replace(flat.model, start=constant),
            own_means=_means_by_date(expit(constant + flat.out_of_fold), pool),
            slope=_slope_within_dates(ranking, pool),
        )

    def ranking(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return the members' mean logit relative to the date, times the slope; the level is still open."""
        boosted = self.boosting.logit(X.to_numpy(np.float32))
        return self.slope * (boosted + self.ridge.logit(X, reference)) / 2

    def own_risk(self, X: pd.DataFrame) -> Array:
        """Return each row's probability by the model without fixed effects; only its mean is of use."""
        return np.asarray(expit(self.level_boosting.logit(X.to_numpy(np.float32))))

    def own_level(self, mean_risk: float, past: LevelSeries, as_of: date, *, horizon_days: int) -> float:
        """Forecast a date's churn share from its mean ``own_risk``, corrected by what such means missed.

        The boosted mean knows no season. The correction made it better at 9 of 12 dates of three real tasks
        before their tests (Online Retail II half a year before: .548 instead of .514, .573 churned).

        Args:
            mean_risk: mean of ``own_risk`` over the date's population.
            past: churn shares of the training dates.
            as_of: the date.
            horizon_days: length of the outcome window.
        """
        expected = (*self.own_means, mean_risk)
        return past.forecast_beside(expected, as_of, horizon_days=horizon_days, trusts=(1.0,))

    def contributions(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return what each feature adds to ``ranking``, ``(rows, features)``; for few rows only."""
        boosted = self.boosting.contributions(X.to_numpy(np.float32))
        return self.slope * (boosted + self.ridge.contributions(X, reference)) / 2


@dataclass(frozen=True)
class LevelCheck:
    """How both forecasts of the level and the slope did at the newest training date, unseen by them.

    Attributes:
        as_of: the date of the trial.
        series_weight: weight the series' forecast earned.
        slope: further factor on the ranking, shrunk to 1 for few customers.
    """

    as_of: date
    series_weight: float
    slope: float


def check_level(
    pool: TrainingPool, references: Mapping[date, DateReference], settings: MemberSettings
) -> LevelCheck | None:
    """Repeat the whole training at the newest training date and see what the level would have been.

    Args:
        pool: training rows.
        references: the reference of every date in the pool.
        settings: as for the members themselves.

    Returns:
        The check, or ``None`` where no earlier date was settled by then or its rows do not suffice.

    Source: recipe steps 9 and 10.
    """
    newest = pool.dates[-1]
    tried = pool.take(pool.date_code == len(pool.dates) - 1)
    earlier = pool.settled_by(newest, settings.settled_days)
    if earlier.shortage() or len(np.unique(tried.y)) < 2:
        return None
    members = Members.fit(earlier, references, settings)
    reference = references[newest]
    past, horizon = earlier.series(references), settings.horizon_days
    own = members.own_level(float(members.own_risk(tried.X).mean()), past, newest, horizon_days=horizon)
    forecast = past.forecast(newest, mean_no_purchase=reference.mean_no_purchase, horizon_days=horizon)
    return LevelCheck(
        as_of=newest,
        series_weight=series_weight(own, forecast, float(np.average(tried.y, weights=tried.weight))),
        slope=_shrunk_slope(members.ranking(tried.X, reference), tried),
    )


def _means_by_date(risk: Array, pool: TrainingPool) -> tuple[float, ...]:
    total = np.bincount(pool.date_code, risk * pool.weight)
    return tuple((total / np.bincount(pool.date_code, pool.weight)).tolist())


def _slope_within_dates(ranking: Array, pool: TrainingPool) -> float:
    dates = len(pool.dates)
    intercepts = (pool.date_code[:, None] == np.arange(dates)).astype(np.float64)
    fitted = fit_logistic(
        np.column_stack([ranking, intercepts]),
        pool.y,
        weight=pool.weight,
        offset=pool.offsets(),
        penalty=np.append(0.0, np.full(dates, _INTERCEPT_PENALTY)),
    )
    return max(float(fitted[0]), _LEAST_SLOPE)


def _shrunk_slope(ranking: Array, tried: TrainingPool) -> float:
    inputs = np.column_stack([ranking - ranking.mean(), np.ones(len(ranking))])
    free = np.zeros(2)
    fitted = fit_logistic(inputs, tried.y, weight=tried.weight, offset=tried.offsets(), penalty=free)
    rows = len(ranking)
    slope = max(float(fitted[0]), _LEAST_SLOPE)
    return (rows * slope + _SLOPE_PRIOR_ROWS) / (rows + _SLOPE_PRIOR_ROWS)
