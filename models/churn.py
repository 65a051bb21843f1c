"""ChurnModel: features at a snapshot date to a calibrated probability of churn, in scikit-learn's manner."""

from collections.abc import Mapping
from copy import copy
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from threadpoolctl import threadpool_limits

from models.calibration import Leveller, risk_of
from models.columns import as_trained, check_numeric
from models.level import LevelSeries
from models.members import Members, MemberSettings, check_level
from models.pool import TrainingPool, in_sample
from models.reasons import Reason, strongest_reasons
from models.reference import DateReference, Frames, as_blocks
from models.settings import FULL_RECIPE, ONE_POLICY, BoostingSettings, Recipe
from models.storage import FittedParts, read_parts, write_parts
from tables.errors import DataError, LeakageError

Array = npt.NDArray[np.float64]

_EVEN = 0.5
_ROWS_AT_A_TIME = 65_536  # a night of a million customers then needs little more memory than its features
_ROWS_FOR_A_MEAN = 50_000  # the mean of so many risks is known to .001, and the level to a few hundredths


class ChurnModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Calibrated churn risk from one LightGBM and one ridge logistic, with the level forecast apart.

    The members learn who is more at risk than others of the same date; the share of a date's customers that
    will churn is forecast by ``calibrate_predict`` and kept in the date's reference. After that a row's risk is a
    pure function of the row and the reference.

    Args:
        horizon_days: length of the outcome window.
        settled_days: days from ``as_of`` until its outcome is settled (gap + horizon + settling); the
            horizon where not given.
        folds: number of customer folds; they choose rounds, weights and slope on customers not seen.
        max_rounds: most boosting rounds.
        seed: seed of folds and sampling.
        recipe: ingredients; ``calibrate_predict`` reads its ``level`` and ``slope`` anew, the rest needs a new ``fit``.
        boosting: how the boosted trees grow.
        threads: folds trained at a time; the result does not depend on it.

    Attributes:
        feature_names_in_: columns expected, in order.
        classes_: 0 stayed, 1 churned.
        members_: the trained members.
        level_check_: how the level's forecasts did at the newest training date; ``None`` without one.
        series_: churn share of each training date.
        trained_through_: end of the last outcome used; no earlier date may be scored.
    """

    def __init__(
        self,
        *,
        horizon_days: int = 90,
        settled_days: int | None = None,
        folds: int = 5,
        max_rounds: int = 1000,
        seed: int = 0,
        recipe: Recipe = FULL_RECIPE,
        boosting: BoostingSettings = ONE_POLICY,
        threads: int = 1,
    ) -> None:
        self.horizon_days = horizon_days
        self.settled_days = settled_days
        self.folds = folds
        self.max_rounds = max_rounds
        self.seed = seed
        self.recipe = recipe
        self.boosting = boosting
        self.threads = threads

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.ArrayLike,
        *,
        as_of: npt.ArrayLike,
        customer: npt.ArrayLike,
        weight: npt.ArrayLike | None = None,
        references: Mapping[date, DateReference] | None = None,
        earlier: "ChurnModel | None" = None,
    ) -> Self:
        """Train on the rows of all snapshot dates whose outcome is settled.

        Args:
            X: numeric features, one row per customer and date; missing is NaN.
            y: 1 where the customer churned.
            as_of: snapshot date of each row.
            customer: key of each row's customer; all rows of a customer lie in one fold.
            weight: weight per row, as of withheld customers; overlapping outcome windows are weighed here.
            references: reference per date, where the caller has seen more customers than ``X`` holds; fitted
                from ``X`` for dates not given.
            earlier: a model of the same settings and features, trained on what was settled by the newest date here:
                the trial of the level then trains no second one.

        Raises:
            SchemaError: columns that are not numeric.
            DataError: too few customers, one class only, or infinite values.
            LeakageError: ``earlier`` has seen outcomes that end after the newest date.
        """
        check_numeric(X)
        pool = TrainingPool.of(
            X,
            y,
            as_of=as_of,
            customer=customer,
            weight=weight,
            horizon_days=self.horizon_days,
            folds=self.folds,
            seed=self.seed,
            fixed_effects=self.recipe.fixed_effects,
        )
        given = dict(references or {})
        each_date = {day: given.get(day) or self._reference(pool, day) for day in pool.dates}
        settings, newest = self._settings(), pool.dates[-1]
        trained = earlier and earlier._parts().to_try(self.get_params(), X.columns, newest)
        with threadpool_limits(limits=1):
            parts = FittedParts(
                parameters=self.get_params(),
                features=tuple(X.columns),
                members=Members.fit(pool, each_date, settings),
                level_check=check_level(pool, each_date, settings, trained=trained),
                series=pool.series(each_date),
                trained_through=newest + timedelta(days=settings.settled_days),
            )
        return self._become(parts)

    def calibrate_predict(
        self, X: Frames, *, reference: DateReference, series: LevelSeries | None = None
    ) -> tuple[DateReference, Array]:
        """Forecast the level of a date, fix the line from ranking to probability, and follow it for everybody.

        Args:
            X: features of the date's whole population, in one frame or bucket by bucket, indexed by customer:
                the mean risk of a large one is taken over a sample of its customers.
            reference: the date's reference.
            series: churn shares of past dates as known now; those of the training where not given.

        Returns:
            The reference with its level, for ``predict_proba`` of any of these customers later, and the
            probability of churning of each row.

        Raises:
            SchemaError: columns differ from those of the training.
            LeakageError: the date lies before the end of the last outcome trained on.
            DataError: no customers, no past date, or a risk that is not finite.
        """
        blocks = as_blocks(X)
        if not any(map(len, blocks)):
            raise DataError(f"churn model: nobody to score at {reference.as_of}; found 0. Check the date.")
        ranking = self._ranking(blocks, reference)
        share = _ROWS_FOR_A_MEAN / len(ranking)
        sample = pd.concat([self._checked(block[in_sample(block.index, share)]) for block in blocks])
        mean_risk = float(self.members_.own_risk(sample).mean())
        leveller = Leveller(self.recipe, self.horizon_days, self.members_, self.level_check_, self.series_)
        past = (series or self.series_).settled_by(reference.as_of, self._settings().settled_days)
        levelled = leveller.levelled(ranking, mean_risk, reference, past)
        return levelled, risk_of(ranking, levelled)

    def _ranking(self, X: Frames, reference: DateReference) -> Array:
        self._check_date(reference)
        rankings = [
            self.members_.ranking(self._checked(block.iloc[first : first + _ROWS_AT_A_TIME]), reference)
            for block in as_blocks(X)
            for first in range(0, max(len(block), 1), _ROWS_AT_A_TIME)
        ]
        return np.concatenate(rankings)

    def predict_proba(self, X: pd.DataFrame, *, reference: DateReference) -> Array:
        """Return the probabilities of staying and of churning, one row per row of ``X``.

        Args:
            X: features of any customers of the date, in any number and order.
            reference: the date's reference with its level.

        Returns:
            Shape ``(rows, 2)``; a row's risk does not depend on the other rows.

        Raises:
            SchemaError: columns differ from those of the training.
            LeakageError: the date lies before the end of the last outcome trained on.
            DataError: the reference has no level, or a risk is not finite.
        """
        risk = risk_of(self._ranking(X, reference), reference)
        return np.column_stack([1 - risk, risk])

    def predict(self, X: pd.DataFrame, *, reference: DateReference) -> npt.NDArray[np.int64]:
        """Return 1 for each customer more likely to churn than to stay."""
        return (self.predict_proba(X, reference=reference)[:, 1] > _EVEN).astype(np.int64)

    def reasons(self, X: pd.DataFrame, *, reference: DateReference, top: int = 3) -> list[tuple[Reason, ...]]:
        """Say, for few customers, what raises their risk most, and what the risk would be without it.

        Args:
            X: features of the customers in question, never of the whole base (exact contributions cost
                milliseconds a row).
            reference: the date's reference with its level.
            top: most reasons per customer.

        Returns:
            Per row its reasons, strongest first, at most one per theme.
        """
        checked = self._checked(X)
        with threadpool_limits(limits=1):
            contributions = self.members_.contributions(checked, reference)
        slope = 1.0 if reference.level is None else reference.level.slope
        return strongest_reasons(
            checked,
            slope * contributions,
            typical=reference.typical(),
            risk_of=lambda rows: self.predict_proba(rows, reference=reference)[:, 1],
            top=top,
        )

    def released(self) -> Self:
        """Return a copy that scores any date: for a look back, never for an evaluation or a measurement."""
        free = copy(self)
        free.trained_through_ = date.min
        return free

    def save(self, folder: Path) -> None:
        """Write the model as JSON and LightGBM text; equal models give equal bytes, whatever ``threads``.

        Args:
            folder: where to; made where absent.
        """
        write_parts(self._parts(), folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a model that ``save`` wrote.

        Args:
            folder: where from.

        Raises:
            RegistryError: a file is missing or of another version.
        """
        parts = read_parts(folder)
        return cls(**parts.parameters)._become(parts)

    def _parts(self) -> FittedParts:
        return FittedParts(
            parameters=self.get_params(),
            features=tuple(self.feature_names_in_),
            members=self.members_,
            level_check=self.level_check_,
            series=self.series_,
            trained_through=self.trained_through_,
        )

    def _become(self, parts: FittedParts) -> Self:
        self.members_ = parts.members
        self.level_check_ = parts.level_check
        self.series_ = parts.series
        self.trained_through_ = parts.trained_through
        self.feature_names_in_ = np.array(parts.features, dtype=object)
        self.n_features_in_ = len(parts.features)
        self.classes_ = np.array([0, 1])
        return self

    def _settings(self) -> MemberSettings:
        own = {each.name: getattr(self, each.name) for each in fields(MemberSettings)}
        return MemberSettings(**{**own, "settled_days": self.settled_days or self.horizon_days})

    def _reference(self, pool: TrainingPool, day: date) -> DateReference:
        rows = pool.X.loc[pool.rows_of(day)]
        return DateReference.fit(rows, as_of=day, horizon_days=self.horizon_days)

    def _checked(self, X: pd.DataFrame) -> pd.DataFrame:
        return as_trained(X, self.feature_names_in_.tolist())

    def _check_date(self, reference: DateReference) -> None:
        if reference.as_of < self.trained_through_:
            raise LeakageError(
                f"churn model: {reference.as_of} cannot be scored; outcomes up to {self.trained_through_} "
                "were trained on. Use a model trained earlier, or a later date."
            )
