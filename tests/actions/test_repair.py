"""From overshooting choices to a plan that fits: what is dropped, what is spared, what is filled."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actions.allocation.choices import choose
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from actions.allocation.problem import Problem
from actions.allocation.repair import drop_least, make_fit


def test_dropping_nothing_keeps_a_plan_that_fits() -> None:
    limits = Limits.of(["call"], cost={"call": 0.1}, budget=0.3)
    assert drop_least(np.zeros(3, np.int16), np.ones(3), limits, np.zeros(3, np.int8)).all()


def test_the_least_per_unit_of_money_is_dropped() -> None:
    # 10 are spent and 6 are there: the gift brings least for its money, though more than the mails.
    limits = Limits.of(["mail", "gift"], cost={"mail": 2.0, "gift": 4.0}, budget=6.0)
    kept = drop_least(np.array([0, 1, 0, 0]), np.array([4.0, 5.0, 3.0, 3.0]), limits, np.zeros(4, np.int8))
    assert kept.tolist() == [True, False, True, True]


def test_a_tight_region_is_spared_for_the_sake_of_its_floor() -> None:
    # Two of four contacts are owed to IS. One must go for lack of places: the best elsewhere, not the worst there,
    # and the floor still holds.
    shared = LimitSettings(region_floors={"IS": 0.5})
    limits = Limits.of(["call"], cost={"call": 1.0}, capacity={"call": 3}, shared=shared)
    kept = drop_least(np.zeros(4, np.int16), np.array([1.0, 2.0, 8.0, 9.0]), limits, np.array([1, 1, 0, 0]))
    assert kept.tolist() == [True, True, False, True]


def test_what_is_left_free_is_filled_with_the_largest_gain() -> None:
    limits = Limits.of(["call"], cost={"call": 1.0}, budget=2.0)
    values = np.array([[1.0], [4.0], [3.0]], dtype=np.float32)
    problem = Problem(values, limits, np.zeros(3, np.int8), None, 1)
    too_dear = choose(problem, np.array([3.5]))
    assert too_dear.taken.ravel().tolist() == [-1, 0, -1]
    assert make_fit(problem, too_dear).ravel().tolist() == [-1, 0, 0]


@given(
    columns=st.lists(st.integers(0, 2), min_size=1, max_size=30),
    budget=st.floats(0, 20),
    places=st.integers(0, 5),
    share=st.floats(0, 1),
    floors=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
    hours=st.floats(0, 3),
)
def test_what_is_left_after_dropping_breaks_no_rule(
    columns: list[int],
    budget: float,
    places: int,
    share: float,
    floors: tuple[float, float],
    hours: float,
) -> None:
    shared = LimitSettings(
        discount_share=share,
        region_floors={"IS": floors[0], "LT": floors[1]},
        teams={"desk": {"hours_per_night": hours, "minutes_per_contact": {"call": 20, "offer": 5}}},
    )
    limits = Limits.of(
        ["mail", "call", "offer"],
        cost={"mail": 0.3, "call": 4.0, "offer": 2.0},
        budget=budget,
        capacity={"call": places},
        discounts=frozenset({"offer"}),
        shared=shared,
    )
    action, regions = np.array(columns), np.arange(len(columns)) % 3
    kept = drop_least(action, np.arange(float(len(columns))), limits, regions)
    assert limits.hold(limits.count(action[kept], regions[kept]))
