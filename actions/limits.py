"""What all assignments of one night share: a budget, places per action, a cap on discounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tables.errors import BudgetError

Floats = npt.NDArray[np.float64]

_TOLERANCE = 1e-9
BUDGET = "budget"
DISCOUNT_SHARE = "discount_share"


@dataclass(frozen=True)
class Limits:
    """Linear rules on the number of assignments per action: ``weights @ counts <= most``.

    Every rule of tonight's plan depends only on how many customers get each action, so a plan's use of all
    of them follows from one count per action.

    Attributes:
        names: one per rule: ``budget``, ``capacity:ACTION``, ``discount_share``.
        actions: ids of the actions, in the order of the columns of ``weights``.
        weights: (rules, actions), what one assignment uses of each rule.
        most: (rules,), what may be used.
    """

    names: tuple[str, ...]
    actions: tuple[str, ...]
    weights: Floats
    most: Floats

    @classmethod
    def of(
        cls,
        actions: Sequence[str],
        *,
        cost: Mapping[str, float],
        budget: float | None = None,
        capacity: Mapping[str, float] | None = None,
        discounts: frozenset[str] = frozenset(),
        discount_share: float | None = None,
    ) -> Self:
        """Write tonight's rules as weights and limits.

        Args:
            actions: ids of all actions that may be assigned.
            cost: expected cost of one assignment per action, in money, not negative.
            budget: most money for all assignments together; none means no limit.
            capacity: most assignments per action, rounded down; an action left out has no limit.
            discounts: the actions that count as discounts.
            discount_share: most discounts as a share of all assignments, 0 to 1; none means no limit.

        Raises:
            BudgetError: if an amount is negative or not a number, or a share lies outside 0 to 1.

        Examples:
            >>> cost = {"mail": 1, "call": 5}
            >>> limits = Limits.of(["mail", "call"], cost=cost, budget=20, capacity={"call": 3})
            >>> limits.names
            ('budget', 'capacity:call')
            >>> limits.used(np.array([4, 2]))
            array([14.,  2.])
        """
        capacity = capacity or {}
        _refuse_impossible(actions, cost, budget, capacity, discount_share)
        rules: list[tuple[str, list[float], float]] = []
        if budget is not None:
            rules.append((BUDGET, [cost[action] for action in actions], budget))
        for action in actions:
            if action in capacity:
                row = [float(other == action) for other in actions]
                rules.append((f"capacity:{action}", row, float(np.floor(capacity[action]))))
        if discount_share is not None:
            row = [float(action in discounts) - discount_share for action in actions]
            rules.append((DISCOUNT_SHARE, row, 0.0))
        names, weights, most = zip(*rules, strict=True) if rules else ((), (), ())
        table = np.array(weights, dtype=np.float64).reshape(len(rules), len(actions))
        return cls(tuple(names), tuple(actions), table, np.array(most, dtype=np.float64))

    def used(self, counts: npt.NDArray[np.int64]) -> Floats:
        """Return what a number of assignments per action uses of each rule."""
        return self.weights @ counts

    def slack(self, counts: npt.NDArray[np.int64]) -> Floats:
        """Return what is left of each rule; below 0 where it is broken, rounding of sums forgiven."""
        left = self.most - self.used(counts)
        dust = _TOLERANCE * np.maximum(1.0, np.abs(self.most))
        return np.where(np.abs(left) <= dust, 0.0, left)

    def hold(self, counts: npt.NDArray[np.int64]) -> bool:
        """Tell whether every rule holds for a number of assignments per action."""
        return bool((self.slack(counts) >= 0).all())

    def out_of_reach(self) -> npt.NDArray[np.bool_]:
        """Tell which actions cannot be given to even one customer: too dear, or without a place."""
        single = self.weights > (self.most + _TOLERANCE)[:, None]
        binding = np.array([name != DISCOUNT_SHARE for name in self.names], dtype=bool)
        return single[binding].any(axis=0) if len(self.names) else np.zeros(len(self.actions), dtype=bool)

    def named(self, amounts: Floats) -> dict[str, float]:
        """Put the name of its rule beside each amount."""
        return {name: float(amount) for name, amount in zip(self.names, amounts, strict=True)}


def _refuse_impossible(
    actions: Sequence[str],
    cost: Mapping[str, float],
    budget: float | None,
    capacity: Mapping[str, float],
    discount_share: float | None,
) -> None:
    problems = [f"cost of {a}: {cost[a]}" for a in actions if not 0 <= cost[a] < np.inf]
    problems += [f"capacity of {a}: {capacity[a]}" for a in capacity if not 0 <= capacity[a] < np.inf]
    if budget is not None and not 0 <= budget < np.inf:
        problems.append(f"budget: {budget}")
    if discount_share is not None and not 0 <= discount_share <= 1:
        problems.append(f"discount share: {discount_share}")
    if problems:
        raise BudgetError(
            "limits: amounts must be finite and not negative, shares between 0 and 1; found "
            + "; ".join(problems)
            + ". Correct them in the catalogue or the budget."
        )
