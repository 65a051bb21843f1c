"""The exploration slice: for a few units chance, not the optimiser, picks among what they may get.

Comparing sent with withheld tells what an action does for those it was planned for. What another action would
have done for them only a uniform choice can tell, with a chance that is known exactly. Which actions are
open to it is settled before anybody is drawn, by what the draw is expected to use; so the chance of a row is
the slice's share over the number of actions open to that customer.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actions.allocation.limits import Floats, Limits
from actions.allocation.problem import Codes, Rows
from actions.allocation.repair import spared_regions
from actions.experiment.control import ControlSettings

Flags = npt.NDArray[np.bool_]

_SURE = 3.0
_DUST = 1e-9


@dataclass(frozen=True)
class Pairs:
    """The planned pairs of a night, sorted by customer.

    Attributes:
        rows: (pairs,), the customer, a position in the base.
        columns: (pairs,), the planned action.
        groups: (pairs,), position of the customer's region in the limits.
        randomised: (pairs,), whether chance may withhold or replace the action.
    """

    rows: Rows
    columns: Codes
    groups: Codes
    randomised: Flags

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, kept: Flags) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.rows[kept], self.columns[kept], self.groups[kept], self.randomised[kept])


@dataclass(frozen=True)
class Offers:
    """Among which actions chance would choose, were a pair's unit to explore.

    Attributes:
        first: (pairs that may be replaced,), their positions among all pairs.
        offered: (pairs that may be replaced, actions), the actions open to each, its own included.
        is_open: (actions,), whether an action may take the place of another tonight.
    """

    first: Rows
    offered: Flags
    is_open: Flags

    @property
    def choices(self) -> npt.NDArray[np.int64]:
        """(pairs that may be replaced,), number of actions open to each."""
        return np.asarray(self.offered.sum(axis=1))

    def take(self, places: Rows) -> "Offers":
        """Return some of the pairs that may be replaced."""
        return Offers(self.first[places], self.offered[places], self.is_open)

    def drawn(self, uniforms: Floats) -> npt.NDArray[np.intp]:
        """Choose one of the open actions of each pair, each with the same chance: the one of the least number.

        Args:
            uniforms: (pairs that may be replaced, actions), independent uniform numbers in [0, 1).
        """
        return np.asarray(np.where(self.offered, uniforms, np.inf).argmin(axis=1))


def open_offers(
    pairs: Pairs,
    may: Flags,
    channels: npt.NDArray[np.int8],
    limits: Limits,
    *,
    control: ControlSettings,
    cost: Floats,
    budget: float | None,
) -> Offers:
    """Settle which actions may take the place of which planned pair, before anybody is drawn.

    A pair chooses among its own action and every open one that the customer may get. Of a customer's several
    pairs only the first is replaced, by an action, a channel and a discount that the others leave free.
    Actions are closed one by one, the one that weighs most first, until the slice is expected to stay within
    its money and within what the plan leaves of every limit, and until three standard deviations more of it
    would still fit were everything else given up: so that a draw need not be undone.

    Args:
        pairs: what is planned.
        may: (customers, actions), whether the rules allow the pair and the action is randomised.
        channels: (customers, actions), code of each pair's channel.
        limits: of what is sent tonight.
        control: chances that a randomised pair is withheld, and that it explores, given that it is not; the
            latter is also the share of the budget that the slice is expected to cost at most.
        cost: (actions,), expected cost of one contact, currency units.
        budget: most expected cost of what is sent tonight, currency units; none means no limit.
    """
    first = _first_randomised(pairs)
    allowed = _left_free(pairs, first, may, channels, limits.discounts)
    own = np.zeros_like(allowed)
    own[np.arange(len(first)), pairs.columns[first]] = True
    sent = 1 - control.withheld_share * pairs.randomised
    exploring = control.exploration_share * sent[first]
    sent[first] -= exploring
    kinds = pairs.groups.astype(np.intp) * len(cost) + pairs.columns
    planned = np.bincount(kinds, weights=sent, minlength=len(limits.regions) * len(cost))
    money = np.inf if budget is None else control.exploration_share * budget
    room = _Room(limits, planned.astype(np.float64).reshape(len(limits.regions), len(cost)), cost, money)
    is_open = np.ones(len(cost), dtype=bool)
    while True:
        offered = (allowed & is_open) | own
        extra = _by_region(limits, pairs.groups[first], exploring / offered.sum(axis=1), offered)
        closing = room.to_close(extra, is_open & (allowed & ~own).any(axis=0))
        if closing is None:
            return Offers(first, offered, is_open)
        is_open[closing] = False


def keep_within(pairs: Pairs, sent: Codes, reduced: Floats, limits: Limits) -> Flags:
    """Give up planned pairs until what is sent fits, each pair blind to what the draw made of it.

    Pairs are taken up in turn, the highest reduced value first. A pair stays if sending it would fit beside
    what is sent of those before it, whether or not it is sent itself. So within a rule its own draw has no say, and
    among the pairs that stay the withheld keep their stated share; a withheld pair for which no place would have
    been left is no control. Rules come in a fixed order, lest the draws choose it; where several are tight, what
    one takes still moves another's room. Pairs that use a rule only because they explore come first, and so do regions
    whose floor would break.

    Args:
        pairs: what is planned.
        sent: (pairs,), the action that is sent, -1 where none is.
        reduced: (pairs,), what a pair is worth keeping for.
        limits: of what is sent.

    Returns:
        (pairs,), which are kept.
    """
    kept, is_sent = np.ones(len(pairs), dtype=bool), sent >= 0
    slack = limits.slack(limits.count(sent[is_sent], pairs.groups[is_sent]))
    smallest = np.where(limits.weights > 0, limits.weights, np.inf).min(axis=(1, 2), initial=np.inf)
    spared = spared_regions(limits, slack, need=float((-slack / smallest).max(initial=0.0)))
    ranked = np.lexsort((reduced, spared[pairs.groups]))[::-1]
    while True:
        before = kept.sum()
        for rule in range(len(limits.most)):
            weights = limits.weights[rule]
            planned = weights[pairs.groups, pairs.columns]
            use = np.where(is_sent, weights[pairs.groups, sent], 0.0)
            ask = np.maximum(planned, use)
            asking = ranked[(kept & (ask > 0))[ranked]]
            asking = asking[np.argsort(planned[asking] > 0, kind="stable")]
            room = limits.most[rule] - use[kept & (ask <= 0)].sum()
            kept[asking[~_fitting(ask[asking], use[asking], room)]] = False
        if kept.sum() == before:
            return kept


def _fitting(ask: Floats, use: Floats, room: float) -> Flags:
    """Tell which of several in turn find the room they ask for, beside what those before them use.

    Where one finds none, those after it that ask for as much find none either.
    """
    kept, most = np.ones(len(ask), dtype=bool), room + 1e-12 * max(1.0, abs(room))
    while True:
        used = np.where(kept, use, 0.0)
        over = np.flatnonzero(kept & (np.cumsum(used) - used + ask > most))
        if not len(over):
            return kept
        kept[over[0] :] &= ask[over[0] :] < ask[over[0]]


@dataclass(frozen=True)
class _Room:
    """What the slice may use: limits, what the plan is expected to send, and the money of the slice."""

    limits: Limits
    planned: Floats
    cost: Floats
    money: float

    def to_close(self, extra: Floats, candidates: Flags) -> int | None:
        """Name the open action that weighs most in a rule the slice is expected to break, if there is one.

        A rule that weighs all actions alike, as floors of regions do, is left to the plan: replacing one
        action by another changes nothing there.
        """
        weights, most = self.limits.weights, self.limits.most
        for rule in np.flatnonzero((weights != weights[:, :, :1]).any(axis=(1, 2))):
            use = float((weights[rule] * extra).sum())
            spread = _SURE * float(np.sqrt((weights[rule] ** 2 * extra).sum()))
            expected = float((weights[rule] * self.planned).sum()) + use
            alone = float((np.minimum(weights[rule], 0.0) * self.planned).sum()) + use + spread
            if max(expected, alone) > most[rule] + _DUST * max(1.0, abs(most[rule])):
                closing = _heaviest(weights[rule].max(axis=0), extra.sum(axis=0), candidates)
                if closing is not None:
                    return closing
        if extra.sum(axis=0) @ self.cost > self.money + _DUST * max(1.0, self.money):
            return _heaviest(self.cost, extra.sum(axis=0), candidates)
        return None


def _heaviest(weight: Floats, extra: Floats, candidates: Flags) -> int | None:
    using = np.flatnonzero(candidates & (weight > 0))
    return int(using[np.lexsort((-extra[using], -weight[using]))[0]]) if len(using) else None


def _by_region(limits: Limits, groups: Codes, chance: Floats, offered: Flags) -> Floats:
    """Return (regions, actions): how many are expected, each pair taking each of its actions with one chance."""
    here = [groups == group for group in range(len(limits.regions))]
    return np.array([chance[pairs] @ offered[pairs] for pairs in here], dtype=np.float64)


def _first_randomised(pairs: Pairs) -> Rows:
    randomised = np.flatnonzero(pairs.randomised)
    return randomised[np.unique(pairs.rows[randomised], return_index=True)[1]]


def _left_free(
    pairs: Pairs, first: Rows, may: Flags, channels: npt.NDArray[np.int8], discounts: Flags
) -> Flags:
    """Tell what each first pair may be replaced by, given the other pairs of its customer."""
    allowed = may[pairs.rows[first]]
    is_other = np.ones(len(pairs), dtype=bool)
    is_other[first] = False
    at = np.full(len(may), -1)
    at[pairs.rows[first]] = np.arange(len(first))
    others = np.flatnonzero(is_other & (at[pairs.rows] >= 0))
    for place, pair in zip(at[pairs.rows[others]].tolist(), others.tolist(), strict=True):
        row, column = pairs.rows[pair], pairs.columns[pair]
        allowed[place] &= channels[row] != channels[row, column]
        allowed[place, column] = False
        if discounts[column]:
            allowed[place] &= ~discounts
    return allowed
