"""What a control group can and cannot show, before anybody looks at outcomes."""

import math

from scipy.stats import norm

_Z = float(norm.ppf(0.975) + norm.ppf(0.8))


def detectable_effect(churn_rate: float, *, treated: int, control: int) -> float | None:
    """Return the smallest absolute difference of churn that a comparison would find.

    Args:
        churn_rate: expected churn without action, 0 to 1.
        treated: units that get the action.
        control: units planned for it from whom it is withheld.

    Returns:
        A difference of churn rates, found with 80 % power at the 5 % level, two-sided; none where an arm is
        empty.

    Source: normal approximation for two proportions with equal variance.

    Examples:
        >>> round(detectable_effect(0.2, treated=8_000, control=2_000), 4)
        0.028
        >>> detectable_effect(0.2, treated=80, control=0)
    """
    if treated == 0 or control == 0:
        return None
    return _Z * math.sqrt(churn_rate * (1 - churn_rate) * (1 / treated + 1 / control))


def units_to_detect(effect: float, churn_rate: float, *, withheld_share: float) -> int | None:
    """Return how many planned units, both arms together, would show an effect of this size.

    Args:
        effect: absolute difference of churn.
        churn_rate: expected churn without action, 0 to 1.
        withheld_share: share of the planned units from whom the action is withheld.

    Returns:
        A number of units; none where there is no effect or no control.

    Examples:
        >>> units_to_detect(0.0280, 0.2, withheld_share=0.2)
        10012
    """
    if effect == 0 or not 0 < withheld_share < 1:
        return None
    spread = churn_rate * (1 - churn_rate) * (1 / (1 - withheld_share) + 1 / withheld_share)
    return math.ceil((_Z / effect) ** 2 * spread)
