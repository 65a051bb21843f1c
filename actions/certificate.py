"""The proof beside a plan: how good it is at least, what is scarce, and that the limits hold."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from actions.allocate import Allocation
from actions.limits import BUDGET, DISCOUNT_SHARE, Limits
from actions.prices import Indices

_WORTH_TELLING = 0.005


@dataclass(frozen=True)
class Certificate:
    """What is known about a plan without trusting the solver that made it.

    The optimiser plans for both arms: against budget and places divided by the share that is sent.
    ``primal``, ``bound``, ``gap``, ``planned_limits`` and ``planned_use`` speak of that problem;
    ``sent_limits`` and ``sent_use`` of what is really sent.

    The rule ``discount_share`` counts discounts less their allowed share of all assignments: at most 0.

    Attributes:
        primal: sum of the values of all planned pairs, both arms, currency units.
        bound: no plan for both arms can be worth more.
        gap: (bound - primal) / bound, a share; 0 where nothing is worth doing.
        prices: worth of one more unit of each scarce thing among what is sent, by rule.
        planned_limits: limits of the problem solved, by rule.
        planned_use: what the planned pairs of both arms use.
        sent_limits: limits of tonight, by rule.
        sent_use: what is used by the actions sent.
        removed: planned pairs of both arms removed because the draw sent more than the limits allow.
        feasible: whether every limit holds for what is sent.
    """

    primal: float
    bound: float
    gap: float
    prices: Mapping[str, float]
    planned_limits: Mapping[str, float]
    planned_use: Mapping[str, float]
    sent_limits: Mapping[str, float]
    sent_use: Mapping[str, float]
    removed: int
    feasible: bool

    @classmethod
    def of(cls, allocation: Allocation, *, tonight: Limits, sent: Indices, removed: int) -> Self:
        """Write down what an allocation proves and what sending it uses.

        Args:
            allocation: the plan for both arms.
            tonight: the limits of what is sent.
            sent: column of the action of each row that is sent.
            removed: number of planned pairs removed after the draw.
        """
        counts = np.bincount(sent, minlength=len(tonight.actions))
        return cls(
            primal=allocation.primal,
            bound=allocation.bound,
            gap=allocation.gap,
            prices=tonight.named(allocation.prices),
            planned_limits=allocation.limits.named(allocation.limits.most),
            planned_use=allocation.limits.named(allocation.used),
            sent_limits=tonight.named(tonight.most),
            sent_use=tonight.named(tonight.used(counts)),
            removed=removed,
            feasible=tonight.hold(counts),
        )

    def to_json(self) -> str:
        """Write the certificate as text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    def sentences(self, *, currency: str = "") -> tuple[str, ...]:
        """Word the prices for a manager, the dearest first.

        Args:
            currency: name of the currency, such as ``EUR``; units are left unnamed without it.
        """
        unit = f" {currency}" if currency else ""
        scarce = sorted(self.prices.items(), key=lambda item: (-item[1], item[0]))
        told = [_sentence(rule, price, unit) for rule, price in scarce if price >= _WORTH_TELLING]
        above = self.bound / self.primal - 1 if self.primal > 0 else 0.0
        most = f"No plan within the same limits is worth more than {above:.2%} above this one."
        return (*told, most)


def _sentence(rule: str, price: float, unit: str) -> str:
    if rule == BUDGET:
        return f"One more{unit or ' unit of money'} of budget tonight would be worth {price:.2f}{unit}."
    if rule == DISCOUNT_SHARE:
        return f"One more discount than the cap allows would be worth {price:.2f}{unit}."
    return f"One more place for {rule.partition(':')[2]} tonight would be worth {price:.2f}{unit}."
