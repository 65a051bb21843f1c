"""Models that tell single customers apart by what an action does for them: tried at retrainings, used by nights."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.assignments import CONTROL, EXPLORED, SENT
from actions.catalogue import Action, Catalogue
from actions.learning.believing import LearningSettings, Uplift, cell_beliefs
from actions.learning.effects import MODEL
from actions.learning.evidence import tally
from actions.regions import region_weights
from actions.value import expected_cost
from models.uplift.model import FittedUplift, Today, UpliftModel, fit_uplift
from models.uplift.trees import Array
from pipeline.learning.outcomes import units_of_actions
from pipeline.retrain_folder import AREA, retrain_folder
from pipeline.run import Run
from pipeline.scoring import Scored
from tables.history import History
from tables.publish import published
from tables.storage import read_table

FILE = "uplift.json"
PLANNED_FEATURES = "planned_features"
REACH = (0.1, 0.5)
MARGIN_CAP = 0.995
"""A few customers of huge margin would decide by themselves: as in measurement, the largest are cut."""


@dataclass(frozen=True)
class UpliftModels:
    """The models of one retraining.

    Attributes:
        models: by action id, those that may serve.
        decisions: by action id, why each serves or does not.
    """

    models: Mapping[str, UpliftModel]
    decisions: Mapping[str, Mapping[str, Any]]

    def to_json(self) -> str:
        """Write models and decisions as text."""
        models = {name: json.loads(model.to_json()) for name, model in self.models.items()}
        return json.dumps({"decisions": self.decisions, "models": models}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "UpliftModels":
        """Read what ``to_json`` wrote."""
        stored = json.loads(text)
        models = {name: UpliftModel.from_json(json.dumps(each)) for name, each in stored["models"].items()}
        return cls(models, stored["decisions"])

    def files(self) -> dict[str, str]:
        """Return what a retraining leaves behind: models and decisions, nothing where no action was tried."""
        return {FILE: self.to_json()} if self.decisions else {}

    @property
    def words(self) -> tuple[str, ...]:
        """Say what became of each action, one sentence each."""
        return tuple(f"{action}: {told['words']}" for action, told in sorted(self.decisions.items()))


def learn_uplift(run: Run, history: History, catalogue: Catalogue, *, as_of: date) -> UpliftModels:
    """Train one model for every action with enough settled units, on the features of its planned nights.

    Only units of the last year that the churn model scored on their night count: the models serve customers like
    them alone.

    Args:
        run: the run.
        history: the validated history.
        catalogue: its actions are tried; outcomes of others are left alone.
        as_of: date of the retraining; only outcomes settled by then are used.
    """
    units = units_of_actions(run, history, list(catalogue.actions.values()), as_of=as_of)
    compared = units[(units["withheld_share"] > 0) & units["arm"].isin([SENT, CONTROL])]
    compared = compared[compared["action"].isin(catalogue.actions) & (compared["risk_source"] == MODEL)]
    counts = compared["action"].value_counts()
    least = run.config.actions.learning.uplift_from_units
    fitted = {}
    for name in sorted(str(each) for each, count in counts.items() if count >= least):
        run.progress(f"retrain as of {as_of}: what {name} does for whom")
        if found := _fit(run, compared[compared["action"] == name], catalogue.actions[name]):
            fitted[name] = found
    models = {action: one.model for action, one in fitted.items() if one.model is not None}
    return UpliftModels(models, {action: one.decision.as_dict() for action, one in fitted.items()})


def features_of_planned(scored: Scored, plan: pd.DataFrame) -> pd.DataFrame:
    """Return what was known of the customers whose actions were drawn: one row each with all features, 32-bit floats.

    Args:
        scored: everybody, sorted by ``customer_id``.
        plan: tonight's plan.
    """
    drawn = plan["arm"].isin([SENT, CONTROL, EXPLORED]) & (plan["propensity"] < 1)
    planned = plan.loc[drawn, "customer_id"]
    inside = scored.table["customer_id"].isin(planned).to_numpy()
    numbers = scored.features[inside].select_dtypes(["number", "bool"]).astype(np.float32)
    return pd.concat([scored.table.loc[inside, ["customer_id"]], numbers], axis=1).reset_index(drop=True)


def as_known_then(run: Run, units: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the features of the customers as they were known on each unit's first planned night.

    Args:
        run: the run.
        units: settled units.

    Returns:
        The units of nights that published features, oldest first, and row by row the features that all of
        those nights know.
    """
    found, known = [units.iloc[:0]], []
    for stamp, rows in units.groupby("planned_on", sort=True):
        manifest = published(run.workspace, pd.Timestamp(stamp).date())
        if manifest is not None and PLANNED_FEATURES in manifest.tables:
            features = read_table(manifest.table(PLANNED_FEATURES)).set_index("customer_id")
            found.append(rows[rows["customer_id"].isin(features.index)])
            known.append(features.loc[found[-1]["customer_id"]])
    features = pd.concat(known, join="inner") if known else pd.DataFrame()
    return pd.concat(found, ignore_index=True), features.reset_index(drop=True)


def reached(run: Run, units: pd.DataFrame, action: Action) -> float:
    """Return the share of those open to an action for whom it was planned, over the nights of its units.

    Each night chooses anew among those it is open to, so that this is how finely a ranking must choose. It is kept
    within ``REACH``: below, too few customers would speak; above, any two rankings choose nearly alike.

    Args:
        run: the run.
        units: settled units of the action.
        action: the action.
    """
    planned, eligible = 0, 0
    for stamp in units["planned_on"].unique():
        if manifest := published(run.workspace, pd.Timestamp(stamp).date()):
            told = manifest.facts["summary"]["actions"]
            planned += sum(row["planned"] for row in told if row["action"] == action.id)
            eligible += manifest.facts["blocked"][action.id].get("eligible", 0)
    return float(np.clip(planned / max(eligible, 1), *REACH))


def cell_rule(units: pd.DataFrame, action: Action, settings: LearningSettings) -> Today:
    """Return today's rule: what is believed by cell of each unit's action once some of the units have settled.

    Args:
        units: settled units of the action.
        action: what the catalogue says of it.
        settings: when outcomes count.
    """
    expected = units.groupby("cell")["churn_risk"].mean().to_dict()
    weight = region_weights([action], units)[:, 0]

    def believed_of(seen: npt.NDArray[np.bool_]) -> Array:
        tallied = tally(units[seen], [action])
        beliefs = cell_beliefs(tallied, [action], settings, expected=expected)
        place = pd.Index(beliefs.cells).get_indexer(units["cell"])
        return np.asarray(beliefs.after[0].mean[place] * weight)

    return believed_of


def _fit(run: Run, units: pd.DataFrame, action: Action) -> FittedUplift | None:
    rows, features = as_known_then(run, units)
    if rows.empty:
        return None
    treated = (rows["arm"] == SENT).to_numpy()
    learning = run.config.actions.learning
    newest = max(learning.uplift_from_units, len(rows) // 2)
    return fit_uplift(
        features,
        rows["churned"],
        treated,
        1 - rows["withheld_share"],
        seed=run.config.seed,
        unit=rows["unit"],
        judged=np.arange(len(rows)) >= len(rows) - newest,
        share=reached(run, rows, action),
        margin=np.minimum(rows["margin"], rows["margin"].quantile(MARGIN_CAP)),
        cost=expected_cost(action),
        today=cell_rule(rows, action, learning),
    )


def uplift_models(root: Path, as_of: date) -> UpliftModels:
    """Return the models of the newest retraining up to a date; none where it confirmed none.

    Args:
        root: folder of the workspace.
        as_of: the night.
    """
    days = sorted(folder.name.removeprefix("as_of=") for folder in (root / AREA).glob("as_of=*"))
    usable = [day for day in days if date.fromisoformat(day) <= as_of]
    path = retrain_folder(root, date.fromisoformat(usable[-1])) / FILE if usable else None
    if path is None or not path.exists():
        return UpliftModels({}, {})
    return UpliftModels.from_json(path.read_text())


def uplifts(models: UpliftModels, features: pd.DataFrame) -> dict[str, Uplift]:
    """Apply the models to all rows; one whose features the configuration no longer gives waits for a retraining."""
    usable = {
        action: model for action, model in models.models.items() if set(model.features) <= set(features)
    }
    return {
        action: model.uplift_and_error(features[list(model.features)]) for action, model in usable.items()
    }
