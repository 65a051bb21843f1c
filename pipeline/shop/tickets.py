"""Customers' requests: opened, answered, solved, some reopened and solved again, some rated."""

import numpy as np
import numpy.typing as npt

from pipeline.shop.baskets import DAY, SECOND, Orders
from pipeline.shop.behaviour import DayOfLife
from pipeline.shop.draws import Draws, Floats, Integers
from pipeline.shop.events import moments
from pipeline.shop.influences import Until, begun
from pipeline.shop.people import People

REASONS = ("complaint", "how_to", "delivery", "payment")
TICKET_CHANNELS = ("chat", "email", "phone")
INSTANTS = ("opened_at", "first_reply_at", "solved_at", "reopened_at", "solved_again_at", "rated_at")

_COMPLAINTS = 0.65
_LATE_PARCELS = 0.03
_QUESTIONS_PER_DAY = (0.0007, 0.006)
_PAYMENTS_PER_DAY = 0.0006
_LEARNING_DAYS = 60
_HOUR = 3600 * SECOND
_REPLY_HOURS = 3.0
_SOLVE_HOURS = 40.0
_REOPENED = 0.15
_RATED = 0.5

TICKETS = np.dtype(
    [
        ("customer", "i4"),
        ("reason", "i1"),
        ("channel", "i1"),
        *((name, "i8") for name in INSTANTS),
        ("csat", "f8"),
        ("known_at", "i8"),
    ]
)
"""A ticket and all that will become of it; an instant that never comes is 0."""
Tickets = npt.NDArray[np.void]


def opened(people: People, lived: DayOfLife, orders: Orders, *, day: int, draws: Draws) -> Tickets:
    """Draw the day's new tickets, at most one a customer, with all that will become of them."""
    first = orders.order_no == 1
    at = np.zeros(len(people), np.int64)
    at[orders.customer[first]] = orders.at[first] + 15 * 60 * SECOND
    reason = _reasons(people, lived, at > 0, day, draws)
    customer = np.flatnonzero(reason >= 0)
    others = at[customer] == 0
    at[customer[others]] = moments(people, customer[others], day, draws, "ticket time")
    tickets = np.zeros(len(customer), TICKETS)
    tickets["customer"], tickets["reason"] = customer, reason[customer]
    tickets["channel"] = np.floor(draws.uniform("ticket channel", customer, day) * len(TICKET_CHANNELS))
    tickets["opened_at"] = at[customer]
    _settle(tickets, day, draws)
    return tickets


def vexed(until: Until, tickets: Tickets, *, new: Tickets, day: int) -> Until:
    """Let open tickets and the day's ratings work on their customers.

    Args:
        until: what works already.
        tickets: all tickets to which something still happens.
        new: those of them that were opened today.
        day: today.
    """
    last = np.maximum(new["solved_at"], new["solved_again_at"])
    until = begun(until, "open_ticket", new["customer"], day, ends_on=last // DAY + 1)
    rated = tickets[tickets["rated_at"] // DAY == day]
    until = begun(until, "bad_rating", rated["customer"][rated["csat"] <= 2], day)
    return begun(until, "good_rating", rated["customer"][rated["csat"] >= 4], day)


def shown(versions: Tickets) -> Tickets:
    """Return versions of tickets as the shop's system shows them: one solved time, no rating before its time."""
    seen = versions.copy()
    seen["solved_at"] = np.maximum(seen["solved_at"], seen["solved_again_at"])
    seen["csat"] = np.where(seen["rated_at"] > 0, seen["csat"], np.nan)
    return seen


def _reasons(
    people: People, lived: DayOfLife, has_ordered: npt.NDArray[np.bool_], day: int, draws: Draws
) -> Integers:
    numbers = np.arange(len(people))
    is_learning = day - people["signed_up_on"] < _LEARNING_DAYS
    luck = draws.uniform("ticket", numbers, day)
    asks = np.where(is_learning, _QUESTIONS_PER_DAY[1], _QUESTIONS_PER_DAY[0])
    chances = (
        _COMPLAINTS * lived.disappointed,
        asks * lived.present,
        _LATE_PARCELS * has_ordered,
        _PAYMENTS_PER_DAY * lived.present,
    )
    edges = np.cumsum(chances, axis=0)
    reason = (luck >= edges).sum(axis=0)
    return np.where(reason < len(REASONS), reason, -1)


def _settle(tickets: Tickets, day: int, draws: Draws) -> None:
    customer = tickets["customer"]
    is_complaint = tickets["reason"] == REASONS.index("complaint")
    reply = _hours("reply", customer, day, draws, median=_REPLY_HOURS)
    solve = _hours("solve", customer, day, draws, median=_SOLVE_HOURS) * np.where(is_complaint, 1.5, 1)
    is_reopened = draws.uniform("reopen", customer, day) < _REOPENED
    again = _hours("solve again", customer, day, draws, median=_SOLVE_HOURS)
    pause = 24 * (1 + 4 * draws.uniform("reopen delay", customer, day))
    tickets["first_reply_at"] = tickets["opened_at"] + _spell(reply)
    tickets["solved_at"] = tickets["first_reply_at"] + _spell(solve)
    tickets["reopened_at"] = np.where(is_reopened, tickets["solved_at"] + _spell(pause), 0)
    tickets["solved_again_at"] = np.where(is_reopened, tickets["reopened_at"] + _spell(again), 0)
    last = np.maximum(tickets["solved_at"], tickets["solved_again_at"])
    wait = _spell(1 + 47 * draws.uniform("rating delay", customer, day))
    tickets["rated_at"] = np.where(draws.uniform("rate", customer, day) < _RATED, last + wait, 0)
    taste = 0.8 * draws.normal("rating", customer, day)
    mark = 5.2 - 0.6 * (reply + solve) / 24 - 1.2 * is_reopened - 0.8 * is_complaint + taste
    tickets["csat"] = np.clip(np.round(mark), 1, 5)


def _hours(purpose: str, customer: Integers, day: int, draws: Draws, *, median: float) -> Floats:
    return np.asarray(median * np.exp(0.8 * draws.normal(purpose, customer, day)))


def _spell(hours: Floats) -> npt.NDArray[np.int64]:
    """Return hours as whole minutes in microseconds."""
    return np.asarray(np.ceil(hours * 60).astype(np.int64) * (_HOUR // 60))
