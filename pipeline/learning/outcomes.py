"""Settled units of the catalogue's actions, with what their comparison needs."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from actions.catalogue import Action
from pipeline.measuring.groups import regions_then
from pipeline.measuring.outcomes import of_last_year, settled_units
from pipeline.run import Run
from tables.history import History


def units_of_actions(run: Run, history: History, actions: Sequence[Action], *, as_of: date) -> pd.DataFrame:
    """Return the last year's settled units, with ``region`` where an action is believed to work differently by region.

    The region is that known on each unit's first planned night, as in measurement: an order placed since then
    may come from the action itself.

    Args:
        run: the run.
        history: the validated history.
        actions: the actions.
        as_of: only outcomes settled by this date are used.
    """
    units = of_last_year(run, settled_units(run, history, as_of=as_of), as_of=as_of)
    if units.empty or not any(action.region_weights for action in actions):
        return units
    return units.assign(region=regions_then(run, history, units))
