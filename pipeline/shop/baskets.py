"""What lies in the orders of a day: lines with products, prices, discounts, and what is sent back later."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.shop.draws import Draws, Floats, Integers
from pipeline.shop.people import CATEGORIES, FAVOURITES, SHOP_CHANNELS, People
from pipeline.shop.settings import ShopSettings

PRODUCTS_PER_CATEGORY = 12
PRODUCTS = CATEGORIES * PRODUCTS_PER_CATEGORY
SECOND = 1_000_000
DAY = 86_400 * SECOND
RETURN_LINES_FROM = 100

_FAVOURITE_SHARE = 0.7
_MORE_LINES = 0.55
_MOST_LINES = 12
_DISCOUNTS = np.array([0.1, 0.2, 0.3])
_RETURNS_WHEN_DISAPPOINTED = 0.4
_SHIPPING = 390
_FREE_SHIPPING_FROM = 4_000

LINES = np.dtype(
    [
        ("customer", "i4"),
        ("day", "i4"),
        ("order_no", "i2"),
        ("line_no", "i2"),
        ("at", "i8"),
        ("known_at", "i8"),
        ("released_on", "i4"),
        ("product", "i2"),
        ("quantity", "i4"),
        ("amount", "i8"),
        ("discount", "i8"),
        ("cost", "i8"),
        ("shipping", "i8"),
        ("is_return", "?"),
    ]
)
"""A line of an order: money in cents, instants in microseconds of local time since 1970-01-01."""
Lines = npt.NDArray[np.void]


@dataclass(frozen=True)
class Orders:
    """The orders of one day, one element each.

    Attributes:
        customer: who ordered.
        order_no: 1, or 2 for a second order on the same day.
        at: when, microseconds of local time.
        disappointed: whether it went wrong.
        offer: share taken off by an offer that this order redeems.
    """

    customer: npt.NDArray[np.int64]
    order_no: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    disappointed: npt.NDArray[np.bool_]
    offer: Floats


def order_times(
    people: People, customer: Integers, order_no: Integers, day: int, draws: Draws
) -> npt.NDArray[np.int64]:
    """Return when orders happen: around the customer's usual hour, between 06:00 and 23:30."""
    hour = people["hour"][customer] + 1.5 * draws.normal("order time", customer, day, order_no)
    seconds = np.round(np.clip(hour, 6, 23.5) * 3600).astype(np.int64)
    return np.asarray(day * DAY + seconds * SECOND)


def lines_of(orders: Orders, people: People, day: int, draws: Draws) -> Lines:
    """Fill the orders with lines."""
    more = draws.uniform("lines", orders.customer, day, orders.order_no)
    count = np.minimum(1 + np.floor(np.log(more) / np.log(_MORE_LINES)), _MOST_LINES).astype(np.int64)
    order = np.repeat(np.arange(len(count)), count)
    lines = np.zeros(len(order), LINES)
    lines["customer"] = orders.customer[order]
    lines["day"] = lines["released_on"] = day
    lines["order_no"] = orders.order_no[order]
    lines["line_no"] = 1 + np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    lines["at"] = lines["known_at"] = orders.at[order]
    lines["product"] = _products(lines, people, draws)
    _price(lines, people, orders.offer[order], draws)
    return lines


def spend_of(lines: Lines, orders: Orders) -> Floats:
    """Return what each order costs in cents; ``lines`` are those of the same day's orders."""
    order = np.searchsorted(
        _key(orders.customer, orders.order_no), _key(lines["customer"], lines["order_no"])
    )
    return np.bincount(order, weights=lines["amount"], minlength=len(orders.customer)).astype(np.float64)


def ship(
    lines: Lines, orders: Orders, people: People, spend: Floats, is_free: npt.NDArray[np.bool_]
) -> Lines:
    """Charge shipping on the first line of small orders placed online.

    Args:
        lines: lines of the day's orders.
        orders: the orders.
        people: everybody.
        spend: what each order costs, in cents.
        is_free: which customers pay no shipping, whatever they order.
    """
    online = people["shop_channel"][orders.customer] != SHOP_CHANNELS.index("store")
    charged = online & (spend < _FREE_SHIPPING_FROM) & ~is_free[orders.customer]
    shipped = lines.copy()
    paying = np.isin(
        _key(lines["customer"], lines["order_no"]), _key(orders.customer[charged], orders.order_no[charged])
    )
    shipped["shipping"] = np.where(paying & (lines["line_no"] == 1), _SHIPPING, 0)
    return shipped


def returns_of(lines: Lines, orders: Orders, day: int, *, draws: Draws, settings: ShopSettings) -> Lines:
    """Draw which of the day's lines come back, 3 to 20 days later, as lines of their own."""
    number = _number(lines)
    wrong = np.isin(lines["customer"], orders.customer[orders.disappointed])
    chance = np.where(wrong, _RETURNS_WHEN_DISAPPOINTED, settings.returned_lines)
    sent_back = lines[draws.uniform("send back", lines["customer"], day, number) < chance].copy()
    delay = 3 + np.floor(draws.uniform("return delay", sent_back["customer"], day, _number(sent_back)) * 18)
    sent_back["released_on"] += delay.astype(np.int32)
    sent_back["at"] += delay.astype(np.int64) * DAY
    sent_back["known_at"] = sent_back["at"]
    sent_back["line_no"] += RETURN_LINES_FROM
    sent_back["discount"] = sent_back["shipping"] = 0
    for column in ("amount", "quantity", "cost"):
        sent_back[column] *= -1
    sent_back["is_return"] = True
    return sent_back


@cache
def price_list(seed: int) -> tuple[Floats, Floats]:
    """Return the price in cents of every product and the share of it that the product costs the shop."""
    products = np.arange(PRODUCTS)
    luck = Draws(seed)
    price = np.round(np.exp(2.3 + 0.7 * luck.normal("price", products)), 1) * 100
    return np.maximum(price, 50), 0.45 + 0.25 * luck.uniform("cost", products)


def _products(lines: Lines, people: People, draws: Draws) -> Integers:
    customer, day, number = lines["customer"], int(lines["day"][0]) if len(lines) else 0, _number(lines)
    place = np.floor(draws.uniform("place", customer, day, number) * FAVOURITES).astype(np.int64)
    favourite = people["favourites"][customer, place]
    anything = np.floor(draws.uniform("category", customer, day, number) * CATEGORIES)
    usual = draws.uniform("usual", customer, day, number) < _FAVOURITE_SHARE
    category = np.where(usual, favourite, anything).astype(np.int64)
    rank = np.floor(draws.uniform("product", customer, day, number) ** 2 * PRODUCTS_PER_CATEGORY)
    return category * PRODUCTS_PER_CATEGORY + rank.astype(np.int64)


def _price(lines: Lines, people: People, offer: Floats, draws: Draws) -> None:
    customer, day, number = lines["customer"], int(lines["day"][0]) if len(lines) else 0, _number(lines)
    price, cost_share = price_list(draws.seed)
    several = draws.uniform("quantity", customer, day, number)
    lines["quantity"] = 1 + (several > 0.75) + (several > 0.93)
    gross = price[lines["product"]] * lines["quantity"]
    depth = _DISCOUNTS[np.floor(draws.uniform("depth", customer, day, number) * 3).astype(np.int64)]
    reduced = draws.uniform("reduced", customer, day, number) < people["discount_share"][customer]
    lines["discount"] = np.round(gross * np.maximum(np.where(reduced, depth, 0), offer))
    lines["amount"] = gross - lines["discount"]
    lines["cost"] = np.round(gross * cost_share[lines["product"]])


def _key(customer: Integers, order_no: Integers) -> Integers:
    return customer.astype(np.int64) * 10 + order_no


def _number(lines: Lines) -> Integers:
    return np.asarray(lines["order_no"].astype(np.int64) * 1_000 + lines["line_no"])
