"""One definition of churn as it did over its past dates: rates, false churn, who is left out, what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from features.definitions import Definition, Rhythm
from features.silences import Silences, added, day_quantile
from features.tallies import Span, Tally, Tried
from tables.calendar import OutcomeRule

MOST_DATES = 8
LEAST_DATES = 2
LEAST_OF_EACH = 50
"""Customers who churned, and who stayed, below which a date tells too little."""
LEAST_FOLLOWED = 25
"""Customers called churned whose return was watched for, below which false churn is chance."""


@dataclass(frozen=True)
class Candidate:
    """A definition and what it said at dates one outcome window or more apart.

    Attributes:
        definition: the definition.
        span: the log it was tried on.
        tallies: counts per date, newest first.
        customers: customers known by the end of the log.
        is_configured: whether the configuration says just this.
    """

    definition: Definition
    span: Span
    tallies: Mapping[date, Tally]
    customers: int
    is_configured: bool

    @property
    def rule(self) -> OutcomeRule:
        """Population and outcome window."""
        return self.definition.rule

    @property
    def name(self) -> str:
        """What tells it from the others of its kind."""
        rule = self.rule
        if isinstance(self.definition, Rhythm):
            return f"{self.definition.times:g} times the own usual gap"
        grace = f", {rule.grace_days} days of grace" if rule.is_contract else ""
        return f"{rule.horizon_days} days{grace}"

    @property
    def population(self) -> int:
        """Customers watched, summed over the dates."""
        return sum(tally.population for tally in self.tallies.values())

    @property
    def churn_rate(self) -> float | None:
        """Share of the watched who churned, over all dates; missing without a complete outcome."""
        churned = sum(tally.churned for tally in self.tallies.values())
        return churned / self.population if self.population else None

    @property
    def rates(self) -> Sequence[float]:
        """Churn rate of each date that watched anybody, newest first."""
        return [tally.churned / tally.population for tally in self.tallies.values() if tally.population]

    def followed(self) -> Iterator[Tally]:
        """Yield the counts of the dates with enough log after their outcome window to see who came back."""
        for day, tally in self.tallies.items():
            if self.rule.complete_on(day) + timedelta(days=self.span.follow_up_days) <= self.span.until:
                yield tally

    @property
    def called_churned(self) -> int:
        """Customers called churned at those dates."""
        return sum(tally.churned for tally in self.followed())

    @property
    def false_churn_share(self) -> float | None:
        """Share of those called churned who came back within the follow-up; missing where the log is too short."""
        churned = self.called_churned
        return sum(tally.returned for tally in self.followed()) / churned if churned else None

    def own_limit_days(self, share: float) -> int | None:
        """Return the days of silence after which that share of the watched is late; nothing where all are alike."""
        return day_quantile(added(*(tally.limits for tally in self.tallies.values())), share)

    def left_out(self) -> dict[str, int]:
        """Count at the newest date why customers of today's log are not in the population, reason by reason."""
        tally = next(iter(self.tallies.values()), None)
        if tally is None:
            return {"outcome not yet complete": self.customers}
        reasons = dict(tally.left_out)
        known = tally.population + sum(reasons.values())
        return {**reasons, "outcome not yet complete": self.customers - known}

    def problems(self) -> list[str]:
        """Say why the definition cannot be proposed, if it cannot."""
        if not self.tallies:
            lacking = (oldest_date(self.rule, self.span) - self.rule.newest_complete(self.span.until)).days
            return [f"no outcome is complete: the log is {lacking} days too short"]
        problems = []
        if len(self.tallies) < LEAST_DATES:
            problems.append(f"only {len(self.tallies)} complete outcome, {LEAST_DATES} are needed")
        newest = next(iter(self.tallies.values()))
        fewest = min(newest.churned, newest.population - newest.churned)
        if fewest < LEAST_OF_EACH:
            side = "left" if newest.churned == fewest else "stayed"
            problems.append(
                f"only {fewest} customers {side} at the newest date, {LEAST_OF_EACH} are needed to learn from"
            )
        if self.false_churn_share is None:
            problems.append(
                f"false churn not measured: no date has {self.span.follow_up_days} days of log after its window"
            )
        elif self.called_churned < LEAST_FOLLOWED:
            problems.append(
                f"false churn of only {self.called_churned} called churned, {LEAST_FOLLOWED} are needed"
            )
        return problems

    def answer(self, silences: Silences) -> dict[str, Any]:
        """Return what the JSON says of the definition."""
        rule = self.rule
        return {
            "kind": self.definition.kind,
            "name": self.name,
            "horizon_days": rule.horizon_days,
            "active_within_days": None if isinstance(self.definition, Rhythm) else rule.active_within_days,
            "grace_days": rule.grace_days,
            "usual_gaps": self.definition.times if isinstance(self.definition, Rhythm) else None,
            "configured": self.is_configured,
            "dates": len(self.tallies),
            "churn_rate": self.churn_rate,
            "churn_rate_lowest": min(self.rates, default=None),
            "churn_rate_highest": max(self.rates, default=None),
            "false_churn_share": self.false_churn_share,
            "false_churn_dates": len(list(self.followed())),
            "false_churn_customers": self.called_churned,
            "one_order_share": self._one_order_share(),
            "own_limit_days_median": self.own_limit_days(0.5) if self.tallies else None,
            "share_of_returns": self._share_of_returns(silences),
            "left_out_at_newest_date": self.left_out(),
            "problems": self.problems(),
            "by_date": [self._date(day, tally) for day, tally in self.tallies.items()],
        }

    def _one_order_share(self) -> float | None:
        one = sum(tally.one_order for tally in self.tallies.values())
        return one / self.population if self.population else None

    def _share_of_returns(self, silences: Silences) -> float | None:
        if isinstance(self.definition, Rhythm):
            return None
        days = self.rule.grace_days if self.rule.grace_days is not None else self.rule.horizon_days
        return silences.share_of_returns(days, of_those_within=2 * self.span.follow_up_days)

    def _date(self, day: date, tally: Tally) -> dict[str, Any]:
        is_followed = any(tally is other for other in self.followed())
        return {
            "as_of": day.isoformat(),
            "population": tally.population,
            "one_order": tally.one_order,
            "churned": tally.churned,
            "returned": tally.returned if is_followed else None,
            "left_out": dict(tally.left_out),
        }


def oldest_date(rule: OutcomeRule, span: Span) -> date:
    """Return the first date with the history that a population needs before it."""
    return span.first_day + timedelta(days=rule.history_days)


def dates_of(rule: OutcomeRule, span: Span) -> tuple[date, ...]:
    """List the dates to try a definition at, newest first: complete outcomes that do not overlap, over the whole log.

    Args:
        rule: windows.
        span: the log.

    Examples:
        >>> from tables.calendar import BusinessCalendar
        >>> rule = OutcomeRule(horizon_days=10, active_within_days=20)
        >>> span = Span("orders", date(2025, 1, 1), date(2025, 2, 25), 0, 10, BusinessCalendar("UTC"))
        >>> [day.isoformat() for day in dates_of(rule, span)]
        ['2025-02-15', '2025-02-05', '2025-01-26']
    """
    newest, oldest = rule.newest_complete(span.until), oldest_date(rule, span)
    stride = max(rule.horizon_days, -(-(newest - oldest).days // (MOST_DATES - 1)))
    steps = (newest - oldest).days // stride
    return tuple(newest - timedelta(days=stride * step) for step in range(steps + 1)) if steps >= 0 else ()


def candidates_of(
    definitions: Sequence[Definition], tried: Tried, span: Span, configured: OutcomeRule
) -> list[Candidate]:
    """Put the counts of each definition together, in the order given."""
    return [
        Candidate(
            definition,
            span,
            {day: tried.tallies[definition, day] for day in dates_of(definition.rule, span)},
            tried.customers,
            is_configured=definition.kind != "rhythm" and definition.rule == configured,
        )
        for definition in definitions
    ]
