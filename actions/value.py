"""What an action is worth for a customer: the churn it prevents, in money, less what it costs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from actions.catalogue import Action

Matrix = npt.NDArray[np.float32]

_CHUNK = 65_536


def expected_cost(action: Action) -> float:
    """Return what one contact costs on average, in currency units.

    The incentive is paid to everybody who redeems it, those who would have stayed anyway included.

    Examples:
        >>> from types import SimpleNamespace
        >>> expected_cost(SimpleNamespace(contact_cost=0.5, incentive_cost=10.0, redeem_rate=0.2))
        2.5
    """
    return action.contact_cost + action.redeem_rate * action.incentive_cost


def action_values(
    effect: Matrix,
    margin: npt.NDArray[np.float64],
    actions: Sequence[Action],
    eligible: npt.NDArray[np.bool_],
) -> Matrix:
    """Value every pair of customer and action: ``effect * margin - expected cost``.

    Args:
        effect: (customers, actions), absolute reduction of churn probability.
        margin: (customers,), what keeping the customer is worth, currency units, not negative.
        actions: in the order of the columns.
        eligible: (customers, actions), which pairs may be.

    Returns:
        (customers, actions) in currency units, minus infinity where a pair may not be.
    """
    costs = np.array([expected_cost(action) for action in actions])
    values = np.full(effect.shape, -np.inf, dtype=np.float32)
    for start in range(0, len(values), _CHUNK):
        rows = slice(start, start + _CHUNK)
        worth = effect[rows] * margin[rows, None] - costs
        values[rows] = np.where(eligible[rows], worth, -np.inf)
    return values
