"""The rows of a plan: both randomisations applied to what was chosen, one row per customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.allocate import Allocation
from actions.catalogue import CHANNELS, NONE, Action
from actions.control import WITHHOLD, ControlSettings, draw_below
from actions.effects import Effects
from actions.eligibility import Eligibility
from actions.prices import Indices, Values
from actions.value import expected_cost

Flags = npt.NDArray[np.bool_]

SENT, CONTROL, EXPLORED, GLOBAL_CONTROL = "sent", "control", "explored", "global_control"
ARMS = (SENT, CONTROL, EXPLORED, GLOBAL_CONTROL, NONE)
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


@dataclass(frozen=True)
class Draws:
    """Both randomisations of a night, one flag per customer.

    Attributes:
        salt: the salt that decided.
        in_global: in the control of the whole programme.
        withheld: in the control of whatever action is planned.
        control: the shares drawn.
    """

    salt: str
    in_global: Flags
    withheld: Flags
    control: ControlSettings

    @classmethod
    def of(cls, units: Sequence[str], control: ControlSettings, *, as_of: date) -> Self:
        """Draw both controls for the unit of each customer."""
        salt = control.period_of(as_of).salt
        withheld = draw_below(units, control.withheld_share, salt=salt, purpose=WITHHOLD)
        return cls(salt, control.global_control(units, as_of=as_of), withheld, control)

    def sent(self, planned: Indices, actions: Sequence[Action]) -> Flags:
        """Tell which planned pairs are sent: all but the withheld ones of randomised actions."""
        return (planned >= 0) & ~(self.withheld & self._randomised(planned, actions))

    def propensity(self, planned: Indices, sent: Flags, actions: Sequence[Action]) -> npt.NDArray[np.float64]:
        """Return the chance of each customer's arm in the draw that decided it."""
        share = np.where(self._randomised(planned, actions), self.control.withheld_share, 0.0)
        return np.where(self.in_global, self.control.global_share, np.where(sent, 1 - share, share))

    def _randomised(self, planned: Indices, actions: Sequence[Action]) -> Flags:
        randomised = np.array([*(action.randomise for action in actions), False], dtype=bool)
        return randomised[planned] & ~self.in_global


def assignment_rows(
    customers: pd.DataFrame,
    eligibility: Eligibility,
    effects: Effects,
    allocation: Allocation,
    draws: Draws,
    *,
    values: Values,
    planned: Indices,
    sent: Flags,
    as_of: date,
) -> pd.DataFrame:
    """Write one row per customer with a planned action or in the global control.

    Args:
        customers: the base, in the order of all other arguments.
        eligibility: the actions and the channel of each pair.
        effects: beliefs.
        allocation: what the optimiser chose.
        draws: both randomisations.
        values: value of each pair, currency units.
        planned: what is left of the choice after what was sent was made to fit, -1 for none.
        sent: which planned pairs are sent.
        as_of: the night.

    Returns:
        The columns of ``COLUMNS``, in the order of ``customers``.
    """
    rows = np.flatnonzero((planned >= 0) | draws.in_global)
    who, column = customers.iloc[rows], planned[rows]
    given, actions = column >= 0, eligibility.actions
    names = np.array([*(action.id for action in actions), NONE], dtype=object)
    cost = np.array([*(expected_cost(action) for action in actions), 0.0])
    arm = np.where(draws.in_global[rows], GLOBAL_CONTROL, np.where(sent[rows], SENT, CONTROL))

    def of_pair(matrix: Values) -> npt.NDArray[np.float64]:
        return np.where(given, matrix[rows, column], 0.0).astype(np.float64)

    content = {
        "customer_id": who["customer_id"],
        "as_of": np.full(len(rows), np.datetime64(as_of, "s")),
        "planned_action": names[column],
        "action": names[np.where(sent[rows], column, -1)],
        "arm": arm,
        "channel": np.where(given, np.array(CHANNELS)[eligibility.channels[rows, column]], NONE),
        "propensity": draws.propensity(planned, sent, actions)[rows],
        "choice_share": np.ones(len(rows)),
        "churn_risk": who["churn_risk"],
        "risk_source": who["risk_source"],
        "margin": who["margin"],
        "effect_mean": of_pair(effects.mean),
        "effect_sd": of_pair(effects.sd),
        "expected_value": of_pair(values),
        "expected_cost": cost[column],
        "reduced_value": np.where(given, allocation.reduced[rows], 0.0),
        "cell": effects.cell[rows],
        "unit": who["unit"],
        "salt": np.full(len(rows), draws.salt, dtype=object),
    }
    return pd.DataFrame({name: pd.Series(np.asarray(content[name]), dtype=COLUMNS[name]) for name in COLUMNS})
