"""The gates before publishing: a night that strays too far from the nights before it is not published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.config import GateSettings
from tables.errors import GateError

EDGES = tuple(round(step / 20, 2) for step in range(21))
_SMALLEST_SHARE = 1e-4


@dataclass(frozen=True)
class Vitals:
    """The figures of a night that the gates compare.

    Attributes:
        as_of: the night.
        newest_order_on: day of the newest order the night saw; with contracts of the newest subscription.
        customers: customers the churn model scored.
        level: forecast churn share of them.
        at_risk: share of them above the line.
        risks: how many fall into each twentieth of risk.
        model_version: the champion.
    """

    as_of: date
    newest_order_on: date
    customers: int
    level: float
    at_risk: float
    risks: tuple[int, ...]
    model_version: int

    @classmethod
    def read(cls, facts: Mapping[str, Any], as_of: date) -> "Vitals":
        """Read the figures of a published night from its manifest."""
        kept = facts["vitals"]
        return cls(
            as_of=as_of,
            newest_order_on=date.fromisoformat(kept["newest_order_on"]),
            customers=kept["customers"],
            level=kept["level"],
            at_risk=kept["at_risk"],
            risks=tuple(kept["risks"]),
            model_version=facts["model_version"],
        )

    def facts(self) -> dict[str, Any]:
        """Return the figures as a manifest keeps them."""
        return {
            "newest_order_on": self.newest_order_on.isoformat(),
            "customers": self.customers,
            "level": self.level,
            "at_risk": self.at_risk,
            "risks": list(self.risks),
        }


def spread(risk: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """Count risks per twentieth.

    >>> spread(np.array([0.01, 0.04, 0.99]))[0], spread(np.array([0.01, 0.04, 0.99]))[-1]
    (2, 1)
    """
    return tuple(map(int, np.histogram(risk, bins=EDGES)[0]))


def population_stability(expected: tuple[int, ...], found: tuple[int, ...]) -> float:
    """Return the population stability index of two histograms over the same bins.

    Args:
        expected: counts of the earlier night.
        found: counts of this night.

    Source: Siddiqi (2006), "Credit Risk Scorecards"; .25 is the usual line for a changed population.

    >>> round(population_stability((50, 50), (50, 50)), 3)
    0.0
    >>> round(population_stability((50, 50), (75, 25)), 3)  # .25 ln 1.5 - .25 ln .5
    0.275
    """
    before, after = (
        np.maximum(np.array(counts, dtype=np.float64) / max(sum(counts), 1), _SMALLEST_SHARE)
        for counts in (expected, found)
    )
    return float(((after - before) * np.log(after / before)).sum())


def check_gates(
    tonight: Vitals,
    settings: GateSettings,
    *,
    before: Vitals | None,
    retrained: tuple[date, float],
    accept_level: bool,
    watched_by: str = "order",
) -> None:
    """Close with every gate that tonight's figures do not pass.

    Args:
        tonight: this night's figures.
        settings: how far it may stray.
        before: the last published night, none before the first.
        retrained: date of the champion's retraining and the level it forecast for it.
        accept_level: let a moved level pass.
        watched_by: what the rows are called that say who is there.

    Raises:
        GateError: naming each closed gate, what was found and what to do.
    """
    problems = [*_alone(tonight, settings, watched_by)]
    if before is not None:
        problems += _against(tonight, before, settings, watched_by)
    if not accept_level:
        problems += _level(tonight, settings, before=before, retrained=retrained)
    if problems:
        raise GateError(
            "\n".join(f"gate {tonight.as_of}: {problem}" for problem in problems)
            + "\nNothing was published; the nights before stay readable."
        )


def _alone(tonight: Vitals, settings: GateSettings, watched_by: str) -> Iterator[str]:
    oldest = tonight.as_of - timedelta(days=settings.fresh_within_days)
    if tonight.newest_order_on < oldest:
        yield (
            f"the newest {watched_by} is of {tonight.newest_order_on}, more than {settings.fresh_within_days} days "
            f"ago. Deliver newer {watched_by}s, or name an earlier --as-of."
        )
    if tonight.at_risk > settings.most_at_risk:
        yield (
            f"{tonight.at_risk:.0%} of the customers are at risk; at most {settings.most_at_risk:.0%} is "
            f"believable. Look for missing {watched_by}s."
        )


def _against(tonight: Vitals, before: Vitals, settings: GateSettings, watched_by: str) -> Iterator[str]:
    if tonight.customers < (1 - settings.volume_drop) * before.customers:
        yield (
            f"{tonight.customers:,} customers watched, {before.customers:,} on {before.as_of}. "
            f"Look for missing {watched_by}s."
        )
    drift = population_stability(before.risks, tonight.risks)
    if before.model_version == tonight.model_version and drift > settings.score_drift:
        yield (
            f"the scores drifted by {drift:.2f} (population stability index) since {before.as_of}, at most "
            f"{settings.score_drift} is allowed. Look for changed sources, or retrain."
        )


def _level(
    tonight: Vitals, settings: GateSettings, *, before: Vitals | None, retrained: tuple[date, float]
) -> Iterator[str]:
    since, level = retrained
    if before is not None and before.model_version == tonight.model_version:
        since, level = before.as_of, before.level
    days = max(abs((tonight.as_of - since).days), 1)
    most = settings.max_level_step * days
    if abs(tonight.level - level) > most:
        yield (
            f"the forecast churn rate is {tonight.level:.3f}, it was {level:.3f} on {since}; {days} days allow a "
            f"step of {most:.3f}. Check the sources; --accept-level publishes once."
        )
