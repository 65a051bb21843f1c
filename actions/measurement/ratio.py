"""The sample-ratio check: did chance alone decide who was sent an action and who was not?"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

BLOCKED_BELOW = 0.001


@dataclass(frozen=True)
class SampleRatio:
    """How many units each arm has, and how likely so odd a ratio is by chance.

    Attributes:
        treated: units the action was not withheld from.
        control: units it was withheld from.
        expected_control: control units to expect from the shares drawn.
        p: chance of a ratio at least as odd; 1 where nothing was drawn.
    """

    treated: int
    control: int
    expected_control: float
    p: float

    @property
    def is_blocked(self) -> bool:
        """Whether something besides chance moved units between the arms, so that nothing may be read."""
        return self.p < BLOCKED_BELOW

    def answer(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {**asdict(self), "is_blocked": self.is_blocked}


def sample_ratio(is_control: npt.NDArray[np.bool_], share: npt.NDArray[np.float64]) -> SampleRatio:
    """Test whether as many units are in control as the draw says.

    Args:
        is_control: one flag per unit.
        share: chance of control of each unit, 0 to 1; equal for all, or one per salt.

    Returns:
        The counts and a chi-squared test with one degree of freedom.

    Source: Fabijan et al. (2019), "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD.

    Examples:
        Of a hundred units a fifth is to be in control; with 10 the squared distance is 10^2 / 16 = 6.25.

        >>> found = sample_ratio(np.arange(100) < 10, np.full(100, 0.2))
        >>> round(found.expected_control, 6), round(found.p, 4), found.is_blocked
        (20.0, 0.0124, False)
    """
    expected, spread = float(share.sum()), float((share * (1 - share)).sum())
    control = int(is_control.sum())
    p = float(chi2.sf((control - expected) ** 2 / spread, 1)) if spread > 0 else 1.0
    return SampleRatio(len(share) - control, control, expected, p)
