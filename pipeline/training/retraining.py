"""The weekly retraining: choose the recipe, refit it on all settled dates, register, promote what is sound, report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from actions.catalogue import load_catalogue
from models.churn import ChurnModel
from models.deployment import ModelVersion, folder_digest, newest_promotion, promotion_order
from models.reference import DateReference
from models.registry import Registry
from pipeline.learning.uplift import learn_uplift
from pipeline.pages.challenge_page import challenge_page
from pipeline.pages.model_page import training_report
from pipeline.retrain_folder import CHALLENGE, REPORT, as_json, settle, stage
from pipeline.run import Run
from pipeline.scoring import fit_cells
from pipeline.snapshots import Training, date_frame, training
from pipeline.steps import config_digest, ingested
from pipeline.training.choosing import CARD, Choice, choose
from pipeline.training.evaluating import Evaluation, fit, judge, newest_evaluable, try_at
from pipeline.training.leak_check import check_leaks
from pipeline.training.model_card import model_card
from pipeline.training.recipe import Recipe
from tables.errors import PromotionError
from tables.history import History

_OF_THE_DAY = ("recipe_words", "challenge", "ablation", "profit")
"""What a card tells of rivals and of the catalogue: the same model keeps its version though these have changed."""


@dataclass(frozen=True)
class Trained:
    """A model trained on everything settled, before it is registered.

    Attributes:
        known: the labelled snapshots.
        model: the model.
        reference: what the date of the retraining says about everybody, the level's forecast included.
        card: what a version tells of itself.
        recipe: how it was trained.
    """

    known: Training
    model: ChurnModel
    reference: DateReference
    card: Mapping[str, Any]
    recipe: Recipe


def retrain(
    run: Run, *, as_of: date, require_promotion: bool = False, accept_recipe: bool = False
) -> Mapping[str, Any]:
    """Choose the recipe, refit it on all settled dates, register, promote if sound, and write the report.

    A run that is killed leaves the champion in service; the same run again takes up the version it registered.

    Args:
        run: the run, holding the workspace.
        as_of: the date to retrain for.
        require_promotion: fail where no model is promoted.
        accept_recipe: take the configured recipe whatever the comparison with the champion's says.

    Raises:
        DataError: if no date can be trained on; names the earliest one.
        LeakageError: if a feature knows the future; names it.
        PromotionError: if promotion is required and no model is promoted.
    """
    catalogue = load_catalogue(run.config.actions.catalogue)  # a mistake there fails before training
    history = run.as_known(ingested(run, as_of=as_of), as_of=as_of)
    registry = Registry(run.workspace, run.config.registry)
    newest = try_at(run, history, newest_evaluable(run, history, as_of))
    leaks = check_leaks(run, history, newest)
    choice = choose(run, history, newest, registry, as_of=as_of, accept=accept_recipe)
    if not choice.is_configured:
        leaks = check_leaks(choice.run, history, choice.trial)
    evaluation = judge(choice.run, choice.trial)
    trained = _refit(choice, history, evaluation, {"leaks": leaks.answer()}, as_of=as_of)
    version = _register(run, registry, history, trained, evaluation)
    serves, stays = _service_words(registry, version, as_of), _staying_words(registry)
    outcome = _outcome(choice, evaluation, version, accepted=accept_recipe, serves=serves, stays=stays)
    card = {
        **trained.card,
        "version": version.version,
        "promoted": outcome.promoted,
        "outcome": outcome.words,
    }
    learnt = learn_uplift(run, history, catalogue, as_of=as_of)
    staged = stage(run.workspace, as_of, {**_files(choice, card), **learnt.files()})
    if outcome.promoted:
        registry.promote(version.version, promoted_for=as_of)
    registry.attach(version.version, staged)
    page = settle(staged, run.workspace, as_of) / REPORT
    if require_promotion and not outcome.promoted:
        raise PromotionError(
            f"retrain: version {version.version} was not promoted; {outcome.words} See {page}."
        )
    return _answer(choice, evaluation, version, card, uplift=learnt.words, page=str(page), as_of=as_of)


def _refit(
    choice: Choice, history: History, evaluation: Evaluation, facts: Mapping[str, Any], *, as_of: date
) -> Trained:
    run = choice.run
    known = training(run, history, until=run.newest_day(history))
    run.progress(f"retrain as of {as_of}: fit on {len(known.churned):,} snapshots")
    is_newest = choice.trial.reference.as_of == max(known.references)
    model = fit(run, known, earlier=choice.trial.model if is_newest else None)
    frame = date_frame(run, history, as_of)
    population = frame.population[known.features.columns]
    reference, risk = model.calibrate_predict(population, reference=frame.reference, series=known.series)
    recipe, told = Recipe.of(run, history), choice.challenge_answer()
    card = model_card(
        run, history, choice.trial, evaluation, known=known, model=model, reference=reference, as_of=as_of
    )
    return Trained(
        known,
        model,
        reference,
        {
            **card,
            **facts,
            "recipe": recipe.to_json(),
            "recipe_words": list(choice.words),
            **({"challenge": told} if told else {}),
            "effect_cells": asdict(fit_cells(run, frame, risk, reference)),
        },
        recipe,
    )


def _register(
    run: Run, registry: Registry, history: History, trained: Trained, evaluation: Evaluation
) -> ModelVersion:
    run.progress("retrain: register the model")
    with registry.connection.scratch() as scratch:
        folder = scratch / "model"
        trained.model.save(folder)
        lasting = {name: value for name, value in trained.card.items() if name not in _OF_THE_DAY}
        content = f"{folder_digest(folder)} {trained.reference.to_json()} {as_json(lasting)}"
        (folder / CARD).write_text(json.dumps(trained.card, indent=1, sort_keys=True))
        return registry.register(
            folder,
            reference=trained.reference.to_json(),
            trained_through=trained.model.trained_through_,
            metrics=_figures(evaluation),
            params={
                "horizon_days": run.rule.horizon_days,
                "snapshots": len(trained.known.churned),
                "snapshots_before_cap": trained.known.rows_before_cap,
                "features": trained.known.features.shape[1],
                "dates": len(trained.known.references),
            },
            config_digest=config_digest(run),
            dataset_digest=history.digest,
            recipe_digest=trained.recipe.digest,
            content_digest=hashlib.sha256(content.encode()).hexdigest(),
            tags={"evaluated_at": evaluation.as_of.isoformat()},
        )


def _figures(evaluation: Evaluation) -> dict[str, float]:
    named = {
        f"{row['name']}.{metric}": float(value)
        for row in evaluation.models
        for metric, value in row.items()
        if isinstance(value, int | float)
    }
    return {**named, "constant.log_loss": evaluation.constant_log_loss, "churn_rate": evaluation.churn_rate}


@dataclass(frozen=True)
class _Outcome:
    promoted: bool
    words: str


def _outcome(
    choice: Choice,
    evaluation: Evaluation,
    version: ModelVersion,
    *,
    accepted: bool,
    serves: str,
    stays: str,
) -> _Outcome:
    """Say whether a version goes into service, and why not."""
    if not evaluation.is_sound:
        return _Outcome(
            False,
            f"Log loss {evaluation.log_loss:.4f} against {evaluation.constant_log_loss:.4f} of a constant. {stays}",
        )
    if not choice.may_serve:
        return _Outcome(False, f"This recipe serves by a person's word alone. {stays}")
    if version.withdrawn and not accepted:
        why = f" ({version.withdrawn_because})" if version.withdrawn_because else ""
        return _Outcome(False, f"This very model was rolled back before{why}. {stays}")
    return _Outcome(True, serves)


def _staying_words(registry: Registry) -> str:
    """Say what serves where a version does not go into service."""
    serving = newest_promotion(registry.versions())
    return "The champion in service stays." if serving else "Still no model is in service."


def _service_words(registry: Registry, version: ModelVersion, as_of: date) -> str:
    """Say when a version promoted for a date serves: one promoted for a later date goes before it."""
    newest = newest_promotion(registry.versions())
    if newest is None or promotion_order(newest) <= (as_of, version.version):
        return "In service from the next night on."
    return (
        f"In service for earlier nights alone: version {newest.version}, promoted for {newest.promoted_for}, goes on "
        "serving the next one."
    )


def _files(choice: Choice, card: Mapping[str, Any]) -> dict[str, str]:
    files = {CARD: as_json(card), REPORT: training_report(card)}
    answer = choice.challenge_answer()
    if answer is None:
        return files
    return {
        **files,
        f"{CHALLENGE}.json": as_json(answer),
        f"{CHALLENGE}.html": challenge_page(answer, business=card["business"], as_of=card["trained_for"]),
    }


def _answer(
    choice: Choice,
    evaluation: Evaluation,
    version: ModelVersion,
    card: Mapping[str, Any],
    *,
    uplift: Sequence[str],
    page: str,
    as_of: date,
) -> dict[str, Any]:
    promoted = "promoted" if card["promoted"] else "not promoted"
    table = [choice.challenge.lines()] if choice.challenge else []
    state = (
        f"version {version.version}, trained through {version.trained_through}: {promoted}. {card['outcome']}"
    )
    return {
        "as_of": as_of.isoformat(),
        "version": version.version,
        "promoted": card["promoted"],
        "outcome": card["outcome"],
        "recipe": "configured" if choice.is_configured else "champion",
        "recipe_words": list(choice.words),
        "challenge": choice.challenge_answer(),
        "leaks": card["leaks"],
        "trained_through": version.trained_through.isoformat(),
        "log_loss": evaluation.log_loss,
        "constant_log_loss": evaluation.constant_log_loss,
        "evaluation": evaluation.answer(choice.run.rule.horizon_days),
        "uplift": list(uplift),
        "page": page,
        "text": "\n".join([evaluation.lines(), *table, *choice.words, *uplift, state, f"Report: {page}"]),
    }
