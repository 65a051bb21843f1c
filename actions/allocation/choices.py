"""What every customer would take at given prices, and the bound that follows from it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actions.allocation.limits import Floats
from actions.allocation.problem import Codes, Indices, Problem


@dataclass(frozen=True)
class Choice:
    """What every customer would take at given prices.

    Attributes:
        prices: (rules,), not negative.
        taken: (customers, slots), columns of the actions taken, -1 for a free slot.
        reduced: (customers, slots), value less price of what is taken, 0 for a free slot.
        bound: no plan within the limits, of contacts that each promise more than they cost, is worth more.
    """

    prices: Floats
    taken: Indices
    reduced: Floats
    bound: float


def choose(problem: Problem, prices: Floats) -> Choice:
    """Let every customer take what exceeds its price by most, or nothing.

    Args:
        problem: who could get what.
        prices: (rules,), price of one unit of each rule, not negative.

    Returns:
        The choices and the bound ``prices @ most + sum of the reduced values``.

    Source: Lagrangian relaxation; Zhang et al., Solving Billion-Scale Knapsack Problems, WWW 2020.

    Examples:
        >>> from actions.allocation.limits import Limits
        >>> limits = Limits.of(["call"], cost={"call": 1.0}, budget=1.0)
        >>> two = Problem(np.array([[3.0], [2.0]], dtype=np.float32), limits, np.zeros(2, np.int8), None, 1)
        >>> found = choose(two, np.array([2.5]))
        >>> found.taken.ravel(), found.reduced.ravel(), found.bound
        (array([ 0, -1], dtype=int16), array([0.5, 0. ]), 3.0)
    """
    shape = (len(problem.values), problem.most_actions)
    taken, reduced = np.empty(shape, dtype=np.int16), np.empty(shape)
    price = problem.limits.price(prices)
    for rows in problem.chunks():
        left = problem.less_price(rows, price)
        channels = None if problem.channels is None else problem.channels[rows]
        found = best_together(left, channels, problem.most_actions, problem.limits.discounts)
        taken[rows], reduced[rows] = found
    bound = float(prices @ problem.limits.most + reduced.sum())
    return Choice(prices=prices, taken=taken, reduced=reduced, bound=bound)


def best_together(
    left: Floats, channels: Codes | None, most: int, discounts: npt.NDArray[np.bool_]
) -> tuple[Indices, Floats]:
    """Find what one customer should take: one action a channel, one discount, ``most`` in all.

    With at most one action a channel, taking the best again and again is exact. The discounts are tried one
    by one, each as the customer's only one, and without any.

    Args:
        left: (customers, actions), value less price.
        channels: (customers, actions), channel of each pair; None where ``most`` is 1.
        most: most actions for one customer.
        discounts: (actions,), which are discounts.

    Returns:
        (customers, most), the columns taken with -1 for a free slot, and what each leaves over its price.
    """
    if channels is None:
        return _greedy(left, None, 1)
    if discounts.sum() < 2:
        return _greedy(left.copy(), channels, most)
    free = np.where(discounts, -np.inf, left)
    taken, reduced = _greedy(free.copy(), channels, most)
    for discount in np.flatnonzero(discounts):
        only = free.copy()
        only[:, discount] = left[:, discount]
        other, gained = _greedy(only, channels, most, first=int(discount))
        better = gained.sum(axis=1) > reduced.sum(axis=1)
        taken[better], reduced[better] = other[better], gained[better]
    return taken, reduced


def _greedy(
    left: Floats, channels: Codes | None, most: int, first: int | None = None
) -> tuple[Indices, Floats]:
    taken, reduced = np.empty((len(left), most), dtype=np.int16), np.empty((len(left), most))
    here = np.arange(len(left))
    for slot in range(most):
        best = left.argmax(axis=1) if slot or first is None else np.full(len(left), first)
        top = left[here, best]
        taken[:, slot] = np.where(top > 0, best, -1)
        reduced[:, slot] = np.maximum(top, 0.0)
        if channels is not None and slot + 1 < most:
            left[channels == channels[here, best][:, None]] = -np.inf
    return taken, reduced
