"""ChurnModel: features at a snapshot date to a calibrated probability of churn, in scikit-learn's manner."""

from collections.abc import Mapping
from copy import copy
from datetime import date, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from threadpoolctl import threadpool_limits

from models.level import LevelForecast, LevelSeries, intercept_for, mixed_level
from models.members import LevelCheck, Members, MemberSettings, check_level
from models.pool import TrainingPool
from models.reasons import Reason, strongest_reasons
from models.reference import DateReference, Frames, as_blocks
from models.storage import FittedParts, read_parts, write_parts
from tables.errors import DataError, LeakageError, SchemaError

Array = npt.NDArray[np.float64]

_EVEN = 0.5


class ChurnModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Calibrated churn risk from one LightGBM and one ridge logistic, with the level forecast apart.

    The members learn who is more at risk than others of the same date; the share of a date's customers that
    will churn is forecast by ``calibrate`` and kept in the date's reference. After that a row's risk is a
    pure function of the row and the reference.

    Args:
        horizon_days: length of the outcome window.
        settled_days: days from ``as_of`` until its outcome is settled (gap + horizon + settling); the
            horizon where not given.
        folds: number of customer folds; their models are averaged.
        max_rounds: most boosting rounds.
        seed: seed of folds and sampling.
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
        threads: int = 1,
    ) -> None:
        self.horizon_days = horizon_days
        self.settled_days = settled_days
        self.folds = folds
        self.max_rounds = max_rounds
        self.seed = seed
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

        Raises:
            SchemaError: columns that are not numeric.
            DataError: too few customers, one class only, or infinite values.
        """
        _check_numeric(X)
        pool = TrainingPool.of(
            X,
            y,
            as_of=as_of,
            customer=customer,
            weight=weight,
            horizon_days=self.horizon_days,
            folds=self.folds,
            seed=self.seed,
        )
        given = dict(references or {})
        each_date = {day: given.get(day) or self._reference(pool, day) for day in pool.dates}
        with threadpool_limits(limits=1):
            parts = FittedParts(
                parameters=self.get_params(),
                features=tuple(X.columns),
                members=Members.fit(pool, each_date, self._settings()),
                level_check=check_level(pool, each_date, self._settings()),
                series=pool.series(each_date),
                trained_through=pool.dates[-1] + timedelta(days=self._settled_days()),
            )
        return self._become(parts)

    def calibrate(
        self, X: Frames, *, reference: DateReference, series: LevelSeries | None = None
    ) -> DateReference:
        """Forecast the level of a date and fix the line from ranking to probability.

        Args:
            X: features of the date's whole population, in one frame or bucket by bucket.
            reference: the date's reference.
            series: churn shares of past dates as known now; those of the training where not given.

        Returns:
            The reference with its level; give it to ``predict_proba``.

        Raises:
            SchemaError: columns differ from those of the training.
            LeakageError: the date lies before the end of the last outcome trained on.
            DataError: no customers or no past date.
        """
        self._check_date(reference)
        blocks = [self._checked(block) for block in as_blocks(X)]
        with threadpool_limits(limits=1):
            ranking = np.concatenate([self.members_.ranking(block, reference) for block in blocks])
            mean_risk = float(np.concatenate([self.members_.own_risk(block) for block in blocks]).mean())
        as_of, horizon = reference.as_of, self.horizon_days
        own = self.members_.own_level(mean_risk, self.series_, as_of, horizon_days=horizon)
        past = (series or self.series_).settled_by(as_of, self._settled_days())
        forecast = past.forecast(as_of, mean_no_purchase=reference.mean_no_purchase, horizon_days=horizon)
        check: LevelCheck | None = self.level_check_
        weight = _EVEN if check is None else check.series_weight
        slope = 1.0 if check is None else check.slope
        level = mixed_level(own, forecast, weight)
        return reference.with_level(
            LevelForecast(
                level=level,
                own=own,
                series=forecast,
                series_weight=weight,
                slope=slope,
                intercept=intercept_for(slope * ranking, level),
                level_check="none" if check is None else check.as_of.isoformat(),
            )
        )

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
        self._check_date(reference)
        if reference.level is None:
            raise DataError(
                f"reference of {reference.as_of}: no level to score with; found none. Call `calibrate` with "
                "the whole population first."
            )
        with threadpool_limits(limits=1):
            ranking = self.members_.ranking(self._checked(X), reference)
        risk = expit(reference.level.slope * ranking + reference.level.intercept)
        broken = int((~np.isfinite(risk)).sum())
        if broken:
            raise DataError(
                f"scores of {reference.as_of}: risks that are not finite; found {broken}. Check the features."
            )
        return np.column_stack([1 - risk, risk])

    def predict(self, X: pd.DataFrame, *, reference: DateReference) -> npt.NDArray[np.int64]:
        """Return 1 for each customer more likely to churn than to stay."""
        return (self.predict_proba(X, reference=reference)[:, 1] > _EVEN).astype(np.int64)

    def reasons(self, X: pd.DataFrame, *, reference: DateReference, top: int = 3) -> list[tuple[Reason, ...]]:
        """Say, for few customers, which features raise their risk most.

        Args:
            X: features of the customers in question, never of the whole base (exact contributions cost
                milliseconds a row).
            reference: the date's reference with its level.
            top: most reasons per customer.

        Returns:
            Per row its reasons, strongest first, at most one per theme.
        """
        self._check_date(reference)
        checked = self._checked(X)
        with threadpool_limits(limits=1):
            contributions = self.members_.contributions(checked, reference)
        slope = 1.0 if reference.level is None else reference.level.slope
        return strongest_reasons(checked, slope * contributions, top=top)

    def released(self) -> Self:
        """Return a copy that scores any date: for a look back, never for an evaluation or a measurement."""
        free = copy(self)
        free.trained_through_ = date.min
        return free

    def save(self, folder: Path) -> None:
        """Write the model as JSON and LightGBM text; equal models give equal bytes.

        Args:
            folder: where to; made where absent.
        """
        write_parts(
            FittedParts(
                parameters=self.get_params(),
                features=tuple(self.feature_names_in_),
                members=self.members_,
                level_check=self.level_check_,
                series=self.series_,
                trained_through=self.trained_through_,
            ),
            folder,
        )

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

    def _become(self, parts: FittedParts) -> Self:
        self.members_ = parts.members
        self.level_check_ = parts.level_check
        self.series_ = parts.series
        self.trained_through_ = parts.trained_through
        self.feature_names_in_ = np.array(parts.features, dtype=object)
        self.n_features_in_ = len(parts.features)
        self.classes_ = np.array([0, 1])
        return self

    def _settled_days(self) -> int:
        return self.horizon_days if self.settled_days is None else self.settled_days

    def _settings(self) -> MemberSettings:
        return MemberSettings(
            horizon_days=self.horizon_days,
            settled_days=self._settled_days(),
            max_rounds=self.max_rounds,
            seed=self.seed,
            threads=self.threads,
        )

    def _reference(self, pool: TrainingPool, day: date) -> DateReference:
        rows = pool.X.loc[pool.rows_of(day)]
        return DateReference.fit(rows, as_of=day, horizon_days=self.horizon_days)

    def _checked(self, X: pd.DataFrame) -> pd.DataFrame:
        expected, found = list(self.feature_names_in_), list(X.columns)
        missing = sorted(set(expected) - set(found))
        unexpected = sorted(set(found) - set(expected))
        if missing or unexpected:
            raise SchemaError(
                f"churn model: other features than those of the training; missing {missing}, unexpected "
                f"{unexpected}. Build the features with the settings of the training, or retrain."
            )
        return X[expected].astype(np.float32)

    def _check_date(self, reference: DateReference) -> None:
        if reference.as_of < self.trained_through_:
            raise LeakageError(
                f"churn model: {reference.as_of} cannot be scored; outcomes up to {self.trained_through_} "
                "were trained on. Use a model trained earlier, or a later date."
            )


def _check_numeric(X: pd.DataFrame) -> None:
    words = [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]
    if words:
        raise SchemaError(f"training: columns that are not numbers; found {words}. Drop or encode them.")
