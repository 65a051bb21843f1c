"""What a real shop never sees: the same days with one action given to those denied it, and denied to those sent it.

All luck is shared with the shop that happens. A world of an action differs from it by that action alone, turned
around for every unit it was planned for, so both outcomes of everybody are known: the truth beside a measured effect.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.shop.contacts import sent_of
from pipeline.shop.settings import day_number
from pipeline.shop.spelling import customer_ids
from pipeline.shop.state import ShopState
from pipeline.shop.stepper import live_through
from tables.errors import DataError

HAPPENED = "happened"
"""The world that is the shop itself."""


def live_in_all(folder: Path, state: ShopState, plan: pd.DataFrame) -> None:
    """Let a day pass in the world of every action planned so far; a world that has lived through it is left alone.

    Args:
        folder: where the worlds are kept; that of an action begins on the first day it is planned.
        state: the shop on the morning of the day.
        plan: the night's plan, with ``planned_action``, ``action``, ``arm``, ``propensity`` and what the shop needs.
    """
    plan = plan[(plan["planned_action"] != "none") | (plan["action"] != "none")]
    drawn = (plan["propensity"] < 1) & plan["arm"].isin(["sent", "control"])
    planned = {str(name) for name in plan.loc[drawn, "planned_action"]}
    known = {path.parent.name for path in folder.glob("*/shop.npz")}
    for world in sorted(known | planned | {HAPPENED}):
        if world not in known:
            state.save(folder / world)
        turned = plan if world == HAPPENED else _turned(plan, drawn & (plan["planned_action"] == world))
        _live(folder / world, turned, state.day)


def _turned(plan: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Send some rows what was withheld, and withhold from the others what was sent."""
    was_sent = plan["arm"] == "sent"
    action = plan["action"].mask(rows, plan["planned_action"].where(~was_sent, "none"))
    return plan.assign(action=action, arm=plan["arm"].mask(rows & ~was_sent, "sent"))


def _live(folder: Path, plan: pd.DataFrame, day: date) -> None:
    state = ShopState.load(folder)
    if state.day == day:
        after, orders = live_through(state, sent_of(plan, day_number(day), len(state.people)))
        np.save(folder / f"{day}.npy", orders, allow_pickle=False)
        after.save(folder)


def true_effects(folder: Path, units: pd.DataFrame, horizon: int) -> pd.Series:
    """Tell for how many the action itself, all else as it happened, made the difference between going and staying.

    Args:
        folder: where the worlds are.
        units: ``customer_id``, ``action``, ``is_sent`` and ``planned_on``, the day from which on orders count.
        horizon: days that count, the first one included.

    Returns:
        Per row 1 where the customer orders within the horizon only with the action, -1 where only without it,
        else 0.

    Raises:
        DataError: a world has not lived through the days that count.
    """
    effects = pd.Series(0, index=units.index, dtype=np.int8)
    for action, rows in units.groupby("action"):
        stays = {
            world: ~_churned(folder / world, rows, horizon).astype(bool) for world in (HAPPENED, str(action))
        }
        is_sent = rows["is_sent"].to_numpy(dtype=bool)
        with_it = np.where(is_sent, stays[HAPPENED], stays[str(action)])
        without = np.where(is_sent, stays[str(action)], stays[HAPPENED])
        effects.loc[rows.index] = with_it.astype(np.int8) - without.astype(np.int8)
    return effects


def _churned(folder: Path, units: pd.DataFrame, horizon: int) -> npt.NDArray[np.bool_]:
    churned = np.ones(len(units), dtype=bool)
    days = pd.to_datetime(units["planned_on"]).dt.date.to_numpy()
    kept: dict[date, npt.NDArray[np.int8]] = {}
    for first in np.unique(days):
        rows = np.flatnonzero(days == first)
        window = [first + timedelta(days=passed) for passed in range(horizon)]
        kept = {day: kept[day] if day in kept else _orders(folder, day) for day in window}
        known = len(kept[first])
        numbers = pd.Index(customer_ids(np.arange(known))).get_indexer(units["customer_id"].iloc[rows])
        churned[rows] = np.sum([kept[day][:known] for day in window], axis=0)[numbers] == 0
    return churned


def _orders(folder: Path, day: date) -> npt.NDArray[np.int8]:
    path = folder / f"{day}.npy"
    if not path.is_file():
        raise DataError(f"{path}: this day has not passed in that world. Continue the demo with more nights.")
    return np.asarray(np.load(path, allow_pickle=False))
