"""Where each customer stands tonight: consents, objections, tickets, offers, and what was sent before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from actions.catalogue import CHANNELS
from actions.expressions import Truths
from actions.rules.contacts import LEDGER_COLUMNS, NOT_DELIVERED, OWN_TEAM
from tables.calendar import NEVER, BusinessCalendar, Instants
from tables.errors import DataError, SchemaError

Positions = npt.NDArray[np.int64]
ChannelCodes = npt.NDArray[np.int8]
MARKETING = "marketing"
PROFILING = "profiling"
_YEAR = 365
_CHANNEL_INDEX = pd.Index(CHANNELS)


@dataclass(frozen=True)
class Night:
    """The customers of one night, and how rows of other tables find them.

    Attributes:
        customers: one row per customer, with at least ``customer_id``.
        as_of: the night.
        calendar: where its midnights lie.
    """

    customers: pd.DataFrame
    as_of: date
    calendar: BusinessCalendar

    def __post_init__(self) -> None:
        require_columns(self.customers, ["customer_id"], table="customers")
        repeated = self.index[self.index.duplicated()]
        if len(repeated):
            raise DataError(
                f"customers: {len(repeated)} ids stand there twice, such as {list(repeated[:3])}. "
                "Keep one row per customer."
            )

    def __len__(self) -> int:
        return len(self.customers)

    @cached_property
    def index(self) -> pd.Index:
        """Ids of the customers, in their order."""
        return pd.Index(self.customers["customer_id"])

    def midnight(self, days_ago: int = 0) -> int:
        """Return the local midnight at which the day so many days before the night begins."""
        return self.calendar.midnight(self.as_of - timedelta(days=days_ago))

    def flag(self, name: str) -> Truths:
        """Return a flag of the customers; an absent column and a missing value are no."""
        if name not in self.customers:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(pd.to_numeric(self.customers[name]).fillna(0).to_numpy(dtype=np.float64) > 0)

    def channel(self, name: str) -> ChannelCodes:
        """Return a column of channels as positions in ``CHANNELS``; -1 where absent, missing or unknown."""
        if name not in self.customers:
            return np.full(len(self), -1, dtype=np.int8)
        return channel_codes(self.customers[name])

    def positions(self, customer_ids: pd.Series) -> Positions:
        """Return the position of each id among the customers, -1 for one who is not there."""
        # Four times as fast as pandas' own index, which makes Python texts first.
        wanted = pa.array(customer_ids, type=pa.large_string(), from_pandas=True)
        found = pc.index_in(wanted, value_set=pa.array(self.index, type=pa.large_string()))
        return np.asarray(found.fill_null(-1)).astype(np.int64)

    def marked(self, positions: Positions) -> Truths:
        """Return a truth per customer: whether any of the positions is theirs."""
        marks = np.zeros(len(self), dtype=bool)
        marks[positions[positions >= 0]] = True
        return marks


class PastContacts:
    """What was sent to the customers of a night before it, by whom and over which channel."""

    def __init__(self, ledger: pd.DataFrame, night: Night) -> None:
        require_columns(ledger, LEDGER_COLUMNS, table="contacts")
        self._night = night
        sent_at = ledger["sent_at"].to_numpy(dtype=np.int64)
        rows = np.flatnonzero((sent_at >= night.midnight(_YEAR)) & (sent_at < night.midnight()))
        customer = night.positions(ledger["customer_id"].iloc[rows])
        rows = rows[customer >= 0]
        self._customer: Positions = customer[customer >= 0]
        self._sent_at: Instants = sent_at[rows]
        self._channel = channel_codes(ledger["channel"].iloc[rows])
        self._action, self._actions = pd.factorize(ledger["action"].iloc[rows])
        self._marketing = np.asarray(ledger["purpose"].iloc[rows] == MARKETING, dtype=bool)
        self._own = np.asarray(ledger["team"].iloc[rows] == OWN_TEAM, dtype=bool)
        self._redeemed_at = _instants(ledger.iloc[rows], "redeemed_at")
        # A contact that never arrived tires nobody, yet its action was assigned and keeps its cooldown.
        self._arrived = np.asarray(ledger["delivery"].iloc[rows] != NOT_DELIVERED, dtype=bool)

    def by_other_teams(self, days: int) -> Truths:
        """Tell whom another team reached in the last so many days."""
        chosen = ~self._own & self._arrived & (self._sent_at >= self._night.midnight(days))
        return self._night.marked(self._customer[chosen])

    def marketed(self, days: int) -> Truths:
        """Tell for whom we planned marketing, sent or withheld, in the last so many days."""
        chosen = self._own & self._marketing & (self._sent_at >= self._night.midnight(days))
        return self._night.marked(self._customer[chosen])

    def at_cap(self, channel: int, *, days: int, most: int) -> Truths:
        """Tell who was reached over a channel at least ``most`` times in the last so many days."""
        chosen = (self._channel == channel) & self._arrived & (self._sent_at >= self._night.midnight(days))
        return np.asarray(np.bincount(self._customer[chosen], minlength=len(self._night)) >= most)

    def assigned(self, actions: Sequence[str], *, days: int) -> npt.NDArray[np.int64]:
        """Count how often each customer was assigned any of some actions in the last so many days."""
        wanted = np.flatnonzero(np.isin(np.asarray(self._actions, dtype=object), list(actions)))
        chosen = np.isin(self._action, wanted) & (self._sent_at >= self._night.midnight(days))
        return np.bincount(self._customer[chosen], minlength=len(self._night))

    def redeemed(self, discounts: Sequence[str], *, days: int) -> Truths:
        """Tell who redeemed one of some discounts, or anything of another team, in the last so many days."""
        wanted = np.flatnonzero(np.isin(np.asarray(self._actions, dtype=object), list(discounts)))
        chosen = (np.isin(self._action, wanted) | ~self._own) & self._redeemed_in(days)
        return self._night.marked(self._customer[chosen])

    def redeemed_over(self, days: int) -> npt.NDArray[np.int64]:
        """Count what each customer redeemed in the last so many days, one column per channel of ``CHANNELS``."""
        chosen = self._redeemed_in(days) & (self._channel >= 0)
        keys = self._customer[chosen] * len(CHANNELS) + self._channel[chosen]
        counts = np.bincount(keys, minlength=len(self._night) * len(CHANNELS))
        return counts.reshape(len(self._night), len(CHANNELS))

    def _redeemed_in(self, days: int) -> Truths:
        night = self._night
        return (self._redeemed_at >= night.midnight(days)) & (self._redeemed_at < night.midnight())


def channel_codes(names: pd.Series) -> ChannelCodes:
    """Return positions in ``CHANNELS``, -1 for what is no channel.

    Examples:
        >>> channel_codes(pd.Series(["email", None, "phone", "pigeon"])).tolist()
        [0, -1, 2, -1]
    """
    return np.asarray(_CHANNEL_INDEX.get_indexer(pd.Index(names)), dtype=np.int8)


def marketing_consents(consents: pd.DataFrame, night: Night) -> npt.NDArray[np.bool_]:
    """Tell who agrees tonight to marketing over which channel.

    Args:
        consents: ``customer_id, channel, purpose, given_at, withdrawn_at`` (instants, ``NEVER`` or missing
            where not withdrawn); one row per consent.
        night: the customers.

    Returns:
        One row per customer, one column per channel of ``CHANNELS``.
    """
    rows = _consent_rows(consents, MARKETING)
    customer, channel = night.positions(rows["customer_id"]), channel_codes(rows["channel"])
    known = (customer >= 0) & (channel >= 0)
    keys = customer[known] * len(CHANNELS) + channel[known]
    agreed, _ = _agreed_and_withdrew(rows[known], keys, len(night) * len(CHANNELS), night)
    return agreed.reshape(len(night), len(CHANNELS))


def profiling_objections(consents: pd.DataFrame, night: Night) -> Truths:
    """Tell who withdrew from profiling before tonight, over any channel, and has not agreed to it since."""
    rows = _consent_rows(consents, PROFILING)
    customer = night.positions(rows["customer_id"])
    known = customer >= 0
    agreed, withdrew = _agreed_and_withdrew(rows[known], customer[known], len(night), night)
    return withdrew & ~agreed


def open_tickets(tickets: pd.DataFrame, night: Night) -> tuple[Truths, ChannelCodes]:
    """Tell who has an open ticket tonight, and the channel of the newest.

    Args:
        tickets: ``customer_id, opened_at, solved_at`` and, where known, ``reopened_at`` and ``channel``.
        night: the customers.
    """
    require_columns(tickets, ["customer_id", "opened_at", "solved_at"], table="tickets")
    tonight = night.midnight()
    opened, solved = _instants(tickets, "opened_at"), _instants(tickets, "solved_at")
    reopened = _instants(tickets, "reopened_at")
    is_open = (opened < tonight) & ((solved >= tonight) | ((reopened < tonight) & (reopened >= solved)))
    rows = tickets[is_open].iloc[np.argsort(opened[is_open], kind="stable")]
    customer = night.positions(rows["customer_id"])
    channel = np.full(len(night), -1, dtype=np.int8)
    if "channel" in rows:
        channel[customer[customer >= 0]] = channel_codes(rows["channel"])[customer >= 0]
    return night.marked(customer), channel


def running_discounts(offers: pd.DataFrame, night: Night, *, runs_days: int) -> Truths:
    """Tell who has a discount of any team tonight: an offer that runs, or one redeemed lately.

    Args:
        offers: ``customer_id, starts_at`` and, where known, ``ends_at, completed_at`` (instants) and ``reward``:
            without that column every offer is taken as a discount, otherwise those that give something.
        night: the customers.
        runs_days: so long an offer without an end runs, and so long after it was redeemed it counts.
    """
    require_columns(offers, ["customer_id", "starts_at"], table="offers")
    tonight, oldest = night.midnight(), night.midnight(runs_days)
    starts, ends = _instants(offers, "starts_at"), _instants(offers, "ends_at")
    completed = _instants(offers, "completed_at")
    is_running = (starts < tonight) & (ends > tonight) & (completed >= tonight)
    is_running &= (ends < NEVER) | (starts >= oldest)
    is_discount = offers["reward"].to_numpy(np.float64) > 0 if "reward" in offers else True
    chosen = (is_running | ((completed >= oldest) & (completed < tonight))) & is_discount
    return night.marked(night.positions(offers.loc[chosen, "customer_id"]))


def require_columns(rows: pd.DataFrame, columns: Sequence[str], *, table: str) -> None:
    """Check that a table has its columns.

    Raises:
        SchemaError: for the first column that is absent.
    """
    for column in columns:
        if column not in rows.columns:
            raise SchemaError.missing_column(column, table=table, found=rows.columns)


def _consent_rows(consents: pd.DataFrame, purpose: str) -> pd.DataFrame:
    require_columns(consents, ["customer_id", "channel", "purpose", "given_at"], table="consents")
    return consents[consents["purpose"] == purpose]


def _agreed_and_withdrew(
    rows: pd.DataFrame, keys: Positions, size: int, night: Night
) -> tuple[Truths, Truths]:
    """Tell per key whether a consent runs, given after every withdrawal, and whether any was withdrawn."""
    given, withdrawn = _instants(rows, "given_at"), _instants(rows, "withdrawn_at")
    over = withdrawn < night.midnight()
    running = (given < night.midnight()) & ~over
    never = np.iinfo(np.int64).min
    last_given, last_withdrawn = np.full((2, size), never)
    np.maximum.at(last_given, keys[running], given[running])
    np.maximum.at(last_withdrawn, keys[over], withdrawn[over])
    return last_given > last_withdrawn, last_withdrawn > never


def _instants(rows: pd.DataFrame, column: str) -> Instants:
    """Return a column of instants; an absent column and a missing value never happen."""
    if column not in rows.columns:
        return np.full(len(rows), NEVER, dtype=np.int64)
    return np.asarray(rows[column].astype("Int64").fillna(NEVER).to_numpy(dtype=np.int64))
