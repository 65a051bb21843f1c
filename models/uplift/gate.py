"""Whether an uplift model may serve: it must find whom the action helps, and spend the budget better than chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.uplift.intervals import Interval
from models.uplift.metrics import RankingRow, Trial, compare_rankings
from models.uplift.out_of_fold import OutOfFold
from models.uplift.policies import PolicyValue, budgeted, difference_of, single, value_of
from models.uplift.trees import Array

MODEL, RESPONSE, RISK = "mean of the learners", "response model", "churn risk"
FEWEST_IN_ARM = 500
FEWEST_OF_EACH_OUTCOME = 50
LEAST_CHANCE = 0.02
LEAST_EFFECTIVE_ROWS = 500


@dataclass(frozen=True)
class UpliftDecision:
    """Whether a model serves, and the figures that say so.

    Attributes:
        serves: whether it may choose who gets the action.
        words: why, in one sentence.
        share: share of the customers the budget treats.
        rankings: the model, each learner and the references, best Qini first, their distance told from the
            response model; empty where rows were too few.
        policy: value of treating the model's best share, customers kept per customer.
        gain: by how much that beats treating the same share at random.
    """

    serves: bool
    words: str
    share: float
    rankings: tuple[RankingRow, ...] = ()
    policy: PolicyValue | None = None
    gain: Interval | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it in dicts, lists, words and numbers, for JSON."""
        return {
            "serves": self.serves,
            "words": self.words,
            "share": self.share,
            "rankings": [plain(row) for row in self.rankings],
            "policy": plain(self.policy),
            "gain": plain(self.gain),
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


def decide(seen: OutOfFold, *, share: float, seed: int) -> UpliftDecision:
    """Judge the mean of the learners on rows it has not seen.

    It serves where, at 95 %, its Qini lies above 0, it is not shown to rank worse than the response model, and
    treating its best share keeps more customers than treating as many at random.

    Args:
        seen: out-of-fold predictions of one action; the outcome is good where high.
        share: share of the customers the budget treats.
        seed: seed of the resampling.
    """
    rows = seen.experiment
    trial = Trial.of(rows.outcome, rows.arm == 1, rows.chance[:, 1], rows.unit)
    rankings = compare_rankings(rankings_of(seen), trial, reference=RESPONSE, seed=seed)
    model = next(row for row in rankings if row.ranking == MODEL)
    policy = value_of(best_share(seen, share), rows)
    gain = gain_over_single(seen, share)
    objections = _objections(model, policy, gain, share)
    words = (
        f"The uplift model does not serve: {'; '.join(objections)}."
        if objections
        else f"The uplift model serves: Qini {model.qini.worded()}, and its best {share:.0%} keep "
        f"{gain.worded()} customers more than {share:.0%} at random."
    )
    return UpliftDecision(not objections, words, share, rankings, policy, gain)


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
    policy = np.empty(seen.experiment.expected.shape)
    for fold in np.unique(seen.fold):
        rows = seen.fold == fold
        policy[rows] = budgeted(seen.mean_effect[rows], share)
    return policy


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


def _objections(model: RankingRow, policy: PolicyValue, gain: Interval, share: float) -> list[str]:
    rows = policy.effective_rows
    checks = (
        (model.qini.low > 0, f"its Qini is not above 0 for sure, {model.qini.worded()}"),
        (model.apart.high >= 0, f"the response model ranks better, {model.apart.worded()}"),
        (
            gain.low > 0,
            f"its best {share:.0%} are no better for sure than {share:.0%} at random, {gain.worded()}",
        ),
        (
            rows >= LEAST_EFFECTIVE_ROWS,
            f"only {rows:.0f} effective rows speak of its policy where {LEAST_EFFECTIVE_ROWS} are needed",
        ),
    )
    return [words for holds, words in checks if not holds]
