"""Measure how fast outcomes replace beliefs, where true effects are known: ``cold_start.py [RUNS]``.

Cold start: 12 actions, 4 cells, 30 waves of 8,000 customers, a fifth withheld; profit as a share of an oracle's that
knows every effect, with priors that are right on average and with priors 2.5 times too high. Coverage: 200 experiments
of all actions at once, whose controls differ by how the optimiser selected; how often the 95 % intervals of beliefs and
of measurement hold the truth. Writes ``benchmarks/results/cold_start.json``.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from actions.catalogue import Action
from actions.learning.beliefs import Belief
from actions.learning.believing import CellBeliefs, LearningSettings, cell_beliefs, verdicts
from actions.learning.effects import Effects
from actions.learning.evidence import KEYS, SUMS, tally
from actions.learning.thompson import drawn
from actions.measurement.difference import Arms
from benchmarks.run import RESULTS

Floats = npt.NDArray[np.float64]

RIGHT_GOAL, BOLD_GOAL = 0.85, 0.60
COVERED = (0.92, 0.98)
WAVES, SEGMENT, RUNS, EXPERIMENTS = 30, 2_000, 60, 200
BASE, WITHHELD = 0.25, 0.2
FIRST = date(2026, 1, 1)
CELLS = ("risk_low|value_lower", "risk_low|value_upper", "risk_high|value_lower", "risk_high|value_upper")
MARGIN = np.array([40.0, 80.0, 120.0, 200.0])
COST = np.array([2, 8, 12, 0.6, 0.3, 0.2, 5, 6, 0.1, 15, 4, 3])
SAVED = np.array([0.03, 0.06, 0.08, 0.01, 0.02, 0.01, 0.02, 0.06, 0.01, 0.08, 0.05, 0.015])
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
    """Which 95 % intervals of one experiment held the truth: beliefs by cell, beliefs by action, measurement."""

    cells: Sequence[bool]
    actions: Sequence[bool]
    measured: Sequence[bool]


def experiment(seed: int) -> Held:
    """Draw truths as the owner believes, planned customers whose risk the score foresees but for the selection."""
    rng, actions = np.random.default_rng(seed), catalogue()
    truth = _truths(rng)
    counts = rng.integers(60, 2_000, truth.shape)
    who = np.repeat(np.arange(truth.size), counts.ravel())
    column, cell = np.divmod(who, len(CELLS))
    score = rng.beta(5, 15, len(who))
    selected = rng.normal(0, 0.01, truth.shape)[column, cell]
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
    is_sent: npt.NDArray[np.bool_],
) -> Held:
    beliefs = cell_beliefs(tally(units, actions), actions, LearningSettings(), expected={})
    place = [beliefs.cells.index(cell) for cell in CELLS]
    churned = units["churned"].to_numpy()
    by_cell, by_action, measured = [], [], []
    for at, belief in enumerate(beliefs.after):
        by_cell += [_holds(*pair, value) for pair, value in zip(_pairs(belief, place), real[at], strict=True)]
        share = counts[at] / counts[at].sum()
        factor = np.zeros(len(beliefs.cells))
        factor[place] = share
        by_action.append(_holds(*belief.of_total(factor), float(share @ real[at])))
        mine = column == at
        arms = Arms.drawn(is_sent[mine], np.full(mine.sum(), WITHHELD), np.arange(mine.sum()))
        low, high = arms.measure(churned[mine], score[mine]).interval or (0.0, 0.0)
        measured.append(low <= -float(share @ real[at]) <= high)
    return Held(by_cell, by_action, measured)


def _pairs(belief: Belief, place: Sequence[int]) -> list[tuple[float, float]]:
    return list(zip(belief.mean[place].tolist(), belief.sd[place].tolist(), strict=True))


def _holds(mean: float, sd: float, truth: float) -> bool:
    return abs(truth - mean) <= 1.959964 * sd


def main(runs: int) -> int:
    """Run everything, print it beside its goals and return 0 if they hold, else 1."""
    right, bold = (_share(runs, truth=truth) for truth in (1.0, 0.4))
    found = Parallel(n_jobs=2)(delayed(experiment)(seed) for seed in range(EXPERIMENTS))
    held = [asdict(one) for one in found]
    covered = {part: float(np.mean([one for each in held for one in each[part]])) for part in held[0]}
    figures = {"runs": runs, "right_priors": right, "bold_priors": bold, "coverage": covered}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "cold_start.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    goals: list[tuple[str, float, str, Callable[[float], bool]]] = [
        (
            "oracle's profit, right priors",
            right["share"],
            f">= {RIGHT_GOAL}",
            lambda found: found >= RIGHT_GOAL,
        ),
        ("oracle's profit, priors 2.5 x", bold["share"], f">= {BOLD_GOAL}", lambda found: found >= BOLD_GOAL),
        *(
            (
                f"95 % intervals, {part}",
                value,
                f"{COVERED[0]} to {COVERED[1]}",
                lambda v: COVERED[0] <= v <= COVERED[1],
            )
            for part, value in covered.items()
        ),
    ]
    for name, value, goal, holds in goals:
        print(f"{name:32s}{value:8.3f}   goal {goal:14s}{'holds' if holds(value) else 'MISSED'}", flush=True)
    print(json.dumps(figures))
    return 0 if all(holds(value) for _, value, _, holds in goals) else 1


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
