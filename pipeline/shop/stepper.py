"""Let days pass in the shop, with or without a plan of actions."""

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.shop.baskets import Lines, Orders, lines_of, order_times, returns_of, ship, spend_of
from pipeline.shop.behaviour import DayOfLife, Mood, live, mood_of
from pipeline.shop.contacts import (
    Contacts,
    deliver,
    newsletter,
    offers_of,
    redemption_log,
    redemptions,
    sent_of,
)
from pipeline.shop.effects import Effects, influence, started
from pipeline.shop.influences import works
from pipeline.shop.people import newcomers
from pipeline.shop.promotions import ANNOUNCED_DAYS
from pipeline.shop.rows import DayRows, tables_of
from pipeline.shop.settings import ShopSettings, day_number
from pipeline.shop.state import ShopState, start
from pipeline.shop.ties import Happened, evening, morning, pull, together
from pipeline.shop.untidiness import untidy
from tables.errors import DataError


@dataclass(frozen=True)
class _Day:
    lines: Lines
    contacts: Contacts
    happened: Happened
    orders: npt.NDArray[np.int8]


def advance(state: ShopState, plan: pd.DataFrame | None = None) -> tuple[ShopState, DayRows]:
    """Let one day pass.

    Args:
        state: the shop on the morning of the day.
        plan: who gets which action this day, with ``customer_id``, ``action``, ``arm`` and ``as_of``.

    Returns:
        The shop on the next morning, and the rows that the day's files carry.

    Raises:
        SchemaError: the plan lacks a column.
        DataError: the plan is for another day, or names unknown customers or actions.
    """
    known = len(state.people)
    sent = sent_of(plan, day_number(state.day), known)
    after, passed = _step(state, sent)
    return after, tables_of(
        after,
        passed.lines,
        passed.contacts,
        passed.happened,
        first_customer=known,
        first_day=_first_announced(state),
    )


def simulate_history(settings: ShopSettings, until: date, seed: int) -> tuple[ShopState, DayRows]:
    """Let the shop run without actions from its first day to the midnight of ``until``.

    Returns:
        The shop on the morning of ``until``, and all rows that its files carry up to then.

    Raises:
        DataError: ``until`` is not after the first day.
    """
    if until <= settings.first_day:
        raise DataError(f"shop: no day to simulate; found {until}, the first day is {settings.first_day}.")
    state = opening = start(settings, seed)
    nobody = sent_of(None, 0, 0)
    passed: list[_Day] = []
    while state.day < until:
        state, day = _step(state, nobody)
        passed.append(day)
    lines = np.concatenate([day.lines for day in passed])
    contacts = np.concatenate([day.contacts for day in passed])
    happened = together([day.happened for day in passed])
    return state, tables_of(
        state, lines, contacts, happened, first_customer=0, first_day=_first_announced(opening)
    )


def live_through(state: ShopState, sent: Effects) -> tuple[ShopState, npt.NDArray[np.int8]]:
    """Let one day pass without writing its files.

    Returns:
        The shop on the next morning, and how many orders each of its customers placed.
    """
    after, day = _step(state, sent)
    return after, day.orders


def orders_after(state: ShopState, sent: Effects, horizon: int) -> npt.NDArray[np.int64]:
    """Count the orders of today's customers in the days from ``state.day`` if the contacts are sent now."""
    known, nobody = len(state.people), sent_of(None, 0, 0)
    counts = np.zeros(known, np.int64)
    for passed in range(horizon):
        state, orders = live_through(state, nobody if passed else sent)
        counts += orders[:known]
    return counts


def _first_announced(state: ShopState) -> int:
    """Return the first day whose announcements the next file lists: the shop opens with the year's calendar."""
    day = day_number(state.day)
    return day - max(ANNOUNCED_DAYS.values()) if state.day == state.settings.first_day else day


def _step(state: ShopState, sent: Effects) -> tuple[ShopState, _Day]:
    day, draws, settings = day_number(state.day), state.draws, state.settings
    state = _with_newcomers(state, day)
    people = state.people
    arriving, log = deliver(sent, day, draws=draws, settings=settings)
    running, new = started(state.running, arriving)
    ties = morning(state.ties, people, state.mood.is_alive, day=day, draws=draws, settings=settings)
    today = pull(influence(running, new, people), ties, people, day, draws)
    lived = live(people, state.mood, day, today, draws=draws, settings=settings)
    orders, redeemed = _orders_of(state, lived, running, day)
    lines = lines_of(orders, people, day, draws)
    spend, mails = spend_of(lines, orders), newsletter(people, day)
    lines = ship(lines, orders, people, spend, is_free=works(ties.until, "delivery_plan", day))
    logs = [log, mails, redemption_log(running[redeemed], orders, lines)]
    running["is_open"][redeemed] = False
    ties, happened = evening(ties, people, lived, orders, spend=spend, mails=mails, day=day, draws=draws)
    released, pending = _released(state, lines, orders, day)
    after = replace(
        state,
        day=state.day + timedelta(days=1),
        mood=lived.mood,
        ties=ties,
        running=_still_running(running, day),
        pending=pending,
    )
    return after, _Day(released, np.concatenate(logs), happened, lived.orders)


def _released(state: ShopState, lines: Lines, orders: Orders, day: int) -> tuple[Lines, Lines]:
    """Part the lines into those that the day's file carries and those that wait."""
    draws, settings = state.draws, state.settings
    returned = returns_of(lines, orders, day, draws=draws, settings=settings)
    waiting = np.concatenate([state.pending, untidy(lines, day, draws=draws, settings=settings), returned])
    is_released = waiting["released_on"] <= day
    return waiting[is_released], waiting[~is_released]


def _with_newcomers(state: ShopState, day: int) -> ShopState:
    new = newcomers(state.settings, state.draws, len(state.people), day)
    entering = mood_of(new, state.draws, first_number=len(state.people), day=day)
    mood = Mood(
        **{
            field.name: np.concatenate([getattr(state.mood, field.name), getattr(entering, field.name)])
            for field in fields(Mood)
        }
    )
    ties = state.ties.joined_by(len(new))
    return replace(state, people=np.concatenate([state.people, new]), mood=mood, ties=ties)


def _orders_of(
    state: ShopState, lived: DayOfLife, running: Effects, day: int
) -> tuple[Orders, npt.NDArray[np.int64]]:
    customer = np.repeat(np.arange(len(lived.orders)), lived.orders)
    first = np.r_[True, customer[1:] != customer[:-1]][: len(customer)]
    order_no = np.where(first, 1, 2)
    at = order_times(state.people, customer, order_no, day, state.draws)
    redeemed = redemptions(running, customer[first], at[first], day, state.draws)
    orders = Orders(
        customer=customer,
        order_no=order_no,
        at=at,
        disappointed=lived.disappointed[customer],
        offer=offers_of(running[redeemed], customer, order_no),
    )
    return orders, redeemed


def _still_running(running: Effects, day: int) -> Effects:
    return running[running["ends_on"] > day + 1]
