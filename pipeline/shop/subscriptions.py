"""The delivery plan: customers pay by the month or by the year and pay no shipping until they cancel."""

import numpy as np
import numpy.typing as npt

from pipeline.shop.baskets import DAY, Orders
from pipeline.shop.draws import Draws, Integers
from pipeline.shop.influences import FOR_EVER, Until, begun, stopped

PLANS = ("monthly", "yearly")
_MRR = np.array([590, 450])
_TERM_DAYS = np.array([30, 365])
_STARTS, _STARTS_AGAIN = 0.02, 0.04
_YEARLY = 0.2
_CANCELS = np.array([0.07, 0.25])
_CANCELS_WHEN_GONE = 0.7
_CHANGES_PLAN = 0.04

SUBSCRIPTIONS = np.dtype(
    [
        ("customer", "i4"),
        ("plan", "i1"),
        ("started_at", "i8"),
        ("ended_at", "i8"),
        ("renews_at", "i8"),
        ("known_at", "i8"),
        ("mrr", "i8"),
    ]
)
"""A subscription as it stands; ``ended_at`` is 0 while it runs, ``mrr`` in cents."""
Subscriptions = npt.NDArray[np.void]


def subscribed(
    running: Subscriptions, had_one: npt.NDArray[np.bool_], orders: Orders, *, day: int, draws: Draws
) -> Subscriptions:
    """Draw who of the day's buyers subscribes; those who had a plan before come back more often."""
    first = orders.order_no == 1
    customer = orders.customer[first]
    chance = np.where(had_one[customer], _STARTS_AGAIN, _STARTS)
    starts = draws.uniform("subscribe", customer, day) < chance
    starts &= ~np.isin(customer, running["customer"])
    plan = (draws.uniform("plan", customer, day) < _YEARLY).astype(np.int8)
    return _new(customer[starts], plan[starts], orders.at[first][starts])


def renewed(
    running: Subscriptions, is_alive: npt.NDArray[np.bool_], *, day: int, draws: Draws
) -> tuple[Subscriptions, Subscriptions]:
    """Let the subscriptions due today renew, change plan, or end.

    Returns:
        Those that run on, and the rows that changed: renewals, ends, and starts on another plan.
    """
    due = running["renews_at"] // DAY == day
    rows = running[due]
    customer = rows["customer"]
    leaves = np.where(is_alive[customer], _CANCELS[rows["plan"]], _CANCELS_WHEN_GONE)
    ends = draws.uniform("cancel", customer, day) < leaves
    changes = ~ends & (draws.uniform("change plan", customer, day) < _CHANGES_PLAN)
    renews = ~ends & ~changes
    at = rows["renews_at"].copy()
    rows["known_at"] = at
    rows["ended_at"] = np.where(renews, 0, at)
    rows["renews_at"] = np.where(renews, at + _TERM_DAYS[rows["plan"]] * DAY, 0)
    other = _new(customer[changes], 1 - rows["plan"][changes], at[changes])
    return np.concatenate([running[~due], rows[renews], other]), np.concatenate([rows, other])


def relieved(until: Until, *, new: Subscriptions, changed: Subscriptions, day: int) -> Until:
    """Let a plan work on its owner for as long as it runs.

    Args:
        until: what works already.
        new: subscriptions started today by an order.
        changed: rows that changed today at their renewal.
        day: today.
    """
    until = stopped(until, "delivery_plan", changed["customer"][changed["ended_at"] > 0])
    runs = np.concatenate([new["customer"], changed["customer"][changed["ended_at"] == 0]])
    return begun(until, "delivery_plan", runs, day, ends_on=FOR_EVER)


def _new(customer: Integers, plan: Integers, at: Integers) -> Subscriptions:
    rows = np.zeros(len(customer), SUBSCRIPTIONS)
    rows["customer"], rows["plan"] = customer, plan
    rows["started_at"] = rows["known_at"] = at
    rows["renews_at"] = at + _TERM_DAYS[plan] * DAY
    rows["mrr"] = _MRR[plan]
    return rows
