"""The uplift model of one action: how much it lowers each customer's churn, trained on what was sent and withheld."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from models.columns import as_stored, as_trained, check_numeric
from models.uplift.gate import Stakes, UpliftDecision, decide, shortage
from models.uplift.learners import LEARNERS, UpliftLearner
from models.uplift.line import Line
from models.uplift.metrics import TOP, Trial
from models.uplift.out_of_fold import learners, out_of_fold
from models.uplift.trees import Array, Matrix
from tables.errors import RegistryError

_FORMAT = 1
_ROWS_AT_A_TIME = (
    65_536  # as in scoring: a million customers then need little more memory than their features
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
        return self.line.effect(distance), np.hypot(self.line.average_error, self.line.slope_error * distance)

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


Today = Callable[[npt.NDArray[np.bool_]], Array]
"""From the rows it may learn from to the effect that today's rule believes for each row."""


def fit_uplift(
    X: pd.DataFrame,
    churned: npt.ArrayLike,
    treated: npt.ArrayLike,
    propensity: npt.ArrayLike,
    *,
    seed: int,
    unit: npt.ArrayLike | None = None,
    judged: npt.ArrayLike = True,
    share: float = TOP,
    margin: npt.ArrayLike = 1.0,
    cost: float = 0.0,
    today: Today | None = None,
) -> FittedUplift:
    """Train the uplift model of one action on its sent and withheld rows, and judge whether it may serve.

    Args:
        X: features as known when the action was planned; missing is NaN.
        churned: 1 where the customer left.
        treated: 1 where the action was sent, 0 where it was withheld.
        propensity: chance of being sent among the sent and withheld, of all rows or of each.
        seed: seed of folds and sampling; with the same rows in the same order it gives the same bytes.
        unit: what was randomised together, as a household; each row by itself where not given.
        judged: which rows, the newest say, decide whether it serves and how far its scores are drawn in.
        share: share of the customers who get the action.
        margin: what keeping each customer is worth, currency units; all alike where not given.
        cost: what a contact costs, currency units.
        today: the rule by which the action is given while no model serves; everybody alike where not given.

    Returns:
        The model, refitted on all rows, where it serves; else none, and the words say why.

    Raises:
        SchemaError: columns that are not numbers.
    """
    check_numeric(X)
    values = _matrix(as_stored(X))
    trial = Trial.of(1.0 - np.asarray(churned, dtype=np.float64), treated, propensity, unit)
    asked = np.broadcast_to(np.asarray(judged, dtype=bool), len(X))
    if short := shortage(trial.take(asked)):
        return FittedUplift(None, UpliftDecision(False, f"The uplift model does not serve: {short}.", share))
    with threadpool_limits(limits=1):  # the bytes must not depend on how many cores there are
        arm = trial.treated.astype(np.int64)
        chance = np.column_stack([1 - trial.chance, trial.chance])
        seen = out_of_fold(values, trial.outcome, arm, chance, trial.unit, seed=seed)
        believed = np.zeros(len(X)) if today is None else seen.learnt(today)
        worth = np.broadcast_to(np.asarray(margin, dtype=np.float64), len(X))
        newest = seen.take(asked)
        decision = decide(newest, Stakes(share, worth[asked], cost, believed[asked]), seed=seed)
        if not decision.serves:
            return FittedUplift(None, decision)
        fitted = tuple(each.fit(values, trial.outcome, arm, chance) for each in learners(seed))
    return FittedUplift(UpliftModel(tuple(X.columns), fitted, Line.fit(newest)), decision)


def _matrix(X: pd.DataFrame) -> Matrix:
    return np.ascontiguousarray(X.to_numpy(np.float32))
