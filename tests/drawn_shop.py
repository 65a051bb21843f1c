"""A small shop drawn at random around one snapshot, its other possible futures, and the history its files give."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.build import build_features
from features.labels import build_labels
from features.population import Population
from features.settings import Attribute, FeatureSettings
from tables.calendar import BusinessCalendar, OutcomeRule
from tables.history import History
from tables.ingest import ingest
from tables.sources import IngestSettings, Source
from tests.drawn_rows import (
    AS_OF,
    COLOURS,
    COLUMNS,
    ENGAGEMENT,
    EVENT_TYPES,
    MIDNIGHT,
    OFFERS,
    REASONS,
    TIERS,
    TIME,
    Delivery,
    Rng,
    Row,
    a_row,
    an_order,
    come_otherwise,
    redrawn,
)

ZONE = "Europe/Vilnius"
NOW = BusinessCalendar(ZONE).midnight(date(2030, 1, 1))
RULE = OutcomeRule(horizon_days=7, active_within_days=14)
CONTRACTS = OutcomeRule(horizon_days=5, grace_days=2)
TRAINED_ON = (
    date(2025, 3, 26),
    date(2025, 3, 22),
    date(2025, 3, 17),
)  # the first one's outcome ends at AS_OF
NAMES = ("ann", "bob", "cyd", "dan", "eve")
SETTINGS = FeatureSettings(
    horizon_days=7,
    event_types=EVENT_TYPES,
    ticket_reasons=REASONS,
    offer_kinds=OFFERS,
    loyalty_tiers=TIERS,
    attributes=(Attribute("age"), Attribute("colour", COLOURS)),
)


def shop(
    rng: Rng, names: Sequence[str] = NAMES, *, mark: str = "", first_day: int = -60, last_day: int = 10
) -> Delivery:
    """Draw a small shop around the snapshot, with corrections; ``mark`` keeps its keys apart from others'."""
    found: Delivery = {table: [] for table in TIME}
    for customer in names:
        for number in range(int(rng.integers(1, 6))):
            found["orders"] += an_order(rng, customer, f"{mark}{customer}{number}", first_day, last_day)
        for table in (name for name in TIME if name not in ("orders", "calendar")):
            found[table] += some_rows(rng, table, customer, f"{mark}{customer}", first_day, last_day)
    found["calendar"] += some_rows(rng, "calendar", "", mark, first_day, last_day + 60)
    return {table: [*rows, *corrections(rng, table, rows)] for table, rows in found.items()}


def some_rows(rng: Rng, table: str, customer: str, mark: str, first_day: int, last_day: int) -> list[Row]:
    """A few rows of a table, for one customer."""
    numbers = range(int(rng.integers(1, 4)))
    return [a_row(rng, table, customer, f"{mark}{number}", first_day, last_day) for number in numbers]


def corrections(rng: Rng, table: str, rows: Sequence[Row], share: float = 0.2) -> list[Row]:
    """Restate some rows with other content, known some time after they happened."""
    waits = [timedelta(hours=hours) for hours in (1, 13, 24, 200)]
    return [
        redrawn(rng, table, row, known=max(row.at, row.known or row.at) + waits[int(rng.integers(4))])
        for row in rows
        if rng.random() < share
    ]


def anchored(found: Delivery) -> Delivery:
    """Add one plain customer with a long past row of every table, so that every version has every file."""
    fixed = shop(np.random.default_rng(1), ["zoe"], mark="anchor", first_day=-90, last_day=-80)
    plain = {table: [replace(row, known=None) for row in rows[:1]] for table, rows in fixed.items()}
    return {table: [*plain[table], *rows] for table, rows in found.items()}


def with_another_future(rng: Rng, found: Delivery, cutoff: datetime) -> Delivery:
    """Keep what is visible; drop, change and add what happens, comes of it or becomes known too late."""
    later = shop(rng, (*NAMES, "new", "aaa"), mark="later", first_day=0, last_day=30)
    late = shop(rng, (*NAMES, "old"), mark="late", first_day=-60, last_day=0)
    changed: Delivery = {}
    for table, rows in found.items():
        visible = [come_otherwise(rng, table, row) for row in rows if not row.is_hidden(cutoff)]
        hidden = [row for row in rows if row.is_hidden(cutoff) and rng.random() < 0.5]
        waits = [timedelta(0), timedelta(0), timedelta(minutes=1), timedelta(days=3)]
        learnt = [
            replace(row, known=cutoff + waits[int(rng.integers(4))])
            for row in [*late[table], *(later[table] if table == "calendar" else [])]
            if row.at < MIDNIGHT or table == "calendar"
        ]
        happens = [] if table == "calendar" else [announced(rng, row) for row in later[table]]
        otherwise = [redrawn(rng, table, row, known=row.known) for row in hidden]
        changed[table] = [*visible, *otherwise, *learnt, *happens, *restated(rng, table, visible, cutoff)]
    changed["orders"] += too_late_for_their_orders(rng, changed["orders"], cutoff)
    return changed


def announced(rng: Rng, row: Row) -> Row:
    """Let a row happen exactly at the snapshot's midnight now and then, or be known long before it happens."""
    at = MIDNIGHT if rng.random() < 0.3 else row.at
    return replace(row, at=at, known=[None, at, at - timedelta(days=40)][int(rng.integers(3))])


def restated(rng: Rng, table: str, visible: Sequence[Row], cutoff: datetime) -> list[Row]:
    """Correct some visible rows exactly at the cutoff or later."""
    waits = [timedelta(0), timedelta(0), timedelta(days=5)]
    return [
        redrawn(rng, table, row, known=cutoff + waits[int(rng.integers(3))])
        for row in visible
        if rng.random() < 0.3
    ]


def too_late_for_their_orders(rng: Rng, rows: Sequence[Row], cutoff: datetime) -> list[Row]:
    """Add lines to visible orders from midnight on."""
    return [
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
        for row in rows
        if not row.is_hidden(cutoff) and rng.random() < 0.3
    ]


def split(rows: Sequence[Row], cutoff: datetime) -> tuple[list[Row], list[Row]]:
    """Part the rows that are visible from those that are not."""
    visible = [row for row in rows if not row.is_hidden(cutoff)]
    return visible, [row for row in rows if row.is_hidden(cutoff)]


def some(rng: Rng, found: Delivery, *, without: Sequence[str] = ()) -> Delivery:
    """Keep orders, contacts, subscriptions and two drawn tables of the others, for a faster test."""
    always = ("orders", "contacts", "subscriptions")
    others = [table for table in ENGAGEMENT if table not in (*always, *without)]
    kept = {*always, *rng.choice(others, 2, replace=False)}
    return {table: rows for table, rows in found.items() if table in kept}


def turned_out_otherwise(rng: Rng, found: Delivery) -> Delivery:
    """Let what had not come of the rows by the snapshot come at other instants, or never."""
    return {table: [come_otherwise(rng, table, row) for row in rows] for table, rows in found.items()}


def columns_of(table: str, *, with_known: bool) -> list[str]:
    """List the columns of a table's files."""
    customer = ["customer_id"] if table != "calendar" else []
    return [*customer, TIME[table], *COLUMNS[table].split(), *(["known_at"] if with_known else [])]


class Files:
    """Deliveries of one test as CSV files, and the history made of them."""

    def __init__(self, folder: Path, offset: float = 0, customers_per_bucket: int = 100) -> None:
        self.folder = folder
        self.calendar = BusinessCalendar(ZONE, offset)
        self.settings = IngestSettings(threads=1, customers_per_bucket=customers_per_bucket)
        self.nights = 0

    def write(self, table: str, rows: Sequence[Row], *, name: str, with_known: bool = True) -> Source:
        """Write the rows of a table as one CSV file."""
        columns = columns_of(table, with_known=with_known)
        path = self.folder / table / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [row.text(table, with_known=with_known) for row in rows]
        path.write_text("\n".join([",".join(columns), *lines]) + "\n")
        values = {"age": "number", "colour": COLOURS} if table == "attributes" else {}
        unsaid = () if with_known else ("renews_at",)  # refused where it is not said when it was known
        mapped = {column: column for column in columns if column not in (*values, *unsaid)}
        return Source(path=str(path), columns=mapped, values=values)

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

    def features(self, *days: date, population: Population | None = None) -> pd.DataFrame:
        blocks = build_features(
            self.history,
            as_of=days or (AS_OF,),
            calendar=self.calendar,
            settings=SETTINGS,
            population=population,
        )
        return self._by_id([block.frame for block in blocks])

    def labels(
        self,
        rule: OutcomeRule = RULE,
        *,
        days: Sequence[date] = TRAINED_ON,
        known_before: int | None = BusinessCalendar(ZONE).midnight(AS_OF),
    ) -> pd.DataFrame:
        """Return the labels of some days, if not told otherwise those an evaluation at the snapshot trains on."""
        blocks = build_labels(
            self.history, as_of=days, calendar=self.calendar, rule=rule, known_before=known_before
        )
        return self._by_id([block.frame for block in blocks])

    def _by_id(self, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
        history, frame = self.history, pd.concat(frames, ignore_index=True)
        ids = [
            history.customer_ids(key % history.buckets)[key // history.buckets] for key in frame["customer"]
        ]
        return frame.assign(customer=ids).sort_values(["as_of", "customer"], ignore_index=True)
