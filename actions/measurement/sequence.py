"""Intervals that may be looked at every night: they hold at all looks together."""

import math


def always_valid_halfwidth(se: float, *, scale: float, alpha: float = 0.05) -> float:
    """Return the half-width of a confidence sequence around an estimate.

    Args:
        se: standard error of the estimate at this look.
        scale: size of effect for which the sequence is tightest, in the estimate's unit; it must be chosen
            before anybody looks.
        alpha: chance that the truth is ever outside, over all looks.

    Returns:
        Half-width in the estimate's unit: with a normal mixture of effects of sd ``scale`` the likelihood
        ratio against the truth exceeds 1 / alpha at some look with probability alpha at most.

    Source: Robbins (1970) for the mixture; Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2021),
        "Time-uniform central limit theory and asymptotic confidence sequences".

    Examples:
        With ``se = scale`` the squared half-width is 2 ln(2 / .05^2) = 13.37 times the variance.

        >>> round(always_valid_halfwidth(0.02, scale=0.02), 4)
        0.0731
    """
    ratio = (scale / se) ** 2
    return se * math.sqrt((1 + 1 / ratio) * math.log((1 + ratio) / alpha**2))
