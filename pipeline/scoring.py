"""Churn risk, value and place of every customer at one date."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.effects import EffectCells
from models.churn import ChurnModel
from models.level import LevelSeries
from models.reference import DateReference
from models.segments import segments_of
from models.value import ValueReference, customer_values
from pipeline.attributes import customer_ids
from pipeline.run import Run
from pipeline.snapshots import DateFrame
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

    The model speaks for the population it was trained on; for customers who lapsed BG/NBD does, and for
    those who never bought the population's rate.
    """
    features = frame.features[list(model.feature_names_in_)]
    population = features[frame.in_population]
    reference = model.calibrate(population, reference=frame.reference, series=series)
    risk, source = _risks(frame, features, model, reference)
    values = customer_values(frame.features, reference=reference, settings=run.config.value)
    table = pd.DataFrame(
        {
            "customer_id": customer_ids(history, frame.customer),
            "as_of": pd.Timestamp(frame.as_of),
            "churn_risk": risk,
            "risk_source": source,
            "margin": values.margin,
            "clv": values.clv,
            "lifecycle": lifecycles(frame, active_within_days=run.config.churn.active_within_days),
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


def fit_cells(run: Run, frame: DateFrame, model: ChurnModel, reference: DateReference) -> EffectCells:
    """Cut the population of a retraining's date into the cells in which effects are believed and measured."""
    values = customer_values(frame.features, reference=reference, settings=run.config.value)
    population = frame.population[list(model.feature_names_in_)]
    scored = pd.DataFrame(
        {
            "churn_risk": model.predict_proba(population, reference=reference)[:, 1],
            "risk_source": MODEL,
            "margin": values.margin[frame.in_population],
        }
    )
    return EffectCells.fit(scored)


def lifecycles(frame: DateFrame, *, active_within_days: int) -> npt.NDArray[np.object_]:
    """Say where each customer stands: new, active, at_risk (late), lapsed, returned or never_bought.

    Late is more than one and a half of the customer's own usual pause; returned is a pause longer than
    ``active_within_days`` before the last order; new is a first order within 60 days.
    """
    features = frame.features
    late = features["days_since_last_over_own_gap"].to_numpy() > 1.5
    returned = features["gap_days_last"].to_numpy() > active_within_days
    fresh = features["days_since_first_order"].to_numpy() < 60
    bought = features["purchase_days_total"].to_numpy() > 0
    return np.select(
        [~bought, ~frame.in_population, late, returned, fresh],
        ["never_bought", "lapsed", "at_risk", "returned", "new"],
        default="active",
    ).astype(object)


def _risks(
    frame: DateFrame, features: pd.DataFrame, model: ChurnModel, reference: DateReference
) -> tuple[Floats, npt.NDArray[np.object_]]:
    level = reference.level
    risk = np.full(len(features), level.level if level else np.nan)
    source = np.full(len(features), RATE, dtype=object)
    bought = frame.features["purchase_days_total"].to_numpy() > 0
    lapsed = bought & ~frame.in_population
    if lapsed.any():
        risk[lapsed] = reference.no_purchase(frame.features[lapsed])
        source[lapsed] = PRIOR
    here = frame.in_population
    risk[here] = model.predict_proba(features[here], reference=reference)[:, 1]
    source[here] = MODEL
    return risk, source
