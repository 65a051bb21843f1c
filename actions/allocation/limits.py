"""What all assignments of one night share: a budget, places, hours, a cap on discounts, floors for regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from actions.allocation.limit_settings import LimitSettings
from tables.errors import BudgetError

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_TOLERANCE = 1e-9
BUDGET = "budget"
CAPACITY = "capacity"
DISCOUNT_SHARE = "discount_share"
DISCOUNT_MONEY = "discount_money"
HOURS = "hours"
REGION_FLOOR = "region_floor"
ELSEWHERE = ""
_SHARES = (DISCOUNT_SHARE, DISCOUNT_MONEY, REGION_FLOOR)


@dataclass(frozen=True)
class Limits:
    """Linear rules on the number of assignments per region and action: the sum of ``weights * counts <= most``.

    Every rule of tonight's plan depends only on how many customers of each region get each action, so a plan's
    use of all of them follows from one count per region and action.

    Attributes:
        names: one per rule: ``budget``, ``capacity:ACTION``, ``hours:TEAM``, ``discount_share`` (of
            contacts) or ``discount_money``, ``region_floor:REGION``.
        actions: ids of the actions, in the order of the last axis of ``weights``.
        regions: the regions that have a floor, after ``""``, which stands for all others.
        weights: (rules, regions, actions), what one assignment uses of each rule.
        most: (rules,), what may be used.
        discounts: (actions,), which actions are discounts: one customer gets at most one a night.
    """

    names: tuple[str, ...]
    actions: tuple[str, ...]
    regions: tuple[str, ...]
    weights: Floats
    most: Floats
    discounts: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        actions: Sequence[str],
        *,
        cost: Mapping[str, float],
        budget: float | None = None,
        capacity: Mapping[str, float] | None = None,
        discounts: frozenset[str] = frozenset(),
        shared: LimitSettings | None = None,
    ) -> Self:
        """Write tonight's rules as weights and limits.

        Args:
            actions: ids of all actions that may be assigned.
            cost: expected cost of one assignment per action, in money, not negative.
            budget: most money for all assignments together; none means no limit.
            capacity: most assignments per action, rounded down; an action left out has no limit.
            discounts: the actions that count as discounts.
            shared: hours of teams, cap on discounts, floors of regions; none of them unless given.

        Raises:
            BudgetError: if an amount is negative or not a number.

        Examples:
            >>> cost = {"mail": 1, "call": 5}
            >>> limits = Limits.of(["mail", "call"], cost=cost, budget=20, capacity={"call": 3})
            >>> limits.names
            ('budget', 'capacity:call')
            >>> limits.used(np.array([4, 2]))
            array([14.,  2.])
        """
        capacity, shared = capacity or {}, shared or LimitSettings()
        _refuse_impossible(actions, cost, budget, capacity)
        regions = (ELSEWHERE, *shared.region_floors)
        costs = np.array([cost[action] for action in actions], dtype=np.float64)
        is_discount = np.array([action in discounts for action in actions], dtype=bool)
        rules: list[tuple[str, Floats, float]] = []
        if budget is not None:
            rules.append((BUDGET, costs, budget))
        for at, action in enumerate(actions):
            if action in capacity:
                rules.append((f"{CAPACITY}:{action}", np.eye(len(actions))[at], np.floor(capacity[action])))
        for name, team in shared.teams.items():
            minutes = np.array([team.minutes_per_contact.get(action, 0.0) for action in actions])
            rules.append((f"{HOURS}:{name}", minutes / 60, team.hours_per_night))
        if shared.discount_share is not None:
            in_money = shared.discount_share.of == "money"
            counted = costs if in_money else np.ones(len(actions))
            name = DISCOUNT_MONEY if in_money else DISCOUNT_SHARE
            rules.append((name, counted * (is_discount - shared.discount_share.most), 0.0))
        for at, (region, share) in enumerate(shared.region_floors.items(), start=1):
            here = np.eye(len(regions))[at][:, None]
            rules.append((f"{REGION_FLOOR}:{region}", (share - here) * np.ones(len(actions)), 0.0))
        shape = (len(regions), len(actions))
        weights = [np.broadcast_to(row, shape) for _, row, _ in rules]
        return cls(
            names=tuple(name for name, _, _ in rules),
            actions=tuple(actions),
            regions=regions,
            weights=np.array(weights, dtype=np.float64).reshape(len(rules), *shape),
            most=np.array([most for _, _, most in rules], dtype=np.float64),
            discounts=is_discount,
        )

    def for_both_arms(self, sent_share: Floats) -> Self:
        """Return the limits of a plan of which only a share is sent.

        A planned assignment uses what it is expected to send. Each rule is divided by the smallest share it
        meets, so that it reads as a limit on planned assignments; places are rounded down.

        Args:
            sent_share: (actions,), share of the planned assignments that is sent, above 0 to 1.

        Examples:
            >>> tonight = Limits.of(["mail"], cost={"mail": 1}, budget=20, capacity={"mail": 7})
            >>> tonight.for_both_arms(np.array([0.8])).most
            array([25.,  8.])
        """
        if not self.names:
            return self
        used = np.where(self.weights != 0, sent_share, np.inf).min(axis=(1, 2), initial=np.inf)
        smallest = np.where(np.isfinite(used), used, 1.0)
        most = self.most / smallest
        whole = np.array([name.startswith(CAPACITY) for name in self.names])
        weights = self.weights * sent_share / smallest[:, None, None]
        return replace(self, weights=weights, most=np.where(whole, np.floor(most + _TOLERANCE), most))

    def count(self, columns: npt.NDArray[np.integer], groups: npt.NDArray[np.integer]) -> Counts:
        """Count assignments per region and action.

        Args:
            columns: (assignments,), position of each assignment's action.
            groups: (assignments,), position of its customer's region.

        Returns:
            (regions, actions).
        """
        shape = self.weights.shape[1:]
        kinds = groups.astype(np.intp) * shape[1] + columns
        return np.bincount(kinds, minlength=shape[0] * shape[1]).astype(np.int64).reshape(shape)

    def used(self, counts: Counts) -> Floats:
        """Return what a number of assignments per region and action uses of each rule."""
        return self.weights.reshape(len(self.names), counts.size) @ counts.reshape(-1)

    def slack(self, counts: Counts) -> Floats:
        """Return what is left of each rule; below 0 where it is broken, rounding of sums forgiven."""
        left = self.most - self.used(counts)
        dust = _TOLERANCE * np.maximum(1.0, np.maximum(np.abs(self.most), counts.sum()))
        return np.where(np.abs(left) <= dust, 0.0, left)

    def hold(self, counts: Counts) -> bool:
        """Tell whether every rule holds for a number of assignments per region and action."""
        return bool((self.slack(counts) >= 0).all())

    def price(self, prices: Floats) -> Floats:
        """Return (regions, actions): what one assignment costs at a price per rule."""
        return np.tensordot(prices, self.weights, axes=1)

    def out_of_reach(self) -> npt.NDArray[np.bool_]:
        """Tell which actions cannot be given to even one customer: too dear, too long or without a place."""
        return np.asarray((self._beyond() > 0).any(axis=0))

    def lacking(self) -> dict[str, dict[str, float]]:
        """Return what is lacking of each rule for one assignment of each action that is out of reach."""
        beyond = self._beyond()
        return {
            self.actions[at]: {
                name: float(amount)
                for name, amount in zip(self.names, beyond[:, at], strict=True)
                if amount > 0
            }
            for at in np.flatnonzero((beyond > 0).any(axis=0))
        }

    def _beyond(self) -> Floats:
        """(rules, actions), how far one assignment alone would break a rule; 0 for shares, which nobody breaks."""
        absolute = np.array([not name.startswith(_SHARES) for name in self.names], dtype=bool)
        beyond = self.weights.max(axis=1, initial=0.0) - self.most[:, None]
        return np.where((beyond > _TOLERANCE) & absolute[:, None], beyond, 0.0)

    def named(self, amounts: Floats) -> dict[str, float]:
        """Put the name of its rule beside each amount."""
        return {name: float(amount) for name, amount in zip(self.names, amounts, strict=True)}


def _refuse_impossible(
    actions: Sequence[str],
    cost: Mapping[str, float],
    budget: float | None,
    capacity: Mapping[str, float],
) -> None:
    problems = [f"cost of {a}: {cost[a]}" for a in actions if not 0 <= cost[a] < np.inf]
    problems += [f"capacity of {a}: {capacity[a]}" for a in capacity if not 0 <= capacity[a] < np.inf]
    if budget is not None and not 0 <= budget < np.inf:
        problems.append(f"budget: {budget}")
    if problems:
        raise BudgetError(
            "limits: amounts must be finite and not negative; found "
            + "; ".join(problems)
            + ". Correct them in the catalogue or the budget."
        )
