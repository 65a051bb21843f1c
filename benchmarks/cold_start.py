"""Measure how fast outcomes replace beliefs, where true effects are known: ``cold_start.py [RUNS]``.

Cold start: 12 actions, 4 cells, 30 waves of 8,000 customers, a fifth withheld; profit as a share of an oracle's that
knows every effect, with priors that are right on average and with priors 2.5 times too high. Coverage: 200 experiments
of all actions at once, whose controls differ by how the optimiser selected; how often the 95 % intervals of beliefs and
of measurement hold the truth. Again where the controls of every other action churn 5.5 points more than foreseen in all
cells, and for one action whose controls churn 6 points more than those of all others, which agree. Writes
``benchmarks/results/cold_start.json``.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from actions.catalogue import Action
from actions.learning.believing import CellBeliefs, LearningSettings, cell_beliefs, verdicts
from actions.learning.effects import Effects
from actions.learning.evidence import KEYS, SUMS, tally
from actions.learning.thompson import drawn
from actions.measurement.difference import Arms
from benchmarks.run import RESULTS

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RIGHT_GOAL, BOLD_GOAL = 0.85, 0.60
MOST_COVERED = 0.98
LEAST_COVERED = {"alike": 0.92, "every other 5.5 points apart": 0.90, "one 6 points apart": 0.0}
_NORMAL = 1.959964
WAVES, SEGMENT, RUNS, EXPERIMENTS = 30, 2_000, 60, 200
BASE, WITHHELD = 0.25, 0.2
FIRST = date(2026, 1, 1)
CELLS = ("risk_low|value_lower", "risk_low|value_upper", "risk_high|value_lower", "risk_high|value_upper")
MARGIN = np.array([40.0, 80.0, 120.0, 200.0])
COST = np.array([2, 8, 12, 0.6, 0.3, 0.2, 5, 6, 0.1, 15, 4, 3])
SAVED = np.array([0.03, 0.06, 0.08, 0.01, 0.02, 0.01, 0.02, 0.06, 0.01, 0.08, 0.05, 0.015])
APART = {
    "alike": np.zeros(12),
    "every other 5.5 points apart": np.tile([0.0, 0.055], 6),
    "one 6 points apart": np.append(0.06, np.zeros(11)),
}
NOTHING_YET = pd.DataFrame(0.0, index=pd.MultiIndex.from_tuples([], names=KEYS), columns=SUMS)


def catalogue() -> tuple[Action, ...]:
    """Return the twelve actions, believed to save ``SAVED`` in a cell whose churn is ``BASE``."""
    spread = np.maximum(0.015, 0.5 * SAVED)
    return tuple(
        Action.model_validate(
            {
                "id": f"action_{place}",
                "carries_out": ("activation",),
                "trigger": "orders_total > 0",
                "channel": "email",
                "kind": "content",
                "contact_cost": COST[place],
                "prior_save": SAVED[place] / BASE,
                "prior_save_sd": spread[place] / BASE,
                "cooldown_days": 7,
                "wording": {"en": "Hello"},
            }
        )
        for place in range(len(SAVED))
    )


@dataclass(frozen=True)
class Start:
    """What a cold start earned.

    Attributes:
        earned: profit of those sent, currency units.
        reachable: profit of an oracle that withholds as many.
        stopped: actions stopped at the end.
        wronged: those of them that would have paid in some cell.
    """

    earned: float
    reachable: float
    stopped: int
    wronged: int


def cold_start(seed: int, *, truth: float) -> Start:
    """Run thirty waves from the owner's beliefs alone; ``truth`` is what part of the believed effect is there."""
    rng = np.random.default_rng(seed)
    common = np.maximum(SAVED * rng.normal(1, 0.6, len(SAVED)) * truth, -0.02)
    effect = common[:, None] + rng.normal(0, 0.015, (len(SAVED), len(CELLS)))
    worth = effect * MARGIN - COST[:, None]
    best = np.maximum(worth.max(axis=0), 0.0).sum() * SEGMENT * (1 - WITHHELD) * WAVES
    actions, settings = catalogue(), LearningSettings()
    known, earned, stopped = NOTHING_YET, 0.0, np.zeros(len(actions), dtype=bool)
    for wave in range(WAVES):
        beliefs = cell_beliefs(known, actions, settings, expected=dict.fromkeys(CELLS, BASE))
        stopped = np.array([told.stopped for told in verdicts(beliefs, actions, settings)])
        sent = _wave(rng, beliefs, stopped, effect, seed=seed, wave=wave)
        earned += float(worth[sent["column"], sent["segment"]][sent["arm"] == "sent"].sum())
        known = known.add(tally(sent, actions), fill_value=0.0)
    return Start(earned, float(best), int(stopped.sum()), int((stopped & (worth.max(axis=1) > 0)).sum()))


def _wave(
    rng: np.random.Generator, beliefs: CellBeliefs, stopped: Floats, effect: Floats, *, seed: int, wave: int
) -> pd.DataFrame:
    segment = np.repeat(np.arange(len(CELLS)), SEGMENT)
    place = [beliefs.cells.index(cell) for cell in CELLS]
    mean = np.array([belief.mean[place] for belief in beliefs.after], dtype=np.float32).T[segment]
    sd = np.array([belief.sd[place] for belief in beliefs.after], dtype=np.float32).T[segment]
    names = tuple(f"action_{column}" for column in range(len(SAVED)))
    believed = Effects(np.array(CELLS)[segment], mean, sd, names, beliefs.level)
    units = np.arange(len(segment)) + wave * len(segment)
    chosen = drawn(
        believed, units.astype(str).tolist(), seed=seed, as_of=FIRST + timedelta(days=7 * wave)
    ).effect
    value = np.where(stopped, -np.inf, chosen * MARGIN[segment, None] - COST)
    column = value.argmax(axis=1)
    rows = np.flatnonzero(value.max(axis=1) > 0)
    column, segment = column[rows], segment[rows]
    is_sent = rng.random(len(rows)) >= WITHHELD
    risk = np.clip(BASE - effect[column, segment] * is_sent, 0.001, 1.0)
    return pd.DataFrame(
        {
            "action": np.array(names)[column],
            "column": column,
            "segment": segment,
            "cell": np.array(CELLS)[segment],
            "salt": "s",
            "arm": np.where(is_sent, "sent", "control"),
            "withheld_share": WITHHELD,
            "unit": units[rows],
            "churned": (rng.random(len(rows)) < risk).astype(float),
            "churn_risk": BASE,
            "margin": MARGIN[segment],
            "cost": COST[column] * is_sent,
        }
    )


@dataclass(frozen=True)
class Held:
    """Which 95 % intervals of one experiment held the truth.

    Attributes:
        cells: (actions, cells), those of beliefs.
        actions: (actions,), those of beliefs over all cells.
        measured: (actions,), those of measurement.
    """

    cells: Flags
    actions: Flags
    measured: Flags


def experiment(seed: int, apart: Floats = APART["alike"]) -> Held:
    """Draw truths as the owner believes, planned customers whose risk the score foresees but for the selection.

    Args:
        seed: of the experiment.
        apart: (actions,), by how much more than foreseen those planned for an action churn in all cells.
    """
    rng, actions = np.random.default_rng(seed), catalogue()
    truth = _truths(rng)
    counts = rng.integers(60, 2_000, truth.shape)
    who = np.repeat(np.arange(truth.size), counts.ravel())
    column, cell = np.divmod(who, len(CELLS))
    score = rng.beta(5, 15, len(who))
    selected = (apart[:, None] + rng.normal(0, 0.01, truth.shape))[column, cell]
    is_sent = rng.random(len(who)) >= WITHHELD
    untreated = np.clip(score + selected, 0.01, 0.99)
    risk = np.clip(untreated - truth[column, cell] * is_sent, 0, 1)
    gained = untreated - np.clip(untreated - truth[column, cell], 0, 1)
    units = pd.DataFrame(
        {
            "action": np.array([action.id for action in actions])[column],
            "cell": np.array(CELLS)[cell],
            "salt": "s",
            "arm": np.where(is_sent, "sent", "control"),
            "withheld_share": WITHHELD,
            "unit": np.arange(len(who)),
            "churned": (rng.random(len(who)) < risk).astype(float),
            "churn_risk": score,
            "margin": 1.0,
            "cost": 0.0,
        }
    )
    real = (np.bincount(who, gained, truth.size) / counts.ravel()).reshape(truth.shape)
    return _held(units, actions, real, counts, column, score, is_sent)


def _truths(rng: np.random.Generator) -> Floats:
    sd = 2 * np.maximum(0.015, 0.5 * SAVED)[:, None]
    together, apart = rng.normal(size=(len(SAVED), 1)), rng.normal(size=(len(SAVED), len(CELLS)))
    return np.asarray(SAVED[:, None] + sd * (together + apart) / np.sqrt(2))


def _held(
    units: pd.DataFrame,
    actions: Sequence[Action],
    real: Floats,
    counts: npt.NDArray[np.int64],
    column: npt.NDArray[np.intp],
    score: Floats,
    is_sent: Flags,
) -> Held:
    beliefs = cell_beliefs(tally(units, actions), actions, LearningSettings(), expected={})
    place = [beliefs.cells.index(cell) for cell in CELLS]
    churned = units["churned"].to_numpy()
    by_cell, by_action, measured = [], [], []
    for at, belief in enumerate(beliefs.after):
        by_cell.append(np.abs(real[at] - belief.mean[place]) <= _NORMAL * belief.sd[place])
        share = counts[at] / counts[at].sum()
        factor = np.zeros(len(beliefs.cells))
        factor[place] = share
        mean, sd = belief.of_total(factor)
        by_action.append(abs(float(share @ real[at]) - mean) <= _NORMAL * sd)
        mine = column == at
        arms = Arms.drawn(is_sent[mine], np.full(mine.sum(), WITHHELD), np.arange(mine.sum()))
        low, high = arms.measure(churned[mine], score[mine]).interval or (0.0, 0.0)
        measured.append(low <= -float(share @ real[at]) <= high)
    return Held(np.array(by_cell), np.array(by_action), np.array(measured))


def covered(apart: Floats) -> dict[str, float]:
    """Tell how often the intervals hold of those actions whose controls lie highest: of all where they are alike."""
    found = Parallel(n_jobs=2)(delayed(experiment)(seed, apart) for seed in range(EXPERIMENTS))
    held = [asdict(one) for one in found]
    counted = apart == apart.max()
    return {part: float(np.mean([each[part][counted] for each in held])) for part in held[0]}


def main(runs: int) -> int:
    """Run everything, print it beside its goals and return 0 if they hold, else 1."""
    right, bold = (_share(runs, truth=truth) for truth in (1.0, 0.4))
    coverage = {name: covered(apart) for name, apart in APART.items()}
    figures = {"runs": runs, "right_priors": right, "bold_priors": bold, "coverage": coverage}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "cold_start.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    rows = [
        ("oracle's profit, right priors", right["share"], RIGHT_GOAL, 1.0),
        ("oracle's profit, priors 2.5 x", bold["share"], BOLD_GOAL, 1.0),
    ]
    for name, parts in coverage.items():
        least = LEAST_COVERED[name]
        rows += [(f"95 %, {name}: {part}", value, least, MOST_COVERED) for part, value in parts.items()]
    for name, value, least, most in rows:
        verdict = "holds" if least <= value <= most else "MISSED"
        print(f"{name:45s}{value:8.3f}   goal {least:.2f} to {most:.2f} {verdict}", flush=True)
    print(json.dumps(figures))
    return 0 if all(least <= value <= most for _, value, least, most in rows) else 1


def _share(runs: int, *, truth: float) -> dict[str, float]:
    found = Parallel(n_jobs=2)(delayed(cold_start)(seed, truth=truth) for seed in range(runs))
    return {
        "share": sum(one.earned for one in found) / sum(one.reachable for one in found),
        "runs_with_a_loss": float(np.mean([one.earned < 0 for one in found])),
        "stopped": float(np.mean([one.stopped for one in found])),
        "stopped_though_paying_somewhere": float(np.mean([one.wronged for one in found])),
    }


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
