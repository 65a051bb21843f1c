"""Businesses for some nights, drawn from a seed: customers, rules, and what other teams do meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from actions.allocation.limit_settings import LimitSettings
from actions.catalogue import Action
from actions.experiment.control import ControlSettings, SaltPeriod
from actions.rules.settings import Rules
from tables.calendar import HOUR, NEVER
from tests.rules_read import TONIGHT, Row, Table, midnight

ROUTES = (("email",), ("sms",), ("email", "sms"), ("phone", "email"), ("preferred",), ("ticket",))
KINDS = {"note": "content", "gift": "reward", "offer": "discount", "bundle": "discount", "call": "service"}
REPORTS = (None, "delivered", "not_delivered", "redeemed")
CHANNELS = ("email", "sms", "phone")


@dataclass(frozen=True)
class World:
    """A business for some nights: its customers, its rules, what happens around it, and its luck."""

    people: Table
    actions: tuple[Action, ...]
    rules: Rules
    control: ControlSettings
    shared: LimitSettings
    budget: float | None
    nights: tuple[date, ...]
    others: Table
    consents: Table | None
    tickets: Table
    offers: Table
    reports: tuple[str | None, ...]
    seed: int

    @property
    def by_id(self) -> dict[str, Action]:
        return {action.id: action for action in self.actions}


class Luck(Random):
    """What happens in a world."""

    def happens(self, chance: float) -> bool:
        return self.random() < chance

    def instant(self, oldest: int) -> int:
        """Return an instant between so many days before the first night and the last night."""
        return midnight(TONIGHT, self.randint(-20, oldest)) + self.randint(0, 23) * HOUR

    def maybe(self, chance: float, oldest: int) -> int:
        return self.instant(oldest) if self.happens(chance) else NEVER


def world_of(seed: int) -> World:
    """Make a world in which most customers may get something on most nights."""
    luck = Luck(seed)
    people = [_person(luck, f"c{number:02d}") for number in range(20)]
    names = [person["customer_id"] for person in people]
    period = SaltPeriod(salt=f"s{seed}", valid_from=date(2025, 1, 1), valid_to=date(2026, 1, 1))
    shares = [luck.choice([0.0, 0.2, 0.4]) for _ in range(3)]
    return World(
        people=people,
        actions=tuple(_action(luck, name, kind) for name, kind in KINDS.items()),
        rules=_rules(luck),
        control=ControlSettings(
            salts=(period,), global_share=shares[0] / 2, withheld_share=shares[1], exploration_share=shares[2]
        ),
        shared=LimitSettings(most_actions=luck.randint(1, 3)),
        budget=luck.choice([None, 5.0]),
        nights=tuple(TONIGHT + timedelta(days=day) for day in accumulate(luck.choices((1, 2, 8), k=4))),
        others=[_message(luck, name) for name in luck.choices(names, k=40)],
        consents=luck.choice([None, _consents(luck, names)]),
        tickets=[_ticket(luck, name) for name in luck.choices(names, k=4)],
        offers=[_offer(luck, name) for name in luck.choices(names, k=5)],
        reports=tuple(luck.choices(REPORTS, k=5)),
        seed=seed,
    )


def _person(luck: Luck, name: str) -> Row:
    flags = ("is_minor", "is_vulnerable", "in_complaint", "objects_to_profiling")
    return {
        "customer_id": name,
        "unit": luck.choice(["home 1", "home 2", name, name, name]),
        "region": luck.choice(["LT", "CN", None]),
        "orders": luck.randint(0, 3),
        "preferred_channel": luck.choice([*CHANNELS, "pigeon", None]),
        **{flag: luck.happens(0.04) for flag in flags},
    }


def _action(luck: Luck, name: str, kind: str) -> Action:
    money = {"incentive_cost": 1, "redeem_rate": 0.1} if kind == "discount" else {}
    begin = luck.choice([None, None, TONIGHT + timedelta(days=3)])
    return Action.model_validate(
        {
            "id": name, "carries_out": ["messaging"], "kind": kind, "contact_cost": 0.2, **money,
            "trigger": luck.choice(["True", "orders >= 2"]), "channel": luck.choice(ROUTES),
            "prior_save": 0, "prior_save_sd": 0.1, "cooldown_days": luck.randint(1, 12),
            "customer_cap_per_year": luck.randint(1, 3), "valid_from": begin,
            "regions": luck.choice([None, None, ("LT",)]), "wording": {"en": "x"},
        }
    )  # fmt: skip


def _rules(luck: Luck) -> Rules:
    caps = {channel: {"per_7d": luck.randint(1, 3), "per_90d": luck.randint(2, 5)} for channel in CHANNELS}
    return Rules.model_validate(
        {
            "consent": "assumed", "any_team_gap_days": luck.randint(0, 4), "own_gap_days": luck.randint(0, 3),
            "channel_caps": caps, "discounts_per_customer_year": luck.randint(1, 3),
            "discount_runs_days": luck.randint(0, 12), "default_channel": luck.choice(CHANNELS),
            "quiet_days": luck.choice([{}, {"LT": [TONIGHT + timedelta(days=2)]}]),
        }
    )  # fmt: skip


def _message(luck: Luck, name: str) -> Row:
    return {
        "customer_id": name, "sent_at": luck.instant(25), "team": "crm", "channel": luck.choice(CHANNELS),
        "purpose": "marketing", "action": luck.choice([*KINDS, "newsletter"]),
        "redeemed_at": luck.maybe(0.3, 20), "delivery": luck.choice(["confirmed", "not_delivered"]),
    }  # fmt: skip


def _consents(luck: Luck, names: Sequence[str]) -> Table:
    pairs = [(name, channel) for name in names for channel in CHANNELS if luck.happens(0.8)]
    agreed = [
        {"customer_id": name, "channel": channel, "purpose": "marketing", "given_at": luck.instant(200)}
        for name, channel in pairs
    ]
    objections = [{"customer_id": name, "purpose": "profiling", "given_at": 0} for name in names[:2]]
    return [{"channel": None, "withdrawn_at": luck.maybe(0.1, 30), **row} for row in [*agreed, *objections]]


def _ticket(luck: Luck, name: str) -> Row:
    moments = {
        "opened_at": luck.instant(30),
        "solved_at": luck.maybe(0.6, 20),
        "reopened_at": luck.maybe(0.2, 10),
    }
    return {"customer_id": name, "channel": luck.choice([*CHANNELS, None]), **moments}


def _offer(luck: Luck, name: str) -> Row:
    moments = {
        "starts_at": luck.instant(40),
        "ends_at": luck.maybe(0.7, 20),
        "completed_at": luck.maybe(0.3, 20),
    }
    return {"customer_id": name, "reward": luck.choice([0.0, 5.0]), **moments}
