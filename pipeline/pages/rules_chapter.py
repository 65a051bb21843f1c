"""The chapter on what the rules leave of each action."""

from collections.abc import Sequence
from dataclasses import dataclass

from actions.rules.eligibility import Eligibility
from pipeline.pages.picture import said_as

_NAMED = 3


@dataclass(frozen=True)
class RuledRow:
    """One action: whom it suits, who may get it, and the rules that stand in the way of most others."""

    action: str
    suited: str
    allowed: str
    barriers: str


def rules_chapter(eligible: Eligibility) -> Sequence[RuledRow]:
    """Tell for each active action what the rules leave of the customers it suits."""
    return [
        RuledRow(
            action=said_as(action),
            suited=f"{row['suited']:,}",
            allowed=f"{row['allowed']:,}",
            barriers=", ".join(
                f"{reason} {count:,}"
                for reason, count in row.iloc[2:].sort_values(ascending=False, kind="stable")[:_NAMED].items()
                if count
            ),
        )
        for action, row in eligible.barriers().iterrows()
    ]
