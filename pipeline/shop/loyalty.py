"""The loyalty programme: customers join, earn points with each order, redeem them, or let them expire."""

import numpy as np
import numpy.typing as npt

from pipeline.shop.baskets import DAY, SECOND, Orders
from pipeline.shop.draws import Draws, Floats, Integers
from pipeline.shop.influences import FOR_EVER, Until, begun, stopped
from pipeline.shop.people import LOYALTIES, People

TIERS = ("basic", "silver", "gold")
_TIER_POINTS = np.array([300, 900])
_JOINERS, _JOINERS_FOR_REWARD = 0.3, 0.7
_JOINS = 0.25
_WELCOME = 20
_REDEEMED = 200
_REDEEMS = 0.35
_POINTS_LAST_DAYS = 150
_REMINDED_DAYS = 14

ACCOUNTS = np.dtype([("is_member", "?"), ("points", "i4"), ("earned", "i4"), ("expires_on", "i4")])
"""One account per customer; ``earned`` counts all points ever, ``expires_on`` is a day number."""
Accounts = npt.NDArray[np.void]

BALANCES = np.dtype(
    [("customer", "i4"), ("at", "i8"), ("tier", "i1"), ("points", "i4"), ("expires_on", "i4")]
)
"""A balance from an instant on; ``expires_on`` is 0 where there is nothing to expire."""
Balances = npt.NDArray[np.void]


def expired(accounts: Accounts, day: int) -> tuple[Accounts, Balances]:
    """Take away the points whose last day has passed."""
    customer = np.flatnonzero((accounts["points"] > 0) & (accounts["expires_on"] == day))
    after = accounts.copy()
    after["points"][customer] = 0
    return after, _balances(after, customer, np.full(len(customer), day * DAY))


def earned(
    accounts: Accounts, people: People, orders: Orders, spend: Floats, *, day: int, draws: Draws
) -> tuple[Accounts, Balances]:
    """Let the day's orders enrol customers, redeem points, and earn new ones.

    Args:
        accounts: everybody's.
        people: everybody; those loyal for rewards join more often.
        orders: the day's orders.
        spend: what each order costs, in cents.
        day: today.
        draws: the shop's luck.
    """
    first = orders.order_no == 1
    customer, at, after = orders.customer[first], orders.at[first], accounts.copy()
    is_keen = people["loyalty"][customer] == LOYALTIES.index("reward")
    is_joiner = draws.uniform("joiner", customer) < np.where(is_keen, _JOINERS_FOR_REWARD, _JOINERS)
    joins = is_joiner & (draws.uniform("join", customer, day) < _JOINS) & ~accounts["is_member"][customer]
    after["is_member"][customer[joins]] = True
    redeems = draws.uniform("redeem points", customer, day) < _REDEEMS
    redeems &= accounts["points"][customer] >= _REDEEMED
    after["points"][customer[redeems]] -= _REDEEMED
    falls = _balances(after, customer[redeems], at[redeems])
    members = after["is_member"][customer]
    paid = np.bincount(orders.customer, weights=spend, minlength=len(people))
    gain = np.floor(paid[customer] / 100).astype(np.int32) + _WELCOME * joins
    for column in ("points", "earned"):
        after[column][customer[members]] += gain[members]
    after["expires_on"][customer[members]] = day + _POINTS_LAST_DAYS
    return after, np.concatenate([falls, _balances(after, customer[members], at[members] + 60 * SECOND)])


def bound(until: Until, before: Accounts, after: Accounts, day: int) -> Until:
    """Let membership, the highest tier and points that will soon expire work on their owners.

    Args:
        until: what works already.
        before: accounts in the morning.
        after: accounts at the end of the day.
        day: today.
    """
    joined = np.flatnonzero(after["is_member"] & ~before["is_member"])
    until = begun(until, "membership", joined, day, ends_on=FOR_EVER)
    risen = np.flatnonzero(tier_of(after["earned"]) > tier_of(before["earned"]))
    golden = risen[after["earned"][risen] >= _TIER_POINTS[-1]]
    until = begun(until, "gold_tier", golden, day, ends_on=FOR_EVER)
    moved = np.flatnonzero(after["expires_on"] != before["expires_on"])
    until = stopped(until, "points_expiring", moved)
    soon = np.flatnonzero((after["points"] > 0) & (after["expires_on"] == day + 1 + _REMINDED_DAYS))
    return begun(until, "points_expiring", soon, day, ends_on=day + 1 + _REMINDED_DAYS)


def tier_of(earned_points: Integers) -> Integers:
    """Return the position in ``TIERS`` that all points ever earned give.

    Examples:
        >>> tier_of(np.array([299, 300, 900])).tolist()
        [0, 1, 2]
    """
    return np.searchsorted(_TIER_POINTS, earned_points, side="right")


def _balances(accounts: Accounts, customer: Integers, at: Integers) -> Balances:
    rows = np.zeros(len(customer), BALANCES)
    rows["customer"], rows["at"] = customer, at
    rows["tier"] = tier_of(accounts["earned"][customer])
    rows["points"] = accounts["points"][customer]
    rows["expires_on"] = np.where(rows["points"] > 0, accounts["expires_on"][customer], 0)
    return rows
