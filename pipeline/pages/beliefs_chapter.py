"""The chapter on what is believed of the actions, and what each belief rests on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actions.learning.believing import ActionBelief
from actions.learning.effects import EVIDENCE, PRIOR, UPLIFT
from pipeline.pages.picture import said_as

_RESTS_ON = {
    PRIOR: "the owner's word: too few outcomes",
    EVIDENCE: "outcomes",
    UPLIFT: "outcomes, told apart by customer",
}


@dataclass(frozen=True)
class BeliefRow:
    """What is believed of one action of which outcomes have settled."""

    action: str
    rests_on: str
    sent: str
    withheld: str
    effect: str
    interval: str
    profit: str
    loss_chance: str
    is_stopped: bool


@dataclass(frozen=True)
class BeliefsChapter:
    """What is believed of the actions, in words and by action."""

    claim: str
    words: str
    rows: Sequence[BeliefRow]


def beliefs_chapter(
    told: Sequence[ActionBelief], *, kept: float, money: Callable[[float], str]
) -> BeliefsChapter:
    """Put tonight's beliefs into words.

    Args:
        told: per action.
        kept: customers whom tonight's actions are believed to keep.
        money: how an amount of money is written.
    """
    seen = [one for one in told if one.sent + one.withheld]
    rows = [_row(one, money) for one in sorted(seen, key=lambda one: (-one.sent - one.withheld, one.action))]
    return BeliefsChapter(_claim(told, kept), _words(told, seen), rows)


def _claim(told: Sequence[ActionBelief], kept: float) -> str:
    learnt = sum(one.level != PRIOR for one in told)
    tonight = "No outcome of tonight's actions is known yet, and this page claims none."
    if not learnt:
        return (
            "Effects of the actions are beliefs the owner wrote into the catalogue (priors), not measured results. "
            f"{tonight} By these beliefs they keep {kept:.1f} customers."
        )
    return (
        f"Effects of {learnt} actions rest on settled outcomes of earlier nights, drawn in towards what the owner "
        f"wrote into the catalogue (priors); those of the other {len(told) - learnt} on the owner's word alone. "
        f"{tonight} By these beliefs they keep {kept:.1f} customers."
    )


def _words(told: Sequence[ActionBelief], seen: Sequence[ActionBelief]) -> str:
    if not seen:
        return "No outcome has settled yet: every action rests on the owner's word."
    stopped = [said_as(one.action) for one in told if one.stopped]
    words = (
        "Sent against withheld, as far as outcomes have settled, together with what the owner believed; the interval "
        "holds the effect with a chance of 95 %. Choices are drawn from these beliefs, so that what is uncertain gets "
        f"tried. {len(told) - len(seen)} other actions have no outcome to compare yet."
    )
    return f"{words} Stopped, for they most likely lose money: {', '.join(stopped)}." if stopped else words


def _row(one: ActionBelief, money: Callable[[float], str]) -> BeliefRow:
    low, high = one.effect - 1.96 * one.sd, one.effect + 1.96 * one.sd
    return BeliefRow(
        action=said_as(one.action),
        rests_on=_RESTS_ON[one.level],
        sent=f"{one.sent:,}",
        withheld=f"{one.withheld:,}",
        effect=f"{100 * one.effect:+.1f} points",
        interval=f"{100 * low:+.1f} to {100 * high:+.1f}",
        profit="unknown" if one.profit is None else money(one.profit),
        loss_chance="unknown" if one.loss_chance is None else f"{one.loss_chance:.0%}",
        is_stopped=one.stopped,
    )
