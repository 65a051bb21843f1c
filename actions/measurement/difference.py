"""The intent-to-treat difference of two arms: adjusted by a frozen score, with intervals clustered by unit."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from actions.measurement.sequence import always_valid_halfwidth

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST_UNITS = 10
"""Arms of which one has fewer units are not compared."""
LEAST_EVENTS = 5
"""Leavers and stayers to expect of an arm: with fewer, 95 % intervals of a rare churn hold in as few as 84 of 100."""
LEAST_EVENTS_FOR_MONEY = 10
"""The same for money, which few of the leavers decide: between 5 and 10 of them, intervals hold in 87 to 91 of 100."""
_LEAST_FOR_SLOPE = 30


@dataclass(frozen=True)
class Arms:
    """Who was sent something and who was not, for one comparison.

    Attributes:
        treated: whether each row was sent, by assignment.
        weight: 1 / chance of the row's arm; equal for all where one salt drew them.
        unit: household or customer of each row, as numbers; rows of one unit were drawn together.
    """

    treated: Flags
    weight: Floats
    unit: npt.NDArray[np.int64]

    @classmethod
    def drawn(cls, treated: Flags, control_share: Floats, unit: npt.ArrayLike) -> Self:
        """Weigh rows by the chance with which they came into their arm."""
        chance = np.where(treated, 1 - control_share, control_share)
        return cls(treated, 1 / chance, np.unique(np.asarray(unit), return_inverse=True)[1])

    def units_of(self, treated: bool) -> int:
        """Return how many units an arm has."""
        return int(np.count_nonzero(np.bincount(self.unit[self.treated == treated])))

    @property
    def sizes(self) -> tuple[int, int]:
        """Return the units of both arms, those sent first."""
        return self.units_of(True), self.units_of(False)

    def measure(self, outcome: Floats, score: Floats) -> "Difference":
        """Return the difference that being sent something made to an outcome.

        Args:
            outcome: one value per row.
            score: what was foreseen of it on the planned night; it only makes the interval narrower.

        Returns:
            Sent less control, each arm's mean moved along its own slope to the mean score of both, where an
            arm has fewer than 30 rows both along the slope they have in common; missing where an arm has fewer
            than ``LEAST_UNITS`` units, without an interval where the outcome is the same for everybody.

        Source: Lin (2013), "Agnostic notes on regression adjustments to experimental data", Annals of
            Applied Statistics 7; variance from influence functions summed by unit.
        """
        sizes = self.sizes
        if min(sizes) < LEAST_UNITS:
            return Difference(*sizes)
        slopes = self._slopes(outcome, score)
        sent, control = (
            self._arm(outcome, score, treated, slope)
            for treated, slope in zip((True, False), slopes, strict=True)
        )
        centre = float(np.average(score, weights=self.weight))
        difference = sent.at(centre) - control.at(centre)
        if np.ptp(outcome) == 0:
            return Difference(*sizes, sent.mean, control.mean, difference)
        shared = (sent.slope - control.slope) * (score - centre) * self.weight / self.weight.sum()
        parts = _pooled((sent.spread, sizes[0]), (control.spread, sizes[1]))
        raw = _pooled((sent.raw_spread, sizes[0]), (control.raw_spread, sizes[1]))
        return Difference(
            *sizes,
            sent.mean,
            control.mean,
            difference,
            se=float(np.sqrt(sum(parts) + self._squared(shared))),
            raw_se=float(np.sqrt(sum(raw))),
            freedom=_welch(parts, sizes),
        )

    def can_tell(self, event: Flags, least: int) -> bool:
        """Return whether at least so many units with and without an event are to be expected of either arm."""
        share = float(event.mean()) if len(event) else 0.0
        return min(self.sizes) * min(share, 1 - share) >= least

    def unmeasured(self, outcome: Floats, score: Floats) -> "Difference":
        """Return the sizes alone, in place of ``measure``."""
        return Difference(*self.sizes)

    def _slopes(self, outcome: Floats, score: Floats) -> "tuple[_Slope, _Slope]":
        """Return the slope of each arm, or one for both where an arm is too small for its own."""
        sums = np.array([self._within(outcome, score, treated) for treated in (True, False)])
        rows, together = sums[:, 0], sums.sum(axis=0)
        if rows.min() >= _LEAST_FOR_SLOPE:
            sent, control = (_Slope.of(*each, lost=1.0) for each in sums)
            return sent, control
        sent, control = (_Slope.of(*together, lost=size / sum(self.sizes)) for size in self.sizes)
        return sent, control

    def _within(self, outcome: Floats, score: Floats, treated: bool) -> tuple[float, float, float]:
        """Return an arm's rows, and its sums of products and of squares around its means."""
        here = self.treated == treated
        weight = np.where(here, self.weight, 0.0) / self.weight[here].sum() * here.sum()
        apart = score - weight @ score / here.sum()
        return float(here.sum()), float(weight @ (apart * outcome)), float(weight @ apart**2)

    def _arm(self, outcome: Floats, score: Floats, treated: bool, slope: "_Slope") -> "_Arm":
        here = self.treated == treated
        weight = np.where(here, self.weight, 0.0) / self.weight[here].sum()
        mean, score_mean = float(weight @ outcome), float(weight @ score)
        rest = outcome - mean - slope.value * (score - score_mean)
        units = self.units_of(treated)
        spreads = [self._squared(weight * each) * units for each in (rest, outcome - mean)]
        lost = (units / (units - 1 - slope.lost), units / (units - 1))
        return _Arm(mean, score_mean, slope.value, spreads[0] * lost[0], spreads[1] * lost[1])

    def _squared(self, influence: Floats) -> float:
        """Sum influences within units, then square: rows of a household are one observation."""
        sums = np.bincount(self.unit, weights=influence)
        return float(sums @ sums)


def _pooled(sent: tuple[float, int], control: tuple[float, int]) -> tuple[float, float]:
    """Return the variance of each arm's mean, from the spread between its units or that of both arms if larger.

    A small control in which nobody, or hardly anybody, left would otherwise pass for a certain one: of 20 units
    at 5 % churn a third has none, and 95 % intervals held the truth in 83 of 100 runs.
    """
    together = (sent[0] * sent[1] + control[0] * control[1]) / (sent[1] + control[1])
    return max(sent[0], together) / sent[1], max(control[0], together) / control[1]


def _welch(variances: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Return Welch's degrees of freedom, with units for observations."""
    parts = [variance**2 / (size - 1) for variance, size in zip(variances, sizes, strict=True)]
    return sum(variances) ** 2 / sum(parts) if sum(parts) > 0 else float(min(sizes) - 1)


@dataclass(frozen=True)
class _Slope:
    value: float
    lost: float
    """Degrees of freedom that it costs the arm."""

    @classmethod
    def of(cls, rows: float, products: float, squares: float, *, lost: float) -> Self:
        """Return the slope of least squares; none of a score that is the same for everybody."""
        return cls(products / squares, lost) if squares > 1e-12 * rows else cls(0.0, 0.0)


@dataclass(frozen=True)
class _Arm:
    mean: float
    score_mean: float
    slope: float
    spread: float
    raw_spread: float

    def at(self, score: float) -> float:
        return self.mean + self.slope * (score - self.score_mean)


@dataclass(frozen=True)
class Difference:
    """What being sent something made of an outcome, sent less control.

    Attributes:
        treated: units that were sent something.
        control: units from whom it was withheld.
        treated_mean: mean outcome of those sent.
        control_mean: mean outcome of those withheld.
        estimate: adjusted difference; missing where an arm is empty.
        se: its standard error; missing where an arm is too small to say.
        raw_se: standard error of the plain difference, to see what the adjustment gave.
        freedom: degrees of freedom of the interval.
    """

    treated: int
    control: int
    treated_mean: float | None = None
    control_mean: float | None = None
    estimate: float | None = None
    se: float | None = None
    raw_se: float | None = None
    freedom: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval for whoever looks once."""
        if self.estimate is None or not self.se:
            return None
        half = float(t.ppf(0.975, self.freedom)) * self.se
        return self.estimate - half, self.estimate + half

    def sequence(self, scale: float) -> tuple[float, float] | None:
        """Return the 95 % interval for whoever looks every night.

        Args:
            scale: size of effect for which it is tightest, as of ``always_valid_halfwidth``.
        """
        if self.estimate is None or not self.se:
            return None
        # The wider tails of few units, as the quantiles of t have them, in the same proportion.
        wider = float(t.ppf(0.975, self.freedom) / norm.ppf(0.975))
        half = always_valid_halfwidth(self.se * wider, scale=scale)
        return self.estimate - half, self.estimate + half

    def detectable(self, scale: float) -> float | None:
        """Return the difference that many looks would find with 80 % power, were it there, at this standard error."""
        interval = self.sequence(scale)
        if interval is None or self.se is None:
            return None
        return (interval[1] - interval[0]) / 2 + float(norm.ppf(0.8)) * self.se

    def answer(self, scale: float) -> dict[str, Any]:
        """Return the figures as JSON values; intervals as ``[low, high]``."""
        interval, sequence = self.interval, self.sequence(scale)
        saved = None if not self.se or not self.raw_se else 1 - (self.se / self.raw_se) ** 2
        return {
            "treated_units": self.treated,
            "control_units": self.control,
            "treated_mean": self.treated_mean,
            "control_mean": self.control_mean,
            "difference": self.estimate,
            "interval": None if interval is None else list(interval),
            "sequence": None if sequence is None else list(sequence),
            "detectable": self.detectable(scale),
            "variance_saved": saved,
        }
