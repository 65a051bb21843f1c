"""The marketing team's offers: each runs for some weeks, may be viewed, and may be completed by an order."""

import numpy as np
import numpy.typing as npt

from pipeline.shop.baskets import DAY, Orders
from pipeline.shop.draws import Draws, Floats
from pipeline.shop.influences import Until, begun, stopped
from pipeline.shop.people import People
from pipeline.shop.settings import ShopSettings

OFFER_KINDS = ("discount", "bundle", "news")
OFFER_INSTANTS = ("starts_at", "viewed_at", "completed_at")
_REWARDS = np.array([500, 300, 0])
_DIFFICULTIES = np.array([2_000, 3_000, 0])
_WEEKS = 3
_START_HOUR = 5
_VIEWED, _VIEWED_WHEN_GONE = 0.75, 0.2
_LONGEST_WAIT_DAYS = 4

OFFERS = np.dtype(
    [
        ("customer", "i4"),
        ("kind", "i1"),
        ("starts_at", "i8"),
        ("ends_at", "i8"),
        ("viewed_at", "i8"),
        ("completed_at", "i8"),
        ("known_at", "i8"),
    ]
)
"""An offer; ``viewed_at`` may lie ahead, ``completed_at`` is 0 until an order completes it."""
Offers = npt.NDArray[np.void]


def made(
    people: People,
    is_alive: npt.NDArray[np.bool_],
    running: Offers,
    *,
    day: int,
    draws: Draws,
    settings: ShopSettings,
) -> Offers:
    """Draw the offers that start today; nobody has two at a time."""
    numbers = np.arange(len(people))
    free = people["signed_up_on"] < day
    free[running["customer"]] = False
    customer = numbers[free & (draws.uniform("offer", numbers, day) < settings.offers_per_day)]
    offers = np.zeros(len(customer), OFFERS)
    offers["customer"] = customer
    offers["kind"] = np.floor(draws.uniform("offer kind", customer, day) * len(OFFER_KINDS))
    offers["starts_at"] = day * DAY + _START_HOUR * DAY // 24
    weeks = 1 + np.floor(draws.uniform("offer weeks", customer, day) * _WEEKS).astype(np.int64)
    offers["ends_at"] = (day + 7 * weeks) * DAY
    seen = np.where(is_alive[customer], _VIEWED, _VIEWED_WHEN_GONE)
    wait = 1 + np.floor(draws.uniform("view later", customer, day) * _LONGEST_WAIT_DAYS * 1_440)
    views = draws.uniform("view", customer, day) < seen
    offers["viewed_at"] = np.where(views, offers["starts_at"] + wait.astype(np.int64) * (DAY // 1_440), 0)
    return offers


def tempting(until: Until, offers: Offers, day: int) -> Until:
    """Let the offers that start today work until they end."""
    for place, kind in enumerate(OFFER_KINDS[:-1]):
        chosen = offers[offers["kind"] == place]
        until = begun(until, f"{kind}_offer", chosen["customer"], day, ends_on=chosen["ends_at"] // DAY)
    return until


def completed(offers: Offers, orders: Orders, spend: Floats) -> Offers:
    """Complete the offers that the day's orders meet.

    Args:
        offers: the running ones, each customer's at most once.
        orders: the day's orders.
        spend: what each order costs, in cents.
    """
    after = offers.copy()
    first = orders.order_no == 1
    _, place, order = np.intersect1d(
        offers["customer"], orders.customer[first], assume_unique=True, return_indices=True
    )
    at, paid = orders.at[first][order], spend[first][order]
    there = offers[place]
    is_viewed = (there["viewed_at"] > 0) & (there["viewed_at"] <= at)
    difficulty = _DIFFICULTIES[there["kind"]]
    met = is_viewed & (there["completed_at"] == 0) & (difficulty > 0) & (paid >= difficulty)
    after["completed_at"][place[met]] = at[met]
    return after


def spent(until: Until, offers: Offers, day: int) -> Until:
    """Let the offers that were completed today work no more."""
    for place, kind in enumerate(OFFER_KINDS[:-1]):
        done = (offers["kind"] == place) & (offers["completed_at"] // DAY == day)
        until = stopped(until, f"{kind}_offer", offers["customer"][done])
    return until


def worth(kind: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Return what an offer of a kind gives and what must be spent for it, in cents."""
    return _REWARDS[kind], _DIFFICULTIES[kind]
