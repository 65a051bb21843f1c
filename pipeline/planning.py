"""From scores to tonight's plan: what the rules allow, what it is worth, who is left out on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.allocation.budget import BudgetSettings, already_planned
from actions.allocation.impossible import refuse_contradictions
from actions.catalogue import Catalogue, load_catalogue
from actions.experiment.units import units_of
from actions.learning.believing import ActionBelief, Beliefs
from actions.learning.effects import EffectCells
from actions.plan import Plan, make_plan
from actions.rules.contacts import contact_ledger
from actions.rules.eligibility import Eligibility, eligibility
from actions.rules.reasons import Reason
from pipeline.answering import event_answers
from pipeline.attributes import history_table
from pipeline.kinds import kind_of
from pipeline.learning.tonight import beliefs_tonight, without_stopped
from pipeline.run import Run
from pipeline.scoring import MODEL, Scored
from tables.history import History
from tables.publish import published, published_dates
from tables.storage import read_tables

LOOK_BACK_DAYS = 365
# What masks, budget and cells need of a night; the sentences of its reasons are most of its bytes.
_PLAN_COLUMNS = (
    "customer_id",
    "as_of",
    "planned_action",
    "action",
    "arm",
    "channel",
    "expected_cost",
    "cell",
    "unit",
    "salt",
)
_TOO_LATE = "a later night is published already: this one is scored, and nobody is planned for"
_SALT_COLUMNS = ("customer_id", "unit", "planned_action", "arm")
_OWN_COLUMNS = (
    "churn_risk",
    "risk_source",
    "margin",
    "segment",
    "recency_score",
    "frequency_score",
    "monetary_score",
    "lifecycle",
)


@dataclass(frozen=True)
class Planned:
    """Tonight's plan and what it was made from.

    Attributes:
        plan: the plan.
        eligible: who may get what, and why not.
        tonight: money for tonight.
        beliefs: what is believed of each action, and whether its outcomes stopped it.
    """

    plan: Plan
    eligible: Eligibility
    tonight: float
    beliefs: tuple[ActionBelief, ...]


@dataclass(frozen=True)
class Prepared:
    """All of a night's plan but the money.

    Attributes:
        as_of: the night.
        customers: one row per customer, sorted by id.
        eligible: who may get what, and why not.
        beliefs: what is believed of each pair.
        of_salt: rows of earlier nights that the same salt decided.
        spent: expected cost of what earlier nights of the budget's period have sent, currency units.
    """

    as_of: date
    customers: pd.DataFrame
    eligible: Eligibility
    beliefs: Beliefs
    of_salt: pd.DataFrame
    spent: float

    def plan(self, run: Run, budget: BudgetSettings) -> Planned:
        """Plan the night under a budget."""
        settings = run.config.actions
        tonight = budget.tonight(self.as_of, planned=self.spent)
        plan = make_plan(
            self.customers,
            self.eligible,
            self.beliefs.effects,
            as_of=self.as_of,
            control=settings.control,
            budget=tonight,
            shared=settings,
            earlier=self.of_salt,
            seed=run.config.seed,
        )
        return Planned(plan, self.eligible, tonight, self.beliefs.told)


def plan_night(run: Run, history: History, scored: Scored, *, as_of: date, cells: EffectCells) -> Planned:
    """Plan tonight's actions for the scored base."""
    return prepare_night(run, history, scored, as_of=as_of, cells=cells).plan(run, run.config.actions.budget)


def prepare_night(run: Run, history: History, scored: Scored, *, as_of: date, cells: EffectCells) -> Prepared:
    """Apply the rules to the scored base and form the beliefs, so that any budget can be planned for."""
    settings = run.config.actions
    catalogue = load_catalogue(settings.catalogue)
    refuse_contradictions(settings, settings.budget, catalogue)
    earlier = earlier_plans(run, as_of)
    of_salt = _of_salt(earlier, settings.control.period_of(as_of).salt)
    customers = customers_to_plan(run, history, scored, as_of=as_of, of_salt=of_salt)
    eligible = allowed_pairs(run, history, customers, catalogue, earlier, as_of=as_of)
    if _comes_too_late(run, as_of):
        eligible = _nobody(eligible)
    named = cells.of(customers, first=_first_cells(earlier))
    beliefs = beliefs_tonight(run, history, customers, scored.features, eligible, named, as_of=as_of)
    spent = _spent(run, earlier, as_of)
    return Prepared(as_of, customers, without_stopped(eligible, beliefs), beliefs, of_salt, spent)


def _comes_too_late(run: Run, as_of: date) -> bool:
    """Say whether a later night was published before this one was; a night made again is planned as it was."""
    found = published(run.workspace, as_of)
    if found is not None:
        return _TOO_LATE in found.facts["notes"]
    return any(night > as_of for night in published_dates(run.workspace))


def _nobody(eligible: Eligibility) -> Eligibility:
    """Block every pair: a night planned after a later one would write to the same customers again."""
    blocked = eligible.blocked | np.uint32(Reason.NOT_VALID_TODAY)
    return replace(eligible, blocked=blocked, notes=(*eligible.notes, _TOO_LATE))


def earlier_plans(run: Run, as_of: date) -> pd.DataFrame:
    """Return the rows of the plans published for the nights of the year before a night, oldest first."""
    oldest = as_of - timedelta(days=LOOK_BACK_DAYS)
    nights = [day for day in published_dates(run.workspace) if oldest <= day < as_of]
    manifests = [found for day in nights if (found := published(run.workspace, day)) is not None]
    if not manifests:
        return pd.DataFrame(columns=list(_PLAN_COLUMNS))
    return read_tables([each.table("plan") for each in manifests], _PLAN_COLUMNS)


def _of_salt(earlier: pd.DataFrame, salt: str) -> pd.DataFrame:
    """Return the rows of earlier nights whose draws were decided by a salt, oldest first."""
    return earlier.loc[earlier["salt"] == salt, list(_SALT_COLUMNS)].reset_index(drop=True)


def customers_to_plan(
    run: Run, history: History, scored: Scored, *, as_of: date, of_salt: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put scores, attributes and features side by side, one row per customer, sorted by id.

    A customer who stood in an earlier plan of the salt (``of_salt``) keeps the unit drawn then, whoever has
    moved in since.
    """
    base = scored.table[["customer_id", *_OWN_COLUMNS]]
    attributes = history_table(history, "customers", as_of=as_of, calendar=run.calendar)
    if attributes is not None:
        newest = attributes.drop_duplicates("customer_id", keep="last")
        base = base.merge(newest.drop(columns=["at"]), on="customer_id", how="left")
    population = (scored.table["risk_source"] == MODEL).to_numpy()
    kept = (
        None if of_salt is None else of_salt.drop_duplicates("customer_id").set_index("customer_id")["unit"]
    )
    extra = {
        "unit": units_of(base, run.config.actions.control.clusters, kept=kept),
        "risk_third": _third(scored, population),
        "value_fifth": _value_fifth(scored.features[kind_of(run.rule).worth]),
    }
    features = scored.features[scored.features.columns.difference(base.columns, sort=False)]
    return pd.concat([base, pd.DataFrame(extra), features], axis=1)


def _third(scored: Scored, population: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    third = np.searchsorted(scored.risk_thirds, scored.table["churn_risk"].to_numpy(), side="left")
    words = np.array(["low", "middle", "high"], dtype=object)[third]
    return np.asarray(np.where(population, words, None))


def _value_fifth(worth: pd.Series) -> npt.NDArray[np.int64]:
    """Part the base into fifths by what was ever spent or is paid a month, ties together; 5 is the most valuable."""
    spend = worth.fillna(0).to_numpy(np.float64)
    edges = np.quantile(spend, (0.2, 0.4, 0.6, 0.8), method="inverted_cdf")
    return np.asarray(1 + np.searchsorted(edges, spend, side="left"), dtype=np.int64)


def allowed_pairs(
    run: Run,
    history: History,
    customers: pd.DataFrame,
    catalogue: Catalogue,
    earlier: pd.DataFrame,
    *,
    as_of: date,
) -> Eligibility:
    """Apply every rule of the night to every pair of customer and action."""
    tables: Mapping[str, pd.DataFrame | None] = {
        name: history_table(history, name, as_of=as_of, calendar=run.calendar)
        for name in ("contacts", "consents", "tickets", "offers")
    }
    ledger = contact_ledger(
        tables["contacts"], [earlier], as_of=as_of, calendar=run.calendar, catalogue=catalogue
    )
    return eligibility(
        customers,
        catalogue=catalogue,
        rules=run.config.actions.rules,
        as_of=as_of,
        calendar=run.calendar,
        global_control=run.config.actions.control.global_control(customers["unit"], as_of=as_of),
        contacts=ledger,
        consents=tables["consents"],
        tickets=tables["tickets"],
        offers=tables["offers"],
        answers=event_answers(history, as_of=as_of, calendar=run.calendar),
    )


def _spent(run: Run, earlier: pd.DataFrame, as_of: date) -> float:
    return 0.0 if earlier.empty else already_planned(earlier, run.config.actions.budget, as_of=as_of)


def _first_cells(earlier: pd.DataFrame) -> dict[str, str]:
    """Return the cell of each unit's first planned night: a unit keeps it."""
    rows = earlier[earlier["planned_action"] != "none"]
    nights = rows.groupby("unit", sort=False)["as_of"].transform("min")
    # Of several customers of a unit the last one's.
    first = rows[rows["as_of"] == nights].drop_duplicates("unit", keep="last")
    return dict(zip(first["unit"], first["cell"], strict=True))
