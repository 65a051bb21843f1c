"""All arithmetic on time: local midnights, half-open windows, and which snapshots may be used when.

Instants are integers, microseconds since 1970-01-01 00:00 UTC. Days are ``datetime.date`` in the
business time zone. Every interval is half-open.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from tables.errors import ConfigError, DataError

DAY = 86_400_000_000
HOUR = DAY // 24
NEVER = np.iinfo(np.int64).max
_EPOCH = date(1970, 1, 1)
_MOST_SNAPSHOTS = 24

Instants = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BusinessCalendar:
    """Where a day begins for this business, and when its facts count as known.

    Attributes:
        time_zone: IANA name of the zone whose midnights separate days.
        known_offset_hours: hours after the midnight of ``as_of`` up to which facts may become known.
    """

    time_zone: str
    known_offset_hours: float = 0.0

    def midnight(self, day: date) -> int:
        """Return the instant at which a local day begins.

        Examples:
            >>> BusinessCalendar("Europe/Vilnius").midnight(date(1970, 1, 2)) // HOUR
            21
        """
        local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))
        return (local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    def known_cutoff(self, as_of: date) -> int:
        """Return the instant before which a fact must have been known to be visible at ``as_of``."""
        return self.midnight(as_of) + round(self.known_offset_hours * HOUR)

    def day_of(self, instant: int) -> date:
        """Return the local day an instant lies in, that is, the local midnight at or before it."""
        return _EPOCH + timedelta(days=int(self.local_days(np.array([instant]))[0]))

    def local_days(self, instants: Instants) -> Instants:
        """Number local days since 1970-01-01, one per instant."""
        return self._local(instants) // DAY

    def local_hours(self, instants: Instants) -> Instants:
        """Return the local hour of day, 0 to 23, one per instant."""
        return self._local(instants) % DAY // HOUR

    def _local(self, instants: Instants) -> Instants:
        if self.time_zone == "UTC":
            return instants
        stamps = pd.DatetimeIndex(instants.astype("datetime64[us]"), tz="UTC").tz_convert(self.time_zone)
        return np.asarray(stamps.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64))


@dataclass(frozen=True)
class OutcomeRule:
    """Who is watched, for how long, and when the outcome is settled.

    Attributes:
        horizon_days: length of the outcome window.
        active_within_days: without contracts: a customer belongs to the population with an order in the last
            so many days; nothing with contracts.
        gap_days: days between ``as_of`` and the start of the outcome window.
        settle_days: days after the outcome window until its rows are taken as complete.
        grace_days: with contracts: whoever ended and is subscribed again at most so many local days later has
            renewed; nothing without contracts.
    """

    horizon_days: int
    active_within_days: int | None = None
    gap_days: int = 0
    settle_days: int = 0
    grace_days: int | None = None

    def __post_init__(self) -> None:
        if (self.active_within_days is None) == (self.grace_days is None):
            raise ConfigError(
                f"churn: either active_within_days or grace_days is needed; found {self.active_within_days} and "
                f"{self.grace_days}. Give the first for shops, the second for contracts."
            )

    @property
    def is_contract(self) -> bool:
        """Whether a customer leaves by ending a subscription, and not by silence."""
        return self.grace_days is not None

    @property
    def table(self) -> str:
        """Table whose rows say who is there: it bounds what can be trained on and tells how fresh the log is."""
        return "subscriptions" if self.is_contract else "orders"

    @property
    def settled_days(self) -> int:
        """Days from ``as_of`` until its outcome is settled."""
        return self.gap_days + self.horizon_days + (self.grace_days or 0) + self.settle_days

    @property
    def history_days(self) -> int:
        """Days of history a snapshot needs: the population's window, with contracts one horizon."""
        return self.horizon_days if self.active_within_days is None else self.active_within_days

    def outcome_window(self, as_of: date) -> tuple[date, date]:
        """Return the first day of the outcome window and the first day after it.

        Examples:
            >>> OutcomeRule(horizon_days=28, active_within_days=84).outcome_window(date(2017, 12, 3))
            (datetime.date(2017, 12, 3), datetime.date(2017, 12, 31))
        """
        start = as_of + timedelta(days=self.gap_days)
        return start, start + timedelta(days=self.horizon_days)

    def complete_on(self, as_of: date) -> date:
        """Return the day at whose midnight the outcome of a snapshot is settled."""
        return as_of + timedelta(days=self.settled_days)

    def newest_complete(self, newest_day: date) -> date:
        """Return the newest snapshot date whose outcome is settled at the midnight of ``newest_day``."""
        return newest_day - timedelta(days=self.settled_days)

    def training_dates(self, until: date, first_day: date) -> tuple[date, ...]:
        """List snapshot dates whose outcomes are settled at the midnight of ``until``, newest first.

        Outcome windows may overlap: the stride is the smallest of a quarter, a half and a whole horizon
        that gives at most 24 dates. A date needs ``history_days`` of history before it, or half of that
        where the log is too short for two horizons.

        Args:
            until: no outcome window may end, settled, after this day's midnight.
            first_day: day of the first order, with contracts of the first subscription.

        Raises:
            DataError: if not one date has both enough history and a settled outcome; names the earliest
                days from which evaluating and retraining are possible.

        Source: the cutoffs of the recipe, measured on eight tasks (docs/decisions.md).
        """
        newest = self.newest_complete(until)
        history = self.history_days
        if (until - first_day).days - 2 * self.horizon_days < history:
            history = -(-history // 2)
        oldest = first_day + timedelta(days=history)
        if newest < oldest:
            earliest = self.complete_on(oldest)
            # A retraining also judges itself, which takes one outcome more and a log that goes on to its day.
            retrained = self.complete_on(earliest) + timedelta(days=1)
            raise DataError(
                f"snapshots: no training date on or before {newest}; {self.table} start on {first_day} and a "
                f"snapshot needs {history} days of history. Evaluate at {earliest} or retrain as of {retrained} at the "
                f"earliest, with {self.table} up to the day before, or shorten the horizon."
            )
        return self._spaced(newest, oldest)

    def _spaced(self, newest: date, oldest: date) -> tuple[date, ...]:
        dates: list[date] = []
        for divisor in (4, 2, 1):
            stride = self.horizon_days / divisor
            steps = int((newest - oldest).days / stride) + 2
            days = dict.fromkeys(round(step * stride) for step in range(steps))
            dates = [newest - timedelta(days=back) for back in days]
            dates = [day for day in dates if day >= oldest]
            if len(dates) <= _MOST_SNAPSHOTS:
                break
        return tuple(dates[:_MOST_SNAPSHOTS])
