"""What a policy would have been worth, from rows whose arm was drawn: by weighting, and doubly robust.

A policy is a matrix of shares: row by row the share it gives to each arm. What treats a random third is a third of
everybody, so that no policy needs a draw to be valued.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.uplift.intervals import Interval, Units, mean_with_interval

Array = npt.NDArray[np.float64]
Arms = npt.NDArray[np.int64]


class PolicyValue(NamedTuple):
    """What a policy brings per customer.

    Attributes:
        doubly_robust: mean outcome with its 95 % interval (AIPW).
        weighted: the same by inverse chances alone (IPS); far from the other, the regressions or chances are wrong.
        effective_rows: how many equally weighed rows the weighting is worth.
        treated: share of the customers given another arm than 0.
    """

    doubly_robust: Interval
    weighted: Interval
    effective_rows: float
    treated: float


class Experiment(NamedTuple):
    """Rows whose arm was drawn with known chances.

    Attributes:
        outcome: good where high.
        arm: arm of each row, 0 for none.
        chance: chance of each arm, shape ``(rows, arms)``.
        expected: expected outcome under each arm by regressions that did not see the row's unit.
        unit: what was drawn together.
    """

    outcome: Array
    arm: Arms
    chance: Array
    expected: Array
    unit: Units

    @property
    def scores(self) -> Array:
        """Each row's doubly robust score of every arm."""
        return aipw_scores(self.outcome, self.arm, self.chance, self.expected)

    def take(self, rows: npt.NDArray[np.bool_]) -> "Experiment":
        """Return some of the rows."""
        drawn = self.arm[rows], self.chance[rows], self.expected[rows], self.unit[rows]
        return Experiment(self.outcome[rows], *drawn)

    def times(self, worth: Array) -> "Experiment":
        """Return the experiment whose outcome counts as much as each row is worth."""
        return self._replace(outcome=self.outcome * worth, expected=self.expected * worth[:, None])


def chances(propensity: npt.ArrayLike, rows: int) -> Array:
    """Spread the chances of the arms over all rows.

    >>> chances([0.2, 0.8], 2)
    array([[0.2, 0.8],
           [0.2, 0.8]])
    """
    given = np.asarray(propensity, dtype=np.float64)
    return np.broadcast_to(given, (rows, given.shape[-1]))


def aipw_scores(outcome: Array, arm: Arms, chance: Array, expected: Array) -> Array:
    """Return scores whose mean per arm is the mean outcome if everybody had that arm.

    Args:
        outcome: of each row.
        arm: arm of each row.
        chance: chance of each arm, shape ``(rows, arms)``.
        expected: expected outcome under each arm, of any quality; a good one narrows the intervals.

    >>> aipw_scores(np.array([1.0]), np.array([1]), np.array([[0.5, 0.5]]), np.array([[0.2, 0.6]]))
    array([[0.2, 1.4]])

    Source: Robins, Rotnitzky, Zhao (1994), JASA 89(427).
    """
    scores = expected.copy()
    rows = np.arange(len(outcome))
    scores[rows, arm] += (outcome - expected[rows, arm]) / chance[rows, arm]
    return scores


def value_of(policy: Array, rows: Experiment) -> PolicyValue:
    """Value a policy on rows whose arm was drawn.

    Args:
        policy: share of each arm, shape ``(rows, arms)``, rows adding up to 1.
        rows: the experiment; a policy learnt from it must not have seen the rows it decides on.
    """
    at = np.arange(len(rows.arm))
    weight = policy[at, rows.arm] / rows.chance[at, rows.arm]
    return PolicyValue(
        doubly_robust=mean_with_interval((policy * rows.scores).sum(axis=1), rows.unit),
        weighted=mean_with_interval(weight * rows.outcome, rows.unit),
        effective_rows=effective_rows(weight),
        treated=float(1 - policy[:, 0].mean()),
    )


def difference_of(policy: Array, rival: Array, rows: Experiment) -> Interval:
    """Return by how much a policy beats a rival on the same rows, doubly robust.

    Args:
        policy: share of each arm, shape ``(rows, arms)``.
        rival: likewise.
        rows: the experiment.
    """
    return mean_with_interval(((policy - rival) * rows.scores).sum(axis=1), rows.unit)


def effective_rows(weight: Array) -> float:
    """Return how many equally weighed rows weights are worth: 0 where all are 0.

    >>> effective_rows(np.array([1.0, 1.0, 0.0])), effective_rows(np.array([0.0]))
    (2.0, 0.0)
    """
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def top_share(score: Array, share: float) -> Array:
    """Return how much of each row lies within the best share; equal scores at its edge lie in it in part.

    >>> top_share(np.array([3.0, 1.0, 1.0, 0.0]), 0.5)
    array([1. , 0.5, 0.5, 0. ])
    """
    places = share * len(score)
    _, group, size = np.unique(-score, return_inverse=True, return_counts=True)
    before = np.cumsum(size) - size
    inside: Array = np.clip((places - before) / size, 0.0, 1.0)[group]
    return inside


def budgeted(effect: Array, share: float) -> Array:
    """Give those of the largest effect their best arm, and the others none.

    Args:
        effect: effect of each arm but 0, shape ``(rows, arms - 1)``.
        share: share of the rows treated.

    >>> budgeted(np.array([[0.1, 0.3], [0.2, 0.1]]), 0.5)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    inside = top_share(effect.max(axis=1), share)
    policy = np.zeros((len(effect), effect.shape[1] + 1))
    policy[:, 0] = 1 - inside
    policy[np.arange(len(effect)), effect.argmax(axis=1) + 1] = inside
    return policy


def single(arm: int, share: float, *, rows: int, arms: int) -> Array:
    """Give one arm to a share of the rows, chosen at random.

    >>> single(1, 0.25, rows=1, arms=3)
    array([[0.75, 0.25, 0.  ]])
    """
    policy = np.zeros((rows, arms))
    policy[:, 0] = 1 - share
    policy[:, arm] += share
    return policy
