"""A history held in memory, so that a test can write down the rows it means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from features.build import build_features
from features.settings import FeatureSettings
from tables.calendar import NEVER, BusinessCalendar
from tables.contracts import Kind, kind_of
from tables.rows import MONEY_SCALE, Codes, Rows

_FIXED_POINT = (Kind.MONEY, Kind.QUANTITY)


def instant(text: str, zone: str = "UTC") -> int:
    """Turn local time into microseconds UTC."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return round(local.timestamp()) * 1_000_000 + local.microsecond


@dataclass
class MemoryHistory:
    """Rows per table as frames: customer (name), at, known_at, superseded_at, content in its own unit."""

    frames: Mapping[str, pd.DataFrame]
    buckets: int = 1
    names: Sequence[str] = ()
    reads: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        of_customers = (frame for table, frame in self.frames.items() if table != "calendar")
        known = {name for frame in of_customers for name in frame["customer"]}
        self.names = [*self.names, *sorted(known - set(self.names))]

    def first_at(self, table: str) -> int:
        return int(self.frames[table]["at"].min())

    def newest_at(self, table: str) -> int:
        return int(self.frames[table]["at"].max())

    def has(self, table: str) -> bool:
        return table in self.frames

    def columns(self, table: str) -> tuple[str, ...]:
        own = {"customer", "at", "known_at", "superseded_at"}
        return tuple(column for column in self.frames[table].columns if column not in own)

    def read(self, table: str, bucket: int, columns: Sequence[str] = ()) -> Rows:
        self.reads.append((table, bucket))
        frame = self.frames[table]
        keys = {name: key for key, name in enumerate(self.names)}
        key = frame["customer"].map(keys).fillna(0).astype(np.int64)  # a calendar belongs to nobody
        mine = (key % self.buckets == bucket).to_numpy(dtype=bool)
        frame = frame[mine].assign(local=(key[mine] // self.buckets).astype(np.int32))
        frame = frame.sort_values(["local", "at", *sorted(self.columns(table))], kind="stable")
        return Rows(
            table,
            len(range(bucket, len(self.names), self.buckets)),
            frame["local"].to_numpy(np.int32),
            frame["at"].to_numpy(np.int64),
            frame["known_at"].to_numpy(np.int64),
            frame["superseded_at"].to_numpy(np.int64),
            {name: _stored(table, name, frame[name]) for name in columns},
        )


def _stored(table: str, name: str, values: pd.Series) -> np.ndarray | Codes:
    kind = kind_of(table, name)
    if kind is Kind.TEXT:
        codes, labels = pd.factorize(values, sort=True)
        return Codes(codes.astype(np.int32), tuple(map(str, labels)))
    if kind in _FIXED_POINT:
        return np.round(values.to_numpy(np.float64) * MONEY_SCALE).astype(np.int64)
    return values.to_numpy(np.float64 if kind is Kind.NUMBER else np.int64)


@pytest.fixture(scope="session")
def at() -> Callable[..., int]:
    """Turn local time into microseconds UTC."""
    return instant


@pytest.fixture(scope="session")
def table() -> Callable[..., pd.DataFrame]:
    """Write rows as (customer, "2025-01-31 10:00", content ...), known when they happened."""

    def make(*rows: tuple[object, ...], columns: Sequence[str] = (), zone: str = "UTC") -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=["customer", "time", *columns])
        moments = np.array([instant(time, zone) for time in frame.pop("time")], dtype=np.int64)
        frame.insert(1, "at", moments)
        return frame.assign(known_at=moments, superseded_at=np.int64(NEVER))

    return make


@pytest.fixture(scope="session")
def memory() -> type[MemoryHistory]:
    """The class of histories held in memory."""
    return MemoryHistory


_FIRST_DAY = "2025-01-01"
_HOURS = (0, 0, 9, 23)


def _random_rows(rng: np.random.Generator, rows: int, customers: Sequence[str]) -> pd.DataFrame:
    """Rows with ties, midnights, late arrivals and replaced versions."""
    midnight = instant(_FIRST_DAY)
    minutes = rng.integers(0, 120, rows) * 1440 + rng.choice(_HOURS, rows) * 60 + rng.choice([0, 59], rows)
    happened = midnight + minutes * 60_000_000
    hour = 3_600_000_000
    known = happened + rng.choice([0, 0, 0, 0, hour, 24 * hour, 960 * hour], rows)
    replaced = known + rng.choice([hour, 48 * hour, 720 * hour], rows)
    return pd.DataFrame(
        {
            "customer": rng.choice(list(customers), rows),
            "at": happened,
            "known_at": known,
            "superseded_at": np.where(rng.random(rows) < 0.2, replaced, NEVER),
        }
    )


def random_tables(
    rng: np.random.Generator, customers: Sequence[str], rows: int = 60
) -> dict[str, pd.DataFrame]:
    """Every table that builders read, with few distinct values, so that values meet again."""
    orders, lines, returns, contacts = (_random_rows(rng, rows, customers) for _ in range(4))
    whole = {
        "amount": (0, 50),
        "discount": (0, 9),
        "shipping": (0, 9),
        "quantity": (1, 5),
        "lines": (1, 4),
        "products": (1, 4),
    }
    orders = orders.assign(**{name: rng.integers(*span, rows).astype(float) for name, span in whole.items()})
    orders = orders.assign(region=rng.choice(["north", "south", "east"], rows))
    letters = np.array(["a", "b", "c", "d", None], dtype=object)
    return {
        "orders": orders,
        "lines": lines.assign(product_id=rng.choice(letters, rows), category=rng.choice(letters[1:], rows)),
        "returns": returns.assign(amount=rng.integers(1, 20, rows).astype(float)),
        "contacts": contacts.assign(
            arm=rng.choice(["sent", "control"], rows),
            redeemed_at=np.where(rng.random(rows) < 0.5, contacts["at"] + 86_400_000_000 * 9, NEVER),
        ),
        **_random_records(rng, customers, rows),
        **_random_series(rng, customers, rows),
    }


def _later(rng: np.random.Generator, begun: pd.Series) -> np.ndarray:
    """Instants some hours or days after others, now and then before them, a third of them never."""
    hours = rng.choice([-24, 0, 1, 9, 24, 80, 400, 1000], len(begun))
    return np.where(rng.random(len(begun)) < 0.33, NEVER, begun + hours * 3_600_000_000)


def _random_records(rng: np.random.Generator, customers: Sequence[str], rows: int) -> dict[str, pd.DataFrame]:
    """Tables whose rows tell of several instants."""
    tickets, offers, subscriptions = (_random_rows(rng, rows, customers) for _ in range(3))
    moments = ("first_reply_at", "solved_at", "reopened_at", "rated_at")
    whole = {"reward": (0, 9), "difficulty": (0, 9)}
    return {
        "tickets": tickets.assign(
            reason=rng.choice(["complaint", "how_to", "other"], rows),
            csat=rng.choice([1.0, 2.0, 5.0, np.nan], rows),
            **{name: _later(rng, tickets["at"]) for name in moments},
        ),
        "offers": offers.assign(
            kind=rng.choice(["bogo", "gift"], rows),
            **{name: _later(rng, offers["at"]) for name in ("ends_at", "viewed_at", "completed_at")},
            **{name: rng.integers(*span, rows).astype(float) for name, span in whole.items()},
        ),
        "subscriptions": subscriptions.assign(
            plan=rng.choice(["basic", "pro"], rows),
            mrr=rng.integers(0, 50, rows).astype(float),
            **{name: _later(rng, subscriptions["at"]) for name in ("ended_at", "renews_at")},
        ),
    }


EVENT_TYPES = ("session", "app_use", "page_error", "slow_page", "review", "mention", "offer-viewed")


def _random_series(rng: np.random.Generator, customers: Sequence[str], rows: int) -> dict[str, pd.DataFrame]:
    """Events, answers, states and days to come."""
    names = ("events", "surveys", "loyalty", "attributes", "calendar", "customers")
    drawn = {name: _random_rows(rng, rows, customers) for name in names}
    return {
        "events": drawn["events"].assign(
            type=rng.choice([*EVENT_TYPES, "other"], rows),
            value=rng.choice([-1.0, 0.0, 0.5, 1.0, 2.0, 4.0, 5.0, np.nan], rows),
        ),
        "surveys": drawn["surveys"].assign(
            kind=rng.choice(["nps", "csat", "cli", "other"], rows),
            score=rng.integers(0, 11, rows).astype(float),
        ),
        "loyalty": drawn["loyalty"].assign(
            tier=rng.choice(np.array(["silver", "gold", "other", None], dtype=object), rows),
            points=rng.choice([0.0, 10.0, 25.5, 100.0, np.nan], rows),
            expires_at=_later(rng, drawn["loyalty"]["at"]),
        ),
        "attributes": drawn["attributes"].assign(
            name=rng.choice(["age", "gender"], rows),
            number=rng.choice([18.0, 40.0, np.nan], rows),
            text=rng.choice(np.array(["F", "M", "O", None], dtype=object), rows),
        ),
        "calendar": drawn["calendar"].assign(
            customer=None,
            kind=rng.choice(["promotion", "holiday", "other"], rows),
            region=rng.choice(np.array(["north", "south", None], dtype=object), rows),
            known_at=drawn["calendar"]["at"] - rng.integers(0, 30, rows) * 86_400_000_000,
        ),
        "customers": drawn["customers"].assign(at=lambda found: found["at"].where(rng.random(rows) < 0.8, 0)),
    }


@pytest.fixture(scope="session")
def shop() -> Callable[..., dict[str, pd.DataFrame]]:
    """Draw random rows of every table that builders read."""
    return random_tables


@pytest.fixture(scope="session")
def row_for() -> Callable[..., pd.Series]:
    """Compute one customer's features on 2025-03-01, UTC."""

    def row(history: MemoryHistory, customer: str = "ann", **words: object) -> pd.Series:
        chosen = FeatureSettings(horizon_days=10, **words)
        as_of, calendar = date(2025, 3, 1), BusinessCalendar("UTC")
        blocks = build_features(history, as_of=[as_of], calendar=calendar, settings=chosen)
        frame = pd.concat([block.frame for block in blocks]).set_index("customer")
        return frame.loc[list(history.names).index(customer)]

    return row
