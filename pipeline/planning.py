"""From scores to tonight's plan: what the rules allow, what it is worth, who is left out on purpose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.budget import already_planned
from actions.catalogue import Catalogue, load_catalogue
from actions.contacts import contact_ledger
from actions.control import FrozenSalt, freeze, salts_from_json, salts_to_json
from actions.effects import EffectCells, prior_effects
from actions.eligibility import Eligibility, eligibility
from actions.plan import Plan, make_plan
from actions.reasons import Reason
from pipeline.attributes import history_table
from pipeline.kinds import kind_of
from pipeline.run import Run
from pipeline.scoring import MODEL, Scored
from tables.history import History
from tables.publish import published, published_dates
from tables.storage import read_table, write_text

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
)
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
    """

    plan: Plan
    eligible: Eligibility
    tonight: float


def plan_night(run: Run, history: History, scored: Scored, *, as_of: date, cells: EffectCells) -> Planned:
    """Plan tonight's actions for the scored base."""
    settings = run.config.actions
    catalogue = load_catalogue(settings.catalogue)
    customers = _customers(run, history, scored, as_of=as_of)
    earlier = earlier_plans(run, as_of)
    eligible = _eligible(run, history, customers, catalogue, earlier, as_of=as_of)
    tonight = settings.budget.tonight(as_of, planned=_spent(run, earlier, as_of))
    if any(night > as_of for night in published_dates(run.workspace)):
        eligible = _nobody(eligible)
    effects = prior_effects(customers, eligible.actions, cells.of(customers, first=_first_cells(earlier)))
    plan = make_plan(
        customers,
        eligible,
        effects,
        as_of=as_of,
        control=settings.control,
        budget=tonight,
        discount_share=settings.discount_share,
    )
    return Planned(plan, eligible, tonight)


def _nobody(eligible: Eligibility) -> Eligibility:
    """Block every pair: a night planned after a later one would write to the same customers again."""
    blocked = eligible.blocked | np.uint32(Reason.NOT_VALID_TODAY)
    note = "a later night is published already: this one is scored, and nobody is planned for"
    return replace(eligible, blocked=blocked, notes=(*eligible.notes, note))


def used_salts(run: Run, as_of: date) -> tuple[FrozenSalt, ...]:
    """Return the salts used so far with tonight's added.

    Raises:
        ConfigError: if tonight's salt was used for another period or share.
    """
    path = run.workspace / "control" / "salts.json"
    used = salts_from_json(path.read_text()) if path.exists() else ()
    return freeze(used, run.config.actions.control, as_of=as_of)


def keep_salts(run: Run, salts: Sequence[FrozenSalt]) -> None:
    """Write down which salts were used, so that none ever means anything else."""
    write_text(salts_to_json(salts), run.workspace / "control" / "salts.json")


def earlier_plans(run: Run, as_of: date) -> list[pd.DataFrame]:
    """Return the plans published for the nights of the year before a night."""
    oldest = as_of - timedelta(days=LOOK_BACK_DAYS)
    nights = [day for day in published_dates(run.workspace) if oldest <= day < as_of]
    manifests = [found for day in nights if (found := published(run.workspace, day)) is not None]
    return [read_table(each.table("plan"), _PLAN_COLUMNS) for each in manifests]


def _customers(run: Run, history: History, scored: Scored, *, as_of: date) -> pd.DataFrame:
    """Put scores, attributes and features side by side, one row per customer, sorted by id."""
    base = scored.table[["customer_id", *_OWN_COLUMNS]]
    attributes = history_table(history, "customers", as_of=as_of, calendar=run.calendar)
    if attributes is not None:
        newest = attributes.drop_duplicates("customer_id", keep="last")
        base = base.merge(newest.drop(columns=["at"]), on="customer_id", how="left")
    population = (scored.table["risk_source"] == MODEL).to_numpy()
    extra = {
        "unit": _units(base),
        "risk_third": _third(scored, population),
        "value_fifth": _value_fifth(scored.features[kind_of(run.rule).worth]),
    }
    features = scored.features[scored.features.columns.difference(base.columns, sort=False)]
    return pd.concat([base, pd.DataFrame(extra), features], axis=1)


def _units(base: pd.DataFrame) -> pd.Series:
    if "household_id" not in base:
        return base["customer_id"]
    return ("household " + base["household_id"]).where(base["household_id"].notna(), base["customer_id"])


def _third(scored: Scored, population: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    third = np.searchsorted(scored.risk_thirds, scored.table["churn_risk"].to_numpy(), side="left")
    words = np.array(["low", "middle", "high"], dtype=object)[third]
    return np.asarray(np.where(population, words, None))


def _value_fifth(worth: pd.Series) -> npt.NDArray[np.int64]:
    """Part the base into fifths by what was ever spent or is paid a month, ties together; 5 is the most valuable."""
    spend = worth.fillna(0).to_numpy(np.float64)
    edges = np.quantile(spend, (0.2, 0.4, 0.6, 0.8), method="inverted_cdf")
    return np.asarray(1 + np.searchsorted(edges, spend, side="left"), dtype=np.int64)


def _eligible(
    run: Run,
    history: History,
    customers: pd.DataFrame,
    catalogue: Catalogue,
    earlier: Sequence[pd.DataFrame],
    *,
    as_of: date,
) -> Eligibility:
    tables: Mapping[str, pd.DataFrame | None] = {
        name: history_table(history, name, as_of=as_of, calendar=run.calendar)
        for name in ("contacts", "consents", "tickets")
    }
    ledger = contact_ledger(
        tables["contacts"], earlier, as_of=as_of, calendar=run.calendar, catalogue=catalogue
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
    )


def _spent(run: Run, earlier: Sequence[pd.DataFrame], as_of: date) -> float:
    if not earlier:
        return 0.0
    rows = pd.concat(earlier, ignore_index=True)
    return already_planned(rows, run.config.actions.budget, as_of=as_of)


def _first_cells(earlier: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Return the cell of each unit's first planned night: a unit keeps it."""
    first: dict[str, str] = {}
    for plan in reversed(earlier):
        rows = plan[plan["planned_action"] != "none"]
        first.update(zip(rows["unit"], rows["cell"], strict=True))
    return first
