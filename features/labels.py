"""Who did not come back: the labels of settled outcome windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.bucket import Bucket, Part, Reading
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
            order in the outcome window), sorted by ``(as_of, customer)``.
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
    """Label the population of each date by whether an order came in its outcome window.

    Args:
        history: the stored tables.
        as_of: snapshot dates, in any order.
        calendar: business calendar.
        rule: population, outcome window and settling time.
        known_before: only orders known before this instant count as outcomes; without it all current ones.

    Yields:
        One block per bucket, in order.

    Raises:
        LeakageError: if an outcome is not settled by ``known_before`` or by the day of the newest order.
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
    newest = calendar.day_of(history.newest_order_at)
    limits = {f"the newest order is of {newest}": newest}
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
    active = rule.active_within_days
    population = Bucket.read(
        history,
        bucket,
        as_of=days,
        readings={"orders": Reading(days_before=(active,))},
        calendar=calendar,
        active_within_days=active,
    )
    rows = history.read("orders", bucket)
    outcomes = select_rows(rows, is_current(rows) if known_before is None else known_by(rows, known_before))
    frames = [
        _label(moment.as_of, parts, population.keys, _came_back(outcomes, moment.as_of, calendar, rule))
        for moment, parts in population.populations()
    ]
    return pd.concat(frames, ignore_index=True)


def _came_back(
    outcomes: Rows, as_of: date, calendar: BusinessCalendar, rule: OutcomeRule
) -> npt.NDArray[np.bool_]:
    """Mark the customers with an order in the outcome window."""
    opens, closes = (calendar.midnight(day) for day in rule.outcome_window(as_of))
    inside = (outcomes.at >= opens) & (outcomes.at < closes)
    came_back = np.zeros(outcomes.customers, dtype=bool)
    came_back[outcomes.customer[inside]] = True
    return came_back


def _label(
    as_of: date, parts: Sequence[Part], keys: npt.NDArray[np.int64], came_back: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    customers = np.sort(np.concatenate([part.customers for part in parts]))
    return pd.DataFrame(
        {
            "customer": keys[customers],
            "as_of": np.full(len(customers), np.datetime64(as_of, "s")),
            "churned": (~came_back[customers]).astype(np.int8),
        }
    )
