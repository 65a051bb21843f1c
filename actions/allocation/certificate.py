"""The proof beside a plan: how good it is at least, what is scarce, and that the limits hold."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

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
from actions.allocation.problem import Values

_WORTH_TELLING = 0.005
_PLANNED_TWICE_UP_TO = 2_000_000


@dataclass(frozen=True)
class AtMean:
    """What a plan is worth by the mean beliefs, beside the best plan by them within the same limits.

    Attributes:
        value: mean value of the pairs of the plan made, currency units.
        best: the plan chosen by the mean beliefs; none where there are too many customers to plan twice.
    """

    value: float
    best: Allocation | None

    @classmethod
    def of(cls, values: Values, made: Allocation, *, again: Callable[[], Allocation]) -> Self:
        """Value a plan, and plan again where there are not too many customers to plan twice.

        Args:
            values: (customers, actions), mean value of each pair, currency units, minus infinity where it may
                not be.
            made: the plan made.
            again: plans by ``values`` within the same limits.
        """
        value = float(values[made.rows, made.columns].sum(dtype=np.float64))
        worthwhile = np.count_nonzero((values > 0).any(axis=1))
        return cls(value, again() if worthwhile <= _PLANNED_TWICE_UP_TO else None)


@dataclass(frozen=True)
class Certificate:
    """What is known about a plan without trusting the solver that made it.

    The optimiser plans for both arms: against budget and places divided by the share that is sent.
    ``primal``, ``bound``, ``gap``, ``planned_limits`` and ``planned_use`` speak of that problem;
    ``sent_limits`` and ``sent_use`` of what is really sent.

    A plan that learns is chosen by a draw from the beliefs. ``primal``, ``bound``, ``gap`` and ``prices`` count
    in values as drawn: they prove the solver and are no money. What is told as money is ``believed_*``, by the
    mean beliefs within the same limits for both arms; where nothing is drawn the two are the same.

    The rules ``discount_share`` and ``discount_money`` count discounts less their allowed share of all that is
    sent, a rule ``region_floor`` the wanted share of all less what the region gets: at most 0.

    Attributes:
        primal: sum of the values, as drawn, of all planned pairs, both arms.
        bound: no plan for both arms can be worth more, as drawn.
        gap: (bound - primal) / bound, a share; 0 where nothing is worth doing.
        prices: worth, as drawn, of one more unit of each scarce thing among what is sent, by rule.
        believed_value: mean value of all planned pairs, both arms, currency units.
        believed_best: mean value of the best plan found by the mean beliefs; none if not planned twice.
        believed_bound: no plan for both arms can have more mean value; none if not planned twice.
        believed_prices: as ``prices`` in that best plan, currency units; empty if not planned twice.
        planned_limits: limits of the problem solved, by rule.
        planned_use: what the planned pairs of both arms use.
        sent_limits: limits of tonight, by rule.
        sent_use: what is used by the actions sent.
        out_of_reach: actions that not even one customer could get, with what lacks, by rule.
        removed: planned pairs of both arms removed because the draw left no room for them.
        feasible: whether every limit holds for what is sent.
    """

    primal: float
    bound: float
    gap: float
    prices: Mapping[str, float]
    believed_value: float
    believed_best: float | None
    believed_bound: float | None
    believed_prices: Mapping[str, float]
    planned_limits: Mapping[str, float]
    planned_use: Mapping[str, float]
    sent_limits: Mapping[str, float]
    sent_use: Mapping[str, float]
    out_of_reach: Mapping[str, Mapping[str, float]]
    removed: int
    feasible: bool

    @classmethod
    def of(
        cls, allocation: Allocation, at_mean: AtMean, *, tonight: Limits, sent: Counts, removed: int
    ) -> Self:
        """Write down what an allocation proves and what sending it uses.

        Args:
            allocation: the plan for both arms.
            at_mean: the same plan, and the best one, by the mean beliefs.
            tonight: the limits of what is sent.
            sent: (regions, actions), how many assignments are sent.
            removed: number of planned pairs removed after the draw.
        """
        best, made = at_mean.best, at_mean.value  # the plan made keeps the limits too
        return cls(
            primal=allocation.primal,
            bound=max(allocation.bound, allocation.primal),  # rounding may put it a hair below
            gap=max(0.0, allocation.gap),
            prices=tonight.named(allocation.prices),
            believed_value=made,
            believed_best=max(best.primal, made) if best else None,
            believed_bound=max(best.bound, best.primal, made) if best else None,
            believed_prices=tonight.named(best.prices) if best else {},
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
        """Word what is scarce in believed money, the dearest first, and how good the plan is.

        Args:
            currency: name of the currency, such as ``EUR``; units are left unnamed without it.
        """
        unit = f" {currency}" if currency else ""
        believed = " (believed)" if self._is_drawn else ""
        scarce = sorted(self.believed_prices.items(), key=lambda item: (-item[1], item[0]))
        told = [_sentence(rule, price, unit, believed) for rule, price in scarce if price >= _WORTH_TELLING]
        told += [_lack(action, rules, unit) for action, rules in sorted(self.out_of_reach.items())]
        return (*told, *self._cost_of_learning(unit), self._proof())

    @property
    def _is_drawn(self) -> bool:
        return self.believed_value != self.primal or self.believed_best != self.primal

    def _cost_of_learning(self, unit: str) -> tuple[str, ...]:
        if self.believed_best is None:
            return (
                "What more of each limit would be worth, and what trying what is uncertain costs, is not worked out "
                "for so many customers.",
            )
        cost = self.believed_best - self.believed_value
        if cost < _WORTH_TELLING:
            return ()
        return (
            f"Trying what is uncertain costs {cost:,.2f}{unit} tonight (believed): all that is planned, withheld "
            f"included, is believed to be worth {self.believed_value:,.2f}{unit}, the best plan by "
            f"that belief within the same limits {self.believed_best:,.2f}{unit}.",
        )

    def _proof(self) -> str:
        above = self.bound / self.primal - 1 if self.primal > 0 else 0.0
        start = "By the effects drawn tonight, no" if self._is_drawn else "No"
        return (
            f"{start} plan of contacts that each pay for themselves is worth more than {above:.2%} above this one "
            "within the same limits."
        )


def _sentence(rule: str, price: float, unit: str, believed: str) -> str:
    kind, _, name = rule.partition(":")
    more = {
        BUDGET: f"One more{unit or ' unit of money'} of budget tonight",
        CAPACITY: f"One more place for {name} tonight",
        HOURS: f"One more hour of {name} tonight",
        DISCOUNT_SHARE: "One more discount than the cap allows",
        DISCOUNT_MONEY: f"One more{unit or ' unit of money'} of discounts than the cap allows",
        REGION_FLOOR: f"One contact fewer promised to {name}",
    }
    brings = "bring" if kind == REGION_FLOOR else "be worth"
    return f"{more[kind]} would {brings} {price:.2f}{unit}{believed}."


def _lack(action: str, rules: Mapping[str, float], unit: str) -> str:
    words = {BUDGET: f"{unit.strip() or 'units of money'} of budget", CAPACITY: "places", HOURS: "hours of"}
    lacking = [
        " ".join(
            filter(None, [f"{max(round(amount, 2), 0.01):g}", words[rule.partition(":")[0]], _team(rule)])
        )
        for rule, amount in sorted(rules.items())
    ]
    return f"Not even one customer could get {action} tonight; it would take {' and '.join(lacking)} more."


def _team(rule: str) -> str:
    kind, _, name = rule.partition(":")
    return name if kind == HOURS else ""
