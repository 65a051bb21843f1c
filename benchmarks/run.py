"""Measure features and ingest against what cannot be avoided: ``run.py 100k|1m``.

Writes ``benchmarks/results/SIZE.json``: ``{name: {value, unit, reference, ratio, goal, holds}}``. Feature
times are medians of three fresh processes (one at 1m). All times are CPU seconds, so a busy machine changes
them little.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
ROUNDS = {"10k": 3, "100k": 3, "1m": 1}
FEATURE_GOALS = {
    "common_one_date": 6.0,
    "common_twelve_dates": 14.0,
    "full_one_date": 9.0,
    "full_twelve_dates": 22.0,
}
INGEST_GOAL = 5.0
PEAK_GOAL_GB = 2.5
GROWTH_GOAL = 1.10
HELP_GOAL_SECONDS = 0.3


@dataclass(frozen=True)
class Figure:
    """One line of the result; ``ratio`` is value over reference and is what the goal limits."""

    value: float
    unit: str
    reference: str
    ratio: float | None
    goal: float
    holds: bool


@dataclass(frozen=True)
class Cost:
    """CPU seconds and peak memory of a task."""

    cpu_seconds: float
    peak_gb: float


def main(size: str, scratch: Path) -> int:
    """Measure one size and return 0 if every goal holds, else 1."""
    whole, half = scratch / size, scratch / f"{size}-half"
    make_shop(whole, SIZES[size])
    make_shop(half, SIZES[size] // 2)
    costs = {name: _cost(name, whole) for name in ("copy", "ingest")}
    costs |= _interleaved(["scan", *FEATURE_GOALS], whole, ROUNDS[size])
    half_costs = {name: _cost(name, half) for name in ("ingest", "full_twelve_dates")}
    figures = {**judged_times(costs), **judged_memory(costs, half_costs), "help_seconds": _help_time()}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({name: asdict(figure) for name, figure in figures.items()}, indent=1)
    (RESULTS / f"{size}.json").write_text(text + "\n", encoding="utf-8")
    for name, figure in figures.items():
        print_figure(name, figure)
    return 0 if all(figure.holds for figure in figures.values()) else 1


def make_shop(folder: Path, customers: int) -> None:
    """Generate the shop of a size unless it is there."""
    if not (folder / "shop").is_dir():
        unfinished = folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        run_python(["benchmarks/generate.py", str(unfinished), str(customers)])
        unfinished.rename(folder / "shop")


def _interleaved(tasks: list[str], folder: Path, rounds: int) -> dict[str, Cost]:
    """Measure tasks round-robin, so that a change of the machine's load meets all of them alike."""
    measured = [{task: _cost(task, folder) for task in tasks} for _ in range(rounds)]
    return {
        task: Cost(
            statistics.median(costs[task].cpu_seconds for costs in measured),
            max(costs[task].peak_gb for costs in measured),
        )
        for task in tasks
    }


def _cost(task: str, folder: Path) -> Cost:
    workspace = folder / ("copy" if task == "copy" else "history")
    if task in {"copy", "ingest"}:
        shutil.rmtree(workspace, ignore_errors=True)
    answer = run_python(["-m", "benchmarks.tasks", task, str(folder / "shop"), str(workspace)])
    cost = Cost(**json.loads(answer.splitlines()[-1]))
    print(f"{folder.name} {task}: {cost.cpu_seconds:.2f} CPU s, {cost.peak_gb:.2f} GB", flush=True)
    return cost


def judged_times(costs: dict[str, Cost]) -> dict[str, Figure]:
    """Compare the CPU seconds of features and ingest with what cannot be avoided."""
    figures = {}
    for name, goal in FEATURE_GOALS.items():
        figures[name] = _ratio(costs[name], costs["scan"], "scan of the needed columns", goal)
    figures["ingest"] = _ratio(costs["ingest"], costs["copy"], "plain DuckDB copy", INGEST_GOAL)
    return figures


def _ratio(cost: Cost, reference: Cost, what: str, goal: float) -> Figure:
    ratio = cost.cpu_seconds / reference.cpu_seconds
    described = f"{what}: {reference.cpu_seconds:.3f} CPU s"
    return Figure(round(cost.cpu_seconds, 3), "CPU s", described, round(ratio, 2), goal, ratio <= goal)


def judged_memory(costs: dict[str, Cost], half: dict[str, Cost]) -> dict[str, Figure]:
    """Compare the largest peak with its goal, and each peak with that for half as many customers."""
    peak = max(cost.peak_gb for cost in costs.values())
    figures = {
        "peak_memory": Figure(
            round(peak, 2), "GB", "largest process of this run", None, PEAK_GOAL_GB, peak <= PEAK_GOAL_GB
        )
    }
    for name, before in half.items():
        growth = costs[name].peak_gb / before.peak_gb
        figures[f"peak_memory_growth_{name}"] = Figure(
            round(costs[name].peak_gb, 2),
            "GB",
            f"half as many customers: {before.peak_gb:.2f} GB",
            round(growth, 3),
            GROWTH_GOAL,
            growth <= GROWTH_GOAL,
        )
    return figures


def _help_time() -> Figure:
    """Measure the wall time of ``keepwell --help``, the best of five as others may use the machine."""
    command = [sys.executable, "-m", "pipeline.cli", "--help"]
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    best = round(min(seconds), 3)
    return Figure(best, "s", "wall time", None, HELP_GOAL_SECONDS, best <= HELP_GOAL_SECONDS)


def run_python(arguments: list[str]) -> str:
    """Run Python on the project in a process of its own and return what it prints; a failure ends this one."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def print_figure(name: str, figure: Figure) -> None:
    """Print one line of the result."""
    shown = f"{figure.value} {figure.unit}" if figure.ratio is None else f"{figure.ratio} x"
    verdict = "holds" if figure.holds else "MISSED"
    took = f"{figure.value} {figure.unit}; {figure.reference}"
    print(f"{name:36s} {shown:>14s}  goal {figure.goal:<5g} {verdict}  ({took})")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in SIZES:
        sys.exit(f"usage: run.py {'|'.join(SIZES)} [SCRATCH]; found {sys.argv[1:]}.")
    sys.exit(main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "benchmarks" / "work")))
