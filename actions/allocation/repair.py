"""From choices at prices to a plan that fits: drop what breaks a rule, fill what is left free."""

import numpy as np
import numpy.typing as npt

from actions.allocation.choices import Choice
from actions.allocation.limits import REGION_FLOOR, Floats, Limits
from actions.allocation.problem import Codes, Indices, Problem, Rows

Flags = npt.NDArray[np.bool_]

_FILL_ROUNDS = 6
_FILL_CANDIDATES = 20_000
_WORTH_ANOTHER_ROUND = 1e-7


def drop_least(columns: Codes, keys: Floats, limits: Limits, groups: Codes) -> Flags:
    """Drop assignments until every rule holds, the lowest key per use first within the rule that is broken.

    Args:
        columns: (assignments,), position of the action that each of them uses.
        keys: (assignments,), what an assignment is worth keeping for.
        limits: what the assignments share.
        groups: (assignments,), position of the customer's region in ``limits.regions``.

    Returns:
        (assignments,), which of them are kept.

    Examples:
        >>> limits = Limits.of(["call"], cost={"call": 5.0}, budget=10.0)
        >>> drop_least(np.array([0, 0, 0]), np.array([2.0, 1.0, 3.0]), limits, np.zeros(3, np.int8))
        array([ True, False,  True])
    """
    kept = np.ones(len(columns), dtype=bool)
    while True:
        slack = limits.slack(limits.count(columns[kept], groups[kept]))
        if (slack >= 0).all():
            return kept
        largest = np.maximum(np.abs(limits.weights).max(axis=(1, 2)), 1e-300)
        rule = int(np.argmin(slack / largest))
        using = np.flatnonzero(kept)
        uses = limits.weights[rule][groups[using], columns[using]]
        using, uses = using[uses > 0], uses[uses > 0]
        spared = spared_regions(limits, slack, need=-slack[rule] / uses.min())[groups[using]]
        order = np.lexsort((keys[using] / uses, spared))
        enough = int(np.searchsorted(np.cumsum(uses[order]), -slack[rule] * (1 - 1e-12)))
        kept[using[order[: enough + 1]]] = False


def spared_regions(limits: Limits, slack: Floats, *, need: float) -> Flags:
    """Tell which regions are dropped last: each contact less there costs many elsewhere to keep its floor.

    Args:
        limits: what the assignments share.
        slack: (rules,), what is left of each rule.
        need: about how many assignments are to be dropped.

    Returns:
        (regions,), those whose floor would break.
    """
    spared = np.zeros(len(limits.regions), dtype=bool)
    for at, region in enumerate(limits.regions[1:], start=1):
        spared[at] = slack[limits.names.index(f"{REGION_FLOOR}:{region}")] < need
    return spared


def make_fit(problem: Problem, choice: Choice) -> Indices:
    """Turn choices into a plan within the limits, and use what is left of them.

    Returns:
        (customers, slots), columns of the actions taken, -1 for a free slot.
    """
    rows, slots = np.nonzero(choice.taken >= 0)
    columns = choice.taken[rows, slots]
    kept = drop_least(columns, choice.reduced[rows, slots], problem.limits, problem.groups[rows])
    taken = choice.taken.copy()
    taken[rows[~kept], slots[~kept]] = -1
    for _ in range(_FILL_ROUNDS):
        filled = _fill(problem, taken, choice.prices)
        if problem.worth(filled) <= problem.worth(taken) * (1 + _WORTH_ANOTHER_ROUND):
            break
        taken = filled
    return taken


def _fill(problem: Problem, taken: Indices, prices: Floats) -> Indices:
    """Give a first, another or a better action wherever its extra use still fits, the largest gain first."""
    slack = problem.limits.slack(problem.counts(taken))
    moves = [_fitting_moves(problem, rows, taken[rows], prices, slack) for rows in problem.chunks()]
    rows, slots, columns, gains = (np.concatenate(parts) for parts in zip(*moves, strict=True))
    order = np.argsort(-gains, kind="stable")[:_FILL_CANDIDATES]
    filled, uses = taken.copy(), _uses(problem.limits)
    changed: set[int] = set()
    for row, slot, column in zip(
        rows[order].tolist(), slots[order].tolist(), columns[order].tolist(), strict=True
    ):
        group = problem.groups[row]
        extra = uses[group, column] - uses[group, filled[row, slot]]
        if row not in changed and (extra <= slack).all():
            changed.add(row)
            slack = slack - extra
            filled[row, slot] = column
    return filled


def _uses(limits: Limits) -> Floats:
    """(regions, actions + 1, rules), what one assignment uses; the last row, of no action, is 0."""
    return np.pad(np.moveaxis(limits.weights, 0, 2), ((0, 0), (0, 1), (0, 0)))


def _fitting_moves(
    problem: Problem, rows: slice, taken: Indices, prices: Floats, slack: Floats
) -> tuple[Rows, Rows, Rows, Floats]:
    """List the single moves of some customers that fit and gain, with their gain less the price of their use."""
    uses = _uses(problem.limits)
    fits = np.asarray((uses[:, None, :-1] - uses[:, :, None] <= slack).all(axis=3))
    price = uses @ prices
    groups, values = problem.groups[rows], problem.values[rows]
    here = np.arange(len(values))[:, None]
    slot = _slot_to_use(problem, rows, taken, price)
    now = np.where(slot >= 0, taken[here, slot], -1)
    gains = values - np.where(now >= 0, values[here, now], np.float32(0))
    open_to = (
        fits[groups, now[:, 0]]
        if now.shape[1] == 1
        else fits[groups[:, None], now, np.arange(values.shape[1])]
    )
    places = np.flatnonzero((gains > 1e-9) & open_to & (slot >= 0))
    at, columns = np.divmod(places, values.shape[1])
    slot, now = (np.broadcast_to(each, values.shape)[at, columns] for each in (slot, now))
    net = gains.take(places) - price[groups[at], columns] + price[groups[at], now]
    if len(net) > _FILL_CANDIDATES:
        best = np.sort(np.argpartition(-net, _FILL_CANDIDATES)[:_FILL_CANDIDATES])
        at, slot, columns, net = at[best], slot[best], columns[best], net[best]
    return at + rows.start, slot, columns, net


def _slot_to_use(problem: Problem, rows: slice, taken: Indices, price: Floats) -> npt.NDArray[np.intp]:
    """(rows, actions), the slot that an action would go into; -1 where it would push out two others.

    With one slot for all, (rows, 1).
    """
    if problem.channels is None:
        return np.zeros((len(taken), 1), dtype=np.intp)
    shape = (len(taken), len(problem.limits.actions))
    here, channels, groups = np.arange(len(taken)), problem.channels[rows], problem.groups[rows]
    is_discount = np.append(problem.limits.discounts, np.False_)
    left = np.where(
        taken >= 0, problem.values[rows][here[:, None], taken] - price[groups[:, None], taken], -np.inf
    )
    slots = np.broadcast_to(left.argmin(axis=1)[:, None], shape).copy()
    rivals = np.zeros(shape, dtype=np.int8)
    for slot, column in enumerate(taken.T):
        rival = (channels == channels[here, column][:, None]) & (column >= 0)[:, None]
        rival |= is_discount[column][:, None] & problem.limits.discounts
        slots[rival] = slot
        rivals += rival
    slots[rivals > 1] = -1
    return slots
