"""Tonight's limits from catalogue, budget and settings."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import ELSEWHERE, Floats, Limits
from actions.catalogue import Action
from actions.value import expected_cost
from tables.errors import BudgetError, SchemaError


def limits_of(actions: Sequence[Action], *, budget: float | None, shared: LimitSettings) -> Limits:
    """Return the limits of what is sent tonight.

    Args:
        actions: the active actions.
        budget: most expected cost, currency units; none means no limit.
        shared: hours of teams, cap on discounts, floors of regions.

    Raises:
        BudgetError: if an amount is negative or not a number.
    """
    return Limits.of(
        [action.id for action in actions],
        cost={action.id: expected_cost(action) for action in actions},
        budget=budget,
        capacity={a.id: a.capacity_per_night for a in actions if a.capacity_per_night is not None},
        discounts=frozenset(action.id for action in actions if action.kind == "discount"),
        shared=shared,
    )


def sent_shares(actions: Sequence[Action], withheld_share: float) -> Floats:
    """Return (actions,): the share of the planned assignments of each action that is sent."""
    return np.array([1 - withheld_share * action.randomise for action in actions])


def region_codes(customers: pd.DataFrame, limits: Limits) -> npt.NDArray[np.int8]:
    """Return the position of each customer's region in ``limits.regions``; 0 for regions without a floor.

    Raises:
        SchemaError: if a region has a floor and the customers have no column ``region``.
        BudgetError: if there are customers, and none of them is of a region with a floor.
    """
    if limits.regions == (ELSEWHERE,):
        return np.zeros(len(customers), dtype=np.int8)
    if "region" not in customers:
        raise SchemaError.missing_column("region", table="customers to plan for", found=customers.columns)
    found = set(customers["region"].dropna().unique())
    absent = [region for region in limits.regions[1:] if region not in found]
    if absent and len(customers):
        raise BudgetError(
            f"actions.region_floors: no customer is of {', '.join(absent)}; found regions "
            f"{sorted(map(str, found))[:10]}. Correct the name or remove the floor."
        )
    places = {region: at for at, region in enumerate(limits.regions)}
    return np.asarray(customers["region"].map(places).fillna(0), dtype=np.int8)
