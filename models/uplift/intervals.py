"""An estimate with its 95 % interval, by resampling or by the spread of units."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from models.bootstrap import interval

Array = npt.NDArray[np.float64]
Units = npt.NDArray[np.generic]

_NORMAL_975 = float(norm.ppf(0.975))


class Interval(NamedTuple):
    """An estimate and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def worded(self) -> str:
        """Return it in thousandths, the unit in which effects per customer are read.

        >>> Interval(0.0071, 0.0054, 0.0089).worded()
        '7.1 [5.4, 8.9] per 1,000'
        """
        value, low, high = (f"{1000 * each:.1f}" for each in self)
        return f"{value} [{low}, {high}] per 1,000"


def resampled_interval(value: float | np.float64, draws: Array) -> Interval:
    """Put the middle 95 % of resampled values around an estimate."""
    low, high = interval(draws)
    return Interval(float(value), np.nan if low is None else low, np.nan if high is None else high)


def mean_with_interval(values: Array, unit: Units) -> Interval:
    """Return a mean with its 95 % interval; rows of a unit vary together.

    Args:
        values: one per row.
        unit: what was randomised together.

    >>> mean = mean_with_interval(np.array([1.0, 3.0]), np.array(["a", "b"]))  # 2 +- 1.96 x sqrt(1 + 1) / 2
    >>> round(mean.low, 2), round(mean.high, 2)
    (0.61, 3.39)
    """
    mean, spread = float(values.mean()), standard_error(values - values.mean(), unit)
    return Interval(mean, mean - _NORMAL_975 * spread, mean + _NORMAL_975 * spread)


def standard_error(strays: Array, unit: Units) -> float:
    """Return the standard error of a mean of rows whose units are independent.

    Args:
        strays: each row's distance from the mean.
        unit: what was randomised together.
    """
    _, code = np.unique(unit, return_inverse=True)
    return float(np.sqrt((np.bincount(code, strays) ** 2).sum())) / len(strays)
