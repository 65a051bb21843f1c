"""The weekly retraining: evaluate the recipe, refit it on all settled dates, register, and promote what is sound."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from actions.catalogue import load_catalogue
from models.deployment import ModelVersion
from models.registry import Registry
from pipeline.evaluating import Evaluation, evaluate_at, fit, newest_evaluable
from pipeline.run import Run
from pipeline.scoring import fit_cells
from pipeline.snapshots import date_frame, training
from pipeline.steps import config_digest, ingested, recipe_digest
from tables.errors import PromotionError
from tables.history import History
from tables.storage import TEMPORARY, storage

CARD = "card.json"


def retrain(run: Run, *, as_of: date, require_promotion: bool = False) -> Mapping[str, Any]:
    """Evaluate at the newest settled date, refit on all settled dates, register, and promote if sound.

    Raises:
        DataError: if no date can be trained on; names the earliest one.
        PromotionError: if promotion is required and the recipe is not sound.
    """
    load_catalogue(run.config.actions.catalogue)  # a mistake there fails before training
    history = ingested(run, as_of=as_of)
    evaluation = evaluate_at(run, history, newest_evaluable(run, history, as_of))
    version = _refit(run, history, evaluation, as_of=as_of)
    if evaluation.is_sound:
        version = Registry(run.workspace, run.config.registry).promote(version.version, promoted_for=as_of)
    elif require_promotion:
        raise PromotionError(
            f"retrain: version {version.version} was not promoted; log loss {evaluation.log_loss:.4f} against "
            f"{evaluation.constant_log_loss:.4f} of a constant. The champion in service stays."
        )
    return _retrained(evaluation, version, as_of=as_of, horizon_days=run.rule.horizon_days)


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
        return Registry(run.workspace, run.config.registry).register(
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
