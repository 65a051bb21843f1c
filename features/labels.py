"""Who did not come back, or ended and did not renew: the labels of settled outcome windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.bucket import Bucket, Part
from features.lapses import Lapses
from features.population import population_of
from features.visibility import is_current, known_by, select_rows
from tables.calendar import BusinessCalendar, OutcomeRule
from tables.errors import LeakageError
from tables.history import History
from tables.rows import Rows


@dataclass(frozen=True)
class LabelBlock:
    """The labels of one bucket.

    Attributes:
        bucket: number of the bucket.
        frame: ``customer`` (global key, int64), ``as_of`` (datetime64[s]) and ``churned`` (int8, 1 without an
            order in the outcome window, with contracts 1 where the subscription lapsed by its end), sorted by
            ``(as_of, customer)``.
    """

    bucket: int
    frame: pd.DataFrame


def build_labels(
    history: History,
    *,
    as_of: Sequence[date],
    calendar: BusinessCalendar,
    rule: OutcomeRule,
    known_before: int | None,
) -> Iterator[LabelBlock]:
    """Label the population of each date by what its outcome window brought.

    Without contracts a customer churned where no order came in the window. With contracts a customer churned
    where the subscription lapsed by the window's end: none active, and none begun within the grace days.

    Args:
        history: the stored tables.
        as_of: snapshot dates, in any order.
        calendar: business calendar.
        rule: population, outcome window and settling time.
        known_before: only rows known before this instant count as outcomes; without it all current ones.

    Yields:
        One block per bucket, in order.

    Raises:
        LeakageError: if an outcome is not settled by ``known_before`` or by the day of the newest order (with
            contracts: of the newest subscription).
    """
    days = sorted(set(as_of))
    _check_settled(history, days, calendar=calendar, rule=rule, known_before=known_before)
    for bucket in range(history.buckets):
        yield LabelBlock(bucket, _labels(history, bucket, days, calendar, rule, known_before))


def _check_settled(
    history: History,
    days: Sequence[date],
    *,
    calendar: BusinessCalendar,
    rule: OutcomeRule,
    known_before: int | None,
) -> None:
    newest = calendar.day_of(history.newest_at(rule.table))
    limits = {f"the newest {rule.table.removesuffix('s')} is of {newest}": newest}
    if known_before is not None:
        known = calendar.day_of(known_before)
        limits[f"only rows known by {known} may be used"] = known
    problems = [
        f"labels: the outcome of {day} is settled on {rule.complete_on(day)}, but {limit}. "
        f"Use a snapshot on or before {rule.newest_complete(last)}."
        for day in days
        for limit, last in limits.items()
        if rule.complete_on(day) > last
    ]
    if problems:
        raise LeakageError("\n".join(problems))


def _labels(
    history: History,
    bucket: int,
    days: Sequence[date],
    calendar: BusinessCalendar,
    rule: OutcomeRule,
    known_before: int | None,
) -> pd.DataFrame:
    population = population_of(rule)
    watched = Bucket.read(
        history, bucket, as_of=days, readings=population.readings, calendar=calendar, population=population
    )
    content = tuple(column for reading in population.readings.values() for column in reading.columns)
    rows = history.read(rule.table, bucket, content)
    outcomes = select_rows(rows, is_current(rows) if known_before is None else known_by(rows, known_before))
    frames = [
        _label(moment.as_of, parts, watched.keys, stayed(outcomes, moment.as_of, calendar, rule))
        for moment, parts in watched.populations()
    ]
    return pd.concat(frames, ignore_index=True)


def stayed(
    outcomes: Rows, as_of: date, calendar: BusinessCalendar, rule: OutcomeRule
) -> npt.NDArray[np.bool_]:
    """Mark which customers of a bucket did not churn in the outcome window of a date, whoever they are.

    Args:
        outcomes: rows of the rule's table as known, sorted by customer and time.
        as_of: the snapshot date.
        calendar: business calendar.
        rule: outcome window, and how customers leave.
    """
    return (_still_subscribed if rule.is_contract else _came_back)(outcomes, as_of, calendar, rule)


def _came_back(
    outcomes: Rows, as_of: date, calendar: BusinessCalendar, rule: OutcomeRule
) -> npt.NDArray[np.bool_]:
    """Mark the customers with an order in the outcome window."""
    opens, closes = (calendar.midnight(day) for day in rule.outcome_window(as_of))
    return _having(outcomes, (outcomes.at >= opens) & (outcomes.at < closes))


def _still_subscribed(
    outcomes: Rows, as_of: date, calendar: BusinessCalendar, rule: OutcomeRule
) -> npt.NDArray[np.bool_]:
    """Mark the customers with a subscription and no lapse from the date to the end of its outcome window.

    Who ends in the gap before the window has left as well, and so has who had ended before the date without
    its being known: at that date nobody could tell, and the customer was watched.
    """
    closes = calendar.midnight(rule.outcome_window(as_of)[1])
    return _without_lapse(outcomes, calendar.midnight(as_of), closes, calendar, rule)


def subscribed_at_end(
    outcomes: Rows, as_of: date, calendar: BusinessCalendar, rule: OutcomeRule
) -> npt.NDArray[np.bool_]:
    """Mark which customers of a bucket have a subscription, or are in their grace, when a date's window closes.

    Args:
        outcomes: rows of ``subscriptions`` as known, sorted by customer and time.
        as_of: the snapshot date.
        calendar: business calendar.
        rule: outcome window and days of grace.
    """
    closes = calendar.midnight(rule.outcome_window(as_of)[1])
    return _without_lapse(outcomes, closes - 1, closes, calendar, rule)


def _without_lapse(
    outcomes: Rows, opens: int, closes: int, calendar: BusinessCalendar, rule: OutcomeRule
) -> npt.NDArray[np.bool_]:
    """Mark the customers who had subscribed before ``closes`` and have no lapse in ``[opens, closes)``."""
    subscribed = _having(outcomes, outcomes.at < closes)
    lapses = Lapses.of(outcomes, calendar=calendar, grace_days=rule.grace_days or 0)
    subscribed[lapses.between(opens, closes)] = False
    return subscribed


def _having(rows: Rows, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    having = np.zeros(rows.customers, dtype=bool)
    having[rows.customer[chosen]] = True
    return having


def _label(
    as_of: date, parts: Sequence[Part], keys: npt.NDArray[np.int64], stayed: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    customers = np.sort(np.concatenate([part.customers for part in parts]))
    return pd.DataFrame(
        {
            "customer": keys[customers],
            "as_of": np.full(len(customers), np.datetime64(as_of, "s")),
            "churned": (~stayed[customers]).astype(np.int8),
        }
    )
