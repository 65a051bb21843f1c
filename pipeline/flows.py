"""The flows of a business day: evaluate, retrain every week, score and plan every night.

Each reads like the picture in the README: sources -> history -> features -> scores -> plan -> page.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from actions.catalogue import load_catalogue
from models.churn import ChurnModel
from models.deployment import ModelVersion, folder_digest
from models.reference import DateReference
from models.registry import Registry
from pipeline.comparing import compare_without
from pipeline.evaluating import Evaluation, evaluate_at, fit, newest_evaluable
from pipeline.night import Champion, NightInputs, publish_night
from pipeline.run import Run
from pipeline.scoring import fit_cells
from pipeline.snapshots import date_frame, level_series, training
from pipeline.steps import config_digest, ingested, recipe_digest
from tables.errors import ConfigError, LeakageError, PromotionError
from tables.history import History
from tables.publish import Manifest, published
from tables.storage import TEMPORARY, storage

CARD = "card.json"


@dataclass(frozen=True)
class NightOptions:
    """What the operator allows for one night.

    Attributes:
        today: the day it is.
        republish: replace a night already published, on its own day only.
        accept_level: publish although the level moved too far.
        allow_later_model: score a past date with a model trained after it.
    """

    today: date
    republish: bool = False
    accept_level: bool = False
    allow_later_model: bool = False


def evaluate(run: Run, *, as_of: date | None, without: Sequence[str] = ()) -> Mapping[str, Any]:
    """Compare the recipe with its rivals at one date; at the newest settled one if none is given.

    Args:
        run: the run.
        as_of: the date.
        without: compare the recipe with itself less the features of these tables instead.
    """
    history = ingested(run)
    newest = newest_evaluable(run, history, run.calendar.day_of(run.now))
    if as_of is not None and as_of > newest:
        raise LeakageError(
            f"evaluate: the outcome of {as_of} is not settled; the newest settled date is {newest}. "
            f"Evaluate at {newest} or earlier."
        )
    day = as_of or newest
    found = compare_without(run, history, day, without) if without else evaluate_at(run, history, day)
    return {**found.answer(run.rule.horizon_days), "text": found.lines()}


def retrain(run: Run, *, as_of: date, require_promotion: bool = False) -> Mapping[str, Any]:
    """Evaluate at the newest settled date, refit on all settled dates, register, and promote if sound.

    Raises:
        DataError: if no date can be trained on; names the earliest one.
        PromotionError: if promotion is required and the recipe is not sound.
    """
    _check_catalogue(run)
    history = ingested(run, as_of=as_of)
    evaluation = evaluate_at(run, history, newest_evaluable(run, history, as_of))
    version = _refit(run, history, evaluation, as_of=as_of)
    if evaluation.is_sound:
        version = _registry(run).promote(version.version, promoted_for=as_of)
    elif require_promotion:
        raise PromotionError(
            f"retrain: version {version.version} was not promoted; log loss {evaluation.log_loss:.4f} against "
            f"{evaluation.constant_log_loss:.4f} of a constant. The champion in service stays."
        )
    return _retrained(evaluation, version, as_of=as_of, horizon_days=run.rule.horizon_days)


def nightly(run: Run, *, as_of: date, options: NightOptions) -> Mapping[str, Any]:
    """Score everybody, plan tonight's actions, and publish all of it or nothing.

    A published night is final: running it again verifies its files and says that nothing changed.

    Raises:
        ConfigError: if the night has not begun: published too early, it would keep the real one from running.
    """
    if as_of > options.today:
        raise ConfigError(
            f"nightly: {as_of} has not begun, today is {options.today}. Name an earlier --as-of."
        )
    _check_catalogue(run)
    history = ingested(run, as_of=as_of)
    earlier = published(run.workspace, as_of)
    if options.republish and as_of < options.today:
        raise ConfigError(f"nightly: {as_of} has passed and stays as published. Leave out --republish.")
    if earlier is not None and not options.republish and not earlier.damaged():
        return _unchanged(run, earlier)
    with (
        storage(run.workspace),
        tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}model-", dir=run.workspace) as scratch,
    ):
        registry = _registry(run)
        champion = _champion(run, registry, as_of, earlier, options, Path(scratch))
        frame = date_frame(run, history, as_of)
        series = level_series(run, history, champion.model.series_, until=as_of)
        inputs = NightInputs(
            history=history, champion=champion, frame=frame, series=series, accept_level=options.accept_level
        )
        answer, figures = publish_night(run, inputs)
        registry.log_night(as_of, figures)
        return answer


def _refit(run: Run, history: History, evaluation: Evaluation, *, as_of: date) -> ModelVersion:
    until = min(as_of, run.newest_day(history))
    known = training(run, history, until=until)
    run.progress(f"retrain as of {as_of}: fit on {len(known.churned):,} snapshots")
    model = fit(run, known)
    frame = date_frame(run, history, as_of)
    reference = model.calibrate(frame.population, reference=frame.reference, series=known.series)
    cells = fit_cells(run, frame, model, reference)
    run.progress("retrain: register the model")
    with (
        storage(run.workspace),
        tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}train-", dir=run.workspace) as scratch,
    ):
        folder = Path(scratch) / "model"
        model.save(folder)
        (folder / CARD).write_text(
            json.dumps({**_card(run, evaluation), "effect_cells": asdict(cells)}, indent=1, sort_keys=True)
        )
        return _registry(run).register(
            folder,
            reference=reference.to_json(),
            trained_through=model.trained_through_,
            metrics=_figures(evaluation),
            params={
                "horizon_days": run.rule.horizon_days,
                "snapshots": len(known.churned),
                "snapshots_before_cap": known.rows_before_cap,
                "features": known.features.shape[1],
                "dates": len(known.references),
            },
            config_digest=config_digest(run),
            dataset_digest=history.digest,
            tags={"recipe_digest": recipe_digest(run), "evaluated_at": evaluation.as_of.isoformat()},
        )


def _check_catalogue(run: Run) -> None:
    """Fail at once over a mistake that would otherwise show after training or scoring."""
    load_catalogue(run.config.actions.catalogue)


def _registry(run: Run) -> Registry:
    return Registry(run.workspace, run.config.registry)


def _champion(
    run: Run,
    registry: Registry,
    as_of: date,
    earlier: Manifest | None,
    options: NightOptions,
    scratch: Path,
) -> Champion:
    if earlier is not None and not options.republish:
        number = int(earlier.facts["model_version"])
    else:
        number = registry.champion_for(as_of, allow_later=options.allow_later_model).version
    run.progress(f"nightly {as_of}: model version {number}")
    files = registry.fetch(number, scratch / "model")
    version = files.version
    model = ChurnModel.load(files.model)
    is_later = version.usable_from > as_of
    return Champion(
        version,
        model.released() if is_later else model,
        DateReference.from_json(files.reference.read_text()),
        json.loads((files.model / CARD).read_text()),
        digest=folder_digest(files.model),
        is_later=is_later,
    )


def _card(run: Run, evaluation: Evaluation) -> dict[str, Any]:
    return {
        **evaluation.answer(run.rule.horizon_days),
        "calibration": [dict(row) for row in evaluation.calibration],
        "slices": [dict(row) for row in evaluation.slices],
        "constant_log_loss": evaluation.constant_log_loss,
    }


def _figures(evaluation: Evaluation) -> dict[str, float]:
    named = {
        f"{row['name']}.{metric}": float(value)
        for row in evaluation.models
        for metric, value in row.items()
        if isinstance(value, int | float)
    }
    return {**named, "constant.log_loss": evaluation.constant_log_loss, "churn_rate": evaluation.churn_rate}


def _retrained(
    evaluation: Evaluation, version: ModelVersion, *, as_of: date, horizon_days: int
) -> dict[str, Any]:
    promoted = version.promoted_for is not None
    words = (
        "promoted" if promoted else "not promoted: no better than a constant, the champion in service stays"
    )
    text = (
        f"{evaluation.lines()}\nversion {version.version}, trained through {version.trained_through}: {words}"
    )
    return {
        "as_of": as_of.isoformat(),
        "version": version.version,
        "promoted": promoted,
        "trained_through": version.trained_through.isoformat(),
        "log_loss": evaluation.log_loss,
        "constant_log_loss": evaluation.constant_log_loss,
        "evaluation": evaluation.answer(horizon_days),
        "text": text,
    }


def _unchanged(run: Run, manifest: Manifest) -> dict[str, Any]:
    page, facts = manifest.report("index.html"), manifest.facts
    vitals, total = facts["vitals"], facts["summary"]["total"]
    notes = []
    if facts["config"] != config_digest(run):
        notes.append("the configuration has changed since; a published night stays as it is")
    return {
        "as_of": manifest.as_of.isoformat(),
        "changed": False,
        "model_version": facts["model_version"],
        **{name: vitals[name] for name in ("customers", "at_risk", "level")},
        **{name: total[name] for name in ("planned", "sent", "withheld", "cost")},
        "notes": notes,
        "page": str(page),
        "text": "\n".join(
            [f"{manifest.as_of} is published and whole; nothing changed. Page: {page}"]
            + [f"note: {note}" for note in notes]
        ),
    }
