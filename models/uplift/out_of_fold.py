"""Every learner's effect on rows it has not seen, and the references it is judged beside."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from models.pool import customer_folds
from models.uplift.learners import LEARNERS, TLearner, UpliftLearner
from models.uplift.policies import Arms, Experiment, budgeted
from models.uplift.trees import Array, Matrix

Rows = npt.NDArray[np.bool_]

FOLDS = 5


class OutOfFold(NamedTuple):
    """Predictions for each row by models that did not see its unit.

    Attributes:
        effects: by learner, the effect of each arm, shape ``(rows, arms - 1)``.
        experiment: the rows with the expected outcome under each arm.
        fold: fold of each row; each was predicted by models of its own.
    """

    effects: dict[str, Array]
    experiment: Experiment
    fold: npt.NDArray[np.int64]

    @property
    def mean_effect(self) -> Array:
        """The mean of the learners' effects."""
        return np.asarray(np.mean(list(self.effects.values()), axis=0))

    def ranked(self, score: Array) -> Array:
        """Return each row's rank within its fold as a share of it, lowest first, equal scores alike.

        A fold's level is learnt from the other folds: high where its own is low. Compared across folds, scores would
        rank worse than they do.
        """
        return self._by_fold(lambda rows: rankdata(score[rows]) / rows.sum())

    def centred(self, score: Array) -> Array:
        """Return each score less the mean of its fold."""
        means = np.bincount(self.fold, score) / np.bincount(self.fold)
        return np.asarray(score - means[self.fold])

    def best(self, effect: Array, share: float) -> Array:
        """Return the policy that gives the best share of each fold their best arm.

        Args:
            effect: of each arm but 0, shape ``(rows, arms - 1)``.
            share: share of the rows treated.
        """
        return self._by_fold(lambda rows: budgeted(effect[rows], share))

    def learnt(self, rule: Callable[[Rows], Array]) -> Array:
        """Return what a rule says of each row that it learns from the rows of the other folds.

        Args:
            rule: from the rows it may learn from to one number for each row.
        """
        return self._by_fold(lambda rows: rule(~rows)[rows])

    def take(self, rows: Rows) -> "OutOfFold":
        """Return some of the rows."""
        effects = {name: effect[rows] for name, effect in self.effects.items()}
        return OutOfFold(effects, self.experiment.take(rows), self.fold[rows])

    def _by_fold(self, told: Callable[[Rows], Array]) -> Array:
        parts = np.concatenate([told(self.fold == each) for each in np.unique(self.fold)])
        return np.asarray(parts[np.argsort(np.argsort(self.fold, kind="stable"))])


def learners(seed: int) -> list[UpliftLearner]:
    """Return one learner of each kind, not yet fitted."""
    return [kind(seed=seed) for kind in LEARNERS.values()]


def out_of_fold(
    X: Matrix, y: Array, arm: Arms, chance: Array, unit: npt.NDArray[np.generic], *, seed: int
) -> OutOfFold:
    """Fit every learner without a fifth of the units, five times, and predict that fifth.

    Args:
        X: features; missing is NaN.
        y: outcome, good where high.
        arm: arm of each row, 0 for control.
        chance: chance of each arm, shape ``(rows, arms)``.
        unit: what was randomised together, and stays together here.
        seed: seed of folds and sampling.
    """
    fold = customer_folds(unit, FOLDS, seed)
    effects = {name: np.empty((len(y), chance.shape[1] - 1)) for name in LEARNERS}
    expected = np.empty(chance.shape)
    for each in range(FOLDS):
        seen, held_out = fold != each, fold == each
        for learner in learners(seed + each):
            learner.fit(X[seen], y[seen], arm[seen], chance[seen])
            effects[learner.name][held_out] = learner.predict(X[held_out])
            if isinstance(learner, TLearner):
                expected[held_out] = learner.outcomes(X[held_out])
    return OutOfFold(effects, Experiment(y, arm, chance, expected, unit), fold)
