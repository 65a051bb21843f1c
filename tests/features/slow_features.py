"""Features by a slow look at every row that one customer had at a date, with none of the code that is judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np

from tables.calendar import NEVER
from tests.drawn_rows import COLOURS, EVENT_TYPES, OFFERS, REASONS, TIERS
from tests.drawn_shop import SETTINGS
from tests.features.told_rows import DAY, HOUR, Fact, instant, local_day

YEAR = 365
WINDOWS = SETTINGS.windows
Told = dict[str, float]


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
