"""The allocation against hand and HiGHS, and its certificate."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix, vstack

from actions.allocation.allocate import Allocation, allocate
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from actions.allocation.problem import Values

NO = -np.inf
COSTS = {"mail": 0.2, "call": 6.0, "offer": 4.0, "gift": 12.0, "points": 2.0, "invite": 0.0}
SAVES = np.array([0.03, 0.12, 0.08, 0.14, 0.05, 0.01])


def table(*rows: list[float]) -> Values:
    return np.array(rows, dtype=np.float32)


def shop(customers: int, seed: int, *, tight: float = 1.0) -> tuple[Values, Limits]:
    """A base of customers with six actions of which several are scarce."""
    rng = np.random.default_rng(seed)
    worth = rng.beta(1.2, 6, customers) * np.exp(rng.normal(4.5, 0.9, customers))
    values = worth[:, None] * SAVES * rng.gamma(4, 0.25, (customers, 6)) - np.array(list(COSTS.values()))
    values[rng.random(values.shape) < 0.3] = -np.inf
    limits = Limits.of(
        list(COSTS),
        cost=COSTS,
        budget=0.2 * tight * customers,
        capacity={"call": 0.01 * tight * customers, "gift": 0.004 * customers, "invite": 0.1 * customers},
        discounts=frozenset({"offer"}),
        shared=LimitSettings(discount_share=0.15 * tight),
    )
    return values.astype(np.float32), limits


def actions_of(found: Allocation, customers: int) -> list[int]:
    """One action per customer, -1 for none."""
    plan = np.full(customers, -1)
    plan[found.rows] = found.columns
    return plan.tolist()


def program(values: Values, limits: Limits) -> tuple[np.ndarray, csr_matrix, np.ndarray]:
    rows, columns = np.nonzero(values > 0)
    pairs = np.arange(len(rows))
    one_each = csr_matrix((np.ones(len(rows)), (rows, pairs)), shape=(len(values), len(rows)))
    rules = vstack([one_each, csr_matrix(limits.weights[:, 0, columns])]).tocsr()
    most = np.concatenate([np.ones(len(values)), limits.most])
    return values[rows, columns].astype(float), rules, most


def test_the_scarce_place_goes_where_it_gains_most() -> None:
    # A call gains 1, 3 and 2 over the next best choice: the second customer gets it.
    limits = Limits.of(["mail", "call"], cost={"mail": 0, "call": 0}, capacity={"call": 1})
    found = allocate(table([3, 4], [2, 5], [NO, 2]), limits)
    assert actions_of(found, 3) == [0, 1, -1]
    assert (found.primal, found.feasible) == (8.0, True)


def test_a_tight_budget_buys_most_value_per_unit_of_cost() -> None:
    limits = Limits.of(["call"], cost={"call": 5.0}, budget=10.0)
    found = allocate(table([1], [4], [3], [2]), limits)
    assert actions_of(found, 4) == [-1, 0, 0, -1]
    assert found.limits.named(found.used) == {"budget": 10.0}
    # The last unit of budget buys a fifth of the third best contact.
    assert 0.4 <= found.prices[0] <= 0.6


def test_discounts_stay_within_their_share() -> None:
    limits = Limits.of(
        ["mail", "offer"],
        cost={"mail": 0, "offer": 0},
        discounts=frozenset({"offer"}),
        shared=LimitSettings(discount_share=0.25),
    )
    found = allocate(table([1, 9], [1, 8], [1, 7], [1, 6]), limits)
    assert actions_of(found, 4) == [1, 0, 0, 0]
    assert found.primal == 12.0


def test_treating_nobody_is_a_legal_plan() -> None:
    limits = Limits.of(["mail"], cost={"mail": 1}, budget=10)
    for values in (table([-1], [NO], [0]), np.empty((0, 1), dtype=np.float32)):
        found = allocate(values, limits)
        assert not len(found.rows)
        assert (found.primal, found.bound, found.gap, found.feasible) == (0.0, 0.0, 0.0, True)


def test_without_actions_nobody_is_treated() -> None:
    found = allocate(np.empty((3, 0), dtype=np.float32), Limits.of([], cost={}))
    assert actions_of(found, 3) == [-1, -1, -1]


def test_an_empty_budget_leaves_only_what_is_free() -> None:
    limits = Limits.of(["mail", "call"], cost={"mail": 0.0, "call": 5.0}, budget=0.0)
    found = allocate(table([1, 50], [2, 60]), limits)
    assert actions_of(found, 2) == [0, 0]
    assert found.gap == 0.0


def test_without_scarcity_everybody_gets_the_best() -> None:
    values, _ = shop(500, seed=1)
    found = allocate(values, Limits.of(list(COSTS), cost=COSTS))
    assert found.gap == 0.0
    assert found.primal == pytest.approx(np.maximum(values.max(axis=1), 0).sum(dtype=float))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tight", [0.4, 1.0])
def test_hundreds_of_customers_match_branch_and_bound(seed: int, tight: float) -> None:
    values, limits = shop(250, seed, tight=tight)
    worth, rules, most = program(values, limits)
    exact = milp(
        -worth,
        constraints=LinearConstraint(rules, ub=most),
        integrality=np.ones(len(worth)),
        bounds=Bounds(0, 1),
        options={"time_limit": 20},
    )
    found = allocate(values, limits)
    assert found.feasible
    assert found.bound >= -exact.fun - 1e-6
    assert found.primal >= -exact.fun * (1 - 1e-3)


@pytest.mark.parametrize("tight", [0.4, 1.0])
def test_two_thousand_customers_come_within_a_per_mille(tight: float) -> None:
    values, limits = shop(2_000, seed=7, tight=tight)
    worth, rules, most = program(values, limits)
    relaxed = linprog(-worth, A_ub=rules, b_ub=most, method="highs")
    found = allocate(values, limits)
    assert found.bound == pytest.approx(-relaxed.fun, rel=1e-4)
    assert found.bound >= -relaxed.fun * (1 - 1e-9)
    assert found.primal >= -relaxed.fun * (1 - 1e-3)
    assert found.gap <= 1e-3


def test_a_sample_of_many_customers_finds_the_prices() -> None:
    values, limits = shop(60_000, seed=3, tight=0.5)
    found = allocate(values, limits)
    assert found.feasible
    assert found.gap <= 1e-4


@pytest.mark.parametrize("wrong_by", [0.0, 0.5, 2.0])
def test_a_search_begun_elsewhere_ends_as_near_the_bound(wrong_by: float) -> None:
    values, limits = shop(4_000, seed=5)
    cold = allocate(values, limits)
    warm = allocate(values, limits, start=cold.prices * wrong_by)
    assert warm.feasible
    assert warm.bound == pytest.approx(cold.bound, rel=1e-4)
    assert warm.primal == pytest.approx(cold.primal, rel=1e-3)


def test_the_same_input_gives_the_same_plan() -> None:
    values, limits = shop(3_000, seed=2, tight=0.5)
    one, two = allocate(values, limits, seed=4), allocate(values, limits, seed=4)
    assert (one.rows.tobytes(), one.columns.tobytes()) == (two.rows.tobytes(), two.columns.tobytes())
    assert one.prices.tobytes() == two.prices.tobytes()
    assert one.bound == two.bound


def test_reduced_value_is_value_less_price_of_use() -> None:
    values, limits = shop(300, seed=9)
    found = allocate(values, limits)
    row, column = found.rows[0], found.columns[0]
    price = float(found.prices @ limits.weights[:, 0, column])
    assert found.reduced[0] == pytest.approx(float(values[row, column]) - price)
