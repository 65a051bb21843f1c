"""What a real shop never knows: who has left, who is about to, and what an action would change."""

import numpy as np
import pandas as pd

from pipeline.shop.behaviour import hazard, order_rate
from pipeline.shop.contacts import sent_of
from pipeline.shop.effects import influence
from pipeline.shop.people import LOYALTIES
from pipeline.shop.settings import day_number
from pipeline.shop.spelling import customer_ids
from pipeline.shop.state import ShopState
from pipeline.shop.stepper import orders_after
from pipeline.shop.ties import pull


def truth(state: ShopState) -> pd.DataFrame:
    """Tell how every customer truly stands on the morning of ``state.day``.

    Returns:
        One row per customer: ``customer_id``, ``as_of``, ``is_alive``, ``hazard`` (chance of leaving that
        day if alive), ``order_rate`` (expected orders that day if alive), ``satisfaction`` (0 to 1) and
        ``loyalty`` (value, price, reward or discount).
    """
    day = day_number(state.day)
    actions = influence(state.running, state.running[:0], state.people)
    today = pull(actions, state.ties, state.people, day, state.draws)
    return pd.DataFrame(
        {
            "customer_id": customer_ids(np.arange(len(state.people))),
            "as_of": pd.Timestamp(state.day),
            "is_alive": state.mood.is_alive,
            "hazard": hazard(state.people, state.mood, day, today, state.settings),
            "order_rate": order_rate(state.people, state.mood, day, today, state.settings),
            "satisfaction": state.mood.satisfaction,
            "loyalty": np.array(LOYALTIES, object)[state.people["loyalty"]],
        }
    )


def potential_outcomes(state: ShopState, action: str, horizon: int) -> pd.DataFrame:
    """Tell for every customer whether they order within the horizon, with and without an action now.

    Both outcomes share all luck: they differ only by what the action does. A contact that does not arrive
    changes nothing.

    Args:
        state: the shop on the morning on which the action would be sent.
        action: id of the action.
        horizon: days from ``state.day``.

    Returns:
        One row per customer: ``customer_id``, ``churned_without`` and ``churned_with`` (1 for no order in
        ``[day, day + horizon)``).

    Raises:
        DataError: no true effect is known for the action.
    """
    ids = customer_ids(np.arange(len(state.people)))
    plan = pd.DataFrame(
        {"customer_id": ids, "action": action, "arm": "sent", "as_of": pd.Timestamp(state.day)}
    )
    day, known = day_number(state.day), len(state.people)
    without = orders_after(state, sent_of(None, day, known), horizon)
    treated = orders_after(state, sent_of(plan, day, known), horizon)
    return pd.DataFrame(
        {
            "customer_id": ids,
            "churned_without": (without == 0).astype(np.int8),
            "churned_with": (treated == 0).astype(np.int8),
        }
    )
