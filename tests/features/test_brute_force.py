"""Features over more than orders, and labels of contracts, against a slow look at every row, from nights of files on.

The slow side reads the rows as they were delivered: it knows when each became known, takes the last version of
each key known before the cutoff, and goes through it once per feature, with none of the code it judges.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tables.calendar import NEVER, OutcomeRule
from tables.sources import IngestSettings
from tests.drawn_rows import MIDNIGHT, Delivery, Rng, Row
from tests.drawn_shop import NAMES, Files, anchored, shop
from tests.features.slow_features import BUILT, Look
from tests.features.told_rows import HOUR, Fact, Slow, instant, instants_of, key_of, local_day, parts_of


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
AUTUMN = timedelta(days=208)  # the snapshot's 2 April becomes 27 October, the day after the clocks went back
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
