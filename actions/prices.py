"""Prices for what is scarce: how much one more unit of budget, place or discount would be worth.

Giving every scarce thing a price turns a knapsack over the whole base into one choice per customer: take
the action whose value exceeds its price by most. Any prices that are not negative give an upper bound on
what any plan can reach; the best prices give the lowest bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from actions.limits import Floats, Limits

Values = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]

_CHUNK = 65_536
_SAMPLE = 40_000
_TEMPERATURES = (0.5, 0.1, 0.03, 0.01, 0.003)
_PASSES = 8
_LARGEST_STEP = 0.2


@dataclass(frozen=True)
class Choice:
    """What every customer would take at given prices.

    Attributes:
        prices: (rules,), not negative.
        action: (customers,), column of the chosen action, -1 for none.
        reduced: (customers,), value less price of the chosen action, 0 for none.
        bound: no plan within the limits is worth more.
    """

    prices: Floats
    action: Indices
    reduced: Floats
    bound: float


def choose(values: Values, limits: Limits, prices: Floats) -> Choice:
    """Let every customer take the action whose value exceeds its price by most, or none.

    Args:
        values: (customers, actions), value of each pair, minus infinity where it may not be.
        limits: what all assignments share.
        prices: (rules,), price of one unit of each rule, not negative.

    Returns:
        The choices and the bound ``prices @ most + sum of the reduced values``.

    Source: Lagrangian relaxation; Zhang et al., Solving Billion-Scale Knapsack Problems, WWW 2020.

    Examples:
        >>> values = np.array([[3.0], [2.0]], dtype=np.float32)
        >>> limits = Limits.of(["call"], cost={"call": 1.0}, budget=1.0)
        >>> choose(values, limits, np.array([2.5]))
        Choice(prices=array([2.5]), action=array([ 0, -1], dtype=int32), reduced=array([0.5, 0. ]), bound=3.0)
    """
    action = np.empty(len(values), dtype=np.int32)
    reduced = np.empty(len(values))
    price = prices @ limits.weights
    for rows in _chunks(len(values)):
        left = values[rows] - price
        best = left.argmax(axis=1)
        most = np.take_along_axis(left, best[:, None], axis=1)[:, 0]
        action[rows] = np.where(most > 0, best, -1)
        reduced[rows] = np.maximum(most, 0.0)
    bound = float(prices @ limits.most + reduced.sum())
    return Choice(prices=prices, action=action, reduced=reduced, bound=bound)


def find_prices(values: Values, limits: Limits, *, seed: int) -> list[Choice]:
    """Search the prices whose bound is lowest: on a sample first, then on all customers.

    Args:
        values: (customers, actions), every row with at least one positive value.
        limits: what all assignments share; at least one rule is broken at prices of zero.
        seed: chooses the sample where there are many customers.

    Returns:
        The choices at the prices tried on all customers, lowest bound first.
    """
    scale = np.abs(limits.weights).max(axis=1)
    scale[scale == 0] = 1.0
    even = Limits(limits.names, limits.actions, limits.weights / scale[:, None], limits.most / scale)
    unit = float(np.median(values.max(axis=1)))
    prices = _sample_prices(values, even, unit=unit, seed=seed)
    tried = [choose(values, even, prices)]
    for _ in range(_PASSES):
        prices = _newton_step(values, even, prices, temperature=_TEMPERATURES[-1] * unit)
        tried.append(choose(values, even, prices))
        if abs(tried[-1].bound - tried[-2].bound) <= 1e-6 * tried[-1].bound:
            break
    tried.sort(key=lambda choice: choice.bound)
    return [Choice(c.prices / scale, c.action, c.reduced, c.bound) for c in tried]


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, rows, _CHUNK))


def _sample_prices(values: Values, limits: Limits, *, unit: float, seed: int) -> Floats:
    share = 1.0
    if len(values) > _SAMPLE:
        drawn = np.random.default_rng(seed).choice(len(values), _SAMPLE, replace=False)
        share = _SAMPLE / len(values)
        values = values[np.sort(drawn)]
    prices = np.zeros(len(limits.names))
    sampled = Limits(limits.names, limits.actions, limits.weights, limits.most * share)
    for temperature in _TEMPERATURES:
        prices = _minimise_smoothed(values, sampled, prices / unit, temperature=temperature, unit=unit) * unit
    return prices


def _minimise_smoothed(
    values: Values, limits: Limits, start: Floats, *, temperature: float, unit: float
) -> Floats:
    customers = len(values)

    def bound_and_slope(prices: Floats) -> tuple[float, Floats]:
        smooth = _smoothed(values, limits, prices * unit, temperature=temperature * unit)
        slope = (limits.most - limits.weights @ smooth.counts) / customers
        return smooth.bound / unit / customers, slope

    found = minimize(
        bound_and_slope,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * len(start),
        options={"maxiter": 40, "ftol": 1e-9},
    )
    return np.maximum(np.asarray(found.x, dtype=np.float64), 0.0)


@dataclass(frozen=True)
class _Smoothed:
    bound: float
    counts: Floats
    together: Floats


def _smoothed(values: Values, limits: Limits, prices: Floats, *, temperature: float) -> _Smoothed:
    """The bound with the maximum over actions softened, so that it has slopes and curvature."""
    actions = len(limits.actions)
    total, counts, together = float(prices @ limits.most), np.zeros(actions), np.zeros((actions, actions))
    price = (prices @ limits.weights).astype(np.float32)
    for rows in _chunks(len(values)):
        scaled = (values[rows] - price) / np.float32(temperature)
        top = np.maximum(scaled.max(axis=1), 0.0)
        shares = np.exp(scaled - top[:, None])
        weight = shares.sum(axis=1) + np.exp(-top)
        shares /= weight[:, None]
        total += temperature * float((top + np.log(weight)).sum(dtype=np.float64))
        counts += shares.sum(axis=0, dtype=np.float64)
        together += shares.T @ shares
    return _Smoothed(total, counts, together)


def _newton_step(values: Values, limits: Limits, prices: Floats, *, temperature: float) -> Floats:
    """One step by slope and curvature, at most a fifth of the top price: unbounded steps oscillate."""
    smooth = _smoothed(values, limits, prices, temperature=temperature)
    slope = limits.most - limits.weights @ smooth.counts
    spread = np.diag(smooth.counts) - smooth.together
    curvature = limits.weights @ spread @ limits.weights.T / temperature
    free = (prices > 0) | (slope < 0)
    curvature = curvature[np.ix_(free, free)]
    ridge = 1e-6 * max(float(np.trace(curvature)), 1e-12) * np.eye(len(curvature))
    step = np.zeros(len(prices))
    step[free] = np.linalg.solve(curvature + ridge, -slope[free])
    most = _LARGEST_STEP * max(float(prices.max(initial=0.0)), temperature)
    return np.maximum(prices + np.clip(step, -most, most), 0.0)
