"""The rows of a plan: what was chosen and what chance made of it, one row per planned action."""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.allocation.limits import Floats
from actions.allocation.problem import Codes, Rows
from actions.catalogue import CHANNELS, NONE
from actions.experiment.draws import Draws, Sending
from actions.learning.effects import Effects
from actions.rules.eligibility import Eligibility
from actions.value import expected_cost

SENT, CONTROL, UNTOUCHED = "sent", "control", "untouched"
EXPLORED, GLOBAL_CONTROL = "explored", "global_control"
WITHHELD = (CONTROL, UNTOUCHED)
"""Arms of what is planned and not sent: the one action, or everything for the salt's period."""
ARMS = (SENT, *WITHHELD, EXPLORED, GLOBAL_CONTROL, NONE)
"""What may stand in the column ``arm``; ``none`` is the arm of the customers without a row."""

COLUMNS = {
    "customer_id": "str",
    "as_of": "datetime64[s]",
    "planned_action": "str",
    "action": "str",
    "arm": "str",
    "channel": "str",
    "propensity": "float64",
    "choice_share": "float64",
    "churn_risk": "float64",
    "risk_source": "str",
    "margin": "float64",
    "effect_mean": "float64",
    "effect_sd": "float64",
    "expected_value": "float64",
    "expected_cost": "float64",
    "reduced_value": "float64",
    "cell": "str",
    "unit": "str",
    "salt": "str",
}
"""Columns of a plan's frame in their order, with their types."""


def assignment_rows(
    customers: pd.DataFrame,
    eligibility: Eligibility,
    effects: Effects,
    draws: Draws,
    sending: Sending,
    *,
    reduced: Floats,
    choice_share: Floats,
    as_of: date,
) -> pd.DataFrame:
    """Write one row per planned pair, and one per customer of the global control without any.

    Effect, value, cost and channel are those of the action sent, and of the planned one where it is withheld.

    Args:
        customers: the base, in the order of all other arguments.
        eligibility: the actions and the channel of each pair.
        effects: beliefs.
        draws: who is control.
        sending: the planned pairs, and what is sent of them.
        reduced: (pairs,), value less the prices of what the planned action uses.
        choice_share: (pairs,), share of the draws from the beliefs that choose the planned action.
        as_of: the night.

    Returns:
        The columns of ``COLUMNS``, customers in their order, then by name of the planned action.
    """
    idle = np.setdiff1d(np.flatnonzero(draws.in_global), sending.pairs.rows)
    rows = np.concatenate([sending.pairs.rows, idle])

    def or_idle(of_pairs: npt.NDArray[Any], nothing: float) -> npt.NDArray[Any]:
        return np.concatenate([of_pairs, np.full(len(idle), nothing, dtype=of_pairs.dtype)])

    names = np.array([*(action.id for action in eligibility.actions), NONE], dtype=object)
    planned, sent = or_idle(sending.pairs.columns, -1), or_idle(sending.column, -1)
    order = np.lexsort((names[planned].astype(str), rows))
    content = {
        **_of_customers(customers.iloc[rows], draws, rows, as_of),
        **_of_actions(customers, eligibility, effects, rows, np.where(sent >= 0, sent, planned)),
        "planned_action": names[planned],
        "action": names[sent],
        "arm": np.where(
            draws.in_global[rows],
            GLOBAL_CONTROL,
            np.select(
                [or_idle(sending.explored, False), sent >= 0, draws.untouched[rows]],
                [EXPLORED, SENT, UNTOUCHED],
                CONTROL,
            ),
        ),
        "propensity": or_idle(sending.propensity, draws.control.global_share),
        "choice_share": or_idle(choice_share, 1.0),
        "reduced_value": or_idle(reduced, 0.0),
        "cell": effects.cell[rows],
    }
    columns = {name: pd.Series(np.asarray(content[name])[order], dtype=COLUMNS[name]) for name in COLUMNS}
    return pd.DataFrame(columns)


def _of_customers(who: pd.DataFrame, draws: Draws, rows: Rows, as_of: date) -> dict[str, Any]:
    return {
        **{name: who[name] for name in ("customer_id", "churn_risk", "risk_source", "margin", "unit")},
        "as_of": np.full(len(rows), np.datetime64(as_of, "s")),
        "salt": np.full(len(rows), draws.salt, dtype=object),
    }


def _of_actions(
    customers: pd.DataFrame, eligibility: Eligibility, effects: Effects, rows: Rows, column: Codes
) -> dict[str, Any]:
    given = column >= 0
    cost = np.array([*(expected_cost(action) for action in eligibility.actions), 0.0])[column]
    mean, sd = (
        np.where(given, of[rows, column], 0.0).astype(np.float64) for of in (effects.mean, effects.sd)
    )
    margin = customers["margin"].to_numpy(dtype=np.float64)[rows]
    return {
        "channel": np.where(given, np.array(CHANNELS)[eligibility.channels[rows, column]], NONE),
        "effect_mean": mean,
        "effect_sd": sd,
        "expected_value": mean * margin - cost,
        "expected_cost": cost,
    }
