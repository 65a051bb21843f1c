"""The plan in figures: per action, per arm, and what its control groups will be able to show."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import Action
from actions.control import ControlSettings
from actions.power import detectable_effect, units_to_detect


def summarise(
    frame: pd.DataFrame,
    customers: pd.DataFrame,
    actions: Sequence[Action],
    control: ControlSettings,
    in_global: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    """Count a plan for the page, as JSON values.

    Args:
        frame: rows of the plan.
        customers: the base, one row per customer.
        actions: the active actions.
        control: shares of the randomisations.
        in_global: which customers of the base are in the global control.

    Returns:
        ``customers``, ``arms`` (customers per arm, ``none`` being those without a row), ``actions`` (one
        entry per action), ``total`` (all actions), ``programme`` (global control against the rest). Money
        in currency units, effects as absolute differences of churn. Expected figures are beliefs.
    """
    arms = frame["arm"].value_counts()
    counted = {arm: int(arms.get(arm, 0)) for arm in ("sent", "control", "explored", "global_control")}
    return {
        "customers": len(customers),
        "arms": {**counted, "none": len(customers) - len(frame)},
        "actions": [_of_action(frame, action, control) for action in actions],
        "total": _figures(frame[frame["planned_action"] != "none"], control),
        "programme": _programme(customers, in_global),
    }


def _of_action(frame: pd.DataFrame, action: Action, control: ControlSettings) -> dict[str, Any]:
    rows = frame[frame["planned_action"] == action.id]
    named = {"action": action.id, "kind": action.kind, "randomised": action.randomise}
    return {**named, **_figures(rows, control)}


def _figures(rows: pd.DataFrame, control: ControlSettings) -> dict[str, Any]:
    sent = rows[rows["action"] != "none"]
    withheld = rows[rows["arm"] == "control"]
    compared = rows[(rows["propensity"] < 1) & rows["arm"].isin(["sent", "control"])]
    return {
        "planned": len(rows),
        "sent": len(sent),
        "withheld": len(withheld),
        "cost": float(sent["expected_cost"].sum()),
        "expected_kept": float(sent["effect_mean"].sum()),
        "expected_value": float(sent["expected_value"].sum()),
        **_power(compared, control),
    }


def _power(compared: pd.DataFrame, control: ControlSettings) -> dict[str, Any]:
    """What tonight's planned units can show; units to detect count at tonight's rate of new units."""
    if compared.empty:
        return {"believed_effect": None, "detectable_effect": None, "nights_to_detect": None}
    units = compared.drop_duplicates("unit")
    treated = int((units["arm"] == "sent").sum())
    churn_rate, effect = float(units["churn_risk"].mean()), float(units["effect_mean"].mean())
    needed = units_to_detect(effect, churn_rate, withheld_share=control.withheld_share)
    return {
        "believed_effect": effect,
        "detectable_effect": detectable_effect(churn_rate, treated=treated, control=len(units) - treated),
        "nights_to_detect": None if needed is None else math.ceil(needed / len(units)),
    }


def _programme(customers: pd.DataFrame, in_global: npt.NDArray[np.bool_]) -> dict[str, Any]:
    held = int(customers.loc[in_global, "unit"].nunique())
    others = int(customers.loc[~in_global, "unit"].nunique())
    churn_rate = float(customers["churn_risk"].mean()) if len(customers) else 0.0
    return {
        "control": held,
        "others": others,
        "detectable_effect": detectable_effect(churn_rate, treated=others, control=held),
    }
