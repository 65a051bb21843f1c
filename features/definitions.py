"""Ways to say who churned, each judged at past dates: who was watched, who fell silent, who came back later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from features.bucket import Part
from features.labels import stayed
from features.lapses import Lapses
from features.population import Subscribers
from features.view import AsOfView
from tables.calendar import NEVER, BusinessCalendar, OutcomeRule
from tables.rows import Rows

Mask = npt.NDArray[np.bool_]
KindName = Literal["inactivity", "rhythm", "contract"]

LEAST_GAPS = 3
"""Gaps between purchase days from which an own rhythm can be told."""
RHYTHM_SHARE = 0.8
"""Share of a customer's own gaps that are no longer than the customer's usual one."""
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Future:
    """What the log says of one bucket after a date, up to the log's end.

    Attributes:
        rows: rows of the table that says who is there, as known now, sorted by customer and time.
        as_of: the date.
        follow_up_days: days after the outcome window in which somebody called churned may come back.
        calendar: business calendar.
    """

    rows: Rows
    as_of: date
    follow_up_days: int
    calendar: BusinessCalendar

    def came(self, opens: date, days: int) -> Mask:
        """Mark the customers with a row in the days from the midnight of a day on."""
        begins, ends = (self.calendar.midnight(opens + timedelta(days=back)) for back in (0, days))
        came = np.zeros(self.rows.customers, dtype=bool)
        came[self.rows.customer[(self.rows.at >= begins) & (self.rows.at < ends)]] = True
        return came

    def next_day(self) -> npt.NDArray[np.int64]:
        """Return the local day of each customer's first row from the date on, in days since 1970; ``NEVER`` if none."""
        later = np.flatnonzero(self.rows.at >= self.calendar.midnight(self.as_of))[::-1]
        following = np.full(self.rows.customers, NEVER)
        following[self.rows.customer[later]] = self.calendar.local_days(self.rows.at[later])
        return following


@dataclass(frozen=True)
class Verdict:
    """What a definition says of the customers of one part at one date.

    Attributes:
        watched: who is in the population.
        left_out: reason -> who is not, each customer under one reason.
        one_order: who of all of them had placed one order only.
        churned: who of the watched churned.
        returned: who of the churned came back within the follow-up.
        limits: days of silence after which each is late, where that is the customer's own; else nothing.
    """

    watched: Mask
    left_out: Mapping[str, Mask]
    one_order: Mask
    churned: Mask
    returned: Mask
    limits: npt.NDArray[np.float64] | None = None


class Definition(Protocol):
    """One way to say who churned."""

    @property
    def kind(self) -> KindName:
        """Which way."""

    @property
    def rule(self) -> OutcomeRule:
        """How long the population's and the outcome window are at most."""

    def judge(self, part: Part, future: Future) -> Verdict:
        """Say who of the customers of a part is watched, churned and came back."""


@dataclass(frozen=True)
class Inactivity:
    """Churned is who was active and then placed no order in the outcome window.

    Attributes:
        rule: population, outcome window and settling time.
    """

    rule: OutcomeRule
    kind: KindName = "inactivity"

    def judge(self, part: Part, future: Future) -> Verdict:
        """Watch who bought within the population's window, local midnight to local midnight."""
        days = _purchase_days(part)
        # A purchase so many whole local days ago lies in the window that began at that day's midnight.
        watched = np.asarray(days.days_since_last() <= self.rule.history_days)
        churned = watched & ~stayed(future.rows, future.as_of, future.calendar, self.rule)[part.customers]
        closes = self.rule.outcome_window(future.as_of)[1]
        returned = churned & future.came(closes, future.follow_up_days)[part.customers]
        return Verdict(watched, {"not active": ~watched}, _bought_once(part), churned, returned)


@dataclass(frozen=True)
class Rhythm:
    """Churned is who stays silent for longer than a multiple of the own usual gap.

    Attributes:
        rule: windows of a fixed length; the outcome window is the longest own limit that is waited for.
        times: how many usual gaps the silence may last.
    """

    rule: OutcomeRule
    times: float
    kind: KindName = "rhythm"

    def judge(self, part: Part, future: Future) -> Verdict:
        """Watch who has a rhythm and is not late yet; the own deadline lies before the end of the outcome window."""
        days = _purchase_days(part)
        silence, limit = days.days_since_last(), self.limits(days)
        left_out, watched = {}, np.ones(len(part.customers), dtype=bool)
        for reason, out in {
            "one order only": _bought_once(part),
            f"fewer than {LEAST_GAPS + 1} purchase days": days.gaps().count() < LEAST_GAPS,
            "late already": silence > limit,
            f"own limit beyond {self.rule.horizon_days} days": limit >= self.rule.horizon_days,
        }.items():
            left_out[reason], watched = watched & out, watched & ~out
        deadline = self._deadlines(watched, future.as_of, silence, limit)
        next_day = future.next_day()[part.customers]
        churned = watched & (next_day >= deadline)
        returned = churned & (next_day < deadline + future.follow_up_days)
        return Verdict(watched, left_out, _bought_once(part), churned, returned, limit)

    def limits(self, days: AsOfView) -> npt.NDArray[np.float64]:
        """Return after how many days of silence each customer is late; missing without a gap, at least a day."""
        return np.maximum(np.floor(self.times * days.gaps().quantile(RHYTHM_SHARE)), 1)

    @staticmethod
    def _deadlines(
        watched: Mask, as_of: date, silence: npt.NDArray[np.float64], limit: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """Number the day at whose midnight each watched customer is late."""
        left = np.where(watched, limit - silence, 0).astype(np.int64)
        return (as_of - _EPOCH).days + left + 1


@dataclass(frozen=True)
class Contract:
    """Churned is whose subscription lapsed by the end of the outcome window.

    Attributes:
        rule: outcome window, days of grace and settling time.
    """

    rule: OutcomeRule
    kind: KindName = "contract"

    def judge(self, part: Part, future: Future) -> Verdict:
        """Watch who is subscribed; who lapsed came back if another subscription began after the grace."""
        watched = Subscribers().watched(part.views())
        churned = watched & ~stayed(future.rows, future.as_of, future.calendar, self.rule)[part.customers]
        returned = churned & self._resubscribed(future)[part.customers]
        nobody = np.zeros(len(watched), dtype=bool)
        return Verdict(watched, {"no running subscription": ~watched}, nobody, churned, returned)

    def _resubscribed(self, future: Future) -> Mask:
        lapses = Lapses.of(future.rows, calendar=future.calendar, grace_days=self.rule.grace_days or 0)
        closes = self.rule.outcome_window(future.as_of)[1]
        followed = self.rule.complete_on(future.as_of) + timedelta(days=future.follow_up_days)
        begins, ends, last = map(future.calendar.midnight, (future.as_of, closes, followed))
        back = (lapses.begins < ends) & (lapses.ends > begins) & (lapses.ends < last)
        resubscribed = np.zeros(future.rows.customers, dtype=bool)
        resubscribed[lapses.customer[back]] = True
        return resubscribed


def _purchase_days(part: Part) -> AsOfView:
    return part.views()["orders"].purchase_days()


def _bought_once(part: Part) -> Mask:
    return np.asarray(part.views()["orders"].count() == 1)
