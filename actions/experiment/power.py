"""What a control group can and cannot show, before anybody looks at outcomes."""

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

_Z = float(norm.ppf(0.975) + norm.ppf(0.8))


def detectable_effect(
    churn_rate: float, *, treated: float, control: float, explained: float = 0.0
) -> float | None:
    """Return the smallest absolute difference of churn that a comparison would find.

    Args:
        churn_rate: expected churn without action, 0 to 1.
        treated: units that get the action.
        control: units planned for it from whom it is withheld.
        explained: share of the outcomes' variance that the covariates of the reading explain, 0 to 1.

    Returns:
        A difference of churn rates, found with 80 % power at the 5 % level, two-sided; none where an arm is
        empty.

    Source: normal approximation for two proportions with equal variance; Lin, Agnostic notes on regression
    adjustments, AoAS 2013, for what covariates take off the variance.

    Examples:
        >>> round(detectable_effect(0.2, treated=8_000, control=2_000), 4)
        0.028
        >>> round(detectable_effect(0.2, treated=8_000, control=2_000, explained=0.75), 4)
        0.014
        >>> detectable_effect(0.2, treated=80, control=0)
    """
    if treated == 0 or control == 0:
        return None
    return _Z * math.sqrt(_variance(churn_rate, explained) * (1 / treated + 1 / control))


def units_to_detect(
    effect: float, churn_rate: float, *, control_share: float, explained: float = 0.0
) -> int | None:
    """Return how many compared units, both arms together, would show an effect of this size.

    Args:
        effect: absolute difference of churn.
        churn_rate: expected churn without action, 0 to 1.
        control_share: share of the compared units that the action is withheld from.
        explained: share of the outcomes' variance that the covariates of the reading explain, 0 to 1.

    Returns:
        A number of units; none where there is no effect or no control.

    Examples:
        >>> units_to_detect(0.0280, 0.2, control_share=0.2)
        10012
        >>> units_to_detect(0.0280, 0.2, control_share=0.2, explained=0.75)
        2503
    """
    if effect == 0 or not 0 < control_share < 1:
        return None
    spread = _variance(churn_rate, explained) * (1 / (1 - control_share) + 1 / control_share)
    needed = (_Z / effect) * (_Z / effect) * spread
    return math.ceil(needed) if math.isfinite(needed) else None


def explained_by_score(churn_risk: npt.NDArray[np.float64]) -> float:
    """Return which share of the variance of churn a calibrated score explains: ``var(r) / (p (1 - p))``.

    Args:
        churn_risk: calibrated probability of churn per unit.

    Returns:
        A share from 0 (all alike) to 1 (everybody known for sure).

    Examples:
        >>> round(explained_by_score(np.array([0.1, 0.3])), 4)  # .01 of .2 * .8
        0.0625
    """
    rate = float(churn_risk.mean())
    return float(churn_risk.var()) / (rate * (1 - rate)) if 0 < rate < 1 else 0.0


def _variance(churn_rate: float, explained: float) -> float:
    return churn_rate * (1 - churn_rate) * (1 - explained)
