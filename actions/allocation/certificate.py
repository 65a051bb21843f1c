"""The proof beside a plan: how good it is at least, what is scarce, and that the limits hold."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from actions.allocation.allocate import Allocation
from actions.allocation.limits import (
    BUDGET,
    CAPACITY,
    DISCOUNT_MONEY,
    DISCOUNT_SHARE,
    HOURS,
    REGION_FLOOR,
    Counts,
    Limits,
)

_WORTH_TELLING = 0.005


@dataclass(frozen=True)
class Certificate:
    """What is known about a plan without trusting the solver that made it.

    The optimiser plans for both arms: against budget and places divided by the share that is sent.
    ``primal``, ``bound``, ``gap``, ``planned_limits`` and ``planned_use`` speak of that problem;
    ``sent_limits`` and ``sent_use`` of what is really sent.

    The rules ``discount_share`` and ``discount_money`` count discounts less their allowed share of all that is
    sent, a rule ``region_floor`` the wanted share of all less what the region gets: at most 0.

    Attributes:
        primal: sum of the values of all planned pairs, both arms, currency units.
        bound: no plan for both arms can be worth more.
        gap: (bound - primal) / bound, a share; 0 where nothing is worth doing.
        prices: worth of one more unit of each scarce thing among what is sent, by rule.
        planned_limits: limits of the problem solved, by rule.
        planned_use: what the planned pairs of both arms use.
        sent_limits: limits of tonight, by rule.
        sent_use: what is used by the actions sent.
        out_of_reach: actions that not even one customer could get, with what lacks, by rule.
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
    out_of_reach: Mapping[str, Mapping[str, float]]
    removed: int
    feasible: bool

    @classmethod
    def of(cls, allocation: Allocation, *, tonight: Limits, sent: Counts, removed: int) -> Self:
        """Write down what an allocation proves and what sending it uses.

        Args:
            allocation: the plan for both arms.
            tonight: the limits of what is sent.
            sent: (regions, actions), how many assignments are sent.
            removed: number of planned pairs removed after the draw.
        """
        return cls(
            primal=allocation.primal,
            bound=allocation.bound,
            gap=allocation.gap,
            prices=tonight.named(allocation.prices),
            planned_limits=allocation.limits.named(allocation.limits.most),
            planned_use=allocation.limits.named(allocation.used),
            sent_limits=tonight.named(tonight.most),
            sent_use=tonight.named(tonight.used(sent)),
            out_of_reach=tonight.lacking(),
            removed=removed,
            feasible=tonight.hold(sent),
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
        told += [_lack(action, rules, unit) for action, rules in sorted(self.out_of_reach.items())]
        above = self.bound / self.primal - 1 if self.primal > 0 else 0.0
        most = f"No plan within the same limits is worth more than {above:.2%} above this one."
        return (*told, most)


def _sentence(rule: str, price: float, unit: str) -> str:
    kind, _, name = rule.partition(":")
    more = {
        BUDGET: f"One more{unit or ' unit of money'} of budget tonight",
        CAPACITY: f"One more place for {name} tonight",
        HOURS: f"One more hour of {name} tonight",
        DISCOUNT_SHARE: "One more discount than the cap allows",
        DISCOUNT_MONEY: f"One more{unit or ' unit of money'} of discounts than the cap allows",
        REGION_FLOOR: f"One contact fewer owed to region {name}",
    }
    return f"{more[kind]} would be worth {price:.2f}{unit}."


def _lack(action: str, rules: Mapping[str, float], unit: str) -> str:
    words = {BUDGET: f"{unit.strip() or 'units of money'} of budget", CAPACITY: "places", HOURS: "hours of"}
    lacking = [
        " ".join(filter(None, [f"{amount:g}", words[rule.partition(":")[0]], _team(rule)]))
        for rule, amount in sorted(rules.items())
    ]
    return f"Not even one customer could get {action} tonight; it would take {' and '.join(lacking)} more."


def _team(rule: str) -> str:
    kind, _, name = rule.partition(":")
    return name if kind == HOURS else ""
