"""Churn risk, value and place of every customer at one date."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.learning.effects import EffectCells
from models.churn import ChurnModel
from models.level import LevelSeries
from models.reference import DateReference
from models.segments import segments_of
from models.value import CustomerValues, ValueReference
from pipeline.attributes import customer_ids
from pipeline.kinds import kind_of
from pipeline.run import Run
from pipeline.snapshots import DateFrame
from tables.errors import ConfigError
from tables.history import History

Floats = npt.NDArray[np.float64]
MODEL, PRIOR, RATE = "model", "bgnbd", "population_rate"


@dataclass(frozen=True)
class Scored:
    """Everybody at one date, scored.

    Attributes:
        table: one row per customer, sorted by ``customer_id``: the published scores.
        features: feature columns in the same order.
        reference: what the date says about everybody, with its level.
        risk_thirds: the two risks that part the population into thirds.
        values: what the date says about everybody's value.
    """

    table: pd.DataFrame
    features: pd.DataFrame
    reference: DateReference
    risk_thirds: tuple[float, float]
    values: ValueReference


def score(run: Run, history: History, frame: DateFrame, model: ChurnModel, *, series: LevelSeries) -> Scored:
    """Score everybody with a visible row at the frame's date.

    The model speaks for the population it was trained on. For customers who lapsed BG/NBD does; for those who
    never bought, and with contracts for everybody without one, the population's rate.
    """
    reference, watched = model.calibrate_predict(
        _population(frame, model), reference=frame.reference, series=series
    )
    return scored_with(run, history, frame, watched, reference)


def scored_with(
    run: Run, history: History, frame: DateFrame, watched: Floats, reference: DateReference
) -> Scored:
    """Score everybody at the frame's date, the churn risk of the population being given."""
    kind = kind_of(run.rule)
    risk, source, values = _valued(run, frame, watched, reference)
    table = pd.DataFrame(
        {
            "customer_id": customer_ids(history, frame.customer),
            "as_of": pd.Timestamp(frame.as_of),
            "churn_risk": risk,
            "risk_source": source,
            "margin": values.margin,
            "clv": values.clv,
            "lifecycle": kind.lifecycles(frame),
        }
    )
    table = table.join(segments_of(frame.features, reference.rfm_edges).set_index(table.index))
    cuts = np.quantile(risk[frame.in_population], (1 / 3, 2 / 3))
    order = np.argsort(table["customer_id"].to_numpy(), kind="stable")
    return Scored(
        table=table.iloc[order].reset_index(drop=True),
        features=frame.features.iloc[order].reset_index(drop=True),
        reference=reference,
        risk_thirds=(float(cuts[0]), float(cuts[1])),
        values=values.fitted,
    )


def margins(run: Run, frame: DateFrame, watched: Floats, reference: DateReference) -> Floats:
    """Return what keeping each customer of the frame is worth, the churn risk of the population being given."""
    return _valued(run, frame, watched, reference)[2].margin


def _population(frame: DateFrame, model: ChurnModel) -> pd.DataFrame:
    """Take the features the model was trained on, or say that the configuration no longer gives them."""
    missing = [name for name in model.feature_names_in_ if name not in frame.features]
    if missing:
        some = ", ".join(repr(str(name)) for name in missing[:3])
        raise ConfigError(
            f"score: the model in service reads {len(missing)} features that the configuration no longer gives, "
            f"such as {some}. Put back the source, the window or the listed type they come from, or run "
            "`keepwell retrain` first."
        )
    return frame.population[list(model.feature_names_in_)]


def fit_cells(run: Run, frame: DateFrame, watched: Floats, reference: DateReference) -> EffectCells:
    """Cut everybody at a retraining's date into the cells in which effects are believed and measured.

    Args:
        run: the run.
        frame: everybody at the date.
        watched: churn risk of the population.
        reference: the date's reference with its level.
    """
    risk, source, values = _valued(run, frame, watched, reference)
    return EffectCells.fit(pd.DataFrame({"churn_risk": risk, "risk_source": source, "margin": values.margin}))


def _valued(
    run: Run, frame: DateFrame, watched: Floats, reference: DateReference
) -> tuple[Floats, npt.NDArray[np.object_], CustomerValues]:
    kind = kind_of(run.rule)
    risk, source = _risks(frame, watched, reference, foreseen=kind.foreseen(frame))
    return risk, source, kind.values(frame, risk, reference=reference, settings=run.config.value)


def _risks(
    frame: DateFrame, watched: Floats, reference: DateReference, *, foreseen: npt.NDArray[np.bool_]
) -> tuple[Floats, npt.NDArray[np.object_]]:
    level = reference.level
    risk = np.full(len(frame.features), level.level if level else np.nan)
    source = np.full(len(risk), RATE, dtype=object)
    if foreseen.any():
        risk[foreseen] = reference.no_purchase(frame.features[foreseen])
        source[foreseen] = PRIOR
    here = frame.in_population
    risk[here] = watched
    source[here] = MODEL
    return risk, source
