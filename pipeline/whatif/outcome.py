"""A plan in the figures by which a manager compares plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from actions.catalogue import NONE
from pipeline.pages.picture import said_as
from pipeline.planning import Planned


@dataclass(frozen=True)
class Outcome:
    """What a plan is expected to bring and to cost; expected figures are beliefs.

    Attributes:
        money: budget for the night, currency units.
        profit: expected margin kept less expected cost of what is sent, currency units.
        customers: customers who are sent something.
        withheld: planned assignments withheld to learn.
        spend: expected cost of what is sent, currency units.
        kept: customers expected to be kept.
        gap: no plan within the same limits is worth more than this share above it.
        scarce: what is scarce and what more of it would be worth, in sentences.
        actions: assignments sent, expected cost and profit, by action that anybody is sent.
    """

    money: float
    profit: float
    customers: int
    withheld: int
    spend: float
    kept: float
    gap: float
    scarce: tuple[str, ...]
    actions: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, planned: Planned, *, currency: str) -> Self:
        """Read the figures of a plan."""
        plan, total = planned.plan, planned.plan.summary["total"]
        sent = plan.frame[plan.frame["action"] != NONE]
        return cls(
            money=planned.tonight,
            profit=total["expected_value"],
            customers=int(sent["customer_id"].nunique()),
            withheld=total["withheld"],
            spend=total["cost"],
            kept=total["expected_kept"],
            gap=plan.certificate.gap,
            scarce=plan.certificate.sentences(currency=currency),
            actions={
                row["action"]: {"sent": row["sent"], "cost": row["cost"], "profit": row["expected_value"]}
                for row in plan.summary["actions"]
                if row["sent"]
            },
        )

    def answer(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "money": self.money,
            "expected_profit": self.profit,
            "customers": self.customers,
            "withheld": self.withheld,
            "expected_cost": self.spend,
            "expected_kept": self.kept,
            "gap": self.gap,
            "scarce": list(self.scarce),
            "actions": {name: dict(row) for name, row in self.actions.items()},
        }


@dataclass(frozen=True)
class Line:
    """One figure of both plans, as text."""

    name: str
    present: str
    asked: str
    difference: str


def figure_lines(present: Outcome, asked: Outcome, *, currency: str) -> list[Line]:
    """Set the figures of two plans side by side."""

    def line(name: str, before: float, after: float, form: str) -> Line:
        return Line(name, f"{before:{form}}", f"{after:{form}}", f"{after - before:+{form}}")

    return [
        line(f"money for the night, {currency}", present.money, asked.money, ",.2f"),
        line(f"expected profit, {currency}", present.profit, asked.profit, ",.2f"),
        line("customers who get something", present.customers, asked.customers, ",d"),
        line("withheld to learn", present.withheld, asked.withheld, ",d"),
        line(f"expected cost, {currency}", present.spend, asked.spend, ",.2f"),
        line("customers kept, as believed", present.kept, asked.kept, ",.1f"),
        line("certified gap", present.gap, asked.gap, ".2%"),
    ]


def action_lines(present: Outcome, asked: Outcome) -> list[Line]:
    """Set side by side how many get each action, for those that either plan sends, in the order of the plans."""
    lines = []
    for name in dict.fromkeys([*present.actions, *asked.actions]):
        before, after = (int(one.actions.get(name, {}).get("sent", 0)) for one in (present, asked))
        lines.append(Line(said_as(name), f"{before:,}", f"{after:,}", f"{after - before:+,}"))
    return lines


def as_text(lines: Sequence[Line], *, asked: bool) -> list[str]:
    """Write lines as a table for people, the first plan alone where nothing else was asked."""
    width = max(len(one.name) for one in lines) + 2
    if not asked:
        return [f"{one.name:{width}}{one.present:>14}" for one in lines]
    return [f"{one.name:{width}}{one.present:>14}{one.asked:>14}{one.difference:>14}" for one in lines]
