"""How long customers stay silent between two purchases, or between two subscriptions, up to the end of the log."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from features.lapses import Lapses
from tables.calendar import BusinessCalendar
from tables.rows import Rows

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Silences:
    """Silences counted by their length in whole local days; of any number of customers, these few numbers remain.

    Attributes:
        ended: number of silences that ended after 0, 1, 2, ... days.
        still_silent: number of silences that were 0, 1, 2, ... days old when the log ended.
    """

    ended: Counts
    still_silent: Counts

    @classmethod
    def between_orders(cls, orders: Rows, *, until: date, calendar: BusinessCalendar) -> Self:
        """Count the silences after each purchase day of each customer.

        Args:
            orders: rows of one bucket before the midnight of ``until``, sorted by customer and time.
            until: day at whose midnight the log ends.
            calendar: business calendar.

        Examples:
            Bought on days 0, 0, 3 and 10; the log ends on day 14: silences of 3 and 7 days, and one of 4 so far.

            >>> from tables.calendar import NEVER
            >>> day = 86_400_000_000
            >>> at = np.array([0, 1, 3 * day, 10 * day])
            >>> rows = Rows("orders", 1, np.zeros(4, np.int32), at, at, np.full(4, NEVER), {})
            >>> found = Silences.between_orders(rows, until=date(1970, 1, 15), calendar=BusinessCalendar("UTC"))
            >>> np.flatnonzero(found.ended).tolist(), np.flatnonzero(found.still_silent).tolist()
            ([3, 7], [4])
        """
        days = calendar.local_days(orders.at)
        is_new_customer = np.diff(orders.customer, prepend=-1) != 0
        fresh = is_new_customer | (np.diff(days, prepend=0) != 0)
        customer, days = orders.customer[fresh], days[fresh]
        goes_on = np.zeros(len(days), dtype=bool)
        goes_on[:-1] = customer[1:] == customer[:-1]
        following = np.append(days[1:], 0)[goes_on]
        last_day = (until - _EPOCH).days
        return cls._of(following - days[goes_on], last_day - days[~goes_on])

    @classmethod
    def between_subscriptions(cls, subscriptions: Rows, *, until: date, calendar: BusinessCalendar) -> Self:
        """Count the stretches without any subscription, of a day or more, after each end.

        Args:
            subscriptions: rows of one bucket, with ``ended_at``, sorted by customer and start.
            until: day at whose midnight the log ends; who ended later has not ended yet.
            calendar: business calendar.
        """
        lapses = Lapses.of(subscriptions, calendar=calendar, grace_days=0)
        midnight = calendar.midnight(until)
        begun = lapses.begins < midnight
        back = begun & (lapses.ends < midnight)
        away = calendar.local_days(lapses.ends[back]) - calendar.local_days(lapses.begins[back])
        open_since = calendar.local_days(lapses.begins[begun & ~back])
        return cls._of(away, (until - _EPOCH).days - open_since)

    @classmethod
    def _of(cls, ended: Counts, still_silent: Counts) -> Self:
        days = 1 + max((int(lengths.max()) for lengths in (ended, still_silent) if len(lengths)), default=0)
        return cls(np.bincount(ended, minlength=days), np.bincount(still_silent, minlength=days))

    @classmethod
    def together(cls, parts: Iterable[Self]) -> Self:
        """Add up the counts of several buckets."""
        ended, still_silent = zip(*((part.ended, part.still_silent) for part in parts), strict=True)
        return cls(added(*ended), added(*still_silent))

    def broken_within(self) -> Floats:
        """Return the share of silences broken within 0, 1, 2, ... days, those still open taken as such.

        This is one less the Kaplan-Meier estimate of staying silent: a silence counts among those that might
        end for as long as the log watched it, and no longer. Empty without a silence.

        Examples:
            Two of three ended, after 1 and 3 days, and one was watched for 2: at first 1 of 3 is broken, then
            the one left of those watched for 3 days.

            >>> Silences(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 0])).broken_within().round(2).tolist()
            [0.0, 0.33, 0.33, 1.0]

        Source: Kaplan, Meier, Nonparametric estimation from incomplete observations (JASA 53, 1958).
        """
        leaving = self.ended + self.still_silent
        watched = np.cumsum(leaving[::-1])[::-1]
        stays = 1 - self.ended / np.maximum(watched, 1)
        return np.asarray(1 - np.cumprod(stays), dtype=np.float64)

    def share_of_returns(self, days: int, *, of_those_within: int) -> float | None:
        """Return which share of all who come back within a long time do so within a short one.

        Args:
            days: the short time in days.
            of_those_within: the long time in days.

        Returns:
            Between 0 and 1; missing where nobody came back.
        """
        broken = self.broken_within()
        if not len(broken) or not broken[-1]:
            return None
        last = len(broken) - 1
        long = broken[min(of_those_within, last)]
        return float(broken[min(days, last)] / long) if long else None


def day_quantile(counts: Counts, share: float) -> int | None:
    """Return the number of days that a share of what was counted does not exceed; nothing where nothing was.

    Examples:
        Once 1 day and three times 2 days:

        >>> day_quantile(np.array([0, 1, 3]), 0.25), day_quantile(np.array([0, 1, 3]), 0.5)
        (1, 2)
        >>> day_quantile(np.zeros(3, int), 0.5)
    """
    total = np.cumsum(counts)
    return int(np.searchsorted(total, share * total[-1])) if counts.any() else None


def added(*parts: Counts) -> Counts:
    """Add counts by days; days that one of them does not reach count none there.

    Examples:
        >>> added(np.array([1, 2]), np.array([5])).tolist()
        [6, 2]
    """
    total = np.zeros(max(map(len, parts)), dtype=np.int64)
    for counts in parts:
        total[: len(counts)] += counts
    return total
