"""Rules as weights and limits: hand-worked use, rounding, and amounts that cannot be."""

from typing import Any

import numpy as np
import pytest

from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from tables.errors import BudgetError

COST = {"mail": 0.1, "offer": 2.0}


def test_use_of_every_rule_follows_from_counts() -> None:
    limits = Limits.of(
        ["mail", "offer"],
        cost=COST,
        budget=10.0,
        capacity={"offer": 3.7},
        discounts=frozenset({"offer"}),
        shared=LimitSettings(discount_share=0.25),
    )
    assert limits.named(limits.most) == {"budget": 10.0, "capacity:offer": 3.0, "discount_share": 0.0}
    assert limits.used(np.array([6, 2])) == pytest.approx([4.6, 2.0, 0.0])
    assert limits.hold(np.array([6, 2]))
    assert not limits.hold(np.array([5, 2]))


def test_hours_floors_and_money_follow_from_counts_per_region() -> None:
    shared = LimitSettings(
        discount_share={"of": "money", "most": 0.5},
        region_floors={"IS": 0.25},
        teams={"desk": {"hours_per_night": 2, "minutes_per_contact": {"offer": 15}}},
    )
    limits = Limits.of(["mail", "offer"], cost=COST, discounts=frozenset({"offer"}), shared=shared)
    # Elsewhere five mails and two offers, in IS one of each; offers cost 6 of 6.6, and 2 of 9 contacts go to IS.
    counts = limits.count(np.array([0, 0, 0, 0, 0, 1, 1, 0, 1]), np.array([0, 0, 0, 0, 0, 0, 0, 1, 1]))
    assert counts.tolist() == [[5, 2], [1, 1]]
    used = limits.named(limits.used(counts))
    assert used == pytest.approx({"hours:desk": 0.75, "discount_money": 2.7, "region_floor:IS": 0.25})
    assert limits.slack(counts).tolist() == pytest.approx([1.25, -2.7, -0.25])


def test_both_arms_may_plan_more_by_the_share_that_is_sent() -> None:
    # Of mails 80 % are sent, of calls all: 10 places for mails hold 12 planned, and a call weighs 1.25 mails.
    shared = LimitSettings(discount_share=0.5)
    tonight = Limits.of(
        ["mail", "call"], cost={"mail": 1, "call": 1}, budget=8, capacity={"mail": 10}, shared=shared
    )
    both = tonight.for_both_arms(np.array([0.8, 1.0]))
    assert both.named(both.most) == {"budget": 10.0, "capacity:mail": 12.0, "discount_share": 0.0}
    assert both.weights[:, 0].tolist() == [[1.0, 1.25], [1.0, 0.0], [-0.5, -0.625]]


def test_rounding_of_sums_breaks_no_rule() -> None:
    limits = Limits.of(["mail"], cost={"mail": 0.1}, budget=0.3)
    assert 0.1 * 3 > 0.3
    assert limits.hold(np.array([3]))
    assert not limits.hold(np.array([4]))


def test_without_rules_everything_holds() -> None:
    limits = Limits.of(["mail"], cost=COST)
    assert limits.hold(np.array([10**9]))
    assert not limits.out_of_reach().any()


def test_too_dear_and_full_actions_are_out_of_reach() -> None:
    limits = Limits.of(
        ["mail", "offer"],
        cost=COST,
        budget=1.0,
        capacity={"mail": 0.9},
        shared=LimitSettings(discount_share=0.0),
    )
    assert limits.out_of_reach().tolist() == [True, True]
    assert Limits.of(["mail", "offer"], cost=COST, budget=2.0).out_of_reach().tolist() == [False, False]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"budget": -1.0}, "budget: -1.0"),
        ({"budget": float("nan")}, "budget: nan"),
        ({"capacity": {"mail": -2}}, "capacity of mail: -2"),
        ({"cost": {"mail": -1.0, "offer": 2.0}}, r"cost of mail: -1\.0"),
    ],
)
def test_impossible_amounts_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        Limits.of(["mail", "offer"], **{"cost": COST, **wrong})
