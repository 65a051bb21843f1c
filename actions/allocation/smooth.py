"""The bound with its corners rounded, so that it has slopes and curvature along which to search prices."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actions.allocation.limits import Floats
from actions.allocation.problem import Codes, Problem

Shares = npt.NDArray[np.float32]

_HALVINGS = 10
_LOWEST, _NOTHING = np.float32(-1e3), np.float32(1e-30)


@dataclass(frozen=True)
class Smoothed:
    """The rounded bound at some prices.

    Attributes:
        bound: its value.
        counts: (regions, actions), assignments in parts of customers.
        together: (regions, actions, actions), by which the curvature follows: the counts on the diagonal less
            this.
    """

    bound: float
    counts: Floats
    together: Floats


def smoothed(problem: Problem, prices: Floats, *, temperature: float) -> Smoothed:
    """Round the bound: every customer takes a bit of all that is nearly best.

    Args:
        problem: who could get what.
        prices: (rules,), not negative.
        temperature: in money: how far from the best is still nearly best.
    """
    regions, actions = problem.limits.weights.shape[1:]
    price = problem.limits.price(prices).astype(np.float32)
    total = float(prices @ problem.limits.most)
    counts, together = np.zeros((regions, actions)), np.zeros((regions, actions, actions))
    for rows in problem.chunks():
        # One row per action, so that sums and maxima over actions run along the memory.
        left = np.ascontiguousarray(problem.less_price(rows, price).T)
        scaled = (left / np.float32(temperature)).astype(np.float32, copy=False)
        soft = _one_each(scaled) if problem.channels is None else _several(problem, scaled, rows)
        total += temperature * float(soft.worth.sum(dtype=np.float64))
        for region in range(regions):
            here = slice(None) if regions == 1 else problem.groups[rows] == region
            counts[region] += soft.shares[:, here].sum(axis=1, dtype=np.float64)
            together[region] += sum(part[:, here] @ part[:, here].T for part in soft.together)
            together[region] -= sum(part[:, here] @ part[:, here].T for part in soft.apart)
    return Smoothed(total, counts, together)


@dataclass(frozen=True)
class _Soft:
    """What each customer takes in parts, (actions, customers), its worth, and the roots of its curvature."""

    shares: Shares
    worth: Shares
    together: list[Shares]
    apart: list[Shares]


def _one_each(scaled: Shares) -> _Soft:
    top = np.maximum(scaled.max(axis=0), 0.0)
    shares = np.exp(scaled - top)
    weight = shares.sum(axis=0) + np.exp(-top)
    shares /= weight
    return _Soft(shares, top + np.log(weight), [shares], [])


def _several(problem: Problem, scaled: Shares, rows: slice) -> _Soft:
    """Soft choice among the discounts, each with all else that goes with it as the customer's only discount."""
    discounts, most = problem.limits.discounts, problem.most_actions
    channels = np.ascontiguousarray(np.asarray(problem.channels)[rows].T)
    only = np.flatnonzero(discounts)
    if len(only) < 2:
        return _one_a_channel(scaled, channels, most)
    others = discounts & (np.arange(len(discounts)) != only[:, None])
    found = [_one_a_channel(np.where(other[:, None], -np.inf, scaled), channels, most) for other in others]
    worth = np.stack([each.worth for each in found])
    top = worth.max(axis=0)
    chances = np.exp(worth - top)
    whole = chances.sum(axis=0)
    roots = np.sqrt(chances / whole)
    apart = [root * each.shares for root, each in zip(roots, found, strict=True)]
    shares: Shares = np.add.reduce([root * part for root, part in zip(roots, apart, strict=True)])
    together = [root * part for root, each in zip(roots, found, strict=True) for part in each.together]
    return _Soft(shares, top + np.log(whole / len(only)), [*together, shares], apart)


def _one_a_channel(scaled: Shares, channels: Codes, most: int) -> _Soft:
    """Soft choice within each channel; where more than ``most`` channels want a customer, a toll evens it out.

    The toll is the customer's own price of one more action, found by halving.
    """
    parts, appeals = [], []
    for channel in np.unique(channels):
        inside = np.where(channels == channel, scaled, -np.inf)
        top = np.maximum(inside.max(axis=0), _LOWEST)
        part = np.exp(inside - top)
        weight = part.sum(axis=0) + _NOTHING
        parts.append(part / weight)
        appeals.append(top + np.log(weight))
    appeal = np.stack(appeals)
    toll = _toll(appeal, most)
    used = _sigmoid(appeal - toll)
    parts = [part * share for part, share in zip(parts, used, strict=True)]
    worth = np.logaddexp(appeal - toll, np.float32(0.0)).sum(axis=0) + most * toll
    shares: Shares = np.add.reduce(parts)
    spread = np.maximum((used * (1 - used)).sum(axis=0), np.float32(1e-6))
    free: Shares = np.add.reduce([part * (1 - share) for part, share in zip(parts, used, strict=True)])
    shared = np.where(toll > 0, free / np.sqrt(spread), np.float32(0.0))
    return _Soft(shares, worth, [*parts, shared], [])


def _toll(appeal: Shares, most: int) -> Shares:
    channels, customers = appeal.shape
    if channels <= most:
        return np.zeros(customers, dtype=np.float32)
    ranked = -np.sort(-appeal, axis=0)
    wide = np.float32(np.log(channels) + 1)
    low: Shares = ranked[most] - wide
    high: Shares = ranked[most - 1] + wide
    for _ in range(_HALVINGS):
        middle: Shares = (low + high) / np.float32(2)
        crowded = _sigmoid(appeal - middle).sum(axis=0) > most
        low, high = np.where(crowded, middle, low), np.where(crowded, high, middle)
    return np.maximum((low + high) / 2, np.float32(0.0))


def _sigmoid(amount: Shares) -> Shares:
    return np.asarray(1 / (1 + np.exp(np.clip(-amount, -80, 80))))
