"""``keepwell tune``: a search for boosting settings over past dates, written as a configuration that may challenge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from models import tracking
from models.connection import Connection
from models.evaluation import Row
from models.pooled import Outcome, pooled_differences
from models.settings import BoostingSettings
from pipeline.run import Run
from pipeline.steps import ingested
from pipeline.training.evaluating import Trial, fit, newest_evaluable, try_at
from pipeline.training.search import Array, Tried, ranking_loss, search
from tables.errors import ConfigError, DataError, StorageError
from tables.history import History
from tables.storage import write_text
from tables.yaml_lines import load_yaml

_MOST_DATES = 3
_CONFIGURED, _FOUND = "as configured", "as found"
_TOLD = 5


@dataclass(frozen=True)
class Budget:
    """How long to search.

    Attributes:
        minutes: no trial starts later, counted from the first one.
        trials: no more trials than that; as many as the minutes allow where not given.
    """

    minutes: float
    trials: int | None


def tune(run: Run, config_path: Path, *, as_of: date, out: Path, budget: Budget) -> Mapping[str, Any]:
    """Search settings on dates before the newest one that can be judged, and write the best configuration.

    Args:
        run: the run.
        config_path: the configuration it was loaded from.
        as_of: the day it is.
        out: configuration file to write, where something better is found.
        budget: how long to search.

    Raises:
        ConfigError: the file exists, or optuna is not installed.
        DataError: no past date can be trained on.
    """
    if out.exists():
        raise ConfigError(f"{out}: the file exists already. Name another with --out.")
    history = run.as_known(ingested(run), as_of=as_of)
    untouched = newest_evaluable(run, history, as_of)
    past = development_trials(run, history, untouched)
    losses = [ranking_loss(trial.churned, trial.weight) for trial in past]
    risks = tuple(trial.risk for trial in past)
    reached = tuple(loss(risk) for loss, risk in zip(losses, risks, strict=True))
    configured = Tried(run.config.model.boosting, reached, risks, is_whole=True)
    run.progress(f"tune: {configured.loss:.4f} as configured")
    tried = search(
        losses,
        lambda settings, position: _risk(run, past[position], settings),
        configured,
        seed=run.config.seed,
        minutes=budget.minutes,
        trials=budget.trials,
        progress=lambda words: run.progress(f"tune: {words}"),
    )
    tuned = Tuned(untouched, past, tried, _logged(run, untouched, past, tried))
    if tuned.best.loss < configured.loss:
        write_text(_configuration(config_path, tuned), out)
    return tuned.answer(out, run.config.seed)


def development_trials(run: Run, history: History, untouched: date) -> list[Trial]:
    """Train the configured recipe at up to three dates whose outcomes were settled by an untouched one.

    Args:
        run: the run.
        history: the validated history.
        untouched: date by which a challenge or an evaluation judges; neither it nor later outcomes are seen.

    Returns:
        One trial per date, newest first, one horizon apart.

    Raises:
        DataError: there is not even one.
    """
    history = run.as_known(history, as_of=untouched)
    newest = newest_evaluable(run, history, untouched)
    trials: list[Trial] = []
    for step in range(_MOST_DATES):
        try:
            trials.append(try_at(run, history, newest - timedelta(days=step * run.rule.horizon_days)))
        except DataError:
            if not trials:
                raise
            break  # too little lies before this date to train on
    return trials


@dataclass(frozen=True)
class Tuned:
    """A finished search.

    Attributes:
        untouched: date that no trial has seen, nor anything after it.
        past: the configured recipe at each date searched on, newest first.
        tried: all trials, the configured settings first.
        is_logged: whether the tracking server has them.
    """

    untouched: date
    past: Sequence[Trial]
    tried: Sequence[Tried]
    is_logged: bool

    @property
    def ranked(self) -> list[Tried]:
        """Trials of every date, best first."""
        return sorted((one for one in self.tried if one.is_whole), key=lambda one: one.loss)

    @property
    def best(self) -> Tried:
        """The best of them."""
        return self.ranked[0]

    def difference(self, seed: int) -> Row | None:
        """Return by how much the best is ahead of what is configured, with an interval; nothing where it is it."""
        if self.best is self.tried[0]:
            return None
        outcomes = [
            Outcome(trial.churned, trial.customer, {_FOUND: found, _CONFIGURED: configured}, trial.weight)
            for trial, found, configured in zip(self.past, self.best.risks, self.tried[0].risks, strict=True)
        ]
        rows = pooled_differences(outcomes, seed, challenger=_FOUND)
        return next(row for row in rows if row["metric"] == "log_loss")

    def answer(self, out: Path, seed: int) -> dict[str, Any]:
        """Return what ``keepwell tune`` prints."""
        difference = self.difference(seed)
        return {
            "untouched": self.untouched.isoformat(),
            "dates": [trial.reference.as_of.isoformat() for trial in self.past],
            "trials": len(self.tried) - 1,
            "given_up": sum(not one.is_whole for one in self.tried),
            "configured": _told(self.tried[0]),
            "best": _told(self.best),
            "difference": difference,
            "ranked": [_told(one) for one in self.ranked],
            "logged": self.is_logged,
            "out": None if difference is None else str(out),
            "text": "\n".join(self._lines(out, difference)),
        }

    def _lines(self, out: Path, difference: Row | None) -> list[str]:
        days = ", ".join(str(trial.reference.as_of) for trial in self.past)
        lines = [
            f"{len(self.tried) - 1} trials at {days}, {sum(not one.is_whole for one in self.tried)} given up early; "
            f"nothing at or after {self.untouched} was seen",
            f"{'log loss, level put right':28}settings",
            *(f"{one.loss:<28.5f}{_words(one)}" for one in self.ranked[:_TOLD]),
            f"{self.tried[0].loss:<28.5f}{_words(self.tried[0])} (as configured)",
        ]
        if difference is None:
            return [*lines, "nothing better than the configured settings was found; nothing was written"]
        told = f"{difference['difference']:+.5f} [{difference['low']:+.5f}, {difference['high']:+.5f}]"
        return [
            *lines,
            f"log loss of the risks as they are, best less configured, 95 % interval: {told}; chosen on these dates, "
            "so it flatters",
            f"{out}: the configuration with the best settings; `keepwell retrain -c {out}` lets it challenge",
        ]


def _risk(run: Run, trial: Trial, settings: BoostingSettings) -> Array:
    chosen = run.config.model.model_copy(update={"boosting": settings})
    model = fit(replace(run, config=run.config.model_copy(update={"model": chosen})), trial.known)
    return trial.risk_by(model)


def _logged(run: Run, untouched: date, past: Sequence[Trial], tried: Sequence[Tried]) -> bool:
    days = [trial.reference.as_of for trial in past]
    trials = [
        tracking.SearchTrial(
            one.settings.model_dump(),
            {
                "log_loss": one.loss,
                **{f"log_loss.{day}": loss for day, loss in zip(days, one.losses, strict=False)},
            },
            is_whole=one.is_whole,
        )
        for one in tried
    ]
    connection = Connection(run.workspace, run.config.registry)
    try:
        with connection.reach(create=True) as client:
            tracking.log_search(client, connection.experiment(client), f"tune before {untouched}", trials)
    except StorageError as error:
        run.progress(f"tune: the trials were not logged. {error}")
        return False
    return True


def _configuration(config_path: Path, tuned: Tuned) -> str:
    content = load_yaml(config_path)
    settings = tuned.best.settings.model_dump()
    days = ", ".join(str(trial.reference.as_of) for trial in tuned.past)
    head = (
        f"# {config_path.name} with the boosting settings that did best of {len(tuned.tried)} at {days}: log loss\n"
        f"# {tuned.best.loss:.5f} instead of {tuned.tried[0].loss:.5f}, each date's level put right.\n"
    )
    chosen = {**content, "model": {**(content.get("model") or {}), "boosting": settings}}
    return head + yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True, width=110)


def _told(one: Tried) -> dict[str, Any]:
    return {"settings": one.settings.model_dump(), "log_loss": one.loss, "log_loss_by_date": list(one.losses)}


def _words(one: Tried) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in one.settings.model_dump().items())
