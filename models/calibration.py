"""From a ranking to probabilities: the level of a date, and the line through the ranking that meets it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from models.level import LevelForecast, LevelSeries, intercept_for, mixed_level
from models.members import LevelCheck, Members
from models.reference import DateReference
from models.settings import Recipe
from tables.errors import DataError

Array = npt.NDArray[np.float64]

_EVEN = 0.5


@dataclass(frozen=True)
class Leveller:
    """What a trained model brings to the level of a later date.

    Attributes:
        recipe: where the level comes from, and whether the ranking is stretched.
        horizon_days: length of the outcome window.
        members: the trained members.
        check: how both forecasts of the level did at the newest training date; ``None`` without one.
        series: churn shares of the training dates.
    """

    recipe: Recipe
    horizon_days: int
    members: Members
    check: LevelCheck | None
    series: LevelSeries

    def levelled(
        self, ranking: Array, mean_risk: float, reference: DateReference, past: LevelSeries
    ) -> DateReference:
        """Forecast the level of a date and find the line from its ranking to probabilities.

        Args:
            ranking: the members' logit of everybody in the date's population.
            mean_risk: mean of the members' ``own_risk`` over the population.
            reference: the date's reference.
            past: churn shares of the dates settled by then.

        Returns:
            The reference with its level.

        Raises:
            DataError: no past date.
        """
        as_of, horizon = reference.as_of, self.horizon_days
        own = self.members.own_level(mean_risk, self.series, as_of, horizon_days=horizon)
        forecast = past.forecast(as_of, mean_no_purchase=reference.mean_no_purchase, horizon_days=horizon)
        weight, slope = self._series_weight(), self._slope()
        uncorrected = self.recipe.level == "uncorrected"
        level = mean_risk if uncorrected else mixed_level(own, forecast, weight)
        return reference.with_level(
            LevelForecast(
                level=level,
                uncorrected=mean_risk,
                own=own,
                series=forecast,
                series_weight=weight,
                slope=slope,
                intercept=intercept_for(slope * ranking, level),
                level_check="none" if self.check is None else self.check.as_of.isoformat(),
            )
        )

    def _slope(self) -> float:
        return 1.0 if self.check is None or not self.recipe.slope else self.check.slope

    def _series_weight(self) -> float:
        if self.recipe.level != "mixed":
            return float(self.recipe.level == "series")
        return _EVEN if self.check is None else self.check.series_weight


def risk_of(ranking: Array, reference: DateReference) -> Array:
    """Return the probability of churning of each row.

    Args:
        ranking: the members' logit of each row.
        reference: the date's reference with its level.

    Raises:
        DataError: the reference has no level, or a risk is not finite.
    """
    if reference.level is None:
        raise DataError(
            f"reference of {reference.as_of}: no level to score with; found none. Call `calibrate` with "
            "the whole population first."
        )
    risk = np.asarray(expit(reference.level.slope * ranking + reference.level.intercept))
    broken = int((~np.isfinite(risk)).sum())
    if broken:
        raise DataError(
            f"scores of {reference.as_of}: risks that are not finite; found {broken}. Check the features."
        )
    return risk
