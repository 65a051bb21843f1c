"""Stretches without a subscription: when somebody who had one was left without, and until when."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.visibility import Moment
from tables.calendar import NEVER, BusinessCalendar, Instants
from tables.rows import MONEY_SCALE, Rows


@dataclass(frozen=True)
class Lapses:
    """Stretches in which customers who had subscribed were not subscribed, longer than the grace they get.

    Attributes:
        customer: customer of each lapse.
        begins: instant at which the last subscription running had ended.
        ends: instant at which another one began; ``NEVER`` where none did.
    """

    customer: npt.NDArray[np.int32]
    begins: Instants
    ends: Instants

    @classmethod
    def of(cls, subscriptions: Rows, *, calendar: BusinessCalendar, grace_days: int) -> Self:
        """Find the lapses of every customer; several subscriptions may run side by side.

        Args:
            subscriptions: rows as known, with ``ended_at``, sorted by customer and start.
            calendar: business calendar.
            grace_days: another subscription begun at most so many local days after the end renews it; 0 means
                on the same day.

        Examples:
            Ended on day 2 and begun again on day 5: a lapse with a grace of 2 days, none with 3.

            >>> day = 86_400_000_000
            >>> begun, ended = np.array([0, 5 * day]), np.array([2 * day, NEVER])
            >>> rows = Rows("subscriptions", 1, np.zeros(2, np.int32), begun, begun, ended, {"ended_at": ended})
            >>> lapses = Lapses.of(rows, calendar=BusinessCalendar("UTC"), grace_days=2)
            >>> (lapses.begins // day).tolist(), (lapses.ends // day).tolist()
            ([2], [5])
            >>> len(Lapses.of(rows, calendar=BusinessCalendar("UTC"), grace_days=3).customer)
            0
        """
        ended = np.asarray(subscriptions.columns["ended_at"])
        running = pd.Series(np.maximum(subscriptions.at, ended)).groupby(subscriptions.customer)
        covered = running.cummax().to_numpy()
        following = np.full(len(covered), NEVER)
        same = subscriptions.customer[1:] == subscriptions.customer[:-1]
        following[:-1][same] = subscriptions.at[1:][same]
        lapsed = covered < following
        returns = lapsed & (following != NEVER)
        away = calendar.local_days(following[returns]) - calendar.local_days(covered[returns])
        lapsed[returns] = away > grace_days
        return cls(subscriptions.customer[lapsed], covered[lapsed], following[lapsed])

    def between(self, opens: int, closes: int) -> npt.NDArray[np.int32]:
        """Return the customers with a lapse that touches ``[opens, closes)``, some of them several times."""
        return self.customer[(self.begins < closes) & (self.ends > opens)]


def last_fees(subscriptions: Rows, moment: Moment) -> npt.NDArray[np.float64]:
    """Return the fee that each customer of a bucket paid last: of the subscriptions that ended last, those together.

    Args:
        subscriptions: rows in every version, with ``ended_at`` and ``mrr``.
        moment: the snapshot date; an end that had not come by then does not count.

    Returns:
        Currency units a month; 0 where none had ended.

    Examples:
        Two ended together on day 5, another one earlier:

        >>> from datetime import date
        >>> day = 86_400_000_000
        >>> begun, never = np.array([0, day, day]), np.full(3, NEVER)
        >>> told = {"ended_at": np.array([2, 5, 5]) * day, "mrr": np.array([9, 30, 4]) * MONEY_SCALE}
        >>> rows = Rows("subscriptions", 1, np.zeros(3, np.int32), begun, begun, never, told)
        >>> last_fees(rows, Moment.of(date(1970, 1, 9), BusinessCalendar("UTC")))
        array([34.])
    """
    ended = np.asarray(subscriptions.columns["ended_at"], dtype=np.int64)
    over = np.flatnonzero(moment.sees(subscriptions) & (ended < moment.midnight))
    customer, ended = subscriptions.customer[over], ended[over]
    latest = np.full(subscriptions.customers, np.iinfo(np.int64).min)
    np.maximum.at(latest, customer, ended)
    fees = np.asarray(subscriptions.columns["mrr"])[over] / MONEY_SCALE * (ended == latest[customer])
    return np.bincount(customer, weights=fees, minlength=subscriptions.customers).astype(np.float64)
