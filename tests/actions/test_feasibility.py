"""The independent checker: every kind of broken rule is named, with what was found and what is allowed."""

import pandas as pd

from actions.allocation.feasibility import broken_rules
from actions.allocation.limit_settings import LimitSettings

COST = {"call": 5.0, "offer": 2.0, "coupon": 2.0, "mail": 0.0}
DISCOUNTS = frozenset({"offer", "coupon"})


def contacts(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "action", "channel", "region"])


SENT = contacts(
    ("ann", "call", "phone", "LT"),
    ("bob", "offer", "email", "LT"),
    ("cid", "offer", "email", "IS"),
)


def test_a_plan_within_all_rules_breaks_none() -> None:
    shared = LimitSettings(
        discount_share=0.67,
        region_floors={"IS": 0.33},
        teams={"desk": {"hours_per_night": 0.5, "minutes_per_contact": {"call": 30}}},
    )
    whole = {"cost": COST, "budget": 9.0, "capacity": {"call": 1}, "discounts": DISCOUNTS}
    assert broken_rules(SENT, **whole, shared=shared) == []
    assert broken_rules(SENT.iloc[:0], **whole, shared=shared) == []


def test_every_rule_broken_together_is_named() -> None:
    shared = LimitSettings(
        discount_share=0.5,
        region_floors={"IS": 0.5},
        teams={"desk": {"hours_per_night": 0.25, "minutes_per_contact": {"call": 30}}},
    )
    broken = broken_rules(
        SENT, cost=COST, budget=8.0, capacity={"call": 0}, discounts=DISCOUNTS, shared=shared
    )
    assert broken == [
        "budget: 9.00 spent, 8.00 allowed",
        "capacity of call: 1 given, 0 allowed",
        "hours of desk: 0.50 used, 0.25 there",
        "discount share: 2 of 3 contacts given, 50% allowed",
        "floor of region IS: 1 of 3 contacts, 50% wanted",
    ]


def test_discounts_are_counted_in_money_on_request() -> None:
    # Offers cost 4 of 9: less than half of the money, more than half of the contacts.
    within = LimitSettings(discount_share={"of": "money", "most": 0.45})
    beyond = LimitSettings(discount_share={"of": "money", "most": 0.4})
    assert broken_rules(SENT, cost=COST, discounts=DISCOUNTS, shared=within) == []
    assert broken_rules(SENT, cost=COST, discounts=DISCOUNTS, shared=beyond) == [
        "discount share: 4 of 9 money given, 40% allowed"
    ]


def test_one_customer_gets_no_more_than_may_be() -> None:
    sent = contacts(
        ("ann", "call", "phone", "LT"),
        ("ann", "offer", "email", "LT"),
        ("ann", "coupon", "email", "LT"),
        ("bob", "mail", "email", "LT"),
    )
    broken = broken_rules(sent, cost=COST, discounts=DISCOUNTS, shared=LimitSettings(most_actions=2))
    assert broken == [
        "one customer: up to 3 actions, 2 allowed; 1 customers",
        "one customer: up to 2 actions over one channel, 1 allowed; 1 customers",
        "one customer: up to 2 discounts, 1 allowed; 1 customers",
    ]
