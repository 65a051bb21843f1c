"""The summary of a training in plain words: can the model be trusted, what is it good at, and where not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.evaluation import wilson
from pipeline.pages.picture import said_as

Card = Mapping[str, Any]

THEMES = {
    "frequency": "how often they come",
    "silence": "how long they have been silent",
    "breadth": "how much of the range they use",
    "spend": "what they spend",
    "returns": "what they return",
    "tenure": "how long they have been customers",
    "habits": "when and how they order",
    "discount": "how much they buy at a discount",
    "contacts": "how they take messages",
    "offers": "offers that run",
    "use": "what they do besides buying",
    "support": "help they asked for",
    "feedback": "what they told us",
    "loyalty": "points and tier",
    "subscription": "their contract",
    "other": "everything else",
}
MODELS = {
    "keepwell": "this model",
    "lightgbm_plain": "plain LightGBM",
    "logistic_rich": "logistic regression on all features",
    "logistic_rfmt": "logistic regression on four features",
    "bgnbd_no_purchase": "BG/NBD, which learns from no outcome",
    "days_since_last_order": "days since the last order alone",
    "subscription_age": "age of the subscription alone",
}
MEMBERS = {"boosting": "boosted trees", "ridge": "logistic regression", "prior": "BG/NBD as a prior"}

_OFF = 0.03  # a level this near is called right whatever chance allows: no action hangs on less
_TOO_VAGUE = (
    0.15  # an AUC this uncertain, from end to end of its interval, may be a good model's or a poor one's
)
_CHANCE_AUC = 0.5
_HARDLY = 0.6
_BEHIND = 0.01
_NAMED = 3
_LEANS = 0.3


@dataclass(frozen=True)
class Summary:
    """What a reader in a hurry takes home.

    Attributes:
        verdict: the answer in one line.
        is_good: whether it is a yes.
        trust: why.
        good_at: what the model can be used for.
        not_at: where to look away from it.
    """

    verdict: str
    is_good: bool
    trust: Sequence[str]
    good_at: Sequence[str]
    not_at: Sequence[str]


@dataclass(frozen=True)
class Judged:
    """A card's figures that the summary compares.

    Attributes:
        card: the model card.
    """

    card: Card

    @property
    def ours(self) -> Card:
        """Metrics of the model."""
        found: Card = self.card["models"][0]
        return found

    @property
    def best_rival(self) -> Card | None:
        """Metrics of the rival that ranks best."""
        rivals: Sequence[Card] = self.card["models"][1:]
        return max(rivals, key=lambda row: row["auc"]) if rivals else None

    @property
    def is_useful(self) -> bool:
        """Whether it ranks better than chance and promises better than one number for everybody."""
        return bool(
            (self.ours["auc_low"] or 0) > _CHANCE_AUC
            and self.ours["log_loss"] < self.card["constant_log_loss"]
        )

    @property
    def is_vague(self) -> bool:
        """Whether too few customers were judged to tell a good model from a poor one."""
        return bool((self.ours["auc_high"] or 1) - (self.ours["auc_low"] or 0) > _TOO_VAGUE)

    @property
    def surer_rival(self) -> Card | None:
        """Metrics of the rival with the best percentages, where they are better than the model's."""
        rivals: Sequence[Card] = self.card["models"][1:]
        best = min(rivals, key=lambda row: row["log_loss"], default=None)
        return best if best is not None and best["log_loss"] < self.ours["log_loss"] else None

    @property
    def better_rival(self) -> Card | None:
        """Metrics of a rival that ranks clearly better."""
        rival = self.best_rival
        return rival if rival is not None and rival["auc"] > self.ours["auc"] + _BEHIND else None

    @property
    def promised(self) -> float:
        """Mean risk of the customers judged; what happened where the card does not say."""
        return float(self.card.get("level", {}).get("judged", {}).get("promised", self.card["churn_rate"]))

    @property
    def points_off(self) -> float:
        """Promised less observed churn, in points; 0 where chance explains it or nobody would mind."""
        rate, n = self.card["churn_rate"], self.card["n"]
        low, high = wilson(rate * n, n)
        gap = self.promised - rate
        return 0.0 if abs(gap) <= max(_OFF, (high - low) / 2) else 100 * gap

    def slices(self) -> list[Card]:
        """Return the groups large enough to be judged."""
        return [row for row in self.card.get("slices", ()) if row["auc"] is not None]

    @property
    def right_slices(self) -> int:
        """Return how many groups had the share that was promised, within chance."""
        return len(self.slices()) - len(self.wrong_slices())

    def wrong_slices(self) -> list[Card]:
        """Return the groups whose mean risk lies outside the interval of what happened, worst first."""
        wrong = [row for row in self.slices() if _points_outside(row)]
        return sorted(wrong, key=lambda row: (-_points_outside(row) * row["n"], row["slice"]))


def summarise(card: Card) -> Summary:
    """Put a card's verdict into words."""
    judged = Judged(card)
    verdict, is_good = _verdict(judged)
    return Summary(verdict, is_good, _trust(judged), _good_at(judged), _not_at(judged))


def _verdict(judged: Judged) -> tuple[str, bool]:
    if not judged.is_useful:
        return "No: it does no better than one number for everybody.", False
    if judged.is_vague:
        return f"With care: {judged.card['n']:,} customers are too few to tell how good it is.", False
    if judged.better_rival is not None:
        rival = model_said(judged.better_rival["name"])
        return f"With care: a simpler way, {rival}, ordered customers at least as well.", False
    if judged.points_off:
        return "Yes for the order of customers; take the percentages with care.", True
    return "Yes: the order of customers and the percentages both held.", True


def _trust(judged: Judged) -> list[str]:
    card = judged.card
    told = [
        f"The recipe was trained on what was known at {card['as_of']} and judged by what {card['n']:,} customers did "
        f"in the {card['horizon_days']} days after it.",
        f"It promised that {judged.promised:.1%} would leave; {card['churn_rate']:.1%} did.",
    ]
    rival = judged.best_rival
    if rival is not None:
        told.append(
            f"Of {len(card['models']) - 1} simpler ways the one that orders best, {model_said(rival['name'])}, "
            f"{_against(judged.ours, rival)}."
        )
    surer = judged.surer_rival
    if surer is not None and surer is not rival:
        told.append(
            f"{_capital(model_said(surer['name']))} had better percentages (log loss {surer['log_loss']:.3f} against "
            f"{judged.ours['log_loss']:.3f})."
        )
    prior = card.get("members", {}).get("prior", 0.0)
    if prior >= _LEANS:
        told.append(
            f"There are few customers to learn from: {prior:.0%} of the order rests on BG/NBD as a prior."
        )
    return told


def model_said(name: str) -> str:
    """Call a model or rival by what it is."""
    return MODELS.get(name, said_as(name))


def theme_said(theme: str) -> str:
    """Say what features of a theme tell of customers."""
    return THEMES.get(theme, said_as(theme))


def group_said(row: Card) -> str:
    """Name a group of customers, and by what it is a group where its name alone does not tell."""
    name = said_as(row["slice"])
    return name if row["slicing"] == "segment" else f"{said_as(row['slicing'])} {name}"


def _against(ours: Card, rival: Card) -> str:
    order = "about as well"
    if rival["auc"] < (ours["auc_low"] or 0):
        order = "worse"
    elif rival["auc"] > (ours["auc_high"] or 1):
        order = "better"
    promise = "worse" if rival["log_loss"] > ours["log_loss"] else "better"
    return (
        f"orders customers {order} (AUC {rival['auc']:.3f} against {ours['auc']:.3f}), and its percentages are "
        f"{promise} (log loss {rival['log_loss']:.3f} against {ours['log_loss']:.3f})"
    )


def _good_at(judged: Judged) -> list[str]:
    card, ours = judged.card, judged.ours
    top = min(1.0, ours["lift_at_10pct"] * card["churn_rate"])
    told = [
        f"Finding leavers: of the tenth it ranks highest {top:.0%} left, against {card['churn_rate']:.0%} of all.",
        f"Ordering: of 100 pairs of one who left and one who stayed it puts {100 * ours['auc']:.0f} the right way "
        "round (chance: 50).",
    ]
    themes = [row["theme"] for row in card.get("themes", ()) if row["mean_contribution"] > 0]
    if themes:
        told.append(f"It goes mostly by {_listed([theme_said(theme) for theme in themes[:_NAMED]])}.")
    if judged.slices() and judged.right_slices >= len(judged.slices()) / 2:
        told.append(
            f"In {judged.right_slices} of {len(judged.slices())} groups of customers the promised share lies within "
            "chance of what happened."
        )
    return told


def _not_at(judged: Judged) -> list[str]:
    told = []
    if judged.points_off:
        which = "high" if judged.points_off > 0 else "low"
        told.append(
            f"The level: risks ran {abs(judged.points_off):.0f} points too {which} at that date. Which share "
            "leaves next is the hardest to foresee; the order does not depend on it."
        )
    if judged.right_slices < len(judged.slices()) / 2:
        told.append(
            f"Groups: only in {judged.right_slices} of {len(judged.slices())} the promised share lies within chance of "
            "what happened."
        )
    wrong = judged.wrong_slices()[:_NAMED]
    if wrong:
        groups = [
            f"{group_said(row)} ({row['mean_risk']:.0%} promised, {row['churn_rate']:.0%} of {row['n']:,} left)"
            for row in wrong
        ]
        told.append(f"Furthest off: {_listed(groups)}.")
    flat = [group_said(row) for row in judged.slices() if row["auc"] < _HARDLY]
    if flat:
        told.append(f"Inside {_listed(flat)} its order says little.")
    told.append("It says who may leave, not whom an action would keep, and not why they leave.")
    return told


def _points_outside(row: Card) -> float:
    low, high = wilson(row["churn_rate"] * row["n"], row["n"])
    risk = float(row["mean_risk"])
    return max(low - risk, risk - high, 0.0)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
