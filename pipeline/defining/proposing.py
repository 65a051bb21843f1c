"""Which definition of churn a log speaks for, by a rule that is written down, and why in plain words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from features.silences import Silences
from pipeline.defining.candidates import Candidate

RETURNS_COVERED = 0.75
MOST_FALSE_SILENT = 0.5
MOST_FALSE_ENDED = 0.1
RULES = {
    "inactivity": (
        "The shortest outcome window in which three of four customers who come back at all do so, and after which "
        "more of those called churned stay away than come back. Where none manages both, the one with the fewest "
        "false alarms."
    ),
    "rhythm": (
        "The fewest usual gaps of silence after which more of those called churned stay away than come back. Where "
        "none manages that, the one with the fewest false alarms."
    ),
    "contract": (
        "The configured horizon where enough customers leave within it to learn from, else the shortest where they "
        "do; and the fewest days of grace with at most one false alarm in ten."
    ),
}
"""The rule of each kind, as the page prints it."""


@dataclass(frozen=True)
class Proposal:
    """What a log speaks for.

    Attributes:
        candidate: the definition; nothing where none can be judged.
        why: the reason, with its figures.
        rule: the rule that was followed.
    """

    candidate: Candidate | None
    why: str
    rule: str

    @property
    def headline(self) -> str:
        """The definition in one sentence."""
        if self.candidate is None:
            return "This log speaks for none of them."
        configured = ", as configured" if self.candidate.is_configured else ""
        return f"This log speaks for {self.candidate.name}{configured}."

    def answer(self) -> dict[str, Any]:
        """Return what the JSON says of the proposal."""
        found = self.candidate
        return {
            "name": None if found is None else found.name,
            "horizon_days": None if found is None else found.rule.horizon_days,
            "active_within_days": None if found is None else found.rule.active_within_days,
            "grace_days": None if found is None else found.rule.grace_days,
            "why": self.why,
            "rule": self.rule,
        }


def propose(kind: str, candidates: Sequence[Candidate], silences: Silences) -> Proposal:
    """Follow the rule of a kind.

    Args:
        kind: inactivity, rhythm or contract.
        candidates: all of the kind, shortest first.
        silences: how long customers stay away.
    """
    usable = [each for each in candidates if not each.problems()]
    if not usable:
        found = "; ".join(f"{each.name}: {', '.join(each.problems())}" for each in candidates[:3])
        return Proposal(None, f"{found}.", RULES[kind])
    chosen, why = _CHOICES[kind](usable, silences)
    return Proposal(chosen, why, RULES[kind])


def _by_silence(usable: Sequence[Candidate], silences: Silences) -> tuple[Candidate, str]:
    for each in usable:
        covered = _returns(each, silences)
        if covered >= RETURNS_COVERED and _false(each) <= MOST_FALSE_SILENT:
            return each, (
                f"{covered:.0%} of those who come back within {2 * each.span.follow_up_days} days have done so by "
                f"then; of those called churned {_false(each):.0%} come back in the "
                f"{each.span.follow_up_days} days after. {_shorter(each, usable, silences)}"
            ).rstrip()
    return _fewest_false(usable)


def _shorter(chosen: Candidate, usable: Sequence[Candidate], silences: Silences) -> str:
    """Say what the next shorter window would do wrong."""
    place = usable.index(chosen)
    if place == 0:
        return ""
    shorter = usable[place - 1]
    return (
        f"After {shorter.name} it is {_returns(shorter, silences):.0%}, and {_false(shorter):.0%} of those called "
        "churned come back."
    )


def _by_rhythm(usable: Sequence[Candidate], _: Silences) -> tuple[Candidate, str]:
    for each in usable:
        if _false(each) <= MOST_FALSE_SILENT:
            return each, (
                f"Of those called churned {_false(each):.0%} come back within {each.span.follow_up_days} days "
                "after their own deadline, the rest stay away."
            )
    return _fewest_false(usable)


def _by_contract(usable: Sequence[Candidate], _: Silences) -> tuple[Candidate, str]:
    configured = next((each for each in usable if each.is_configured), usable[0])
    same = [each for each in usable if each.rule.horizon_days == configured.rule.horizon_days]
    enough = [each for each in same if _false(each) <= MOST_FALSE_ENDED]
    chosen = min(enough or same, key=lambda each: (each.rule.grace_days or 0) if enough else _false(each))
    fewest = "" if enough else " No grace that was tried gives fewer false alarms."
    return chosen, (
        f"{chosen.rates[0]:.1%} of the subscribed left at the newest date, and of {chosen.called_churned} called "
        f"churned {_false(chosen):.0%} subscribe again within {chosen.span.follow_up_days} days.{fewest}"
    )


def _fewest_false(usable: Sequence[Candidate]) -> tuple[Candidate, str]:
    chosen = min(usable, key=_false)
    return chosen, (
        f"Of those that can be judged it gives the fewest false alarms, and still {_false(chosen):.0%} of those called "
        f"churned come back within {chosen.span.follow_up_days} days. In this log silence seldom means goodbye: read "
        "such a churn risk as the risk of a long pause."
    )


def _returns(candidate: Candidate, silences: Silences) -> float:
    days = candidate.rule.horizon_days
    return silences.share_of_returns(days, of_those_within=2 * candidate.span.follow_up_days) or 0.0


def _false(candidate: Candidate) -> float:
    share = candidate.false_churn_share
    return 1.0 if share is None else share


_CHOICES: dict[str, Callable[[Sequence[Candidate], Silences], tuple[Candidate, str]]] = {
    "inactivity": _by_silence,
    "rhythm": _by_rhythm,
    "contract": _by_contract,
}
