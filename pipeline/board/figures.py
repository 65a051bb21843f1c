"""What the leaderboard found on a task: metrics, differences to every rival, and the goals reached or missed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from models.evaluation import Row
from models.metrics import METRICS
from models.pooled import Outcome, pooled_differences, pooled_draws, pooled_metrics
from pipeline.board.tasks import UNCORRECTED, WITHOUT, Task
from pipeline.training.evaluating import OURS

_WORSE_BY_CORRECTION = 0.005
_AT_LEAST = ("AUC", "AUC above the best rival", "log loss below the best rival")


@dataclass(frozen=True)
class Verdict:
    """One goal and what was found.

    Attributes:
        task: name of the task.
        at: test date, or all splits.
        figure: what is asked about.
        goal: the figure to reach.
        far_goal: the figure we would be glad to reach, if there is one.
        found: our figure.
    """

    task: str
    at: str
    figure: str
    goal: float
    far_goal: float | None
    found: float

    @property
    def sign(self) -> str:
        """How the figure must stand to the goal."""
        return "≥" if self.figure in _AT_LEAST else "≤"

    @property
    def word(self) -> str:
        """Say whether the goal was reached."""
        if self.far_goal is not None and self._reached(self.far_goal):
            return "far goal reached"
        return "reached" if self._reached(self.goal) else "missed"

    def _reached(self, goal: float) -> bool:
        return self.found >= goal if self.sign == "≥" else self.found <= goal


@dataclass(frozen=True)
class Figures:
    """One task's figures.

    Attributes:
        task: what was tried.
        metrics: one row per model, averaged over the outcomes, with intervals.
        differences: per other model and metric what ours has over it.
        each: per outcome and model the metrics.
        perfect_ece: per outcome.
    """

    task: Task
    metrics: Sequence[Row]
    differences: Sequence[Row]
    each: Mapping[str, Mapping[str, Mapping[str, float]]]
    perfect_ece: Sequence[float]

    @classmethod
    def of(cls, task: Task) -> Self:
        """Work out a task's figures."""
        outcomes = list(task.outcomes.values())
        drawn = pooled_draws(outcomes, task.seed)
        return cls(
            task=task,
            metrics=pooled_metrics(outcomes, task.seed, drawn),
            differences=pooled_differences(outcomes, task.seed, challenger=OURS, drawn=drawn),
            each={at: _metrics(outcome) for at, outcome in task.outcomes.items()},
            perfect_ece=task.perfect_ece(),
        )

    def answer(self) -> dict[str, Any]:
        """Return the figures as ``keepwell leaderboard --json`` prints them."""
        tried = []
        for (at, outcome), perfect in zip(self.task.outcomes.items(), self.perfect_ece, strict=True):
            n, share = size(outcome)
            sizes = {"at": at, "n": n, "churn_rate": share, "ece_when_perfect": perfect}
            tried.append({**sizes, "models": self.each[at]})
        return {
            "task": self.task.name,
            "out_of_time": self.task.is_out_of_time,
            "tried": tried,
            "models": list(self.metrics),
            "differences": list(self.differences),
            "goals": [asdict(verdict) | {"verdict": verdict.word} for verdict in self.verdicts()],
        }

    def verdicts(self) -> list[Verdict]:
        """Hold the first test date's figures against the goals, and the level's correction at every date."""
        at = next(iter(self.each))
        found = _found(self.each[at])
        goals, far = self.task.settings.goals, self.task.settings.far_goals
        asked = {
            "AUC": (goals.auc, far.auc),
            "log loss": (goals.log_loss, far.log_loss),
            "ECE": (goals.ece, far.ece),
            "AUC above the best rival": (goals.auc_above, far.auc_above),
            "log loss below the best rival": (goals.log_loss_below, far.log_loss_below),
        }
        verdicts = [
            Verdict(self.task.name, at, figure, goal, beyond, found[figure])
            for figure, (goal, beyond) in asked.items()
            if goal is not None
        ]
        return [*verdicts, *self._worst_correction()]

    def _worst_correction(self) -> Iterator[Verdict]:
        worse = {
            at: models[OURS]["log_loss"] - models[UNCORRECTED]["log_loss"]
            for at, models in self.each.items()
            if UNCORRECTED in models
        }
        if worse:
            at = max(worse, key=lambda each: worse[each])
            figure = "log loss by correcting the level, worst date"
            yield Verdict(self.task.name, at, figure, _WORSE_BY_CORRECTION, None, worse[at])


def size(outcome: Outcome) -> tuple[int, float]:
    """Return how many customers an outcome speaks of, and which share of them churned."""
    churned = np.asarray(outcome.churned, dtype=np.float64)
    return len(churned), float(np.average(churned, weights=outcome.weight))


def _metrics(outcome: Outcome) -> dict[str, dict[str, float]]:
    return {
        name: {
            metric: value(outcome.churned, risk, weight=outcome.weight) for metric, value in METRICS.items()
        }
        for name, risk in outcome.predictions.items()
    }


def _found(models: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return what goals ask about; where rivals were asked without some tables, the best of those counts."""
    ours = models[OURS]
    again = {name.split(WITHOUT)[0] for name in models if WITHOUT in name}
    rivals = [row for name, row in models.items() if name not in {OURS, UNCORRECTED} | again]
    return {
        "AUC": ours["auc"],
        "log loss": ours["log_loss"],
        "ECE": ours["ece"],
        "AUC above the best rival": ours["auc"] - max(row["auc"] for row in rivals),
        "log loss below the best rival": min(row["log_loss"] for row in rivals) - ours["log_loss"],
    }
