"""The plan in figures: per action, per arm, and what its control groups will be able to show."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.assignments import ARMS, CONTROL, GLOBAL_CONTROL, SENT, UNTOUCHED, WITHHELD
from actions.catalogue import NONE, Action
from actions.experiment.control import EXPLORE, ControlSettings, draw_below, share_of_others
from actions.experiment.power import detectable_effect, explained_by_score, units_to_detect

_COMPARED = ["unit", "planned_action"]


def summarise(
    frame: pd.DataFrame,
    customers: pd.DataFrame,
    actions: Sequence[Action],
    control: ControlSettings,
    in_global: npt.NDArray[np.bool_],
    *,
    as_of: date,
    earlier: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Count a plan for the page, as JSON values.

    Args:
        frame: rows of the plan.
        customers: the base, one row per customer.
        actions: the active actions.
        control: shares of the randomisations.
        in_global: which customers of the base are in the global control.
        as_of: the night.
        earlier: rows of the plans of earlier nights of the same salt: ``unit``, ``planned_action``, ``arm``;
            none unless given. A unit planned before for the same action brings nothing new.

    Returns:
        ``customers``, ``arms`` (customers per arm, ``none`` being those without a row), ``actions`` (one
        entry per action), ``total`` (all actions, its power that of units left alone beside all others planned
        for), ``programme`` (global control against the rest), ``nights_left`` (of the salt, tonight included).
        Money in currency units, effects as absolute differences of churn. Expected figures are beliefs. An
        entry has ``planned``, ``sent`` (everybody who gets something), ``explored`` (of those, who get what
        chance picked) and ``withheld``; for its power
        ``compared`` units new tonight, ``compared_before``, ``explained`` (share of the variance of churn
        that the score takes off), ``believed_effect``, what tonight's units (``detectable_effect``) and all
        so far (``detectable_so_far``) can show, and ``nights_to_detect`` the believed effect at tonight's rate
        of new units.
    """
    arms = frame["arm"].value_counts()
    counted = {arm: int(arms.get(arm, 0)) for arm in ARMS if arm != NONE}
    stood = frame.iloc[:0] if earlier is None else earlier
    before = stood[_compared(stood, control, as_of)].drop_duplicates(_COMPARED)
    drawn = [action.id for action in actions if action.randomise]
    planned = frame[frame["planned_action"] != "none"]
    planned = planned.assign(compared=_compared(planned, control, as_of) & (planned["propensity"] < 1))
    return {
        "customers": len(customers),
        "arms": {**counted, "none": len(customers) - frame["customer_id"].nunique()},
        "actions": [_of_action(planned, action, control, before) for action in actions],
        "total": {
            **_figures(planned, control, before.iloc[:0]),
            **_power_together(planned, stood[stood["planned_action"].isin(drawn)], control),
        },
        "programme": _programme(customers, in_global),
        "nights_left": (control.period_of(as_of).valid_to - as_of).days,
    }


def _compared(rows: pd.DataFrame, control: ControlSettings, as_of: date) -> pd.Series:
    """Tell which rows are compared: sent as planned, and withheld from units that do not explore either."""
    salt, units = control.period_of(as_of).salt, rows["unit"].tolist()
    explores = draw_below(units, control.exploration_share, salt=salt, purpose=EXPLORE)
    return rows["arm"].isin([SENT, CONTROL]) & ~explores


def _of_action(
    planned: pd.DataFrame, action: Action, control: ControlSettings, before: pd.DataFrame
) -> dict[str, Any]:
    rows = planned[planned["planned_action"] == action.id]
    named = {"action": action.id, "kind": action.kind, "randomised": action.randomise}
    return {**named, **_figures(rows, control, before[before["planned_action"] == action.id])}


def _figures(rows: pd.DataFrame, control: ControlSettings, before: pd.DataFrame) -> dict[str, Any]:
    sent = rows[rows["action"] != "none"]
    new = rows[rows["compared"] & ~rows["unit"].isin(before["unit"])].drop_duplicates("unit")
    return {
        "planned": len(rows),
        "sent": len(sent),
        "explored": int((rows["arm"] == "explored").sum()),
        "withheld": int(rows["arm"].isin(WITHHELD).sum()),
        "cost": float(sent["expected_cost"].sum()),
        "expected_kept": float(sent["effect_mean"].sum()),
        "expected_value": float(sent["expected_value"].sum()),
        "compared": len(new),
        "compared_before": len(before),
        **_power(new, before, share_of_others(control.withheld_share)),
    }


def _power_together(planned: pd.DataFrame, earlier: pd.DataFrame, control: ControlSettings) -> dict[str, Any]:
    """What units left alone can show beside all others planned for, whatever became of single actions."""
    before = _left_alone_or_not(earlier)
    new = _left_alone_or_not(planned[planned["propensity"] < 1])
    new = new[~new["unit"].isin(before["unit"])]
    return {
        "compared": len(new),
        "compared_before": len(before),
        **_power(new, before, control.untouched_share),
    }


def _left_alone_or_not(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per unit outside the global control, ``control`` where everything is withheld from it."""
    units = rows[rows["arm"] != GLOBAL_CONTROL].drop_duplicates("unit")
    return units.assign(arm=(units["arm"] == UNTOUCHED).map({True: CONTROL, False: SENT}))


def _power(new: pd.DataFrame, before: pd.DataFrame, control_share: float) -> dict[str, Any]:
    """What the compared units can show, read with the churn score; those of earlier nights taken as alike."""
    if new.empty:
        names = ("explained", "believed_effect", "detectable_effect", "detectable_so_far", "nights_to_detect")
        return dict.fromkeys(names)
    churn_risk = new["churn_risk"].to_numpy(dtype=np.float64)
    churn_rate, effect = float(churn_risk.mean()), float(new["effect_mean"].mean())
    explained = explained_by_score(churn_risk)
    treated, treated_before = (int((units["arm"] == "sent").sum()) for units in (new, before))
    needed = units_to_detect(effect, churn_rate, control_share=control_share, explained=explained)
    return {
        "explained": explained,
        "believed_effect": effect,
        "detectable_effect": detectable_effect(
            churn_rate, treated=treated, control=len(new) - treated, explained=explained
        ),
        "detectable_so_far": detectable_effect(
            churn_rate,
            treated=treated + treated_before,
            control=len(new) + len(before) - treated - treated_before,
            explained=explained,
        ),
        "nights_to_detect": None if needed is None else max(0, math.ceil((needed - len(before)) / len(new))),
    }


def _programme(customers: pd.DataFrame, in_global: npt.NDArray[np.bool_]) -> dict[str, Any]:
    held = int(customers.loc[in_global, "unit"].nunique())
    others = int(customers.loc[~in_global, "unit"].nunique())
    churn_risk = customers["churn_risk"].to_numpy(dtype=np.float64)
    churn_rate = float(churn_risk.mean()) if len(customers) else 0.0
    explained = explained_by_score(churn_risk) if len(customers) else 0.0
    return {
        "control": held,
        "others": others,
        "explained": explained,
        "detectable_effect": detectable_effect(churn_rate, treated=others, control=held, explained=explained),
    }
