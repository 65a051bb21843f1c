"""What several definitions of churn say of a bucket at many dates, in one pass over its rows, as a few counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

import numpy as np

from features.bucket import Bucket
from features.definitions import Definition, Future, Verdict
from features.population import Reading
from features.silences import Counts, Silences, added
from features.visibility import known_by, select_rows
from tables.calendar import BusinessCalendar
from tables.history import History
from tables.rows import Rows

Plan = Mapping[Definition, Sequence[date]]
_COLUMNS: Mapping[str, tuple[str, ...]] = {"orders": (), "subscriptions": ("ended_at",)}


@dataclass(frozen=True)
class Tally:
    """How many customers a definition watched, called churned and saw again at one date.

    Attributes:
        population: customers watched.
        one_order: of them, those who had placed one order only.
        churned: of those watched, who churned.
        returned: of those churned, who came back within the follow-up, if the log lasts that long.
        left_out: reason -> customers known at the date and not watched.
        limits: customers watched by the days of silence after which they are late; empty where all are alike.
    """

    population: int = 0
    one_order: int = 0
    churned: int = 0
    returned: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    limits: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Count what a verdict marks."""
        limits = np.zeros(0) if verdict.limits is None else verdict.limits[verdict.watched]
        return cls(
            population=int(verdict.watched.sum()),
            one_order=int((verdict.watched & verdict.one_order).sum()),
            churned=int(verdict.churned.sum()),
            returned=int(verdict.returned.sum()),
            left_out={reason: int(marked.sum()) for reason, marked in verdict.left_out.items()},
            limits=np.bincount(limits.astype(np.int64)),
        )

    def __add__(self, other: "Tally") -> "Tally":
        mine, theirs = self.left_out, other.left_out
        return Tally(
            self.population + other.population,
            self.one_order + other.one_order,
            self.churned + other.churned,
            self.returned + other.returned,
            {reason: mine.get(reason, 0) + theirs.get(reason, 0) for reason in {**mine, **theirs}},
            added(self.limits, other.limits),
        )


@dataclass(frozen=True)
class Span:
    """The log that definitions are tried on.

    Attributes:
        table: table whose rows say who is there.
        first_day: day of its first row.
        until: day at whose midnight it ends.
        known_before: rows known later are not used.
        follow_up_days: days after an outcome window in which customers called churned may come back.
        calendar: business calendar.
    """

    table: str
    first_day: date
    until: date
    known_before: int
    follow_up_days: int
    calendar: BusinessCalendar

    @property
    def days(self) -> int:
        """Length of the log in days."""
        return (self.until - self.first_day).days


@dataclass(frozen=True)
class Tried:
    """What definitions say of some customers.

    Attributes:
        customers: customers with a row before the log's end.
        silences: lengths of their silences.
        tallies: counts per definition and date.
    """

    customers: int
    silences: Silences
    tallies: Mapping[tuple[Definition, date], Tally]

    @classmethod
    def together(cls, parts: Sequence["Tried"]) -> "Tried":
        """Add up the counts of several buckets."""
        tallies: dict[tuple[Definition, date], Tally] = {}
        for part in parts:
            for place, tally in part.tallies.items():
                tallies[place] = tallies.get(place, Tally()) + tally
        silences = Silences.together(part.silences for part in parts)
        return cls(sum(part.customers for part in parts), silences, tallies)


def try_definitions(history: History, plan: Plan, span: Span) -> Tried:
    """Judge every customer by several definitions that look at one table.

    Memory holds one bucket at a time; of each, the counts remain.

    Args:
        history: the stored tables.
        plan: definition -> snapshot dates.
        span: the log.
    """
    return Tried.together([_try(history, bucket, plan, span) for bucket in range(history.buckets)])


def _try(history: History, bucket: int, plan: Plan, span: Span) -> Tried:
    columns = _COLUMNS[span.table]
    rows = history.read(span.table, bucket, columns)
    rows = select_rows(rows, known_by(rows, span.known_before))
    before = select_rows(rows, rows.at < span.calendar.midnight(span.until))
    between = Silences.between_orders if span.table == "orders" else Silences.between_subscriptions
    return Tried(
        customers=len(np.unique(before.customer)),
        silences=between(before, until=span.until, calendar=span.calendar),
        tallies=_tallies(history, bucket, plan, span, rows),
    )


def _tallies(
    history: History, bucket: int, plan: Plan, span: Span, rows: Rows
) -> dict[tuple[Definition, date], Tally]:
    dates = [day for days in plan.values() for day in days]
    if not dates:
        return {}
    seen = Bucket.read(
        history,
        bucket,
        as_of=dates,
        readings={span.table: Reading(_COLUMNS[span.table])},
        calendar=span.calendar,
        population=None,
    )
    tallies: dict[tuple[Definition, date], Tally] = {}
    for moment, parts in seen.populations():
        future = Future(rows, moment.as_of, span.follow_up_days, span.calendar)
        for definition in (each for each, days in plan.items() if moment.as_of in days):
            tallies[definition, moment.as_of] = sum(
                (Tally.of(definition.judge(part, future)) for part in parts), Tally()
            )
    return tallies
