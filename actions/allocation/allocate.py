"""Who gets what: the most value under shared limits, with a certificate of how much could be missing.

Prices turn the limits into one choice per customer (``actions/allocation/prices.py``). What the prices overshoot is
dropped, least reduced value first; what they leave free is filled. The bound at the best prices says how
far any plan at all could lie above this one.
"""

from dataclasses import dataclass

import numpy as np

from actions.allocation.choices import Choice, choose
from actions.allocation.limits import Floats, Limits
from actions.allocation.polish import polish
from actions.allocation.prices import find_prices
from actions.allocation.problem import Codes, Indices, Problem, Rows, Values
from actions.allocation.repair import make_fit

_START_POINTS = 3
_ONE_START_ABOVE = 200_000
_POLISH_ABOVE = 1e-4
_POLISH_UP_TO = 50_000


@dataclass(frozen=True)
class Allocation:
    """Pairs of customer and action, and the certificate of the whole.

    Attributes:
        rows: (pairs,), positions of the customers, ascending.
        columns: (pairs,), positions of their actions, ascending within a customer.
        reduced: (pairs,), value less the prices of what the action uses.
        prices: (rules,), worth of one more unit of each rule.
        primal: value of the pairs.
        bound: no plan within the limits, of pairs each worth more than 0, is worth more.
        gap: (bound - primal) / bound; 0 where nothing is worth doing.
        used: (rules,), what the pairs use.
        limits: the rules.
        feasible: whether every rule holds.
    """

    rows: Rows
    columns: Rows
    reduced: Floats
    prices: Floats
    primal: float
    bound: float
    gap: float
    used: Floats
    limits: Limits
    feasible: bool


def allocate(
    values: Values,
    limits: Limits,
    *,
    groups: Codes | None = None,
    channels: Codes | None = None,
    most_actions: int = 1,
    seed: int = 0,
    start: Floats | None = None,
) -> Allocation:
    """Choose pairs of customer and action so that the sum of values is as large as the limits allow.

    A pair without positive value is never chosen, so treating nobody is a legal answer. The result depends
    on the order of the customers only through ties and, above 40,000 candidates, the sample.

    Args:
        values: (customers, actions) in money, minus infinity where a pair may not be.
        limits: what all assignments share.
        groups: (customers,), position of each customer's region in ``limits.regions``; all elsewhere unless
            given.
        channels: (customers, actions), channel of each pair: a customer gets one action a channel at most;
            unless given every action is a channel of its own.
        most_actions: most actions for one customer; of several at most one is a discount.
        seed: chooses the sample on which prices are first searched.
        start: (rules,), prices of a problem much like this one, from which the search then begins.

    Returns:
        The allocation with its bound and gap.

    Examples:
        >>> values = np.array([[3.0, 4.0], [2.0, 5.0], [1.0, -np.inf]], dtype=np.float32)
        >>> limits = Limits.of(["mail", "call"], cost={"mail": 1, "call": 1}, capacity={"call": 1})
        >>> found = allocate(values, limits)
        >>> found.rows, found.columns, found.primal
        (array([0, 1, 2]), array([0, 1, 0]), 9.0)
    """
    problem, candidates = _worthwhile(values, limits, groups, channels, most_actions)
    free = choose(problem, np.zeros(len(limits.names)))
    if limits.hold(problem.counts(free.taken)):
        return _allocation(problem, candidates, free.taken, free, free.bound)
    tried = find_prices(problem, seed=seed, start=start)
    starts = 1 if len(candidates) > _ONE_START_ABOVE else _START_POINTS
    plans = [(make_fit(problem, choice), choice) for choice in tried[:starts]]
    taken, choice = max(plans, key=lambda plan: problem.worth(plan[0]))
    bound = min(free.bound, tried[0].bound)
    missing = bound - problem.worth(taken)
    if missing > _POLISH_ABOVE * bound and len(candidates) <= _POLISH_UP_TO:
        taken = polish(problem, taken, tried[0], missing=missing)
    return _allocation(problem, candidates, taken, choice, bound)


def _worthwhile(
    values: Values, limits: Limits, groups: Codes | None, channels: Codes | None, most_actions: int
) -> tuple[Problem, Rows]:
    """Keep the customers with at least one pair that is worth something and within reach."""
    reachable = ~limits.out_of_reach()
    candidates = np.flatnonzero(((values > 0) & reachable).any(axis=1))
    worth = values[candidates]
    worth[~((worth > 0) & reachable)] = -np.inf
    groups = np.zeros(len(values), dtype=np.int8) if groups is None else groups
    if most_actions == 1:
        channels = None
    elif channels is None:
        channels = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    slots = max(1, min(most_actions, values.shape[1]))
    chosen = None if channels is None or slots == 1 else channels[candidates]
    return Problem(worth, limits, groups[candidates], chosen, slots), candidates


def _allocation(
    problem: Problem, candidates: Rows, taken: Indices, choice: Choice, bound: float
) -> Allocation:
    rows, slots = np.nonzero(taken >= 0)
    columns = taken[rows, slots].astype(np.intp)
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    price = problem.limits.price(choice.prices)[problem.groups[rows], columns]
    primal, counts = problem.worth(taken), problem.counts(taken)
    return Allocation(
        rows=candidates[rows],
        columns=columns,
        reduced=problem.values[rows, columns] - price,
        prices=choice.prices,
        primal=primal,
        bound=bound,
        gap=(bound - primal) / bound if bound > 0 else 0.0,
        used=problem.limits.used(counts),
        limits=problem.limits,
        feasible=problem.limits.hold(counts),
    )
