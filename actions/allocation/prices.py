"""Prices for what is scarce: how much one more unit of budget, place, hour or discount would be worth.

Giving every scarce thing a price turns a knapsack over the whole base into one choice per customer: take
what exceeds its price by most. Any prices that are not negative give an upper bound on what any plan can
reach; the best prices give the lowest bound.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from actions.allocation.choices import Choice, choose
from actions.allocation.limits import Floats
from actions.allocation.problem import Problem
from actions.allocation.smooth import smoothed

_SAMPLE = 40_000
_TEMPERATURES = (0.5, 0.1, 0.03, 0.01, 0.003)
_PASSES = 8
_SETTLED = 1e-6
# Several actions each take fifteen times as long to weigh: fewer customers and passes, .005 % of the bound.
_SAMPLE_OF_SEVERAL, _SETTLED_OF_SEVERAL = 5_000, 5e-5
_LARGEST_STEP, _SHORTER = 0.2, 0.25


def find_prices(problem: Problem, *, seed: int, start: Floats | None = None) -> list[Choice]:
    """Search the prices whose bound is lowest: on a sample first, then on all customers.

    Args:
        problem: every customer with at least one positive value, and at least one rule that is broken at
            prices of zero.
        seed: chooses the sample where there are many customers.
        start: (rules,), the best prices of a problem much like this one; nothing is known unless given.

    Returns:
        The choices at the prices tried on all customers, lowest bound first.
    """
    limits = problem.limits
    scale = np.abs(limits.weights).max(axis=(1, 2))
    scale[scale == 0] = 1.0
    even = replace(
        problem,
        limits=replace(limits, weights=limits.weights / scale[:, None, None], most=limits.most / scale),
    )
    unit = float(np.median(problem.values.max(axis=1)))
    known = None if start is None or not start.any() else start * scale
    tried = _improved(even, _sample_prices(even, known, unit=unit, seed=seed), unit=unit)
    tried.sort(key=lambda choice: choice.bound)
    return [replace(choice, prices=choice.prices / scale) for choice in tried]


def _improved(problem: Problem, prices: Floats, *, unit: float) -> list[Choice]:
    """Step from the best prices so far; a step that raises the bound is tried again, a quarter as long."""
    temperature = _TEMPERATURES[-1] * unit
    settled = _SETTLED if problem.channels is None else _SETTLED_OF_SEVERAL
    best, longest = choose(problem, prices), _LARGEST_STEP
    tried, step = [best], _newton_step(problem, prices, temperature=temperature)
    for _ in range(_PASSES):
        most = longest * max(float(best.prices.max(initial=0.0)), temperature)
        found = choose(problem, np.maximum(best.prices + np.clip(step, -most, most), 0.0))
        tried.append(found)
        gained = best.bound - found.bound
        if gained <= 0:
            longest *= _SHORTER
            continue
        best = found
        if gained <= settled * best.bound:
            break
        step = _newton_step(problem, best.prices, temperature=temperature)
    return tried


def _sample_prices(problem: Problem, start: Floats | None, *, unit: float, seed: int) -> Floats:
    share, customers = 1.0, len(problem.values)
    most = _SAMPLE if problem.channels is None else _SAMPLE_OF_SEVERAL
    if customers > most:
        drawn = np.random.default_rng(seed).choice(customers, most, replace=False)
        share = most / customers
        problem = problem.take(np.sort(drawn))
    sampled = replace(problem, limits=replace(problem.limits, most=problem.limits.most * share))
    prices = np.zeros(len(problem.limits.names)) if start is None else start
    # Rounding comes off by and by, so that the search from nowhere does not run along the corners.
    for temperature in _TEMPERATURES if start is None else _TEMPERATURES[-2:]:
        prices = _minimise_smoothed(sampled, prices / unit, temperature=temperature, unit=unit) * unit
    return prices


def _minimise_smoothed(problem: Problem, start: Floats, *, temperature: float, unit: float) -> Floats:
    customers, limits = len(problem.values), problem.limits

    def bound_and_slope(prices: Floats) -> tuple[float, Floats]:
        smooth = smoothed(problem, prices * unit, temperature=temperature * unit)
        slope = limits.most - np.tensordot(limits.weights, smooth.counts, axes=2)
        return smooth.bound / unit / customers, slope / customers

    found = minimize(
        bound_and_slope,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * len(start),
        options={"maxiter": 40, "ftol": 1e-9},
    )
    return np.maximum(np.asarray(found.x, dtype=np.float64), 0.0)


def _newton_step(problem: Problem, prices: Floats, *, temperature: float) -> Floats:
    """Return by slope and curvature how far the prices seem to lie from the best."""
    limits = problem.limits
    smooth = smoothed(problem, prices, temperature=temperature)
    slope = limits.most - np.tensordot(limits.weights, smooth.counts, axes=2)
    spread = smooth.counts[:, :, None] * np.eye(len(limits.actions)) - smooth.together
    curvature = np.einsum("kga,gab,lgb->kl", limits.weights, spread, limits.weights) / temperature
    free = (prices > 0) | (slope < 0)
    curvature = curvature[np.ix_(free, free)]
    ridge = 1e-6 * max(float(np.trace(curvature)), 1e-12) * np.eye(len(curvature))
    step = np.zeros(len(prices))
    step[free] = np.linalg.solve(curvature + ridge, -slope[free])
    return step
