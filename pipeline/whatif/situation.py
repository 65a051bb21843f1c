"""A night scored again in memory: what any plan for it is made from, read from the workspace and written nowhere."""

import json
from dataclasses import dataclass
from datetime import date

from actions.learning.effects import EffectCells
from models.churn import ChurnModel
from models.deployment import Deployments, choose_champion
from pipeline.handover.delivery_log import DeliveryLog
from pipeline.planning import Prepared, prepare_night
from pipeline.reading.model import ModelReader
from pipeline.run import Run
from pipeline.scoring import Scored, score
from pipeline.snapshots import date_frame, level_series
from pipeline.training.recipe import serving_run
from tables.errors import ConfigError
from tables.history import History
from tables.publish import Manifest, published, published_dates


@dataclass(frozen=True)
class Situation:
    """Everybody on one night, ready to be planned for in any way.

    Attributes:
        as_of: the night.
        history: the validated history.
        scored: everybody, scored as the night scores them.
        cells: cells of the effects, cut at the retraining.
        published: the night's manifest, where it is published.
    """

    as_of: date
    history: History
    scored: Scored
    cells: EffectCells
    published: Manifest | None

    def prepared(self, run: Run) -> Prepared:
        """Apply a configuration's rules to the night, for any budget; nothing is published or kept."""
        return prepare_night(run, self.history, self.scored, as_of=self.as_of, cells=self.cells)


def situation(run: Run, *, as_of: date | None, today: date) -> Situation:
    """Score a night again from the history and the model in service, without reading the sources anew.

    Args:
        run: the run.
        as_of: the night; the newest published one if not given, today where there is none.
        today: the day it is.

    Raises:
        ConfigError: if a later night is published: nobody can be planned for any more.
        RegistryError: if no model is in service, or its files are not those that were promoted.
    """
    nights = published_dates(run.workspace)
    day = as_of or (nights[-1] if nights else today)
    if nights and nights[-1] > day:
        raise ConfigError(
            f"whatif: {day} lies before {nights[-1]}, which is published; its plan cannot be made any more. "
            f"Ask about {nights[-1]} or later."
        )
    history = DeliveryLog(run.workspace).without_later(
        History.open(run.history_root), run.config.sources, cutoff=run.calendar.known_cutoff(day)
    )
    manifest = published(run.workspace, day)
    reader, is_later = _model(run, manifest, day)
    model: ChurnModel = reader.churn_model.released() if is_later else reader.churn_model
    trained_by = serving_run(run, history, reader.card)
    run.progress(f"whatif {day}: features of everybody")
    frame = date_frame(trained_by, history, day)
    series = level_series(trained_by, history, model.series_, until=day)
    scored = score(run, history, frame, model, series=series)
    return Situation(
        day, history, scored, EffectCells.from_json(json.dumps(reader.card["effect_cells"])), manifest
    )


def _model(run: Run, manifest: Manifest | None, day: date) -> tuple[ModelReader, bool]:
    """Take the model of the published night, or the one the night would take."""
    deployments = Deployments(run.workspace)
    if manifest is not None:
        version = deployments.version(int(manifest.facts["model_version"]))
        return ModelReader(run.workspace, version), bool(manifest.facts["is_later_model"])
    return ModelReader(run.workspace, choose_champion(deployments.versions(), day)), False
