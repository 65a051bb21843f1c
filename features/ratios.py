"""Division with a declared answer where nothing can be divided."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Floats:
    """Divide, missing wherever the denominator is zero or either side is missing; never infinite.

    Examples:
        >>> ratio([6.0, 1.0, 0.0], [3.0, 0.0, 0.0]).tolist()
        [2.0, nan, nan]
    """
    bottom = np.asarray(denominator, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: Floats = np.asarray(numerator, np.float64) / bottom
    # Faster than dividing only where it is allowed: that way numpy gives up vector instructions.
    quotient[np.broadcast_to(bottom == 0, quotient.shape)] = np.nan
    return quotient
