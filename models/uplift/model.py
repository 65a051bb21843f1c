"""The uplift model of one action: how much it lowers each customer's churn, trained on what was sent and withheld."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from models.columns import as_stored, as_trained, check_numeric
from models.uplift.gate import UpliftDecision, decide, shortage
from models.uplift.intervals import standard_error
from models.uplift.learners import LEARNERS, UpliftLearner
from models.uplift.metrics import TOP, Trial
from models.uplift.out_of_fold import OutOfFold, learners, out_of_fold
from models.uplift.trees import Array, Matrix
from tables.errors import RegistryError

_FORMAT = 1
_NO_SPREAD = 1e-12
_ROWS_AT_A_TIME = (
    65_536  # as in scoring: a million customers then need little more memory than their features
)


@dataclass(frozen=True)
class Line:
    """From a score to an effect: ``average + slope x (score - centre)``.

    Scores spread far wider than effects do, more so the fewer rows there are; unshrunk, the largest would mislead.

    Attributes:
        average: mean effect of the rows.
        slope: effect per unit of score, between 0 (all alike) and 1 (as scored).
        centre: mean score of the rows.
        average_error: standard error of the average.
        slope_error: standard error of the slope.
    """

    average: float
    slope: float
    centre: float
    average_error: float
    slope_error: float

    @classmethod
    def fit(cls, seen: OutOfFold) -> Self:
        """Regress doubly robust effects of rows on scores that did not see them.

        Args:
            seen: out-of-fold predictions of one action.

        Source: best linear predictor of Chernozhukov, Demirer, Duflo, Fernandez-Val (2025), Econometrica 93(4).
        """
        score, unit = seen.mean_effect[:, 0], seen.experiment.unit
        effect = seen.experiment.scores[:, 1] - seen.experiment.scores[:, 0]
        distance, average = seen.centred(score), float(effect.mean())
        spread = max(float((distance**2).mean()), _NO_SPREAD)
        slope = float((distance * effect).mean()) / spread
        strays = effect - average - slope * distance
        return cls(
            average,
            slope=min(max(slope, 0.0), 1.0),
            centre=float(score.mean()),
            average_error=standard_error(strays, unit),
            slope_error=standard_error(strays * distance, unit) / spread,
        )


@dataclass(frozen=True)
class UpliftModel:
    """The mean of the T-, X-, DR- and logistic T-learner, drawn in by what its scores held out of fold.

    Which learner ranks best depends on the data and lies within chance; their mean is as good as the best of them or
    nearly, and nothing is chosen that would flatter the figures.

    Attributes:
        features: columns of the training, in order.
        learners: the fitted learners.
        line: from their mean to an effect.
    """

    features: tuple[str, ...]
    learners: tuple[UpliftLearner, ...]
    line: Line

    def uplift(self, X: pd.DataFrame) -> Array:
        """Return by how much the action lowers each customer's probability of churn; negative where it harms.

        Args:
            X: features of the training, in any order of columns; missing is NaN.

        Raises:
            SchemaError: columns differ from those of the training.
        """
        return self.uplift_and_error(X)[0]

    def uplift_and_error(self, X: pd.DataFrame) -> tuple[Array, Array]:
        """Return ``uplift`` and its standard error, that of the average and of the slope together."""
        distance = self._distance(X)
        uplift = self.line.average + self.line.slope * distance
        return uplift, np.hypot(self.line.average_error, self.line.slope_error * distance)

    def to_json(self) -> str:
        """Return the model as JSON; equal models are equal text."""
        learners = {each.name: each.to_plain() for each in self.learners}
        return json.dumps(
            {"format": _FORMAT, "features": self.features, "line": asdict(self.line), "learners": learners},
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            RegistryError: it is of another format.
        """
        stored = json.loads(text)
        if stored.get("format") != _FORMAT:
            raise RegistryError(
                f"uplift model: format {_FORMAT} is read here; found {stored.get('format')}. Retrain."
            )
        # In the order of the training, whoever sorted the text: sums of floats depend on it.
        fitted = tuple(kind.from_plain(stored["learners"][name]) for name, kind in LEARNERS.items())
        return cls(tuple(stored["features"]), fitted, Line(**stored["line"]))

    def _distance(self, X: pd.DataFrame) -> Array:
        starts = range(0, len(X), _ROWS_AT_A_TIME)
        return np.concatenate(
            [self._scores(X[start : start + _ROWS_AT_A_TIME]) for start in starts] or [np.empty(0)]
        )

    def _scores(self, X: pd.DataFrame) -> Array:
        values = _matrix(as_trained(X, self.features, model="uplift model"))
        mean = np.mean([each.predict(values)[:, 0] for each in self.learners], axis=0)
        return np.asarray(mean - self.line.centre)


class FittedUplift(NamedTuple):
    """What training came to.

    Attributes:
        model: the model of all rows; ``None`` where it does not serve.
        decision: whether it serves, and why.
    """

    model: UpliftModel | None
    decision: UpliftDecision


def fit_uplift(
    X: pd.DataFrame,
    churned: npt.ArrayLike,
    treated: npt.ArrayLike,
    propensity: npt.ArrayLike,
    *,
    seed: int,
    unit: npt.ArrayLike | None = None,
    share: float = TOP,
) -> FittedUplift:
    """Train the uplift model of one action on its sent and withheld rows, and judge whether it may serve.

    Args:
        X: features as known when the action was planned; missing is NaN.
        churned: 1 where the customer left.
        treated: 1 where the action was sent, 0 where it was withheld.
        propensity: chance of being sent among the sent and withheld, of all rows or of each.
        seed: seed of folds and sampling; with the same rows in the same order it gives the same bytes.
        unit: what was randomised together, as a household; each row by itself where not given.
        share: share of the customers the budget treats.

    Returns:
        The model, refitted on all rows, where it serves; else none, and the words say why.

    Raises:
        SchemaError: columns that are not numbers.
    """
    check_numeric(X)
    values = _matrix(as_stored(X))
    trial = Trial.of(1.0 - np.asarray(churned, dtype=np.float64), treated, propensity, unit)
    if short := shortage(trial):
        return FittedUplift(None, UpliftDecision(False, f"The uplift model does not serve: {short}.", share))
    with threadpool_limits(limits=1):  # the bytes must not depend on how many cores there are
        return _judged(values, trial, tuple(X.columns), share=share, seed=seed)


def _judged(
    values: Matrix, trial: Trial, features: tuple[str, ...], *, share: float, seed: int
) -> FittedUplift:
    arm = trial.treated.astype(np.int64)
    chance = np.column_stack([1 - trial.chance, trial.chance])
    seen = out_of_fold(values, trial.outcome, arm, chance, trial.unit, seed=seed)
    decision = decide(seen, share=share, seed=seed)
    if not decision.serves:
        return FittedUplift(None, decision)
    fitted = tuple(each.fit(values, trial.outcome, arm, chance) for each in learners(seed))
    return FittedUplift(UpliftModel(features, fitted, Line.fit(seen)), decision)


def _matrix(X: pd.DataFrame) -> Matrix:
    return np.ascontiguousarray(X.to_numpy(np.float32))
