"""Whether an uplift model may serve: it must find whom the action helps, and earn no less than today's rule."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.uplift.intervals import Interval
from models.uplift.line import Line
from models.uplift.metrics import TOP, RankingRow, Trial, compare_rankings
from models.uplift.out_of_fold import OutOfFold
from models.uplift.policies import PolicyValue, difference_of, single, value_of
from models.uplift.trees import Array

MODEL, RESPONSE, RISK = "mean of the learners", "response model", "churn risk"
FEWEST_IN_ARM = 500
FEWEST_OF_EACH_OUTCOME = 50
LEAST_CHANCE = 0.02
LEAST_EFFECTIVE_ROWS = 500


@dataclass(frozen=True)
class Stakes:
    """What the action is used for, and by what it is given to customers as long as no model serves.

    Attributes:
        share: share of the customers who get it.
        margin: what keeping each customer is worth, currency units.
        cost: what a contact costs, currency units.
        today: effect that today's rule believes for each customer, from outcomes of other units.
    """

    share: float
    margin: Array
    cost: float
    today: Array


@dataclass(frozen=True)
class UpliftDecision:
    """Whether a model serves, and the figures that say so.

    Attributes:
        serves: whether it may choose who gets the action.
        words: why, in one sentence.
        share: share of the customers who get the action.
        rankings: the model, each learner and the references, best Qini first, their distance told from the
            response model; empty where rows were too few.
        gain: by how much treating the model's best ``TOP`` beats treating as many at random, customers kept per
            customer.
        policy: value of treating the share worth most by the model, customers kept per customer.
        worth: what that earns beyond treating nobody, contacts paid, currency units per customer.
        above_today: what that earns beyond treating as many by today's rule.
    """

    serves: bool
    words: str
    share: float
    rankings: tuple[RankingRow, ...] = ()
    gain: Interval | None = None
    policy: PolicyValue | None = None
    worth: Interval | None = None
    above_today: Interval | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it in dicts, lists, words and numbers, for JSON."""
        return {
            "serves": self.serves,
            "words": self.words,
            "share": self.share,
            "rankings": [plain(row) for row in self.rankings],
            "gain": plain(self.gain),
            "policy": plain(self.policy),
            "worth": plain(self.worth),
            "above_today": plain(self.above_today),
        }


def plain(value: Any) -> Any:
    """Turn named tuples, and those within them, into dicts."""
    if hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    return value


def shortage(trial: Trial) -> str | None:
    """Say what rows lack for an uplift model, or nothing.

    Args:
        trial: the rows; the outcome is 0 or 1.
    """
    for arm, rows in (("treated", trial.treated), ("control", ~trial.treated)):
        good = int(trial.outcome[rows].sum())
        rarer = min(good, int(rows.sum()) - good)
        if rows.sum() < FEWEST_IN_ARM:
            return f"found {rows.sum()} {arm} rows where {FEWEST_IN_ARM} are needed"
        if rarer < FEWEST_OF_EACH_OUTCOME:
            return f"found {rarer} {arm} rows of the rarer outcome where {FEWEST_OF_EACH_OUTCOME} are needed"
    least = float(np.minimum(trial.chance, 1 - trial.chance).min())
    if least < LEAST_CHANCE:
        return f"found an arm drawn with a chance of {least:.3g} where {LEAST_CHANCE:g} is needed"
    return None


def decide(seen: OutOfFold, stakes: Stakes, *, seed: int) -> UpliftDecision:
    """Judge the mean of the learners on rows it has not seen.

    It serves where, at 95 %, its Qini lies above 0, it is not shown to rank worse than the response model, and treating
    its best ``TOP`` keeps more customers than treating as many at random; and where those it finds worth most earn no
    less than as many chosen by today's rule, as far as the estimate goes: money strays too far to ask for more.

    Args:
        seen: out-of-fold predictions of one action; the outcome is good where high.
        stakes: how it is used and what it is worth, rows as those of ``seen``.
        seed: seed of the resampling.
    """
    rows = seen.experiment
    trial = Trial.of(rows.outcome, rows.arm == 1, rows.chance[:, 1], rows.unit)
    rankings = compare_rankings(rankings_of(seen), trial, reference=RESPONSE, seed=seed)
    model, gain = next(row for row in rankings if row.ranking == MODEL), gain_over_single(seen, TOP)
    chosen, by_rule = by_worth(seen, stakes)
    policy, money = value_of(chosen, rows), rows.times(stakes.margin)
    earned = difference_of(chosen, single(0, 1.0, rows=len(chosen), arms=2), money)
    worth = Interval(*(each - stakes.cost * policy.treated for each in earned))
    above_today = difference_of(chosen, by_rule, money)
    objections = _objections(model, gain, policy, above_today)
    words = (
        f"The uplift model does not serve: {'; '.join(objections)}."
        if objections
        else f"The uplift model serves: Qini {model.qini.worded()}, its best {TOP:.0%} keep {gain.worded()} customers "
        f"more than {TOP:.0%} at random, and the {stakes.share:.0%} worth most earn {above_today.worded()} in money "
        "more than as many by today's rule."
    )
    return UpliftDecision(not objections, words, stakes.share, rankings, gain, policy, worth, above_today)


def by_worth(seen: OutOfFold, stakes: Stakes) -> tuple[Array, Array]:
    """Return who gets one action for what it is worth by the model, its scores drawn in, and by today's rule."""
    effect = Line.fit(seen).effect(seen.centred(seen.mean_effect[:, 0]))
    worth = (each * stakes.margin for each in (effect, stakes.today))
    chosen, by_rule = (seen.best(each[:, None], stakes.share) for each in worth)
    return chosen, by_rule


def rankings_of(seen: OutOfFold) -> dict[str, Array]:
    """Return the ranks by the model, by each learner and by the references; the highest are treated first."""
    expected = seen.experiment.expected
    scores = {
        MODEL: seen.mean_effect[:, 0],
        **{name: effect[:, 0] for name, effect in seen.effects.items()},
        RESPONSE: expected[:, 1],
        RISK: -expected[:, 0],
    }
    return {name: seen.ranked(score) for name, score in scores.items()}


def best_share(seen: OutOfFold, share: float) -> Array:
    """Return the policy that gives the best share of each fold, scored by one model, their best arm."""
    return seen.best(seen.mean_effect, share)


def gain_over_single(seen: OutOfFold, share: float) -> Interval:
    """Return by how much the model's policy beats the single arm hardest to beat, given to as many at random.

    Args:
        seen: out-of-fold predictions of one or several arms.
        share: share of the customers treated by either.
    """
    chosen, rows = best_share(seen, share), seen.experiment
    count, arms = chosen.shape
    gains = (difference_of(chosen, single(arm, share, rows=count, arms=arms), rows) for arm in range(1, arms))
    return min(gains, key=lambda gain: gain.low)


def _objections(model: RankingRow, gain: Interval, policy: PolicyValue, above_today: Interval) -> list[str]:
    rows, share = policy.effective_rows, policy.treated
    checks = (
        (model.qini.low > 0, f"its Qini is not above 0 for sure, {model.qini.worded()}"),
        (model.apart.high >= 0, f"the response model ranks better, {model.apart.worded()}"),
        (
            gain.low > 0,
            f"its best {TOP:.0%} are no better for sure than {TOP:.0%} at random, {gain.worded()}",
        ),
        (
            above_today.value >= 0,
            f"the {share:.0%} worth most earn less than as many by today's rule, {above_today.worded()} in money",
        ),
        (
            rows >= LEAST_EFFECTIVE_ROWS,
            f"only {rows:.0f} effective rows speak of its policy where {LEAST_EFFECTIVE_ROWS} are needed",
        ),
    )
    return [words for holds, words in checks if not holds]
