"""Hours, floors, caps and several actions each: against every possible plan and the independent checker."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.allocation.allocate import Allocation, allocate
from actions.allocation.choices import choose
from actions.allocation.feasibility import broken_rules
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from actions.allocation.problem import Problem, Values


def table(*rows: list[float]) -> Values:
    return np.array(rows, dtype=np.float32)


NAMES = ["mail", "offer", "coupon"]
DISCOUNTS = frozenset({"offer", "coupon"})


@dataclass(frozen=True)
class Night:
    """A small problem with every kind of rule, and what the independent checker needs to judge a plan."""

    values: Values
    rules: dict[str, Any]
    groups: np.ndarray
    channels: np.ndarray

    @property
    def limits(self) -> Limits:
        return Limits.of(NAMES, **self.rules)

    def allocate(self) -> Allocation:
        most = self.rules["shared"].most_actions
        return allocate(
            self.values, self.limits, groups=self.groups, channels=self.channels, most_actions=most
        )

    def broken(self, pairs: Iterable[tuple[int, int]]) -> list[str]:
        """Judge pairs of customer and action by plain counting."""
        rows = [
            (str(row), NAMES[column], str(self.channels[row, column]), ("elsewhere", "IS")[self.groups[row]])
            for row, column in pairs
        ]
        sent = pd.DataFrame(rows, columns=["customer_id", "action", "channel", "region"])
        return broken_rules(sent, **self.rules)

    def best_by_hand(self) -> float:
        """Value of the best of all plans: every set of pairs is tried."""
        worthwhile = list(zip(*(part.tolist() for part in np.nonzero(self.values > 0)), strict=True))
        plans = (pairs for size in range(len(worthwhile) + 1) for pairs in combinations(worthwhile, size))
        worth = {plan: sum(float(self.values[pair]) for pair in plan) for plan in plans}
        ranked = sorted(worth, key=lambda plan: -worth[plan])
        return next(worth[plan] for plan in ranked if not self.broken(plan))


@st.composite
def nights(draw: st.DrawFn) -> Night:
    customers = draw(st.integers(1, 2))
    amounts = st.one_of(st.just(-np.inf), st.floats(-5, 20, width=32))
    values = draw(st.lists(amounts, min_size=3 * customers, max_size=3 * customers))
    channels = draw(st.lists(st.integers(0, 2), min_size=3 * customers, max_size=3 * customers))
    shared = LimitSettings(
        discount_share=draw(
            st.none() | st.builds(dict, of=st.sampled_from(["contacts", "money"]), most=st.floats(0, 1))
        ),
        region_floors=draw(st.just({}) | st.builds(dict, IS=st.sampled_from([0.0, 0.1, 0.25, 0.6]))),
        teams=draw(st.just({}) | st.builds(team, st.floats(0, 1))),
        most_actions=draw(st.integers(1, 3)),
    )
    groups = np.array(draw(st.lists(st.integers(0, 1), min_size=customers, max_size=customers)))
    return Night(
        np.array(values, dtype=np.float32).reshape(customers, 3),
        {
            "cost": {name: draw(st.floats(0, 5)) for name in NAMES},
            "budget": draw(st.none() | st.floats(0, 12)),
            "capacity": {name: draw(st.integers(0, 4)) for name in NAMES if draw(st.booleans())},
            "discounts": DISCOUNTS,
            "shared": shared,
        },
        groups if shared.region_floors else np.zeros(customers, dtype=np.int8),
        np.array(channels).reshape(customers, 3),
    )


def team(hours: float) -> dict[str, Any]:
    return {"desk": {"hours_per_night": hours, "minutes_per_contact": {"mail": 20, "offer": 35}}}


@settings(max_examples=25, deadline=None)
@given(nights())
def test_small_plans_are_best_and_break_no_rule(night: Night) -> None:
    found, best = night.allocate(), night.best_by_hand()
    pairs = list(zip(found.rows.tolist(), found.columns.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert not night.broken(pairs)
    assert found.feasible
    assert found.bound >= best - 1e-5
    assert found.primal == pytest.approx(best, abs=1e-4)
    assert found.primal == pytest.approx(sum(float(night.values[pair]) for pair in pairs), abs=1e-4)
    assert -1e-9 <= found.gap <= 1


@settings(max_examples=25, deadline=None)
@given(nights(), st.lists(st.floats(0, 10), min_size=8, max_size=8))
def test_any_prices_give_a_valid_bound(night: Night, prices: list[float]) -> None:
    worth = np.where(night.values > 0, night.values, np.float32(-np.inf))
    most = night.rules["shared"].most_actions
    problem = Problem(worth, night.limits, night.groups, night.channels if most > 1 else None, most)
    choice = choose(problem, np.array(prices[: len(night.limits.names)]))
    assert choice.bound >= night.best_by_hand() - 1e-5


def test_a_floor_brings_contacts_to_its_region() -> None:
    # Of three places three tenths are owed to IS: its customer takes the place of the third best elsewhere.
    limits = Limits.of(
        ["call"],
        cost={"call": 1.0},
        capacity={"call": 3},
        shared=LimitSettings(region_floors={"IS": 0.3}),
    )
    found = allocate(table([9], [8], [7], [1]), limits, groups=np.array([0, 0, 0, 1]))
    assert found.rows.tolist() == [0, 1, 3]
    # One contact fewer owed to IS would let the 7 in for the 1.
    assert found.limits.named(found.prices)["region_floor:IS"] == pytest.approx(6, abs=0.2)


def test_an_hour_of_calls_has_its_price() -> None:
    # Three calls of 20 minutes fill the hour; the next would have brought 3, three of them 9 an hour.
    shared = LimitSettings(teams={"desk": {"hours_per_night": 1, "minutes_per_contact": {"call": 20}}})
    limits = Limits.of(["call"], cost={"call": 0.0}, shared=shared)
    found = allocate(table([6], [5], [4], [3], [2]), limits)
    assert found.rows.tolist() == [0, 1, 2]
    assert 9 - 1e-6 <= found.prices[0] <= 12 + 1e-6


def test_one_customer_gets_one_action_a_channel_and_one_discount() -> None:
    # By mail the offer is best; the call goes beside it; the coupon would be a second discount.
    limits = Limits.of(
        ["mail", "offer", "call", "coupon"],
        cost=dict.fromkeys(["mail", "offer", "call", "coupon"], 0.0),
        discounts=DISCOUNTS,
    )
    channels = np.array([[0, 0, 1, 2]])
    worth = table([4, 5, 2, 3])
    one = allocate(worth, limits, channels=channels, most_actions=1)
    two = allocate(worth, limits, channels=channels, most_actions=2)
    assert (one.columns.tolist(), one.primal) == ([1], 5.0)
    assert (two.columns.tolist(), two.primal) == ([1, 2], 7.0)
    # With three: mail, call and coupon bring 9; offer and call only 7.
    assert allocate(worth, limits, channels=channels, most_actions=3).columns.tolist() == [0, 2, 3]
