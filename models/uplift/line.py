"""From scores to effects: how much of what scores tell apart held on rows they had not seen."""

from dataclasses import dataclass
from typing import Self

from models.uplift.intervals import standard_error
from models.uplift.out_of_fold import OutOfFold
from models.uplift.trees import Array

_NO_SPREAD = 1e-12


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

    def effect(self, distance: Array) -> Array:
        """Return the effect of scores so far from the centre.

        >>> import numpy as np
        >>> Line(0.05, 0.5, 0.0, 0.01, 0.1).effect(np.array([-0.2, 0.02]))
        array([-0.05,  0.06])
        """
        return self.average + self.slope * distance
