"""Uplift meta-learners in scikit-learn's manner: features, outcome, arm and its chance to effects per arm.

Every learner is a fixed sum of regressions, which is also how it is stored. The outcome is good where it is high.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from models.uplift.logistic import ArmLogit
from models.uplift.policies import Arms, aipw_scores, chances
from models.uplift.trees import Array, Matrix, Trees, grow

Part = Trees | ArmLogit

_INNER_FOLDS = 3


class UpliftLearner(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn ships no types
    """What all learners share: the sum of regressions.

    Args:
        seed: seed of sampling and inner folds.

    Attributes:
        parts_: fitted regressions.
        mix_: shape ``(arms, parts)``: effect of an arm as a sum of the parts.
    """

    name: ClassVar[str]
    part: ClassVar[type[Part]] = Trees

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Matrix, y: npt.ArrayLike, treatment: npt.ArrayLike, propensity: npt.ArrayLike) -> Self:
        """Learn the effect of each arm against arm 0.

        Args:
            X: features; missing is NaN.
            y: outcome, good where high.
            treatment: arm of each row, 0 for control.
            propensity: chance of each arm, shape ``(arms + 1,)`` or ``(rows, arms + 1)``.
        """
        outcome, arm = np.asarray(y, dtype=np.float64), np.asarray(treatment, dtype=np.int64)
        self.parts_, self.mix_ = self._fitted(X, outcome, arm, chances(propensity, len(outcome)))
        return self

    def predict(self, X: Matrix) -> Array:
        """Return the expected effect of each arm against arm 0, shape ``(rows, arms)``."""
        effect = np.zeros((len(X), len(self.mix_)))
        for part, mix in zip(self.parts_, self.mix_.T, strict=True):
            effect += np.outer(part.predict(X), mix)
        return effect

    def to_plain(self) -> dict[str, Any]:
        """Return the fitted learner in lists, dicts, words and numbers."""
        return {"seed": self.seed, "mix": self.mix_.tolist(), "parts": [asdict(part) for part in self.parts_]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the learner that ``to_plain`` described."""
        learner = cls(seed=plain["seed"])
        learner.mix_ = np.array(plain["mix"])
        learner.parts_ = [cls.part.from_plain(part) for part in plain["parts"]]
        return learner

    @abstractmethod
    def _fitted(self, X: Matrix, y: Array, arm: Arms, chance: Array) -> tuple[Sequence[Part], Array]:
        """Return the fitted regressions and how they are summed up."""


class TLearner(UpliftLearner):
    """One regression of the outcome per arm; effects are their differences."""

    name = "T-learner"

    def _fitted(self, X: Matrix, y: Array, arm: Arms, chance: Array) -> tuple[Sequence[Part], Array]:
        return by_arm(X, y, arm, seed=self.seed, arms=chance.shape[1]), _differences(chance.shape[1])

    def outcomes(self, X: Matrix) -> Array:
        """Return the expected outcome under each arm, shape ``(rows, arms + 1)``."""
        return np.column_stack([part.predict(X) for part in self.parts_])


class XLearner(UpliftLearner):
    """Regress what each arm's outcome was beyond what the other arm led to expect; good with uneven arms.

    Source: Kuenzel, Sekhon, Bickel, Yu (2019), PNAS 116(10).
    """

    name = "X-learner"

    def _fitted(self, X: Matrix, y: Array, arm: Arms, chance: Array) -> tuple[Sequence[Part], Array]:
        expected = np.column_stack(
            [part.predict(X) for part in by_arm(X, y, arm, seed=self.seed, arms=chance.shape[1])]
        )
        without = arm == 0
        parts, mix = [], np.zeros((chance.shape[1] - 1, 2 * chance.shape[1] - 2))
        for each in range(1, chance.shape[1]):
            given = arm == each
            parts.append(grow(X[without], expected[without, each] - y[without], seed=self.seed))
            parts.append(grow(X[given], y[given] - expected[given, 0], seed=self.seed))
            share = chance[:, each].mean() / (chance[:, each].mean() + chance[:, 0].mean())
            mix[each - 1, 2 * each - 2 : 2 * each] = share, 1 - share
        return parts, mix


class DRLearner(UpliftLearner):
    """Regress the difference of doubly robust scores from inner folds.

    Source: Kennedy (2023), Electronic Journal of Statistics 17(2).
    """

    name = "DR-learner"

    def _fitted(self, X: Matrix, y: Array, arm: Arms, chance: Array) -> tuple[Sequence[Part], Array]:
        expected = np.empty(chance.shape)
        fold = np.random.default_rng(self.seed).permutation(len(y)) % _INNER_FOLDS
        for each in range(_INNER_FOLDS):
            seen = fold != each
            parts = by_arm(X[seen], y[seen], arm[seen], seed=self.seed, arms=chance.shape[1])
            expected[~seen] = np.column_stack([part.predict(X[~seen]) for part in parts])
        scores = aipw_scores(y, arm, chance, expected)
        arms = range(1, chance.shape[1])
        return [grow(X, scores[:, each] - scores[:, 0], seed=self.seed) for each in arms], np.eye(len(arms))


class LogisticTLearner(UpliftLearner):
    """One ridge logistic per arm; effects are differences of probabilities."""

    name = "logistic T-learner"
    part = ArmLogit

    def _fitted(self, X: Matrix, y: Array, arm: Arms, chance: Array) -> tuple[Sequence[Part], Array]:
        arms = chance.shape[1]
        return ArmLogit.of_arms(X, y, arm, arms), _differences(arms)


LEARNERS: Mapping[str, type[UpliftLearner]] = {
    each.name: each for each in (TLearner, XLearner, DRLearner, LogisticTLearner)
}


def by_arm(X: Matrix, y: Array, arm: Arms, *, seed: int, arms: int) -> list[Trees]:
    """Regress the outcome on the features within each arm, 0 first."""
    return [grow(X[arm == each], y[arm == each], seed=seed) for each in range(arms)]


def _differences(arms: int) -> Array:
    return np.column_stack([-np.ones(arms - 1), np.eye(arms - 1)])
