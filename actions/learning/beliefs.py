"""From the owner's beliefs to what outcomes say: Gaussian shrinkage of each action's effects, cell by cell.

The effects of an action in all cells are drawn around the owner's belief: partly together (the action works
better or worse than believed everywhere), partly each for itself. Outcomes move both parts, in proportion to
how much they know: an action seen in one cell moves the belief about it in the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from actions.learning.controls import Floats
from actions.learning.evidence import Observed

_TOGETHER = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Belief:
    """What is believed of one action in all cells.

    Attributes:
        mean: (cells,), expected absolute reduction of churn.
        covariance: (cells, cells).
    """

    mean: Floats
    covariance: Floats

    @property
    def sd(self) -> Floats:
        """Standard deviation of each cell's effect."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def of_total(self, factor: Floats) -> tuple[float, float]:
        """Return mean and standard deviation of a weighted sum of the cells' effects."""
        return float(factor @ self.mean), float(np.sqrt(factor @ self.covariance @ factor))


def prior_belief(mean: Floats, sd: Floats, shared: npt.NDArray[np.bool_], *, together: float) -> Belief:
    """Spread the owner's belief over the cells.

    Args:
        mean: (cells,), believed effect.
        sd: (cells,), spread of that belief.
        shared: (cells,), cells that rise and fall together; the others stand alone.
        together: share of the variance that they have in common, 0 to 1.

    Examples:
        >>> one = np.ones(2)
        >>> prior_belief(0.1 * one, 0.2 * one, one.astype(bool), together=0.5).covariance.round(3)
        array([[0.04, 0.02],
               [0.02, 0.04]])
    """
    common = together * np.outer(shared, shared)
    correlation = common + np.diag(1 - np.diag(common))
    return Belief(mean, correlation * np.outer(sd, sd))


def updated(belief: Belief, seen: Observed) -> Belief:
    """Add what the outcomes say to a belief.

    Source: Gelman et al., Bayesian Data Analysis, chapter 5: the normal model with known variances.

    Examples:
        >>> belief = Belief(np.array([0.1]), np.array([[0.04]]))
        >>> said = Observed(np.array([0]), np.array([0.3]), np.array([[0.04]]), *[np.ones(1)] * 3, 0.0, 0.0, 80, 20)
        >>> after = updated(belief, said)
        >>> after.mean.round(3), after.covariance.round(3)
        (array([0.2]), array([[0.02]]))
    """
    if not len(seen.cells):
        return belief
    among = belief.covariance[np.ix_(seen.cells, seen.cells)] + seen.covariance
    gain = np.linalg.solve(among, belief.covariance[seen.cells]).T
    mean = belief.mean + gain @ (seen.effect - belief.mean[seen.cells])
    covariance = belief.covariance - gain @ belief.covariance[seen.cells]
    return Belief(mean, (covariance + covariance.T) / 2)


def surprise(belief: Belief, seen: Observed) -> float:
    """Return minus the logarithm of how likely the outcomes are under a belief, but for a constant."""
    if not len(seen.cells):
        return 0.0
    among = belief.covariance[np.ix_(seen.cells, seen.cells)] + seen.covariance
    away = seen.effect - belief.mean[seen.cells]
    return float(np.linalg.slogdet(among)[1] + away @ np.linalg.solve(among, away)) / 2


def least_surprising(
    means: Floats, sds: Floats, shared: npt.NDArray[np.bool_], seen: Sequence[Observed]
) -> tuple[Belief, ...]:
    """Choose how much the cells of an action have in common as the outcomes of all actions suggest.

    Args:
        means: (actions, cells), believed effects.
        sds: (actions, cells), spread of those beliefs.
        shared: (cells,), cells that rise and fall together.
        seen: outcomes of each action.

    Returns:
        The belief before the outcomes of each action.
    """
    tried = [
        [prior_belief(mean, sd, shared, together=share) for mean, sd in zip(means, sds, strict=True)]
        for share in _TOGETHER
    ]
    told = [sum(surprise(b, s) for b, s in zip(beliefs, seen, strict=True)) for beliefs in tried]
    return tuple(tried[int(np.argmin(told))])


def loss_chance(mean: float, sd: float) -> float:
    """Return the chance that a profit is below zero.

    Examples:
        >>> round(loss_chance(1.0, 1.0), 3)
        0.159
    """
    if sd == 0:
        return float(mean < 0)
    return float(norm.cdf(-mean / sd))
