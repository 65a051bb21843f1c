"""Rows of a small shop's tables drawn around one snapshot: orders, and everything else customers do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from tables.contracts import since_of

AS_OF = date(2025, 4, 2)  # three days after the clocks changed
MIDNIGHT = datetime(2025, 4, 2)
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
    "subscriptions": "started_at",
    "offers": "starts_at",
    "attributes": "valid_from",
    "calendar": "date",
}
COLUMNS = {
    "orders": "order_id line_no product_id category amount discount quantity cost shipping channel region is_return",
    "contacts": "contact_id arm redeemed_at",
    "events": "event_id type value",
    "customers": "language",
    "tickets": "ticket_id reason first_reply_at solved_at reopened_at rated_at csat",
    "surveys": "survey_id kind score",
    "consents": "channel purpose withdrawn_at",
    "loyalty": "tier points expires_at",
    "subscriptions": "subscription_id plan mrr renews_at ended_at",
    "offers": "offer_id kind ends_at reward difficulty viewed_at completed_at",
    "attributes": "age colour",
    "calendar": "region kind",
}
ENGAGEMENT = tuple(table for table in TIME if table not in ("orders", "contacts", "customers", "consents"))
EVENT_TYPES = (
    "session", "app_use", "email_open", "email_click", "page_error", "slow_page", "community", "review", "mention",
    "referral", "visit",
)  # fmt: skip
REASONS, SURVEYS, OFFERS, TIERS = (
    ("complaint", "how_to", "late"),
    ("nps", "csat", "cli"),
    ("bogo", "gift"),
    ("silver", "gold"),
)
COLOURS = ("red", "blue")

Rng = np.random.Generator


@dataclass(frozen=True)
class Row:
    """A row of a source: when it happened and became known (nothing: at once), in local time."""

    customer: str
    at: datetime
    known: datetime | None
    content: Mapping[str, object]

    def is_hidden(self, cutoff: datetime) -> bool:
        """Say whether the snapshot must not see the row; a row of the calendar shows once it was announced."""
        has_come = not self.customer or self.at < MIDNIGHT
        return not has_come or (self.known or self.at) >= cutoff

    def text(self, table: str, *, with_known: bool) -> str:
        """Write the row as a line of a CSV file."""
        customer = [self.customer] if table != "calendar" else []
        fields = [*customer, self.at, *(self.content[name] for name in COLUMNS[table].split())]
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
            "shipping": int(rng.integers(0, 2)),
            "channel": "web",
            "region": rng.choice(["LT", "CN"]),
            "is_return": is_return,
        }
        rows.append(Row(customer, at, known_after(rng, at), content))
    return rows


def a_row(rng: Rng, table: str, customer: str, name: str, first_day: int, last_day: int) -> Row:
    """One row of any other table; what comes of it may have come by the snapshot, come later, or never."""
    at = moment(rng, first_day, last_day)
    content = {**_named(table, name), **_content(rng, table, at)}
    return Row(customer, at, known_after(rng, at), {**content, **happenings(rng, table, at, last_day)})


def _named(table: str, name: str) -> dict[str, object]:
    key = next((column for column in COLUMNS[table].split() if column.endswith("_id")), None)
    return {key: name} if key else {}


def _content(rng: Rng, table: str, at: datetime) -> dict[str, object]:
    """Draw what is known of a row with the row itself, ends announced for a time to come included."""
    number = int(rng.integers(0, 11))
    announced = at + timedelta(days=int(rng.integers(1, 60)))
    maybe = rng.choice([None, announced])
    contents: dict[str, dict[str, object]] = {
        "contacts": {"arm": rng.choice(["sent", "control"])},
        "events": {"type": rng.choice(EVENT_TYPES), "value": rng.choice([-1, 1, 4, 5])},
        "customers": {"language": "en"},
        "tickets": {"reason": rng.choice(REASONS)},
        "surveys": {"kind": rng.choice(SURVEYS), "score": number},
        "consents": {"channel": "email", "purpose": "marketing"},
        "loyalty": {"tier": rng.choice([*TIERS, None]), "points": number, "expires_at": maybe},
        "subscriptions": {"plan": rng.choice(["basic", "pro"]), "mrr": number, "renews_at": maybe},
        "offers": {"kind": rng.choice(OFFERS), "ends_at": announced, "reward": number, "difficulty": 1},
        "attributes": {"age": number, "colour": rng.choice(COLOURS)},
        "calendar": {"region": rng.choice(["LT", None]), "kind": rng.choice(["promotion", "holiday"])},
    }  # fmt: skip
    return contents[table]


def happenings(rng: Rng, table: str, at: datetime, last_day: int) -> dict[str, object]:
    """Draw what came of a row after it happened: instants, and the values that came with them."""
    latest = max(last_day, 1) + 20
    found: dict[str, object] = {}
    for column, since in since_of(table).items():
        if column == since:
            wait = timedelta(days=int(rng.integers(0, 30)), hours=int(rng.choice(HOURS)))
            come = [None, min(at + wait, MIDNIGHT + timedelta(days=latest)), max(at, MIDNIGHT)]
            found[column] = come[int(rng.integers(3))]
        else:
            found[column] = int(rng.integers(1, 6))
    return found


def come_otherwise(rng: Rng, table: str, row: Row) -> Row:
    """Let what had not come of a row by the snapshot come at another instant from it on, or never, or turn out else."""
    changed: dict[str, object] = {}
    for column, since in since_of(table).items():
        instant = row.content[since]
        if isinstance(instant, datetime) and instant < MIDNIGHT:
            continue
        later = [None, max(row.at, MIDNIGHT), max(row.at, MIDNIGHT) + timedelta(days=int(rng.integers(0, 9)))]
        changed[column] = later[int(rng.integers(3))] if column == since else int(rng.integers(1, 6))
    return Row(row.customer, row.at, row.known, {**row.content, **changed})


def redrawn(rng: Rng, table: str, row: Row, *, known: datetime | None) -> Row:
    """Say of a row, under its own key, something else: from ``known`` on."""
    if table == "orders":
        other: dict[str, object] = {"amount": int(rng.integers(51, 99))}
    else:
        last_day = (row.at - MIDNIGHT).days
        other = {**_content(rng, table, row.at), **happenings(rng, table, row.at, last_day)}
        other = {name: value for name, value in other.items() if name not in ("channel", "purpose", "region")}
        other |= {name: row.content[name] for name in ("kind",) if table == "calendar"}
    return Row(row.customer, row.at, known, {**row.content, **other})
