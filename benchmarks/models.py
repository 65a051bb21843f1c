"""Measure training and scoring against the bare LightGBM calls they make: ``models.py 10k|100k|1m``.

Writes ``benchmarks/results/models-SIZE.json`` in the form of ``run.py``, with two tables besides: ``parts`` of a
retraining (CPU seconds), and ``caps``: what a model of more training snapshots gains on the same customers.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.run import RESULTS, ROOT, SIZES, Figure, make_shop, print_figure, run_python

MEMBER_GOAL = 1.3
RETRAIN_GOAL = 2.5
SCORING_GOAL = 1.15
DEEP_GOAL = 3.0


def main(size: str, scratch: Path) -> int:
    """Measure one size and return 0 if every goal holds, else 1."""
    folder = scratch / size
    make_shop(folder, SIZES[size])
    _found("take_in", folder)
    retrained, scored, caps = (_found(task, folder) for task in ("retrain", "score", "caps"))
    figures = {**judged_training(retrained), **judged_scoring(scored)}
    told = {name: asdict(figure) for name, figure in figures.items()}
    parts = dict(sorted(retrained["parts"].items(), key=lambda part: -part[1]))
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**told, "parts": parts, "caps": caps}, indent=1)
    (RESULTS / f"models-{size}.json").write_text(text + "\n", encoding="utf-8")
    for name, figure in figures.items():
        print_figure(name, figure)
    print_tables(parts, caps)
    return 0 if all(figure.holds for figure in figures.values()) else 1


def judged_training(found: dict[str, Any]) -> dict[str, Figure]:
    """Compare the boosted members, and the whole retraining, with the bare calls of ``lightgbm.train``."""
    return {
        "boosted_members": ratio(
            found["members"], found["bare_in_members"], "its lightgbm.train", MEMBER_GOAL
        ),
        "retrain": ratio(found["cpu_seconds"], found["bare"], "all its lightgbm.train", RETRAIN_GOAL),
    }


def judged_scoring(found: dict[str, Any]) -> dict[str, Figure]:
    """Compare scoring everybody with the members' bare predictions, and with one deep model."""
    deep = "one Booster.predict, 300 trees, 63 leaves"
    return {
        "scoring": ratio(
            found["cpu_seconds"], found["bare"], "reading and its members' bare predictions", SCORING_GOAL
        ),
        "scoring_beside_deep_trees": ratio(found["cpu_seconds"], found["deep"], deep, DEEP_GOAL),
    }


def ratio(seconds: float, reference: float, what: str, goal: float) -> Figure:
    """Return seconds over a reference as a line of the result."""
    times = seconds / reference
    return Figure(
        round(seconds, 2), "CPU s", f"{what}: {reference:.2f} CPU s", round(times, 2), goal, times <= goal
    )


def print_tables(parts: dict[str, float], caps: dict[str, Any]) -> None:
    """Print what a retraining spends where, and what more training snapshots gain."""
    print("\nretraining, CPU s")
    for part, seconds in parts.items():
        print(f"  {part:32s}{seconds:9.1f}")
    print(f"\nmax_rows, judged on the same {caps['customers']:,} customers, {caps['churn_rate']:.1%} churned")
    print(f"  {'max_rows':>9s}{'snapshots':>11s}{'AUC':>9s}{'log loss':>10s}{'fit, CPU s':>12s}")
    for each in caps["caps"]:
        print(
            f"  {each['max_rows']:9,d}{each['rows']:11,d}{each['auc']:9.4f}{each['log_loss']:10.4f}"
            f"{each['fit_cpu_seconds']:12.1f}"
        )


def _found(task: str, folder: Path) -> dict[str, Any]:
    answer = run_python(["-m", "benchmarks.model_tasks", task, str(folder / "shop"), str(folder / "models")])
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    print(f"{folder.name} {task}: {found['peak_gb']:.2f} GB", flush=True)
    return found


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in SIZES:
        sys.exit(f"usage: models.py {'|'.join(SIZES)} [SCRATCH]; found {sys.argv[1:]}.")
    sys.exit(main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "benchmarks" / "work")))
