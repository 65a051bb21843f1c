"""The flows of a business day: evaluate, and score and plan every night; the weekly retraining is next door.

Each reads like the picture in the README: sources -> history -> features -> scores -> plan -> page.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from actions.catalogue import load_catalogue
from models.churn import ChurnModel
from models.deployment import folder_digest
from models.reference import DateReference
from models.registry import Registry
from pipeline.night import Champion, NightInputs, publish_night
from pipeline.run import Run
from pipeline.snapshots import date_frame, level_series
from pipeline.steps import config_digest, ingested
from pipeline.training.ablating import ablate, keep_ablation
from pipeline.training.choosing import CARD
from pipeline.training.comparing import Comparison, compare_without
from pipeline.training.evaluating import Evaluation, evaluate_at, newest_evaluable
from pipeline.training.recipe import serving_run
from tables.errors import ConfigError, LeakageError
from tables.publish import Manifest, published
from tables.storage import TEMPORARY, storage


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


def evaluate(
    run: Run, *, as_of: date | None, without: Sequence[str] = (), ablated: bool = False
) -> Mapping[str, Any]:
    """Compare the recipe with its rivals at one date; at the newest settled one if none is given.

    Args:
        run: the run.
        as_of: the date.
        without: compare the recipe with itself less the features of these tables instead.
        ablated: compare it with itself less each of its ingredients instead.
    """
    history = ingested(run)
    newest = newest_evaluable(run, history, run.calendar.day_of(run.now))
    if as_of is not None and as_of > newest:
        raise LeakageError(
            f"evaluate: the outcome of {as_of} is not settled; the newest settled date is {newest}. "
            f"Evaluate at {newest} or earlier."
        )
    day = as_of or newest
    if ablated:
        return _told(run, keep_ablation(run, history, ablate(run, history, day)))
    return _told(
        run, compare_without(run, history, day, without) if without else evaluate_at(run, history, day)
    )


def _told(run: Run, found: Evaluation | Comparison) -> dict[str, Any]:
    return {**found.answer(run.rule.horizon_days), "text": found.lines()}


def nightly(run: Run, *, as_of: date, options: NightOptions) -> Mapping[str, Any]:
    """Score everybody, plan tonight's actions, and publish all of it or nothing.

    A published night is final: running it again verifies its files and says that nothing changed, or makes
    damaged ones again with the same bytes.

    Raises:
        ConfigError: if the night has not begun: published too early, it would keep the real one from running.
        GateError: if a damaged night would not come out as it was published.
    """
    if as_of > options.today:
        raise ConfigError(
            f"nightly: {as_of} has not begun, today is {options.today}. Name an earlier --as-of."
        )
    load_catalogue(run.config.actions.catalogue)  # a mistake there fails before scoring
    history = ingested(run, as_of=as_of)
    earlier = None if options.republish else published(run.workspace, as_of)
    if options.republish and as_of < options.today:
        raise ConfigError(f"nightly: {as_of} has passed and stays as published. Leave out --republish.")
    if earlier is not None and not earlier.damaged():
        return _unchanged(run, earlier)
    with (
        storage(run.workspace),
        tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}model-", dir=run.workspace) as scratch,
    ):
        registry = Registry(run.workspace, run.config.registry)
        champion = _champion(run, registry, as_of, earlier, options, Path(scratch))
        trained_by = serving_run(run, history, champion.card)
        frame = date_frame(trained_by, history, as_of)
        series = level_series(trained_by, history, champion.model.series_, until=as_of)
        inputs = NightInputs(
            history=history,
            champion=champion,
            frame=frame,
            series=series,
            accept_level=options.accept_level or (earlier is not None and earlier.facts["accepted_level"]),
            as_published=earlier,
        )
        answer, figures = publish_night(run, inputs)
        registry.log_night(as_of, figures)
        return answer


def _champion(
    run: Run,
    registry: Registry,
    as_of: date,
    earlier: Manifest | None,
    options: NightOptions,
    scratch: Path,
) -> Champion:
    if earlier is not None:
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
