"""Tasks of the leaderboard, tried: our model beside its rivals and one strong outsider, at several test dates.

What the models say of a date is kept in the task's workspace, named by a digest of data, recipe and program. A run
that was killed goes on where it stopped; one that finds everything only writes the tables.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pandas as pd

from features.build import feature_names
from models.metrics import ece_when_perfect
from models.outsider import catboost_plain
from models.pooled import Outcome
from models.rivals import Rivals, lightgbm_plain, logistic_rich, predict_rivals, rivals_of
from pipeline.board.settings import BoardSettings
from pipeline.run import Run
from pipeline.snapshots import feature_builders, feature_settings
from pipeline.steps import ingested, recipe_digest
from pipeline.training.comparing import shortened
from pipeline.training.evaluating import OURS, newest_evaluable, try_at
from pipeline.training.flat import cross_validated, flat_rivals, read_snapshot
from pipeline.training.snapshot_config import SnapshotConfig
from tables.errors import DataError
from tables.history import History
from tables.storage import read_table, sha256_of, write_table

UNCORRECTED = f"{OURS}, level uncorrected"
WITHOUT = " without "
FOLDER = "leaderboard"
_DIGITS = 16
_OUTSIDERS: Rivals = {"catboost": catboost_plain}
_ON_ALL_FEATURES: Rivals = {
    "lightgbm_plain": lightgbm_plain,
    "logistic_rich": logistic_rich,
    "catboost": catboost_plain,
}
_PROGRAM = ("tables", "features", "models", "pipeline")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Task:
    """One task of the leaderboard, tried.

    Attributes:
        name: of the business.
        about: what churned means, or how the customers were split.
        outcomes: by test date, newest first, or by number of the split: what the models said, and what came.
        is_out_of_time: whether each outcome came after everything the models knew.
        settings: its goals.
        seed: seed of the bootstrap.
    """

    name: str
    about: str
    outcomes: Mapping[str, Outcome]
    is_out_of_time: bool
    settings: BoardSettings
    seed: int

    def perfect_ece(self) -> list[float]:
        """Return, per outcome, the calibration error that chance alone leaves a perfect model with our risks."""
        risks = [outcome.predictions[OURS] for outcome in self.outcomes.values()]
        return [ece_when_perfect(risk, seed=self.seed)[0] for risk in risks]


def dated_task(run: Run) -> Task:
    """Try a business at its test dates, one horizon apart, as far back as there is something to train on."""
    history, settings = ingested(run), run.config.leaderboard
    first = settings.as_of or newest_evaluable(run, history, run.calendar.day_of(run.now))
    digest = _digest(recipe_digest(run), history.digest, *settings.rivals_without)
    outcomes: dict[str, Outcome] = {}
    for back in range(settings.dates):
        day = first - timedelta(days=back * run.rule.horizon_days)
        run.progress(f"leaderboard: {run.config.name} at {day}")
        path = run.workspace / FOLDER / f"as_of={day}-{digest}.parquet"
        try:
            outcomes[day.isoformat()] = _kept(path, partial(_outcome, run, history, day))
        except DataError as error:
            if not outcomes:
                raise
            run.progress(f"leaderboard: {run.config.name} goes back no further: {error}")
            break
    what = "a subscription that ends and is not renewed" if run.rule.is_contract else "no order"
    about = f"churned means {what} within {run.rule.horizon_days} days"
    return Task(run.config.name, about, outcomes, True, settings, run.config.seed)


def flat_task(config: SnapshotConfig, progress: Callable[[str], None]) -> Task:
    """Try a ready-made snapshot on as many splits as it asks for."""
    table, source = read_snapshot(config.snapshot), config.snapshot
    settings = config.model_dump_json(exclude={"name", "workspace", "threads", "leaderboard"})
    digest = _digest(settings, sha256_of(Path(source.path)))
    rivals = {**flat_rivals(source), **_OUTSIDERS}
    outcomes: dict[str, Outcome] = {}
    for repeat in range(source.repeats):
        progress(f"leaderboard: {config.name}, split {repeat + 1} of {source.repeats}")
        path = config.workspace / FOLDER / f"split={repeat + 1}-{digest}.parquet"
        outcomes[f"split {repeat + 1}"] = _kept(path, partial(cross_validated, config, table, repeat, rivals))
    about = f"each customer scored by models of {source.folds - 1} other parts of {source.folds}"
    return Task(config.name, about, outcomes, False, config.leaderboard, config.seed)


def without_name(name: str, tables: Sequence[str]) -> str:
    """Name a rival that lacks the features of some tables."""
    return f"{name}{WITHOUT}{', '.join(tables)}"


def _outcome(run: Run, history: History, day: date) -> Outcome:
    trial = try_at(run, history, day)
    recipe = trial.model.recipe.model_copy(update={"level": "uncorrected"})
    ours = {OURS: trial.risk, UNCORRECTED: trial.risk_by(copy(trial.model).set_params(recipe=recipe))}
    contest = trial.contest(run.config.seed)
    run.progress(f"leaderboard: {run.config.name} at {day}, rivals")
    risks = predict_rivals(contest, {**rivals_of(trial.reference), **_OUTSIDERS})
    tables = run.config.leaderboard.rivals_without
    if tables:
        short = shortened(run, tables)
        names = set(feature_names(history, feature_settings(short), feature_builders(short)))
        kept = [name for name in contest.X if name in names]
        less = replace(contest, X=contest.X[kept], X_test=contest.X_test[kept])
        shorter = {without_name(name, tables): rival for name, rival in _ON_ALL_FEATURES.items()}
        risks |= predict_rivals(less, shorter)
    return Outcome(trial.churned, trial.customer, {**ours, **risks}, trial.weight)


def _kept(path: Path, make: Callable[[], Outcome]) -> Outcome:
    """Read an outcome, or make and keep it in the place of what older data, recipes or programs gave."""
    if not path.exists():
        made = make()
        own = {"customer": made.customer, "churned": made.churned}
        weight = {} if made.weight is None else {"weight": made.weight}
        write_table(pd.DataFrame({**own, **weight, **made.predictions}), path)
        for older in path.parent.glob(f"{path.stem[:-_DIGITS]}*.parquet"):
            if older != path:
                older.unlink()
    rows = read_table(path)
    churned, customer = (rows.pop(name).to_numpy() for name in ("churned", "customer"))
    counted = rows.pop("weight").to_numpy() if "weight" in rows else None
    return Outcome(churned, customer, {name: rows[name].to_numpy() for name in rows}, counted)


def _digest(*parts: str) -> str:
    """Return a digest of everything that can move a figure, every line of the program included."""
    files = sorted(file for package in _PROGRAM for file in (_ROOT / package).rglob("*.py"))
    program = [sha256_of(file) for file in files]
    return hashlib.sha256("\n".join([*parts, *program]).encode()).hexdigest()[:_DIGITS]
