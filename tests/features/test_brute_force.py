"""Features over more than orders, and labels of contracts, against a slow look at every row, from nights of files on.

The slow side reads the rows as they were delivered: it knows when each became known, takes the last version of
each key known before the cutoff, and goes through it once per feature, with none of the code it judges.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from tables.calendar import NEVER, OutcomeRule
from tables.contracts import DECLARED, columns_of
from tables.sources import IngestSettings
from tests.drawn_rows import (
    COLOURS,
    COLUMNS,
    EVENT_TYPES,
    MIDNIGHT,
    OFFERS,
    REASONS,
    TIERS,
    Delivery,
    Rng,
    Row,
)
from tests.drawn_shop import NAMES, SETTINGS, ZONE, Files, anchored, shop

DAY = 86_400_000_000
HOUR = DAY // 24
YEAR = 365
WINDOWS = SETTINGS.windows
AUTUMN = timedelta(days=208)  # the snapshot's 2 April becomes 27 October, the day after the clocks went back
Told = dict[str, float]


def instant(local: object) -> int:
    """Turn a local time into microseconds UTC, nothing into never."""
    if local is None:
        return NEVER
    assert isinstance(local, datetime)
    return round(local.replace(tzinfo=ZoneInfo(ZONE)).timestamp()) * 1_000_000


def local_day(at: int) -> date:
    return datetime.fromtimestamp(at // 1_000_000, ZoneInfo(ZONE)).date()


@dataclass(frozen=True)
class Fact:
    """A row as it was told on one night."""

    customer: str
    at: int
    known: int
    night: int
    content: Mapping[str, object]

    def __getitem__(self, name: str) -> object:
        return self.content[name]

    def moment(self, name: str) -> int:
        """Return another instant of the row, no earlier than its own."""
        value = self.content[name]
        assert isinstance(value, int)
        return max(self.at, value)

    def number(self, name: str) -> float:
        value = self.content[name]
        return np.nan if value is None else float(str(value))


def instants_of(table: str) -> set[str]:
    return {column.name for column in DECLARED[table].columns if column.kind.value == "instant"}


def parts_of(table: str, row: Row) -> Iterator[dict[str, object]]:
    """Return a row's content as stored; a row of attributes is one for each of them."""
    if table == "attributes":
        yield {"name": "age", "number": row.content["age"], "text": None}
        yield {"name": "colour", "number": None, "text": row.content["colour"]}
        return
    times = instants_of(table)
    for_rows = {name: row.content[name] for name in COLUMNS[table].split()}
    yield {name: instant(value) if name in times else value for name, value in for_rows.items()}


def key_of(table: str, fact: Fact) -> tuple[object, ...]:
    declared = DECLARED[table]
    names = ("order_id", "line_no") if table == "orders" else declared.key
    return (fact.customer, *(fact.at if name == declared.time else str(fact[name]) for name in names))


class Slow:
    """All rows of some nights, and what of them shows at a date."""

    def __init__(self, nights: Sequence[Delivery], cutoffs: Sequence[int], offset: int) -> None:
        self.offset = offset
        self.facts: dict[str, dict[tuple[object, ...], list[Fact]]] = {}
        stamp: int | None = None
        for night, (delivery, cutoff) in enumerate(zip(nights, cutoffs, strict=True)):
            newest = [cutoff]
            loaded = set(self.facts)
            for table, rows in delivery.items():
                is_first = table not in loaded
                for row in rows:
                    self._take(table, row, None if is_first else stamp, night)
                newest += [instant(row.at) for row in rows if table != "calendar"]
            stamp = max([*newest, *([stamp] if stamp is not None else [])])

    def _take(self, table: str, row: Row, stamp: int | None, night: int) -> None:
        for content in parts_of(table, row):
            at = instant(row.at)
            fact = Fact(row.customer, at, at, night, content)
            versions = self.facts.setdefault(table, {}).setdefault(key_of(table, fact), [])
            earlier = [version.known for version in versions if version.night < night]
            known = max([at, *([stamp] if stamp is not None else []), *earlier])
            versions.append(replace(fact, known=known if row.known is None else instant(row.known)))

    def known(self, table: str, customer: str | None, before: int) -> list[Fact]:
        """Return the last version of each row known before an instant, of one customer or of all."""
        found = []
        for versions in self.facts.get(table, {}).values():
            told = [version for version in versions if version.known < before]
            if told and customer in (None, told[0].customer):
                found.append(max(told, key=lambda version: (version.known, version.night)))
        return found

    def visible(self, table: str, as_of: date) -> list[Fact]:
        """Return the rows that show at a date in the order of the history."""
        midnight = instant(datetime(as_of.year, as_of.month, as_of.day))
        found = self.known(table, None, midnight + self.offset)
        names = [column.name for column in columns_of("lines" if table == "orders" else table)]
        is_shown = (
            (lambda fact: fact.at >= midnight) if table == "calendar" else lambda fact: fact.at < midnight
        )
        return sorted(filter(is_shown, found), key=lambda fact: in_order(fact, names))


def in_order(fact: Fact, names: Sequence[str]) -> tuple[object, ...]:
    held = [fact.content[name] for name in names if name in fact.content]
    missing = (None, NEVER)
    content = [(value not in missing, 0 if value in missing else plain(value)) for value in held]
    return (fact.customer, fact.at, fact.known, *content)


def plain(value: object) -> object:
    return value if isinstance(value, str) else float(str(value))


@dataclass(frozen=True)
class Look:
    """What one customer's rows say at a date."""

    as_of: date
    rows: Mapping[str, Sequence[Fact]]

    def midnight(self, days: int | None = 0) -> int:
        if days is None:
            return -NEVER
        day = self.as_of - timedelta(days=days)
        return instant(datetime(day.year, day.month, day.day))

    def age(self, moments: Sequence[int]) -> float:
        return (self.midnight() - max(moments)) / DAY if moments else np.nan

    def since(self, days: int | None, moments: Sequence[int]) -> list[int]:
        return [at for at in moments if self.midnight(days) <= at < self.midnight()]

    def come(self, table: str, name: str) -> list[Fact]:
        """Return rows of which an instant came, in its order."""
        found = [fact for fact in self.rows[table] if fact.moment(name) < self.midnight()]
        return sorted(found, key=lambda fact: fact.moment(name))

    def has_come(self, fact: Fact, name: str) -> bool:
        return fact.moment(name) < self.midnight()


def ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else np.nan


def last(values: Sequence[float], n: int = 1) -> float:
    return values[-n] if len(values) >= n else np.nan


def counted(look: Look, name: str, age: str, moments: Sequence[int]) -> Told:
    windows = {f"{name}_{days}d": float(len(look.since(days, moments))) for days in WINDOWS}
    return {f"{name}_total": len(moments), age: look.age(moments), **windows}


def events(look: Look) -> Told:
    told: Told = {}
    by_kind = {kind: [fact for fact in look.rows["events"] if fact["type"] == kind] for kind in EVENT_TYPES}
    for kind, facts in by_kind.items():
        moments = [fact.at for fact in facts]
        told |= counted(look, f"{kind}_events", f"days_since_last_{kind}_event", moments)
        active = {local_day(at) for at in look.since(90, moments)}
        told[f"{kind}_silent_share_90d"] = 1 - len(active) / 90
        told[f"{kind}_events_30d_over_90d"] = ratio(
            len(look.since(30, moments)), len(look.since(90, moments))
        )
    used = [fact.at for kind in ("session", "app_use") for fact in by_kind[kind]]
    recent = look.since(30, used)
    told |= {"uses_total": len(used), "uses_30d": len(recent)}
    told["use_days_share_30d"] = len({local_day(at) for at in recent}) / 30
    wrong = [fact.at for kind in ("page_error", "slow_page") for fact in by_kind[kind]]
    told |= {f"errors_{days}d": len(look.since(days, wrong)) for days in WINDOWS}
    for kind, good, bad in (("review", (4, 5), (1, 2)), ("mention", (0.05, 1), (-1, -0.05))):
        facts = by_kind[kind]
        year = [fact.number("value") for fact in facts if look.since(YEAR, [fact.at])]
        told[f"{kind}_value_last"] = last([fact.number("value") for fact in facts])
        told[f"positive_{kind}s_365d"] = sum(good[0] <= value <= good[1] for value in year)
        told[f"negative_{kind}s_365d"] = sum(bad[0] <= value <= bad[1] for value in year)
    return told


def tickets(look: Look) -> Told:
    facts = look.rows["tickets"]

    def is_open(fact: Fact) -> bool:
        solved, reopened = look.has_come(fact, "solved_at"), look.has_come(fact, "reopened_at")
        return not solved or (reopened and int(str(fact["reopened_at"])) >= int(str(fact["solved_at"])))

    def waits(fact: Fact) -> float:
        return (look.midnight() - fact.at) / HOUR

    def is_late(fact: Fact) -> bool:
        return waits(fact) > 72 or (waits(fact) > 1 and not look.has_come(fact, "first_reply_at"))

    told = counted(look, "tickets", "days_since_last_ticket", [fact.at for fact in facts])
    unsolved = [fact for fact in facts if is_open(fact)]
    told["tickets_open"] = len(unsolved)
    told["tickets_open_over_target"] = sum(map(is_late, unsolved))
    solved_at = [fact.moment("solved_at") for fact in facts]
    told["tickets_solved_30d"] = len(look.since(30, solved_at))
    year = [fact for fact in facts if look.since(YEAR, [fact.at])]
    done = [fact for fact in year if not is_open(fact)]
    hours = sum((fact.moment("solved_at") - fact.at) / HOUR for fact in done)
    told["solve_hours_365d"] = ratio(hours + sum(waits(fact) for fact in year if is_open(fact)), len(done))
    replied = [fact for fact in year if look.has_come(fact, "first_reply_at")]
    hours = sum((fact.moment("first_reply_at") - fact.at) / HOUR for fact in replied)
    unheard = [fact for fact in year if fact not in replied and not look.has_come(fact, "solved_at")]
    told["reply_hours_365d"] = ratio(hours + sum(map(waits, unheard)), len(replied))
    told["tickets_reopened_365d"] = len(look.since(YEAR, [fact.moment("reopened_at") for fact in facts]))
    rated = look.come("tickets", "rated_at")
    scores = [fact.number("csat") for fact in rated]
    told["csat_last"] = last(scores)
    told["csat_last_age_days"] = look.age([fact.moment("rated_at") for fact in rated])
    of_year = [fact.number("csat") for fact in rated if look.since(YEAR, [fact.moment("rated_at")])]
    told["csat_mean_365d"] = ratio(sum(of_year), len(of_year))
    for reason, name in (("complaint", "complaints"), ("how_to", "how_to_questions")):
        asked = [fact.at for fact in facts if fact["reason"] == reason]
        told |= {f"{name}_{days}d": len(look.since(days, asked)) for days in WINDOWS}
    for reason in REASONS:
        asked = [fact.at for fact in facts if fact["reason"] == reason]
        told[f"{reason}_tickets_365d"] = len(look.since(YEAR, asked))
    return told


def surveys(look: Look) -> Told:
    facts = look.rows["surveys"]
    told: Told = {
        "surveys_total": len(facts),
        "days_since_last_survey": look.age([fact.at for fact in facts]),
    }
    for kind, name in (("nps", "nps"), ("csat", "csat_survey"), ("cli", "cli")):
        answers = [fact for fact in facts if fact["kind"] == kind]
        scores = [fact.number("score") for fact in answers]
        told[f"{name}_last"] = last(scores)
        told[f"{name}_last_age_days"] = look.age([fact.at for fact in answers])
        told[f"{name}_change"] = last(scores) - last(scores, 2)
    return told


def offers(look: Look) -> Told:
    facts = look.rows["offers"]
    told = counted(look, "offers", "days_since_last_offer", [fact.at for fact in facts])
    running = [
        fact
        for fact in facts
        if int(str(fact["ends_at"])) > look.midnight() and not look.has_come(fact, "completed_at")
    ]
    left = [int(str(fact["ends_at"])) for fact in running if fact["ends_at"] != NEVER]
    told["offers_running"] = len(running)
    told["offer_days_left"] = (min(left) - look.midnight()) / DAY if left else np.nan
    told["offers_running_viewed"] = sum(look.has_come(fact, "viewed_at") for fact in running)
    told["offer_reward_running"] = sum(fact.number("reward") for fact in running)
    told["offer_difficulty_running"] = sum(fact.number("difficulty") for fact in running)
    told["offers_viewed_share"] = ratio(len(look.come("offers", "viewed_at")), len(facts))
    completed = look.come("offers", "completed_at")
    told["offers_completed_share"] = ratio(len(completed), len(facts))
    for kind in OFFERS:
        told[f"offers_running_{kind}"] = sum(fact["kind"] == kind for fact in running)
        told[f"offers_completed_share_{kind}"] = ratio(
            sum(fact["kind"] == kind for fact in completed), sum(fact["kind"] == kind for fact in facts)
        )
    return told


def subscriptions(look: Look) -> Told:
    facts = look.rows["subscriptions"]
    active = [fact for fact in facts if not look.has_come(fact, "ended_at")]
    ended = look.come("subscriptions", "ended_at")
    pauses = [
        (fact.at - max(before.moment("ended_at") for before in facts[:place])) / DAY
        for place, fact in enumerate(facts)
        if place and fact.at > max(before.moment("ended_at") for before in facts[:place])
    ]
    renewals = [int(str(fact["renews_at"])) for fact in active if fact["renews_at"] != NEVER]
    begun_fees = sum(fact.number("mrr") for fact in facts if look.since(90, [fact.at]))
    ended_fees = sum(fact.number("mrr") for fact in ended if look.since(90, [fact.moment("ended_at")]))
    changes = [now for before, now in pairwise(facts) if before["plan"] != now["plan"]]
    return {
        "subscriptions_total": len(facts),
        "subscriptions_active": len(active),
        "days_since_subscription_start": look.age([fact.at for fact in facts]),
        "days_since_first_subscription": (look.midnight() - facts[0].at) / DAY if facts else np.nan,
        "days_since_subscription_end": look.age([fact.moment("ended_at") for fact in ended]),
        "subscription_pauses": len(pauses),
        "paused_days_total": sum(pauses),
        "plan_fee_monthly": sum(fact.number("mrr") for fact in active),
        "mrr_change_90d": begun_fees - ended_fees,
        "days_to_renewal": (min(renewals) - look.midnight()) / DAY if renewals else np.nan,
        "plan_changes_365d": len(look.since(YEAR, [fact.at for fact in changes])),
    }


def loyalty(look: Look) -> Told:
    facts = look.rows["loyalty"]
    points = [fact.number("points") for fact in facts]
    steps = [
        now - before
        for before, now, fact in zip(points, points[1:], facts[1:], strict=False)
        if look.since(YEAR, [fact.at])
    ]
    days = (int(str(facts[-1]["expires_at"])) - look.midnight()) / DAY if facts else np.nan
    is_near = facts and facts[-1]["expires_at"] != NEVER and days > 0
    changed = [
        fact.at for place, fact in enumerate(facts) if not place or facts[place - 1]["tier"] != fact["tier"]
    ]
    tier = facts[-1]["tier"] if facts else None
    return {
        "is_loyalty_member": min(len(facts), 1),
        "points_balance": last(points),
        "points_earned_365d": sum(max(step, 0) for step in steps),
        "points_redeemed_365d": sum(max(-step, 0) for step in steps),
        "points_days_to_expiry": days if is_near else np.nan,
        "days_since_tier_change": look.age(changed),
        "tier_rank": TIERS.index(str(tier)) + 1 if tier in TIERS else 0,
    }


def attributes(look: Look) -> Told:
    by_name = {
        name: [fact for fact in look.rows["attributes"] if fact["name"] == name] for name in ("age", "colour")
    }
    colours = by_name["colour"]
    is_colour = {
        f"colour_is_{colour}": float(colours[-1]["text"] == colour) if colours else np.nan
        for colour in COLOURS
    }
    return {"age": last([fact.number("number") for fact in by_name["age"]]), **is_colour}


def contacts(look: Look) -> Told:
    sent = [fact for fact in look.rows["contacts"] if fact["arm"] != "control"]
    redeemed = [fact for fact in look.come("contacts", "redeemed_at") if fact in sent]
    told = counted(look, "contacts", "days_since_last_contact", [fact.at for fact in sent])
    return {**told, "contacts_redeemed_share": ratio(len(redeemed), len(sent))}


def sign_up(look: Look) -> Told:
    return {"days_since_sign_up": look.age([fact.at for fact in look.rows["customers"]])}


def orders_of(look: Look) -> dict[object, list[Fact]]:
    found: dict[object, list[Fact]] = {}
    for fact in look.rows["orders"]:
        if not fact["is_return"]:
            found.setdefault(fact["order_id"], []).append(fact)
    return found


def shipping(look: Look) -> Told:
    paid = [
        sum(line.number("shipping") for line in lines)
        for lines in orders_of(look).values()
        if look.since(YEAR, [min(line.at for line in lines)])
    ]
    return {"shipping_paid_365d": sum(paid)}


def holidays(look: Look) -> Told:
    begun = {order: min(line.at for line in lines) for order, lines in orders_of(look).items()}
    newest = [order for order, at in begun.items() if at == max(begun.values())]
    regions = {min(str(line["region"]) for line in orders_of(look)[order]) for order in newest}
    if len(regions) > 1:
        return {}  # which of two orders of one moment is the last, the order of versions decides
    told: Told = {}
    for kind in ("promotion", "holiday"):
        ahead = [
            (local_day(fact.at) - look.as_of).days
            for fact in look.rows["calendar"]
            if fact["kind"] == kind and (fact["region"] is None or fact["region"] in regions)
        ]
        told[f"days_to_next_{kind}"] = min(ahead, default=np.nan)
    return told


BUILT: Sequence[Callable[[Look], Told]] = (
    events,
    tickets,
    surveys,
    offers,
    subscriptions,
    loyalty,
    attributes,
    contacts,
    sign_up,
    shipping,
    holidays,
)


def nights_of(rng: Rng, found: Delivery, count: int, *, with_known: bool) -> list[Delivery]:
    """Deal the rows of a shop out to some nights; within a night nothing is told twice of a key at one time."""
    nights: list[Delivery] = [{} for _ in range(count)]
    told: set[tuple[object, ...]] = set()
    for table, rows in found.items():
        for place, row in enumerate(rows):
            kept = row if with_known or table == "calendar" else replace(row, known=None)
            night = 0 if place == 0 else int(rng.integers(count))
            keys = [
                (
                    table,
                    night,
                    kept.known,
                    *key_of(table, Fact(kept.customer, instant(kept.at), 0, 0, content)),
                )
                for content in parts_of(table, kept)
            ]
            if told.isdisjoint(keys):
                told.update(keys)
                nights[night].setdefault(table, []).append(kept)
    return nights


def later_by(found: Delivery, days: timedelta) -> Delivery:
    def moved(value: object) -> object:
        return value + days if isinstance(value, datetime) else value

    return {
        table: [
            Row(
                row.customer,
                row.at + days,
                None if row.known is None else row.known + days,
                {name: moved(value) for name, value in row.content.items()},
            )
            for row in rows
        ]
        for table, rows in found.items()
    }


def at_the_edges(rng: Rng, found: Delivery) -> Delivery:
    """Move some instants to the snapshot's midnight, and some of what came of a row to before it began."""

    def moved(table: str, row: Row) -> Row:
        if table == "calendar":
            return replace(row, at=MIDNIGHT) if rng.random() < 0.3 else row
        edges = [MIDNIGHT, row.at - timedelta(days=1)]
        changed = {
            name: edges[int(rng.integers(2))]
            for name in sorted(instants_of(table) & set(row.content))
            if rng.random() < 0.4
        }
        return replace(row, content={**row.content, **changed})

    return {table: [moved(table, row) for row in rows] for table, rows in found.items()}


TIDY = IngestSettings(threads=1, customers_per_bucket=3, merge_ratio=1e9)
UNTIDY = IngestSettings(threads=1, customers_per_bucket=3, merge_ratio=0)
PEOPLE = NAMES[:3]
# How the drawn shop is delivered: its seed, hours after midnight at which facts may become known, whether rows
# say when they became known, and in which season.
DELIVERED = [(1, 0, True, timedelta(0)), (2, 5, False, AUTUMN)]
asked = pytest.mark.parametrize(("seed", "hours", "with_known", "moved"), DELIVERED)


def delivered(
    folder: Path, rng: Rng, found: Delivery, days: Sequence[date], *, hours: int, with_known: bool
) -> tuple[Files, Slow]:
    """Take a shop in on three nights, each to be known by one of some days."""
    nights = nights_of(rng, found, len(days), with_known=with_known)
    files = Files(folder, hours)
    files.settings = TIDY if with_known else UNTIDY
    cutoffs = [files.calendar.known_cutoff(day) for day in days]
    for delivery, cutoff in zip(nights, cutoffs, strict=True):
        files.take_in(delivery, known_cutoff=cutoff)
    assert files.history.buckets > 1
    return files, Slow(nights, cutoffs, hours * HOUR)


@asked
def test_features_equal_a_slow_look_at_every_row(tmp_path, seed, hours, with_known, moved) -> None:
    rng = np.random.default_rng(seed)
    found = later_by(at_the_edges(rng, anchored(shop(rng, PEOPLE, first_day=-90))), moved)
    days = [date(2025, 4, 2) + moved - timedelta(days=back) for back in (40, 3, 0, -12)]
    files, slow = delivered(tmp_path, rng, found, days[:3], hours=hours, with_known=with_known)
    features = files.features(*days).set_index(["as_of", "customer"])
    compared = 0
    for as_of in days:
        shown = {table: slow.visible(table, as_of) for table in found}
        makes_somebody = [table for table in found if table not in ("attributes", "calendar")]
        known = {fact.customer for table in makes_somebody for fact in shown[table]}
        here = features.loc[pd.Timestamp(as_of)]
        assert set(here.index) == known
        for customer in sorted(known):
            mine = {
                table: [fact for fact in facts if table == "calendar" or fact.customer == customer]
                for table, facts in shown.items()
            }
            expected = {name: value for built in BUILT for name, value in built(Look(as_of, mine)).items()}
            np.testing.assert_allclose(
                here.loc[customer, list(expected)].to_numpy(np.float64),
                np.array(list(expected.values()), np.float64),
                rtol=1e-6,
                atol=1e-6,
                err_msg=f"{customer} {as_of}",
            )
            compared += len(expected)
    assert compared > 2000


def contracts(rng: Rng, moved: timedelta) -> Delivery:
    """Draw subscriptions side by side and one after the other, most of which end, and one long after all."""
    rows = shop(rng, [f"c{number}" for number in range(15)])["subscriptions"]
    rows = [row for row in rows if row.at < MIDNIGHT]
    ends = [
        row.at + timedelta(days=int(rng.integers(25)), hours=int(rng.choice([0, 0, 5, 23]))) for row in rows
    ]
    rows = [
        replace(row, content={**row.content, "ended_at": None if rng.random() < 0.15 else end})
        for row, end in zip(rows, ends, strict=True)
    ]
    rows += [renewed(rng, row) for row in rows if row.content["ended_at"] and rng.random() < 0.8]
    last = {**rows[0].content, "subscription_id": "last", "ended_at": None}
    rows.append(Row("zoe", MIDNIGHT + timedelta(days=20), None, last))
    return later_by({"subscriptions": rows}, moved)


def renewed(rng: Rng, row: Row) -> Row:
    """Begin another subscription one to three days after the end of one."""
    end = row.content["ended_at"]
    assert isinstance(end, datetime)
    at = end + timedelta(days=int(rng.integers(1, 4)))
    own = {"subscription_id": f"after {row.content['subscription_id']}", "ended_at": at + timedelta(days=9)}
    return replace(row, at=at, known=None, content={**row.content, **own})


def slow_labels(slow: Slow, as_of: date, rule: OutcomeRule, known_before: int) -> dict[str, int]:
    """Say who churned: after which end nothing ran, and nothing began within the grace."""
    midnight, closes = (
        instant(datetime(day.year, day.month, day.day)) for day in (as_of, rule.outcome_window(as_of)[1])
    )
    shown = slow.visible("subscriptions", as_of)
    watched = {fact.customer for fact in shown if fact.moment("ended_at") >= midnight}
    return {
        customer: int(_left(slow.known("subscriptions", customer, known_before), midnight, closes, rule))
        for customer in watched
    }


def _left(facts: Sequence[Fact], midnight: int, closes: int, rule: OutcomeRule) -> bool:
    spans = [(fact.at, fact.moment("ended_at")) for fact in facts]
    for _, end in spans:
        if end >= closes or any(begun <= end < until for begun, until in spans):
            continue
        following = min((begun for begun, _ in spans if begun > end), default=NEVER)
        if following <= midnight:
            continue
        if following == NEVER or (local_day(following) - local_day(end)).days > (rule.grace_days or 0):
            return True
    return not any(begun < closes for begun, _ in spans)


@pytest.mark.parametrize(("seed", "hours", "with_known", "moved"), [*DELIVERED, (3, 0, True, AUTUMN)])
def test_contract_labels_equal_a_slow_look_at_every_end(tmp_path, seed, hours, with_known, moved) -> None:
    rng = np.random.default_rng(seed)
    first = date(2025, 4, 2) + moved
    nights = [first - timedelta(days=back) for back in (30, 10, 0)]
    found = contracts(rng, moved)
    files, slow = delivered(tmp_path, rng, found, nights, hours=hours, with_known=with_known)
    rule = OutcomeRule(horizon_days=9, gap_days=seed - 1, grace_days=seed - 1, settle_days=1)
    days = [first - timedelta(days=back) for back in (40, 35, 30, 25, 20, 16)]
    for known_before in (files.calendar.midnight(first), None):
        labels = files.labels(rule, days=days, known_before=known_before)
        assert 0 < labels["churned"].sum() < len(labels)
        for day in days:
            here = labels[labels["as_of"] == pd.Timestamp(day)]
            told = dict(zip(here["customer"], here["churned"], strict=True))
            assert told == slow_labels(slow, day, rule, known_before or NEVER)
