"""How well a ranking finds those whom an action helps: gain curve, area, Qini, uplift of the top.

``gain(share)`` is the uplift among the first ``share`` of the ranking times that share: outcomes won per customer if
so many were treated. The area under it less that of a random ranking (half the average uplift) is the Qini, in
outcomes per customer, without any normalisation: packages differ there, figures compare only within one definition.
Customers with equal scores are never put in an order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from models.bootstrap import customer_weights, draws_for
from models.uplift.intervals import Interval, resampled_interval

Array = npt.NDArray[np.float64]

TOP = 0.30


class GainCurve(NamedTuple):
    """Gain by share treated, from nobody to everybody.

    Attributes:
        share: share of the customers treated, rising from 0 to 1.
        gain: outcomes won per customer of the whole population.
    """

    share: Array
    gain: Array

    @property
    def area(self) -> float:
        """Area under the curve (AUUC)."""
        return float(np.trapezoid(self.gain, self.share))

    @property
    def qini(self) -> float:
        """Area above that of a random ranking, outcomes per customer."""
        return self.area - float(self.gain[-1]) / 2

    def uplift_of_top(self, share: float) -> float:
        """Return the average uplift among the best-ranked ``share``."""
        return float(np.interp(share, self.share, self.gain)) / share


@dataclass(frozen=True)
class Trial:
    """Rows of a randomised comparison of one action with none.

    Attributes:
        outcome: good where high.
        treated: whether each row was given the action.
        chance: each row's chance of being treated, between 0 and 1.
        unit: what was randomised together; rows of a unit are drawn together.
    """

    outcome: Array
    treated: npt.NDArray[np.bool_]
    chance: Array
    unit: npt.NDArray[np.generic]

    @classmethod
    def of(
        cls,
        outcome: npt.ArrayLike,
        treated: npt.ArrayLike,
        chance: npt.ArrayLike,
        unit: npt.ArrayLike | None = None,
    ) -> Self:
        """Put arrays, or one chance for all rows, into a trial; each row is its own unit where none is given."""
        good = np.asarray(outcome, dtype=np.float64)
        rows = len(good)
        return cls(
            good,
            np.asarray(treated, dtype=bool),
            np.broadcast_to(np.asarray(chance, dtype=np.float64), rows),
            np.arange(rows) if unit is None else np.asarray(unit),
        )

    def take(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Return some of the rows."""
        return type(self)(self.outcome[rows], self.treated[rows], self.chance[rows], self.unit[rows])


@dataclass(frozen=True, slots=True)
class Ranked:
    """A trial sorted once by one ranking, ready to be weighed many times.

    Attributes:
        order: row numbers, best first.
        last: position in ``order`` of the last row of each group of equal scores.
        arms: per arm (control, treated) one over the chance of that arm for its rows and 0 for others, in ``order``.
        outcome: outcomes in ``order``.
    """

    order: npt.NDArray[np.intp]
    last: npt.NDArray[np.intp]
    arms: tuple[Array, Array]
    outcome: Array

    @classmethod
    def of(cls, score: npt.ArrayLike, trial: Trial) -> Self:
        """Sort a trial by score, highest first."""
        scores = np.asarray(score, dtype=np.float64)
        order = np.argsort(-scores, kind="stable")
        last = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
        treated, chance = trial.treated[order], trial.chance[order]
        arms = np.where(treated, 0.0, 1 / (1 - chance)), np.where(treated, 1 / chance, 0.0)
        return cls(order, last, arms, trial.outcome[order])

    def curve(self, weight: Array | None = None) -> GainCurve:
        """Return the gain curve.

        Args:
            weight: count of each row in its original order; each row once where not given.

        Returns:
            Points at the ends of groups of equal scores; the gain is 0 until both arms have been met.
        """
        weights = np.ones(len(self.order)) if weight is None else weight[self.order]
        without, given = (self._running_mean(weights * arm) for arm in self.arms)
        customers = np.cumsum(weights)[self.last]
        uplift = np.nan_to_num(given - without)
        share = customers / customers[-1]
        return GainCurve(np.r_[0.0, share], np.r_[0.0, uplift * share])

    def _running_mean(self, weight: Array) -> Array:
        total = np.cumsum(weight)[self.last]
        with np.errstate(invalid="ignore"):
            return np.asarray(np.cumsum(weight * self.outcome)[self.last] / total)


def gain_curve(score: npt.ArrayLike, trial: Trial) -> GainCurve:
    """Return the gain by share treated when the highest scores are treated first.

    Args:
        score: one per row; its order alone counts.
        trial: outcome, arm and chance of each row.

    >>> trial = Trial.of(outcome=[1, 0, 1, 1], treated=[1, 0, 1, 0], chance=0.5)
    >>> curve = gain_curve([4, 3, 2, 1], trial)  # uplift of the first 2 is 1 - 0, of all 4 it is 1 - 1/2
    >>> curve.gain.tolist(), curve.uplift_of_top(0.5), curve.qini
    ([0.0, 0.0, 0.5, 0.75, 0.5], 1.0, 0.125)

    Source: Gutierrez, Gerardy (2017), PMLR 67, with means weighed by the chance of the arm.
    """
    return Ranked.of(score, trial).curve()


class RankingRow(NamedTuple):
    """What a ranking is worth.

    Attributes:
        ranking: its name.
        qini: outcomes per customer above a random ranking.
        top: uplift among the best ``TOP`` of the ranking.
        apart: its Qini less that of the reference.
    """

    ranking: str
    qini: Interval
    top: Interval
    apart: Interval


def compare_rankings(
    scores: Mapping[str, npt.ArrayLike], trial: Trial, *, reference: str, seed: int
) -> tuple[RankingRow, ...]:
    """Value several rankings on the same rows and the same resampled units.

    Args:
        scores: by name, one score per row, or several columns of repetitions whose figures are averaged.
        trial: outcome, arm and chance of each row.
        reference: name of the ranking from which the others' distance is told.
        seed: seed of the resampling.

    Returns:
        One row per ranking, best Qini first.
    """
    ranked = {
        name: [Ranked.of(column, trial) for column in np.atleast_2d(np.asarray(each, dtype=np.float64).T)]
        for name, each in scores.items()
    }
    weights = customer_weights(trial.unit, seed=seed, draws=draws_for(len(trial.outcome)))
    drawn = np.array([[_figures(each, weight) for each in ranked.values()] for weight in weights])
    found = np.array([_figures(each, None) for each in ranked.values()])
    at = list(ranked).index(reference)
    rows = [
        RankingRow(
            name,
            qini=resampled_interval(found[i, 0], drawn[:, i, 0]),
            top=resampled_interval(found[i, 1], drawn[:, i, 1]),
            apart=resampled_interval(found[i, 0] - found[at, 0], drawn[:, i, 0] - drawn[:, at, 0]),
        )
        for i, name in enumerate(ranked)
    ]
    return tuple(sorted(rows, key=lambda row: -row.qini.value))


def _figures(repetitions: list[Ranked], weight: Array | None) -> Array:
    curves = [each.curve(weight) for each in repetitions]
    return np.asarray(np.mean([[curve.qini, curve.uplift_of_top(TOP)] for curve in curves], axis=0))
