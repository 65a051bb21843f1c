"""Let days pass in the shop, with or without a plan of actions."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.shop.baskets import Lines, Orders, lines_of, order_times, returns_of
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
from pipeline.shop.people import newcomers
from pipeline.shop.rows import DayRows, tables_of
from pipeline.shop.settings import ShopSettings, day_number
from pipeline.shop.state import ShopState, start
from pipeline.shop.untidiness import untidy
from tables.errors import DataError


@dataclass(frozen=True)
class _Day:
    lines: Lines
    contacts: Contacts
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
    return after, tables_of(after, passed.lines, passed.contacts, first_customer=known)


def simulate_history(settings: ShopSettings, until: date, seed: int) -> tuple[ShopState, DayRows]:
    """Let the shop run without actions from its first day to the midnight of ``until``.

    Returns:
        The shop on the morning of ``until``, and all rows that its files carry up to then.

    Raises:
        DataError: ``until`` is not after the first day.
    """
    if until <= settings.first_day:
        raise DataError(f"shop: no day to simulate; found {until}, the first day is {settings.first_day}.")
    state = start(settings, seed)
    nobody = sent_of(None, 0, 0)
    passed: list[_Day] = []
    while state.day < until:
        state, day = _step(state, nobody)
        passed.append(day)
    lines = np.concatenate([day.lines for day in passed])
    contacts = np.concatenate([day.contacts for day in passed])
    return state, tables_of(state, lines, contacts, first_customer=0)


def orders_after(state: ShopState, sent: Effects, horizon: int) -> npt.NDArray[np.int64]:
    """Count the orders of today's customers in the days from ``state.day`` if the contacts are sent now."""
    counts = np.zeros(len(state.people), np.int64)
    draws, settings, first = state.draws, state.settings, day_number(state.day)
    arriving, _ = deliver(sent, first, draws=draws, settings=settings)
    running, returning = started(state.running, arriving, state.people)
    mood = state.mood
    for day in range(first, first + horizon):
        today = influence(running, returning, state.people)
        lived = live(state.people, mood, day, today, draws=draws, settings=settings)
        counts += lived.orders
        mood, running, returning = lived.mood, _still_running(running, day), np.zeros(len(counts))
    return counts


def _step(state: ShopState, sent: Effects) -> tuple[ShopState, _Day]:
    day, draws, settings = day_number(state.day), state.draws, state.settings
    state = _with_newcomers(state, day)
    arriving, log = deliver(sent, day, draws=draws, settings=settings)
    running, returning = started(state.running, arriving, state.people)
    today = influence(running, returning, state.people)
    lived = live(state.people, state.mood, day, today, draws=draws, settings=settings)
    orders, redeemed = _orders_of(state, lived, running, day)
    lines = lines_of(orders, state.people, day, draws)
    returned = returns_of(lines, orders, day, draws=draws, settings=settings)
    waiting = np.concatenate([state.pending, untidy(lines, day, draws=draws, settings=settings), returned])
    released = waiting["released_on"] <= day
    logs = [log, newsletter(state.people, day), redemption_log(running[redeemed], orders, lines)]
    running["is_open"][redeemed] = False
    after = replace(
        state,
        day=state.day + timedelta(days=1),
        mood=lived.mood,
        running=_still_running(running, day),
        pending=waiting[~released],
    )
    return after, _Day(waiting[released], np.concatenate(logs), lived.orders)


def _with_newcomers(state: ShopState, day: int) -> ShopState:
    new = newcomers(state.settings, state.draws, len(state.people), day)
    entering = mood_of(new, state.draws, first_number=len(state.people), day=day)
    mood = Mood(
        np.concatenate([state.mood.is_alive, entering.is_alive]),
        np.concatenate([state.mood.satisfaction, entering.satisfaction]),
        np.concatenate([state.mood.last_order_on, entering.last_order_on]),
    )
    return replace(state, people=np.concatenate([state.people, new]), mood=mood)


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
