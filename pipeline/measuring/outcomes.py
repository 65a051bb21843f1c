"""Settled units: what came of every planned action, sent or withheld, once its outcome is known."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from actions.assignments import CONTROL, EXPLORED, GLOBAL_CONTROL, UNTOUCHED
from actions.catalogue import NONE
from actions.experiment.control import (
    EXPLORE,
    WITHHOLD,
    FrozenSalt,
    Purpose,
    draw_below,
    share_of_others,
    untouched_share,
)
from pipeline.measuring.costs import sent_costs
from pipeline.measuring.windows import lived, settled_until, window_days
from pipeline.run import Run
from pipeline.salts import frozen_salts
from tables.history import History
from tables.publish import published, published_dates
from tables.storage import read_tables

_PLAN_COLUMNS = (
    "customer_id",
    "as_of",
    "planned_action",
    "action",
    "arm",
    "propensity",
    "choice_share",
    "churn_risk",
    "risk_source",
    "margin",
    "expected_cost",
    "cell",
    "unit",
    "salt",
    "is_later_model",
)
UNIT_COLUMNS = (
    "customer_id",
    "customer",
    "unit",
    "action",
    "arm",
    "explored_action",
    "salt",
    "withheld_share",
    "planned_on",
    "cell",
    "risk_source",
    "churn_risk",
    "margin",
    "propensity",
    "choice_share",
    "churned",
    "contribution",
    "cost",
)
"""Columns of settled units in their order."""
EXPLORER_CONTROL = "explorer_control"
"""Arm of what was withheld from a unit that explores: it was sent other actions than those who were sent as planned."""
EVIDENCE_DAYS = 365


def settled_units(run: Run, history: History, *, as_of: date) -> pd.DataFrame:
    """Return what came of every planned action whose outcome was settled by a date.

    A customer counts once per planned action and salt, from the first night it was planned; what was planned
    with a model trained later than its night does not count. Untouched units do not either: whoever was sent
    one action may have been sent others, and so must those be with whom they are compared. Nothing that became
    known at the midnight of ``as_of`` or later is used, so that an old night finds today what it found then.

    Args:
        run: the run.
        history: the validated history.
        as_of: the date.

    Returns:
        Columns ``UNIT_COLUMNS``, sorted by ``customer_id``, ``action`` and ``salt``. ``action`` is the
        planned one; ``arm`` is that of the first planned night, ``sent`` and ``control`` among units that do
        not explore, ``explored`` and ``explorer_control`` among those that do; ``explored_action`` is what was
        then sent instead (else ``none``). ``withheld_share`` is the chance with which the action alone could
        have been withheld, 0 for actions never withheld, whether the unit explores or not; it and
        ``propensity`` are chances among units that are not untouched. ``cell``, ``risk_source``,
        ``churn_risk``, ``margin``, ``propensity`` and ``choice_share`` are as planned with. ``churned`` and
        ``contribution`` (currency units, before incentives) are those of the outcome window; ``cost``
        (currency units) is that of every action sent from ``planned_on`` to the end of the window.
    """
    plans = plan_rows(run, history, before=as_of)
    planned = plans[(plans["planned_action"] != NONE) & (plans["arm"] != GLOBAL_CONTROL)]
    first = planned.drop_duplicates(["customer_id", "planned_action", "salt"])
    return _came_of(run, history, plans, first[first["arm"] != UNTOUCHED], as_of=as_of)


def settled_customers(run: Run, history: History, *, as_of: date) -> pd.DataFrame:
    """Return what came of everybody since the first night on which something was planned that could be withheld.

    A customer counts once per salt. Whoever is untouched is sent nothing of it until the salt ends; whoever is not
    may be sent, denied and offered by chance one action after the other, so that the two differ by all of them.

    Args:
        run: the run.
        history: the validated history.
        as_of: the date; what became known at its midnight or later is not used.

    Returns:
        Columns ``UNIT_COLUMNS``, of salts that leave anybody untouched. ``action`` and ``arm``, which may be
        ``untouched``, are those of the first such night; ``withheld_share`` is the chance of being untouched, and
        ``propensity`` that of being untouched or not, as the customer is. The rest is as in ``settled_units``.
    """
    plans = plan_rows(run, history, before=as_of)
    drawn = plans[
        (plans["planned_action"] != NONE) & (plans["arm"] != GLOBAL_CONTROL) & (plans["propensity"] < 1)
    ]
    ordered = drawn.sort_values(["as_of", "customer_id", "planned_action"], kind="stable")
    units = _came_of(run, history, plans, ordered.drop_duplicates(["customer_id", "salt"]), as_of=as_of)
    share = untouched_share(_withheld_share(units, frozen_salts(run)))
    alone = units["arm"] == UNTOUCHED
    units = units.assign(withheld_share=share, propensity=share.where(alone, 1 - share))
    return units[share > 0].reset_index(drop=True)


def _came_of(
    run: Run, history: History, plans: pd.DataFrame, first: pd.DataFrame, *, as_of: date
) -> pd.DataFrame:
    """Add to first planned rows, where settled, what their customers did, brought and cost."""
    first = first[first["as_of"] <= pd.Timestamp(run.rule.newest_complete(as_of))]
    if len(first):
        newest = settled_until(run, history, as_of=as_of)
        first = first[(first["as_of"] <= pd.Timestamp(newest)) & ~first["is_later_model"].astype(bool)]
    units = _named(run, first)
    units = units.join(lived(run, history, units, as_of=as_of))
    sent = plans if len(units) else plans.iloc[:0]
    costs = _sum_until(run, units, sent_costs(run, history, sent, as_of=as_of))
    # A price reduction is already missing from the order's amount, and it is among the costs in full.
    back = run.config.value.contribution_rate * costs["price_cut"]
    return units.assign(contribution=units["contribution"] + back, cost=costs["cost"])[list(UNIT_COLUMNS)]


def of_last_year(run: Run, units: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Keep the settled units that still teach: what an action does changes, and one that was stopped is tried again.

    The year ends with the newest night whose outcome can have settled, so that long windows leave a year too.
    """
    oldest = run.rule.newest_complete(as_of) - timedelta(days=EVIDENCE_DAYS)
    return units[units["planned_on"] >= pd.Timestamp(oldest)]


def plan_rows(run: Run, history: History, *, before: date) -> pd.DataFrame:
    """Return the rows of the plans of all earlier nights, oldest first, of customers who are still known."""
    nights = [night for night in published_dates(run.workspace) if night < before]
    manifests = [found for night in nights if (found := published(run.workspace, night)) is not None]
    if not manifests:
        nobody = pd.DataFrame(columns=[*_PLAN_COLUMNS, "customer"])
        return nobody.astype({"as_of": "datetime64[s]", "customer": np.int64})
    rows = read_tables([each.table("plan") for each in manifests], _PLAN_COLUMNS)
    places, ids = pd.factorize(rows["customer_id"])
    keys = np.array([-1 if key is None else key for key in map(history.customer_key, ids)], dtype=np.int64)
    return rows.assign(customer=keys[places])[keys[places] >= 0]


def _named(run: Run, first: pd.DataFrame) -> pd.DataFrame:
    """Rename and order the columns of first planned rows as units."""
    explored = first["action"].where(first["arm"] == EXPLORED, NONE)
    drawn = first["propensity"] < 1
    salts = frozen_salts(run)
    share = _withheld_share(first, salts)
    explores = _explores(first, _shares(salts, EXPLORE))
    units = first.assign(
        action=first["planned_action"],
        arm=first["arm"].mask((first["arm"] == CONTROL) & explores, EXPLORER_CONTROL),
        explored_action=explored,
        planned_on=first["as_of"].astype("datetime64[s]"),
        withheld_share=share_of_others(share).where(drawn, 0.0),
        propensity=first["propensity"] / (1 - untouched_share(share)).where(drawn, 1.0),
    )
    return units.sort_values(["customer_id", "action", "salt"], ignore_index=True)


def _explores(first: pd.DataFrame, shares: Mapping[str, float]) -> pd.Series:
    """Draw once more which units explore: whoever is withheld an action does not show it."""
    explores = pd.Series(False, index=first.index)
    for salt, rows in first.groupby("salt"):
        drawn = draw_below(rows["unit"].tolist(), shares.get(salt, 0.0), salt=salt, purpose=EXPLORE)
        explores[rows.index] = drawn
    return explores


def _withheld_share(rows: pd.DataFrame, salts: Sequence[FrozenSalt]) -> pd.Series:
    """Return the share of planned actions that the salt of each row withholds."""
    return rows["salt"].map(_shares(salts, WITHHOLD)).fillna(0.0).astype(np.float64)


def _shares(salts: Sequence[FrozenSalt], purpose: Purpose) -> dict[str, float]:
    return {record.salt: record.share for record in salts if record.purpose == purpose}


def _sum_until(run: Run, units: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Sum what each unit's customer was sent from its first planned night to the end of its window."""
    pairs = units[["customer", "planned_on"]].reset_index(names="unit_row").merge(costs, on="customer")
    since = pairs["as_of"] - pairs["planned_on"]
    inside = pairs[(since >= pd.Timedelta(0)) & (since < pd.Timedelta(window_days(run)))]
    return inside.groupby("unit_row")[["cost", "price_cut"]].sum().reindex(units.index, fill_value=0.0)
