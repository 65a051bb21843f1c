"""Who is watched at a snapshot date, told from what was visible at it and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from features.view import AsOfView
from features.visibility import Moment
from tables.calendar import OutcomeRule
from tables.rows import Rows

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reading:
    """What to read of a table and at which windows.

    Attributes:
        columns: content columns to read.
        days_before: days before each snapshot date at which windows begin or end.
    """

    columns: tuple[str, ...] = ()
    days_before: tuple[int, ...] = ()

    def with_(self, other: "Reading") -> "Reading":
        """Read what either of two needs, each column and window once."""
        return Reading(
            tuple(dict.fromkeys((*self.columns, *other.columns))),
            tuple(sorted({*self.days_before, *other.days_before})),
        )


class Population(Protocol):
    """A rule that says who is watched at a date."""

    @property
    def readings(self) -> Mapping[str, Reading]:
        """What the rule reads of which tables."""

    def watched(self, views: Mapping[str, AsOfView]) -> Mask:
        """Mark the selected customers of some views who are watched at their date."""


@dataclass(frozen=True)
class Buyers:
    """Customers with an order in the last so many days: they are watched where nobody gives notice.

    Attributes:
        within_days: length of the window, from local midnight to local midnight.
    """

    within_days: int

    @property
    def readings(self) -> Mapping[str, Reading]:
        """Read when orders were placed."""
        return {"orders": Reading(days_before=(self.within_days,))}

    def watched(self, views: Mapping[str, AsOfView]) -> Mask:
        """Mark who ordered in the window."""
        return np.asarray(views["orders"].count(self.within_days) > 0)


@dataclass(frozen=True)
class Subscribers:
    """Customers with a subscription that has begun and whose end, as far as was known, has not come."""

    @property
    def readings(self) -> Mapping[str, Reading]:
        """Read when subscriptions began and ended."""
        return {"subscriptions": Reading(columns=("ended_at",))}

    def watched(self, views: Mapping[str, AsOfView]) -> Mask:
        """Mark who has begun more subscriptions than have ended."""
        subscriptions = views["subscriptions"]
        return np.asarray(subscriptions.count() > subscriptions.retimed("ended_at").count())


def subscribers_seen(rows: Rows, moment: Moment) -> Mask:
    """Mark which customers of a bucket ``Subscribers`` watches at a moment.

    Args:
        rows: rows of ``subscriptions`` in every version, with ``ended_at``.
        moment: the snapshot date.
    """
    begun = moment.sees(rows)
    ended = begun & (np.asarray(rows.columns["ended_at"]) < moment.midnight)
    running = (np.bincount(rows.customer[mask], minlength=rows.customers) for mask in (begun, ended))
    return np.greater(*running)


def population_of(rule: OutcomeRule) -> Population:
    """Return who is watched under a churn definition."""
    return Subscribers() if rule.active_within_days is None else Buyers(rule.active_within_days)
