"""Rules as weights and limits: hand-worked use, rounding, and amounts that cannot be."""

from typing import Any

import numpy as np
import pytest

from actions.limits import Limits
from tables.errors import BudgetError

COST = {"mail": 0.1, "offer": 2.0}


def test_use_of_every_rule_follows_from_counts() -> None:
    limits = Limits.of(
        ["mail", "offer"],
        cost=COST,
        budget=10.0,
        capacity={"offer": 3.7},
        discounts=frozenset({"offer"}),
        discount_share=0.25,
    )
    assert limits.named(limits.most) == {"budget": 10.0, "capacity:offer": 3.0, "discount_share": 0.0}
    assert limits.used(np.array([6, 2])) == pytest.approx([4.6, 2.0, 0.0])
    assert limits.hold(np.array([6, 2]))
    assert not limits.hold(np.array([5, 2]))


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
    limits = Limits.of(["mail", "offer"], cost=COST, budget=1.0, capacity={"mail": 0.9}, discount_share=0.0)
    assert limits.out_of_reach().tolist() == [True, True]
    assert Limits.of(["mail", "offer"], cost=COST, budget=2.0).out_of_reach().tolist() == [False, False]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"budget": -1.0}, "budget: -1.0"),
        ({"budget": float("nan")}, "budget: nan"),
        ({"capacity": {"mail": -2}}, "capacity of mail: -2"),
        ({"discount_share": 1.5}, r"discount share: 1\.5"),
        ({"cost": {"mail": -1.0, "offer": 2.0}}, r"cost of mail: -1\.0"),
    ],
)
def test_impossible_amounts_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        Limits.of(["mail", "offer"], **{"cost": COST, **wrong})
