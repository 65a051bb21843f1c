"""The members of the churn model, their joint slope, and the trial of the level on a date that is past."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from models.boosting import COARSE, Bins, Boosting, FittedBoosting
from models.level import LevelSeries, series_weight
from models.pool import TrainingPool
from models.prior import READ, PriorLogit, fit_prior
from models.reference import DateReference
from models.ridge import RidgeLogit, fit_logistic, fit_ridge, within_dates
from models.settings import BoostingSettings, Member, Recipe
from models.stack import equal_weights, learnt_weights, weighted
from tables.errors import DataError

Array = npt.NDArray[np.float64]

# How firmly a slope is held at 1, as the information (sum of p (1 - p) z^2) that rows must hold against it. Where
# leaving can hardly be foreseen the members' logits lie so close together that a free slope is noise: on RavenStack
# 0, and 24 at the next step. On the other real tasks the pull moves no log loss by more than .0001.
_TRUST, _TRUST_OF_TRIAL = 25.0, 100.0
_INTERCEPT_PENALTY = 1e-3
# One date can make a slope come out below 0 by chance; the order that many dates taught is kept all the same.
_LEAST_SLOPE = 0.1


@dataclass(frozen=True)
class MemberSettings:
    """What training the members needs to know.

    Attributes:
        recipe: which members there are, and how they are put together.
        boosting: how the boosted trees grow.
        horizon_days: length of the outcome window.
        settled_days: days from ``as_of`` until its outcome is settled.
        max_rounds: most boosting rounds.
        seed: seed of sampling and of the penalty search.
        threads: folds trained at a time.
    """

    recipe: Recipe
    boosting: BoostingSettings
    horizon_days: int
    settled_days: int
    max_rounds: int
    seed: int
    threads: int


@dataclass(frozen=True)
class Members:
    """Up to three rankings within the date with their weights, and a boosted level.

    Attributes:
        weights: by name of the ranking member, its weight; they sum to 1.
        boosting: LightGBM started from the fixed effect of each date, on raw features and their z-scores within the
            date.
        ridge: ridge logistic on within-date z-scores with the same offset.
        prior: logistic on the BG/NBD logit; ``None`` where there is none, as with contracts.
        within_date: whether ``boosting`` reads z-scores too.
        level_boosting: LightGBM without fixed effects; only its mean is used.
        own_means: mean out-of-fold probability of ``level_boosting`` at each training date, oldest first.
        slope: factor on the weighted mean of the rankings, from out-of-fold rows with an intercept per date.
    """

    weights: Mapping[str, float]
    boosting: Boosting | None
    ridge: RidgeLogit | None
    prior: PriorLogit | None
    within_date: bool
    level_boosting: Boosting
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
            settings: recipe, rounds, seed and threads.

        Raises:
            DataError: the recipe has no member but the prior, and there is no BG/NBD.
        """
        names = _possible(settings.recipe, pool, references)
        bins = Bins(pool, seed=settings.seed, threads=settings.threads, settings=settings.boosting)
        constant = pool.constant()
        level = np.full(len(pool.y), constant)
        flat = bins.fit(level, max_rounds=settings.max_rounds, learning_rate=COARSE)
        boosting = _fit_boosting(pool, references, settings) if "boosting" in names else None
        ridge = fit_ridge(pool, references, seed=settings.seed) if "ridge" in names else None
        prior = fit_prior(pool, references) if "prior" in names else None
        fitted = {"boosting": boosting, "ridge": ridge, "prior": prior}
        seen = {name: each.out_of_fold for name, each in fitted.items() if each is not None}
        weights = learnt_weights(seen, pool) if settings.recipe.stacking == "learnt" else equal_weights(seen)
        return cls(
            weights=weights,
            boosting=boosting and boosting.model,
            ridge=ridge and ridge.model,
            prior=prior and prior.model,
            within_date=settings.recipe.within_date,
            level_boosting=replace(flat.model, start=constant),
            own_means=_means_by_date(expit(constant + flat.out_of_fold), pool),
            slope=_slope(weighted(seen, weights), pool, weight=pool.weight, trust=_TRUST)
            if settings.recipe.slope
            else 1.0,
        )

    def ranking(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return the members' weighted logit relative to the date, times the slope; the level is still open."""
        logits: dict[str, Array] = {}
        scores = reference.standardise(X, list(X.columns))
        if self.boosting is not None:
            logits["boosting"] = self.boosting.logit(self._read(X, scores))
        if self.ridge is not None:
            logits["ridge"] = self.ridge.logit_of(scores)
        if self.prior is not None:
            logits["prior"] = self.prior.logit(X, reference)
        return self.slope * weighted(logits, self.weights)

    def contributions(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return what each feature adds to ``ranking``, ``(rows, features)``; for few rows only."""
        parts: dict[str, Array] = {}
        if self.boosting is not None:
            scores = reference.standardise(X, list(X.columns))
            read = self.boosting.contributions(self._read(X, scores))
            parts["boosting"] = read.reshape(len(X), -1, X.shape[1]).sum(axis=1)
        if self.ridge is not None:
            parts["ridge"] = self.ridge.contributions(X, reference)
        if self.prior is not None:
            parts["prior"] = self.prior.contributions(X, reference)
        return self.slope * weighted(parts, self.weights)

    def _read(self, X: pd.DataFrame, scores: Array) -> npt.NDArray[np.float32]:
        return beside(X, scores) if self.within_date else X.to_numpy(np.float32)

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


def beside(X: pd.DataFrame, scores: Array) -> npt.NDArray[np.float32]:
    """Put z-scores within the date beside the features as they are.

    >>> beside(pd.DataFrame({"orders_30d": [3.0]}), np.array([[0.5]]))
    array([[3. , 0.5]], dtype=float32)
    """
    features = X.shape[1]
    both = np.empty((len(X), 2 * features), dtype=np.float32, order="F")  # as the trees ask: column by column
    both[:, :features], both[:, features:] = X, scores
    return both


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
    pool: TrainingPool,
    references: Mapping[date, DateReference],
    settings: MemberSettings,
    *,
    trained: tuple[Members, LevelSeries] | None = None,
) -> LevelCheck | None:
    """See what the level would have been at the newest training date, from what was settled by then.

    Args:
        pool: training rows.
        references: the reference of every date in the pool.
        settings: as for the members themselves.
        trained: members trained on what was settled by the newest date, and the churn shares of their dates, which
            may be others than here; trained here where not given.

    Returns:
        The check, or ``None`` where no earlier date was settled by then or its rows do not suffice.

    Source: recipe steps 9 and 10.
    """
    newest = pool.dates[-1]
    tried = pool.take(pool.date_code == len(pool.dates) - 1)
    earlier = pool.settled_by(newest, settings.settled_days)
    if earlier.shortage() or len(np.unique(tried.y)) < 2:
        return None
    members, past = trained or (Members.fit(earlier, references, settings), earlier.series(references))
    reference, horizon = references[newest], settings.horizon_days
    own = members.own_level(float(members.own_risk(tried.X).mean()), past, newest, horizon_days=horizon)
    forecast = past.forecast(newest, mean_no_purchase=reference.mean_no_purchase, horizon_days=horizon)
    return LevelCheck(
        as_of=newest,
        series_weight=series_weight(own, forecast, float(np.average(tried.y, weights=tried.weight))),
        slope=_slope(
            members.ranking(tried.X, reference),
            tried,
            weight=tried.weight / tried.weight.mean(),  # the windows of one date do not overlap
            trust=_TRUST_OF_TRIAL,
        ),
    )


def _fit_boosting(
    pool: TrainingPool, references: Mapping[date, DateReference], settings: MemberSettings
) -> FittedBoosting:
    read, growth = pool, settings.boosting
    if settings.recipe.within_date:
        read = replace(pool, X=pd.DataFrame(beside(pool.X, within_dates(pool, references))))
        # Twice the columns, but a tree looks at no more of them: as good as at twice as many, and as fast as before.
        growth = growth.model_copy(update={"feature_fraction": growth.feature_fraction / 2})
    bins = Bins(read, seed=settings.seed, threads=settings.threads, settings=growth)
    return bins.fit(pool.offsets(), max_rounds=settings.max_rounds)


def _possible(recipe: Recipe, pool: TrainingPool, references: Mapping[date, DateReference]) -> set[Member]:
    foreseen = all(reference.bgnbd for reference in references.values()) and set(READ) <= set(pool.X)
    names = set(recipe.members) - (set() if foreseen else {"prior"})
    if not names:
        raise DataError(
            "training: no member to train; found only `prior`, and no BG/NBD, as where customers leave by notice. "
            "Add `boosting` or `ridge` to model.recipe.members."
        )
    return names


def _means_by_date(risk: Array, pool: TrainingPool) -> tuple[float, ...]:
    total = np.bincount(pool.date_code, risk * pool.weight)
    return tuple((total / np.bincount(pool.date_code, pool.weight)).tolist())


def _slope(ranking: Array, pool: TrainingPool, *, weight: Array, trust: float) -> float:
    """Fit a factor on the ranking with an intercept per date, pulled to 1 as by earlier rows of that information."""
    dates = len(pool.dates)
    intercepts = (pool.date_code[:, None] == np.arange(dates)).astype(np.float64)
    fitted = fit_logistic(
        np.column_stack([ranking, intercepts]),
        pool.y,
        weight=weight,
        offset=pool.offsets() + ranking,
        penalty=np.append(trust, np.full(dates, _INTERCEPT_PENALTY)),
    )
    return max(1 + float(fitted[0]), _LEAST_SLOPE)
