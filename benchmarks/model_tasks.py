"""One measured piece of work on models in a process of its own: ``model_tasks.py TASK SHOP WORKSPACE``.

Prints one JSON object. CPU seconds contain all threads; imports before the work are not counted.
"""

import importlib
import json
import os
import resource
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from pipeline.config import load_config
from pipeline.run import Run
from tables.calendar import BusinessCalendar

TODAY = date(2026, 1, 1)
CAPS = (30_000, 60_000, 120_000, 240_000)
BARE = "lightgbm.train"
_PIECE = 65_536  # all rows at once are slower
MEMBER = "boosted members besides"
# Each module is imported, and its function replaced, before the modules that take the function from it.
PARTS = (
    (BARE, "lightgbm", ("train",)),
    ("ridge", "models.ridge", ("fit_ridge",)),
    (MEMBER, "models.boosting", ("Bins.__init__", "Bins.fit")),
    ("rivals besides", "models.rivals", ("predict_rivals",)),
    ("metrics and intervals", "models.evaluation", ("evaluate_models", "evaluate_slices")),
    ("model besides", "models.churn", ("ChurnModel.fit",)),
    ("scoring", "models.churn", ("ChurnModel.calibrate_predict",)),
    ("registry", "models.registry", ("Registry.register", "Registry.promote")),
    ("ingest", "pipeline.steps", ("ingested",)),
    ("features and labels", "pipeline.snapshots", ("training", "date_frame", "labelled")),
)


class Ledger:
    """CPU seconds by part, each without the parts called inside it; calls are nested, never side by side."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self.inside: Counter[tuple[str, str]] = Counter()
        self._open: list[tuple[str, list[float]]] = []

    def watch(self, parts: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
        """Replace functions by ones that keep the ledger."""
        for part, module, names in parts:
            for name in names:
                *owners, last = name.split(".")
                owner = importlib.import_module(module)
                for each in owners:
                    owner = getattr(owner, each)
                setattr(owner, last, self.kept(part, getattr(owner, last)))

    def kept(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its CPU seconds written down."""

        def working(*arguments: Any, **options: Any) -> Any:
            nested: list[float] = []
            self._open.append((part, nested))
            began = time.process_time()
            try:
                return work(*arguments, **options)
            finally:
                took = time.process_time() - began
                self._open.pop()
                self.spent[part] += took - sum(nested)
                for outer, seconds in self._open[-1:]:
                    seconds.append(took)
                    self.inside[outer, part] += took

        return working


def take_in(run: Run) -> dict[str, Any]:
    """Ingest the shop, so that a retraining finds nothing new."""
    from pipeline.steps import ingested

    with run.locked("benchmark") as held:
        return {"customers": ingested(held).customers}


def retrain(run: Run) -> dict[str, Any]:
    """Retrain as the weekly job does, from what is in the history to the promoted version."""
    for folder in ("mlflow", "deployed", "retrains"):
        shutil.rmtree(run.workspace / folder, ignore_errors=True)
    ledger = Ledger()
    ledger.watch(PARTS)
    flow = importlib.import_module("pipeline.training.retraining").retrain
    with run.locked("benchmark") as held:
        ledger.kept("everything else", flow)(held, as_of=TODAY)
    return {
        "parts": dict(ledger.spent),
        "cpu_seconds": sum(ledger.spent.values()),
        "bare": ledger.spent[BARE],
        "bare_in_members": ledger.inside[MEMBER, BARE],
        "members": ledger.spent[MEMBER] + ledger.inside[MEMBER, BARE],
    }


def score(run: Run) -> dict[str, Any]:
    """Score everybody who ever bought, beside the bare calls that cannot be avoided."""
    from pipeline.snapshots import date_frame, training
    from pipeline.training.evaluating import fit, newest_evaluable
    from tables.history import History

    history = History.open(run.history_root)
    model = fit(run, training(run, history, until=newest_evaluable(run, history, TODAY)))
    frame = date_frame(run, history, TODAY)
    path = run.workspace / "everybody.parquet"
    buyers = frame.features[frame.features["purchase_days_total"] > 0]  # lapsed ones too: about everybody
    buyers[list(model.feature_names_in_)].to_parquet(path)
    reference, members = frame.reference, model.members_
    del frame, buyers

    def ours() -> None:
        model.calibrate_predict(pd.read_parquet(path), reference=reference)

    def bare() -> None:
        X = pd.read_parquet(path)
        for first in range(0, len(X), _PIECE):
            members.ranking(X.iloc[first : first + _PIECE], reference)
        members.own_risk(X.iloc[:50_000])

    values = pd.read_parquet(path).to_numpy(np.float32)
    deep = _deep_booster(values)
    return {
        "customers": len(values),
        "cpu_seconds": min(_seconds(ours) for _ in range(2)),
        "bare": min(_seconds(bare) for _ in range(2)),
        "reading": _seconds(lambda: pd.read_parquet(path)),
        "deep": _seconds(lambda: deep.predict(values, num_threads=1)),
    }


def caps(run: Run) -> dict[str, Any]:
    """Train on more and more snapshots and judge each model on the same customers."""
    from models.metrics import auc, log_loss
    from pipeline.snapshots import date_frame, labelled, training
    from pipeline.training.evaluating import fit, newest_evaluable
    from tables.history import History

    history = History.open(run.history_root)
    judged = newest_evaluable(run, history, TODAY)
    frame = date_frame(run, history, judged)
    population, reference = frame.population, frame.reference
    del frame
    churned = (
        labelled(run, history, [judged], known_before=None).sort_values("customer")["churned"].to_numpy()
    )
    found = []
    for most in CAPS:
        known = training(_capped(run, most), history, until=judged)
        began = time.process_time()
        model = fit(run, known)
        took = time.process_time() - began
        risk = model.calibrate_predict(population, reference=reference, series=known.series)[1]
        found.append(
            {
                "max_rows": most,
                "rows": len(known.churned),
                "rows_before_cap": known.rows_before_cap,
                "auc": auc(churned, risk),
                "log_loss": log_loss(churned, risk),
                "fit_cpu_seconds": took,
            }
        )
        if known.rows_before_cap <= most:
            break
    return {"customers": len(churned), "churn_rate": float(churned.mean()), "caps": found}


def _capped(run: Run, most: int) -> Run:
    from dataclasses import replace

    settings = run.config.model.model_copy(update={"max_rows": most})
    return replace(run, config=run.config.model_copy(update={"model": settings}))


def _deep_booster(values: np.ndarray[Any, Any]) -> lgb.Booster:
    """Train 300 trees of 63 leaves, the size of model that others score with."""
    rng = np.random.default_rng(0)
    some = values[:50_000]
    label = rng.random(len(some)) < 0.3 + 0.4 * (np.nan_to_num(some[:, 0]) > np.nanmedian(some[:, 0]))
    settings = {"objective": "binary", "num_leaves": 63, "verbose": -1, "num_threads": 1, "seed": 0}
    return lgb.train(settings, lgb.Dataset(some, label), 300)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


TASKS: dict[str, Callable[[Run], dict[str, Any]]] = {
    "take_in": take_in,
    "retrain": retrain,
    "score": score,
    "caps": caps,
}


def main(task: str, shop: Path, workspace: Path) -> None:
    """Run one task and print what it found."""
    environment = {**os.environ, "SHOP": str(shop), "KEEPWELL__WORKSPACE": str(workspace)}
    config = load_config(Path("benchmarks/shop.yaml"), environment)
    run = Run(config=config, now=BusinessCalendar("UTC").midnight(date(2026, 1, 2)))
    found = TASKS[task](run)
    found["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
