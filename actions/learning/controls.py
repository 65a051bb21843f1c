"""The untreated churn behind each action: its own few controls, helped by those of others as far as they agree.

What controls do beyond their predicted risk differs between actions by how triggers and the optimiser select: partly
in all cells alike, partly cell by cell. How far is averaged over what all controls make likely: actions whose controls
agree help each other, and where they differ each speaks for itself.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_APART = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08)
"""Standard deviations tried, of the actions' levels and of their cells around them; share of churners."""
_EXPECTED_BY_ACTION, _EXPECTED_BY_CELL = 0.01, 0.005


@dataclass(frozen=True)
class Controls:
    """What the controls of each action did in each place, a cell in the period of one salt.

    Attributes:
        above: (rows,), their churn beyond the predicted risk; 0 where there is none.
        noise: (rows,), its sampling variance; infinite where there is none.
        action: (rows,), number of the action.
        place: (rows,), number of the place; every place has controls of some action.
    """

    above: Floats
    noise: Floats
    action: Places
    place: Places

    def untreated(self) -> tuple[Floats, Floats]:
        """Estimate the churn beyond predicted risk of those planned for each action, had nobody been sent it.

        Returns:
            (rows,) means and (rows, rows) covariances; between actions they are left out.

        Source: Robinson, That BLUP is a good thing, Statistical Science 6 (1991); Patterson and Thompson,
        Recovery of inter-block information, Biometrika 58 (1971), for the restricted likelihood.

        Examples:
            >>> above, noise = np.array([0.0, 0.5]), np.array([0.0002, 0.0625])
            >>> Controls(above, noise, np.arange(2), np.zeros(2, dtype=int)).untreated()[0].round(3)
            array([0.002, 0.003])
        """
        fits = [_Fit.of(self, *apart) for apart in product(_APART, _APART)]
        told = np.array([fit.told for fit in fits])
        chance = np.exp(told - told.max())
        chance /= chance.sum()
        mean = chance @ np.array([fit.mean for fit in fits])
        covariance = np.zeros((len(mean), len(mean)))
        for share, fit in zip(chance, fits, strict=True):
            away = fit.mean - mean
            covariance += np.diag(share * fit.own) + share * (
                fit.shared @ fit.shared.T + np.outer(away, away)
            )
        return mean, covariance * (self.action[:, None] == self.action)


@dataclass(frozen=True)
class _Fit:
    """What the controls tell if those of different actions lie so far apart.

    Attributes:
        told: logarithm of how likely that distance is, but for a constant.
        mean: (rows,), untreated churn beyond predicted risk.
        own: (rows,), the part of its variance that no other row shares.
        shared: (rows, causes), what each common cause, the level of a place or of an action, adds.
    """

    told: float
    mean: Floats
    own: Floats
    shared: Floats

    @classmethod
    def of(cls, controls: Controls, by_action: float, by_cell: float) -> "_Fit":
        """Solve the mixed model with given standard deviations of the actions' levels, and of their cells'."""
        action, place = controls.action, controls.place
        weight = 1 / (controls.noise + by_cell**2)
        of_action, of_place = _indicators(action), _indicators(place)
        seen = (of_action.T * weight) @ of_place
        pull = by_action**2 / (1 + by_action**2 * seen.sum(axis=1))
        precision = np.diag(seen.sum(axis=0)) - (seen.T * pull) @ seen
        weighed = weight * controls.above
        level = np.linalg.solve(precision, of_place.T @ weighed - seen.T @ (pull * (of_action.T @ weighed)))
        left = controls.above - level[place]
        moved = of_action.T @ (weight * left)
        unknown = 1 - by_cell**2 * weight
        mean = level[place] + by_cell**2 * weight * left + unknown * (pull * moved)[action]
        levels = unknown[:, None] * (of_place - (pull[:, None] * seen)[action])
        half = np.linalg.cholesky(precision)
        told = np.log(weight[weight > 0]).sum() / 2 - np.log1p(by_action**2 * seen.sum(axis=1)).sum() / 2
        told -= np.log(np.diag(half)).sum() + (weight @ left**2 - pull @ moved**2) / 2
        told -= by_action / _EXPECTED_BY_ACTION + by_cell / _EXPECTED_BY_CELL
        shared = np.column_stack([unknown * np.sqrt(pull)[action], np.linalg.solve(half, levels.T).T])
        return cls(float(told), mean, by_cell**2 * unknown, shared)


def _indicators(numbers: Places) -> Floats:
    return np.eye(numbers.max(initial=-1) + 1)[numbers]
