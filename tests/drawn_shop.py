"""A small shop drawn at random around one snapshot, its other possible futures, and the history its files give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.build import build_features
from features.labels import build_labels
from features.settings import FeatureSettings
from tables.calendar import BusinessCalendar, OutcomeRule
from tables.history import History
from tables.ingest import ingest
from tables.sources import IngestSettings, Source

ZONE = "Europe/Vilnius"
AS_OF = date(2025, 4, 2)  # three days after the clocks changed
MIDNIGHT = datetime(2025, 4, 2)
NOW = BusinessCalendar(ZONE).midnight(date(2030, 1, 1))
RULE = OutcomeRule(horizon_days=7, active_within_days=14)
TRAINED_ON = (
    date(2025, 3, 26),
    date(2025, 3, 22),
    date(2025, 3, 17),
)  # the first one's outcome ends at AS_OF
NAMES = ("ann", "bob", "cyd", "dan", "eve")
HOURS = (0, 0, 12, 23)
TIME = {
    "orders": "ordered_at",
    "contacts": "sent_at",
    "events": "occurred_at",
    "customers": "signed_up_at",
    "tickets": "opened_at",
    "surveys": "answered_at",
    "consents": "given_at",
    "loyalty": "valid_from",
}
COLUMNS = {
    "orders": "order_id line_no product_id category amount discount quantity cost channel is_return",
    "contacts": "contact_id arm redeemed_at",
    "events": "event_id type value",
    "customers": "language",
    "tickets": "ticket_id reason",
    "surveys": "survey_id kind score",
    "consents": "channel purpose",
    "loyalty": "tier points",
}

Rng = np.random.Generator


@dataclass(frozen=True)
class Row:
    """A row of a source: when it happened and became known (nothing: at once), in local time."""

    customer: str
    at: datetime
    known: datetime | None
    content: Mapping[str, object]

    def is_hidden(self, cutoff: datetime) -> bool:
        return self.at >= MIDNIGHT or (self.known or self.at) >= cutoff

    def text(self, table: str, *, with_known: bool) -> str:
        fields = [self.customer, self.at, *(self.content[name] for name in COLUMNS[table].split())]
        if with_known:
            fields.append(self.known)
        return ",".join("" if field is None else str(field) for field in fields)


Delivery = dict[str, list[Row]]


def moment(rng: Rng, first_day: int, last_day: int) -> datetime:
    """Draw a local time so many days from the snapshot, often exactly a midnight or a minute before one."""
    hour = int(rng.choice(HOURS))
    days = int(rng.integers(first_day, last_day))
    return MIDNIGHT + timedelta(days=days, hours=hour, minutes=59 if hour == 23 else 0)


def known_after(rng: Rng, at: datetime, *, is_plain: float = 0.5) -> datetime | None:
    """Draw when a row became known: mostly at once, else before it happened, later, or at a midnight."""
    if rng.random() < is_plain:
        return None
    midnight = datetime(at.year, at.month, at.day)
    return [at - timedelta(days=9), at, at + timedelta(hours=3), midnight + timedelta(days=1), MIDNIGHT][
        int(rng.integers(5))
    ]


def an_order(rng: Rng, customer: str, name: str, first_day: int, last_day: int) -> list[Row]:
    """One order of a few lines, some of them days later, some corrected; a line keeps its time."""
    start, rows = moment(rng, first_day, last_day), []
    is_return = int(rng.random() < 0.15)
    for number in range(1, int(rng.integers(2, 5))):
        at = start + timedelta(days=int(rng.choice([0, 0, 1, 6])))
        content = {
            "order_id": name,
            "line_no": number,
            "product_id": rng.choice(["p", "q", "r"]),
            "category": rng.choice(["x", "y"]),
            "amount": int(rng.integers(1, 50)),
            "discount": int(rng.integers(0, 5)),
            "quantity": int(rng.integers(1, 4)),
            "cost": 1,
            "channel": "web",
            "is_return": is_return,
        }
        rows.append(Row(customer, at, known_after(rng, at), content))
    return rows


def other_tables(rng: Rng, customer: str, mark: str, first_day: int, last_day: int) -> Delivery:
    """A row or two of every other table."""
    at = {table: moment(rng, first_day, last_day) for table in TIME}
    redeemed = rng.choice([None, MIDNIGHT - timedelta(days=1), MIDNIGHT, MIDNIGHT + timedelta(days=4)])
    content: dict[str, dict[str, object]] = {
        "contacts": {"contact_id": mark, "arm": rng.choice(["sent", "control"]), "redeemed_at": redeemed},
        "events": {"event_id": mark, "type": "visit", "value": 1},
        "customers": {"language": "en"},
        "tickets": {"ticket_id": mark, "reason": "late"},
        "surveys": {"survey_id": mark, "kind": "nps", "score": 7},
        "consents": {"channel": "email", "purpose": "marketing"},
        "loyalty": {"tier": "gold", "points": 5},
    }
    return {
        table: [Row(customer, at[table], known_after(rng, at[table]), values)]
        for table, values in content.items()
    }


def shop(
    rng: Rng, names: Sequence[str] = NAMES, *, mark: str = "", first_day: int = -60, last_day: int = 10
) -> Delivery:
    """Draw a small shop around the snapshot, with corrections; ``mark`` keeps its keys apart from others'."""
    found: Delivery = {table: [] for table in TIME}
    for customer in names:
        for number in range(int(rng.integers(1, 6))):
            found["orders"] += an_order(rng, customer, f"{mark}{customer}{number}", first_day, last_day)
        for table, rows in other_tables(rng, customer, f"{mark}{customer}", first_day, last_day).items():
            found[table] += rows
    found["orders"] += corrections(rng, found["orders"], timedelta(0))
    return found


def corrections(rng: Rng, rows: Sequence[Row], wait: timedelta, share: float = 0.2) -> list[Row]:
    """Restate some lines with another amount, known some time after they happened and after ``wait``."""
    chosen = [row for row in rows if rng.random() < share]
    return [
        replace(
            row,
            known=max(row.at, row.known or row.at)
            + wait
            + timedelta(hours=int(rng.choice([1, 13, 24, 200]))),
            content={**row.content, "amount": int(rng.integers(51, 99))},
        )
        for row in chosen
    ]


def anchored(found: Delivery) -> Delivery:
    """Add one plain customer with a long past row of every table, so that every version has every file."""
    fixed = shop(np.random.default_rng(1), ["zoe"], mark="anchor", first_day=-90, last_day=-80)
    plain = {table: [replace(row, known=None) for row in rows[:1]] for table, rows in fixed.items()}
    return {table: [*plain[table], *rows] for table, rows in found.items()}


def with_another_future(rng: Rng, found: Delivery, cutoff: datetime) -> Delivery:
    """Keep what is visible; drop, change and add rows that happen or become known too late."""
    later = shop(rng, (*NAMES, "new", "aaa"), mark="later", first_day=0, last_day=30)
    late = shop(rng, (*NAMES, "old"), mark="late", first_day=-60, last_day=0)
    changed: Delivery = {}
    for table, rows in found.items():
        visible = [row for row in rows if not row.is_hidden(cutoff)]
        hidden = [row for row in rows if row.is_hidden(cutoff) and rng.random() < 0.5]
        waits = [timedelta(0), timedelta(0), timedelta(minutes=1), timedelta(days=3)]
        learnt = [
            replace(row, known=cutoff + waits[int(rng.integers(4))])
            for row in late[table]
            if row.at < MIDNIGHT
        ]
        happens = [announced(rng, row) for row in later[table]]
        changed[table] = [*visible, *map(dearer, hidden), *learnt, *happens]
    changed["orders"] += too_late_for_their_orders(rng, changed["orders"], cutoff)
    changed["contacts"] = [redeemed_otherwise(row) for row in changed["contacts"]]
    return changed


def announced(rng: Rng, row: Row) -> Row:
    """Let a row happen exactly at the snapshot's midnight now and then, or be known long before it happens."""
    at = MIDNIGHT if rng.random() < 0.3 else row.at
    return replace(row, at=at, known=[None, at, at - timedelta(days=40)][int(rng.integers(3))])


def dearer(row: Row) -> Row:
    amount = row.content.get("amount")
    return row if amount is None else replace(row, content={**row.content, "amount": int(str(amount)) + 100})


def too_late_for_their_orders(rng: Rng, rows: Sequence[Row], cutoff: datetime) -> list[Row]:
    """Correct visible lines exactly at the cutoff or later, and add lines to their orders from midnight on."""
    visible = [row for row in rows if not row.is_hidden(cutoff)]
    restated = [
        replace(row, known=cutoff + timedelta(days=int(rng.choice([0, 0, 5]))), content=dearer(row).content)
        for row in visible
        if rng.random() < 0.3
    ]
    added = [
        replace(
            row,
            at=MIDNIGHT + timedelta(days=int(rng.choice([0, 0, 5]))),
            known=rng.choice([None, row.at]),
            content={
                **row.content,
                "line_no": f"9{row.content['line_no']}",
                "product_id": "z",
                "category": "z",
            },
        )
        for row in visible
        if rng.random() < 0.3
    ]
    return [*restated, *added]


def redeemed_otherwise(row: Row) -> Row:
    """Let a contact be redeemed at another instant after the snapshot."""
    redeemed = row.content["redeemed_at"]
    if not isinstance(redeemed, datetime) or redeemed < MIDNIGHT:
        return row
    return replace(row, content={**row.content, "redeemed_at": MIDNIGHT + timedelta(days=11)})


def split(rows: Sequence[Row], cutoff: datetime) -> tuple[list[Row], list[Row]]:
    """Part the rows that are visible from those that are not."""
    visible = [row for row in rows if not row.is_hidden(cutoff)]
    return visible, [row for row in rows if row.is_hidden(cutoff)]


def some(found: Delivery, *tables: str) -> Delivery:
    """Keep a few of the tables, for a faster test."""
    return {table: found[table] for table in tables or ("orders", "contacts")}


class Files:
    """Deliveries of one test as CSV files, and the history made of them."""

    def __init__(self, folder: Path, offset: float = 0, customers_per_bucket: int = 100) -> None:
        self.folder = folder
        self.calendar = BusinessCalendar(ZONE, offset)
        self.settings = IngestSettings(threads=1, customers_per_bucket=customers_per_bucket)
        self.nights = 0

    def write(self, table: str, rows: Sequence[Row], *, name: str, with_known: bool = True) -> Source:
        """Write the rows of a table as one CSV file."""
        columns = ["customer_id", TIME[table], *COLUMNS[table].split(), *(["known_at"] if with_known else [])]
        path = self.folder / table / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [row.text(table, with_known=with_known) for row in rows]
        path.write_text("\n".join([",".join(columns), *lines]) + "\n")
        return Source(path=str(path), columns={column: column for column in columns})

    def take_in(
        self, found: Delivery, *, with_known: bool = True, known_cutoff: int | None = None
    ) -> "Files":
        """Write one file per table that has rows and ingest them."""
        self.nights += 1
        sources = {
            table: [self.write(table, rows, name=str(self.nights), with_known=with_known)]
            for table, rows in found.items()
            if rows
        }
        ingest(
            sources,
            root=self.folder / "history",
            calendar=self.calendar,
            now=NOW,
            settings=self.settings,
            known_cutoff=known_cutoff,
        )
        return self

    @property
    def history(self) -> History:
        return History.open(self.folder / "history")

    def features(self, *days: date, active_within_days: int | None = None) -> pd.DataFrame:
        blocks = build_features(
            self.history,
            as_of=days or (AS_OF,),
            calendar=self.calendar,
            settings=FeatureSettings(horizon_days=7),
            active_within_days=active_within_days,
        )
        return self._by_id([block.frame for block in blocks])

    def labels(self) -> pd.DataFrame:
        """Return the labels an evaluation at the snapshot date trains on."""
        blocks = build_labels(
            self.history,
            as_of=TRAINED_ON,
            calendar=self.calendar,
            rule=RULE,
            known_before=self.calendar.midnight(AS_OF),
        )
        return self._by_id([block.frame for block in blocks])

    def _by_id(self, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
        history, frame = self.history, pd.concat(frames, ignore_index=True)
        ids = [
            history.customer_ids(key % history.buckets)[key // history.buckets] for key in frame["customer"]
        ]
        return frame.assign(customer=ids).sort_values(["as_of", "customer"], ignore_index=True)
