"""One day in the lives of the customers: who orders, who is disappointed, who leaves, who comes back."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.shop.draws import Draws, Floats
from pipeline.shop.effects import Influence
from pipeline.shop.influences import cooled
from pipeline.shop.people import People
from pipeline.shop.settings import ShopSettings

Flags = npt.NDArray[np.bool_]

_WEEKDAY_ORDERS = (0.9, 0.85, 0.9, 1.0, 1.2, 1.25, 0.9)
_NEWCOMER_DAYS = 45
_SECOND_ORDER = 0.04
_LATEST = 2
_RECOVERY_PER_DAY = 0.02
_AFTER_DISAPPOINTMENT = 0.4
_WARMTH_DAYS = 35
_COLD = 0.0
_WARMTH_KEPT = math.exp(-1 / _WARMTH_DAYS)
_WARMTH_NEW = math.sqrt(1 - _WARMTH_KEPT**2)


@dataclass(frozen=True)
class Mood:
    """What may change from day to day about each customer.

    Attributes:
        is_alive: still a customer of this shop.
        satisfaction: 0 to 1; falls with an order that goes wrong and recovers within months.
        warmth: how attached the customer feels, in standard deviations; wanders around 0 within weeks.
        last_order_on: day number of the last order; before the first day, when it would have been.
    """

    is_alive: Flags
    satisfaction: Floats
    warmth: Floats
    last_order_on: npt.NDArray[np.int64]


@dataclass(frozen=True)
class DayOfLife:
    """What happened on one day.

    Attributes:
        present: who was a customer on that day, those who left at its end included.
        orders: number of orders per customer, 0 to 2.
        disappointed: whether the day's orders went wrong.
        mood: how each customer stands at the end of the day.
    """

    present: Flags
    orders: npt.NDArray[np.int8]
    disappointed: Flags
    mood: Mood


def mood_of(people: People, draws: Draws, *, first_number: int, day: int) -> Mood:
    """Return how customers enter the shop: alive, content, somewhere within their own order gap."""
    numbers = first_number + np.arange(len(people))
    waited = np.floor(draws.uniform("first gap", numbers) / people["order_rate"]).astype(np.int64)
    earliest = np.minimum(waited, np.maximum(day - people["signed_up_on"], 0))
    return Mood(
        is_alive=np.ones(len(people), np.bool_),
        satisfaction=people["contentment"].copy(),
        warmth=draws.normal("first warmth", numbers),
        last_order_on=day - earliest,
    )


def season(day: int, strength: float) -> float:
    """Return the factor on all order rates of a day: peak in mid-December, busy Fridays and Saturdays.

    Examples:
        >>> round(season(20_438, strength=0.2), 2)  # Tuesday, 16 December 2025
        1.02
    """
    turn = 2 * math.pi * (day - 20_438) / 365.25
    return (1 + strength * math.cos(turn)) * _WEEKDAY_ORDERS[(day + 3) % 7]


def order_rate(people: People, mood: Mood, day: int, influence: Influence, settings: ShopSettings) -> Floats:
    """Return the expected orders of each living customer on one day.

    Irregular customers order at a constant rate; for regular ones the rate grows with the time since the
    last order (Weibull gaps of shape 2) up to twice the usual gap, so that lateness tells something.
    """
    own = people["order_rate"]
    late = math.pi / 2 * np.minimum(own * (day - mood.last_order_on), _LATEST)
    rhythm = 1 - people["regularity"] + people["regularity"] * late
    return np.asarray(own * rhythm * season(day, settings.season_strength) * influence.ordering)


def hazard(people: People, mood: Mood, day: int, influence: Influence, settings: ShopSettings) -> Floats:
    """Return the chance that each living customer leaves at the end of one day.

    It is higher for newcomers, for the disappointed, for those who have grown cold, in summer, and for
    those restless by nature; and a contact may wake those who have grown cold.
    """
    tenure = np.maximum(day - people["signed_up_on"], 0)
    newcomer = 1 + 3 * np.exp(-tenure / _NEWCOMER_DAYS)
    summer = 1 - 0.2 * math.cos(2 * math.pi * (day - 20_438) / 365.25)
    discontent = np.exp(3 * (0.75 - mood.satisfaction))
    rate = settings.leaving_per_day * people["restlessness"] * newcomer * summer * discontent
    rate = rate * cooled(mood.warmth)
    woken = np.where(mood.warmth < _COLD, influence.waking, 0.0)
    leaves = -np.expm1(-rate * influence.leaving)
    return np.asarray(leaves + woken * (1 - leaves))


def live(
    people: People, mood: Mood, day: int, influence: Influence, *, draws: Draws, settings: ShopSettings
) -> DayOfLife:
    """Let one day pass: customers come back, order, are pleased or disappointed, and leave."""
    numbers = np.arange(len(people))
    chance = 1 - (1 - settings.returning_per_day) * (1 - influence.returning)
    alive = mood.is_alive | (draws.uniform("return", numbers, day) < chance)
    warmth = _WARMTH_KEPT * mood.warmth + _WARMTH_NEW * draws.normal("warmth", numbers, day)
    present = replace(mood, is_alive=alive, warmth=warmth)
    orders = _orders(people, present, day, influence, draws=draws, settings=settings)
    went_wrong = draws.uniform("disappointment", numbers, day) < settings.disappointing_orders
    disappointed = (orders > 0) & went_wrong
    calm = mood.satisfaction + _RECOVERY_PER_DAY * (people["contentment"] - mood.satisfaction)
    satisfaction = np.where(disappointed, calm * _AFTER_DISAPPOINTMENT, calm)
    after = Mood(alive, satisfaction, warmth, np.where(orders > 0, day, mood.last_order_on))
    leaves = draws.uniform("leave", numbers, day) < hazard(people, after, day, influence, settings)
    return DayOfLife(alive, orders, disappointed, replace(after, is_alive=alive & ~leaves))


def _orders(
    people: People, mood: Mood, day: int, influence: Influence, *, draws: Draws, settings: ShopSettings
) -> npt.NDArray[np.int8]:
    numbers = np.arange(len(people))
    chance = -np.expm1(-order_rate(people, mood, day, influence, settings))
    first = mood.is_alive & (draws.uniform("order", numbers, day) < chance)
    first |= people["signed_up_on"] == day
    second = first & (draws.uniform("second order", numbers, day) < _SECOND_ORDER)
    return first.astype(np.int8) + second
