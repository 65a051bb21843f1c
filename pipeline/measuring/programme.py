"""The whole programme: the base of each salt's first planning night, global control against the rest."""

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd

from actions.assignments import CONTROL, GLOBAL_CONTROL, SENT
from actions.catalogue import NONE
from actions.experiment.control import GLOBAL, FrozenSalt
from actions.experiment.units import units_of
from pipeline.attributes import history_table
from pipeline.measuring.costs import sent_costs
from pipeline.measuring.outcomes import plan_rows
from pipeline.measuring.windows import lived, settled_until, window_days
from pipeline.run import Run
from pipeline.salts import frozen_salts
from tables.history import History
from tables.publish import published
from tables.storage import read_table

_SCORES = ("customer_id", "churn_risk", "margin")


def settled_base(run: Run, history: History, *, as_of: date) -> pd.DataFrame:
    """Return what came of everybody since the first night of each salt, control of the whole programme or not.

    Args:
        run: the run.
        history: the validated history.
        as_of: the date; what became known at its midnight or later is not used.

    Returns:
        One row per customer scored on the first night of a salt that planned anybody, once settled: ``customer_id,
        customer`` (key), ``unit, salt, planned_on`` (that night), ``until`` (end of the last window),
        ``arm`` (``control`` for the global control, ``sent`` for the rest, whether or not anything was),
        ``withheld_share`` (of the global control), ``propensity``, ``churn_risk`` and ``margin`` of that night,
        ``churned`` in the last settled window, and from the first night to its end ``contribution`` and
        ``cost`` (currency units). Windows follow one another and end before the salt does, save the first.
    """
    plans = plan_rows(run, history, before=as_of)
    if plans.empty:
        return pd.DataFrame()
    newest = settled_until(run, history, as_of=as_of)
    costs = sent_costs(run, history, plans, as_of=as_of)
    parts = []
    for salt, rows in plans[~plans["is_later_model"].astype(bool)].groupby("salt"):
        # A night made after a later one plans nobody: it must not move the base.
        planning = rows.loc[rows["planned_action"] != NONE, "as_of"]
        if len(planning) and (night := planning.min().date()) <= newest:
            record = next(each for each in frozen_salts(run) if (each.salt, each.purpose) == (salt, GLOBAL))
            base = _base(run, history, rows, record, night)
            parts.append(_since(run, history, base, list(_windows(run, record, night, newest)), costs, as_of))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _base(run: Run, history: History, plan: pd.DataFrame, record: FrozenSalt, night: date) -> pd.DataFrame:
    """List everybody scored on a night with the arm of the whole programme."""
    manifest = published(run.workspace, night)
    if manifest is None:
        return pd.DataFrame(columns=[*_SCORES, "customer"])
    base = read_table(manifest.table("scores"), _SCORES)
    base = base.assign(customer=base["customer_id"].map(history.customer_key)).dropna(subset="customer")
    tonight = (
        plan[plan["as_of"] == pd.Timestamp(night)].drop_duplicates("customer_id").set_index("customer_id")
    )
    held = base["customer_id"].isin(tonight.index[tonight["arm"] == GLOBAL_CONTROL])
    return base.assign(
        customer=base["customer"].astype("int64"),
        unit=_units(run, history, base, tonight["unit"], night),
        salt=record.salt,
        planned_on=pd.Timestamp(night).as_unit("s"),
        arm=held.map({True: CONTROL, False: SENT}),
        withheld_share=record.share,
        propensity=held.map({True: record.share, False: 1 - record.share}),
    )


def _units(run: Run, history: History, base: pd.DataFrame, kept: pd.Series, night: date) -> pd.Series:
    attributes = history_table(history, "customers", as_of=night, calendar=run.calendar)
    people = base[["customer_id"]]
    if attributes is not None:
        newest = attributes.drop_duplicates("customer_id", keep="last")
        people = people.merge(newest, on="customer_id", how="left").set_index(base.index)
    return units_of(people, run.config.actions.control.clusters, kept=kept)


def _windows(run: Run, record: FrozenSalt, first: date, newest: date) -> Iterator[date]:
    """Yield the nights of settled outcome windows that follow one another within a salt's period."""
    night = first
    while night <= newest and (night == first or run.rule.outcome_window(night)[1] <= record.valid_to):
        yield night
        night += timedelta(days=run.rule.horizon_days)


def _since(
    run: Run,
    history: History,
    base: pd.DataFrame,
    nights: list[date],
    costs: pd.DataFrame,
    as_of: date,
) -> pd.DataFrame:
    """Add what came of a base over several windows: who left by the last one, what all brought and cost."""
    until = pd.Timestamp(nights[-1] + window_days(run))
    windows = [
        lived(run, history, base.assign(planned_on=pd.Timestamp(night)), as_of=as_of) for night in nights
    ]
    inside = costs[(costs["as_of"] >= base["planned_on"].min()) & (costs["as_of"] < until)]
    spent = inside.groupby("customer")[["cost", "price_cut"]].sum()
    spent = spent.reindex(base["customer"], fill_value=0.0).set_index(base.index)
    earned = sum(window["contribution"] for window in windows)
    return base.assign(
        until=until.as_unit("s"),
        churned=windows[-1]["churned"],
        contribution=earned + run.config.value.contribution_rate * spent["price_cut"],
        cost=spent["cost"],
    )
