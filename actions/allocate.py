"""Who gets what: the most value under one budget, with a certificate of how much could be missing.

Prices turn the limits into one choice per customer (``actions/prices.py``). What the prices overshoot is
dropped, least reduced value first; what they leave free is filled. The bound at the best prices says how
far any plan at all could lie above this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actions.limits import Floats, Limits
from actions.polish import polish
from actions.prices import Choice, Indices, Values, choose, find_prices

_FILL_ROUNDS = 6
_FILL_CANDIDATES = 20_000
_START_POINTS = 3
_POLISH_ABOVE = 1e-4
_POLISH_UP_TO = 50_000


@dataclass(frozen=True)
class Allocation:
    """One action or none per customer, and the certificate of the whole.

    Attributes:
        action: (customers,), column of the action, -1 for none.
        reduced: (customers,), value of the action less the prices of what it uses; 0 for none.
        prices: (rules,), worth of one more unit of each rule.
        primal: value of the assignments.
        bound: no assignment within the limits is worth more.
        gap: (bound - primal) / bound; 0 where nothing is worth doing.
        used: (rules,), what the assignments use.
        limits: the rules.
        feasible: whether every rule holds.
    """

    action: Indices
    reduced: Floats
    prices: Floats
    primal: float
    bound: float
    gap: float
    used: Floats
    limits: Limits
    feasible: bool


def allocate(values: Values, limits: Limits, *, seed: int = 0) -> Allocation:
    """Give each customer at most one action so that the sum of values is as large as the limits allow.

    A pair without positive value is never assigned, so treating nobody is a legal answer. The result
    depends on the order of the customers only through ties and, above 40,000 candidates, the sample.

    Args:
        values: (customers, actions) in money, minus infinity where a pair may not be.
        limits: what all assignments share.
        seed: chooses the sample on which prices are first searched.

    Returns:
        The allocation with its bound and gap.

    Examples:
        >>> values = np.array([[3.0, 4.0], [2.0, 5.0], [1.0, -np.inf]], dtype=np.float32)
        >>> limits = Limits.of(["mail", "call"], cost={"mail": 1, "call": 1}, capacity={"call": 1})
        >>> found = allocate(values, limits)
        >>> found.action, found.primal
        (array([0, 1, 0], dtype=int32), 9.0)
    """
    worth = np.where((values > 0) & ~limits.out_of_reach(), values, np.float32(-np.inf))
    candidates = np.flatnonzero(np.isfinite(worth).any(axis=1))
    worth = worth[candidates]
    free = choose(worth, limits, np.zeros(len(limits.names)))
    if limits.hold(_counts(free.action, limits)):
        return _allocation(values, limits, candidates, free.action, free, free.bound)
    tried = find_prices(worth, limits, seed=seed)
    plans = [(_fit(worth, limits, choice), choice) for choice in tried[:_START_POINTS]]
    action, choice = max(plans, key=lambda plan: _value(worth, plan[0]))
    bound = min(free.bound, tried[0].bound)
    missing = bound - _value(worth, action)
    if missing > _POLISH_ABOVE * bound and len(worth) <= _POLISH_UP_TO:
        action = polish(worth, limits, action, tried[0].prices, missing=missing)
    return _allocation(values, limits, candidates, action, choice, bound)


def drop_least(
    action: Indices, keys: Floats, limits: Limits, *, counted: npt.NDArray[np.bool_] | None = None
) -> Indices:
    """Drop assignments until every rule holds, the lowest key first within the rule that is broken.

    Args:
        action: (customers,), column of the action, -1 for none.
        keys: (customers,), what an assignment is worth keeping for; or (rules, customers) to rank anew per
            rule.
        limits: what the counted assignments share.
        counted: (customers,), which assignments use the limits; all unless given. Assignments that are not
            counted are dropped in their turn all the same, so that counted and others stay comparable.

    Returns:
        A copy of ``action`` with -1 where the assignment was dropped.

    Examples:
        >>> limits = Limits.of(["call"], cost={"call": 5.0}, budget=10.0)
        >>> drop_least(np.zeros(3, dtype=np.int32), np.array([2.0, 1.0, 3.0]), limits)
        array([ 0, -1,  0], dtype=int32)
    """
    kept = action.copy()
    counted = np.ones(len(action), dtype=bool) if counted is None else counted
    while True:
        slack = limits.slack(_counts(kept[counted], limits))
        if (slack >= 0).all():
            return kept
        rule = int(np.argmin(slack / np.maximum(np.abs(limits.weights).max(axis=1), 1e-300)))
        weights = limits.weights[rule]
        using = np.flatnonzero(kept >= 0)
        using = using[weights[kept[using]] > 0]
        key = keys if keys.ndim == 1 else keys[rule]
        order = using[np.argsort(key[using], kind="stable")]
        freed = np.cumsum(np.where(counted[order], weights[kept[order]], 0.0))
        enough = int(np.searchsorted(freed, -slack[rule] * (1 - 1e-12)))
        kept[order[: enough + 1]] = -1


def broken_rules(
    assigned: Sequence[str],
    *,
    cost: dict[str, float],
    budget: float | None,
    capacity: dict[str, float],
    discounts: frozenset[str] = frozenset(),
    discount_share: float | None = None,
) -> list[str]:
    """Check a list of assignments against the rules by plain counting, apart from the solver's own sums.

    Args:
        assigned: one action id per assignment that is sent.
        cost: expected cost per action.
        budget: most money; none means no limit.
        capacity: most assignments per action.
        discounts: the actions that count as discounts.
        discount_share: most discounts as a share of all assignments.

    Returns:
        One sentence per broken rule, none when all hold.

    Examples:
        >>> broken_rules(["call", "call"], cost={"call": 5.0}, budget=8.0, capacity={"call": 2})
        ['budget: 10.00 spent, 8.00 allowed']
    """
    broken = []
    spent = sum(cost[action] for action in assigned)
    if budget is not None and spent > budget + 1e-6 * max(1.0, budget):
        broken.append(f"budget: {spent:.2f} spent, {budget:.2f} allowed")
    for action, most in sorted(capacity.items()):
        given = sum(other == action for other in assigned)
        if given > most:
            broken.append(f"capacity of {action}: {given} given, {most:g} allowed")
    given = sum(action in discounts for action in assigned)
    if discount_share is not None and given > discount_share * len(assigned) + 1e-6:
        broken.append(f"discount share: {given} of {len(assigned)} given, {discount_share:.0%} allowed")
    return broken


def _counts(action: Indices, limits: Limits) -> npt.NDArray[np.int64]:
    return np.bincount(action[action >= 0], minlength=len(limits.actions)).astype(np.int64)


def _value(values: Values, action: Indices) -> float:
    given = np.flatnonzero(action >= 0)
    return float(values[given, action[given]].sum(dtype=np.float64))


def _fit(values: Values, limits: Limits, choice: Choice) -> Indices:
    given = np.maximum(choice.action, 0)
    use = np.maximum(limits.weights[:, given], 1e-12)
    action = drop_least(choice.action, choice.reduced / use, limits)
    for _ in range(_FILL_ROUNDS):
        filled = _fill(values, limits, action, choice.prices)
        if _value(values, filled) <= _value(values, action):
            break
        action = filled
    return action


def _fill(values: Values, limits: Limits, action: Indices, prices: Floats) -> Indices:
    """Use what is left: give a first or a better action wherever its extra use still fits."""
    rows, columns, gains = _fitting_gains(values, limits, action, prices)
    order = np.argsort(-gains, kind="stable")[:_FILL_CANDIDATES]
    action = action.copy()
    slack = limits.slack(_counts(action, limits))
    uses = np.vstack([limits.weights.T, np.zeros(len(limits.names))])
    changed: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        extra = uses[column] - uses[action[row]]
        if row not in changed and (extra <= slack).all():
            changed.add(row)
            slack = slack - extra
            action[row] = column
    return action


def _fitting_gains(
    values: Values, limits: Limits, action: Indices, prices: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """List the single moves that fit and gain, with their gain less the price of what they use."""
    slack = limits.slack(_counts(action, limits))
    uses = np.vstack([limits.weights.T, np.zeros(len(limits.names))])
    fits: npt.NDArray[np.bool_] = np.all(uses[None, :-1] - uses[:, None] <= slack, axis=2)
    now = np.where(action >= 0, values[np.arange(len(values)), action], np.float32(0))
    gains = values - now[:, None]
    rows, columns = np.nonzero((gains > 1e-9) & fits[action])
    price = uses @ prices
    return rows, columns, gains[rows, columns] - price[columns] + price[action[rows]]


def _allocation(
    values: Values,
    limits: Limits,
    candidates: npt.NDArray[np.int64],
    chosen: Indices,
    choice: Choice,
    bound: float,
) -> Allocation:
    action = np.full(len(values), -1, dtype=np.int32)
    action[candidates] = chosen
    reduced = np.zeros(len(values))
    given = np.flatnonzero(action >= 0)
    reduced[given] = values[given, action[given]] - (choice.prices @ limits.weights)[action[given]]
    primal = _value(values, action)
    counts = _counts(action, limits)
    return Allocation(
        action=action,
        reduced=reduced,
        prices=choice.prices,
        primal=primal,
        bound=bound,
        gap=(bound - primal) / bound if bound > 0 else 0.0,
        used=limits.used(counts),
        limits=limits,
        feasible=limits.hold(counts),
    )
