"""What a real shop never sees: the same days with every planned action sent, and with none that chance may withhold.

All luck is shared with the shop that happens, so a customer whose actions were all sent lives as in the first world,
and one from whom all were withheld as in the second. The truth beside a measured effect is their difference.
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

SENT, WITHHELD = "sent", "withheld"


def open_worlds(folder: Path, state: ShopState) -> None:
    """Let both worlds begin as the shop is on the morning of its first planned night."""
    for world in (SENT, WITHHELD):
        state.save(folder / world)


def live_in_both(folder: Path, plan: pd.DataFrame, day: date) -> None:
    """Let a day pass in both worlds; a world that has lived through it is left alone.

    Args:
        folder: where ``open_worlds`` put the worlds.
        plan: the night's plan, with ``planned_action``, ``action``, ``arm``, ``propensity`` and what the shop needs.
        day: the day.
    """
    can_be_withheld = (plan["propensity"] < 1) & (plan["arm"] != "global_control")
    sent = plan.assign(
        action=plan["planned_action"], arm=plan["arm"].replace(["control", "explored"], "sent")
    )
    plans = {SENT: sent, WITHHELD: plan[~can_be_withheld]}
    for world, own in plans.items():
        state = ShopState.load(folder / world)
        if state.day == day:
            after, orders = live_through(state, sent_of(own, day_number(day), len(state.people)))
            np.save(folder / world / f"{day}.npy", orders, allow_pickle=False)
            after.save(folder / world)


def true_outcomes(folder: Path, units: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Tell whether customers order within the horizon in either world.

    Args:
        folder: where the worlds are.
        units: ``customer_id`` and ``planned_on``, the day from which on orders count.
        horizon: days that count, the first one included.

    Returns:
        Rows as ``units``: ``churned_sent`` and ``churned_withheld`` (1 for no order), as 8-bit integers.

    Raises:
        DataError: a world has not lived through the days that count.
    """
    found = {
        f"churned_{world}": _churned(folder / world, units, horizon).astype(np.int8)
        for world in (SENT, WITHHELD)
    }
    return pd.DataFrame(found, index=units.index)


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
